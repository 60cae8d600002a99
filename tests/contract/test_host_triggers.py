"""Timers, Event Grid and HTTP in the host's double, through the real worker library."""

import json
import sys
from datetime import timedelta

import pytest

from azsim.clock import Clock
from azsim.host import DurableStorage, Host, LoadError
from azsim.host.durable.storage import ScheduleStatus
from azsim.host.functions import resolve
from azsim.http import Request, Response
from tests.contract.host_apps.opening import MONDAY, count, open_host

SETTINGS = {"SWEEP_SCHEDULE": "0 */15 * * * *"}


@pytest.fixture
def host():
    with open_host("triggers", environment=SETTINGS) as opened:
        yield opened


def seen():
    return sys.modules["function_app"].seen


def post(host: Host, payload, **headers) -> list[Response]:
    answers: list[Response] = []
    kind = {"aeg-event-type": "Notification", **headers}
    url = "https://app/runtime/webhooks/EventGrid?functionName=on_event"
    host.event_grid("on_event")(
        Request("POST", url, kind, json.dumps(payload).encode()), answers.append
    )
    return answers


def event(id: str, subject: str = "good"):
    return {
        "id": id,
        "topic": "t",
        "subject": subject,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-03-02T08:00:00.1234567Z",
        "data": {},
        "dataVersion": "2",
    }


def test_the_functions_and_their_bindings_come_from_the_worker(host):
    assert [f.name for f in host.functions][:2] == ["sweep", "nightly"]
    assert host.functions[0].trigger["schedule"] == "%SWEEP_SCHEDULE%"


def test_a_timer_runs_at_each_occurrence_of_its_schedule(host):
    host.run_until(MONDAY + timedelta(minutes=50))

    at = [line.started for line in host.invocations if line.function == "sweep"]
    assert at == [MONDAY + timedelta(minutes=m) for m in (15, 30, 45)]


def test_a_timer_is_told_when_it_ran_last_and_runs_next(host):
    host.run_until(MONDAY + timedelta(minutes=30))

    told = [x for x in seen() if isinstance(x, dict)][-1]
    assert told["past_due"] is False
    assert told["status"] == {
        "Last": "2026-03-02T08:15:00+00:00",
        "LastUpdated": "2026-03-02T08:15:00+00:00",
        "Next": "2026-03-02T08:30:00+00:00",
    }


def test_a_timer_with_run_on_startup_runs_when_the_host_starts(host):
    host.run_for(timedelta(0))

    assert count(host, "nightly") == 1


def test_an_occurrence_that_was_missed_runs_at_start_as_past_due():
    storage = DurableStorage()
    storage.schedules["sweep"] = ScheduleStatus(None, MONDAY - timedelta(minutes=3), None)
    with open_host("triggers", environment=SETTINGS, durable=storage) as host:
        host.run_for(timedelta(0))

        assert seen()[0]["past_due"] is True


def test_a_host_that_was_down_over_an_occurrence_makes_up_for_it_once():
    clock, storage = Clock(MONDAY), DurableStorage()
    with open_host("triggers", clock, environment=SETTINGS, durable=storage) as host:
        host.run_for(timedelta(minutes=16))
    clock.advance(timedelta(hours=2))
    with open_host("triggers", clock, environment=SETTINGS, durable=storage) as host:
        host.run_for(timedelta(minutes=1))

        assert count(host, "sweep") == 1


def test_a_failed_timer_is_retried_by_its_policy(host):
    host.run_until(MONDAY + timedelta(minutes=31))

    at = [line.started for line in host.invocations if line.function == "stumbling"]
    due = MONDAY + timedelta(minutes=30)
    assert at == [due, due + timedelta(seconds=10), due + timedelta(seconds=20)]


def test_a_timer_that_only_fails_is_given_up_and_its_waits_grow(host):
    host.run_until(MONDAY + timedelta(minutes=50))

    lines = [line for line in host.invocations if line.function == "hopeless"]
    due = MONDAY + timedelta(minutes=40)
    assert [(line.started - due).total_seconds() for line in lines] == [0, 10, 30, 60]
    assert lines[-1].exception == "ValueError: never"


def test_an_app_setting_that_is_missing_keeps_the_host_from_starting():
    with pytest.raises(LookupError, match="'%SWEEP_SCHEDULE%' does not resolve"):
        open_host("triggers")


def test_a_setting_may_stand_within_a_text():
    assert resolve("a-%B%-c", {"B": "b"}) == "a-b-c"


def test_an_app_that_cannot_be_imported_is_reported_with_its_cause():
    with pytest.raises(LoadError, match="module_that_nobody_has"):
        open_host("broken")


def test_a_host_leaves_the_process_as_it_found_it():
    path = list(sys.path)

    open_host("triggers", environment=SETTINGS).close()

    assert sys.path == path
    assert "function_app" not in sys.modules


