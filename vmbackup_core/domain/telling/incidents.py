"""
Incidents: one trouble from when it begins until it ends, whatever number of sightings it had.

Known by subject and root cause; a trouble that comes back after it was over is another incident.
Sightings are taken in as sets, so their order and repetition do not matter; nothing is forgotten
but what is older than the last MOST attempts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.tellings import (
    Rhythm,
    State,
    Told,
    keep_told,
    next_telling,
    state_of,
)
from vmbackup_core.domain.telling.troubles import (
    NO_WORDS,
    Ending,
    Sighting,
    Subject,
    Wellness,
    Words,
)

MOST = 100  # Attempts that are kept of one incident: a month of hourly failures, in one row.


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One backup that went wrong, or the state that holds; when, and until when it is quiet."""

    at: datetime
    id: str
    quiet_until: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """
    One trouble.

    `id` never changes, even where a vague cause gives way to a telling one. `first` is when it
    began, `seen` when it was last seen to be so and `well` when the subject was last well. `words`
    are Azure's of the failure at `said`. `ready` is since when it is worth a mail. `group` is the
    id of the group that tells of it, "" where it is told alone.
    """

    id: str
    subject: Subject
    cause: RootCause
    first: datetime
    seen: datetime
    attempts: tuple[Attempt, ...]
    vault: str = ""
    location: str = ""
    words: Words = NO_WORDS
    said: datetime | None = None
    well: datetime | None = None
    ending: Ending | None = None
    ready: datetime | None = None
    told: tuple[Told, ...] = ()
    group: str = ""

    @property
    def over(self) -> bool:
        """Whether the subject was well after it was last seen to be unwell."""
        return self.well is not None and self.well > self.seen

    @property
    def state(self) -> State:
        return state_of(self.told, over=self.over)

    @property
    def current(self) -> tuple[Attempt, ...]:
        """The attempts since the subject was last well, oldest first."""
        well = self.well
        return tuple(one for one in self.attempts if well is None or one.at > well)

    @property
    def since(self) -> datetime:
        """Since when it goes wrong without a good backup in between."""
        if self.over or self.well is None or self.well < self.first:
            return self.first
        return min((one.at for one in self.current), default=self.seen)

    def worth_telling(self, now: datetime) -> bool:
        """
        Whether it is worth a mail: twice in a row, or it cannot heal itself in time.

        A failure that the next backup may still make up for before the RPO is at risk is not.
        """
        if self.over:
            return False
        current = self.current
        quiet = len(current) == 1 and now < current[0].quiet_until
        return not quiet


@dataclass(frozen=True, slots=True)
class Notice:
    """
    Something to tell of one incident or group; `key` is derived, so that telling twice shows.

    `members` are the incidents that it is about.
    """

    key: str
    about: str
    told: Told
    members: tuple[str, ...]


def notice_of(about: str, told: Told, members: Iterable[str]) -> Notice:
    """Return the notice of one telling; its key says which incident, what and the how-manieth."""
    key = derive_key("mail", about, told.telling, str(told.number))
    return Notice(key, about, told, tuple(sorted(members)))


def open_incident(sighting: Sighting) -> Incident:
    """Return the incident that `sighting` begins."""
    subject = sighting.subject
    key = derive_key(
        "incident", subject.kind, subject.id, sighting.cause.name, sighting.at.isoformat()
    )
    return Incident(
        key,
        subject,
        sighting.cause,
        sighting.at,
        sighting.at,
        (Attempt(sighting.at, sighting.attempt, sighting.quiet_until),),
        sighting.vault,
        sighting.location,
        sighting.words,
        sighting.at,
    )


def absorb(incident: Incident, seen: Sighting | Wellness) -> Incident:
    """Return the incident with one more sighting of its subject; taking one in twice is nothing."""
    if isinstance(seen, Wellness):
        return _heal(incident, seen)
    says, said = seen.cause.says, incident.cause.says
    newer = (seen.at, seen.words) > (incident.said or incident.first, incident.words)
    told = says > said or (says == said and newer)  # The words are of the cause that is told.
    return replace(
        incident,
        cause=seen.cause if says > said else incident.cause,
        first=min(incident.first, seen.at),
        seen=max(incident.seen, seen.at),
        attempts=_with_attempt(incident.attempts, seen),
        vault=incident.vault or seen.vault,
        location=incident.location or seen.location,
        words=seen.words if told else incident.words,
        said=seen.at if told else incident.said,
    )


