"""
When somebody is told of an incident: once as it opens, on a rhythm while it lasts, once as it ends.

Looks only at what was told and at the clock, so that whoever asks again after a crash gets the same
answer, under the same number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_REMINDERS = 30  # That are remembered of one incident.


class Telling(StrEnum):
    """What a mail about an incident says."""

    OPENED = "opened"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    RECOVERED = "recovered"


class State(StrEnum):
    """How far an incident has come; QUIET ones were told to nobody."""

    QUIET = "quiet"
    OPEN = "open"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Told:
    """One telling; reminders are numbered from 1, of the others there is one of each."""

    telling: Telling
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a lasting incident is told again, and after how long to more people; None never."""

    remind_every: timedelta | None = timedelta(days=1)
    escalate_after: timedelta | None = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Folding:
    """
    When incidents become one mail: `at_least` of them that are told within `window`.

    A new one waits `gather` for others of its kind before it is told alone.
    """

    at_least: int = 5
    window: timedelta = timedelta(hours=12)
    gather: timedelta = timedelta(minutes=30)


def next_telling(
    told: Sequence[Told], *, tellable: bool, over: bool, now: datetime, rhythm: Rhythm
) -> Told | None:
    """
    Return what is to be told now, None where nothing is.

    `tellable` is whether an incident that nobody knows of is worth a mail. One that ends before it
    was told is never told. After a time when nothing could be told, there is one mail and not all
    that were left out.
    """
    kinds = {one.telling for one in told}
    if Telling.RECOVERED in kinds:
        return None
    if not told:
        return Told(Telling.OPENED, 1, now) if tellable and not over else None
    if over:
        return Told(Telling.RECOVERED, 1, now)
    late = rhythm.escalate_after is not None and now >= told[0].at + rhythm.escalate_after
    if late and Telling.ESCALATED not in kinds:
        return Told(Telling.ESCALATED, 1, now)
    if rhythm.remind_every is not None and now >= told[-1].at + rhythm.remind_every:
        reminders = (one.number for one in told if one.telling is Telling.REMINDER)
        return Told(Telling.REMINDER, max(reminders, default=0) + 1, now)
    return None


def keep_told(told: Sequence[Told], more: Told) -> tuple[Told, ...]:
    """Return what is remembered of tellings with one more: all, but of reminders the last ones."""
    reminders = [one for one in (*told, more) if one.telling is Telling.REMINDER]
    forgotten = set(reminders[:-MOST_REMINDERS])
    return tuple(one for one in (*told, more) if one not in forgotten)


def state_of(told: Sequence[Told], *, over: bool) -> State:
    """Return how far an incident has come."""
    kinds = {one.telling for one in told}
    if over:
        return State.RECOVERED
    if Telling.ESCALATED in kinds:
        return State.ESCALATED
    if Telling.REMINDER in kinds:
        return State.REMINDED
    return State.OPEN if kinds else State.QUIET
