"""Letters leave once, whatever dies, and none is dropped."""

from datetime import timedelta

import pytest

from tests.blobs import MemoryBlobs, nothing
from tests.builders import NOW
from tests.clocks import HandClock
from tests.small_app import Fuse, Killed, Lines
from tests.tiny_mail import TinyMail
from vmbackup_core.app.telling.postbox import Postbox
from vmbackup_core.domain.errors import BackupError, Denied, Retryable
from vmbackup_core.domain.telling.letters import Letter, operation_id
from vmbackup_core.domain.telling.postage import Budget, Mark

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ROOM = Budget(30, 100)


def letter(key: str = "letter-a", *to: str, urgent: bool = False) -> Letter:
    return Letter(key, to or ("ops@x.example",), (), "subject", key, "<p>", urgent=urgent)


class Office:
    def __init__(self, budget: Budget = ROOM) -> None:
        self.clock, self.blobs, self.mail = HandClock(NOW), MemoryBlobs(), TinyMail()
        self.box = Postbox(self.blobs, self.mail, budget, self.clock, Lines())

    def later(self, span: timedelta) -> tuple[str, ...]:
        self.clock.move_to(self.clock.now() + span)
        return self.box.deliver()

    @property
    def marks(self) -> list[Mark]:
        return [one.mark for one in self.box.read().letters]


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_letter_leaves_once_however_often_it_is_put_in(office: Office) -> None:
    office.box.post(letter())
    office.box.deliver()
    office.box.post(letter())
    office.box.deliver()

    assert office.mail.taken == [operation_id("letter-a")]


def test_the_first_content_of_a_key_stays(office: Office) -> None:
    office.box.post(letter())
    office.box.post(Letter("letter-a", ("x@x.example",), (), "other", "other", ""))

    kept = office.box.letter("letter-a")
    assert kept == letter()


def test_without_a_mail_service_letters_wait(office: Office) -> None:
    none = Postbox(office.blobs, None, ROOM, office.clock, Lines())
    none.post(letter())
    none.deliver()

    assert office.marks == [Mark.WAITING]
    assert office.box.deliver() == ()
    assert office.marks == [Mark.SENT]


def test_a_service_without_room_is_left_alone_for_as_long_as_it_says(office: Office) -> None:
    office.box.post(letter("letter-a"), letter("letter-b", "other@x.example"))
    office.mail.errors = [Retryable("slow down", status=429, after=40 * MINUTE)]
    office.box.deliver()
    office.later(39 * MINUTE)
    before = list(office.mail.taken)
    office.later(MINUTE)

    assert before == []
    assert len(office.mail.taken) == 2


def test_a_lost_answer_is_looked_for_and_not_sent_again(office: Office) -> None:
    office.box.post(letter())
    office.mail.errors = [Retryable("no answer", maybe_done=True)]
    office.box.deliver()
    office.later(HOUR)

    assert office.marks == [Mark.SENT]
    assert len(office.mail.taken) == 1


@pytest.mark.parametrize("error", [Denied("no right"), Retryable("broken", status=500)])
def test_what_fails_is_tried_again_for_as_long_as_it_takes(
    office: Office, error: BackupError
) -> None:
    office.box.post(letter())
    office.mail.errors = [error] * 24
    for _ in range(30):
        office.later(HOUR)

    assert office.marks == [Mark.SENT]


def test_an_address_that_is_refused_does_not_keep_mail_from_others(office: Office) -> None:
    office.mail.refuses = {"odd@x.example"}
    office.box.post(letter("letter-a", "odd@x.example", "ops@x.example"))

    refused = office.box.deliver()

    assert refused == ("odd@x.example",)
    assert len(office.mail.taken) == 1
    assert office.box.read().waiting == ()


def test_a_flood_is_sent_within_the_budget_and_nothing_is_dropped() -> None:
    office = Office(Budget(5, 10))
    office.box.post(*(letter(f"letter-{n}") for n in range(40)), letter("letter-now", urgent=True))
    office.box.deliver()

    assert office.mail.taken[0] == operation_id("letter-now")
    assert office.box.read().waiting == ()
    assert len(office.mail.taken) == 2
    (folded,) = office.mail.letters[1:]
    assert folded.subject.startswith("40 mails in one: ")
    assert all(f"letter-{n}" in folded.plain for n in range(40))


def test_what_became_one_and_waits_becomes_one_with_what_comes_later() -> None:
    office = Office(Budget(1, 1))
    office.box.post(letter("letter-now", urgent=True), letter("letter-a"), letter("letter-b"))
    office.box.deliver()
    office.box.post(letter("letter-c"))
    office.later(2 * MINUTE)

    office.later(HOUR)

    _, folded = office.mail.letters
    assert folded.subject == "3 mails in one: subject; subject; subject"
    assert folded.plain.count("mails in one") == 0
    assert office.box.read().waiting == ()


def test_two_at_once_send_one(office: Office) -> None:
    office.box.post(letter())

    def other() -> None:
        office.mail.before_call = nothing
        office.box.deliver()

    office.mail.before_call = other
    office.box.deliver()

    assert len(office.mail.taken) == 1


@pytest.mark.parametrize("calls", range(12))
def test_a_process_that_dies_anywhere_sends_each_letter_once(calls: int) -> None:
    office, fuse = Office(), Fuse(left=calls)
    office.blobs.before_write = fuse.burn
    office.mail.before_call = office.mail.after_call = fuse.burn
    for _ in range(3):
        try:
            office.box.post(letter("letter-a"), letter("letter-b", "b@x.example"))
            office.box.deliver()
        except Killed:
            pass
        office.clock.move_to(office.clock.now() + HOUR)

    assert sorted(office.mail.taken) == sorted([operation_id("letter-a"), operation_id("letter-b")])
    assert office.marks == [Mark.SENT, Mark.SENT]


def test_a_sent_letter_is_found_by_its_operation(office: Office) -> None:
    office.box.post(letter())
    office.box.deliver()

    assert office.box.letter_of(operation_id("letter-a").upper()) == letter()
    assert office.box.letter_of("8540c0de-899f-4cce-acb5-3ec493af3800") is None
