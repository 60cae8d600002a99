"""Incidents and groups as `vmbackup alerts` finds and shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.table import Table
from rich.text import Text

from vmbackup_cli.desk import Desk, Misused
from vmbackup_cli.words import at, number
from vmbackup_core.app.telling.paying import Teller
from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.letters import Letter
from vmbackup_core.domain.telling.mail_lines import Line, line_of
from vmbackup_core.domain.telling.mail_words import one_line, spell_span
from vmbackup_core.domain.telling.tellings import State, Told
from vmbackup_core.domain.telling.watching import Watched

_STYLES = {
    State.QUIET: "dim",
    State.OPEN: "red",
    State.REMINDED: "red",
    State.ESCALATED: "bold red",
    State.RECOVERED: "green",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be shown or muted: an incident that is told alone, or a group of them."""

    id: str
    name: str
    cause: str
    state: State
    told: tuple[Told, ...]
    incidents: tuple[Incident, ...]
    lines: tuple[Line, ...]

    @property
    def over(self) -> bool:
        return self.state is State.RECOVERED

    @property
    def since(self) -> datetime:
        lasting = [one for one in self.lines if one.state is not State.RECOVERED]
        return min(one.since for one in lasting or self.lines)

    @property
    def left(self) -> timedelta | None:
        """The least headroom of any of its VMs, None where none is known."""
        known = [one.left for one in self.lines if one.backups and one.left is not None]
        return min(known, default=None)

    @property
    def muted_until(self) -> datetime | None:
        """Until when all of it is muted, None where somebody is told of some."""
        ends = [one.muted_until for one in self.lines]
        return max(end for end in ends if end) if all(ends) else None


@dataclass(frozen=True, slots=True)
class Known:
    """The book at one moment."""

    watched: Watched
    teller: Teller
    now: datetime

    def things(self) -> tuple[Thing, ...]:
        """Return what lasts and what is over, the most urgent first."""
        return tuple(sorted(self._things(), key=_urgency))

    def _things(self) -> Iterator[Thing]:
        book = self.watched.book
        for group in book.groups:
            members = book.members(group)
            name = f"{number(len(members), 'VM')} in {group.key.location}"
            yield self._thing(group.id, name, book.state(group), group.told, members)
        for one in book.incidents:
            if not one.group:
                yield self._thing(one.id, one.subject.name, one.state, one.told, (one,))

    def _thing(
        self,
        id: str,
        name: str,
        state: State,
        told: tuple[Told, ...],
        members: Sequence[Incident],
    ) -> Thing:
        known = (self.teller.background(self.watched, one, None) for one in members)
        lines = tuple(line_of(one, self.now) for one in known)
        cause = members[0].cause.text
        return Thing(id, one_line(name), cause, state, told, tuple(members), lines)


def _urgency(thing: Thing) -> tuple[bool, bool, timedelta, datetime]:
    left = timedelta.max if thing.left is None else thing.left
    return (thing.over, thing.muted_until is not None, left, thing.since)


def find_thing(known: Known, wanted: str) -> Thing:
    """
    Return the incident or group that `wanted` names: by id, its beginning, or a VM's name or id.

    Raises Misused where none or several fit. A member of a group is shown with its group.
    """
    things = known.things()
    text = wanted.strip().lower()
    found = [one for one in things if _has_id(one, text)]
    if not found:
        named = [one for one in things if _is_about(one, text)]
        found = [one for one in named if not one.over] or named
    if not found:
        raise Misused(f'no incident is called "{wanted}"; see `vmbackup alerts list --all`')
    if len(found) > 1:
        ids = ", ".join(one.id for one in found[:5])
        raise Misused(f'"{wanted}" fits {number(len(found), "incident")}: {ids}')
    return found[0]


def _has_id(thing: Thing, text: str) -> bool:
    ids = (thing.id, *(one.id for one in thing.incidents))
    return len(text) >= 4 and any(
        id.startswith(text) or id.rpartition("-")[2].startswith(text) for id in ids
    )


def _is_about(thing: Thing, text: str) -> bool:
    subjects = (one.subject for one in thing.incidents)
    return any(text in (one.id.lower(), one.name.lower()) for one in subjects)


def incidents_table(desk: Desk, things: Sequence[Thing]) -> Table:
    table = desk.table("State", "What", "Why", "Since (UTC)", "RPO", "Id")
    for one in things:
        state = Text(str(one.state), style=_STYLES[one.state])
        if (muted := one.muted_until) is not None and not one.over:
            state = Text(f"muted until\n{muted:%Y-%m-%d %H:%M}", style="yellow")
        id = one.id if desk.wide else one.id[: one.id.index("-") + 9]
        since = f"{one.since:%Y-%m-%d %H:%M}"
        table.add_row(state, Text(one.name), Text(one.cause), since, _left(one), Text(id))
    return table


def _left(thing: Thing) -> Text:
    if thing.left is None or thing.over:
        return Text("")
    if thing.left <= timedelta(0):
        return Text(f"missed by {spell_span(thing.left)}", style="red")
    return Text(f"{spell_span(thing.left)} left")


def show_thing(desk: Desk, thing: Thing, letters: Sequence[Letter]) -> None:
    """Show the mail as it would be now, and what was told before."""
    desk.say(*letters[0].plain.partition("\n-- \n")[0].rstrip().splitlines(), "")
    desk.say(f"ID\n  {thing.id} ({thing.state})", "")
    if thing.muted_until is not None:
        desk.say(f"MUTED\n  until {at(thing.muted_until)}", "")
    desk.say("TOLD")
    for one in thing.told:
        which = f" {one.number}" if one.number > 1 else ""
        desk.say(f"  {at(one.at)}: {one.telling}{which}")
    if not thing.told:
        desk.say("  nobody yet")
    attempts = [(one.at, one.id) for incident in thing.incidents for one in incident.attempts]
    desk.say("", "SEEN")
    for moment, attempt in sorted(attempts)[-20:]:
        desk.say(f"  {at(moment)}: {one_line(attempt)}")


def thing_json(thing: Thing, *, full: bool = False) -> dict[str, Any]:
    """Return an incident or group as JSON; `full` adds each of its VMs and what was told."""
    short = {
        "id": thing.id,
        "name": thing.name,
        "cause": thing.incidents[0].cause.name,
        "state": str(thing.state),
        "since": thing.since.isoformat(),
        "vms": len(thing.incidents),
        "rpo_left_seconds": None if thing.left is None else round(thing.left.total_seconds()),
        "muted_until": _iso(thing.muted_until),
    }
    if not full:
        return short
    told = [
        {"telling": str(one.telling), "number": one.number, "at": one.at.isoformat()}
        for one in thing.told
    ]
    return short | {"told": told, "members": [_line_json(line) for line in thing.lines]}


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "id": line.id,
        "state": str(line.state),
        "since": line.since.isoformat(),
        "failures": line.failures,
        "policy": line.policy,
        "last_good": _iso(line.last_good),
        "code": line.code,
        "job": line.job,
        "muted_until": _iso(line.muted_until),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
