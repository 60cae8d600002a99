"""Workflows behind the real Durable client: forgotten when old, told when they stand still."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from azsim.world import World
from tests.scenario.drill_stage import DAY, DRILLS, HOUR, NightStage
from tests.scenario.stage import TOML, Stage, opened
from vmbackup_cli.simulated import ENVIRONMENT
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.intents import EnsureProtected

QUIET = {
    **ENVIRONMENT,
    "VMBACKUP_SWEEP_SCHEDULE": "0 5 6 * * *",
    "VMBACKUP_JANITOR_SCHEDULE": "0 15 6 * * *",
    "VMBACKUP_WATCH_SCHEDULE": "0 30 6 * * *",
    "VMBACKUP_DIGEST_SCHEDULE": "0 10 7 * * *",
    "VMBACKUP_KEEP_WORKFLOWS": "3",
}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    with opened(Stage(world, environment=QUIET)) as stage:
        yield stage


def key_of(stage: Stage, name: str = "web") -> str:
    return EnsureProtected(VmId.parse(stage.id(name))).key


def lines(stage: Stage, *words: str) -> list[str]:
    return [line for line in stage.journal.lines if all(word in line for word in words)]


def test_a_workflow_that_ended_long_ago_is_forgotten(stage: Stage):
    stage.create_vault()
    stage.create_vm("web")
    stage.run(HOUR)
    assert stage.host is not None
    before = list(stage.host.instances)

    stage.run(2 * DAY)
    still = list(stage.host.instances)
    stage.run(2 * DAY)

    assert before == still == [key_of(stage)]
    assert list(stage.host.instances) == []
    assert lines(stage, "outcome", "1 that ended long ago forgotten") != []
    assert stage.failures() == []


def test_a_workflow_that_the_engine_lost_is_told_and_the_others_are_not(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", agent_after=2 * HOUR)
    stage.run(10 * MINUTE)
    hub = stage.durable.hub("vmbackup")
    hub.alarms.clear()  # The message that would wake it is lost.

    stage.run(DAY)

    (line,) = lines(stage, "alarm")
    assert f"workflow stuck: {key_of(stage)} (protect) was to go on at" in line
    (stuck,) = stage.app.upkeep.standing().stuck
    assert stuck.key == key_of(stage)
    assert stage.failures() == []


def test_after_the_app_was_away_nothing_looks_stuck(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", agent_after=20 * HOUR)
    stage.run(HOUR)
    assert stage.host is not None
    stage.host.crash()
    stage.world.clock.advance(DAY)

    stage.begin()
    stage.run(HOUR)

    assert lines(stage, "alarm") == []
    assert stage.failures() == []


def test_a_workflow_that_failed_is_told_once(stage: Stage):
    assert stage.host is not None
    stage.host.start("workflow", instance_id="odd-1", input={"kind": "odd", "state": {}})

    stage.run(2 * DAY)

    (line,) = lines(stage, "alarm")
    assert "workflow failed: odd-1" in line


# Another version takes over what is under way.


@pytest.fixture
def night(world: World) -> Iterator[NightStage]:
    with opened(NightStage(world, TOML + DRILLS)) as stage:
        yield stage  # type: ignore[misc]


def rewrite_state(stage: Stage, key: str) -> None:
    """Let the last state of a workflow be one that another version wrote."""
    (last, *_) = [
        event
        for event in reversed(stage.durable.hub("vmbackup").instances[key].history)
        if event.get("Result")
    ]
    given: Any = json.loads(last["Result"])
    given["state"] = {**given["state"], "schema": 99, "unheard": "of"}
    last["Result"] = json.dumps(given)


def test_a_restore_test_of_another_version_ends_without_a_verdict_and_is_cleaned(
    night: NightStage,
):
    night.prepare("web")
    night.until(1, 3)
    (run,) = (one.id for one in night.instances("workflow") if one.id.startswith("drill-"))
    before = night.in_slots()
    rewrite_state(night, run)

    night.run(2 * HOUR)

    assert len(before) > 0
    assert night.in_slots() == []
    first, cleaned = night.bodies()
    assert (first["verdict"], first["ending"]) == ("NOT_PROVEN", "OTHER_VERSION")
    assert cleaned["clean"]
    assert night.app.restore_tests().slots.leases() == ()
    assert night.failures() == []


def test_protecting_goes_on_where_another_version_began(stage: Stage):
    stage.create_vault()
    stage.create_vm("web", agent_after=HOUR)
    stage.run(10 * MINUTE)
    rewrite_state(stage, key_of(stage))

    stage.run(4 * HOUR)

    assert stage.policy_of("web") == "gold"
    assert stage.effective_enables("web") == 1
    assert stage.failures() == []
