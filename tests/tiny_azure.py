"""
A handful of VMs, vaults and items behind the ports, with the answers that a test hands in.

Far simpler than azsim, and only for what azsim is too coarse for: which write was sent, which one
had an effect, and what if a process dies between two given calls.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.blobs import nothing
from tests.builders import VAULT, vault
from vmbackup_core.domain.errors import Denied, Gone, Rejected, Retryable, Stale
from vmbackup_core.domain.facts import (
    DiskExclusion,
    Estate,
    ItemFacts,
    ItemState,
    VaultFacts,
    VmFacts,
)
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.operations import JobFacts, OperationFacts, Progress
from vmbackup_core.domain.policies import PolicySpec
from vmbackup_core.domain.rules import Scope
from vmbackup_core.ports import Clock


@dataclass(frozen=True, slots=True)
class Accepted:
    """202, and the effect comes when the operation ends; it may fail late with `code`."""

    code: str = ""
    takes: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer, whether the request arrived or not."""

    arrived: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    code: str
    message: str = "no"


@dataclass(frozen=True, slots=True)
class Forbidden:
    code: str = "AuthorizationFailed"


@dataclass(frozen=True, slots=True)
class Throttled:
    after: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NotFound:
    """404: what the request names is not there any more."""


Answer = Accepted | Lost | Refused | Forbidden | Throttled | NotFound


@dataclass(frozen=True, slots=True)
class Write:
    """One request as it arrived."""

    what: str
    vault: VaultId
    policy: str = ""
    exclusion: DiskExclusion | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """An operation: its effect comes at `ends`."""

    vm: VmId | None
    job: str
    began: datetime
    ends: datetime
    code: str
    effect: Callable[[], None]


