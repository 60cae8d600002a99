"""Mails through the real pipeline and the last gate, on a simulated mail service."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from azure.core.rest import HttpRequest

from azsim.email import Budget
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.azure_desk import SUB, WorldClock
from tests.credentials import StaticCredential
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.mailer import AzureMailer, letter_body
from vmbackup_core.domain.errors import Denied, Retryable
from vmbackup_core.domain.telling.letters import Attachment, Letter, operation_id

SENDER = "DoNotReply@contoso.example"
LETTER = Letter(
    "letter-1", ("ops@x.example",), ("owner@x.example",), "A backup failed", "Of web.", "<p>Web"
)
OPERATION = operation_id(LETTER.key)
URL = "https://acs.europe.communication.azure.com"


class Post:
    def __init__(self, world: World) -> None:
        self.world = world
        self.service = world.email.add_service(SUB, "rg-ops", "acs", "contoso.example")
        self.arm = Arm(
            endpoint=self.service.endpoint,
            scope="https://communication.azure.com/.default",
            credential=StaticCredential(),
            clock=WorldClock(world),
            transport=SimTransport(world),
            identity=Identity.PROTECTOR,
            host=Host.EMAIL,
            sender=SENDER,
        )
        self.mailer = AzureMailer(self.arm, SENDER, WorldClock(world))


@pytest.fixture
def post(world: World) -> Post:
    return Post(world)


def test_a_letter_arrives_as_it_was_written(post: Post) -> None:
    table = Attachment("vms.csv", "text/csv", b"name\r\nweb\r\n")
    post.mailer.send(replace(LETTER, attachments=(table,)), OPERATION)

    (mail,) = post.world.email.outbox
    assert mail.sender == SENDER
    assert set(mail.recipients()) == {"ops@x.example", "owner@x.example"}
    assert mail.operation_id == OPERATION
    assert mail.body["content"]["subject"] == "A backup failed"
    assert mail.body["attachments"][0]["name"] == "vms.csv"


def test_the_service_knows_what_it_has_accepted(post: Post) -> None:
    before = post.mailer.knows(OPERATION)
    post.mailer.send(LETTER, OPERATION)

    assert (before, post.mailer.knows(OPERATION)) == (False, True)


def test_sent_twice_within_minutes_is_one_mail(post: Post) -> None:
    post.mailer.send(LETTER, OPERATION)
    post.mailer.send(LETTER, OPERATION)

    assert len(list(post.world.email.outbox)) == 1


@dataclass(frozen=True)
class WrongClock:
    """A clock that goes twenty minutes before Azure's."""

    world: World

    def now(self) -> datetime:
        return self.world.clock.now() + timedelta(minutes=20)

    def pause(self, duration: timedelta) -> None:
        self.world.clock.advance(duration)


def test_a_clock_that_differs_from_the_services_keeps_no_mail_back(post: Post) -> None:
    AzureMailer(post.arm, SENDER, WrongClock(post.world)).send(LETTER, OPERATION)

    (mail,) = post.world.email.outbox
    assert mail.operation_id == OPERATION


def test_a_service_without_room_says_when_to_come_back(post: Post) -> None:
    post.world.email.limits.sends = Budget(1, 100)
    post.mailer.send(LETTER, OPERATION)

    with pytest.raises(Retryable) as refused:
        post.mailer.send(LETTER, operation_id("letter-2"))

    assert refused.value.after is not None
    assert refused.value.after <= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"senderAddress": "ceo@contoso.example"}, "not from our address"),
        ({"replyTo": [{"address": "a@evil.example"}]}, "replyto"),
        ({"recipients": {"bcc": [{"address": "a@evil.example"}]}}, "bcc"),
        ({"recipients": {"to": []}}, "no recipient"),
        ({"recipients": {"to": [{"address": "a@x.example"}] * 51}}, "too many"),
        ({"recipients": {"to": [{"address": "a@x.example\r\nBcc: b@x.example"}]}}, "no address"),
        ({"headers": {"x-one": "two"}}, "headers"),
        ({"userEngagementTrackingDisabled": False}, "track"),
    ],
)
def test_the_gate_lets_no_other_mail_out(post: Post, change: dict[str, object], why: str) -> None:
    body = {**letter_body(LETTER, SENDER), **change}

    with pytest.raises(Denied, match=why):
        post.arm.send("POST", f"{URL}/emails:send?api-version=2023-03-31", "", body, writes=True)

    assert not list(post.world.email.outbox)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "https://other.europe.communication.azure.com/emails:send?api-version=2023-03-31"),
        ("DELETE", f"{URL}/emails/operations/{OPERATION}?api-version=2023-03-31"),
        ("POST", f"{URL}/sms?api-version=2023-03-31"),
    ],
)
def test_the_mail_service_is_good_for_nothing_else(post: Post, method: str, url: str) -> None:
    content = json.dumps(letter_body(LETTER, SENDER)).encode()
    headers = {"Content-Type": "application/json"}

    with pytest.raises(Denied, match="last gate"):
        post.arm.pipeline.run(HttpRequest(method, url, headers=headers, content=content))
