"""
Many incidents of one cause in one region, told as one: who joins, and what is to be told now.

One mail as a group begins, reminders that list who remains, and one when all are well. Incidents
that join are told by their group from then on, so none is told twice and none is forgotten.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.telling.incidents import (
    Incident,
    Notice,
    due_telling,
    notice_of,
    take_in,
    tell,
)
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.tellings import (
    Folding,
    Rhythm,
    State,
    Telling,
    Told,
    next_telling,
    state_of,
)
from vmbackup_core.domain.telling.troubles import Sighting, SubjectKind, Wellness


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What incidents of one group share; `code` tells apart what one cause does not."""

    cause: RootCause
    location: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Incidents that are told together; `members` are their ids, sorted, and only ever grow."""

    id: str
    key: GroupKey
    opened: datetime
    members: tuple[str, ...]
    told: tuple[Told, ...] = ()

    @property
    def done(self) -> bool:
        """Whether its end was told."""
        return any(one.telling is Telling.RECOVERED for one in self.told)


@dataclass(frozen=True, slots=True)
class Book:
    """All incidents and groups that are remembered; a group's members are among the incidents."""

    incidents: tuple[Incident, ...] = ()
    groups: tuple[Group, ...] = ()

    def incident(self, id: str) -> Incident:
        return next(one for one in self.incidents if one.id == id)

    def members(self, group: Group) -> tuple[Incident, ...]:
        return tuple(one for one in self.incidents if one.id in group.members)

    def state(self, group: Group) -> State:
        return state_of(group.told, over=all(one.over for one in self.members(group)))


def group_key(incident: Incident) -> GroupKey:
    code = ""
    if incident.cause in (RootCause.UNKNOWN, RootCause.RESTORE_FAILED):
        code = incident.words.code or str(incident.words.number)
    return GroupKey(incident.cause, incident.location, code)


def advance(
    book: Book,
    sightings: Iterable[Sighting | Wellness],
    now: datetime,
    *,
    rhythm: Rhythm,
    folding: Folding,
    muted: Callable[[Incident], bool] = lambda incident: False,
) -> tuple[Book, tuple[Notice, ...]]:
    """
    Take in one look, and return the book after it with what is to be told now.

    Each incident is told at most once as opened, escalated and recovered, alone or by its group. A
    muted one is told nothing; if it lasts, or its beginning was told, that comes when the mute
    ends. The notices are in the book already: whoever keeps the book must not lose them.
    """
    incidents = {one.id: one for one in take_in(book.incidents, sightings)}
    groups = {one.id: one for one in book.groups}
    hushed = {id for id, one in incidents.items() if muted(one)}
    _note_ready(incidents, now, hushed)
    notices = _gather(incidents, groups, now, folding, hushed)
    notices += _tell_alone(incidents, now, rhythm, folding, hushed)
    notices += _tell_groups(incidents, groups, now, rhythm, hushed)
    after = Book(tuple(incidents.values()), tuple(groups.values()))
    return after, tuple(sorted(notices, key=lambda notice: notice.key))


def _note_ready(incidents: dict[str, Incident], now: datetime, hushed: set[str]) -> None:
    """Note which incidents are worth a mail from now on."""
    for id, one in incidents.items():
        ready = id not in hushed and not one.told and one.worth_telling(now)
        if ready and one.ready is None:
            incidents[id] = replace(one, ready=now)
        elif not ready and one.ready is not None and not one.told:
            incidents[id] = replace(one, ready=None)


def _waiting(one: Incident) -> bool:
    return one.ready is not None and not one.told and not one.group


def _gather(
    incidents: dict[str, Incident],
    groups: dict[str, Group],
    now: datetime,
    folding: Folding,
    hushed: set[str],
) -> list[Notice]:
    """Let incidents join a young group of their kind, or begin one where they are enough."""
    kinds: dict[GroupKey, list[Incident]] = {}
    for one in incidents.values():
        if one.subject.kind is SubjectKind.VM and _may_fold(one, now, folding, hushed):
            kinds.setdefault(group_key(one), []).append(one)
    notices = []
    for key, kind in kinds.items():
        waiting = [one for one in kind if _waiting(one)]
        young = next(
            (
                group
                for group in groups.values()
                if group.key == key and not group.done and now - group.opened <= folding.window
            ),
            None,
        )
        if waiting and young is not None:
            _join(incidents, groups, young, waiting, now)
        elif waiting and len(kind) >= folding.at_least:
            opened = Told(Telling.OPENED, 1, now)
            ids = sorted(one.id for one in kind)
            group = Group(derive_key("group", *ids), key, now, (), (opened,))
            _join(incidents, groups, group, kind, now)
            notices.append(notice_of(group.id, opened, ids))
    return notices


def _may_fold(one: Incident, now: datetime, folding: Folding, hushed: set[str]) -> bool:
    """Tell whether an incident waits to be told, or was told alone a short while ago."""
    if one.over or one.group or one.id in hushed:
        return False
    return _waiting(one) or (bool(one.told) and now - one.told[0].at <= folding.window)


def _join(
    incidents: dict[str, Incident],
    groups: dict[str, Group],
    group: Group,
    joining: Iterable[Incident],
    now: datetime,
) -> None:
    for one in joining:
        joined = replace(one, group=group.id)
        incidents[one.id] = joined if one.told else tell(joined, Told(Telling.OPENED, 1, now))
        group = replace(group, members=tuple(sorted({*group.members, one.id})))
    groups[group.id] = group


def _tell_alone(
    incidents: dict[str, Incident],
    now: datetime,
    rhythm: Rhythm,
    folding: Folding,
    hushed: set[str],
) -> list[Notice]:
    notices = []
    for id, one in incidents.items():
        vm = one.subject.kind is SubjectKind.VM
        if vm and _waiting(one) and one.ready and now - one.ready < folding.gather:
            continue
        told = None if one.group else due_telling(one, now, rhythm, muted=id in hushed)
        if told is not None:
            incidents[id] = tell(one, told)
            notices.append(notice_of(id, told, (id,)))
    return notices


def _tell_groups(
    incidents: Mapping[str, Incident],
    groups: dict[str, Group],
    now: datetime,
    rhythm: Rhythm,
    hushed: set[str],
) -> list[Notice]:
    """Tell of groups; one says nothing while all that it would tell of are muted."""
    notices = []
    for id, group in groups.items():
        members = [incidents[member] for member in group.members]
        lasting = {one.id for one in members if not one.over}
        if (lasting or set(group.members)) <= hushed:
            continue
        told = next_telling(group.told, tellable=True, over=not lasting, now=now, rhythm=rhythm)
        if told is not None:
            groups[id] = replace(group, told=(*group.told, told))
            notices.append(notice_of(id, told, group.members))
    return notices
