from datetime import timedelta

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW, at
from tests.clocks import HandClock
from vmbackup_core.app.snapshots import CLAIM, Snapshots
from vmbackup_core.domain.errors import Retryable

AGE = timedelta(minutes=10)


class Source:
    """Something that is read; it counts how often, and may fail."""

    def __init__(self) -> None:
        self.reads = 0
        self.fails = False

    def take(self) -> list[int]:
        self.reads += 1
        if self.fails:
            raise Retryable("not now")
        return [self.reads]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def snapshots(blobs: MemoryBlobs, clock: HandClock) -> Snapshots:
    return Snapshots(blobs, clock)


@pytest.fixture
def source() -> Source:
    return Source()


def test_many_who_ask_cost_one_read(snapshots: Snapshots, source: Source) -> None:
    seen = [
        snapshots.read("vaults/x", max_age=AGE, after=None, take=source.take) for _ in range(99)
    ]

    assert seen == [[1]] * 99


def test_what_is_too_old_is_read_again(
    snapshots: Snapshots, source: Source, clock: HandClock
) -> None:
    snapshots.read("x", max_age=AGE, after=None, take=source.take)
    clock.move_to(at(10))
    young = snapshots.read("x", max_age=AGE, after=None, take=source.take)
    clock.move_to(at(10.1))
    old = snapshots.read("x", max_age=AGE, after=None, take=source.take)

    assert (young, old) == ([1], [2])


def test_who_changed_something_sees_it(
    snapshots: Snapshots, source: Source, clock: HandClock
) -> None:
    snapshots.read("x", max_age=AGE, after=None, take=source.take)

    assert snapshots.read("x", max_age=AGE, after=NOW, take=source.take) == [2]
    clock.move_to(at(1))
    assert snapshots.read("x", max_age=AGE, after=at(0.5), take=source.take) == [3]
    assert snapshots.read("x", max_age=AGE, after=at(0.5), take=source.take) == [3]


def test_who_comes_while_another_reads_comes_back_later(
    snapshots: Snapshots, source: Source
) -> None:
    def take() -> list[int]:
        assert snapshots.read("x", max_age=AGE, after=None, take=source.take) is None
        return [7]

    assert snapshots.read("x", max_age=AGE, after=None, take=take) == [7]
    assert source.reads == 0


def test_a_reader_that_died_keeps_others_out_for_a_minute_only(
    snapshots: Snapshots, source: Source, clock: HandClock
) -> None:
    source.fails = True
    with pytest.raises(Retryable):
        snapshots.read("x", max_age=AGE, after=None, take=source.take)
    source.fails = False

    assert snapshots.read("x", max_age=AGE, after=None, take=source.take) is None
    clock.move_to(NOW + CLAIM)
    assert snapshots.read("x", max_age=AGE, after=None, take=source.take) == [2]


def test_the_loser_of_a_race_reads_nothing(
    snapshots: Snapshots, blobs: MemoryBlobs, source: Source
) -> None:
    def somebody_is_faster() -> None:
        blobs.before_write = lambda: None
        blobs.create("snapshots/x.json", b"{}")

    blobs.before_write = somebody_is_faster

    assert snapshots.read("x", max_age=AGE, after=None, take=source.take) is None
    assert source.reads == 0


def test_an_old_snapshot_stays_readable_while_it_is_refreshed(
    snapshots: Snapshots, source: Source, clock: HandClock
) -> None:
    snapshots.read("x", max_age=AGE, after=None, take=source.take)
    clock.move_to(at(5))
    long = timedelta(hours=1)
    seen = []

    def take() -> list[int]:
        seen.append(snapshots.read("x", max_age=long, after=None, take=source.take))
        return [9]

    assert snapshots.read("x", max_age=timedelta(minutes=1), after=None, take=take) == [9]
    assert seen == [[1]]


def test_a_reader_who_takes_longer_than_a_claim_still_has_what_was_read(
    snapshots: Snapshots, clock: HandClock
) -> None:
    def slow() -> str:
        clock.move_to(clock.now() + 2 * CLAIM)
        snapshots.read("x", max_age=AGE, after=None, take=lambda: "of another")
        return "of ours"

    assert snapshots.read("x", max_age=AGE, after=None, take=slow) == "of ours"
