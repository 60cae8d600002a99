"""What is owed is told once, whatever dies in between."""

import pytest

from tests.tiny_backups import DAY, HOUR
from tests.tiny_mail import ToldNights
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.domain.telling.backup_runs import RunStatus

BAD = RunStatus.FAILED
STORY = ["Backup trouble", "Still", "Over"]


def play(nights: ToldNights) -> None:
    """An agent dies for three nights: one mail, one reminder, one recovery."""
    nights.azure.protect()
    nights.look()
    nights.night()
    for _ in range(3):
        nights.night(web=BAD)
    nights.night()
    nights.night()


def test_a_story_is_one_mail_one_reminder_and_one_recovery() -> None:
    nights = ToldNights()
    play(nights)

    assert nights.subjects == STORY
    assert nights.mail.letters[0].to == ("ops@x.example",)
    assert nights.watch.book.load()[0].owed == ()


CALLS = range(0, 400, 7)


@pytest.mark.parametrize("call", CALLS)
def test_a_process_that_dies_between_two_calls_tells_each_thing_once(call: int) -> None:
    nights = ToldNights()
    nights.fuse.left = call
    play(nights)

    assert nights.subjects == STORY
    assert len(set(nights.mail.taken)) == 3


def test_the_calls_of_the_story_are_all_among_those_that_are_tried() -> None:
    nights = ToldNights()
    play(nights)

    assert nights.fuse.passed <= CALLS.stop


@pytest.mark.long
@pytest.mark.parametrize("call", range(CALLS.stop))
def test_each_call_of_the_story_may_be_the_last(call: int) -> None:
    nights = ToldNights()
    nights.fuse.left = call
    play(nights)

    assert nights.subjects == STORY


def test_a_day_without_mail_changes_only_when_things_are_told() -> None:
    nights = ToldNights()
    nights.mail.errors = [Retryable("busy", status=429, after=HOUR)] * 24
    play(nights)
    nights.pass_time(DAY)

    assert nights.subjects[0] == STORY[0]
    assert nights.subjects[-1] == STORY[-1]
    assert nights.postbox.read().waiting == ()


def test_two_instances_at_once_tell_each_thing_once() -> None:
    nights = ToldNights()
    twin = Twin(nights)
    nights.azure.before_call = twin.look_now_and_then
    play(nights)

    assert nights.subjects == STORY


class Twin:
    """Another instance that takes whole looks within the first one's calls."""

    def __init__(self, nights: ToldNights) -> None:
        self.nights, self.busy, self.calls = nights, False, 0

    def look_now_and_then(self) -> None:
        self.calls += 1
        if self.busy or self.calls % 3:
            return
        self.busy = True
        self.nights.watch.look()
        self.nights.teller.tell()
        self.busy = False


def test_an_address_that_the_service_refuses_is_an_incident() -> None:
    nights = ToldNights()
    nights.mail.refuses = {"ops@x.example"}
    play(nights)
    causes = [one.cause.name for one in nights.watch.book.read().incidents]

    assert "MAIL_UNDELIVERED" in causes