def _heal(incident: Incident, seen: Wellness) -> Incident:
    newer = incident.well is None or seen.at > incident.well
    if incident.cause not in seen.causes or not newer:
        return incident
    return replace(incident, well=seen.at, ending=seen.ending)


def _with_attempt(attempts: tuple[Attempt, ...], seen: Sighting) -> tuple[Attempt, ...]:
    by_id = {one.id: one for one in attempts}
    known = by_id.get(seen.attempt, Attempt(seen.at, seen.attempt, seen.quiet_until))
    by_id[seen.attempt] = replace(
        known, at=min(known.at, seen.at), quiet_until=min(known.quiet_until, seen.quiet_until)
    )
    return tuple(sorted(by_id.values())[-MOST:])


def take_in(
    incidents: Iterable[Incident], sightings: Iterable[Sighting | Wellness]
) -> tuple[Incident, ...]:
    """
    Return all incidents after one look, oldest first.

    A sighting goes to the incident that knows its attempt, else to the one of its subject and cause
    that lasts; where that is over, a later sighting begins another one. A subject that is well
    ends all its lasting incidents of these causes. The order within a look does not matter, and
    what comes again in a later one changes nothing.
    """
    by_subject: dict[Subject, list[Incident]] = {}
    for incident in incidents:
        by_subject.setdefault(incident.subject, []).append(incident)
    for seen in sorted(sightings, key=_in_order):
        own = by_subject.setdefault(seen.subject, [])
        if isinstance(seen, Wellness):
            own[:] = [_heal(one, seen) if not one.over else one for one in own]
        else:
            _place(own, seen)
    return tuple(
        sorted(
            (one for own in by_subject.values() for one in own), key=lambda one: (one.first, one.id)
        )
    )


def _in_order(seen: Sighting | Wellness) -> tuple[datetime, bool, str, str]:
    """Order by time; of one moment the trouble counts first, and then the good news."""
    if isinstance(seen, Wellness):
        return (seen.at, True, seen.ending.name, "")
    return (seen.at, False, seen.cause.name, seen.attempt)


def _place(own: list[Incident], seen: Sighting) -> None:
    """Put a sighting where it belongs among its subject's incidents."""
    for place, incident in enumerate(own):
        if _knows(incident, seen):
            own[place] = absorb(incident, seen)
            return
    lasting = _lasting_place(own, seen.cause)
    if lasting is not None:
        own[lasting] = absorb(own[lasting], seen)
        return
    ended = [place for place, one in enumerate(own) if one.cause is seen.cause]
    last = max(ended, key=lambda place: own[place].first, default=None)
    if last is None or seen.at > (own[last].well or own[last].seen):
        own.append(open_incident(seen))
    else:
        own[last] = absorb(own[last], seen)


def _lasting_place(own: list[Incident], cause: RootCause) -> int | None:
    """
    Return the place of the lasting incident that a sighting of `cause` belongs to.

    While no backup goes through, a vague failure says no more than another one beside it, so both
    are one incident.
    """
    lasting = [place for place, one in enumerate(own) if not one.over]
    alike = [place for place in lasting if own[place].cause is cause]
    if not alike and cause.by_run:
        alike = [
            place
            for place in lasting
            if own[place].cause.by_run and (own[place].cause.vague or cause.vague)
        ]
    return max(alike, key=lambda place: (own[place].seen, own[place].id), default=None)


def _knows(incident: Incident, seen: Sighting) -> bool:
    """Tell whether this very backup is among the incident's, under whatever cause."""
    return seen.cause.by_run and any(one.id == seen.attempt for one in incident.attempts)


def due_telling(
    incident: Incident, now: datetime, rhythm: Rhythm, *, muted: bool = False
) -> Told | None:
    """Return what is to be told of an incident now, None where nothing is."""
    if muted:
        return None
    return next_telling(
        incident.told,
        tellable=incident.worth_telling(now),
        over=incident.over,
        now=now,
        rhythm=rhythm,
    )


def tell(incident: Incident, told: Told) -> Incident:
    return replace(incident, told=keep_told(incident.told, told))
