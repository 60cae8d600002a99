"""
How Event Grid carries events to one endpoint: attempts, time-outs, retries, dead letters.

Sources: "Event Grid message delivery and retry" and "Set dead-letter location and retry policy".
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from azsim.blobs import Container
from azsim.clock import Clock, Due
from azsim.event_filters import EventFilter
from azsim.http import Request, Response
from azsim.resource_events import Schema
from azsim.ticks import iso, ticks_of

Reply = Callable[[Response], None]
Endpoint = Callable[[Request, Reply], None]

ENDPOINT_URL = "https://endpoint.of.subscriber.invalid/events"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# models event-retries
RETRY_AFTER: Sequence[timedelta] = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
)
ANSWER_WITHIN = timedelta(seconds=30)
# models event-late-success
LATE_SUCCESS_COUNTS_UNTIL = 3 * MINUTE
DEAD_LETTER_DELAY = 5 * MINUTE
# models event-batch-window
BATCH_WINDOW = timedelta(seconds=1)

# models event-success
SUCCESSES = frozenset({200, 201, 202, 203, 204})
NO_ANSWER = 408
_NOT_BEFORE = {408: 2 * MINUTE, 503: timedelta(seconds=30)}
# models dead-letter-other-reasons
_OUTCOMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    NO_ANSWER: "TimedOut",
    413: "RequestEntityTooLarge",
    503: "Busy",
}


# models event-not-retried
class EndpointKind(Enum):
    """What is behind an endpoint, with the answers after which a delivery is not tried again."""

    WEBHOOK = frozenset({400, 401, 403, 413})
    AZURE_FUNCTION = frozenset({400, 403, 413})


class GridEvent(Protocol):
    """Anything that Event Grid carries: who raised it (topic), what about, and how to write it."""

    @property
    def id(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def topic(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def data_version(self) -> str: ...
    def wire(self, schema: Schema) -> dict[str, Any]: ...


class State(Enum):
    """Whether an endpoint has shown that it wants events."""

    AWAITING_VALIDATION = "Creating"
    ACTIVE = "Succeeded"
    FAILED = "Failed"


@dataclass(slots=True)
class Counts:
    """What became of the copies of events that were meant for subscriptions."""

    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    attempts: int = 0
    delivered: int = 0
    dead_lettered: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up, and why."""

    at: datetime
    subscription: str
    reason: str
    event: Mapping[str, Any]


@dataclass(slots=True)
class EventSubscription:
    """One event subscription; `state` follows the validation handshake."""

    name: str
    topic: str
    endpoint: Endpoint
    schema: Schema
    kind: EndpointKind
    filter: EventFilter
    max_attempts: int
    ttl: timedelta
    max_batch: int
    dead_letter: Container | None
    state: State = State.AWAITING_VALIDATION
    waiting: list[GridEvent] = field(default_factory=list)


@dataclass(slots=True)
class _Delivery:
    """One batch on its way to one endpoint, over all its attempts."""

    to: EventSubscription
    events: tuple[GridEvent, ...]
    attempts: int = 0
    last_at: datetime | None = None
    last_status: int = 0
    retry: Due | None = None
    settled: bool = False


# models event-at-least-once
class Couriers:
    """Carries what is due to its endpoint until it is taken, expired or refused for good."""

    def __init__(self, clock: Clock, rng: random.Random, new_id: Callable[[], str]) -> None:
        self._clock, self._rng, self._new_id = clock, rng, new_id
        self.counts = Counts()
        self.dead_letters: list[DeadLetter] = []

    def carry(self, event: GridEvent, to: EventSubscription) -> None:
        """Begin to deliver; where batches are allowed, wait a moment for company."""
        if to.max_batch == 1:
            self._attempt(_Delivery(to, (event,)))
            return
        if not to.waiting:
            self._clock.after(BATCH_WINDOW, lambda: self._flush(to))
        to.waiting.append(event)

    def _flush(self, to: EventSubscription) -> None:
        waiting, to.waiting = to.waiting, []
        for start in range(0, len(waiting), to.max_batch):
            self._attempt(_Delivery(to, tuple(waiting[start : start + to.max_batch])))

    def _attempt(self, delivery: _Delivery) -> None:
        """Try once (more). That an event is too old is noticed only here, as in the service."""
        now = self._clock.now()
        # models event-ttl
        if now - delivery.events[0].at > delivery.to.ttl:
            self._give_up(delivery, "TimeToLiveExceeded")
            return
        delivery.attempts += 1
        delivery.last_at = now
        self.counts.attempts += 1
        timeout = self._clock.after(ANSWER_WITHIN, lambda: self._failed(delivery, NO_ANSWER))

        def answered(response: Response) -> None:
            took = self._clock.now() - now
            if delivery.settled:
                return
            if response.status in SUCCESSES and took <= LATE_SUCCESS_COUNTS_UNTIL:
                timeout.cancel()
                self._taken(delivery)
            elif took < ANSWER_WITHIN and not timeout.cancelled:
                timeout.cancel()
                self._failed(delivery, response.status)

        delivery.to.endpoint(_notification(delivery), answered)

    def _taken(self, delivery: _Delivery) -> None:
        delivery.settled = True
        if delivery.retry is not None:
            delivery.retry.cancel()
        self.counts.delivered += len(delivery.events)

    def _failed(self, delivery: _Delivery, status: int) -> None:
        if delivery.settled:
            return
        delivery.last_status = status
        if status in delivery.to.kind.value:
            self._give_up(delivery, f"UndeliverableDueToHttp{_OUTCOMES[status]}")
        # models dead-letter-reasons
        elif delivery.attempts >= delivery.to.max_attempts:
            self._give_up(delivery, "MaxDeliveryAttemptsExceeded")
        else:
            step = RETRY_AFTER[min(delivery.attempts, len(RETRY_AFTER)) - 1]
            # models event-retry-jitter
            wait = max(step, _NOT_BEFORE.get(status, step)) * self._rng.uniform(1.0, 1.1)
            delivery.retry = self._clock.after(wait, lambda: self._attempt(delivery))

    def _give_up(self, delivery: _Delivery, reason: str) -> None:
        delivery.settled = True
        # models event-dropped
        if delivery.to.dead_letter is None:
            self.counts.dropped += len(delivery.events)
            return
        container = delivery.to.dead_letter
        self._clock.after(DEAD_LETTER_DELAY, lambda: self._bury(delivery, reason, container))

    # models dead-letters
    def _bury(self, delivery: _Delivery, reason: str, container: Container) -> None:
        """Write one blob under the upper-cased name and the unpadded UTC date and hour."""
        now = self._clock.now()
        letters = [_letter(delivery, event, reason) for event in delivery.events]
        name = delivery.to.name.upper()
        path = f"{name}/{now.year}/{now.month}/{now.day}/{now.hour}/{self._new_id()}.json"
        container.write(path, json.dumps(letters).encode(), now)
        self.dead_letters += [DeadLetter(now, delivery.to.name, reason, x) for x in letters]
        self.counts.dead_lettered += len(letters)


