"""What a run asked of Azure is in the ledger before it is asked, and comes back as it was."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.builders import HERE, NOW, SUB, VAULT, WEB, at
from tests.clocks import HandClock
from tests.rows import MemoryRows
from vmbackup_core.adapters.row_rules import check_row
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.orders import DrillOrder, Targets, run_key
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import Stale

SLOT = Slot(Place(SUB, HERE), 1)
TONIGHT = date(2030, 1, 15)
ORDER = DrillOrder(
    run_key(WEB, "m", TONIGHT, NOW),
    WEB,
    "m",
    HERE,
    VAULT,
    "gold",
    Strategy.LATEST,
    Rung.CHECKS,
    NOW,
    night=TONIGHT,
    by=at(360),
    checks=(GuestCheck("up", "Linux", "systemctl is-system-running ✓\n" * 3_000),),
    targets=Targets(rpo=timedelta(days=1)),
    sizes=("Standard_B2s",),
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def rows(clock: HandClock) -> MemoryRows:
    return MemoryRows(clock)


@pytest.fixture
def runs(rows: MemoryRows, clock: HandClock) -> RunBook:
    return RunBook(rows, clock)


def test_a_run_that_was_never_opened_is_none(runs: RunBook):
    assert runs.get(ORDER.run) is None

    with pytest.raises(Stale, match="never opened"):
        runs.note(ORDER.run, lambda run: run)


def test_a_run_begins_with_nothing_asked(runs: RunBook):
    assert runs.open(ORDER, SLOT) == Run(ORDER, SLOT, NOW)
    assert runs.get(ORDER.run) == Run(ORDER, SLOT, NOW)


def test_opening_again_changes_nothing(runs: RunBook, clock: HandClock):
    runs.open(ORDER, SLOT)
    runs.note(ORDER.run, lambda run: replace(run, restores_asked=(NOW,)))
    clock.move_to(at(5))

    assert runs.open(ORDER, Slot(SLOT.place, 2)) == Run(ORDER, SLOT, NOW, restores_asked=(NOW,))


def test_everything_that_is_noted_comes_back(runs: RunBook):
    runs.open(ORDER, SLOT)
    noted = Run(
        ORDER,
        SLOT,
        NOW,
        (NOW, at(7)),
        ("job",),
        at(9),
        ("web-1",),
        at(300),
        at(301),
        clean=True,
        protected_in=str(VAULT),
    )

    assert runs.note(ORDER.run, lambda _: noted) == noted
    assert runs.get(ORDER.run) == noted


def test_two_notes_at_once_are_both_kept(runs: RunBook, rows: MemoryRows):
    runs.open(ORDER, SLOT)

    def meanwhile() -> None:
        rows.before_write = lambda: None
        runs.note(ORDER.run, lambda run: replace(run, jobs=("job",)))

    rows.before_write = meanwhile
    run = runs.note(ORDER.run, lambda run: replace(run, copy_asked=at(1)))

    assert (run.jobs, run.copy_asked) == (("job",), at(1))


def test_a_run_is_closed_once_and_clean_for_good(runs: RunBook, clock: HandClock):
    runs.open(ORDER, SLOT)
    unclean = runs.close(ORDER.run, clean=False)
    clock.move_to(at(20))
    runs.close(ORDER.run, clean=True)
    last = runs.close(ORDER.run, clean=False)

    assert (unclean.ended, unclean.clean) == (NOW, False)
    assert (last.ended, last.clean) == (NOW, True)


def test_an_order_with_long_scripts_fits_into_a_row(runs: RunBook, rows: MemoryRows):
    runs.open(ORDER, SLOT)
    (row,) = rows.list("run")

    check_row(row)
    assert len(row.values) > 1


def test_a_run_that_was_taken_over_notes_nothing_more(runs: RunBook):
    runs.open(ORDER, SLOT)
    runs.take_over(ORDER.run)

    with pytest.raises(Stale, match="taken over at 2030-01-15 12:00"):
        runs.note(ORDER.run, lambda run: replace(run, copy_asked=NOW))
    assert runs.amend(ORDER.run, lambda run: replace(run, jobs=("job",))).jobs == ("job",)


def test_a_run_is_taken_over_once(runs: RunBook, clock: HandClock):
    runs.open(ORDER, SLOT)
    runs.take_over(ORDER.run)
    clock.move_to(at(15))

    assert runs.take_over(ORDER.run).taken == NOW
