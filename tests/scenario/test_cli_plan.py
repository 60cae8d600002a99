"""`vmbackup plan`: everything is looked at, nothing is touched."""

import csv
import json
from datetime import timedelta

import pytest

from azsim.estate import found_estate
from azsim.world import World
from tests.cli import GROUP, OBSERVING, SUB, TOML, Office
from vmbackup_cli.simulate import CONFIGURATION
from vmbackup_core.domain.reasons import Reason


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_a_plan_says_what_would_be_done_and_why(office: Office) -> None:
    office.vm("web", tag="gold")

    ran = office.run("plan")

    assert ran.code == 2
    assert "TO_PROTECT" in ran.out
    assert "create vault rsv-5a0c0000-westeurope-1" in ran.out
    assert "rule 1 asks for gold" in ran.out
    assert "1 VM to do; 0 changes" in ran.out
    assert "`vmbackup protect` applies it." in ran.out
    assert "vmbackup approve" not in ran.out


def test_nothing_to_do_is_said_and_exits_with_0(office: Office) -> None:
    office.protected("web")

    ran = office.run("plan")

    assert ran.code == 0
    assert "Nothing differs" in ran.out
    assert "vmbackup approve" not in ran.out


def test_a_subscription_on_observe_differs_too(office: Office) -> None:
    office.configure(OBSERVING)
    office.vm("web")

    ran = office.run("plan")

    assert ran.code == 2
    assert "OBSERVING" in ran.out
    assert "would enable backup" in ran.out
    assert "0 VMs to do, 1 only in observe mode" in ran.out
    assert "applies it" not in ran.out


def test_planning_an_estate_writes_nothing_anywhere(world: World) -> None:
    subscriptions = found_estate(world, 120, 5)
    world.clock.advance(timedelta(days=1))
    office = Office(world, CONFIGURATION.format(subscriptions=json.dumps(subscriptions)))

    assert office.run("plan", "--all").code == 2
    assert office.run("plan", "--json").code == 2
    assert world.exchanges
    assert office.writes() == []


def test_the_machine_form_holds_every_vm_once_and_its_classes_sum(world: World) -> None:
    subscriptions = found_estate(world, 120, 5)
    office = Office(world, CONFIGURATION.format(subscriptions=json.dumps(subscriptions)))

    found = office.run("plan", "--json").json

    assert found["vms"] == 120
    assert len({one["vm"] for one in found["verdicts"]}) == len(found["verdicts"]) == 120
    assert sum(found["reasons"].values()) == 120
    assert found["in_scope"] == found["protected"] + sum(found["unprotected"].values())
    assert {one["reason"] for one in found["verdicts"]} == set(found["reasons"])


def test_the_machine_form_is_alone_on_stdout(office: Office) -> None:
    office.vm("web")

    ran = office.run("plan", "--json")

    assert ran.json["verdicts"][0]["steps"][-1] == {
        "step": "EnableProtection",
        "text": "enable backup in rsv-5a0c0000-westeurope-1 with policy gold",
        "vault": (
            f"/subscriptions/{SUB}/resourcegroups/rg-backup-westeurope/providers"
            "/microsoft.recoveryservices/vaults/rsv-5a0c0000-westeurope-1"
        ),
        "policy": "gold",
    }
    assert ran.err.strip() == ""


def test_a_table_for_a_spreadsheet_has_a_row_for_each_vm(office: Office) -> None:
    office.vm("web")
    office.vm("away", tag="off")

    ran = office.run("plan", "--csv")
    rows = list(csv.DictReader(ran.out.splitlines()))

    assert ran.code == 2
    assert [(row["name"], row["reason"], row["protected"]) for row in rows] == [
        ("away", "OPTED_OUT", "no"),
        ("web", "TO_PROTECT", "no"),
    ]


def test_a_table_narrows_as_the_plan_does(office: Office) -> None:
    office.vm("web")
    office.vm("away", tag="off")

    ran = office.run("plan", "--csv", "--reason", "OPTED_OUT")

    assert [row["name"] for row in csv.DictReader(ran.out.splitlines())] == ["away"]


def test_no_cell_of_a_table_is_run_by_a_spreadsheet(office: Office) -> None:
    office.vm("web", tag="=cmd|' /C calc'!A0")
    office.vm("db", group="-rg")

    rows = list(csv.reader(office.run("plan", "--csv", "--all").out.splitlines()))

    assert "'-rg" in rows[1]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_table_and_a_document_exclude_each_other(office: Office) -> None:
    assert office.run("plan", "--csv", "--json").code == 64


