"""`vmbackup drill plan`: what the coming nights would prove; nothing is touched, nothing is run."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from azsim.http import Request
from azsim.world import World
from tests.cli import GROUP, SUB, TOML, WEST, Cli, Office

DRILLS = f"""{TOML}
[drills]
per_night = 2
at_once = 1

[[drills.tiers]]
name = "gold"
tag = "gold"
max_age = "30 days"
"""
NEVER = '[drills]\ncontrol_every = "never"'
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


def vm_id(name: str) -> str:
    place = f"/subscriptions/{SUB}/resourceGroups/{GROUP}"
    return f"{place}/providers/Microsoft.Compute/virtualMachines/{name}"


def restore_by_hand(office: Office, name: str) -> None:
    """Restore the disks of a VM's newest point, as somebody in the portal would."""
    world = office.world
    owner = world.vaults.item_of(vm_id(name))
    assert owner is not None
    vault, names = owner[0], f"iaasvmcontainerv2;{GROUP};{name}"
    item = f"/protectionContainers/IaasVMContainer;{names}/protectedItems/vm;{names}"
    path = f"{vault.id}/backupFabrics/Azure{item}/recoveryPoints"
    points = ask(world, "GET", path).body["value"]
    account = world.storage_accounts.create(SUB, GROUP, "byhand", WEST)
    target = world.groups.create(SUB, "rg-by-hand", WEST)
    request = {
        "objectType": "IaasVMRestoreRequest",
        "recoveryPointId": points[0]["name"],
        "recoveryType": "RestoreDisks",
        "sourceResourceId": vm_id(name),
        "targetResourceGroupId": target.id,
        "storageAccountId": account.id,
        "region": WEST,
        "createNewCloudService": False,
        "originalStorageAccountOption": False,
    }
    path = f"{path}/{points[0]['name']}/restore"
    assert ask(world, "POST", path, {"properties": request}).status == 202
    world.clock.advance(timedelta(seconds=10))


def ask(world: World, method: str, path: str, body: Any = None) -> Any:
    url = f"https://management.azure.com{quote(path, safe='/')}?api-version=2024-04-01"
    headers = {"authorization": "Bearer t", "content-type": "application/json"}
    raw = b"" if body is None else json.dumps(body).encode()
    return world.handle(Request(method, url, headers, raw))


def test_the_coming_nights_are_shown_with_who_is_tested_and_why(office: Office) -> None:
    ran = office.run("drill", "plan", "--nights", "2")

    assert ran.code == 0
    assert "it was never tested" in ran.out
    assert "nobody's turn" in ran.out
    assert "Full coverage takes 1 night, if every test passes." in ran.out
    assert "2 of tier gold every 30 nights" in ran.out
    assert "NOT_PROTECTED" in ran.out


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_column_of_the_plan_is_lost_on_a_narrow_terminal(office: Office, width: int) -> None:
    out = office.run("drill", "plan", "--nights", "1", width=width).out

    assert all(word in out for word in ("egins", "Tier", "Up to", "Takes", "01:00", "gold"))


def test_help_names_the_section_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    Cli().run("drill", "plan", "--help")

    assert "[drills]" in capsys.readouterr().out


def test_it_says_plainly_that_no_restore_test_is_known(office: Office) -> None:
    assert "No restore test of these VMs is known so far." in office.run("drill", "plan").out
    found = office.run("drill", "plan", "--json").json
    assert (found["tested"], found["forecasts"]) == (0, [])


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


PRICED = f"""{DRILLS}
[drills.prices]
currency = "EUR"
per_vcpu_hour = 0.1
per_gb_month = 0.73
"""


def test_what_a_night_is_estimated_to_cost_is_shown_beside_its_limit(office: Office) -> None:
    office.configure(PRICED.replace("per_night = 2", "per_night = 2\ncost_per_night = 5"))

    found = office.run("drill", "plan", "--json", "--nights", "1").json
    ran = office.run("drill", "plan", "--nights", "1")

    costs = [drill["cost"] for drill in found["nights"][0]["drills"]]
    assert found["currency"] == "EUR"
    assert found["nights"][0]["cost"] == f"{sum(map(float, costs)):.2f}"
    assert "Cost (EUR)" in ran.out
    assert "of at most 5.00 EUR." in ran.out


def test_a_plan_that_may_cost_nearly_nothing_tells_who_waits_for_money(office: Office) -> None:
    office.configure(PRICED.replace("per_night = 2", "per_night = 2\ncost_per_night = 0.01"))

    ran = office.run("drill", "plan", "--nights", "1", width=300)

    assert ran.code == 1
    assert "NO_BUDGET" in ran.out
    assert "web: it is estimated at up to" in ran.out


def test_how_far_a_test_goes_is_shown_and_what_caps_it(office: Office) -> None:
    for name, value in (("web", "Disks-Only"), ("db", "yes please")):
        office.world.machines.tag(vm_id(name), {"backup": "gold", "drill": value})

    found = office.run("drill", "plan", "--json").json
    ran = office.run("drill", "plan")

    caps = {d["name"]: d["cap"] for night in found["nights"] for d in night["drills"]}
    assert caps == {"web": "disks", "db": "disks"}
    assert "disks (tag)" in ran.out
    assert "db: tag drill = 'yes please', which is none of disks-only" in ran.out


def test_a_vm_that_is_never_to_be_tested_says_so(office: Office) -> None:
    office.world.machines.tag(vm_id("web"), {"backup": "gold", "drill": "never"})

    assert "TAGGED_NEVER" in office.run("drill", "plan").out


def test_a_restore_that_a_person_runs_keeps_its_vm_out_of_tonight(office: Office) -> None:
    restore_by_hand(office, "web")

    ran = office.run("drill", "plan", "--nights", "1")

    assert "RESTORING" in ran.out
    assert office.run("drill", "plan", "--json", "--nights", "2").json["planned"] == 2


# What keeps the plan from running.


def test_a_pause_is_said_before_the_plan(office: Office) -> None:
    office.run("pause", "on", "--why", "network change")

    ran = office.run("drill", "plan")

    assert "network change): no restore test begins until `vmbackup pause off`" in ran.out
    assert office.run("drill", "plan", "--json").json["pause"]["why"] == "network change"


def test_observe_mode_is_said_before_the_plan(office: Office) -> None:
    assert office.run("drill", "plan", "--json").json["observing"] is False
    office.configure(DRILLS.replace('"protect"', '"observe"'))

    ran = office.run("drill", "plan")

    assert "OBSERVE MODE: this is what would be tested, and nothing of it runs." in ran.out
    assert office.run("drill", "plan", "--json").json["observing"] is True


def test_a_plan_in_which_no_control_can_run_says_so(office: Office) -> None:
    office.configure(f'{DRILLS}rung = "disks"\n')
    told = office.run("drill", "plan").out
    found = office.run("drill", "plan", "--json").json["uncontrolled"]
    office.configure(f'{DRILLS}rung = "disks"\n'.replace("[drills]", NEVER))

    assert "No negative control can run" in told
    assert found is True
    assert office.run("drill", "plan", "--json").json["uncontrolled"] is False
