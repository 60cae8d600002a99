"""`vmbackup protect`: the app's own turns, taken from a laptop, in virtual time."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.world import World
from tests.cli import OBSERVING, Office
from vmbackup_core.ports import Clock


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_everything_that_is_due_is_protected(office: Office) -> None:
    web, db = office.vm("web", tag="gold"), office.vm("db", tag="bronze")
    plain = office.vm("plain", tag=None)

    ran = office.run("protect", "--yes")

    assert ran.code == 0
    assert [office.policy_of(vm) for vm in (web, db, plain)] == ["gold", "standard", ""]
    assert ran.out.count("PROTECTED") == 2
    assert "plain" not in ran.out


def test_only_the_vms_that_are_named_are_touched(office: Office) -> None:
    web, db = office.vm("web"), office.vm("db")

    assert office.run("protect", "web", "--yes").code == 0

    assert [office.policy_of(vm) for vm in (web, db)] == ["gold", ""]


def test_the_plan_is_shown_and_nothing_is_done_against_a_no(office: Office) -> None:
    office.vm("web")

    ran = office.run("protect", answer=False)

    assert ran.code == 1
    assert "create vault" in ran.err
    assert "Nothing was done." in ran.err
    assert office.arm_writes() == []


def test_a_yes_goes_on(office: Office) -> None:
    web = office.vm("web")

    assert office.run("protect", answer=True).code == 0

    assert office.policy_of(web) == "gold"


def test_where_nobody_can_be_asked_it_says_what_to_say(office: Office) -> None:
    office.vm("web")

    ran = office.run("protect")

    assert ran.code == 64
    assert "--yes" in ran.err
    assert office.arm_writes() == []


def test_nothing_due_is_said(office: Office) -> None:
    office.vm("plain", tag=None)

    ran = office.run("protect")

    assert ran.code == 0
    assert "Nothing is due." in ran.out


def test_a_vm_that_needs_a_person_is_a_failure_of_this_command(office: Office) -> None:
    office.configure(OBSERVING)
    office.vm("web")

    ran = office.run("protect", "web", "--yes")

    assert ran.code == 1
    assert "OBSERVING" in ran.out
    assert office.arm_writes() == []


def test_a_vm_that_asks_for_nothing_is_fine(office: Office) -> None:
    office.vm("plain", tag=None)

    ran = office.run("protect", "plain")

    assert ran.code == 0
    assert "NOT_ASKED" in ran.out


def test_the_pause_holds_here_too(office: Office) -> None:
    office.vm("web")
    office.run("pause", "on", "--why", "audit")

    ran = office.run("protect", "--yes")

    assert ran.code == 1
    assert "PAUSED" in ran.err
    assert "audit" in ran.err
    assert office.arm_writes() == []


def test_what_azure_refuses_stands_in_the_outcome(office: Office) -> None:
    office.vault()
    office.vm("web", tag="gold")
    office.vm("db", tag="gold")
    office.world.faults.add(Fault(route="items.put", kind=Kind.POLICY_DENIED, nth=1, times=1))

    ran = office.run("protect", "--yes")

    assert ran.code == 1
    assert "POLICY_DENIES" in ran.out
    assert "PROTECTED" in ran.out


def test_the_machine_form_is_one_document(office: Office) -> None:
    office.vm("web")

    found = office.run("protect", "--yes", "--json").json

    assert [(one["name"], one["reason"]) for one in found["outcomes"]] == [("web", "PROTECTED")]
    assert found["interrupted"] is False


def test_it_waits_for_a_slow_agent(office: Office) -> None:
    web = office.vm("web")
    office.world.machines.deallocate(web.id)
    slow = office.world.machines.create(
        subscription=web.subscription,
        group=web.group,
        name="slow",
        location=web.location,
        tags={"backup": "gold"},
        agent_after=timedelta(minutes=20),
    )
    began = office.app.clock.now()

    ran = office.run("protect", "--yes")

    assert ran.code == 0
    assert office.policy_of(slow) == "gold"
    assert office.app.clock.now() - began > timedelta(minutes=20)
    assert "AGENT_WAIT" in ran.err


def test_bars_move_on_a_terminal(office: Office) -> None:
    office.vm("web")

    ran = office.run("protect", "--yes", on_terminal=True)

    assert ran.code == 0
    assert "1 VM" in ran.err
    assert "next look in" in ran.err


def test_many_vms_do_not_scroll_a_terminal_away(office: Office) -> None:
    machines = [office.vm(f"web-{n:02}") for n in range(25)]

    ran = office.run("protect", "--yes", on_terminal=True, width=60)

    assert ran.code == 0
    assert {office.policy_of(machine) for machine in machines} == {"gold"}


def test_a_log_gets_a_line_for_each_change_only(office: Office) -> None:
    office.vm("web")

    lines = [line for line in office.run("protect", "--yes").err.splitlines() if "web:" in line]

    assert lines[-1].startswith("web: PROTECTED")
    assert all(one != next_one for one, next_one in pairwise(lines))


def test_a_scope_that_shrank_stops_it(office: Office) -> None:
    machines = [office.vm(f"web-{n}") for n in range(20)]
    office.app.sweep.run()
    for machine in machines[:15]:
        office.world.machines.tag(machine.id, {})

    ran = office.run("protect", "--yes")

    assert ran.code == 1
    assert "vmbackup approve" in ran.err
    assert office.arm_writes() == []


@dataclass(frozen=True)
class Impatient:
    """A clock before which somebody presses Ctrl-C at the first wait of a minute or so."""

    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()

    def pause(self, duration: timedelta) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_says_what_goes_on_and_a_second_run_ends_it(office: Office) -> None:
    office.vault()
    web = office.vm("web")
    patient = office.app
    office.change(clock=Impatient(patient.clock))

    ran = office.run("protect", "--yes")

    assert ran.code == 1
    assert "Interrupted. What was sent goes on in Azure without us:" in ran.err
    assert "web: EnableProtection, sent at" in ran.err

    office.app = replace(patient)
    assert office.run("protect", "--yes").code == 0
    assert office.policy_of(web) == "gold"
    assert sum(e.route == "items.put" for e in office.world.exchanges) == 1


def test_an_interrupted_run_is_marked_for_machines(office: Office) -> None:
    office.vm("web")
    office.change(clock=Impatient(office.app.clock))

    found = office.run("protect", "--yes", "--json").json

    assert found["interrupted"] is True
    assert len(found["under_way"]) == 1
