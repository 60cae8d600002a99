"""Event Grid as a subscriber's endpoint sees it."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from azsim.event_delivery import Counts, EndpointKind, State
from azsim.event_filters import AdvancedFilter, Operator
from azsim.event_grid import VM_WRITE
from azsim.http import Request, Response
from azsim.resource_events import DELETE_SUCCESS, PERSONAL, WRITE_SUCCESS, Schema
from azsim.world import World

SPECS = Path(__file__).parents[3] / "shared/specs/specification"
SAMPLES = SPECS / "eventgrid/data-plane/Microsoft.Resources/stable/2018-01-01/examples"
SUB = "11111111-2222-3333-4444-555555555555"
VM = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web"


class Inbox:
    """An endpoint that answers each request with the next status of its script, or not at all."""

    def __init__(self, world: World, *statuses: int | None) -> None:
        self.world = world
        self.statuses: Iterator[int | None] = iter((*statuses, *(200,) * 1000))
        self.requests: list[Request] = []
        self.seconds: list[float] = []
        self.replies: list[Any] = []
        self._began = world.clock.now()

    def __call__(self, request: Request, reply: Any) -> None:
        self.requests.append(request)
        self.seconds.append((self.world.clock.now() - self._began).total_seconds())
        self.replies.append(reply)
        if (status := next(self.statuses)) is not None:
            reply(Response(status))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for request in self.requests for event in request.json]


def subscribe(world: World, inbox: Inbox, **options: Any) -> None:
    options = {"kind": EndpointKind.AZURE_FUNCTION, **options}
    world.events.subscribe("vm-events", subscription=SUB, endpoint=inbox, **options)


def write(world: World, subject: str = VM, operation: str = VM_WRITE) -> None:
    world.events.publish(SUB, WRITE_SUCCESS, subject, operation)


@pytest.fixture
def quick(world: World) -> World:
    """A world whose events arrive at once, so that what follows can be timed."""
    world.events.disturb(latency=timedelta(0))
    return world


def test_an_event_arrives_within_a_minute_as_a_notification(world: World):
    inbox = Inbox(world)
    subscribe(world, inbox)
    write(world)
    world.clock.advance(timedelta(minutes=1))

    (request,) = inbox.requests
    assert request.method == "POST"
    assert request.header("aeg-event-type") == "Notification"
    assert request.header("aeg-subscription-name") == "VM-EVENTS"
    assert request.header("aeg-delivery-count") == "0"
    assert inbox.events[0]["subject"].lower() == VM.lower()
    assert world.events.counts == Counts(sent=1, attempts=1, delivered=1)


@pytest.mark.parametrize(
    ("schema", "folder"),
    [(Schema.EVENT_GRID, "event-grid-schema"), (Schema.CLOUD_EVENTS, "cloud-events-schema")],
)
@pytest.mark.parametrize(
    ("event_type", "sample"),
    [
        (WRITE_SUCCESS, "resource_write_success.json"),
        (DELETE_SUCCESS, "resource_delete_success.json"),
    ],
)
def test_an_event_has_the_fields_of_the_published_sample(
    world: World, schema: Schema, folder: str, event_type: str, sample: str
):
    if not SAMPLES.exists():
        pytest.skip("the specifications are not beside this repository")
    expected = json.loads((SAMPLES / folder / sample).read_text())

    event = world.events.publish(SUB, event_type, VM, "x/y/write").wire(schema)

    assert set(event) == set(expected)
    assert set(event["data"]) == set(expected["data"])
    assert {name: type(value) for name, value in event["data"].items()} == {
        name: type(value) for name, value in expected["data"].items()
    }


def test_claims_hold_personal_values_for_tests_to_look_for(world: World):
    event = world.events.publish(SUB, WRITE_SUCCESS, VM, VM_WRITE).wire(Schema.EVENT_GRID)

    assert set(event["data"]["claims"].values()) > PERSONAL


def test_a_single_cloud_event_stands_alone_in_its_body(quick: World):
    inbox = Inbox(quick, 200)
    subscribe(quick, inbox, schema="CloudEventSchemaV1_0")
    write(quick)
    quick.clock.advance(timedelta(0))

    (request,) = inbox.requests
    assert request.json["specversion"] == "1.0"
    assert request.header("content-type") == "application/cloudevents+json; charset=utf-8"


def test_a_refused_delivery_is_tried_again_at_growing_intervals(quick: World):
    inbox = Inbox(quick, 500, 500, 500, 500)
    subscribe(quick, inbox)
    write(quick)
    quick.clock.advance(timedelta(hours=1))

    gaps = [after - before for before, after in zip(inbox.seconds, inbox.seconds[1:], strict=False)]
    assert gaps == [pytest.approx(step * 1.05, rel=0.05) for step in (10, 30, 60, 300)]
    assert [request.header("aeg-delivery-count") for request in inbox.requests] == list("01234")
    assert quick.events.counts.delivered == 1


def test_an_endpoint_that_is_silent_for_thirty_seconds_is_asked_again_two_minutes_later(
    quick: World,
):
    inbox = Inbox(quick, None)
    subscribe(quick, inbox)
    write(quick)
    quick.clock.advance(timedelta(minutes=5))

    assert len(inbox.seconds) == 2
    assert 150 <= inbox.seconds[1] <= 162


def test_a_late_success_is_taken_and_stops_the_retries(quick: World):
    inbox = Inbox(quick, None)
    subscribe(quick, inbox)
    write(quick)
    quick.clock.advance(timedelta(seconds=60))
    inbox.replies[0](Response(202))
    quick.clock.advance(timedelta(hours=2))

    assert quick.events.counts == Counts(sent=1, attempts=1, delivered=1)


def test_a_late_failure_changes_nothing(quick: World):
    inbox = Inbox(quick, None)
    subscribe(quick, inbox)
    write(quick)
    quick.clock.advance(timedelta(seconds=60))
    inbox.replies[0](Response(400))
    quick.clock.advance(timedelta(hours=2))

    assert quick.events.counts == Counts(sent=1, attempts=2, delivered=1)


@pytest.mark.parametrize(
    ("kind", "status", "attempts"),
    [
        (EndpointKind.AZURE_FUNCTION, 400, 1),
        (EndpointKind.AZURE_FUNCTION, 413, 1),
        (EndpointKind.AZURE_FUNCTION, 403, 1),
        (EndpointKind.AZURE_FUNCTION, 401, 2),
        (EndpointKind.AZURE_FUNCTION, 404, 2),
    ],
)
def test_some_answers_end_the_attempts(
    quick: World, kind: EndpointKind, status: int, attempts: int
):
    inbox = Inbox(quick, status)
    subscribe(quick, inbox, kind=kind)
    write(quick)
    quick.clock.advance(timedelta(hours=1))

    assert len(inbox.requests) == attempts


def test_what_is_refused_for_good_lies_in_the_dead_letters_after_five_minutes(quick: World):
    grave = quick.storage.create_account("graves").create_container("deadletters")
    subscribe(quick, Inbox(quick, 400), dead_letter=grave)
    write(quick)
    quick.clock.advance(timedelta(minutes=4, seconds=59))
    before = list(grave)
    quick.clock.advance(timedelta(seconds=1))

    (blob,) = grave
    (letter,) = json.loads(blob.content)
    assert before == []
    assert blob.name.startswith("VM-EVENTS/2026/3/2/8/")
    assert blob.name.endswith(".json")
    assert letter["deadLetterReason"] == "UndeliverableDueToHttpBadRequest"
    assert letter["deliveryAttempts"] == 1
    assert letter["lastDeliveryOutcome"] == "BadRequest"
    assert letter["data"]["operationName"] == VM_WRITE
    assert [dead.reason for dead in quick.events.dead_letters] == [letter["deadLetterReason"]]


def test_what_fails_too_often_lies_in_the_dead_letters(quick: World):
    subscribe(quick, Inbox(quick, 500, 500, 500), max_attempts=3)
    write(quick)
    quick.clock.advance(timedelta(hours=1))

    (dead,) = quick.events.dead_letters
    assert dead.reason == "MaxDeliveryAttemptsExceeded"
    assert dead.event["deliveryAttempts"] == 3


def test_what_is_too_old_at_its_next_attempt_lies_in_the_dead_letters(quick: World):
    subscribe(quick, Inbox(quick, *[500] * 30), ttl=timedelta(hours=1))
    write(quick)
    quick.clock.advance(timedelta(hours=3))

    (dead,) = quick.events.dead_letters
    assert dead.reason == "TimeToLiveExceeded"
    assert dead.event["deliveryAttempts"] == 7


def test_without_dead_letters_what_fails_is_dropped(quick: World):
    subscribe(quick, Inbox(quick, 400), dead_letter=False)
    write(quick)
    quick.clock.advance(timedelta(hours=1))

    assert quick.events.counts == Counts(sent=1, attempts=1, dropped=1)
    assert quick.events.dead_letters == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (lambda code: Response(200, {"validationResponse": code}), State.ACTIVE),
        (lambda code: Response(200, {"validationResponse": "wrong"}), State.FAILED),
        (lambda code: Response(200, b"no json"), State.FAILED),
        (lambda code: Response(500), State.FAILED),
    ],
)
def test_a_webhook_must_repeat_its_code_before_it_gets_events(
    quick: World, answer: Callable[[str], Response], state: State
):
    asked: list[Request] = []

    def endpoint(request: Request, reply: Any) -> None:
        asked.append(request)
        reply(answer(request.json[0]["data"]["validationCode"]))

    made = quick.events.subscribe("hook", subscription=SUB, endpoint=endpoint)
    write(quick)

    assert made.state is state
    assert quick.events.counts.sent == int(state is State.ACTIVE)
    assert asked[0].header("aeg-event-type") == "SubscriptionValidation"
    assert asked[0].json[0]["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"


def test_a_webhook_that_does_not_answer_its_validation_gets_nothing(quick: World):
    made = quick.events.subscribe("hook", subscription=SUB, endpoint=Inbox(quick, None))
    quick.clock.advance(timedelta(seconds=30))

    assert made.state is State.FAILED


def test_a_cloud_events_webhook_is_asked_by_options(quick: World):
    def endpoint(request: Request, reply: Any) -> None:
        origin = request.header("webhook-request-origin") or ""
        reply(Response({"OPTIONS": 200}[request.method], None, {"WebHook-Allowed-Origin": origin}))

    made = quick.events.subscribe(
        "hook", subscription=SUB, endpoint=endpoint, schema=Schema.CLOUD_EVENTS
    )

    assert made.state is State.ACTIVE


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, 4),
        ({"included_operations": [VM_WRITE]}, 1),
        ({"included_operations": [VM_WRITE.upper(), "microsoft.resources/tags/write"]}, 2),
        ({"included_event_types": [DELETE_SUCCESS]}, 1),
        ({"subject_begins_with": f"/subscriptions/{SUB}/resourcegroups/RG/"}, 3),
        ({"subject_ends_with": "/WEB"}, 2),
        (
            {
                "advanced_filters": [
                    AdvancedFilter("data.resourceUri", Operator.STRING_CONTAINS, ("/tags/",))
                ]
            },
            1,
        ),
        (
            {
                "advanced_filters": [
                    AdvancedFilter("data.operationName", Operator.STRING_NOT_IN, (VM_WRITE,))
                ]
            },
            3,
        ),
    ],
)
def test_filters_choose_events_without_case(quick: World, options: dict[str, Any], wanted: int):
    inbox = Inbox(quick)
    subscribe(quick, inbox, **options)
    tags = f"{VM}/providers/Microsoft.Resources/tags/default"
    write(quick)
    write(quick, tags, "Microsoft.Resources/tags/write")
    write(quick, f"/subscriptions/{SUB}/resourceGroups/other", "Microsoft.Resources/x/write")
    quick.events.publish(SUB, DELETE_SUCCESS, VM, "Microsoft.Compute/virtualMachines/delete")
    quick.events.publish("another", WRITE_SUCCESS, VM, VM_WRITE)
    quick.clock.advance(timedelta(0))

    assert len(inbox.events) == wanted


def test_a_subscription_beyond_the_services_limits_is_refused(world: World):
    operations = [f"Microsoft.X/{number}/write" for number in range(26)]

    with pytest.raises(ValueError, match="more than 25"):
        subscribe(world, Inbox(world), included_operations=operations)


def test_lost_and_doubled_events_are_counted(quick: World):
    inbox = Inbox(quick)
    subscribe(quick, inbox)
    quick.events.disturb(lost=0.3, doubled=0.3, latency=timedelta(0))
    for _ in range(200):
        write(quick)
    quick.clock.advance(timedelta(minutes=1))

    counts = quick.events.counts
    assert counts.sent == 200
    assert 40 <= counts.lost <= 80
    assert 25 <= counts.duplicated <= 60
    assert len(inbox.events) == counts.delivered == 200 - counts.lost + counts.duplicated


def test_shuffled_events_arrive_in_another_order_and_all_arrive(world: World):
    inbox = Inbox(world)
    subscribe(world, inbox)
    world.events.disturb(shuffled=True)
    for number in range(20):
        write(world, f"{VM}{number}")
        world.clock.advance(timedelta(seconds=1))
    sent = [event.id for event in world.events.published]
    world.clock.advance(timedelta(minutes=5))

    arrived = [event["id"] for event in inbox.events]
    assert arrived != sent
    assert sorted(arrived) == sorted(sent)


def test_one_named_event_can_be_lost(quick: World):
    inbox = Inbox(quick)
    subscribe(quick, inbox)
    quick.events.lose_next("virtualmachines/WEB")
    write(quick, f"{VM}-other".replace("web", "db"))
    write(quick)
    write(quick)
    quick.clock.advance(timedelta(0))

    assert len(inbox.events) == 2
    assert quick.events.counts.lost == 1


def test_noise_shares_the_correlation_of_its_deployment(quick: World):
    inbox = Inbox(quick)
    subscribe(quick, inbox)
    quick.events.disturb(noise=1.0, latency=timedelta(0))
    write(quick)
    quick.clock.advance(timedelta(0))

    assert [event["data"]["operationName"] for event in inbox.events] == [
        VM_WRITE,
        "Microsoft.Resources/deployments/write",
        "Microsoft.Compute/virtualMachines/extensions/write",
    ]
    assert len({event["data"]["correlationId"] for event in inbox.events}) == 1


def test_events_travel_together_where_batches_are_allowed(quick: World):
    inbox = Inbox(quick)
    subscribe(quick, inbox, max_events_per_batch=2)
    for number in range(3):
        write(quick, f"{VM}{number}")
    quick.clock.advance(timedelta(seconds=5))

    assert [len(request.json) for request in inbox.requests] == [2, 1]


def test_the_same_seed_gives_the_same_events_at_the_same_times():
    def run() -> tuple[list[str], list[float]]:
        world = World(seed=7)
        inbox = Inbox(world)
        subscribe(world, inbox)
        world.events.disturb(lost=0.2, doubled=0.2, shuffled=True)
        for number in range(10):
            write(world, f"{VM}{number}")
        world.clock.advance(timedelta(minutes=10))
        return [event["id"] for event in inbox.events], inbox.seconds

    assert run() == run()
