"""Nights of restore tests behind their triggers: planned, run in lanes, cleaned, recorded."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from azsim.world import World
from tests.scenario.drill_stage import DAY, DRILLS, HOUR, NightStage
from tests.scenario.stage import TOML, opened


@pytest.fixture
def night(world: World) -> Iterator[NightStage]:
    with opened(NightStage(world, TOML + DRILLS)) as stage:
        yield stage  # type: ignore[misc]


def test_a_night_proves_a_vm_and_leaves_nothing(night: NightStage):
    night.prepare("web")

    night.run(3 * HOUR)

    (body,) = night.bodies()
    assert (body["verdict"], body["reached"], body["clean"]) == ("PROVEN", "boot", True)
    assert body["isolation"] == "proven"
    assert night.in_slots() == []
    assert night.failures() == []


def test_vms_that_share_a_slot_are_tested_one_after_the_other(night: NightStage):
    night.prepare("web", "db")

    night.run(3 * HOUR)

    assert sorted(night.proven()) == ["db", "web"]
    assert {body["slot"].rpartition("-")[2] for body in night.bodies()} == {"1"}
    first, second = night.bodies()
    assert second["clocks"]["queue"] > first["clocks"]["restore"] + first["clocks"]["boot"]
    assert len(night.instances("lane")) == 1


def test_what_was_proven_is_not_tested_again_the_next_night(night: NightStage):
    night.prepare("web")
    before = len(night.instances("night"))

    night.run(2 * DAY)

    assert night.proven() == ["web"]
    assert len(night.instances("night")) == before + 2


@pytest.mark.long
def test_a_night_that_is_triggered_again_after_its_end_tests_nobody_more(night: NightStage):
    night.configure(TOML + DRILLS.replace("[drills]", "[drills]\nper_night = 1"))
    night.prepare("web", "db")
    night.run(3 * HOUR)
    before = night.proven()

    night.host.start("night", instance_id=night.app.restore_tests().planning.night.key())
    night.run(2 * HOUR)

    assert len(before) == 1
    assert night.proven() == before


def test_without_a_drill_plan_the_timers_start_nothing(night: NightStage):
    night.configure(TOML)
    night.prepare("web")

    night.run(3 * HOUR)

    assert night.bodies() == []
    assert night.instances("night") == []
    assert "janitor" not in {one.id for one in night.instances("workflow")}
    assert any("no [drills] is configured" in line for line in night.journal.lines)


def test_a_run_that_dies_is_cleaned_up_by_the_janitor(night: NightStage):
    night.prepare("web")
    night.until(1, 3)
    (run,) = (one.id for one in night.instances("workflow") if one.id.startswith("drill-"))
    before = night.in_slots()
    assert night.host is not None
    night.host.terminate(run)

    night.run(3 * HOUR)

    assert len(before) > 0
    assert night.in_slots() == []
    (body,) = night.bodies()
    assert (body["ending"], body["clean"]) == ("OVERDUE", True)


# Asked for by a person.


def test_a_person_asks_for_a_test_and_follows_it(night: NightStage):
    night.prepare("web")

    asked = night.ask(vm=night.id("web"), rung="disks")
    run = json.loads(asked.body)["run"]
    queued = night.status(run)
    night.run(timedelta(minutes=1))
    under_way = json.loads(night.status(run).body)
    night.run(HOUR - timedelta(minutes=10))
    ended = json.loads(night.status(run).body)

    assert asked.status == 202
    assert json.loads(asked.body)["status"].endswith(f"/api/drills/{run}")
    assert queued.status == 404  # Nothing of it has run yet.
    assert (under_way["state"], under_way["now"]["reason"]) == ("running", "RESTORING")
    assert (ended["state"], ended["record"]["verdict"]) == ("ended", "PROVEN")
    assert ended["record"]["reached"] == "disks"


def test_nobody_starts_a_test_without_the_functions_key(night: NightStage):
    assert night.host is not None

    assert night.host.http("POST", "api/drills", body=b"{}").status == 401
    assert night.host.http("GET", "api/drills/drill-x").status == 401


def test_everything_that_is_wrong_with_a_wish_is_said_at_once(night: NightStage):
    answer = night.ask(vm="web", rung="roof", keep="long", colour="red")

    assert answer.status == 400
    assert [fault.partition(":")[0] for fault in json.loads(answer.body)["faults"]] == [
        "colour",
        "keep",
        "rung",
        "vm",
    ]


def test_a_vm_that_is_not_there_or_not_protected_is_not_tested(night: NightStage):
    night.create_vm("web", tag=None)

    missing = night.ask(vm=night.id("nobody"))
    unprotected = night.ask(vm=night.id("web"))

    assert (missing.status, unprotected.status) == (400, 400)
    assert "there is no VM" in json.loads(missing.body)["faults"][0]
    assert "nothing to prove" in json.loads(unprotected.body)["faults"][0]


def test_without_a_drill_plan_nobody_starts_a_test(night: NightStage):
    night.configure(TOML)

    answer = night.ask(vm=night.id("web"))

    assert answer.status == 409
    assert "no [drills]" in json.loads(answer.body)["faults"][0]


@pytest.mark.parametrize("run", ["drill-unknown", "janitor", "protect-0"])
def test_a_run_that_nobody_knows_is_not_found(night: NightStage, run: str):
    assert night.status(run).status == 404
