"""`vmbackup drill list`, `show`, `slots`, `release`, `forecast`: what restore tests have shown."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from azsim.world import World
from tests.blobs import MemoryBlobs
from tests.cli import SUB, TOML, WEST, Cli, Office
from tests.rows import MemoryRows
from tests.scenario.drill_stage import DRILLS, PLACE, STAGING
from tests.scenario.test_cli_drill import vm_id
from vmbackup_cli.simulated import found_place
from vmbackup_core.adapters.blobs_files import FileBlobs
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.drill.slots import Slot, run_mark
from vmbackup_core.domain.evidence import Kind

WIDTHS = [40, 80, 110]
SLOT = Slot(PLACE, 1)


@pytest.fixture
def office(world: World) -> Office:
    """An office in which a VM was tested an hour ago, and another one never."""
    office = Office(world, TOML + DRILLS)
    office.protected("web")
    office.protected("db")
    found_place(world, PLACE, 2, staging=STAGING)
    world.clock.advance(timedelta(days=4))
    office.app.restore_tests().heartbeat.beat()
    assert office.run("drill", "run", "web", "--local", "--yes").code == 0
    world.clock.advance(timedelta(minutes=30))
    return office


@pytest.fixture
def quarantined(office: Office) -> str:
    """A disk of somebody else in the first slot, which a restore test has met; its id."""
    disk = office.world.machines.disks.create(
        subscription=SUB, group=SLOT.group, name="somebodys", location=WEST
    )
    ran = office.run("drill", "run", "web", "--local", "--yes")
    assert ran.code == 1
    assert "LEAK" in ran.out
    return disk.id


def with_evidence_alone(office: Office, folder: Path) -> App:
    """Return the app as it is with a copy of its evidence, and with an empty ledger."""
    office.copy_evidence(folder / "evidence")
    rows, blobs = MemoryRows(office.app.clock), MemoryBlobs()
    evidence = EvidenceLog(FileBlobs(folder / "evidence"), office.app.clock)
    tests = office.app.restore_tests()
    records = replace(tests.records, rows=rows, evidence=evidence, blobs=blobs)
    slots, runs = SlotBook(rows, office.app.clock), RunBook(rows, office.app.clock)
    alone = replace(tests, slots=slots, runs=runs, records=records)
    return replace(office.app, evidence=evidence, restore_tests=lambda: alone)


# What was.


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_column_of_the_list_is_lost_on_a_narrow_terminal(office: Office, width: int) -> None:
    (found,) = office.run("drill", "list", "--json").json["tests"]

    out = office.run("drill", "list", width=width).out

    assert run_mark(found["run"]) in out
    assert "RPO" in out


def test_what_was_to_go_less_far_than_its_tier_asks_is_not_counted_as_proven(
    office: Office,
) -> None:
    assert office.run("drill", "run", "web", "--local", "--yes", "--rung", "disks").code == 0

    out = office.run("drill", "list").out

    assert "disks of boot (asked: disks)" in out
    assert "2 restore tests: 1 PROVEN, 0 FAILED, 0 NOT_PROVEN." in out
    assert "Not in the sum: 1 asked" in out


def test_past_tests_are_listed_with_what_they_came_to(office: Office) -> None:
    ran = office.run("drill", "list")
    (found,) = office.run("drill", "list", "--json").json["tests"]

    assert ran.code == 0
    assert "PROVEN" in ran.out
    assert "boot of boot" in ran.out
    assert run_mark(found["run"]) in ran.out
    assert "1 restore test: 1 PROVEN, 0 FAILED, 0 NOT_PROVEN." in ran.out


def test_the_list_narrows_to_a_time_a_vm_and_a_verdict(office: Office) -> None:
    def listed(*options: str) -> int:
        return len(office.run("drill", "list", "--json", *options).json["tests"])

    assert listed("--since", "1h", "--vm", "WEB", "--verdict", "proven") == 1
    assert listed("--verdict", "not-proven") == 0
    assert listed("--vm", "db") == 0
    office.world.clock.advance(timedelta(hours=2))
    assert listed("--since", "1h") == 0


def test_a_test_of_the_month_before_is_still_listed(office: Office) -> None:
    office.world.clock.advance(timedelta(days=29))

    assert len(office.run("drill", "list", "--json").json["tests"]) == 1


def test_where_none_was_it_says_what_to_do_next(world: World) -> None:
    office = Office(world, TOML + DRILLS)

    listed, shown = office.run("drill", "list"), office.run("drill", "show", "web")

    assert "No restore test ended since" in listed.out
    assert "`vmbackup drill run VM` runs one" in listed.out
    assert shown.code == 64
    assert "`vmbackup drill run web` runs one" in shown.err


@pytest.mark.parametrize("option", ["--since=soon", "--since=0d", "--verdict=fine"])
def test_what_means_nothing_is_a_wrong_call(office: Office, option: str) -> None:
    assert office.run("drill", "list", option).code == 64


def test_one_test_is_found_by_its_vm_its_digits_and_its_key(office: Office) -> None:
    run = office.run("drill", "list", "--json").json["tests"][0]["run"]

    by_name = office.run("drill", "show", "web").out
    names = ("WEB", "rg-web/web", vm_id("web"), run, run_mark(run), run_mark(run)[:6])

    assert "POINT_FRESH" in by_name
    assert {office.run("drill", "show", name).out for name in names} == {by_name}


def test_a_test_is_shown_from_its_evidence_where_no_ledger_tells_of_it(
    office: Office, tmp_path: Path
) -> None:
    (body,) = office.run("drill", "list", "--json").json["tests"]
    alone = Cli(with_evidence_alone(office, tmp_path))

    for which in ("web", run_mark(body["run"]), body["run"]):
        assert alone.run("drill", "show", which, "--json").json["record"] == body
    assert "PROVEN" in alone.run("drill", "show", body["run"]).out


def test_a_test_that_its_vm_had_before_the_last_eight_is_found_by_its_digits(
    office: Office,
) -> None:
    (first,) = office.run("drill", "list", "--json").json["tests"]
    for number in range(8):
        later = first | {"run": f"drill-{number:032x}"}
        office.app.evidence.append(Kind.DRILL, later["run"], later)

    assert office.run("drill", "show", run_mark(first["run"])).code == 0


def test_one_test_is_told_to_machines_whole(office: Office) -> None:
    found = office.run("drill", "show", "web", "--json").json

    assert found["state"] == "ended"
    assert found["record"]["verdict"] == "PROVEN"


def test_a_run_that_nobody_knows_is_a_wrong_call(office: Office) -> None:
    assert office.run("drill", "show", "drill-0123").code == 64
    assert office.run("drill", "show", "drill-Ö/..").code == 64
    assert office.run("drill", "show", "0123456").code == 64


def test_a_vm_that_was_never_tested_has_nothing_to_show(office: Office) -> None:
    ran = office.run("drill", "show", vm_id("db"))

    assert ran.code == 64
    assert "no restore test of" in ran.err


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", [("list",), ("show", "web"), ("slots",), ("forecast",)])
def test_tables_keep_to_the_width_of_their_terminal(
    office: Office, command: tuple[str, ...], width: int
) -> None:
    ran = office.run("drill", *command, width=width)

    assert ran.code == 0
    assert max(len(line) for line in ran.out.splitlines()) <= width


def test_looking_back_writes_nothing(office: Office) -> None:
    before = office.writes()

    for command in (("list",), ("show", "web"), ("slots",), ("forecast",)):
        office.run("drill", *command)

    assert office.writes() == before


def test_the_evidence_tells_of_restore_tests_in_words(office: Office) -> None:
    assert "web: PROVEN up to boot (COMPLETED)" in office.run("evidence", "show").out


# Slots.


def test_slots_show_who_has_them_and_when_the_janitor_looked(office: Office) -> None:
    ran = office.run("drill", "slots")
    found = office.run("drill", "slots", "--json").json

    assert "free" in ran.out
    assert "The janitor looked last at" in ran.out
    assert [(slot["slot"], slot["free"]) for slot in found["slots"]] == [(SLOT.group, True)]
    assert found["janitor"] is not None


def test_a_janitor_that_is_out_of_reach_is_said(office: Office) -> None:
    office.world.clock.advance(timedelta(hours=5))

    assert "No janitor has looked at this ledger for 5 hours" in office.run("drill", "slots").out


def test_before_the_first_test_there_are_no_slots(world: World) -> None:
    out = Office(world, TOML + DRILLS).run("drill", "slots").out

    assert "No slot was ever used" in out
    assert "`vmbackup drill plan` shows when the first ones do" in out
    assert "No janitor has looked at this ledger" in out


def test_a_slot_with_things_of_others_says_why_nobody_gets_it(
    office: Office, quarantined: str
) -> None:
    ran = office.run("drill", "slots")

    assert "QUARANTINED" in ran.out
    assert "`vmbackup drill release SLOT`" in ran.out


def test_a_quarantined_slot_says_how_to_see_what_lies_in_it(
    office: Office, quarantined: str
) -> None:
    out = office.run("drill", "slots").out

    assert f"az resource list --resource-group {SLOT.group} --subscription {SUB}" in out
    assert "Find out whose that is, and empty it" in out


def test_a_slot_is_released_only_when_it_is_empty(office: Office, quarantined: str) -> None:
    kept = office.run("drill", "release", SLOT.group)
    office.world.machines.disks.delete(quarantined)
    released = office.run("drill", "release", SLOT.id.upper(), "--json")

    assert kept.code == 1
    assert "it is not empty: somebodys" in kept.err
    assert (released.code, released.json) == (0, {"released": str(SLOT)})
    told = office.run("evidence", "show").out
    assert "free again (it is empty again" in told
    assert f"{SLOT.group}: released from its quarantine" in told
    office.world.clock.advance(timedelta(minutes=1))
    assert office.run("drill", "run", "web", "--local", "--yes").code == 0


def test_a_slot_that_is_free_or_unknown_is_not_released(office: Office) -> None:
    free = office.run("drill", "release", SLOT.group)

    assert free.code == 1
    assert "it is not quarantined" in free.err
    assert office.run("drill", "release", "vmbackup-drill-northeurope-1").code == 64


# How long a mass restore would take.


def test_a_mass_restore_is_estimated_from_what_was_measured(office: Office) -> None:
    ran = office.run("drill", "forecast")
    (found,) = office.run("drill", "forecast", "--tier", "all", "--json").json["forecasts"]

    assert (found["tier"], found["vms"], found["measured"]) == ("all", 2, 1)
    assert "snapshots" in ran.out
    assert "An estimate: nobody has tried." in ran.out


def test_a_tier_that_is_not_there_is_a_wrong_call(office: Office) -> None:
    ran = office.run("drill", "forecast", "--tier", "al")

    assert ran.code == 64
    assert 'did you mean "all"?' in ran.err


def test_without_measurements_or_a_plan_it_says_what_is_missing(world: World) -> None:
    office = Office(world, TOML + DRILLS)
    unmeasured = office.run("drill", "forecast", "--tier", "all")
    office.configure(TOML)

    assert "No recovery of tier all was measured so far" in unmeasured.out
    assert office.run("drill", "forecast").code == 64
