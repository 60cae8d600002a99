"""Durable Functions in the host's double: the real SDK's orchestrators, in virtual time."""

import sys
from datetime import timedelta

import pytest

from azsim.clock import Clock
from azsim.host import (
    DurableStorage,
    HostFaults,
    HostStuck,
    Mishap,
    NotSimulated,
    ProcessKilled,
    Refused,
    Status,
)
from tests.contract.host_apps.opening import MONDAY, count, open_host

HUB = {"HUB": "tests"}
HOUR = timedelta(hours=1)


@pytest.fixture
def host():
    with open_host("workflows", environment=HUB) as opened:
        yield opened


def ran():
    return sys.modules["function_app"].ran


def kinds(orchestration):
    return [event["EventType"] for event in orchestration.history]


def test_activities_run_in_turn_and_their_results_come_back(host):
    host.start("in_turn", instance_id="one", input={"words": ["a", "b"]})
    host.run_until_idle(HOUR)

    one = host.instances["one"]
    assert (one.status, one.output) == (Status.COMPLETED, ["A", "B"])
    assert one.input == {"words": ["a", "b"]}


def test_each_turn_replays_the_whole_history(host):
    host.start("in_turn", instance_id="one", input={"words": ["a", "b"]})
    host.run_until_idle(HOUR)

    assert count(host, "in_turn") == 3
    assert kinds(host.instances["one"]) == [12, 0, 4, 13, 12, 5, 4, 13, 12, 5, 1, 13]


def test_completions_of_one_instant_share_an_episode(host):
    host.start("all_at_once", instance_id="one", input=["a", "b", "c"])
    host.run_until_idle(HOUR)

    assert host.instances["one"].output == ["A", "B", "C"]
    assert count(host, "all_at_once") == 2


def test_no_more_activities_are_in_flight_than_host_json_says(host):
    host.start("all_at_once", instance_id="one", input=list("abcdefgh"))
    host.run_until_idle(HOUR)

    assert count(host, "all_at_once") == 3


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_repeats_the_order_of_activities(seed):
    orders = []
    for _ in range(2):
        with open_host("workflows", environment=HUB, seed=seed) as host:
            host.start("all_at_once", input=list("abcdefgh"))
            host.run_until_idle(HOUR)
            orders.append(list(ran()))

    assert orders[0] == orders[1]


def test_a_timer_wakes_its_orchestration(host):
    host.start("waiter", instance_id="one", input=2)
    host.run_for(timedelta(days=2))

    assert host.instances["one"].output == 2


def test_a_long_timer_is_split_and_still_ends_on_time(host):
    host.start("waiter", instance_id="one", input=10)
    host.run_until(MONDAY + timedelta(days=9))
    before = host.instances["one"].status
    host.run_for(timedelta(days=1))

    assert (before, host.instances["one"].output) == (Status.RUNNING, 10)
    assert kinds(host.instances["one"]).count(10) == 3


def test_an_event_that_is_waited_for_continues_the_orchestration(host):
    host.start("approval", instance_id="one", input=True)
    host.run_for(timedelta(minutes=1))
    host.raise_event("one", "answer", {"yes": 1})
    host.run_for(timedelta(minutes=1))

    assert host.instances["one"].output == {"yes": 1}


def test_a_timer_that_was_not_cancelled_holds_the_end_up(host):
    host.start("approval", instance_id="one", input=False)
    host.run_for(timedelta(minutes=1))
    host.raise_event("one", "answer", "yes")
    host.run_for(timedelta(minutes=1))
    before = host.instances["one"].status
    host.run_for(HOUR)

    assert before is Status.RUNNING
    assert (host.instances["one"].status, host.instances["one"].output) == (
        Status.COMPLETED,
        "yes",
    )


def test_nobody_answering_lets_the_timer_win(host):
    host.start("approval", instance_id="one", input=True)
    host.run_for(HOUR)

    assert host.instances["one"].output == "too late"


def test_an_event_raised_before_it_is_waited_for_is_kept(host):
    host.start("busy_first", instance_id="one")
    host.run_for(timedelta(minutes=1))
    host.raise_event("one", "answer", 42)
    host.run_for(timedelta(minutes=10))

    assert host.instances["one"].output == 42


