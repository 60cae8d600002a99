"""`vmbackup drill plan`: what the coming nights would prove; nothing is touched, nothing is run."""

from datetime import timedelta

import pytest

from azsim.world import World
from tests.cli import SUB, TOML, Office

DRILLS = f"""{TOML}
[drills]
per_night = 2
at_once = 1

[[drills.tiers]]
name = "gold"
tag = "gold"
max_age = "30 days"
"""
TIGHT = 'per_night = 1\nblackout = ["Monday"]'


@pytest.fixture
def office(world: World) -> Office:
    """An office with two VMs that have been backed up for some days, and one that has not."""
    office = Office(world, DRILLS)
    office.protected("web")
    office.protected("db")
    world.clock.advance(timedelta(days=4))
    office.vm("new")
    return office


def test_the_coming_nights_are_shown_with_who_is_tested_and_why(office: Office) -> None:
    ran = office.run("drill", "plan", "--nights", "2")

    assert ran.code == 0
    assert "it was never tested" in ran.out
    assert "nobody's turn" in ran.out
    assert "Full coverage takes 1 night, if every test passes." in ran.out
    assert "2 of tier gold every 30 nights" in ran.out
    assert "NOT_PROTECTED" in ran.out


def test_it_says_plainly_that_no_restore_test_has_ever_run(office: Office) -> None:
    assert "No restore test has ever run" in office.run("drill", "plan").out
    assert office.run("drill", "plan", "--json").json["restore_tests_run"] == 0


def test_planning_writes_nothing_anywhere(office: Office) -> None:
    before = office.writes()

    office.run("drill", "plan", "--points")

    assert office.writes() == before


def test_the_machine_form_has_every_vm_once(office: Office) -> None:
    found = office.run("drill", "plan", "--json").json

    assert found["vms"] == 3
    assert found["planned"] + sum(found["not_planned"].values()) == 3
    assert [one["code"] for one in found["unplanned"]] == ["NOT_PROTECTED"]
    assert found["coverage"]["nights"] == 1
    assert found["coverage"]["loads"][0]["room_per_night"] == 2.0
    assert found["refusals"] == []
    assert "point" not in found["nights"][0]["drills"][0]


def test_the_points_of_the_first_night_are_read_on_request(office: Office) -> None:
    found = office.run("drill", "plan", "--points", "--json").json
    ran = office.run("drill", "plan", "--points")

    told = [drill.get("point") or drill.get("no_point") for drill in found["nights"][0]["drills"]]
    assert len(told) == 2
    assert all(told)
    assert "Consistent" in ran.out


def test_a_point_that_there_is_not_is_said(office: Office) -> None:
    office.configure(f'{DRILLS}strategies = ["latest-within-rpo"]\nrpo = "1 hour"\n')

    found = office.run("drill", "plan", "--points", "--json").json
    ran = office.run("drill", "plan", "--points", width=300)

    assert found["nights"][0]["drills"][0]["no_point"]["code"] == "TOO_OLD"
    assert "older than the tier's rpo" in ran.out


def test_a_plan_that_cannot_keep_its_word_is_refused_with_the_arithmetic(office: Office) -> None:
    office.configure(DRILLS.replace("30 days", "2 days").replace("per_night = 2", TIGHT))

    ran = office.run("drill", "plan")

    assert ran.code == 1
    assert "REFUSED: All VMs: 2 of tier gold every 2 nights ask for 1 a night" in ran.out
    assert office.run("drill", "plan", "--json").json["refusals"]


def test_without_drills_in_the_configuration_there_is_nothing_to_plan(office: Office) -> None:
    office.configure(TOML)

    ran = office.run("drill", "plan")

    assert ran.code == 64
    assert "add [drills]" in ran.err


def test_an_empty_estate_says_where_to_look(world: World) -> None:
    ran = Office(world, DRILLS).run("drill", "plan")

    assert ran.code == 0
    assert "There is no VM in scope." in ran.out


def test_tiers_that_take_nobody_are_said(office: Office) -> None:
    office.configure(DRILLS.replace('tag = "gold"\nmax_age', 'tag = "iron"\nmax_age'))

    assert "No VM is to be tested." in office.run("drill", "plan").out


def test_a_blacked_out_night_is_shown(office: Office) -> None:
    days = '["Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]'
    office.configure(DRILLS.replace("at_once = 1", f"at_once = 1\nblackout = {days}"))

    assert "blacked out (Sunday)" in office.run("drill", "plan", "--nights", "7").out


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_a_table_keeps_to_the_width_of_its_terminal(office: Office, width: int) -> None:
    ran = office.run("drill", "plan", "--points", width=width)

    assert max(len(line) for line in ran.out.splitlines()) <= width


def test_the_drill_plan_in_force_is_shown(office: Office) -> None:
    ran = office.run("config", "show")
    found = office.run("config", "show", "--json").json

    assert "[drills]" in ran.out
    assert "strategies = latest, vault, random, oldest" in ran.out
    assert found["drills"]["per_night"] == 2
    assert found["drills"]["tiers"][0]["name"] == "gold"


def test_the_planned_vms_are_those_of_the_subscription(office: Office) -> None:
    found = office.run("drill", "plan", "--json").json

    assert {drill["subscription"] for drill in found["nights"][0]["drills"]} == {SUB}
