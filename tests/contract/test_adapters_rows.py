"""What every ledger promises, wherever it keeps its rows."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from azsim.transport import SimTransport
from azsim.world import World
from tests.clocks import HandClock
from tests.credentials import StaticCredential
from tests.drill_runs import order
from tests.rows import MemoryRows
from vmbackup_core.adapters.rows_files import FileRows
from vmbackup_core.adapters.rows_tables import TableRows
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Retryable, Stale
from vmbackup_core.ports import Row, Rows
from vmbackup_core.settings.drilling import MOST_SCRIPTS

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
ACCOUNT = "ledger"
URL = f"https://{ACCOUNT}.table.core.windows.net"


@dataclass(frozen=True)
class Shelf:
    """One kind of ledger: `rows` opens it, as often as there are processes."""

    now: Callable[[], datetime]
    wait: Callable[[timedelta], None]
    rows: Callable[[], Rows]


@pytest.fixture(params=["tables", "files", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, world: World) -> Shelf:
    clock = HandClock(MONDAY)
    match request.param:
        case "tables":
            world.storage.create_account(ACCOUNT)
            return Shelf(
                world.clock.now,
                world.clock.advance,
                lambda: TableRows(URL, StaticCredential(), transport=SimTransport(world)),
            )
        case "files":
            return Shelf(clock.now, clock.pause, lambda: FileRows(tmp_path / "ledger", clock))
        case _:
            memory = MemoryRows(clock)
            return Shelf(clock.now, clock.pause, lambda: memory)


@pytest.fixture
def rows(shelf: Shelf) -> Rows:
    return shelf.rows()


def test_a_row_that_was_never_written_is_none(rows: Rows) -> None:
    assert rows.get("vm", "web") is None


def test_an_empty_ledger_lists_nothing(rows: Rows) -> None:
    assert list(rows.list("vm")) == []


def test_what_is_written_is_read(rows: Rows) -> None:
    written = rows.put(Row("vm", "web", {"machine": "m-1", "policy": "", "text": "größe: 9 €"}))

    assert rows.get("vm", "web") == written
    assert written.etag != ""


def test_another_process_reads_it_too(shelf: Shelf) -> None:
    written = shelf.rows().put(Row("vm", "web", {"machine": "m-1"}))

    assert shelf.rows().get("vm", "web") == written


def test_a_row_lives_in_its_own_partition(rows: Rows) -> None:
    rows.put(Row("vm", "web", {"machine": "m-1"}))

    assert rows.get("hint", "web") is None


def test_writing_replaces_all_values(rows: Rows) -> None:
    first = rows.put(Row("vm", "web", {"machine": "m-1", "policy": "gold"}))

    second = rows.put(replace(first, values={"machine": "m-2"}))

    assert rows.get("vm", "web") == second
    assert second.values == {"machine": "m-2"}


def test_every_write_gives_another_etag(rows: Rows) -> None:
    first = rows.put(Row("vm", "web", {"machine": "m-1"}))

    second = rows.put(replace(first, values={"machine": "m-1"}))

    assert second.etag != first.etag


def test_of_two_who_create_a_row_one_loses(shelf: Shelf) -> None:
    shelf.rows().put(Row("vm", "web", {"machine": "m-1"}))

    with pytest.raises(Stale):
        shelf.rows().put(Row("vm", "web", {"machine": "m-2"}))


def test_of_two_who_change_a_row_one_loses(shelf: Shelf) -> None:
    mine = shelf.rows().put(Row("vm", "web", {"number": "1"}))
    shelf.rows().put(replace(mine, values={"number": "2"}))

    with pytest.raises(Stale):
        shelf.rows().put(replace(mine, values={"number": "3"}))

    found = shelf.rows().get("vm", "web")
    assert found is not None
    assert found.values == {"number": "2"}


def test_the_loser_reads_again_and_wins(shelf: Shelf) -> None:
    mine = shelf.rows().put(Row("vm", "web", {"number": "1"}))
    theirs = shelf.rows().put(replace(mine, values={"number": "2"}))

    ours = shelf.rows().put(replace(theirs, values={"number": "3"}))

    assert ours.values == {"number": "3"}


def test_a_row_that_is_not_there_cannot_be_changed(rows: Rows) -> None:
    there = rows.put(Row("vm", "web", {"number": "1"}))

    with pytest.raises(Stale):
        rows.put(Row("vm", "db", {"number": "2"}, etag=there.etag))


def test_rows_are_listed_by_key(rows: Rows) -> None:
    for key in ("vm-c", "vm-a", "vm-b"):
        rows.put(Row("vm", key, {"vm": key}))
    rows.put(Row("hint", "vm-d", {"vm": "vm-d"}))

    assert [row.key for row in rows.list("vm")] == ["vm-a", "vm-b", "vm-c"]


def test_more_rows_than_a_page_are_listed(rows: Rows) -> None:
    for number in range(1_050):
        rows.put(Row("vm", f"vm-{number:04}", {"number": str(number)}))

    assert [int(row.values["number"]) for row in rows.list("vm")] == list(range(1_050))


def test_a_listed_row_can_be_changed(rows: Rows) -> None:
    rows.put(Row("vm", "web", {"number": "1"}))
    (listed,) = rows.list("vm")

    assert rows.put(replace(listed, values={"number": "2"})).values == {"number": "2"}


def test_only_what_was_written_since_is_listed_on_request(shelf: Shelf) -> None:
    rows = shelf.rows()
    rows.put(Row("vm", "old", {"number": "1"}))
    changed = rows.put(Row("vm", "changed", {"number": "1"}))
    shelf.wait(timedelta(hours=1))
    since = shelf.now()
    shelf.wait(timedelta(seconds=1))
    rows.put(replace(changed, values={"number": "2"}))
    rows.put(Row("vm", "new", {"number": "1"}))

    assert [row.key for row in rows.list("vm", changed_since=since)] == ["changed", "new"]


def test_a_value_may_be_as_long_as_a_table_takes(rows: Rows) -> None:
    text = "ä" * 32_000

    rows.put(Row("vm", "web", {"text": text}))

    found = rows.get("vm", "web")
    assert found is not None
    assert found.values["text"] == text


@pytest.fixture(params=["tables", "files"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, world: World) -> Rows:
    """A ledger that keeps its rows outside of this process."""
    if request.param == "files":
        return FileRows(tmp_path, HandClock(MONDAY))
    world.storage.create_account(ACCOUNT)
    return TableRows(URL, StaticCredential(), transport=SimTransport(world))


@pytest.mark.parametrize("key", ["", "a/b", "A", "..", "a b", "a'b", "ä", "a" * 201])
def test_a_key_that_a_store_could_not_keep_is_a_bug(kept: Rows, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        kept.get("vm", key)
    with pytest.raises(ValueError, match="not a key"):
        kept.put(Row(key, "web", {}))
    with pytest.raises(ValueError, match="not a key"):
        list(kept.list(key))


@pytest.mark.parametrize(
    "values", [{"RowKey": "x"}, {"timestamp": "x"}, {"a-b": "x"}, {"": "x"}, {"a": "x" * 32_001}]
)
def test_a_value_that_a_table_could_not_keep_is_a_bug(kept: Rows, values: Any) -> None:
    with pytest.raises(ValueError, match="value"):
        kept.put(Row("vm", "web", values))


def test_a_table_costs_one_call_a_read_and_one_a_write(world: World) -> None:
    world.storage.create_account(ACCOUNT)
    rows = TableRows(URL, StaticCredential(), transport=SimTransport(world))
    first = rows.put(Row("vm", "web", {"number": "1"}))
    before = len(world.exchanges)

    rows.get("vm", "web")
    rows.put(replace(first, values={"number": "2"}))

    assert len(world.exchanges) - before == 2


def test_an_account_that_does_not_answer_is_tried_later(world: World) -> None:
    url = "https://nowhere.table.core.windows.net"
    rows = TableRows(url, StaticCredential(), transport=SimTransport(world))

    with pytest.raises(Retryable):
        rows.get("vm", "web")


def test_a_file_that_is_being_written_is_not_listed(tmp_path: Path) -> None:
    rows = FileRows(tmp_path, HandClock(MONDAY))
    rows.put(Row("vm", "web", {"number": "1"}))
    (tmp_path / "vm" / ".writing-x").write_text("half a r")

    assert [row.key for row in islice(rows.list("vm"), 2)] == ["web"]


def count_up(directory: Path, times: int) -> None:
    """Raise the number in one row, reading again whenever somebody else was faster."""
    rows = FileRows(directory, HandClock(MONDAY))
    done = 0
    while done < times:
        row = rows.get("hint", "web") or Row("hint", "web", {"number": "0"})
        try:
            rows.put(replace(row, values={"number": str(int(row.values["number"]) + 1)}))
        except Stale:
            continue
        done += 1


def test_no_write_is_lost_between_processes(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")

    with ProcessPoolExecutor(3, mp_context=spawned) as pool:
        list(pool.map(count_up, [tmp_path] * 3, [40] * 3))

    row = FileRows(tmp_path, HandClock(MONDAY)).get("hint", "web")
    assert row is not None
    assert row.values == {"number": "120"}


# How much a row holds.


def test_a_run_with_as_long_scripts_as_a_configuration_allows_fits_into_its_row(
    shelf: Shelf, rows: Rows
) -> None:
    checks = tuple(
        GuestCheck(f"check-{number}", "Linux", "x" * 16_384)
        for number in range(MOST_SCRIPTS // 16_386)
    )
    of = order(checks=checks)
    runs = RunBook(rows, HandClock(shelf.now()))
    runs.open(of, Slot(of.place, 1))
    things = tuple(f"/subscriptions/{'x' * 300}/disks/{number}" for number in range(100))
    noted = runs.amend(of.run, lambda run: replace(run, removed=things))

    assert runs.get(of.run) == noted
    assert len(noted.order.checks) == 12


def test_a_row_that_a_table_could_not_hold_is_a_bug_wherever_it_is_kept(tmp_path: Path) -> None:
    large = Row("run", "web", {f"json_{number}": "x" * 30_000 for number in range(18)})

    with pytest.raises(ValueError, match="too large"):
        FileRows(tmp_path, HandClock(MONDAY)).put(large)