def test_a_child_runs_under_its_own_id_and_returns_to_its_parent(host):
    given = {"child": "in_turn", "input": {"words": ["x"]}, "id": "the-child"}
    host.start("parent", instance_id="one", input=given)
    host.run_until_idle(HOUR)

    assert host.instances["one"].output == ["X"]
    assert host.instances["the-child"].parent == "one"


def test_a_child_without_an_id_gets_one_from_its_parents_execution(host):
    host.start("parent", instance_id="one", input={"child": "in_turn", "input": {}, "id": None})
    host.run_until_idle(HOUR)

    (child,) = [i for i in host.instances.values() if i.parent == "one"]
    assert child.id.endswith(":0")


def test_a_failing_child_fails_in_its_parent(host):
    host.start("parent", instance_id="one", input={"child": "failing", "input": None, "id": "c"})
    host.run_until_idle(HOUR)

    assert host.instances["c"].status is Status.FAILED
    assert "Orchestrator function 'failing' failed: the end" in host.instances["one"].output


def test_an_orchestrator_that_raises_fails_with_its_message(host):
    host.start("failing", instance_id="one")
    host.run_until_idle(HOUR)

    one = host.instances["one"]
    assert one.status is Status.FAILED
    assert one.output == "Orchestrator function 'failing' failed: the end"


def test_a_failed_activity_can_be_caught(host):
    host.start("careful", instance_id="one")
    host.run_until_idle(HOUR)

    assert "Activity function 'fails_so_often' failed" in host.instances["one"].output
    assert "ValueError: run 1" in host.instances["one"].output


def test_a_failed_activity_that_is_not_caught_fails_the_orchestration(host):
    host.start("careless", instance_id="one")
    host.run_until_idle(HOUR)

    assert host.instances["one"].status is Status.FAILED


def test_an_activity_is_retried_as_its_options_say(host):
    host.start("persistent", instance_id="one", input=2)
    host.run_until_idle(HOUR)

    assert host.instances["one"].output == [3, 10]


def test_after_the_last_attempt_one_more_wait_comes_before_the_error(host):
    host.start("persistent", instance_id="one", input=9)
    host.run_until_idle(HOUR)

    assert host.instances["one"].output == ["gave up", 15]
    assert len(ran()) == 3


def test_continuing_as_new_forgets_the_history_but_not_the_id(host):
    host.start("counter", instance_id="one", input=1)
    host.run_for(timedelta(minutes=1, seconds=30))
    middle = host.instances["one"]
    host.run_until_idle(HOUR)

    assert (middle.status, middle.input, middle.custom_status) == (
        Status.RUNNING,
        2,
        {"number": 2},
    )
    assert host.instances["one"].output == 3
    assert host.clock.now() == MONDAY + timedelta(minutes=3)


def test_events_that_come_between_two_executions_are_not_lost(host):
    host.start("mailbox", instance_id="one")
    host.run_for(timedelta(minutes=1))
    for letter in "abc":
        host.raise_event("one", "letter", letter)
        host.run_for(timedelta(minutes=2))

    assert host.instances["one"].output == ["a", "b", "c"]


def test_an_event_that_nobody_claimed_is_dropped_when_continuing_as_new(host):
    host.start("mailbox", instance_id="one")
    host.run_for(timedelta(minutes=1))
    host.raise_event("one", "letter", "a")
    host.run_for(timedelta(seconds=30))
    host.raise_event("one", "letter", "b")
    host.run_for(timedelta(minutes=5))

    assert host.instances["one"].input == ["a"]


def test_an_event_that_nobody_claimed_can_be_kept_to_try_the_other_answer():
    with open_host("workflows", environment=HUB, keeps_unclaimed_events=True) as host:
        host.start("mailbox", instance_id="one")
        host.run_for(timedelta(minutes=1))
        host.raise_event("one", "letter", "a")
        host.run_for(timedelta(seconds=30))
        host.raise_event("one", "letter", "b")
        host.run_for(timedelta(minutes=5))

        assert host.instances["one"].input == ["a", "b"]


def test_an_orchestrator_that_changes_its_mind_fails_as_non_deterministic(host):
    host.start("moody", instance_id="one")
    host.run_until_idle(HOUR)

    one = host.instances["one"]
    assert one.status is Status.FAILED
    assert one.output.startswith("Non-Deterministic workflow detected: ")
    assert "'shout'" in one.output


