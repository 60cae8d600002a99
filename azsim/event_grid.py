"""
Event Grid: which events there are, who gets them, and what goes wrong with them on the way.

Events come at least once and in no order (event_delivery.py tells how). The seconds that a first
delivery takes are guessed.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from azsim.blobs import Container
from azsim.event_delivery import (
    ANSWER_WITHIN,
    MINUTE,
    Counts,
    Couriers,
    DeadLetter,
    Endpoint,
    EndpointKind,
    EventSubscription,
    GridEvent,
    State,
    is_validated,
    validation_request,
)
from azsim.event_filters import AdvancedFilter, EventFilter, Operator
from azsim.http import Response
from azsim.resource_events import WRITE_SUCCESS, ResourceEvent, Schema

if TYPE_CHECKING:
    from azsim.world import World

# models event-vm-write
VM_WRITE = "Microsoft.Compute/virtualMachines/write"
SHUFFLED_OVER = 5 * MINUTE
# models event-first-delivery
_USUAL_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class _Disturbance:
    lost: float = 0.0
    doubled: float = 0.0
    noise: float = 0.0
    shuffled: bool = False
    latency: timedelta | None = None


class EventGrid:
    """
    The system topics of the world's subscriptions, and of other sources of events.

    An endpoint is handed each request inside a clock's action, so it must only queue it, and answer
    later through the callback it got.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self._rng = random.Random(world.rng.getrandbits(64))
        self._couriers = Couriers(world.clock, self._rng, self._guid)
        self._disturbance = _Disturbance()
        self._to_lose: list[str] = []
        self._subscriptions: dict[str, EventSubscription] = {}
        self.published: list[ResourceEvent] = []

    @property
    def counts(self) -> Counts:
        return self._couriers.counts

    @property
    def dead_letters(self) -> list[DeadLetter]:
        return self._couriers.dead_letters

    def subscribe(
        self,
        name: str,
        *,
        subscription: str = "",
        topic: str = "",
        endpoint: Endpoint,
        schema: Schema | str = Schema.EVENT_GRID,
        kind: EndpointKind = EndpointKind.WEBHOOK,
        included_operations: Sequence[str] = (),
        included_event_types: Sequence[str] = (),
        subject_begins_with: str = "",
        subject_ends_with: str = "",
        advanced_filters: Sequence[AdvancedFilter] = (),
        dead_letter: Container | bool = True,
        max_attempts: int = 30,
        ttl: timedelta = timedelta(hours=24),
        max_events_per_batch: int = 1,
    ) -> EventSubscription:
        """
        Create (or replace) an event subscription on the system topic of `subscription`.

        `topic` is the id of another source of events in its place (a Communication Service).
        A webhook is asked to prove that it wants events before any is sent; a function is not.
        `dead_letter=True` takes the container `deadletters` of the account `deadletters`. Raises
        ValueError beyond the service's limits.
        """
        if bool(subscription) is bool(topic):
            raise ValueError("an event subscription is on one topic")
        if not (1 <= max_attempts <= 30 and MINUTE <= ttl <= 1440 * MINUTE):
            raise ValueError("an event is tried 1 to 30 times within 1 to 1440 minutes")
        if not 1 <= max_events_per_batch <= 5000:
            raise ValueError("a batch has 1 to 5000 events")
        advanced = tuple(advanced_filters)
        if included_operations:
            operations = tuple(included_operations)
            advanced += (AdvancedFilter("data.operationName", Operator.STRING_IN, operations),)
        types = tuple(included_event_types)
        made = EventSubscription(
            name=name,
            topic=(topic or f"/subscriptions/{subscription}").lower(),
            endpoint=endpoint,
            schema=Schema(schema),
            kind=kind,
            filter=EventFilter(types, subject_begins_with, subject_ends_with, advanced),
            max_attempts=max_attempts,
            ttl=ttl,
            max_batch=max_events_per_batch,
            dead_letter=self._grave(dead_letter),
        )
        self._subscriptions[name.lower()] = made
        if kind is EndpointKind.WEBHOOK:
            self._validate(made)
        else:
            made.state = State.ACTIVE
        return made

    def unsubscribe(self, name: str) -> None:
        """Delete an event subscription; what is on its way still arrives."""
        del self._subscriptions[name.lower()]

    def publish(
        self,
        subscription: str,
        event_type: str,
        subject: str,
        operation_name: str,
        *,
        status: str = "Succeeded",
        correlation: str | None = None,
    ) -> ResourceEvent:
        """
        Raise an event about `subject`, given in the case of the request that caused it.

        Real subjects say `resourceGroups` or `resourcegroups` without a rule, so these do as well.
        """
        # models event-subject-case
        if self._rng.random() < 0.5:
            subject = subject.replace("/resourceGroups/", "/resourcegroups/", 1)
        event = ResourceEvent(
            id=self._guid(),
            at=self._world.clock.now(),
            subscription=subscription,
            tenant=self._world.tenant,
            event_type=event_type,
            subject=subject,
            operation=operation_name,
            correlation=correlation or self._guid(),
            status=status,
        )
        self.published.append(event)
        self.emit(event)
        if operation_name == VM_WRITE and self._rng.random() < self._disturbance.noise:
            self._make_noise(event)
        return event

    def emit(self, event: GridEvent) -> None:
        """Carry an event of any source to those who subscribed to its topic."""
        for to in self._interested(event):
            self._send(event, to)

    def disturb(
        self,
        *,
        lost: float = 0.0,
        doubled: float = 0.0,
        noise: float = 0.0,
        shuffled: bool = False,
        latency: timedelta | None = None,
    ) -> None:
        """
        Set the rates (0 to 1) at which events are lost, doubled, and accompanied by others.

        `shuffled` spreads deliveries over five minutes; `latency` replaces the seeded seconds.
        """
        self._disturbance = _Disturbance(lost, doubled, noise, shuffled, latency)

    def lose_next(self, subject_part: str = "", times: int = 1) -> None:
        """Lose the next events whose subject holds `subject_part`."""
        self._to_lose += [subject_part.lower()] * times

    def _interested(self, event: GridEvent) -> list[EventSubscription]:
        """Return the subscriptions whose topic and filters take the event."""
        topic = event.topic.lower()
        there = [
            to
            for to in self._subscriptions.values()
            if to.state is State.ACTIVE and to.topic == topic
        ]
        if not there:
            return []
        said = event.wire(Schema.EVENT_GRID)
        return [to for to in there if to.filter.wants(said)]

    def _send(self, event: GridEvent, to: EventSubscription) -> None:
        self.counts.sent += 1
        if self._is_lost(event):
            self.counts.lost += 1
            return
        copies = 1 + (self._rng.random() < self._disturbance.doubled)
        self.counts.duplicated += copies - 1
        for _ in range(copies):
            self._world.clock.after(self._latency(), lambda: self._couriers.carry(event, to))

    def _is_lost(self, event: GridEvent) -> bool:
        subject = event.subject.lower()
        for part in self._to_lose:
            if part in subject:
                self._to_lose.remove(part)
                return True
        return self._rng.random() < self._disturbance.lost

    def _latency(self) -> timedelta:
        if self._disturbance.latency is not None:
            return self._disturbance.latency
        if self._disturbance.shuffled:
            return SHUFFLED_OVER * self._rng.random()
        seconds = self._rng.lognormvariate(math.log(_USUAL_SECONDS), 0.7)
        return timedelta(seconds=min(seconds, 60.0))

    def _make_noise(self, event: ResourceEvent) -> None:
        """Raise what one deployment of a VM raises besides: its own event and an extension's."""
        group = event.subject[: event.subject.lower().find("/providers/")]
        around = {
            f"{group}/providers/Microsoft.Resources/deployments/vm-{event.id[:8]}": (
                "Microsoft.Resources/deployments/write"
            ),
            f"{event.subject}/extensions/AzureMonitorLinuxAgent": (
                "Microsoft.Compute/virtualMachines/extensions/write"
            ),
        }
        for subject, operation in around.items():
            self.publish(
                event.subscription,
                WRITE_SUCCESS,
                subject,
                operation,
                correlation=event.correlation,
            )

    def _validate(self, to: EventSubscription) -> None:
        code = self._guid()
        clock = self._world.clock
        timeout = clock.after(ANSWER_WITHIN, lambda: setattr(to, "state", State.FAILED))

        def answered(response: Response) -> None:
            if to.state is State.AWAITING_VALIDATION:
                timeout.cancel()
                to.state = State.ACTIVE if is_validated(to, code, response) else State.FAILED

        to.endpoint(validation_request(to, self._guid(), code, clock.now()), answered)

    def _grave(self, dead_letter: Container | bool) -> Container | None:
        if isinstance(dead_letter, Container):
            return dead_letter
        if not dead_letter:
            return None
        account = self._world.storage.ensure_account("deadletters")
        return account.containers.ensure("deadletters", self._world.clock.now())

    def _guid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))
