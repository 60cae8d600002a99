"""
Which workflows should have ended, or gone on, and have not.

A workflow ends by itself. One that does not was lost by the engine, or stopped by somebody, and
nobody notices: no function fails. The bounds are those that the workflows keep themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmbackup_core.domain.enabling import MAX_AGE


class Family(StrEnum):
    """What a workflow is for."""

    PROTECT = "protect"
    DRILL = "drill"
    JANITOR = "janitor"
    NIGHT = "night"


# A restore test may wait for a slot, restore for a day, and clean up for another.
LONGEST_DRILL = timedelta(days=3)
BOUNDS = {
    Family.PROTECT: MAX_AGE,
    Family.DRILL: LONGEST_DRILL,
    Family.JANITOR: timedelta(hours=1),
    Family.NIGHT: LONGEST_DRILL + timedelta(hours=12),
}
GRACE = timedelta(hours=2)  # So much later than its bound, or than it was to go on, is no worry.
OLD = min(BOUNDS.values()) + GRACE  # None that is younger can be beyond its bound.


@dataclass(frozen=True, slots=True)
class Seen:
    """
    A workflow that has not ended, or has failed, as the engine lists it.

    `created` is when its present history began, `began` when it did, where it said so itself, and
    `due` when it was to go on. `halted` is set where somebody suspended it.
    """

    key: str
    family: Family
    created: datetime
    heard: datetime
    began: datetime | None = None
    due: datetime | None = None
    halted: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Standstill:
    """A workflow for a person: `why` in words, and `since` when."""

    key: str
    family: Family
    why: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.key} ({self.family}) {self.why} {self.since:%Y-%m-%d %H:%M} UTC"


def find_stuck(seen: Iterable[Seen], now: datetime) -> tuple[Standstill, ...]:
    """Return the workflows that have not ended and should have, the oldest first, each once."""
    found = {one.key: stuck for one in seen if (stuck := _stuck(one, now)) is not None}
    return tuple(sorted(found.values(), key=lambda one: (one.since, one.key)))


def _stuck(one: Seen, now: datetime) -> Standstill | None:
    began = min(one.created, one.began or one.created)
    if one.failed:
        return None
    if one.halted:
        return Standstill(one.key, one.family, "was suspended; last heard of", one.heard)
    if one.due is not None and now - one.due > GRACE:
        return Standstill(one.key, one.family, "was to go on at", one.due)
    if now - began > BOUNDS[one.family] + GRACE:
        return Standstill(one.key, one.family, "runs beyond its bound; it began", began)
    return None


def find_failed(seen: Iterable[Seen], since: datetime) -> tuple[Standstill, ...]:
    """Return the workflows that failed after `since`: what they left is taken up by others."""
    found = {one.key: one for one in seen if one.failed and one.heard > since}
    failed = [Standstill(one.key, one.family, "failed", one.heard) for one in found.values()]
    return tuple(sorted(failed, key=lambda one: (one.since, one.key)))