def test_after_one_of_several_failed_the_next_step_still_waits_for_the_others(host):
    host.start("hasty", instance_id="one")
    host.run_for(timedelta(minutes=30))
    before = count(host, "shout")
    host.run_for(HOUR)

    assert (before, host.instances["one"].output) == (0, "AT LAST")


def test_an_answer_within_a_split_timer_is_acted_on_only_when_its_leg_ends(host):
    host.start("patient_approval", instance_id="one")
    host.run_for(timedelta(days=4))
    host.raise_event("one", "answer", "yes")
    host.run_until(MONDAY + timedelta(days=5))
    before = count(host, "shout")
    host.run_until(MONDAY + timedelta(days=10))

    assert (before, count(host, "shout")) == (0, 1)


def test_calling_an_unknown_activity_fails_and_names_the_known_ones(host):
    host.start("calls_nobody", instance_id="one")
    host.run_until_idle(HOUR)

    assert "The function 'nobody' doesn't exist" in host.instances["one"].output
    assert "'fails_so_often', 'shout'" in host.instances["one"].output


def test_a_custom_status_over_16_kb_fails_the_orchestration(host):
    host.start("talkative", instance_id="one")
    host.run_until_idle(HOUR)

    assert "must not exceed 16 KB" in host.instances["one"].output


def test_what_is_not_simulated_stops_the_run_instead_of_being_guessed(host):
    host.start("calls_http")

    with pytest.raises(NotSimulated, match="type 8"):
        host.run_until_idle(HOUR)


def test_an_orchestration_that_spins_without_letting_time_pass_is_found():
    with open_host("workflows", environment=HUB, most_steps_of_an_instant=50) as host:
        host.start("spinning")

        with pytest.raises(HostStuck):
            host.run_until_idle(HOUR)


def test_a_running_instance_cannot_be_started_again(host):
    host.start("waiter", instance_id="one", input=1)
    host.run_for(HOUR)

    with pytest.raises(Refused, match="with the status Running already exists"):
        host.start("waiter", instance_id="one", input=1)


def test_an_ended_instance_can_be_started_again(host):
    host.start("in_turn", instance_id="one", input={"words": ["a"]})
    host.run_until_idle(HOUR)
    host.start("in_turn", instance_id="one", input={"words": ["b"]})
    host.run_until_idle(HOUR)

    assert host.instances["one"].output == ["B"]


@pytest.mark.parametrize("bad", ["a/b", "a\\b", "a#b", "a?b", "@a", "a\n", "x" * 101])
def test_an_instance_id_that_azure_would_refuse_is_refused(host, bad):
    with pytest.raises(Refused):
        host.start("waiter", instance_id=bad, input=1)


def test_terminating_ends_an_orchestration_at_its_next_turn(host):
    host.start("waiter", instance_id="one", input=1)
    host.run_for(HOUR)
    host.terminate("one", "enough")
    host.run_for(timedelta(0))

    one = host.instances["one"]
    assert (one.status, one.output) == (Status.TERMINATED, "enough")


def test_a_suspended_orchestration_takes_its_events_when_resumed(host):
    host.start("busy_first", instance_id="one")
    host.run_for(timedelta(minutes=1))
    host.suspend("one")
    host.run_for(timedelta(minutes=1))
    host.raise_event("one", "answer", "yes")
    host.run_for(timedelta(minutes=10))
    meanwhile = host.instances["one"].status
    host.resume("one")
    host.run_for(timedelta(minutes=1))

    assert meanwhile is Status.SUSPENDED
    assert host.instances["one"].output == "yes"


def test_purging_takes_only_what_has_ended(host):
    host.start("waiter", instance_id="running", input=1)
    host.start("in_turn", instance_id="ended", input={"words": []})
    host.run_for(HOUR)

    assert host.purge() == 1
    assert list(host.instances) == ["running"]
    with pytest.raises(Refused, match="terminal state"):
        host.purge("running")


def test_an_event_to_an_ended_orchestration_is_refused(host):
    host.start("in_turn", instance_id="one", input={"words": []})
    host.run_for(HOUR)

    with pytest.raises(Refused) as caught:
        host.raise_event("one", "answer")
    assert caught.value.status == 410


def test_a_waiting_orchestration_keeps_the_host_busy_until_the_limit(host):
    host.start("waiter", input=1)

    assert not host.run_until_idle(HOUR)
    assert host.clock.now() == MONDAY + HOUR