def test_only_vms_that_need_something_are_listed_unless_all_are_asked_for(office: Office) -> None:
    office.vm("web", tag="gold")
    office.vm("plain", tag=None)

    assert "plain" not in office.run("plan").out
    assert "plain" in office.run("plan", "--all").out


def test_a_plan_narrows_to_reasons_and_subscriptions(office: Office) -> None:
    office.vm("web", tag="gold")
    office.vm("away", tag="off")

    by_reason = office.run("plan", "--reason", "opted-out", "--json")
    here = office.run("plan", "--subscription", SUB.upper(), "--reason", "no-vault")

    assert [one["name"] for one in by_reason.json["verdicts"]] == ["away"]
    assert by_reason.code == 0
    assert by_reason.json["vms"] == 2
    assert here.code == 0
    assert "No such VM." in here.out


def test_a_subscription_out_of_scope_is_a_wrong_call_and_those_in_scope_are_named(
    office: Office,
) -> None:
    ran = office.run("plan", "--subscription", "00000000-0000-0000-0000-000000000009")

    assert ran.code == 64
    assert "00000000-0000-0000-0000-000000000009 is not in scope" in ran.err
    assert SUB in ran.err


def test_a_pause_is_the_first_thing_that_is_said(office: Office) -> None:
    office.vm("web")
    office.run("pause", "on", "--why", "audit")

    ran = office.run("plan")

    assert ran.out.startswith("PAUSED since 2026-03-02 08:00 UTC (audit): nothing is applied until")
    assert "applies it" not in ran.out


def test_a_pause_is_told_to_machines(office: Office) -> None:
    before = office.run("plan", "--json").json
    office.run("pause", "on", "--why", "audit")

    assert before["pause"] is None
    assert office.run("plan", "--json").json["pause"] == {
        "since": "2026-03-02T08:00:00+00:00",
        "why": "audit",
    }


def test_a_reason_that_does_not_exist_is_a_wrong_call(office: Office) -> None:
    ran = office.run("plan", "--reason", "NO_VALT")

    assert ran.code == 64
    assert 'did you mean "NO_VAULT"?' in ran.err


def test_an_empty_estate_says_where_to_look(office: Office) -> None:
    ran = office.run("plan")

    assert ran.code == 0
    assert "There is no VM in scope." in ran.out
    assert "config show" in ran.out


def test_orphaned_backups_are_listed(office: Office) -> None:
    machine = office.protected("web")
    office.world.machines.delete(machine.id)

    ran = office.run("plan")

    assert "Orphaned backup of" in ran.out
    assert office.run("plan", "--json").json["orphans"][0]["state"] == "protected"


def test_a_scope_that_shrank_is_shown_before_anything_else_happens(office: Office) -> None:
    machines = [office.vm(f"web-{n}") for n in range(20)]
    office.app.sweep.run()
    for machine in machines[:15]:
        office.world.machines.tag(machine.id, {})

    ran = office.run("plan")

    assert "STOPPED: 20 VMs were in scope at the last sweep, now 5." in ran.out
    assert "goes on after `vmbackup approve" in ran.out
    assert office.run("plan", "--json").json["shrunk"] == {"before": 20, "now": 5}


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_a_table_keeps_to_the_width_of_its_terminal(office: Office, width: int) -> None:
    office.vm("a-machine-with-rather-a-long-name-of-its-own")

    ran = office.run("plan", width=width)

    assert max(len(line) for line in ran.out.splitlines()) <= width
    assert GROUP in ran.out


def test_every_reason_can_be_asked_for_by_its_name(office: Office) -> None:
    asked = [word for reason in Reason for word in ("--reason", reason.name)]

    assert office.run("plan", *asked, "--json").json["verdicts"] == []


def test_the_budget_of_changes_is_said(office: Office) -> None:
    machine = office.protected("web", tag="gold")
    office.world.vaults.stop(machine.id)
    office.configure(
        TOML + '\n[protect]\non_stopped = "resume"\n\n[limits]\nchanges_per_hour = 0\n'
    )

    ran = office.run("plan")

    assert "1 change to items that are protected already (budget: 0 an hour" in ran.out
    assert "goes on after `vmbackup approve" in ran.out
