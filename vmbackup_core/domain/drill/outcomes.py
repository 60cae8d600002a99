"""
What may come of a step of a restore test: facts, or why there are none.

An answer that was lost is no refusal: only looking can tell then (domain/drill/restoring.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.domain.drill.facts import CheckFacts, DiskFacts, Recipe, RestoreFacts, Thing
from vmbackup_core.domain.drill.points import PointFacts
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage


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
