"""
Everything that a restore test does, reads and effects alike, and what may come of it.

The union `Step` is the complete list: what is not in it, no restore test can do. There is no step
that touches the source, stops or deletes a backup, or removes what does not lie in a slot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.domain.drill_facts import (
    CheckFacts,
    CopySpec,
    DiskFacts,
    GuestCheck,
    Recipe,
    RestoreFacts,
    RestoreOrder,
    Thing,
)
from vmbackup_core.domain.drill_orders import DrillRecord
from vmbackup_core.domain.drill_reasons import Ending
from vmbackup_core.domain.drill_runs import Run
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.points import PointFacts
from vmbackup_core.domain.rungs import RungResult
from vmbackup_core.domain.sizes import SizeFacts, Usage
from vmbackup_core.domain.slots import Place, Slot

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
    slot: Slot


@dataclass(frozen=True, slots=True)
class ChooseSize:
    """Read the sizes and quotas of the place, through a look that all share."""

    place: Place


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
    """Close the run's page in the ledger, and free the slot."""

    slot: Slot
    clean: bool


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

# What makes something, and is held back by a pause or by observe mode; cleaning never is.
CREATING = (StartRestore, CreateCopy, StartCheck)

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
    ReadNetwork: 5,
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
CLOSELY = 2  # What reading a copy closely costs more: its interface, and whether it is backed up.


def calls_of(step: Step) -> int:
    """Return how many calls of ARM `step` costs at most."""
    more = CLOSELY if isinstance(step, ReadCopy) and step.closely else 0
    return CALLS.get(type(step), 0) + more


# What may come of a step, beside the facts that it reads.


@dataclass(frozen=True, slots=True)
class Done:
    """It was accepted, or is so already; `at` is when it was first asked for."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Unavailable:
    """It was not done, and may be later: after `after`, where the service says how long."""

    words: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NotYet:
    """Somebody else is reading it just now, or it was read a moment ago: come back after that."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class Lost:
    """It was sent at `at`, and the answer was lost: only looking can tell."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Missing:
    """What it is about is not there."""

    words: str


@dataclass(frozen=True, slots=True)
class Exists:
    """There is one of that name already; it was first asked for at `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """Azure or somebody's rule said no, and would say it again."""

    code: str
    words: str

    def __str__(self) -> str:
        return f"{self.code}: {self.words}" if self.code else self.words


@dataclass(frozen=True, slots=True)
class Held:
    """It was not sent: changes are paused, or the subscription is only observed."""

    ending: Ending
    because: tuple[str, ...] = ()


type Trouble = Unavailable | NotYet | Lost | Missing | Exists | Refused | Held


# What steps read, where no single fact says it.


@dataclass(frozen=True, slots=True)
class Points:
    points: tuple[PointFacts, ...]


@dataclass(frozen=True, slots=True)
class NoSlot:
    """Every slot of the place is taken."""


@dataclass(frozen=True, slots=True)
class SlotSight:
    things: tuple[Thing, ...]
    account: str | None


@dataclass(frozen=True, slots=True)
class SizesSight:
    sizes: tuple[SizeFacts, ...]
    usages: tuple[Usage, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """The URL of an operation that was begun."""

    url: str


@dataclass(frozen=True, slots=True)
class Started:
    """The restore was accepted: its job's id."""

    at: datetime
    job: str


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The asking was written down at `at`, and Azure did not take it."""

    at: datetime
    words: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """Nothing was sent: the ledger knows of askings that the state does not, all of these."""

    asked: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The vault's restores, as a list taken at `taken` has them."""

    taken: datetime
    restores: tuple[RestoreFacts, ...]


@dataclass(frozen=True, slots=True)
class DisksSight:
    disks: tuple[DiskFacts, ...]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class CheckSight:
    """What became of a script; None where it was never started."""

    facts: CheckFacts | None


@dataclass(frozen=True, slots=True)
class Left:
    things: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Leased:
    run: Run
