"""
What the plan of restore tests says of each VM: its turn and why it is now, or why it has none.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum

from vmbackup_core.domain.drill.caps import NO_CAP, Cap
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import Tier
from vmbackup_core.domain.facts import DiskExclusion, VmFacts
from vmbackup_core.domain.ids import VaultId


class Why(Enum):
    """Why a VM's turn is now; in the order in which a night is filled."""

    LAPSES = "its proof would lapse before it could be renewed"
    FAILED = "its last restore test failed"
    NEVER_TESTED = "it was never tested"
    UNTOLD = "its last restore test ended without telling whether the backup restores"
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
    OBSERVING = Absence(
        "its subscription is in observe mode: nothing is restored there",
        'set mode = "protect" in [scope], or for this subscription',
    )
    TAGGED_NEVER = Absence("its tag says that it is never to be tested")
    RESTORING = Absence("a person's restore of it is running")
    RESTORE_LIMIT = Absence("it was restored 10 times in 24 hours, which is Azure's limit")
    BLACKOUT = Absence("every night that was asked for is blacked out")
    NOT_DUE = Absence("its proof is still good, or its last test was so lately that it waits")
    NO_ROOM = Absence(
        "its turn comes later: the nights that were asked for are full",
        "ask for more nights, or raise per_night, at_once or lasts",
    )
    NO_BUDGET = Absence(
        "its turn comes later: what the nights that were asked for may cost is spent",
        "ask for more nights, or raise cost_per_night",
    )
    NO_QUOTA = Absence(
        "its size alone would not leave the share of the vCPU quota that is to stay free",
        "raise the quota, or lower free_quota",
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
    will be by an earlier night of the same plan. `takes` is how long it is reckoned to take, as
    `measured` in the tests before it or as configured. `cost` is estimated in the configured
    currency, None where prices or the VM's size are not known. `exclusion` says which disks the
    backup leaves out.
    """

    vm: VmFacts
    vault: VaultId
    tier: Tier
    strategy: Strategy
    why: Why
    starts: datetime
    lane: int
    proven: datetime | None
    takes: timedelta
    measured: bool = False
    cap: Cap = NO_CAP
    cost: Decimal | None = None
    exclusion: DiskExclusion | None = None

    @property
    def capped(self) -> bool:
        """Whether a tag keeps it from going as far as its tier asks for."""
        return self.cap.rung is not None and self.cap.rung < self.tier.rung


@dataclass(frozen=True, slots=True)
class Night:
    """One night with its tests in their order; `blackout` says what shuts it, "" where nothing."""

    date: date
    drills: tuple[Drill, ...] = ()
    blackout: str = ""

    @property
    def cost(self) -> Decimal | None:
        """What its tests are estimated to cost; None where that is not known of one of them."""
        costs = [drill.cost for drill in self.drills]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A VM that is in none of the nights, with the code that says why."""

    vm: VmFacts
    code: NotPlanned
    because: str = ""
