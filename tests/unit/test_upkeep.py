"""Workflows that should have ended are told once a day, each in one line that an alarm matches."""

from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

import function_app
from tests.blobs import MemoryBlobs
from tests.builders import NOW
from tests.clocks import HandClock
from tests.small_app import Lines
from vmbackup_core.app.upkeep import Upkeep
from vmbackup_core.domain.upkeep import BOUNDS, GRACE, OLD, Family, Seen, find_stuck

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def seen(family: Family = Family.PROTECT, **more: Any) -> Seen:
    return Seen(**{"key": "w", "family": family, "created": NOW, "heard": NOW, **more})


@pytest.mark.parametrize("family", Family)
def test_a_workflow_may_run_until_its_bound(family: Family):
    one = seen(family)

    assert find_stuck([one], NOW + BOUNDS[family] + GRACE) == ()
    (stuck,) = find_stuck([one], NOW + BOUNDS[family] + GRACE + HOUR)
    assert (stuck.since, stuck.why) == (NOW, "runs beyond its bound; it began")


def test_nothing_younger_than_what_is_asked_for_can_be_beyond_its_bound():
    assert all(find_stuck([seen(family)], NOW + OLD) == () for family in Family)


def test_a_workflow_counts_from_its_own_beginning_though_its_history_is_new():
    one = seen(created=NOW + 26 * HOUR, began=NOW)

    assert find_stuck([one], NOW + 27 * HOUR) != ()


def test_a_workflow_that_does_not_go_on_when_it_should_is_stuck_long_before_its_bound():
    one = seen(due=NOW + HOUR)

    assert find_stuck([one], NOW + 3 * HOUR) == ()
    (stuck,) = find_stuck([one], NOW + 4 * HOUR)
    assert str(stuck) == f"w (protect) was to go on at {NOW + HOUR:%Y-%m-%d %H:%M} UTC"


def test_a_workflow_that_waits_for_a_time_to_come_is_not_stuck():
    assert find_stuck([seen(due=NOW + 20 * HOUR)], NOW + 19 * HOUR) == ()


def test_a_suspended_workflow_waits_for_a_person():
    (stuck,) = find_stuck([seen(halted=True)], NOW)

    assert "was suspended" in str(stuck)


def test_one_that_is_listed_twice_is_told_once():
    assert len(find_stuck([seen(), seen()], NOW + 2 * DAY)) == 1


def test_the_trigger_asks_for_every_state_that_a_workflow_can_be_in():
    states = [*function_app.OPEN, *function_app.ENDED]

    assert sorted(states, key=str) == sorted(df.OrchestrationRuntimeStatus, key=str)


# What is told.


class Engine:
    """What the engine lists, as the trigger hands it on."""

    def __init__(self, place: str = "app") -> None:
        self.clock, self.blobs, self.journal = HandClock(NOW), MemoryBlobs(), Lines()
        self.upkeep = Upkeep(self.blobs, self.journal, self.clock, 30 * DAY, place)

    def workflow(self, key: str = "protect-1", **more: Any) -> dict[str, Any]:
        at = self.clock.now()
        listed = {"key": key, "name": "workflow", "state": "Running", "created": at, "heard": at}
        return {**listed, "status": None, **more}

    def alarms(self) -> list[str]:
        return [text for kind, text in self.journal.lines if kind == "alarm"]


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_each_stuck_workflow_is_a_line_that_an_alarm_matches(engine: Engine):
    old = engine.workflow(created=NOW - 2 * DAY)

    engine.upkeep.report([old, old, engine.workflow("protect-2")])

    since = f"{NOW - 2 * DAY:%Y-%m-%d %H:%M}"
    assert engine.alarms() == [
        f"workflow stuck: protect-1 (protect) runs beyond its bound; it began {since} UTC"
    ]


def test_each_failed_workflow_is_told_once(engine: Engine):
    failed = engine.workflow("drill-1", state="Failed")
    engine.clock.pause(timedelta(seconds=1))

    engine.upkeep.report([failed])
    engine.upkeep.report([failed])

    assert [line.partition(" (")[0] for line in engine.alarms()] == ["workflow failed: drill-1"]


def test_many_are_named_up_to_a_number(engine: Engine):
    engine.upkeep.report(
        engine.workflow(f"protect-{n:02}", created=NOW - 2 * DAY) for n in range(30)
    )

    assert len(engine.alarms()) == 21
    assert engine.alarms()[-1] == "workflow stuck: 10 more"


@pytest.mark.parametrize(
    ("key", "name", "status", "family"),
    [
        ("protect-1", "workflow", None, Family.PROTECT),
        ("drill-1", "workflow", None, Family.DRILL),
        ("janitor", "workflow", None, Family.JANITOR),
        ("janitor", "workflow", "no object", Family.JANITOR),
        ("x", "workflow", {"kind": "protect", "began": NOW.isoformat()}, Family.PROTECT),
        ("night-1", "night", None, Family.NIGHT),
        ("night-1-0", "lane", None, Family.NIGHT),
    ],
)
def test_what_a_workflow_is_for_is_known(
    engine: Engine, key: str, name: str, status: Any, family: Family
):
    one = engine.workflow(key, name=name, status=status, created=NOW - 9 * DAY)

    assert [stuck.family for stuck in engine.upkeep.report([one]).stuck] == [family]


def test_a_workflow_says_itself_when_it_is_to_go_on(engine: Engine):
    said = {"kind": "drill", "began": NOW.isoformat(), "until": (NOW - 5 * HOUR).isoformat()}

    (stuck,) = engine.upkeep.report([engine.workflow("drill-1", status=said)]).stuck

    assert stuck.since == NOW - 5 * HOUR


def test_what_stands_still_is_there_for_the_digest_from_all_apps(engine: Engine):
    drills = Upkeep(engine.blobs, engine.journal, engine.clock, 30 * DAY, "drills")
    engine.upkeep.report([engine.workflow(created=NOW - 2 * DAY)])
    drills.report([engine.workflow("drill-1", created=NOW - 9 * DAY)])

    assert {one.key for one in engine.upkeep.standing().stuck} == {"protect-1", "drill-1"}


def test_what_was_told_long_ago_is_not_in_the_digest(engine: Engine):
    engine.upkeep.report([engine.workflow(created=NOW - 2 * DAY)])
    engine.clock.pause(2 * DAY)

    assert engine.upkeep.standing().stuck == ()


@pytest.mark.parametrize("content", [b"not JSON", b'{"colour": "red"}'])
def test_what_another_version_told_is_told_anew(engine: Engine, content: bytes):
    engine.blobs.create("workflows/app.json", content)

    engine.upkeep.report([engine.workflow(created=NOW - 2 * DAY)])

    assert [one.key for one in engine.upkeep.standing().stuck] == ["protect-1"]


def test_what_ended_a_month_ago_may_be_forgotten(engine: Engine):
    assert engine.upkeep.forget_before() == NOW - 30 * DAY
