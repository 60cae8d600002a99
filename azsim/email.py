"""
Communication Services' mail: who may send from where, how much, and what becomes of it.

A mail is accepted (202) and then either given up or handed on; only a delivery report tells of each
recipient whether it arrived. Sources: the specification (communication email 2023-03-31) and the
pages "Service limits", "Email events", "Repeatability of requests".
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import resource_id
from azsim.email_events import Delivery, DeliveryReport
from azsim.email_outbox import Mail, Outbox
from azsim.email_suppression import SuppressionList
from azsim.http import ConnectionLost

if TYPE_CHECKING:
    from azsim.world import World

KIND = "microsoft.communication/communicationservices"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Span = tuple[timedelta, timedelta]


# models email-limits
@dataclass(frozen=True, slots=True)
class Budget:
    """Most calls of a subscription in any minute and in any hour; 0 lifts a limit."""

    a_minute: int
    an_hour: int


@dataclass(slots=True)
class Limits:
    """The default limits, by kind of domain: a custom one and one that Azure manages."""

    sends: Budget = Budget(30, 100)
    polls: Budget = Budget(60, 200)
    managed_sends: Budget = Budget(5, 10)
    managed_polls: Budget = Budget(10, 20)
    recipients: int = 50
    size: int = 10 * 1024 * 1024


class Repeated(Enum):
    """What the service makes of an operation id that it has seen before."""

    SENT_AGAIN = "a second mail goes out under the same id"
    ANSWERED_AGAIN = "the first operation is answered, no second mail"
    REFUSED = "409"


@dataclass(slots=True)
class Doubts:
    """
    What nobody outside Azure knows of this service: each doubt with its likelier answer.

    `repeated`: an operation id for the second time. `polls_spend_sends`: asking for a status counts
    against the limit of sending. `operations_kept`: how long an operation can be asked for.
    """

    repeated: Repeated = Repeated.SENT_AGAIN
    polls_spend_sends: bool = False
    operations_kept: timedelta = timedelta(days=1)


@dataclass(slots=True)
class Delays:
    """How long things take, shortest and longest, drawn evenly."""

    # models email-operation-takes
    accepting: Span = (timedelta(seconds=1), timedelta(seconds=15))
    # models email-report-takes
    delivering: Span = (timedelta(seconds=2), timedelta(minutes=2))


@dataclass(frozen=True, slots=True)
class Domain:
    """A verified domain that is linked to a service; a managed one is Azure's own."""

    name: str
    managed: bool = False
    senders: tuple[str, ...] = ("donotreply",)


@dataclass(slots=True)
class Operation:
    """A send that was accepted; `failure` is (code, message) where it ends badly."""

    id: str
    began: datetime
    ends: datetime
    domain: Domain
    mail: Mail
    failure: tuple[str, str] | None = None

    def status(self, now: datetime) -> str:
        if now < self.ends:
            return "Running"
        return "Failed" if self.failure else "Succeeded"


@dataclass(slots=True)
class Service:
    """One Communication Service with its linked domains."""

    name: str
    subscription: str
    group: str
    domains: list[Domain]
    operations: dict[str, Operation] = field(default_factory=dict)
    # Repeatability-Request-ID → body and operation id of the first request that bore it.
    requests: dict[str, tuple[Any, str]] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return f"https://{self.name}.europe.communication.azure.com"

    # models email-report-topic
    @property
    def topic(self) -> str:
        return resource_id(self.subscription, self.group, KIND, self.name)

    def domain_of(self, sender: str) -> Domain | None:
        wanted = sender.rpartition("@")[2].lower()
        return next((domain for domain in self.domains if domain.name.lower() == wanted), None)


