"""Slots, their staging accounts and restore jobs, just as much as cleaning up needs of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.blobs import nothing
from tests.builders import WEB
from vmbackup_core.domain.drill.facts import (
    CopyFacts,
    RestoreFacts,
    RestoreProgress,
    StagingContainer,
    Thing,
)
from vmbackup_core.domain.drill.ownership import DISK, INTERFACE, MACHINE
from vmbackup_core.domain.drill.slots import RUN_TAG, Place, Slot, copy_name, run_mark
from vmbackup_core.domain.errors import Denied, Gone, Rejected
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags
from vmbackup_core.domain.ids import VaultId, VmId

CONTAINER = "web-0123456789abcdef0123456789abcdef"


def disk(slot: Slot, name: str, job: str = "") -> Thing:
    """Return a disk, of the restore `job` or of nobody."""
    tags = Tags.of({"RSVaultBackup": job} if job else {})
    return Thing(f"{slot.id}/providers/{DISK}/{name}", DISK, tags)


def machine(slot: Slot, run: str) -> Thing:
    tags = Tags.of({RUN_TAG: run_mark(run)})
    return Thing(f"{slot.id}/providers/{MACHINE}/{copy_name(run)}", MACHINE, tags)


def restore(
    job: str,
    slot: Slot,
    started: datetime,
    progress: RestoreProgress = RestoreProgress.SUCCEEDED,
    *,
    vm: VmId = WEB,
    container: str = CONTAINER,
) -> RestoreFacts:
    return RestoreFacts(
        job,
        f"iaasvmcontainerv2;{vm.group};{vm.name}",
        progress,
        started,
        target_group=slot.group,
        staging_container=container,
    )


@dataclass(slots=True)
class TinySlots:
    """
    The ports Restoring, Staging and Copies over lists; `did` has every effect, in order.

    A machine takes along what is named in `takes_along`. `locked` cannot be removed. `before_call`
    may raise, and so do all looks at restores where they are `unreadable`.
    """

    things: list[Thing] = field(default_factory=list)
    restores: list[RestoreFacts] = field(default_factory=list)
    containers: list[StagingContainer] = field(default_factory=list)
    account: str | None = "account"
    takes_along: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    protected_in: str = ""
    group_is_gone: bool = False
    too_late_to_cancel: bool = False
    before_call: Callable[[], None] = nothing
    unreadable: Exception | None = None
    did: list[str] = field(default_factory=list)

    # Restoring.

    def observe_restores(self, vault: VaultId, since: datetime) -> tuple[RestoreFacts, ...]:
        self._look()
        found = (one for one in self.restores if one.started >= since)
        return tuple(replace(one, target_group="", staging_container="") for one in found)

    def _look(self) -> None:
        self.before_call()
        if self.unreadable is not None:
            raise self.unreadable

    def observe_restore(self, vault: VaultId, job: str) -> RestoreFacts:
        self._look()
        return next(one for one in self.restores if one.id == job)

    def cancel_restore(self, vault: VaultId, job: str) -> None:
        self.before_call()
        if self.too_late_to_cancel:
            raise Rejected("too late")
        self.did.append(f"cancel {job}")

    # Staging.

    def find_account(self, place: Place) -> str | None:
        self.before_call()
        return self.account

    def list_containers(self, account: str) -> tuple[StagingContainer, ...]:
        self.before_call()
        return tuple(self.containers)

    def remove_container(self, account: str, container: str) -> None:
        self.before_call()
        self.did.append(f"remove container {container}")
        self.containers = [one for one in self.containers if one.name != container]

    # Copies.

    def list_things(self, slot: Slot) -> tuple[Thing, ...]:
        self.before_call()
        if self.group_is_gone:
            raise Gone("no such group")
        return tuple(thing for thing in self.things if slot.holds(thing.id))

    def observe_copy(self, slot: Slot, name: str, *, closely: bool = True) -> CopyFacts | None:
        self.before_call()
        return CopyFacts(
            f"{slot.id}/providers/{MACHINE}/{name}",
            "m",
            Provisioning.SUCCEEDED,
            Power.RUNNING,
            Agent.READY,
            Tags(),
            protected_in=self.protected_in,
        )

    def stop_copy(self, slot: Slot, name: str) -> None:
        self.before_call()
        self.did.append(f"stop {name}")

    def remove(self, slot: Slot, thing: Thing) -> None:
        self.before_call()
        if thing.name in self.locked:
            raise Denied("a lock")
        if thing.type not in (MACHINE, INTERFACE, DISK):
            raise Denied("no such kind")
        self.did.append(f"remove {thing.name}")
        gone = {thing.name, *(self.takes_along if thing.type == MACHINE else ())}
        self.things = [one for one in self.things if one.name not in gone]
