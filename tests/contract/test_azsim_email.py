"""Communication Services' mail through its real client: what is sent, refused, and arrives."""

import base64
import email
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from azure.communication.email import EmailClient
from azure.core.exceptions import HttpResponseError

from azsim.email import Domain, Repeated, Service
from azsim.email_events import Delivery
from azsim.event_delivery import EndpointKind
from azsim.http import ConnectionLost, Request, Response
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.arm_calls import SUBSCRIPTION, ask, code
from tests.credentials import StaticCredential

ID = "8540c0de-899f-4cce-acb5-3ec493af3800"
OTHER = "9540c0de-899f-4cce-acb5-3ec493af3800"
SENDER = "DoNotReply@contoso.example"


def mail(*to: str, **content: str) -> dict[str, Any]:
    return {
        "senderAddress": SENDER,
        "content": {"subject": "A backup failed", "plainText": "Of web.", **content},
        "recipients": {"to": [{"address": address} for address in to or ("ops@x.example",)]},
    }


@dataclass
class Stand:
    """A world with one service, and all that Event Grid tells of its mails."""

    world: World
    service: Service = field(init=False)
    told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        domains = Domain("contoso.example"), Domain("guid.azurecomm.net", managed=True)
        self.service = self.world.email.add_service(SUBSCRIPTION, "rg", "acs", *domains)
        self.world.events.subscribe(
            "reports",
            topic=self.service.topic,
            endpoint=self._take,
            kind=EndpointKind.AZURE_FUNCTION,
        )

    def _take(self, request: Request, reply: Callable[[Response], None]) -> None:
        self.told += json.loads(request.body)
        reply(Response(200))

    def client(self, **how: Any) -> EmailClient:
        transport = SimTransport(self.world)
        return EmailClient(self.service.endpoint, StaticCredential(), transport=transport, **how)

    def send(self, body: dict[str, Any], operation_id: str | None = None) -> Any:
        return self.client().begin_send(body, operation_id=operation_id).result()

    def post(self, body: Any, **headers: str) -> Response:
        return ask(self.world, "POST", f"{self.service.endpoint}/emails:send", body, **headers)

    def get(self, operation_id: str) -> Response:
        return ask(self.world, "GET", f"{self.service.endpoint}/emails/operations/{operation_id}")

    def wait(self, **span: float) -> None:
        self.world.clock.advance(timedelta(**span))

    def statuses(self) -> dict[str, str]:
        return {event["data"]["recipient"]: event["data"]["status"] for event in self.told}


@pytest.fixture
def stand(world: World) -> Stand:
    return Stand(world)


# Sending.


def test_a_mail_is_accepted_and_then_succeeds(stand: Stand) -> None:
    accepted = stand.post(mail(), operation_id=ID)
    running = stand.get(ID)
    stand.wait(seconds=20)
    done = stand.get(ID)

    assert (accepted.status, accepted.body) == (202, {"id": ID, "status": "Running", "error": None})
    assert accepted.headers["Operation-Location"].endswith(
        f"/emails/operations/{ID}?api-version=2024-07-01"
    )
    assert (accepted.headers["retry-after"], running.headers["retry-after"]) == ("20", "20")
    assert running.body == accepted.body
    assert done.body == {"id": ID, "status": "Succeeded", "error": None}
    assert "retry-after" not in done.headers


def test_the_client_s_own_poller_ends_well(stand: Stand) -> None:
    assert stand.send(mail(), ID) == {"id": ID, "status": "Succeeded", "error": None}


def test_a_send_without_an_id_gets_one(stand: Stand) -> None:
    one, two = stand.send(mail()), stand.send(mail())

    assert one["id"] != two["id"]
    assert [sent.operation_id for sent in stand.world.email.outbox] == [one["id"], two["id"]]


def test_a_dropped_mail_s_operation_fails_and_nothing_is_reported(stand: Stand) -> None:
    stand.world.email.drop_next()

    with pytest.raises(HttpResponseError, match="EmailDropped"):
        stand.send(mail(), ID)

    stand.wait(hours=1)
    assert stand.get(ID).body["status"] == "Failed"  # type: ignore[index,call-overload]
    assert stand.told == []


def test_an_operation_can_be_asked_for_while_it_is_kept(stand: Stand) -> None:
    stand.send(mail(), ID)
    stand.wait(hours=23)
    kept = stand.get(ID).status
    stand.wait(hours=2)

    assert (kept, stand.get(ID).status, stand.get(OTHER).status) == (200, 404, 404)


