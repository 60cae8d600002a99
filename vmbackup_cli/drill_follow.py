"""
Follow a restore test that runs: a line for each rung on a terminal, else one for each change.

Where it runs, in the deployed app or here, is not seen from here: somebody looks, and says when to
look again.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from rich.console import Group
from rich.live import Live
from rich.text import Text

from vmbackup_cli.desk import Desk
from vmbackup_cli.words import span
from vmbackup_core.domain.drill.machine import Phase
from vmbackup_core.domain.drill.rungs import Mark, Rung
from vmbackup_core.ports import Clock

TICK = timedelta(seconds=1)  # The longest wait between two signs of life.
MARKS = {Mark.PASS: "green", Mark.FAIL: "bold red", Mark.NOT_RUN: "yellow"}

Json = dict[str, Any]
# How a restore test stands, None where nothing of it is known yet, and when to look again.
type Look = Callable[[], tuple[Json | None, datetime]]

_TOLD = re.compile(rf"({'|'.join(r.name.lower() for r in Rung)}): ({'|'.join(Mark)}) \((\w+)\)")
_AT = {  # Which rung is tried in which phase.
    Phase.QUEUED: Rung.POINT,
    Phase.GETTING_READY: Rung.POINT,
    Phase.RESTORING: Rung.DISKS,
    Phase.BOOTING: Rung.BOOT,
    Phase.CHECKING: Rung.CANARY,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look has shown; `told` is what became of the rungs so far, with the code."""

    phase: Phase | None
    told: Mapping[Rung, tuple[Mark, str]] = field(default_factory=dict)
    waits: tuple[str, ...] = ()

    @property
    def at(self) -> str:
        return str(self.phase) if self.phase else "ends"


class Board(Protocol):
    """Where the progress is shown."""

    def shows(self, seen: Seen) -> None:
        """Show what a look has found."""

    def waiting(self, left: timedelta) -> None:
        """Show that nobody looks for `left`; called at every TICK."""


def follow(look: Look, board: Board, clock: Clock) -> Json:
    """Look again and again until the restore test has its record; return the record's body."""
    while True:
        status, again = look()
        if status is not None and status.get("record"):
            return dict(status["record"])
        board.shows(see(status))
        while (left := again - clock.now()) > timedelta():
            board.waiting(left)
            clock.pause(min(left, TICK))


def see(status: Json | None) -> Seen:
    """Read a status, as the deployed app and app/drill/restore_tests.py tell it."""
    if status is None:
        return Seen(Phase.QUEUED)
    now = status.get("now")
    if not now:
        return Seen(_phase_by_ledger(status))
    told, waits = dict[Rung, tuple[Mark, str]](), []
    for words in now["because"]:
        if found := _TOLD.fullmatch(words):
            told[Rung[found[1].upper()]] = (Mark(found[2]), found[3])
        else:
            waits.append(words)
    return Seen(Phase.__members__.get(now["reason"]), told, tuple(waits))


def _phase_by_ledger(status: Json) -> Phase:
    """Return how far it is by what it has asked of Azure, where no engine tells more."""
    if status["state"] == "ended":
        return Phase.CLEANING
    if status.get("copy_asked"):
        return Phase.BOOTING
    if status.get("restores_asked"):
        return Phase.RESTORING
    return Phase.GETTING_READY if status.get("slot") else Phase.QUEUED


@contextmanager
def board(desk: Desk, name: str, clock: Clock) -> Iterator[Board]:
    """Yield the board that fits this desk, for the restore test of the VM `name`."""
    if not desk.err.is_terminal:
        yield Lines(desk, name, clock)
        return
    with Live(console=desk.err, auto_refresh=False) as live:
        yield Ladder(desk, live, name, clock)


class Lines:
    """One line for each change; waiting says nothing."""

    def __init__(self, desk: Desk, name: str, clock: Clock) -> None:
        self._desk, self._name, self._clock = desk, name, clock
        self._said: set[str] = set()

    def shows(self, seen: Seen) -> None:
        for rung, (mark, reason) in seen.told.items():
            self._say(f"{rung.name.lower()}: {mark} ({reason})")
        self._say(seen.at, "; ".join(seen.waits))

    def waiting(self, left: timedelta) -> None:
        """Nothing: a log with a line each second helps nobody."""

    def _say(self, words: str, because: str = "") -> None:
        if words not in self._said:
            self._said.add(words)
            more = f" ({because})" if because else ""
            self._desk.tell(f"{self._clock.now():%H:%M:%S} {self._name}: {words}{more}")


class Ladder:
    """A line for each rung, and below them what is being done."""

    def __init__(self, desk: Desk, live: Live, name: str, clock: Clock) -> None:
        self._desk, self._live, self._name, self._clock = desk, live, name, clock
        self._began = clock.now()
        self._seen = Seen(Phase.QUEUED)

    def shows(self, seen: Seen) -> None:
        self._seen = seen
        self._draw("")

    def waiting(self, left: timedelta) -> None:
        self._draw(f", next look in {span(left)}")

    def _draw(self, more: str) -> None:
        seen = self._seen
        table = self._desk.table("", "", "")
        table.show_header = False
        tried = None if seen.phase is None else _AT.get(seen.phase)
        for rung in Rung:
            mark, reason = seen.told.get(rung, (None, ""))
            if mark is not None:
                says = Text(mark, style=MARKS[mark])
            else:
                says = Text("…" if tried is not None and rung <= tried else "", style="cyan")
            table.add_row(f"{int(rung)} {rung.name.lower()}", says, Text(reason, style="dim"))
        lasts = span(self._clock.now() - self._began)
        now = Text(f"{self._name}: {seen.at}, for {lasts}{more}")
        waits = Text("; ".join(seen.waits), style="dim")
        self._live.update(Group(table, now, waits), refresh=True)
