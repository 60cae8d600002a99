"""
Which recovery point a restore test takes: by strategy, so that over time each kind is proven.

Azure itself reads a snapshot wherever a point has a valid one; so the copy in the vault is proven
only on a point whose snapshot is gone (AZURE: restore; a VM from restored disks).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import assert_never

from vmbackup_core.domain.ids import derive_number


class PointTier(StrEnum):
    """Where a point's copy lies, in the service's own words."""

    SNAPSHOT = "InstantRP"
    VAULT = "HardenedRP"
    ARCHIVE = "ArchivedRP"


class Consistency(StrEnum):
    """What a point promises about what was running, in the service's own words."""

    APPLICATION = "AppConsistent"
    FILE_SYSTEM = "FileSystemConsistent"
    CRASH = "CrashConsistent"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class PointFacts:
    """
    One recovery point; `valid` holds the tiers that a restore could be made from now.

    A tier that is listed as deleted, disabled or still being rehydrated is not among them.
    `expires` is None where the service does not say. `size`, `os_type` and `security` are those of
    the machine at that time, "" where the point does not tell.
    """

    id: str
    taken: datetime
    consistency: Consistency
    valid: frozenset[PointTier]
    expires: datetime | None = None
    soft_deleted: bool = False
    size: str = ""
    os_type: str = ""
    security: str = ""

    def offered(self, now: datetime) -> bool:
        """
        Whether a restore test may take it.

        One that lies in the archive alone would have to be rehydrated first, which costs and
        takes hours; a soft-deleted or expired one may be gone before the test begins.
        """
        gone = self.soft_deleted or (self.expires is not None and self.expires <= now)
        return not gone and not self.valid.isdisjoint({PointTier.SNAPSHOT, PointTier.VAULT})

    @property
    def proves_vault(self) -> bool:
        """Whether restoring it reads the vault: it is there, and no snapshot is."""
        return PointTier.VAULT in self.valid and PointTier.SNAPSHOT not in self.valid


class Strategy(StrEnum):
    """Which of a VM's recovery points a restore test takes."""

    LATEST = "latest"
    LATEST_WITHIN_RPO = "latest-within-rpo"
    OLDEST = "oldest"
    RANDOM = "random"
    VAULT = "vault"


class NoPointReason(Enum):
    """Why there is no point to restore, and what that means."""

    NO_POINT = "it has no recovery point that can be restored"
    TOO_OLD = "its latest recovery point is older than the tier's rpo"
    NOT_FROM_VAULT = "no recovery point of it would be read from the vault"
    UNKNOWN = "the recovery point that was named is not among those that can be restored"


@dataclass(frozen=True, slots=True)
class Chosen:
    """This point, by this strategy."""

    point: PointFacts
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class NoPoint:
    """None; a restore test that cannot start proves nothing."""

    reason: NoPointReason
    because: str


type PointChoice = Chosen | NoPoint


def choose_point(
    points: Iterable[PointFacts],
    strategy: Strategy,
    *,
    key: str,
    now: datetime,
    rpo: timedelta | None = None,
) -> PointChoice:
    """
    Return the point that `strategy` takes at `now`, whatever order `points` come in.

    `key` names the VM: with the date it decides what RANDOM takes, so that asking twice on one day
    gives one answer. `rpo` is how old the latest point may be for LATEST_WITHIN_RPO.
    """
    offered = sorted((p for p in points if p.offered(now)), key=lambda p: (p.taken, p.id))
    if not offered:
        return NoPoint(NoPointReason.NO_POINT, "")
    oldest, latest = offered[0], offered[-1]
    match strategy:
        case Strategy.LATEST:
            return Chosen(latest, strategy)
        case Strategy.LATEST_WITHIN_RPO:
            if rpo is not None and now - latest.taken > rpo:
                return NoPoint(NoPointReason.TOO_OLD, f"taken {latest.taken:%Y-%m-%d %H:%M} UTC")
            return Chosen(latest, strategy)
        case Strategy.OLDEST:
            return Chosen(oldest, strategy)
        case Strategy.RANDOM:
            drawn = derive_number(f"{now:%Y-%m-%d}", key) % len(offered)
            return Chosen(offered[drawn], strategy)
        case Strategy.VAULT:
            fit = [point for point in offered if point.proves_vault]
            if not fit:
                words = f"{len(offered)} can be restored; Azure takes a snapshot where there is one"
                return NoPoint(NoPointReason.NOT_FROM_VAULT, words)
            return Chosen(fit[-1], strategy)
        case _:
            assert_never(strategy)


def strategy_of_turn(strategies: tuple[Strategy, ...], key: str, turn: int) -> Strategy:
    """
    Return the strategy that is a VM's next one, where `turn` counts what was proven before.

    Every strategy gets its turn; VMs begin at different ones, derived from `key`.
    """
    return strategies[(derive_number(key) + turn) % len(strategies)]
