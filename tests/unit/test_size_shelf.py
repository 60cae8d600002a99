from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW
from tests.clocks import HandClock
from vmbackup_core.app.drill.size_shelf import SIZES_AGE, USAGES_AGE, SizeShelf
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage
from vmbackup_core.domain.drill.slots import Place

WEST = Place("5a0c0000-0000-4000-8000-00000000000a", "westeurope")
NORTH = Place("5a0c0000-0000-4000-8000-00000000000a", "northeurope")
SMALL = SizeFacts("Standard_B2s", "standardBSFamily", 2, 4.5, zones=("1",))
LARGE = SizeFacts("Standard_D4s_v5", "standardDSv5Family", 4, 16)


@dataclass
class CountedSizes:
    """A port that counts how often it is asked."""

    asked: list[str] = field(default_factory=list)

    def observe_sizes(self, place: Place) -> tuple[SizeFacts, ...]:
        self.asked.append(f"sizes of {place.location}")
        return (SMALL, LARGE)

    def observe_usages(self, place: Place) -> tuple[Usage, ...]:
        self.asked.append(f"usages of {place.location}")
        return (Usage("cores", len(self.asked), 100),)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def sizes() -> CountedSizes:
    return CountedSizes()


@pytest.fixture
def shelf(blobs: MemoryBlobs, clock: HandClock, sizes: CountedSizes) -> SizeShelf:
    return SizeShelf(Snapshots(blobs, clock), sizes, clock)


def test_only_the_named_sizes_come_in_the_order_of_asking(shelf: SizeShelf) -> None:
    names = ["standard_d4s_V5", "Standard_None", "Standard_B2s", "STANDARD_B2S"]

    assert shelf.sizes_in(WEST, names) == (LARGE, SMALL)


def test_sizes_are_read_once_a_day_for_each_place(
    shelf: SizeShelf, clock: HandClock, sizes: CountedSizes
) -> None:
    shelf.sizes_in(WEST, ["Standard_B2s"])
    shelf.sizes_in(WEST, ["Standard_D4s_v5"])
    shelf.sizes_in(NORTH, ["Standard_B2s"])
    clock.move_to(NOW + SIZES_AGE + timedelta(seconds=1))
    shelf.sizes_in(WEST, ["Standard_B2s"])

    assert sizes.asked == ["sizes of westeurope", "sizes of northeurope", "sizes of westeurope"]


def test_usages_are_read_every_ten_minutes_and_after_a_change(
    shelf: SizeShelf, clock: HandClock
) -> None:
    first, again = shelf.usages_in(WEST), shelf.usages_in(WEST)
    clock.move_to(NOW + timedelta(minutes=1))
    changed = shelf.usages_in(WEST, after=NOW)
    clock.move_to(NOW + timedelta(minutes=2) + USAGES_AGE)
    old = shelf.usages_in(WEST)

    assert first == again == (Usage("cores", 1, 100),)
    assert changed == (Usage("cores", 2, 100),)
    assert old == (Usage("cores", 3, 100),)


def test_who_comes_while_another_reads_comes_back_later(
    blobs: MemoryBlobs, shelf: SizeShelf
) -> None:
    blobs.creating_always_loses = True

    assert shelf.sizes_in(WEST, ["Standard_B2s"]) is None
    assert shelf.usages_in(WEST) is None


def test_what_another_version_of_us_wrote_is_read_anew(
    blobs: MemoryBlobs, clock: HandClock, shelf: SizeShelf, sizes: CountedSizes
) -> None:
    foreign = {"standard_b2s": {"name": "Standard_B2s", "shape": "round"}}
    name = f"sizes/{WEST.subscription}/{WEST.location}"
    Snapshots(blobs, clock).read(name, max_age=SIZES_AGE, after=None, take=lambda: foreign)
    clock.move_to(NOW + timedelta(minutes=5))

    assert shelf.sizes_in(WEST, ["Standard_B2s"]) == (SMALL,)
    assert sizes.asked == ["sizes of westeurope"]
