"""`vmbackup explain`: one VM, one verdict, and the facts that decided."""

import json
from datetime import datetime, timedelta

import pytest

from azsim.estate import found_estate
from azsim.world import World
from tests.cli import GROUP, Office
from tests.clocks import HandClock
from vmbackup_cli.simulate import CONFIGURATION
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.memory import Memory


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


@pytest.mark.parametrize("form", ["web", "WEB", f"{GROUP}/web", "id"])
def test_a_vm_is_found_by_name_group_and_name_or_id(office: Office, form: str) -> None:
    machine = office.vm("web")

    ran = office.run("explain", machine.id if form == "id" else form)

    assert ran.code == 0
    assert "TO_PROTECT" in ran.out
    assert "rule 1 asks for policy gold" in ran.out
    assert "backup=gold" in ran.out


def test_a_whole_id_needs_no_resource_graph(office: Office) -> None:
    machine = office.vm("web")

    office.run("explain", machine.id)

    assert "graph.query" not in {e.route for e in office.world.exchanges}


def test_a_name_that_two_vms_bear_lists_both(office: Office) -> None:
    office.vm("web")
    office.vm("web", group="rg-other")

    ran = office.run("explain", "web")

    assert ran.code == 64
    assert "2 VMs are called web" in ran.err
    assert "/resourcegroups/rg-other/" in ran.err


def test_a_name_that_nobody_bears_suggests_one(office: Office) -> None:
    office.vm("web-01")

    ran = office.run("explain", "web-10")

    assert ran.code == 64
    assert "did you mean web-01?" in ran.err


def test_a_vm_that_is_gone_is_said_so(office: Office) -> None:
    machine = office.vm("web")
    office.world.machines.delete(machine.id)

    ran = office.run("explain", machine.id)

    assert ran.code == 1
    assert "there is no VM" in ran.err


def test_something_that_is_no_vm_is_a_wrong_call(office: Office) -> None:
    assert office.run("explain", "/subscriptions/x").code == 64


def test_the_machine_form_has_the_facts(office: Office) -> None:
    machine = office.protected("web")

    found = office.run("explain", "web", "--json").json

    assert found["reason"] == "PROTECTED"
    assert found["facts"]["asked_policy"] == "gold"
    assert found["facts"]["items"][0]["policy"] == "gold"
    assert found["facts"]["memory"]["machine"] == machine.vm_id
    assert found["facts"]["vaults"][0]["ready"] is True


def test_an_opt_out_says_since_when(office: Office) -> None:
    office.vm("web", tag="off")
    office.app.sweep.run()
    office.world.clock.advance(timedelta(days=3))

    ran = office.run("explain", "web")

    assert "OPTED_OUT" in ran.out
    assert "since 2026-03-02 08:00 UTC (3 days)" in ran.out


class Hurried(HandClock):
    """A clock that is never asked twice in the same second."""

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def test_a_verdict_that_no_sweep_has_seen_has_no_since(office: Office) -> None:
    office.vm("web", tag="off")
    office.change(clock=Hurried(office.world.clock.now()))

    ran = office.run("explain", "web")

    assert "OPTED_OUT" in ran.out
    assert "since" not in ran.out


def test_a_write_whose_end_is_not_known_is_shown(office: Office) -> None:
    machine = office.vm("web")
    now = office.app.clock.now()
    office.app.notebook.remember(VmId.parse(machine.id), Memory(asked="gold", asked_at=now))

    ran = office.run("explain", "web")

    assert "asked for gold at 2026-03-02 08:00 UTC; how that ended is not known yet" in ran.out


def test_a_pause_is_shown(office: Office) -> None:
    office.vm("web")
    office.run("pause", "on", "--why", "audit")

    ran = office.run("explain", "web")

    assert "audit" in ran.out
    assert "Would do:" in ran.out


def test_a_vm_out_of_scope_is_explained_by_its_id(office: Office) -> None:
    machine = office.vm("web", group="vmbackup-drill-x")

    ran = office.run("explain", machine.id)

    assert "EXCLUDED" in ran.out
    assert "is for restore tests" in ran.out


def test_it_says_of_every_vm_what_the_plan_says(world: World) -> None:
    subscriptions = found_estate(world, 40, 8)
    office = Office(world, CONFIGURATION.format(subscriptions=json.dumps(subscriptions)))
    planned = {v["vm"]: v["reason"] for v in office.run("plan", "--json").json["verdicts"]}

    explained = {vm: office.run("explain", vm, "--json").json["reason"] for vm in planned}

    assert explained == planned
    assert office.arm_writes() == []


def test_it_reads_and_changes_nothing_in_azure(office: Office) -> None:
    office.vm("web")

    office.run("explain", f"{GROUP}/web")

    assert office.arm_writes() == []
    assert office.world.exchanges
