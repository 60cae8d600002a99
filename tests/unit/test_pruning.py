"""What the incident book forgets, and that it stays small."""

from dataclasses import replace

import pytest

from tests.incidents import bad, good, hour
from tests.tiny_backups import DAY, HOUR, Nights
from vmbackup_core.app.telling.incident_book import DOCUMENT
from vmbackup_core.domain.telling.backup_runs import RunStatus
from vmbackup_core.domain.telling.incident_groups import Book, Group, group_key
from vmbackup_core.domain.telling.incidents import Incident, take_in
from vmbackup_core.domain.telling.mutes import Mute
from vmbackup_core.domain.telling.pruning import MOST_ATTEMPTS, REMEMBERED, TOLD_LATE, prune

BAD = RunStatus.FAILED


def over(name: str = "web", at: float = 9) -> Incident:
    (one,) = take_in((), [*(bad(n, name=name) for n in range(8)), good(at, name=name)])
    return one


def lasting(name: str = "web") -> Incident:
    (one,) = take_in((), [bad(0, name=name)])
    return one


def grouped(*members: Incident) -> Book:
    group = Group("group-1", group_key(members[0]), hour(0), tuple(one.id for one in members))
    return Book(tuple(replace(one, group=group.id) for one in members), (group,))


def test_what_ended_long_ago_is_forgotten_and_what_lasts_never() -> None:
    book = Book((over("a"), lasting("b")))

    assert prune(book, hour(9) + REMEMBERED - HOUR).incidents[1:] == book.incidents[1:]
    assert prune(book, hour(9) + REMEMBERED).incidents == book.incidents[1:]


def test_a_group_is_forgotten_with_its_last_member() -> None:
    half, all_over = grouped(over("a"), lasting("b")), grouped(over("a"), over("b", 10))

    assert len(prune(half, hour(9) + 2 * REMEMBERED).incidents) == 2
    assert prune(all_over, hour(10) + REMEMBERED) == Book()


def test_of_too_many_those_that_ended_first_are_forgotten() -> None:
    book = Book(tuple(over(f"vm-{n}", 9 + n) for n in range(4)))

    assert [one.subject.name for one in prune(book, hour(20), 2).incidents] == ["vm-2", "vm-3"]


def test_attempts_are_kept_for_as_long_as_they_may_be_told_again() -> None:
    book = Book((over(),))

    (young,) = prune(book, hour(9) + TOLD_LATE).incidents
    (old,) = prune(book, hour(10) + TOLD_LATE).incidents

    assert len(young.attempts) == 8
    assert len(old.attempts) == MOST_ATTEMPTS


def test_a_mute_that_ended_is_forgotten_at_the_next_look() -> None:
    nights = Nights(with_log=False)
    mute = Mute("incident-1", nights.clock.now() + DAY, "ada", "known")
    nights.watch.book.mute(mute, nights.clock.now())
    nights.pass_time(2 * DAY, every=DAY)

    assert nights.watch.book.load()[0].mutes == ()


def test_a_vm_that_fails_for_a_month_takes_no_more_room_than_after_ten_days() -> None:
    nights = Nights(with_log=False)
    nights.azure.protect()
    nights.look()
    sizes = []
    for _ in range(30):
        for hours in range(0, 24, 4):
            nights.azure.run("web", nights.clock.now() + hours * HOUR, BAD)
        nights.pass_time(DAY, every=DAY)
        blob = nights.blobs.read(DOCUMENT)
        sizes.append(len(blob.content) if blob else 0)

    assert sizes[-1] < 60_000
    assert sizes[-1] == pytest.approx(sizes[17], rel=0.1)  # With a hundred attempts.
