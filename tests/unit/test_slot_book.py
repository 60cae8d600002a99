"""Who has which slot: the lowest free one, never one that nobody has looked into since."""

from datetime import timedelta

import pytest

from tests.builders import NOW, SUB, at
from tests.clocks import HandClock
from tests.rows import MemoryRows
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.domain.drill.leases import Lease
from vmbackup_core.domain.drill.slots import Place, Slot

HERE = Place(SUB, "westeurope")
THERE = Place(SUB, "northeurope")
ONE, TWO = Slot(HERE, 1), Slot(HERE, 2)
SOON = at(60)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def rows(clock: HandClock) -> MemoryRows:
    return MemoryRows(clock)


@pytest.fixture
def slots(rows: MemoryRows, clock: HandClock) -> SlotBook:
    return SlotBook(rows, clock)


def test_the_lowest_free_slot_is_leased(slots: SlotBook):
    assert slots.lease(HERE, 2, "drill-a", SOON) == ONE
    assert slots.lease(HERE, 2, "drill-b", SOON) == TWO
    assert slots.lease(HERE, 2, "drill-c", SOON) is None


def test_a_run_gets_the_slot_that_it_has(slots: SlotBook):
    slots.lease(HERE, 2, "drill-a", SOON)

    assert slots.lease(HERE, 2, "drill-a", at(90)) == ONE
    assert slots.leases() == (Lease(ONE, "drill-a", at(90)),)


def test_asking_again_never_shortens_a_lease(slots: SlotBook):
    slots.lease(HERE, 2, "drill-a", SOON)
    slots.lease(HERE, 2, "drill-a", at(1))

    assert slots.leases() == (Lease(ONE, "drill-a", SOON),)


def test_places_have_slots_of_their_own(slots: SlotBook):
    slots.lease(HERE, 1, "drill-a", SOON)

    assert slots.lease(THERE, 1, "drill-b", SOON) == Slot(THERE, 1)
    assert slots.places() == (THERE, HERE)


def test_a_lease_that_ran_out_is_given_to_nobody_until_it_is_released(
    slots: SlotBook, clock: HandClock
):
    slots.lease(HERE, 1, "drill-a", SOON)
    clock.move_to(SOON)
    before = slots.lease(HERE, 1, "drill-b", at(120))
    expired = [lease.run for lease in slots.leases() if lease.expired(clock.now())]
    slots.release(ONE, "drill-a")

    assert (before, expired) == (None, ["drill-a"])
    assert slots.lease(HERE, 1, "drill-b", at(120)) == ONE


def test_only_the_run_that_has_it_releases_a_slot(slots: SlotBook):
    slots.lease(HERE, 1, "drill-a", SOON)
    slots.release(ONE, "drill-b")

    assert slots.lease(HERE, 1, "drill-c", SOON) is None


def test_a_quarantined_slot_is_given_to_nobody_until_it_is_lifted(slots: SlotBook):
    slots.lease(HERE, 1, "drill-a", SOON)
    slots.quarantine(ONE, "drill-a", "a disk that is not ours")
    slots.release(ONE, "drill-a")
    before = slots.lease(HERE, 1, "drill-b", SOON)
    quarantined = slots.quarantined()
    slots.lift(ONE)

    assert before is None
    assert quarantined == (
        Lease(ONE, quarantined="a disk that is not ours", quarantined_by="drill-a", since=NOW),
    )
    assert slots.lease(HERE, 1, "drill-b", SOON) == ONE


def test_a_slot_can_be_quarantined_while_its_run_still_cleans_up(slots: SlotBook):
    slots.lease(HERE, 2, "drill-a", SOON)
    slots.quarantine(ONE, "drill-a", "a disk that is not ours")

    assert slots.lease(HERE, 2, "drill-a", SOON) == ONE
    assert slots.lease(HERE, 2, "drill-b", SOON) == TWO


def test_the_first_reason_of_a_quarantine_stays(slots: SlotBook):
    slots.quarantine(ONE, "drill-a", "first")
    slots.quarantine(ONE, "drill-b", "second")

    assert [one.quarantined for one in slots.quarantined()] == ["first"]


def test_two_who_reach_for_the_same_slot_get_two(slots: SlotBook, rows: MemoryRows):
    winner = []

    def meanwhile() -> None:
        rows.before_write = lambda: None
        winner.append(slots.lease(HERE, 2, "drill-b", SOON))

    rows.before_write = meanwhile

    assert slots.lease(HERE, 2, "drill-a", SOON) == TWO
    assert winner == [ONE]


def test_the_loser_of_the_last_slot_has_none(slots: SlotBook, rows: MemoryRows):
    def meanwhile() -> None:
        rows.before_write = lambda: None
        slots.lease(HERE, 1, "drill-b", SOON)

    rows.before_write = meanwhile

    assert slots.lease(HERE, 1, "drill-a", SOON) is None


def test_a_lease_without_an_end_yet_is_not_expired():
    assert not Lease(ONE).expired(NOW + timedelta(days=400))
