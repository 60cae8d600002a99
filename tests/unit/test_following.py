"""A configuration is followed: the newest good version counts, and a broken one is told of."""

from datetime import timedelta

import pytest

from tests.builders import NOW
from tests.clocks import HandClock
from vmbackup_core.app.following import Follower
from vmbackup_core.domain.errors import Malformed, Retryable

MINUTE = timedelta(minutes=1)


class Shelf:
    """Where the configuration lies; it can be out of reach."""

    def __init__(self) -> None:
        self.content = b"one"
        self.out_of_reach = False
        self.asked = 0

    def read(self, known: str) -> tuple[bytes, str] | None:
        self.asked += 1
        if self.out_of_reach:
            raise Retryable("no answer")
        etag = self.content.decode()
        return None if etag == known else (self.content, etag)


def make(content: bytes) -> str:
    if content.startswith(b"broken"):
        raise Malformed("line 3: unknown key")
    return content.decode().upper()


class Following:
    def __init__(self, period: timedelta | None = MINUTE) -> None:
        self.shelf, self.clock, self.told = Shelf(), HandClock(NOW), list[str]()
        self.follower = Follower(
            self.shelf.read, make, lambda _, text: self.told.append(text), self.clock, period
        )

    def after(self, content: bytes, wait: timedelta = MINUTE) -> str:
        self.shelf.content = content
        self.clock.move_to(self.clock.now() + wait)
        return self.follower.present()


@pytest.fixture
def following() -> Following:
    made = Following()
    assert made.follower.present() == "ONE"
    return made


def test_a_newer_version_is_used_when_it_is_asked_for_again(following: Following):
    assert following.after(b"two") == "TWO"


def test_it_is_not_asked_for_again_before_its_time(following: Following):
    assert following.after(b"two", wait=MINUTE / 2) == "ONE"
    assert following.shelf.asked == 1


def test_a_broken_version_is_told_of_once_and_the_last_good_one_stays(following: Following):
    assert following.after(b"broken") == "ONE"
    assert following.after(b"broken") == "ONE"
    assert following.told == ["refused, the last good one stays: line 3: unknown key"]


def test_the_mended_version_after_a_broken_one_is_used(following: Following):
    following.after(b"broken")

    assert following.after(b"three") == "THREE"


def test_a_version_out_of_reach_changes_nothing(following: Following):
    following.shelf.out_of_reach = True

    assert following.after(b"two") == "ONE"
    assert following.told == ["unreadable, the last good one stays: no answer"]


def test_the_first_version_must_stand():
    following = Following()
    following.shelf.content = b"broken"

    with pytest.raises(Malformed):
        following.follower.present()


def test_a_file_beside_the_app_is_read_once():
    following = Following(period=None)
    following.follower.present()

    assert following.after(b"two") == "ONE"