# The same operation id again.


def repeated(stand: Stand, answer: Repeated) -> tuple[int, int]:
    stand.world.email.doubts.repeated = answer
    stand.send(mail(), ID)
    second = stand.post(mail(), operation_id=ID.upper())
    return second.status, len(stand.world.email.outbox)


@pytest.mark.parametrize(
    ("answer", "status", "mails"),
    [
        (Repeated.SENT_AGAIN, 202, 2),
        (Repeated.ANSWERED_AGAIN, 202, 1),
        (Repeated.REFUSED, 409, 1),
    ],
)
def test_what_an_operation_id_does_twice_is_in_doubt(
    stand: Stand, answer: Repeated, status: int, mails: int
) -> None:
    assert repeated(stand, answer) == (status, mails)


def repeatable(stand: Stand, request_id: str = ID, ago: float = 0) -> dict[str, str]:
    sent = stand.world.clock.now() - timedelta(minutes=ago)
    return {
        "repeatability_request_id": request_id,
        "repeatability_first_sent": format_datetime(sent, usegmt=True),
    }


def test_a_repeated_request_sends_one_mail(stand: Stand) -> None:
    first = stand.post(mail(), **repeatable(stand))
    stand.wait(minutes=2)
    again = stand.post(mail(), **repeatable(stand, ago=2))

    assert (first.status, again.status) == (202, 202)
    assert first.body == again.body
    assert again.headers["Repeatability-Result"] == "accepted"
    assert len(stand.world.email.outbox) == 1


def test_another_mail_under_the_same_request_id_is_refused(stand: Stand) -> None:
    stand.post(mail(), **repeatable(stand))
    other = stand.post(mail("dev@x.example"), **repeatable(stand))

    assert (other.status, other.headers["Repeatability-Result"]) == (400, "rejected")


@pytest.mark.parametrize(
    ("request_id", "ago", "status"), [(ID, 6, 412), ("no-guid", 0, 400), (ID, 4, 202)]
)
def test_a_request_repeats_within_five_minutes(
    stand: Stand, request_id: str, ago: float, status: int
) -> None:
    assert stand.post(mail(), **repeatable(stand, request_id, ago)).status == status


# Refusals.


