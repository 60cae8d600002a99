from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import NOW, VAULT, WEB, at, vm
from tests.clocks import HandClock
from tests.rows import MemoryRows
from vmbackup_core.app.notebook import Notebook, configures
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.ports import Row

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def rows(clock: HandClock) -> MemoryRows:
    return MemoryRows(clock)


@pytest.fixture
def notebook(rows: MemoryRows, clock: HandClock) -> Notebook:
    return Notebook(rows, clock)


def once(rows: MemoryRows, meanwhile: Callable[[], object]) -> Callable[[], None]:
    """Return a hook that lets somebody else write just before the next write."""

    def hook() -> None:
        rows.before_write = lambda: None
        meanwhile()

    return hook


def always(rows: MemoryRows, meanwhile: Callable[[], object]) -> Callable[[], None]:
    """Return a hook that lets somebody else write just before every write."""

    def hook() -> None:
        rows.before_write = lambda: None
        meanwhile()
        rows.before_write = hook

    return hook


def test_hints_are_counted_for_each_vm(notebook: Notebook) -> None:
    assert notebook.hint(WEB) == 0
    assert [notebook.raise_hint(WEB), notebook.raise_hint(WEB)] == [1, 2]
    assert (notebook.hint(WEB), notebook.hint(vm("other").id)) == (2, 0)


def test_two_hints_at_once_are_two(notebook: Notebook, rows: MemoryRows) -> None:
    rows.before_write = once(rows, lambda: notebook.raise_hint(WEB))

    assert notebook.raise_hint(WEB) == 2


def test_a_storm_is_waited_out(notebook: Notebook, rows: MemoryRows) -> None:
    rows.before_write = always(rows, lambda: notebook.raise_hint(WEB))

    with pytest.raises(Retryable):
        notebook.raise_hint(WEB)


@pytest.mark.parametrize(
    "memory",
    [
        Memory(),
        Memory("m", str(VAULT), "gold", "silver", NOW, True, Reason.BUDGET_SPENT, at(1)),
    ],
)
def test_a_memory_comes_back_as_it_was(notebook: Notebook, memory: Memory) -> None:
    notebook.remember(WEB, memory)

    assert notebook.memory(WEB) == memory
    assert dict(notebook.memories(None)) == {WEB: memory}


def test_a_vm_we_never_touched_has_an_empty_memory(notebook: Notebook) -> None:
    assert notebook.memory(WEB) == Memory()


def test_only_what_was_written_since_is_read_again(notebook: Notebook, clock: HandClock) -> None:
    notebook.remember(WEB, Memory("old"))
    clock.move_to(at(10))
    notebook.remember(vm("other").id, Memory("new"))

    assert [memory.machine for _, memory in notebook.memories(at(5))] == ["new"]


def test_a_memory_that_is_the_same_is_not_written_again(
    notebook: Notebook, rows: MemoryRows
) -> None:
    notebook.remember(WEB, Memory("m"))
    notebook.remember(WEB, Memory("m"))

    assert rows.writes == 1


def test_a_budget_is_spent_once_for_all(notebook: Notebook) -> None:
    assert [notebook.spend("changes", 2, HOUR) for _ in range(4)] == [True, True, False, False]


def test_two_who_take_the_last_one_at_once_do_not_both_have_it(
    notebook: Notebook, rows: MemoryRows
) -> None:
    taken = []
    rows.before_write = once(rows, lambda: taken.append(notebook.spend("changes", 1, HOUR)))

    assert notebook.spend("changes", 1, HOUR) is False
    assert taken == [True]


def test_a_budget_of_nothing_is_spent(notebook: Notebook) -> None:
    assert not notebook.spend("changes", 0, HOUR)


def test_a_budget_begins_anew_with_each_window(notebook: Notebook, clock: HandClock) -> None:
    notebook.spend("changes", 1, HOUR)
    clock.move_to(at(59))
    late = notebook.spend("changes", 1, HOUR)
    clock.move_to(at(60))

    assert (late, notebook.spend("changes", 1, HOUR)) == (False, True)


def test_a_day_is_a_day_of_utc(notebook: Notebook, clock: HandClock) -> None:
    notebook.spend(configures(VAULT), 1, DAY)
    clock.move_to(datetime(2030, 1, 15, 23, 59, tzinfo=UTC))
    late = notebook.spend(configures(VAULT), 1, DAY)
    clock.move_to(datetime(2030, 1, 16, tzinfo=UTC))

    assert (late, notebook.spend(configures(VAULT), 1, DAY)) == (False, True)


def test_budgets_do_not_share(notebook: Notebook) -> None:
    notebook.spend("changes", 1, HOUR)

    assert notebook.spend("enables", 1, HOUR)


def test_a_claim_keeps_others_out_until_it_ends(notebook: Notebook, clock: HandClock) -> None:
    first = notebook.claim("policy", "gold", lasting=timedelta(minutes=5))
    clock.move_to(at(4))
    second = notebook.claim("policy", "gold", lasting=timedelta(minutes=5))
    clock.move_to(at(5))
    third = notebook.claim("policy", "gold", lasting=timedelta(minutes=5))

    assert (first, second, third) == (True, False, True)


def test_the_loser_of_a_race_has_no_claim(notebook: Notebook, rows: MemoryRows) -> None:
    winner = []
    rows.before_write = once(rows, lambda: winner.append(notebook.claim("x", lasting=HOUR)))

    assert notebook.claim("x", lasting=HOUR) is False
    assert winner == [True]


def test_a_pause_holds_until_it_is_ended(notebook: Notebook, clock: HandClock) -> None:
    assert notebook.pause() is None
    notebook.set_pause("audit")
    clock.move_to(at(5))
    pause = notebook.pause()
    notebook.set_pause(None)

    assert pause is not None
    assert (pause.since, pause.why) == (NOW, "audit")
    assert notebook.pause() is None


def test_a_pause_without_a_reason_is_a_pause(notebook: Notebook) -> None:
    notebook.set_pause("")

    assert notebook.pause() is not None


def test_what_is_left_alone_is_so_for_all_until_its_time(
    notebook: Notebook, clock: HandClock
) -> None:
    notebook.rest("items", at(30))
    before = (notebook.resting("items"), notebook.resting("jobs"))
    clock.move_to(at(30))

    assert before == (True, False)
    assert not notebook.resting("items")


def test_a_reason_of_a_newer_version_is_none(notebook: Notebook, rows: MemoryRows) -> None:
    notebook.remember(WEB, Memory(policy="gold", reason=Reason.LOCKED))
    (row,) = rows.list("vm")
    rows.put(Row("vm", row.key, {**row.values, "reason": "UNHEARD_OF"}, row.etag))

    assert notebook.memory(WEB) == Memory(policy="gold")


def test_a_memory_is_amended_as_it_is_then_whoever_wrote_meanwhile(
    notebook: Notebook, rows: MemoryRows
) -> None:
    notebook.remember(WEB, Memory(policy="gold"))
    notebook.amend(WEB, lambda memory: replace(memory, undeleted=True))
    notebook.amend(WEB, lambda memory: replace(memory, machine="another"))

    assert notebook.memory(WEB) == Memory(policy="gold", undeleted=True, machine="another")
