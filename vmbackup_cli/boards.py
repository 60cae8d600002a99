"""What `vmbackup protect` shows while it works: bars on a terminal, lines where there is none."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from vmbackup_cli.desk import Desk
from vmbackup_cli.driving import Board
from vmbackup_cli.verdict_view import STYLES
from vmbackup_cli.words import at, number, span
from vmbackup_core.domain.enabling import Done, Enabling, Wait
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.verdicts import Verdict

MOST_BARS = 15  # More than fit a screen would scroll it away: finished ones then leave.


@contextmanager
def board(desk: Desk, verdicts: Iterable[Verdict]) -> Iterator[Board]:
    """Yield the board that fits this desk, for the work on these verdicts."""
    if not desk.err.is_terminal:
        yield Lines(desk)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[doing]}", markup=False),
    )
    with Progress(*columns, console=desk.err) as progress:
        yield Bars(progress, list(verdicts))


class Bars:
    """One bar for all, and one for each VM; a bar's length is the steps of its plan."""

    def __init__(self, progress: Progress, verdicts: list[Verdict]) -> None:
        self._progress = progress
        self._crowded = len(verdicts) > MOST_BARS
        self._all = progress.add_task(number(len(verdicts), "VM"), total=len(verdicts), doing="")
        self._tasks: dict[VmId, TaskID] = {
            v.vm: progress.add_task(
                v.name, total=len(v.plan.steps) + 1, doing="", visible=not self._crowded
            )
            for v in verdicts
        }

    def moved(self, state: Enabling, then: Wait | Done) -> None:
        task = self._tasks[state.vm]
        total = self._progress.tasks[task].total or 1
        if isinstance(then, Done):
            self._progress.update(
                task, completed=total, doing=then.reason.name, visible=not self._crowded
            )
            self._progress.update(self._all, advance=1, doing="")
            return
        steps = min(state.tries, total - 1)
        self._progress.update(task, completed=steps, doing=_doing(then), visible=True)

    def waiting(self, left: timedelta) -> None:
        self._progress.update(self._all, doing=f"next look in {span(left)}")


class Lines:
    """One line for each change of a VM; waiting says nothing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._said: dict[VmId, str] = {}

    def moved(self, state: Enabling, then: Wait | Done) -> None:
        words = _doing(then)
        if self._said.get(state.vm) != words:
            self._said[state.vm] = words
            self._desk.tell(f"{state.vm.name}: {words}")

    def waiting(self, left: timedelta) -> None:
        """Nothing: a log with a line each second helps nobody."""


def _doing(then: Wait | Done) -> str:
    because = f" ({'; '.join(then.because)})" if then.because else ""
    return f"{then.reason.name}{because}"


def outcome_table(desk: Desk, outcomes: Iterable[tuple[Verdict, Done]]) -> object:
    """Return the table of how each workflow ended."""
    table = desk.table("VM", "Resource group", "Outcome", "Because")
    table.columns[2].no_wrap = True
    for verdict, done in outcomes:
        outcome = Text(done.reason.name, style=STYLES[done.reason.standing])
        because = "; ".join(done.because) or done.reason.text
        table.add_row(verdict.name, verdict.vm.group, outcome, Text(because))
    return table


def under_way_lines(states: Iterable[Enabling]) -> Iterator[str]:
    """Say of each workflow that was left what goes on without it."""
    for state in states:
        if (pending := state.pending) is not None:
            yield (
                f"{state.vm.name}: {pending.step}, sent at {at(pending.since)}, goes on in"
                f" {pending.vault.name}"
            )
        else:
            yield f"{state.vm.name}: nothing is under way"