def changed(path: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = mail()
    *way, last = path.split(".")
    inner = body
    for part in way:
        inner = inner[part]
    inner[last] = value
    return body


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (changed("senderAddress", "donotreply@elsewhere.example"), 404, "DomainNotLinked"),
        (changed("senderAddress", "chief@contoso.example"), 400, "InvalidSenderUserName"),
        (changed("recipients.to", []), 400, "BadRequest"),
        (changed("recipients.to", [{"address": "no address"}]), 400, "InvalidEmailAddress"),
        (changed("recipients.bcc", [{"address": "a@x.example"}] * 50), 400, "BadRequest"),
        (changed("content.subject", ""), 400, "BadRequest"),
        (changed("content.subject", "one\r\nBcc: two@x.example"), 400, "BadRequest"),
        (changed("content.plainText", ""), 400, "BadRequest"),
        (changed("content", "text"), 400, "BadRequest"),
        (
            changed("attachments", [{"name": "a", "contentType": "b/c", "contentInBase64": "?"}]),
            400,
            "BadRequest",
        ),
        (changed("content.html", "x" * 10 * 1024 * 1024), 413, "RequestEntityTooLarge"),
    ],
)
def test_a_mail_that_cannot_be_sent_is_refused_at_once(
    stand: Stand, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = stand.post(body)

    assert (answer.status, code(answer)) == (status, reason)
    assert answer.headers["x-ms-error-code"] == reason
    assert stand.world.email.outbox == []


def test_an_operation_id_that_is_no_guid_is_refused(stand: Stand) -> None:
    assert stand.post(mail(), operation_id="mine").status == 400


def test_only_a_token_for_the_service_opens_it(stand: Stand) -> None:
    identity = stand.world.identity
    wrong, _ = identity.token(identity.system, "https://management.azure.com")
    right, _ = identity.token(identity.system, "https://communication.azure.com/")
    url = f"{stand.service.endpoint}/emails:send"
    tokens = "", wrong, right

    answers = [ask(stand.world, "POST", url, mail(), token=token).status for token in tokens]

    assert answers == [401, 401, 202]


def test_a_service_that_is_not_there_does_not_resolve(stand: Stand) -> None:
    url = "https://nobody.europe.communication.azure.com/emails:send"

    with pytest.raises(ConnectionLost) as lost:
        ask(stand.world, "POST", url, mail())

    assert not lost.value.after_effect


# Limits.


def sent_until_refused(stand: Stand, sender: str, most: int) -> tuple[int, Response]:
    body = {**mail(), "senderAddress": sender}
    answers = [stand.post(body) for _ in range(most)]
    accepted = [answer.status for answer in answers].count(202)
    return accepted, answers[-1]


@pytest.mark.parametrize(
    ("sender", "a_minute"), [(SENDER, 30), ("donotreply@guid.azurecomm.net", 5)]
)
def test_a_domain_sends_so_many_a_minute_by_its_kind(
    stand: Stand, sender: str, a_minute: int
) -> None:
    accepted, last = sent_until_refused(stand, sender, a_minute + 3)

    assert accepted == a_minute
    assert (last.status, code(last)) == (429, "TooManyRequests")
    assert last.headers["Retry-After"] == "60"
    stand.wait(seconds=60)
    assert stand.post({**mail(), "senderAddress": sender}).status == 202


@pytest.mark.parametrize(
    ("sender", "an_hour"), [(SENDER, 100), ("donotreply@guid.azurecomm.net", 10)]
)
def test_a_domain_sends_so_many_an_hour_by_its_kind(
    stand: Stand, sender: str, an_hour: int
) -> None:
    body = {**mail(), "senderAddress": sender}
    answers = []
    for _ in range(an_hour + 5):
        answers.append(stand.post(body).status)
        stand.wait(seconds=15)

    assert answers == [202] * an_hour + [429] * 5


def test_all_services_of_a_subscription_share_its_limit(stand: Stand) -> None:
    second = stand.world.email.add_service(SUBSCRIPTION, "rg", "second", "contoso.example")
    sent_until_refused(stand, SENDER, 30)

    answer = ask(stand.world, "POST", f"{second.endpoint}/emails:send", mail())

    assert answer.status == 429


def test_asking_for_a_status_has_a_limit_of_its_own(stand: Stand) -> None:
    body = {**mail(), "senderAddress": "donotreply@guid.azurecomm.net"}
    stand.post(body, operation_id=ID)

    asked = [stand.get(ID).status for _ in range(11)]

    assert asked == [200] * 10 + [429]
    assert stand.post(body).status == 202


def test_asking_for_a_status_may_spend_the_limit_of_sending(stand: Stand) -> None:
    stand.world.email.doubts.polls_spend_sends = True
    body = {**mail(), "senderAddress": "donotreply@guid.azurecomm.net"}
    stand.post(body, operation_id=ID)

    asked = [stand.get(ID).status for _ in range(4)]

    assert asked == [200] * 4
    assert stand.post(body).status == 429


# What becomes of it.


def test_every_recipient_is_reported_once(stand: Stand) -> None:
    stand.world.email.treat("gone@x.example", Delivery.BOUNCED)
    stand.world.email.treat("spam@x.example", Delivery.FILTERED_SPAM)
    stand.send(mail("ops@x.example", "gone@x.example", "spam@x.example"), ID)
    stand.wait(minutes=5)

    assert len(stand.told) == 3
    assert stand.statuses() == {
        "ops@x.example": "Delivered",
        "gone@x.example": "Bounced",
        "spam@x.example": "FilteredSpam",
    }
    assert stand.world.email.outbox[0].deliveries["gone@x.example"] is Delivery.BOUNCED


def test_a_report_names_the_mail_by_its_operation(stand: Stand) -> None:
    stand.send(mail(), ID)
    stand.wait(minutes=5)

    (event,) = stand.told
    assert event["eventType"] == "Microsoft.Communication.EmailDeliveryReportReceived"
    assert event["subject"] == f"sender/{SENDER}/message/{ID}"
    assert event["topic"] == stand.service.topic
    assert event["dataVersion"] == "1.0"
    assert set(event["data"]) == {
        *("sender", "recipient", "internetMessageId", "messageId", "status"),
        *("deliveryStatusDetails", "deliveryAttemptTimeStamp"),
    }
    assert event["data"]["messageId"] == ID


def test_reports_go_to_those_who_asked_about_this_service_only(stand: Stand) -> None:
    other = stand.world.email.add_service(SUBSCRIPTION, "rg", "second", "contoso.example")
    ask(stand.world, "POST", f"{other.endpoint}/emails:send", mail())
    stand.wait(minutes=5)

    assert stand.told == []


def test_who_bounced_gets_nothing_for_a_day(stand: Stand) -> None:
    stand.world.email.treat("gone@x.example", Delivery.BOUNCED)
    stand.send(mail("gone@x.example"))
    stand.wait(minutes=5)

    with pytest.raises(HttpResponseError, match="EmailDroppedAllRecipientsSuppressed"):
        stand.send(mail("gone@x.example"))
    stand.wait(minutes=5)
    stand.send(mail("ops@x.example", "gone@x.example"))
    stand.wait(minutes=5)

    statuses = [event["data"]["status"] for event in stand.told]
    assert statuses.count("Suppressed") == 2
    assert stand.statuses() == {"gone@x.example": "Suppressed", "ops@x.example": "Delivered"}


def test_each_mail_to_a_suppressed_address_makes_it_longer(stand: Stand) -> None:
    listed = stand.world.email.suppressed
    now = stand.world.clock.now()
    listed.bounced("gone@x.example", now)
    ends = []
    for _ in range(6):
        listed.suppresses("Gone@x.example", now)
        ends.append((listed.until("gone@x.example") or now) - now)

    assert [end.days for end in ends] == [2, 4, 7, 14, 14, 14]


def test_an_address_is_forgotten_when_its_time_is_over(stand: Stand) -> None:
    stand.world.email.treat(
        "away@x.example", Delivery.BOUNCED, until=stand.world.clock.now() + timedelta(hours=1)
    )
    stand.send(mail("away@x.example"))
    stand.wait(hours=25)
    stand.told.clear()
    stand.send(mail("away@x.example"))
    stand.wait(minutes=5)

    assert stand.statuses() == {"away@x.example": "Delivered"}


def test_a_lost_report_is_lost_and_a_doubled_one_comes_twice(stand: Stand) -> None:
    stand.world.events.lose_next("/message/")
    stand.send(mail())
    stand.wait(minutes=5)
    lost = len(stand.told)
    stand.world.events.disturb(doubled=1.0)
    stand.send(mail())
    stand.wait(minutes=5)

    assert (lost, len(stand.told)) == (0, 2)


# The outbox.


def test_a_mail_in_the_outbox_can_be_read_as_a_mail(stand: Stand) -> None:
    csv = base64.b64encode(b"vm,code\r\nweb,1\r\n").decode()
    body = mail("ops@x.example", subject="Müller & Söhne: web", html="<p>Of <b>web</b>.</p>")
    body["recipients"]["cc"] = [{"address": "dev@x.example", "displayName": "Müller, Dev"}]
    body["attachments"] = [{"name": "vms.csv", "contentType": "text/csv", "contentInBase64": csv}]
    body["headers"] = {"X-Incident": "abc"}
    stand.send(body)

    read = email.message_from_bytes(stand.world.email.outbox[0].eml(), policy=default)

    parts = {
        part.get_content_type(): part.get_content()
        for part in read.walk()
        if not part.is_multipart()
    }
    assert (read["Subject"], read["To"], read["X-Incident"]) == (
        "Müller & Söhne: web",
        "ops@x.example",
        "abc",
    )
    assert read["Cc"].addresses[0].display_name == "Müller, Dev"
    assert parts["text/plain"].strip() == "Of web."
    assert parts["text/html"].strip() == "<p>Of <b>web</b>.</p>"
    assert parts["text/csv"].splitlines() == ["vm,code", "web,1"]


def test_the_same_mail_is_the_same_file_in_every_run() -> None:
    stands = [Stand(World(seed=3)) for _ in range(2)]
    for stand in stands:
        stand.send(mail(html="<p>x</p>"), ID)

    one, two = (stand.world.email.outbox[0].eml() for stand in stands)

    assert one == two


def test_the_outbox_writes_one_file_for_each_mail(stand: Stand, tmp_path: Path) -> None:
    stand.send(mail(subject="Backups of web failed: 3 nights"))
    stand.send(mail("dev@x.example", subject="…"))

    written = stand.world.email.outbox.write_to(tmp_path / "outbox")

    assert [path.name for path in written] == [
        "0001-backups-of-web-failed-3-nights.eml",
        "0002-mail.eml",
    ]
    assert len(stand.world.email.outbox.to("DEV@x.example")) == 1
