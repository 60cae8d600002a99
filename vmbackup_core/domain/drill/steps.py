"""
Everything that a restore test does, reads and effects alike.

The union `Step` is the complete list: what is not in it, no restore test can do. There is no step
that touches the source, stops or deletes a backup, or removes what does not lie in a slot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.domain.drill.facts import (
    CopySpec,
    GuestCheck,
    RestoreOrder,
    Thing,
)
from vmbackup_core.domain.drill.orders import DrillRecord
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import RungResult
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.ids import VaultId

# Getting ready.


@dataclass(frozen=True, slots=True)
class ChoosePoint:
    """Read the VM's recovery points."""


@dataclass(frozen=True, slots=True)
class LeaseSlot:
    """Lease a slot until then, and open the run's page in the ledger."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ReadSlot:
    """Read what lies in the slot, and which staging account its place has."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class ReadNetwork:
    """Read how isolated the slot is; without `closely`, only what is changed more often."""

    slot: Slot
    closely: bool


@dataclass(frozen=True, slots=True)
class ChooseSize:
    """Read these sizes and the quotas of the place, through a look that all share."""

    place: Place
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskValidation:
    """Let Azure say whether the restore could work. Changes nothing."""

    order: RestoreOrder


@dataclass(frozen=True, slots=True)
class ReadValidation:
    operation: str


# Restoring.


@dataclass(frozen=True, slots=True)
class StartRestore:
    """Restore the disks; `known` is how many askings the state knows of."""

    order: RestoreOrder
    known: int


@dataclass(frozen=True, slots=True)
class WatchRestores:
    """Read the restores of the vault, through a look that all share."""

    vault: VaultId


@dataclass(frozen=True, slots=True)
class ReadRestore:
    vault: VaultId
    job: str


@dataclass(frozen=True, slots=True)
class ReadDisks:
    """Read the restored disks, and what the point recorded of the machine."""

    slot: Slot
    account: str
    container: str
    config: str
    template: str


# Climbing.


@dataclass(frozen=True, slots=True)
class CreateCopy:
    spec: CopySpec


@dataclass(frozen=True, slots=True)
class ReadCopy:
    """Read the copy back; `closely` with its interfaces and whether it is backed up."""

    slot: Slot
    name: str
    closely: bool


@dataclass(frozen=True, slots=True)
class ReadConsole:
    slot: Slot
    name: str


@dataclass(frozen=True, slots=True)
class StartCheck:
    slot: Slot
    name: str
    location: str
    check: GuestCheck


@dataclass(frozen=True, slots=True)
class ReadCheck:
    slot: Slot
    name: str
    check: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """Go no further: clean up. Time alone decided it, so nothing is asked of anybody."""

    ending: Ending
    because: tuple[str, ...] = ()
    result: RungResult | None = None


# Cleaning.


@dataclass(frozen=True, slots=True)
class StopCopy:
    slot: Slot
    name: str


@dataclass(frozen=True, slots=True)
class CancelRestore:
    vault: VaultId
    job: str


@dataclass(frozen=True, slots=True)
class ReadLeft:
    """Read what is left in the slot."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class RemoveThing:
    slot: Slot
    thing: Thing


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    account: str
    container: str


@dataclass(frozen=True, slots=True)
class QuarantineSlot:
    slot: Slot
    why: str


@dataclass(frozen=True, slots=True)
class KeepSlot:
    """Keep the slot, with the stopped copy in it, for a person; the janitor cleans it after."""

    slot: Slot
    until: datetime


@dataclass(frozen=True, slots=True)
class ReleaseSlot:
    """
    Close the run's page in the ledger, and free the slot.

    `known` is how many askings for a restore the state knows of: where the ledger has more, the
    slot stays, because a turn that died may have sent one.
    """

    slot: Slot
    clean: bool
    known: int = 0


@dataclass(frozen=True, slots=True)
class WriteRecord:
    record: DrillRecord


type Step = (
    ChoosePoint
    | LeaseSlot
    | ReadSlot
    | ReadNetwork
    | ChooseSize
    | AskValidation
    | ReadValidation
    | StartRestore
    | WatchRestores
    | ReadRestore
    | ReadDisks
    | CreateCopy
    | ReadCopy
    | ReadConsole
    | StartCheck
    | ReadCheck
    | Conclude
    | StopCopy
    | CancelRestore
    | ReadLeft
    | RemoveThing
    | RemoveContainer
    | QuarantineSlot
    | KeepSlot
    | ReleaseSlot
    | WriteRecord
)


@dataclass(frozen=True, slots=True)
class Wait:
    """Come back at `until`."""

    until: datetime
    because: tuple[str, ...] = ()


# What makes something, or is done for that alone: held back by a pause and by observe mode, as
# cleaning never is.
CREATING = (LeaseSlot, StartRestore, CreateCopy, StartCheck)

# What changes anything, be it in the ledger alone: a turn ends after it, so that it is remembered.
EFFECTS = (
    LeaseSlot,
    AskValidation,
    StartRestore,
    CreateCopy,
    StartCheck,
    StopCopy,
    CancelRestore,
    RemoveThing,
    RemoveContainer,
    QuarantineSlot,
    KeepSlot,
    ReleaseSlot,
    WriteRecord,
)

# How many calls of ARM a step costs at most. A step that is not here costs none: it reads what all
# share, blobs, or the ledger. A restore test may cost 30, with four more for each data disk.
BUDGET = 30
CALLS: Mapping[type[Step], int] = {
    ChoosePoint: 1,
    ReadSlot: 2,
    ReadNetwork: 2,
    AskValidation: 1,
    ReadValidation: 1,
    StartRestore: 1,
    ReadRestore: 1,
    ReadDisks: 1,
    CreateCopy: 1,
    ReadCopy: 1,
    ReadConsole: 1,
    StartCheck: 1,
    ReadCheck: 1,
    StopCopy: 1,
    CancelRestore: 1,
    ReadLeft: 1,
    RemoveThing: 1,
}
# What reading closely costs more: of a copy its interface, and whether it is backed up; of a
# network the names that it is linked to, and what a network manager applies to it.
CLOSELY: Mapping[type[Step], int] = {ReadCopy: 2, ReadNetwork: 3}
FOR_A_DISK = 4  # More for each data disk.


def calls_of(step: Step) -> int:
    """Return how many calls of ARM `step` costs at most."""
    closely = isinstance(step, ReadCopy | ReadNetwork) and step.closely
    return CALLS.get(type(step), 0) + (CLOSELY[type(step)] if closely else 0)