def test_an_activity_can_be_delivered_twice_and_counts_once():
    faults = HostFaults()
    faults.add("shout", Mishap.TWICE)
    with open_host("workflows", environment=HUB, faults=faults) as host:
        host.start("in_turn", instance_id="one", input={"words": ["a", "b"]})
        host.run_until_idle(HOUR)

        assert ran() == ["a", "a", "b"]
        assert host.instances["one"].output == ["A", "B"]
        assert faults.unused() == ()


@pytest.mark.parametrize(
    ("mishap", "runs", "minutes"),
    [
        (Mishap.KILLED_BEFORE, ["a", "b"], 5),
        (Mishap.KILLED_AFTER, ["a", "a", "b"], 5),
        (Mishap.TWICE_LATE, ["a", "b", "a"], 0),
    ],
)
def test_an_activity_whose_result_is_lost_is_delivered_again(mishap, runs, minutes):
    faults = HostFaults()
    faults.add("shout", mishap)
    with open_host("workflows", environment=HUB, faults=faults) as host:
        host.start("in_turn", instance_id="one", input={"words": ["a", "b"]})
        host.run_until_idle(HOUR)

        assert ran() == runs
        assert host.instances["one"].output == ["A", "B"]
        assert host.instances["one"].updated == MONDAY + timedelta(minutes=minutes)


def test_a_process_can_be_killed_anywhere_inside_a_function(host):
    app = sys.modules["function_app"]
    host.start("in_turn", instance_id="one", input={"words": ["a"]})
    app.ran = _Deadly()
    host.run_until_idle(HOUR)

    assert [line.status.value for line in host.invocations if line.function == "shout"] == [
        "Killed",
        "Succeeded",
    ]
    assert host.instances["one"].output == ["A"]


class _Deadly(list):
    """A list that kills the process when something is appended for the first time."""

    def append(self, thing):
        if not self:
            super().append("killed")
            raise ProcessKilled


def test_a_turn_in_which_the_process_dies_is_taken_again_when_its_lease_ends(host):
    host.start("mortal", instance_id="one")
    host.run_until_idle(HOUR)

    assert host.instances["one"].output == "AGAIN"
    assert host.clock.now() == MONDAY + timedelta(minutes=5)


def test_a_turn_in_which_the_process_dies_is_taken_at_once_by_the_next_host():
    clock, storage = Clock(MONDAY), DurableStorage()
    with open_host("workflows", clock, environment=HUB, durable=storage) as host:
        host.start("mortal", instance_id="one")
        host.run_for(timedelta(0))
        host.crash()
    with open_host("workflows", clock, environment=HUB, durable=storage) as host:
        ran().append("reborn")
        host.run_for(timedelta(0))

        assert host.instances["one"].output == "AGAIN"


@pytest.mark.parametrize("minutes", range(0, 4))
def test_a_crash_at_any_moment_changes_nothing_in_the_end(minutes):
    clock, storage = Clock(MONDAY), DurableStorage()
    with open_host("workflows", clock, environment=HUB, durable=storage) as host:
        host.start("counter", instance_id="one", input=1)
        host.run_for(timedelta(minutes=minutes))
        host.crash()
    clock.advance(timedelta(seconds=30))
    with open_host("workflows", clock, environment=HUB, durable=storage) as host:
        host.run_until_idle(HOUR)

        assert host.instances["one"].output == 3


def test_a_timer_that_fired_while_no_host_was_up_is_taken_up_by_the_next():
    clock, storage = Clock(MONDAY), DurableStorage()
    with open_host("workflows", clock, environment=HUB, durable=storage) as host:
        host.start("waiter", instance_id="one", input=1)
        host.run_for(HOUR)
    clock.advance(timedelta(days=2))
    with open_host("workflows", clock, environment=HUB, durable=storage) as host:
        host.run_for(timedelta(0))

        assert host.instances["one"].status is Status.COMPLETED


def test_hubs_of_different_names_do_not_see_each_other():
    storage = DurableStorage()
    with open_host("workflows", environment={"HUB": "a"}, durable=storage) as host:
        host.start("waiter", input=1)
    with open_host("workflows", environment={"HUB": "b"}, durable=storage) as host:
        assert host.instances == {}
