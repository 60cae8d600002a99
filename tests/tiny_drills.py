"""
An Azure that knows slots, restores, copies and what runs in them, and nothing else.

It stands behind the ports of restore tests, so that a night of outcomes costs milliseconds: what
may go wrong is queued as answers, and it may let the process die before or after any call.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from tests.builders import NOW, WEB
from tests.clocks import HandClock
from vmbackup_core.domain.drill.facts import (
    CheckFacts,
    CheckProgress,
    ConsoleFacts,
    CopyFacts,
    CopySpec,
    DiskFacts,
    GuestCheck,
    InterfaceFacts,
    Recipe,
    RecipeDisk,
    RestoreFacts,
    RestoreOrder,
    RestoreProgress,
    StagingContainer,
    Thing,
    ValidationFacts,
)
from vmbackup_core.domain.drill.isolation import NetworkFacts
from vmbackup_core.domain.drill.ownership import DISK, INTERFACE, MACHINE, RESTORED_TAG
from vmbackup_core.domain.drill.points import Consistency, PointFacts, PointTier
from vmbackup_core.domain.drill.proof_control import EXIT_CODE, NAME
from vmbackup_core.domain.drill.security_rules import Direction, Rule
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import Denied, Gone, Rejected, Retryable, Stale
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags
from vmbackup_core.domain.ids import VaultId, VmId

STAGING = "/subscriptions/s/resourcegroups/g/providers/microsoft.storage/storageaccounts/st"
CONTAINER = "web-0123456789abcdef0123456789abcdef"
GUARD = "/subscriptions/s/guard"
SIZE = "Standard_D2s_v5"
LOGIN = "Ubuntu 24.04 LTS web ttyS0\n\nweb login: "
PANIC = "[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs\n"
RESTORE_TAKES = timedelta(seconds=90)
DENY = tuple(Rule(f"deny-{way}", way, 4096, allows=False) for way in Direction)


class Answer(Enum):
    """What becomes of one call."""

    GOOD = "good"
    BUSY = "busy"
    THROTTLED = "throttled"
    LOST_BEFORE = "lost before it arrived"
    LOST_AFTER = "lost after it arrived"
    DENIED = "denied"
    REJECTED = "rejected"
    STALE = "stale"
    DEATH_BEFORE = "the process dies before"
    DEATH_AFTER = "the process dies after"


class Death(BaseException):
    """The process is gone: nobody catches this but the test."""


_RAISED = {
    Answer.BUSY: lambda: Retryable("busy", code="ServerBusy", status=503),
    Answer.THROTTLED: lambda: Retryable("too fast", status=429, after=timedelta(hours=1)),
    Answer.LOST_BEFORE: lambda: Retryable("no answer", maybe_done=True),
    Answer.LOST_AFTER: lambda: Retryable("no answer", maybe_done=True),
    Answer.REJECTED: lambda: Rejected("no", code="BadRequest", status=400),
    Answer.STALE: lambda: Stale("conflict", code="Conflict", status=409),
    Answer.DEATH_BEFORE: Death,
    Answer.DEATH_AFTER: Death,
}
_AFTER = (Answer.LOST_AFTER, Answer.DEATH_AFTER)


@dataclass(slots=True)
class Restore:
    facts: RestoreFacts
    slot: Slot | None
    until: datetime


@dataclass(slots=True)
class Machine:
    spec: CopySpec
    made: datetime
    power: Power = Power.RUNNING
    scripts: dict[str, tuple[GuestCheck, datetime]] = field(default_factory=dict)


@dataclass(slots=True)
class TinyDrills:
    """
    `answers` are used up call by call, and then all is well, but for calls that are `always`
    answered so; `did` has every effect, in order. Disks are listed `disks_lag` after they were
    made, a machine that `runs_on` is not stopped by whoever asks. What is removed goes after
    `lingers`.

    `log` is what the copy's console shows, `codes` the exit code of each check that does not
    succeed, None for one that never answers. `beside` is what somebody else puts into the slot
    while the restore runs.
    """

    clock: HandClock
    answers: deque[Answer] = field(default_factory=deque)
    always: dict[str, Answer] = field(default_factory=dict)
    disks_lag: timedelta = timedelta(0)
    runs_on: bool = False
    lingers: timedelta = timedelta(0)
    leaving: dict[str, datetime] = field(default_factory=dict)
    did: list[tuple[datetime, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    networks_read: list[tuple[datetime, NetworkFacts]] = field(default_factory=list)
    points: list[PointFacts] = field(default_factory=list)
    restores: list[Restore] = field(default_factory=list)
    things: dict[str, Thing] = field(default_factory=dict)
    disks: dict[str, DiskFacts] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    containers: set[str] = field(default_factory=set)
    data_disks: int = 1
    network: NetworkFacts = field(
        default_factory=lambda: NetworkFacts(
            "subnet", 10, GUARD, ("10.0.0.0/28",), DENY, default_outbound=False
        )
    )
    takes: timedelta = RESTORE_TAKES
    list_lag: timedelta = timedelta(0)
    cancellable: bool = True
    progress: RestoreProgress = RestoreProgress.SUCCEEDED
    code: str = ""
    faults: tuple[str, ...] = ()
    log: str | None = LOGIN
    boots_after: timedelta = timedelta(seconds=70)
    agent: bool = True
    codes: dict[str, int | None] = field(default_factory=dict)
    beside: tuple[Thing, ...] = ()
    identities: tuple[str, ...] = ()
    breach_after: timedelta = timedelta(0)
    protected_in: str = ""
    used_cores: int = 0
    group_is_there: bool = True
    account: str | None = STAGING

    def call(self, what: str, effect: bool = False) -> Answer:
        """Take the next answer; one that comes after the effect is left to the caller."""
        self.calls.append(what)
        answer = self.answers.popleft() if self.answers else Answer.GOOD
        answer = self.always.get(what, answer)
        if answer is Answer.DENIED:  # As Azure does, in other words each time.
            words = f"no right, says request {len(self.calls)}"
            raise Denied(words, code="AuthorizationFailed", status=403)
        if answer is not Answer.GOOD and not (effect and answer in _AFTER):
            raise _RAISED[answer]()
        return answer

    def end(self, answer: Answer) -> None:
        if answer in _AFTER:
            raise _RAISED[answer]()

    def done(self, what: str) -> None:
        self.did.append((self.clock.now(), what))

    def passed(self) -> None:
        """Let time do its work: restores end and leave their disks."""
        for restore in self.restores:
            if restore.until <= self.clock.now() and not restore.facts.progress.ended:
                progress = self.progress
                restore.facts = replace(
                    restore.facts, progress=progress, ended=restore.until, code=self.code
                )
                if progress is RestoreProgress.SUCCEEDED and restore.slot:
                    self._leave_disks(restore.facts.id, restore.slot)
        for name in [one for one, until in self.leaving.items() if until <= self.clock.now()]:
            del self.leaving[name]
            self._drop(name)

    def _leave_disks(self, job: str, slot: Slot) -> None:
        data = [(f"web-datadisk-{number:03}", "") for number in range(self.data_disks)]
        for name, os_type in (("web-osdisk", "Linux"), *data):
            disk_id = f"{slot.id}/providers/{DISK}/{name}-{job}"
            self.things[disk_id] = Thing(disk_id, DISK, Tags.of({RESTORED_TAG: job}))
            self.disks[disk_id] = DiskFacts(
                disk_id, name, 30, os_type=os_type, generation="V2", restored_by=job
            )
        self.containers.add(CONTAINER)

    # Restores, Restoring.

    def observe_points(self, vm: VmId, vault: VaultId) -> tuple[PointFacts, ...]:
        self.call("points")
        return tuple(self.points)

    def validate_restore(self, order: RestoreOrder) -> str:
        self.call("validate")
        return "operation"

    def observe_validation(self, operation: str) -> ValidationFacts:
        self.call("validation")
        return ValidationFacts(running=False, faults=self.faults)

    def start_restore(self, order: RestoreOrder) -> str:
        answer = self.call("restore", effect=True)
        now = self.clock.now()
        job = f"job-{len(self.restores)}"
        facts = RestoreFacts(
            job,
            f"iaasvmcontainerv2;{order.vm.group};{order.vm.name}",
            RestoreProgress.RUNNING,
            now,
            target_group=order.slot.group,
            staging_container=CONTAINER,
            config="config.json",
        )
        self.restores.append(Restore(facts, order.slot, now + self.takes))
        self.things |= {thing.id: thing for thing in self.beside}
        self.done("restore")
        self.end(answer)
        return job

    def observe_restores(self, vault: VaultId, since: datetime) -> tuple[RestoreFacts, ...]:
        self.call("list restores")
        self.passed()
        return tuple(
            replace(one.facts, target_group="", staging_container="", config="")
            for one in self.restores
            if since <= one.facts.started <= self.clock.now() - self.list_lag
        )

    def observe_restore(self, vault: VaultId, job: str) -> RestoreFacts:
        self.call("read restore")
        self.passed()
        return next(one.facts for one in self.restores if one.facts.id == job)

    def cancel_restore(self, vault: VaultId, job: str) -> None:
        answer = self.call("cancel", effect=True)
        if not self.cancellable:
            raise Rejected("too late", code="BMSUserErrorJobNotCancellable", status=400)
        self.done(f"cancel {job}")
        for one in self.restores:
            if one.facts.id == job and not one.facts.progress.ended:
                one.facts = replace(
                    one.facts, progress=RestoreProgress.CANCELLED, ended=self.clock.now()
                )
        self.end(answer)

    # Staging.

    def find_account(self, place: Place) -> str | None:
        self.call("account")
        return self.account

    def read_recipe(self, account: str, container: str, config: str, template: str) -> Recipe:
        self.call("recipe")
        ids = {disk.os_type: disk.id for disk in self.disks.values()}
        data = {disk.name: disk.id for disk in self.disks.values() if not disk.os_type} or {"": ""}
        return Recipe(
            size=SIZE,
            os_type="Linux",
            os_disk_id=ids.get("Linux", ""),
            os_size_gb=30,
            disks=tuple(
                RecipeDisk(lun, 30, "None", disk) for lun, disk in enumerate(data.values())
            ),
            generation="V2",
        )

    def list_containers(self, account: str) -> tuple[StagingContainer, ...]:
        return tuple(StagingContainer(name, self.clock.now()) for name in self.containers)

    def remove_container(self, account: str, container: str) -> None:
        answer = self.call("remove container", effect=True)
        self.containers.discard(container)
        self.done(f"remove container {container}")
        self.end(answer)

    # Copies.

    def list_things(self, slot: Slot) -> tuple[Thing, ...]:
        self.call("list things")
        self.passed()
        if not self.group_is_there:
            raise Gone("no such group")
        return tuple(thing for thing in self._listed(self.things) if slot.holds(thing.id))

    def _listed[T](self, known: dict[str, T]) -> tuple[T, ...]:
        """Return what a list shows now: disks are listed late."""
        ended = {one.facts.id: one.facts.ended for one in self.restores}
        late = {
            disk.id
            for disk in self.disks.values()
            if (at := ended.get(disk.restored_by)) and self.clock.now() - at < self.disks_lag
        }
        return tuple(thing for name, thing in known.items() if name not in late)

    def list_disks(self, slot: Slot) -> tuple[DiskFacts, ...]:
        self.call("list disks")
        self.passed()
        return tuple(disk for disk in self._listed(self.disks) if slot.holds(disk.id))

    def create_copy(self, spec: CopySpec) -> None:
        answer = self.call("create", effect=True)
        machine_id = f"{spec.slot.id}/providers/{MACHINE}/{spec.name}"
        if machine_id in self.things:
            raise Stale("there is one", code="PreconditionFailed", status=412)
        nic = f"{spec.slot.id}/providers/{INTERFACE}/{spec.name}-nic"
        self.things[machine_id] = Thing(machine_id, MACHINE, spec.tags)
        self.things[nic] = Thing(nic, INTERFACE)
        self.machines[machine_id] = Machine(spec, self.clock.now())
        self.done("create")
        self.end(answer)

    def _machine(self, slot: Slot, name: str) -> Machine | None:
        return self.machines.get(f"{slot.id}/providers/{MACHINE}/{name}")

    def observe_copy(self, slot: Slot, name: str, *, closely: bool = True) -> CopyFacts | None:
        self.call("copy closely" if closely else "copy")
        machine = self._machine(slot, name)
        if machine is None:
            return None
        age = self.clock.now() - machine.made
        up = age >= self.boots_after and self.agent
        nic = f"{slot.id}/providers/{INTERFACE}/{name}-nic"
        return CopyFacts(
            f"{slot.id}/providers/{MACHINE}/{name}",
            "copy",
            Provisioning.SUCCEEDED,
            machine.power,
            Agent.READY if up else Agent.NOT_READY,
            machine.spec.tags,
            created=machine.made + timedelta(seconds=20),
            heartbeat=self.clock.now() if up else None,
            identities=self.identities if age >= self.breach_after else (),
            interfaces=(InterfaceFacts(nic, (slot.subnet_id,), False, GUARD),) if closely else (),
            protected_in=self.protected_in if closely and age >= self.breach_after else "",
        )

    def observe_console(self, slot: Slot, name: str) -> ConsoleFacts:
        self.call("console")
        machine = self._machine(slot, name)
        up = machine is not None and self.clock.now() - machine.made >= self.boots_after
        return ConsoleFacts(self.log if up else None, b"picture" if up else None)

    def start_check(self, slot: Slot, name: str, location: str, check: GuestCheck) -> None:
        answer = self.call("start check", effect=True)
        if (machine := self._machine(slot, name)) is not None:
            machine.scripts[check.name] = (check, self.clock.now())
        self.done(f"check {check.name}")
        self.end(answer)

    def observe_check(self, slot: Slot, name: str, check: str) -> CheckFacts | None:
        self.call("check")
        machine = self._machine(slot, name)
        if machine is None or check not in machine.scripts:
            return None
        code = self.codes.get(check, EXIT_CODE if check == NAME else 0)
        if code is None:
            return CheckFacts(CheckProgress.RUNNING)
        return CheckFacts(CheckProgress.ENDED, code, f"{check} said so")

    def stop_copy(self, slot: Slot, name: str) -> None:
        answer = self.call("stop", effect=True)
        if (machine := self._machine(slot, name)) is not None and not self.runs_on:
            machine.power = Power.DEALLOCATED
        self.done("stop")
        self.end(answer)

    def remove(self, slot: Slot, thing: Thing) -> None:
        answer = self.call("remove", effect=True)
        self.done(f"remove {thing.id}")
        self.leaving.setdefault(thing.id, self.clock.now() + self.lingers)
        self.passed()
        self.end(answer)

    def _drop(self, name: str) -> None:
        """Let a thing be gone, and with a machine its interface and disks."""
        gone = {name}
        if (machine := self.machines.pop(name, None)) is not None:
            disks = (machine.spec.os_disk, *machine.spec.data_disks)
            slot, _, path = name.partition("/providers/")
            nic = f"{slot}/providers/{INTERFACE}/{path.rpartition('/')[2]}-nic"
            gone |= {nic, *(disk.disk_id for disk in disks)}
        for one in gone:
            self.things.pop(one, None)
            self.disks.pop(one, None)

    # Networks, Sizes.

    def observe_network(self, slot: Slot, *, closely: bool = True) -> NetworkFacts:
        self.call("network")
        nics = tuple(one.id for one in self.things.values() if one.type == INTERFACE)
        seen = replace(self.network, subnet_id=slot.subnet_id, interfaces=nics)
        self.networks_read.append((self.clock.now(), seen))
        return seen

    def observe_sizes(self, place: Place) -> tuple[SizeFacts, ...]:
        self.call("sizes")
        return (SizeFacts(SIZE, "standardDSv5Family", 2, 8, 4),)

    def observe_usages(self, place: Place) -> tuple[Usage, ...]:
        self.call("usages")
        return (Usage("cores", self.used_cores, 100), Usage("standardDSv5Family", 0, 100))


def point(age: timedelta = timedelta(hours=6), name: str = "point") -> PointFacts:
    return PointFacts(
        name,
        NOW - age,
        Consistency.APPLICATION,
        frozenset(PointTier),
        size=SIZE,
        os_type="Linux",
    )


def others_restore(started: datetime, *, ended: bool, vm: VmId = WEB) -> Restore:
    """Return a restore of somebody else's, into some other group."""
    progress = RestoreProgress.SUCCEEDED if ended else RestoreProgress.RUNNING
    facts = RestoreFacts(
        f"theirs-{started:%H%M%S}",
        f"iaasvmcontainerv2;{vm.group};{vm.name}",
        progress,
        started,
        started if ended else None,
        target_group="rg-theirs",
    )
    return Restore(facts, None, started + timedelta(days=3))