def test_an_event_is_delivered_and_accepted(host):
    answers = post(host, [event("1")])
    host.run_for(timedelta(0))

    assert [a.status for a in answers] == [202]
    assert ("EventGridEvent", "1", "good") in seen()


def test_an_event_waits_until_the_host_runs(host):
    assert post(host, [event("1")]) == []


def test_a_batch_is_one_invocation_for_each_event(host):
    post(host, [event("1"), event("2"), event("3")])
    host.run_for(timedelta(0))

    assert count(host, "on_event") == 3


def test_a_failing_event_fails_the_whole_batch_so_that_it_is_sent_again(host):
    answers = post(host, [event("1"), event("2", "bad"), event("3")])
    host.run_for(timedelta(0))

    assert [a.status for a in answers] == [500]
    assert answers[0].body == "ValueError: cannot digest"
    assert count(host, "on_event") == 3


def test_an_event_with_an_unreadable_time_fails_before_the_function_runs(host):
    answers = post(host, [{**event("1"), "eventTime": "yesterday"}])
    host.run_for(timedelta(0))

    assert [a.status for a in answers] == [500]
    assert seen() == ["nightly"]


def test_a_cloud_event_arrives_as_a_cloud_event(host):
    post(
        host,
        [
            {
                "id": "7",
                "source": "s",
                "type": "t",
                "specversion": "1.0",
                "subject": "cloud",
                "time": "2026-03-02T08:00:00Z",
                "data": {},
            }
        ],
    )
    host.run_for(timedelta(0))

    assert ("CloudEvent", "7", "cloud") in seen()


def test_the_validation_handshake_is_answered_at_once(host):
    answers = post(
        host,
        [{"data": {"validationCode": "abc"}}],
        **{"aeg-event-type": "SubscriptionValidation"},
    )

    assert [(a.status, a.body) for a in answers] == [(200, {"validationResponse": "abc"})]


def test_the_cloud_events_handshake_names_the_allowed_origin(host):
    answers: list[Response] = []
    request = Request("OPTIONS", "https://app/", {"webhook-request-origin": "eventgrid.azure.net"})
    host.event_grid("on_event")(request, answers.append)

    assert answers[0].headers["Webhook-Allowed-Origin"] == "eventgrid.azure.net"


def test_a_webhook_call_without_an_event_type_is_bad(host):
    assert [a.status for a in post(host, [], **{"aeg-event-type": ""})] == [400]


def test_an_unknown_function_has_no_webhook(host):
    answers: list[Response] = []
    host.event_grid("nobody")(Request("POST", "https://app/"), answers.append)

    assert [a.status for a in answers] == [404]


def test_a_body_that_is_no_json_fails_the_delivery(host):
    answers: list[Response] = []
    request = Request("POST", "https://app/", {"aeg-event-type": "Notification"}, b"{")
    host.event_grid("on_event")(request, answers.append)
    host.run_for(timedelta(0))

    assert [a.status for a in answers] == [500]


def test_whoever_waits_for_an_answer_learns_of_a_crash(host):
    answers = post(host, [event("1")])

    host.crash()

    assert [a.status for a in answers] == [502]


def test_an_http_function_gets_route_query_and_body(host):
    answer = host.http(
        "POST", f"api/things/disk/7?Size=big&code={host.function_key}", body=b"payload"
    )

    assert answer.status == 201
    assert json.loads(answer.body) == {
        "route": {"kind": "disk", "number": "7"},
        "query": {"Size": "big"},
        "body": "payload",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "api/things/disk/seven", 404),
        ("DELETE", "api/things/disk/7", 404),
        ("GET", "api/things/disk/7", 401),
        ("GET", "api/open", 200),
        ("GET", "api/boss", 401),
        ("GET", "api/broken", 500),
        ("GET", "elsewhere", 404),
    ],
)
def test_an_http_function_is_reached_by_its_route_method_and_key(host, method, path, status):
    assert host.http(method, path).status == status


def test_an_admin_function_wants_the_master_key(host):
    with_function_key = host.http("GET", "api/boss", {"x-functions-key": host.function_key})
    with_master_key = host.http("GET", "api/boss", {"x-functions-key": host.master_key})

    assert (with_function_key.status, with_master_key.status) == (401, 200)


def test_a_host_with_only_timers_ahead_is_idle(host):
    assert host.run_until_idle(timedelta(days=1))
    assert host.clock.now() == MONDAY


def test_a_retry_to_come_keeps_the_host_busy(host):
    host.run_until(MONDAY + timedelta(minutes=30))

    assert host.run_until_idle(timedelta(hours=1))
    assert host.clock.now() == MONDAY + timedelta(minutes=30, seconds=20)
