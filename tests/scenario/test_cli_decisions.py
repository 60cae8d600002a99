"""`vmbackup approve` and `vmbackup pause`: people decide, and it stands in the evidence."""

import pytest

from azsim.world import World
from tests.cli import TOML, Office

SPENT = TOML + '\n[protect]\non_stopped = "resume"\n\n[limits]\nchanges_per_hour = 0\n'


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_an_approved_change_does_not_draw_from_the_budget(office: Office) -> None:
    machine = office.protected("web")
    office.world.vaults.stop(machine.id)
    office.configure(SPENT)
    digest = office.run("plan", "--json").json["hash"]

    held = office.run("protect", "--yes")
    approved = office.run("approve", digest[:12])
    done = office.run("protect", "--yes")

    assert (held.code, approved.code, done.code) == (1, 0, 0)
    assert "BUDGET_SPENT" in held.out
    assert "1 change to items" in approved.out
    assert office.policy_of(machine) == "gold"


def test_an_approval_says_until_when_and_what_it_covers(office: Office) -> None:
    office.vm("web")
    digest = office.run("plan", "--json").json["hash"]

    ran = office.run("approve", digest)

    assert "until 2026-03-03 08:00 UTC" in ran.out
    assert "It covers the steps for 1 VM" in ran.out
    assert office.arm_writes() == []


def test_an_approval_in_machine_form(office: Office) -> None:
    office.vm("web")
    digest = office.run("plan", "--json").json["hash"]

    found = office.run("approve", digest, "--json").json

    assert found["hash"] == digest
    assert found["vms"] == 1


def test_another_plan_than_the_one_that_was_shown_is_not_approved(office: Office) -> None:
    office.vm("web")
    digest = office.run("plan", "--json").json["hash"]
    office.vm("db")

    ran = office.run("approve", digest)

    assert ran.code == 1
    assert "the plan has changed" in ran.err


def test_approving_lets_a_scope_that_shrank_go_on(office: Office) -> None:
    machines = [office.vm(f"web-{n}") for n in range(20)]
    office.app.sweep.run()
    for machine in machines[:15]:
        office.world.machines.tag(machine.id, {})
    digest = office.run("plan", "--json").json["hash"]

    ran = office.run("approve", digest)

    assert "It accepts that 5 VMs are in scope." in ran.out
    assert office.run("protect", "--yes").code == 0


def test_a_pause_begins_is_seen_and_ends(office: Office) -> None:
    assert office.run("pause", "status").out == "Not paused.\n"

    begun = office.run("pause", "on", "--why", "network change")
    seen = office.run("pause", "status")
    machine = office.run("pause", "status", "--json").json
    ended = office.run("pause", "off")

    assert "network change" in begun.out
    assert seen.out == "Paused since 2026-03-02 08:00 UTC: network change\n"
    assert machine == {
        "paused": True,
        "since": "2026-03-02T08:00:00+00:00",
        "why": "network change",
    }
    assert "has ended" in ended.out
    assert office.run("pause", "off").out == "There was no pause.\n"


def test_a_second_pause_says_that_there_was_one(office: Office) -> None:
    office.run("pause", "on", "--why", "one")

    assert "paused already since" in office.run("pause", "on", "--why", "two").out


def test_a_pause_needs_a_reason(office: Office) -> None:
    ran = office.run("pause", "on")

    assert ran.code == 64
    assert "--why" in ran.err


def test_decisions_stand_in_the_evidence_without_what_people_wrote(office: Office) -> None:
    office.run("pause", "on", "--why", "Jane is on holiday")
    office.run("pause", "off")

    found = office.run("evidence", "show", "--kind", "control", "--json").json["records"]

    assert [record["body"]["did"] for record in found] == ["paused", "resumed"]
    assert "Jane" not in str(found)
