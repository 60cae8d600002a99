"""When the demo's week is good: what counts as told twice, as not arrived, and as seen wrongly."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from azsim.email_events import Delivery
from azsim.email_outbox import Mail
from vmbackup_cli.demo_week import Week, count_duplicates

NOW = datetime(2026, 3, 4, 20, tzinfo=UTC)
QUIET = Week((), (), 0, 0, frozenset(), frozenset())


def mail(subject: str = "Still: web", text: str = "STILL, REMINDER 1\n…", to: str = "ops") -> Mail:
    body = {
        "content": {"subject": subject, "plainText": text},
        "recipients": {"to": [{"address": f"{to}@contoso.example"}]},
    }
    return Mail(NOW, "operation", "<message>", "us@contoso.example", body)


def test_the_same_mail_to_the_same_mailbox_is_a_duplicate() -> None:
    assert count_duplicates([mail(), mail(text="STILL, REMINDER 1\nan hour later")]) == 1


@pytest.mark.parametrize(
    "other",
    [mail(to="jane"), mail(subject="Still: erp"), mail(text="STILL, REMINDER 2\n…")],
    ids=["to somebody else", "about something else", "the next reminder"],
)
def test_another_mail_is_none(other: Mail) -> None:
    assert count_duplicates([mail(), other]) == 0


def test_digests_of_two_weeks_are_two() -> None:
    weeks = [mail("Backups of 1 VM", f"BACKUP DIGEST\n\nweek {number}") for number in (1, 2)]

    assert count_duplicates(weeks) == 0
    assert count_duplicates([*weeks, weeks[0]]) == 1


def test_a_mail_that_bounced_did_not_arrive() -> None:
    bounced = replace(mail(), deliveries={"ops@contoso.example": Delivery.BOUNCED})
    arrived = replace(mail(), deliveries={"ops@contoso.example": Delivery.DELIVERED})

    assert replace(QUIET, outbox=(bounced, arrived)).undelivered == 1


def test_a_quiet_week_is_right_and_has_nothing_to_tell() -> None:
    assert QUIET.errors == 0
    assert QUIET.summary == {
        "incidents": {"opened": 0, "recovered": 0},
        "mails": 0,
        "duplicates": 0,
        "missed_backups": 0,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"failed": frozenset({"web"})},
        {"suspected": frozenset({"web"})},
        {"skipped": 1},
        {"missed": 1},
        {"outbox": (mail(), mail())},
    ],
    ids=["overlooked", "invented", "not missed", "missed for nothing", "told twice"],
)
def test_what_is_seen_otherwise_than_it_was_is_an_error(wrong: dict[str, Any]) -> None:
    assert replace(QUIET, **wrong).errors == 1
