"""Reports of the mail service: what is read, kept, and told to whom else."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.rows import MemoryRows
from tests.tiny_backups import MAIL
from tests.tiny_mail import ToldNights
from vmbackup_core.app.intake import Intake
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.telling.delivery import REPORT, Delivery, parse_report
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.telling.letters import Letter, operation_id

LETTER = Letter("letter-1", ("ops@x.example",), (), "subject", "plain", "<p>")
DATA = {
    "messageId": operation_id("letter-1"),
    "recipient": "ops@x.example",
    "status": "Bounced",
    "deliveryAttemptTimeStamp": "2030-01-07T12:00:01.5+00:00",
}
ROUTING = replace(MAIL.routing, escalation=("chief@x.example",))


class Desk:
    def __init__(self) -> None:
        self.nights = nights = ToldNights()
        notebook = Notebook(MemoryRows(nights.clock), nights.clock)
        self.intake = Intake(notebook, nights.blobs, nights.journal, nights.clock, Scope())
        self.delivery = Delivery(
            self.intake, nights.teller, nights.postbox, ROUTING, nights.clock, nights.journal
        )
        nights.postbox.post(LETTER)
        nights.postbox.deliver()

    def receive(self, **change: Any) -> None:
        self.delivery.receive(REPORT, {**DATA, **change}, b"raw")

    @property
    def reports(self) -> list[str]:
        known, _ = self.nights.watch.book.load()
        return [one.status for one in known.reports]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_report_is_read() -> None:
    reported = parse_report(REPORT, DATA)

    assert (reported.address, reported.status) == ("ops@x.example", "Bounced")
    assert reported.at == datetime(2030, 1, 7, 12, 0, 1, 500_000, UTC)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("Microsoft.Communication.SMSReceived", DATA),
        (REPORT, None),
        (REPORT, []),
        (REPORT, {**DATA, "messageId": ""}),
        (REPORT, {**DATA, "recipient": 7}),
        (REPORT, {**DATA, "recipient": "a@x.example\r\nBcc: b@x.example"}),
        (REPORT, {**DATA, "deliveryAttemptTimeStamp": "soon"}),
        (REPORT, {**DATA, "deliveryAttemptTimeStamp": "2030-01-07T12:00:01"}),
    ],
)
def test_what_makes_no_sense_is_kept_for_an_operator(desk: Desk, kind: str, data: object) -> None:
    with pytest.raises(Malformed):
        parse_report(kind, data)

    desk.delivery.receive(kind, data, b"raw")

    assert [one.content for one in desk.intake.kept()] == [b"raw"]
    assert desk.reports == []


@pytest.mark.parametrize(
    "status", ["Bounced", "Suppressed", "FilteredSpam", "Quarantined", "Failed"]
)
def test_a_mail_that_did_not_arrive_goes_to_others_and_is_told(desk: Desk, status: str) -> None:
    desk.receive(status=status)
    desk.nights.postbox.deliver()

    assert desk.reports == [status]
    assert [one.to for one in desk.nights.mail.letters] == [
        ("ops@x.example",),
        ("chief@x.example",),
    ]


def test_a_report_that_comes_twice_is_one(desk: Desk) -> None:
    desk.receive()
    desk.receive()
    desk.nights.postbox.deliver()

    assert desk.reports == ["Bounced"]
    assert len(desk.nights.mail.letters) == 2


def test_a_mail_that_arrived_writes_nothing(desk: Desk) -> None:
    before = desk.nights.blobs.writes
    desk.receive(status="Delivered")

    assert desk.nights.blobs.writes == before


def test_a_mail_that_arrives_after_one_that_did_not_is_told(desk: Desk) -> None:
    desk.receive()
    desk.receive(status="Delivered", deliveryAttemptTimeStamp="2030-01-07T13:00:00+00:00")

    assert desk.reports == ["Bounced", "Delivered"]


def test_a_report_on_somebody_elses_mail_is_passed_over(desk: Desk) -> None:
    desk.receive(messageId="8540c0de-899f-4cce-acb5-3ec493af3800")

    assert desk.reports == []
    assert list(desk.intake.kept()) == []
