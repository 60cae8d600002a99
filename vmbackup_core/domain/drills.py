"""
What a restore test (a drill) is asked for: the drill plan as configured, and what is known of each
VM from the tests before.

Ages are counted in nights: a night has the date on which it begins, in UTC, and a test belongs to
the night in whose hours, or after whose hours, it began.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Self

from vmbackup_core.domain.facts import VmFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.points import Strategy
from vmbackup_core.domain.rules import allows, covers
from vmbackup_core.domain.schedules import DAY, Weekday

RESTORES_A_DAY = 10  # Restores of one VM in 24 hours, whoever asks (AZURE: limits and throttling).


@dataclass(frozen=True, slots=True)
class Tier:
    """
    VMs whose backups shall have been proven within `max_age`, a whole number of days.

    `values` are globs for the policy tag, compared as written; `policies` are globs for the policy
    that the VM is protected with, compared without case. Where a tier names none of a kind, any
    will do. `rpo` is set where LATEST_WITHIN_RPO is among the strategies.
    """

    name: str
    max_age: timedelta
    strategies: tuple[Strategy, ...]
    values: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    rpo: timedelta | None = None

    @property
    def nights(self) -> int:
        """How many nights a proof lasts."""
        return self.max_age // DAY

    def matches(self, value: str | None, policy: str) -> bool:
        """Tell whether a VM with this value of the policy tag and this policy is of the tier."""
        return allows(self.values, value) and allows(_lowered(self.policies), policy.lower())

    def covers(self, other: Self) -> bool:
        """Tell whether this tier takes every VM that `other` would, as far as can be seen."""
        return covers(self.values, other.values) and covers(
            _lowered(self.policies), _lowered(other.policies)
        )


@dataclass(frozen=True, slots=True)
class Dates:
    """A span of nights, both ends among them."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


type Blackout = Weekday | Dates


@dataclass(frozen=True, slots=True)
class DrillRules:
    """
    The drill plan: what is to be proven, and how much of a night it may take.

    `begins` is in UTC. `takes` is how long one restore test is reckoned to take; `at_once` is how
    many run side by side in each subscription and region, where each needs a place of its own.
    """

    tiers: tuple[Tier, ...]
    begins: time
    lasts: timedelta
    takes: timedelta
    per_night: int
    at_once: int
    failed_again: timedelta
    blackout: tuple[Blackout, ...] = ()

    @property
    def per_place(self) -> int:
        """How many tests there may be in one night in one subscription and region."""
        return min(self.per_night, self.at_once * (self.lasts // self.takes))

    @property
    def weekdays(self) -> int:
        """How many nights of a week are not blacked out for good."""
        return len(Weekday) - len({one for one in self.blackout if isinstance(one, Weekday)})

    def tier_of(self, value: str | None, policy: str) -> Tier | None:
        """Return the first tier that matches, None where none does."""
        return next((tier for tier in self.tiers if tier.matches(value, policy)), None)

    def shut(self, night: date) -> str:
        """Return what blacks out `night`, "" where nothing does."""
        for one in self.blackout:
            match one:
                case Dates(first, last) if first <= night <= last:
                    return str(one)
                case Weekday() if list(Weekday)[night.weekday()] is one:
                    return str(one)
        return ""

    def start_of(self, night: date) -> datetime:
        return datetime.combine(night, self.begins, UTC)

    def night_of(self, moment: datetime) -> date:
        """Return the night that had begun last at `moment`."""
        today = moment.astimezone(UTC).date()
        return today if self.start_of(today) <= moment else today - DAY

    def next_night(self, now: datetime) -> date:
        """Return the first night that begins at or after `now`."""
        today = now.astimezone(UTC).date()
        return today if self.start_of(today) >= now else today + DAY


@dataclass(frozen=True, slots=True)
class Past:
    """
    What is known of one VM from the restores before; empty for one that was never tested.

    `machine` is the vmId that was tested. `proven` is when a test passed last and `proofs` how many
    have. `failures` counts those that failed in a row since, the last of them at `failed`. A test
    that could not run is neither. `restores` are the beginnings of all restores of the last day,
    other people's among them; `restoring` says that a person's restore of it runs now.
    """

    machine: str = ""
    proven: datetime | None = None
    proofs: int = 0
    failed: datetime | None = None
    failures: int = 0
    restores: tuple[datetime, ...] = ()
    restoring: bool = False

    def of_machine(self, machine: str) -> "Past":
        """Return what it says of `machine`: nothing was proven of another one of that name."""
        if self.machine == machine:
            return self
        return Past(machine, restores=self.restores, restoring=self.restoring)

    def passed(self, at: datetime) -> "Past":
        """Return the past after a test that passes at `at`."""
        return replace(self, proven=at, proofs=self.proofs + 1, failed=None, failures=0)


class Why(Enum):
    """Why a VM's turn is now; in the order in which a night is filled."""

    LAPSES = "its proof would lapse before it could be renewed"
    FAILED = "its last restore test failed"
    NEVER_TESTED = "it was never tested"
    OLDEST_PROOF = "its proof is among the oldest"


@dataclass(frozen=True, slots=True)
class Absence:
    text: str
    mend: str = ""


class NotPlanned(Enum):
    """Why a VM is in none of the nights that were asked for; codes never change their meaning."""

    OUT_OF_SCOPE = Absence("outside the configured scope")
    NOT_PROTECTED = Absence(
        "Azure does not back it up now, so there is nothing to prove",
        "see `vmbackup explain VM`",
    )
    NO_BACKUP_YET = Absence(
        "it is protected and no backup of it is known", "wait for the first backup"
    )
    NO_TIER = Absence(
        "no tier of the drill plan takes it", "add a tier to [drills], if it is to be tested"
    )
    RESTORING = Absence("a person's restore of it is running")
    RESTORE_LIMIT = Absence("it was restored 10 times in 24 hours, which is Azure's limit")
    BLACKOUT = Absence("every night that was asked for is blacked out")
    NOT_DUE = Absence("its proof is still good, or its test failed so lately that it waits")
    NO_ROOM = Absence(
        "its turn comes later: the nights that were asked for are full",
        "ask for more nights, or raise per_night, at_once or lasts",
    )

    @property
    def text(self) -> str:
        return self.value.text

    @property
    def mend(self) -> str:
        return self.value.mend


@dataclass(frozen=True, slots=True)
class Drill:
    """
    One planned restore test.

    `starts` is when the tests before it are reckoned to have ended; `lane` counts from 1 what runs
    side by side in one subscription and region. `proven` is when its backup was proven last, or
    will be by an earlier night of the same plan.
    """

    vm: VmFacts
    vault: VaultId
    tier: Tier
    strategy: Strategy
    why: Why
    starts: datetime
    lane: int
    proven: datetime | None


@dataclass(frozen=True, slots=True)
class Night:
    """One night with its tests in their order; `blackout` says what shuts it, "" where nothing."""

    date: date
    drills: tuple[Drill, ...] = ()
    blackout: str = ""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A VM that is in none of the nights, with the code that says why."""

    vm: VmFacts
    code: NotPlanned
    because: str = ""


def _lowered(globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(glob.lower() for glob in globs)
