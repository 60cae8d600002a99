"""The Durable client of the SDK against the host's management API, over a real loopback socket."""

import json
import threading
import urllib.request
from datetime import timedelta

import pytest

from azsim.clock import ScaledClock
from azsim.host import Status
from azsim.http import Request
from tests.contract.host_apps.opening import MONDAY, open_host

pytestmark = pytest.mark.enable_socket
SECOND = timedelta(seconds=1)


@pytest.fixture
def host():
    with open_host("clients") as opened:
        yield opened


def ask(host, verb, instance="one", given=None):
    answer = host.http("POST", f"api/hub/{verb}/{instance}", body=json.dumps(given).encode())
    host.run_for(SECOND)
    return answer


def body(answer):
    return json.loads(answer.body)


def test_a_client_starts_an_orchestration_and_learns_its_id(host):
    answer = ask(host, "start", given={"a": 1})

    assert body(answer) == "one"
    assert host.instances["one"].status is Status.RUNNING
    assert host.instances["one"].input == {"a": 1}


def test_starting_a_running_instance_raises_with_the_text_of_the_extension(host):
    ask(host, "start")
    answer = ask(host, "start")

    assert answer.status == 409
    text = b"An Orchestration instance with the status Running already exists."
    assert answer.body.startswith(b"Exception: ")
    assert text in answer.body


def test_starting_an_unknown_orchestrator_raises_and_names_the_known_ones(host):
    answer = ask(host, "start-unknown")

    assert b"The function 'nobody' doesn't exist" in answer.body
    assert b"'waits'" in answer.body


@pytest.mark.parametrize("bad", ["a%5Cb", "x" * 101])
def test_a_bad_instance_id_raises(host, bad):
    assert ask(host, "start", bad).status == 409


def test_a_client_raises_an_event_which_arrives_encoded_once_more(host):
    ask(host, "start")
    ask(host, "raise", given={"yes": 1})

    assert host.instances["one"].output == [None, '{"yes": 1}']


def test_raising_an_event_to_an_ended_instance_raises(host):
    ask(host, "start")
    ask(host, "raise")

    assert b"is gone: either completed or failed" in ask(host, "raise").body


def test_raising_an_event_to_nobody_raises(host):
    assert b"No instance with ID one found" in ask(host, "raise").body


def test_a_client_terminates_and_purges(host):
    ask(host, "start")
    ask(host, "terminate", given="enough")

    assert host.instances["one"].status is Status.TERMINATED
    assert body(ask(host, "purge")) == 1
    assert body(ask(host, "purge")) == 0


def test_a_client_sees_status_and_history(host):
    ask(host, "start")
    ask(host, "raise", given=1)

    assert body(ask(host, "status")) == {
        "found": True,
        "status": "Completed",
        "output": [None, "1"],
        "history": ["ExecutionStarted", "EventRaised", "ExecutionCompleted"],
    }


def test_the_status_of_nobody_is_falsy(host):
    assert body(ask(host, "status"))["found"] is False


def test_a_client_suspends_and_resumes(host):
    ask(host, "start")
    ask(host, "suspend", given="wait")
    meanwhile = host.instances["one"].status
    ask(host, "resume", given="go")

    assert (meanwhile, host.instances["one"].status) == (Status.SUSPENDED, Status.RUNNING)


def test_a_client_restarts_an_ended_instance_with_its_input(host):
    ask(host, "start", given=7)
    ask(host, "raise", given=1)
    ask(host, "restart")

    one = host.instances["one"]
    assert (one.status, one.input) == (Status.RUNNING, 7)


def test_rewinding_is_not_simulated_and_says_so(host):
    ask(host, "start")

    assert b"not supported" in ask(host, "rewind", given="x").body


def test_listing_stops_at_a_page_of_a_hundred(host):
    for number in range(101):
        host.start("waits", instance_id=f"n{number}")

    assert len(body(ask(host, "list"))) == 100


ENDED = ["Completed", "Failed", "Terminated"]


def test_instances_are_listed_by_state_and_time_of_creation(host):
    ask(host, "start", "old")
    host.run_for(timedelta(hours=1))
    noon = host.clock.now().isoformat()
    host.run_for(SECOND)
    ask(host, "start", "new")
    ask(host, "raise", "old")

    assert body(ask(host, "list-by", given={"states": ["Running"]})) == ["new"]
    assert body(ask(host, "list-by", given={"states": ENDED})) == ["old"]
    assert body(ask(host, "list-by", given={"states": ["Running"], "to": noon})) == []


def test_ended_instances_are_purged_by_their_time_of_creation(host):
    for name in ("old", "runs"):
        ask(host, "start", name)
    ask(host, "raise", "old")
    host.run_for(timedelta(hours=1))
    noon = host.clock.now().isoformat()
    host.run_for(SECOND)
    ask(host, "start", "new")
    ask(host, "raise", "new")
    span = {"from": "2000-01-01T00:00:00+00:00", "to": noon, "states": ENDED}

    assert body(ask(host, "purge-by", given=span)) == 1
    assert body(ask(host, "purge-by", given=span)) == 0
    assert sorted(host.instances) == ["new", "runs"]


def test_purging_by_time_wants_to_know_since_when(host):
    assert b"created_time_from is required" in ask(host, "purge-by", given={"states": ENDED}).body


def test_an_instance_that_continues_as_new_counts_as_created_anew(host):
    ask(host, "start")
    created = host.instances["one"].created
    host.run_for(timedelta(hours=1))
    ask(host, "raise", given="again")

    assert host.instances["one"].created > created + timedelta(minutes=59)


def test_the_check_status_response_points_to_the_callers_origin(host):
    answer = ask(host, "links")

    assert answer.status == 202
    assert answer.headers["Location"].startswith(
        "https://example.com/runtime/webhooks/durabletask/instances/one?taskHub=TestHubName"
    )


def test_the_same_event_twice_starts_one_orchestration(host):
    answers = []
    event = {"id": "e1", "subject": "vm", "eventType": "t", "eventTime": None, "data": {}}
    request = Request(
        "POST", "https://app/", {"aeg-event-type": "Notification"}, json.dumps([event]).encode()
    )
    for _ in range(2):
        host.event_grid("on_event")(request, answers.append)
    host.run_for(SECOND)

    assert [a.status for a in answers] == [202, 500]
    assert list(host.instances) == ["e1"]


def test_two_hosts_one_after_the_other_both_serve_their_clients():
    for _ in range(2):
        with open_host("clients") as host:
            assert body(ask(host, "start")) == "one"


def test_a_host_on_a_scaled_clock_serves_its_listener_while_it_waits():
    with open_host("clients", ScaledClock(MONDAY, scale=200.0)) as host:
        caller = Caller(f"{host.listen()}/api/hub/start/one")
        caller.start()
        host.run_for(timedelta(minutes=2))
        caller.join(timeout=10)

        assert caller.answer == b'"one"'
        assert host.clock.now() >= MONDAY + timedelta(minutes=2)


class Caller(threading.Thread):
    """Somebody outside who posts once."""

    def __init__(self, url):
        super().__init__()
        self.url, self.answer = url, None

    def run(self):
        request = urllib.request.Request(self.url, data=b"null", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.answer = answer.read()