@dataclass(slots=True)
class TinyAzure:
    """
    Implements Inventory, Vaults and Jobs.

    `answers` are used up by the writes in order, then each is accepted. `received` are all writes,
    `effective` those that changed something, `overlapping` those that met another one under way.
    """

    clock: Clock
    vms: dict[VmId, VmFacts] = field(default_factory=dict)
    vaults: dict[VaultId, VaultFacts] = field(default_factory=lambda: {VAULT: vault()})
    items: dict[tuple[VmId, VaultId], ItemFacts] = field(default_factory=dict)
    answers: deque[Answer] = field(default_factory=deque)
    jobs_are_listed: bool = True
    unreadable: tuple[str, ...] = ()
    before_call: Callable[[], None] = nothing
    after_write: Callable[[], None] = nothing
    received: list[Write] = field(default_factory=list)
    effective: list[Write] = field(default_factory=list)
    overlapping: list[Write] = field(default_factory=list)
    _work: list[_Work] = field(default_factory=list)

    # Reads.

    def observe_vm(self, vm: VmId) -> VmFacts:
        self._read()
        if vm not in self.vms:
            raise Gone(f"no VM {vm}")
        return self.vms[vm]

    def observe_estate(self, scope: Scope) -> Estate:
        self._read()
        return Estate(
            self.clock.now(),
            tuple(self.vms.values()),
            tuple(self.items.values()),
            tuple(self.vaults.values()),
            self.unreadable,
        )

    def observe_vaults(self, subscription: str, location: str) -> tuple[VaultFacts, ...]:
        self._read()
        place = (subscription, location)
        return tuple(v for v in self.vaults.values() if (v.id.subscription, v.location) == place)

    def observe_items(
        self, vm: VmId, location: str, likely: VaultId | None
    ) -> tuple[ItemFacts, ...]:
        self._read()
        mine = [item for (owner, _), item in self.items.items() if owner == vm]
        hidden = (ItemState.STOPPED, ItemState.SOFT_DELETED)
        return tuple(i for i in mine if i.state not in hidden or i.vault == likely)

    def find_vault(self, vm: VmId, location: str) -> VaultId | None:
        found = self.observe_items(vm, location, None)
        return found[0].vault if found else None

    def list_items(self, vault: VaultId) -> tuple[ItemFacts, ...]:
        self._read()
        return tuple(item for (_, there), item in self.items.items() if there == vault)

    def observe_jobs(self, vault: VaultId, since: datetime) -> tuple[JobFacts, ...]:
        self._read()
        return tuple(self._jobs(since)) if self.jobs_are_listed else ()

    def observe_operation(self, operation: str) -> OperationFacts:
        self._read()
        work = self._work[int(operation)]
        if work.ends > self.clock.now():
            return OperationFacts(Progress.RUNNING)
        return OperationFacts(Progress.FAILED if work.code else Progress.SUCCEEDED, work.code, "no")

    # Writes.

    def create_vault(self, vault: VaultId, location: str, redundancy: str) -> None:
        def effect() -> None:
            self.vaults.setdefault(vault, VaultFacts(vault, location))

        self._write(Write("vault", vault), None, effect, at_once=True)

    def create_policy(self, vault: VaultId, policy: PolicySpec) -> None:
        def effect() -> None:
            there = self.vaults[vault]
            others = tuple(p for p in there.policies if p.name != policy.name)
            self.vaults[vault] = replace(there, policies=(*others, policy.as_facts()))

        self._write(Write("policy", vault, policy.name), None, effect, at_once=True)

    def refresh_containers(self, vault: VaultId) -> str:
        return self._write(Write("refresh", vault), None, nothing)

    def set_protection(
        self, vm: VmId, vault: VaultId, policy: str, exclusion: DiskExclusion | None
    ) -> str:
        def effect() -> None:
            facts = ItemFacts(vm, vault, ItemState.PROTECTED, policy, exclusion)
            self.items[vm, vault] = facts

        write = Write("protect", vault, policy, exclusion)
        return self._write(write, vm, effect, job="ConfigureBackup")

    def undelete(self, vm: VmId, vault: VaultId) -> str:
        def effect() -> None:
            there = self.items[vm, vault]
            self.items[vm, vault] = replace(there, state=ItemState.STOPPED, policy="")

        return self._write(Write("undelete", vault), vm, effect, job="Undelete")

    # How it works.

    def _read(self) -> None:
        self.before_call()
        self._settle()

    def _settle(self) -> None:
        """Let happen what is due by now."""
        for number, work in enumerate(self._work):
            if work.ends <= self.clock.now() and not work.code:
                work.effect()
                self._work[number] = replace(work, effect=nothing)

    def _jobs(self, since: datetime) -> Iterator[JobFacts]:
        for number, work in enumerate(self._work):
            if work.vm is not None and work.began >= since:
                over = Progress.FAILED if work.code else Progress.SUCCEEDED
                progress = over if work.ends <= self.clock.now() else Progress.RUNNING
                container = f"iaasvmcontainerv2;{work.vm.group};{work.vm.name}"
                yield JobFacts(f"job-{number}", container, work.job, progress, work.began)

    def _write(
        self,
        write: Write,
        vm: VmId | None,
        effect: Callable[[], None],
        *,
        job: str = "",
        at_once: bool = False,
    ) -> str:
        self._read()
        self.received.append(write)
        if any(w.vm == vm and w.ends > self.clock.now() for w in self._work if vm is not None):
            self.overlapping.append(write)
            raise Retryable("busy", code="BMSUserErrorObjectLocked", status=409)
        answer = self.answers.popleft() if self.answers else Accepted()
        match answer:
            case Refused(code, message):
                raise Rejected(message, code=code, status=400)
            case Forbidden(code):
                raise Denied("no right", code=code, status=403)
            case Throttled(after):
                raise Retryable("too many", code="TooManyRequests", status=429, after=after)
            case NotFound():
                raise Stale("not found", code="ResourceNotFound", status=404)
            case Lost(arrived=False):
                raise Retryable("no answer", maybe_done=True)
        code = answer.code if isinstance(answer, Accepted) else ""
        takes = answer.takes if isinstance(answer, Accepted) else Accepted().takes
        if not code:
            self.effective.append(write)
        now = self.clock.now()
        self._work.append(_Work(vm, job, now, now if at_once else now + takes, code, effect))
        self._settle()
        self.after_write()
        if isinstance(answer, Lost):
            raise Retryable("no answer", maybe_done=True)
        return str(len(self._work) - 1)