class Email:
    """
    The Communication Services of the world, what they sent, and whom they cannot reach.

    `outbox` holds every mail that was accepted, also those given up later.
    """

    def __init__(self, world: "World", seed: int) -> None:
        self.world = world
        self.limits, self.doubts, self.delays = Limits(), Doubts(), Delays()
        self.outbox = Outbox()
        self.suppressed = SuppressionList()
        self._rng = random.Random(f"email {seed}")
        self._services: dict[str, Service] = {}
        self._conduct: dict[str, tuple[Delivery, datetime | None]] = {}
        self._to_drop = 0
        self._spent: dict[tuple[str, str], deque[datetime]] = {}

    def add_service(
        self, subscription: str, group: str, name: str, *domains: Domain | str
    ) -> Service:
        """Create a service that sends from these domains; without any, from a managed one."""
        given = [Domain(entry) if isinstance(entry, str) else entry for entry in domains]
        managed = Domain(f"{self.new_id()}.azurecomm.net", managed=True)
        made = Service(name.lower(), subscription, group, given or [managed])
        self._services[made.name] = made
        return made

    def service(self, host: str) -> Service:
        """Return the service behind a host; raises ConnectionLost where no such name resolves."""
        if (found := self._services.get(host.split(".")[0].lower())) is None:
            raise ConnectionLost(after_effect=False)
        return found

    def treat(self, address: str, as_: Delivery, *, until: datetime | None = None) -> None:
        """Let mails to this address end like this (until then)."""
        self._conduct[address.lower()] = (as_, until)

    def drop_next(self, times: int = 1) -> None:
        """Let the next accepted mails be given up: their operations fail with EmailDropped."""
        self._to_drop += times

    def new_id(self) -> str:
        """Return a GUID from randomness of its own, so that a mail changes nothing else."""
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    # models email-windows
    def wait(self, service: Service, kind: str, budget: Budget) -> timedelta | None:
        """
        Count a call of a kind against its subscription's budget; return how long to wait.

        None where it is let through. A refused call is not counted.
        """
        now = self.world.clock.now()
        spent = self._spent.setdefault((service.subscription.lower(), kind), deque())
        while spent and spent[0] <= now - HOUR:
            spent.popleft()
        waits = []
        for most, span in ((budget.a_minute, MINUTE), (budget.an_hour, HOUR)):
            recent = [at for at in spent if at > now - span]
            if most and len(recent) >= most:
                waits.append(recent[-most] + span - now)
        if waits:
            return max(waits)
        spent.append(now)
        return None

    def accept(
        self, service: Service, domain: Domain, operation_id: str, body: Mapping[str, Any]
    ) -> Operation:
        """Take a mail that was found good, and work out what becomes of it."""
        now = self.world.clock.now()
        ends = now + self._draw(self.delays.accepting)
        mail = Mail(
            at=now,
            operation_id=operation_id,
            message_id=f"<{self.new_id()}@{domain.name}>",
            sender=str(body["senderAddress"]),
            body=body,
        )
        self.outbox.append(mail)
        operation = Operation(operation_id, now, ends, domain, mail)
        service.operations[operation_id.lower()] = operation
        self.world.clock.at(ends, lambda: self._hand_on(service, operation))
        operation.failure = self._given_up(mail, now)
        return operation

    # models email-dropped
    def _given_up(self, mail: Mail, now: datetime) -> tuple[str, str] | None:
        if self._to_drop:
            self._to_drop -= 1
            return "EmailDropped", "Email was dropped after several attempts to deliver."
        out = [address for address in mail.recipients() if self.suppressed.suppresses(address, now)]
        mail.deliveries |= dict.fromkeys(out, Delivery.SUPPRESSED)
        # models email-all-suppressed
        if len(mail.deliveries) == len(set(mail.recipients())):
            code = "EmailDroppedAllRecipientsSuppressed"
            return code, "Message dropped because all recipients were suppressed"
        return None

    def _hand_on(self, service: Service, operation: Operation) -> None:
        """Tell of each recipient what became of the mail; a dropped mail is told of nowhere."""
        if operation.failure and operation.failure[0] == "EmailDropped":
            return
        for address in dict.fromkeys(operation.mail.recipients()):
            report = self._reporter(service, operation.mail, address)
            self.world.clock.after(self._draw(self.delays.delivering), report)

    def _reporter(self, service: Service, mail: Mail, address: str) -> Callable[[], None]:
        draft = DeliveryReport(
            id=self.new_id(),
            at=self.world.clock.now(),
            topic=service.topic,
            sender=mail.sender,
            recipient=address,
            message=mail.operation_id,
            internet_message=mail.message_id,
            status=Delivery.DELIVERED,
        )

        def report() -> None:
            now = self.world.clock.now()
            status = mail.deliveries.get(address) or self._fate(address, now)
            mail.deliveries[address] = status
            if status is Delivery.BOUNCED:
                self.suppressed.bounced(address, now)
            self.world.events.emit(replace(draft, at=now, status=status))

        return report

    def _fate(self, address: str, now: datetime) -> Delivery:
        conduct, until = self._conduct.get(address.lower(), (Delivery.DELIVERED, None))
        return conduct if until is None or now < until else Delivery.DELIVERED

    def _draw(self, span: Span) -> timedelta:
        return span[0] + (span[1] - span[0]) * self._rng.random()