# models event-handshake
def validation_request(to: EventSubscription, event_id: str, code: str, at: datetime) -> Request:
    """Return what a webhook is asked before it gets its first event, by the schema it chose."""
    if to.schema is Schema.CLOUD_EVENTS:
        headers = {"webhook-request-origin": "eventgrid.azure.net"}
        return Request("OPTIONS", ENDPOINT_URL, headers, client="event-grid")
    event = {
        "id": event_id,
        "topic": to.topic,
        "subject": "",
        "data": {
            "validationCode": code,
            "validationUrl": f"https://rp-westeurope.eventgrid.azure.net/eventsubscriptions/{to.name}"
            f"/validate?id={code}",
        },
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": iso(ticks_of(at)),
        "metadataVersion": "1",
        "dataVersion": "2",
    }
    return _post(to, [event], "SubscriptionValidation", "application/json; charset=utf-8")


def is_validated(to: EventSubscription, code: str, response: Response) -> bool:
    """Tell whether the answer to `validation_request` says yes."""
    if response.status not in (200, 201, 202, 204):
        return False
    headers, payload = response.encoded()
    if to.schema is Schema.CLOUD_EVENTS:
        allowed = {name.lower(): value for name, value in headers.items()}
        return allowed.get("webhook-allowed-origin") in ("eventgrid.azure.net", "*")
    try:
        answer = json.loads(payload)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("validationResponse") == code


# models event-posts
def _notification(delivery: _Delivery) -> Request:
    """Return the delivery's POST: an array, save for a single CloudEvent, which stands alone."""
    to = delivery.to
    events = [event.wire(to.schema) for event in delivery.events]
    count = {
        "aeg-delivery-count": str(delivery.attempts - 1),
        "aeg-data-version": delivery.events[0].data_version,
    }
    if to.schema is Schema.EVENT_GRID:
        return _post(to, events, "Notification", "application/json; charset=utf-8", count)
    if to.max_batch > 1:
        kind = "application/cloudevents-batch+json; charset=utf-8"
        return _post(to, events, "Notification", kind, count)
    kind = "application/cloudevents+json; charset=utf-8"
    return _post(to, events[0], "Notification", kind, count)


# models event-headers, event-headers-of-cloud-events
def _post(
    to: EventSubscription,
    body: Any,
    event_type: str,
    content_type: str,
    more: Mapping[str, str] | None = None,
) -> Request:
    headers = {
        "content-type": content_type,
        "aeg-event-type": event_type,
        "aeg-subscription-name": to.name.upper(),
        "aeg-metadata-version": "1",
        "aeg-data-version": "2",
        **(more or {}),
    }
    return Request("POST", ENDPOINT_URL, headers, json.dumps(body).encode(), "event-grid")


def _letter(delivery: _Delivery, event: GridEvent, reason: str) -> dict[str, Any]:
    """Return the event with the service's own words on its failure (CloudEvents: lower case)."""
    said: dict[str, Any] = {
        "deadLetterReason": reason,
        "deliveryAttempts": delivery.attempts,
        "lastDeliveryOutcome": _OUTCOMES.get(delivery.last_status, "GenericError"),
        "lastHttpStatusCode": delivery.last_status,
        "publishTime": iso(ticks_of(event.at)),
        "lastDeliveryAttemptTime": iso(ticks_of(delivery.last_at or event.at)),
    }
    schema = delivery.to.schema
    if schema is Schema.CLOUD_EVENTS:
        said = {name.lower(): value for name, value in said.items()}
    return {**event.wire(schema), **said}
