"""
What restore tests need from the world, beside ports.py, whose obligations hold here too.

Everything that creates or removes is confined to the slots and to the staging accounts of their
places; an implementation refuses anything else before it leaves (adapters/gate.py).
"""

from datetime import datetime
from typing import Protocol

from vmbackup_core.domain.drill.facts import (
    CheckFacts,
    ConsoleFacts,
    CopyFacts,
    CopySpec,
    DiskFacts,
    GuestCheck,
    Recipe,
    RestoreFacts,
    RestoreOrder,
    StagingContainer,
    Thing,
    ValidationFacts,
)
from vmbackup_core.domain.drill.isolation import NetworkFacts
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.rules import Scope


class Restoring(Protocol):
    """Restores of disks into slots."""

    def validate_restore(self, order: RestoreOrder) -> str:
        """Ask whether the restore could work; return the operation's URL. Changes nothing."""

    def observe_validation(self, operation: str) -> ValidationFacts:
        """Return what the validation says; "Succeeded" alone says nothing, its results do."""

    def start_restore(self, order: RestoreOrder) -> str:
        """Start the restore and return its job's id (the operation's id: recorded)."""

    def observe_restores(self, vault: VaultId, since: datetime) -> tuple[RestoreFacts, ...]:
        """Return the restore jobs of `vault` that began at or after `since`, in one list."""

    def observe_restore(self, vault: VaultId, job: str) -> RestoreFacts:
        """Return one restore job with where it restores to and what it left."""

    def cancel_restore(self, vault: VaultId, job: str) -> None:
        """Ask for the job's cancellation; Rejected where it cannot be cancelled any more."""


class Staging(Protocol):
    """The staging accounts' blobs: recipes, and what has to be removed."""

    def find_account(self, place: Place) -> str | None:
        """
        Return the ARM id of the place's staging account: the only storage account in its group.

        None where there is none; Rejected where there are several, or one that Azure cannot
        restore through.
        """

    def read_recipe(self, account: str, container: str, config: str, template: str) -> Recipe:
        """Return what the two blobs say of the machine; empty where neither can be read."""

    def list_containers(self, account: str) -> tuple[StagingContainer, ...]: ...

    def remove_container(self, account: str, container: str) -> None:
        """Remove a container with its blobs; done twice is done once."""


class Copies(Protocol):
    """Machines and disks in slots."""

    def list_things(self, slot: Slot) -> tuple[Thing, ...]:
        """Return everything that lies in the slot. Raises Gone where there is no such group."""

    def list_disks(self, slot: Slot) -> tuple[DiskFacts, ...]: ...

    def create_copy(self, spec: CopySpec) -> None:
        """
        Create the machine, which powers on at once; only where none of its name is there.

        Stale (code `PreconditionFailed`) where one is.
        """

    def observe_copy(self, slot: Slot, name: str, *, closely: bool = True) -> CopyFacts | None:
        """
        Return the machine as it is now, None where there is none.

        `closely` adds its interfaces and whether it is backed up; without, it is one call, and
        neither is told: for waiting.
        """

    def observe_console(self, slot: Slot, name: str) -> ConsoleFacts: ...

    def start_check(self, slot: Slot, name: str, location: str, check: GuestCheck) -> None:
        """Let the guest run the check's script."""

    def observe_check(self, slot: Slot, name: str, check: str) -> CheckFacts | None:
        """Return what became of the script, None where it was never started."""

    def stop_copy(self, slot: Slot, name: str) -> None:
        """Deallocate the machine; it keeps its disks. Done twice is done once."""

    def remove(self, slot: Slot, thing: Thing) -> None:
        """
        Remove one resource of the slot: a machine, an interface or a disk, and no other kind.

        It takes a while; whether it is gone is another look. Done twice is done once.
        """


class Networks(Protocol):
    def observe_network(self, slot: Slot, *, closely: bool = True) -> NetworkFacts:
        """
        Return all that decides whether the slot's subnet is isolated.

        Without `closely`, what was read of it before is not read again: names that it is linked to,
        and what a network manager applies to it. For a second look, at what is changed more often.
        """


class Sizes(Protocol):
    def observe_sizes(self, place: Place) -> tuple[SizeFacts, ...]: ...

    def observe_usages(self, place: Place) -> tuple[Usage, ...]:
        """Return the vCPU quotas of the region: the regional one and the families'."""


class SlotSurvey(Protocol):
    """Slots with something in them, whoever made it."""

    def observe_occupied(self, scope: Scope) -> tuple[Slot, ...]:
        """
        Return the slots in scope that hold machines or disks, in order, from Resource Graph: it
        lags, so whoever acts on it looks at the slot first.
        """


class RestoreHistory(Protocol):
    """Restores that anybody ran, over the whole estate."""

    def observe_all_restores(self, scope: Scope, since: datetime) -> tuple[RestoreFacts, ...]:
        """
        Return the restore jobs of all vaults in scope that began at or after `since`, with their
        vaults, from Resource Graph: it keeps jobs for 14 days, and lags.
        """
