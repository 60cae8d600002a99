"""Tonight's restore tests: which, in which lanes, and what is recorded of those that cannot be."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW, SUB, WEB, vm
from tests.clocks import HandClock
from tests.drill_runs import order, record
from tests.drills import RULES, backed_up, drill_rules, fleet, tier
from tests.rows import MemoryRows
from tests.small_app import Lines
from vmbackup_core.app.drill.night import Night, Tonight, with_control
from vmbackup_core.app.drill.night_book import NightBook
from vmbackup_core.app.drill.planning import Drilling
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.size_shelf import SizeShelf
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.drill.facts import RestoreFacts, RestoreProgress
from vmbackup_core.domain.drill.points import PointFacts
from vmbackup_core.domain.drill.rules import DrillRules
from vmbackup_core.domain.drill.rungs import Control, Rung
from vmbackup_core.domain.drill.sizes import SizeFacts, Usage
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import Denied
from vmbackup_core.domain.facts import Estate, VmFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.schedules import Weekday

BEGINS = datetime(2030, 1, 16, 1, tzinfo=NOW.tzinfo)
TONIGHT = date(2030, 1, 16)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Looks:
    """What the night looks at: an estate, restores, and sizes that nobody may read."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.restores: tuple[RestoreFacts, ...] = ()

    def observe_vm(self, vm: Any) -> VmFacts:
        raise AssertionError("the night reads the estate in one")

    def observe_estate(self, scope: Scope) -> Estate:
        return self.estate

    def observe_all_restores(self, scope: Scope, since: datetime) -> tuple[RestoreFacts, ...]:
        return tuple(one for one in self.restores if one.started >= since)

    def observe_points(self, vm: Any, vault: VaultId) -> tuple[PointFacts, ...]:
        return ()

    def observe_sizes(self, place: Place) -> tuple[SizeFacts, ...]:
        raise Denied("no right to read sizes")

    def observe_usages(self, place: Place) -> tuple[Usage, ...]:
        raise Denied("no right to read quotas")


class Stage:
    def __init__(self, vms: Iterable[VmFacts], drills: DrillRules) -> None:
        self.clock = HandClock(BEGINS)
        self.rows, state = MemoryRows(self.clock), MemoryBlobs()
        self.journal, self.looks = Lines(), Looks(backed_up(vms))
        self.slots, self.runs = SlotBook(self.rows, self.clock), RunBook(self.rows, self.clock)
        evidence = EvidenceLog(MemoryBlobs(), self.clock)
        self.records = DrillRecords(self.rows, evidence, state, self.journal, self.clock, "digest")
        drilling = Drilling(
            inventory=self.looks,
            restores=self.looks,
            history=self.looks,
            shelf=SizeShelf(Snapshots(state, self.clock), self.looks, self.clock),
            slots=self.slots,
            runs=self.runs,
            records=self.records,
            clock=self.clock,
            rules=RULES,
            drills=drills,
        )
        self.night = Night(drilling, NightBook(self.rows), self.records, self.journal, self.clock)

    def allow(self, **changes: Any) -> None:
        """Change the drill plan, as a new configuration does."""
        night = self.night
        drills = replace(night.drilling.drills, **changes)
        self.night = replace(night, drilling=replace(night.drilling, drills=drills))

    def at(self, moment: datetime) -> Tonight:
        self.clock.time = moment
        return self.night.plan()

    def bodies(self) -> list[Any]:
        return [found["body"] for _, found in self.records.evidence.chain("drill/")]


def stage(*vms: VmFacts, **drills: Any) -> Stage:
    return Stage(vms or (vm(),), drill_rules(**drills))


def restores_of(count: int, progress: RestoreProgress) -> tuple[RestoreFacts, ...]:
    vault = backed_up([vm()]).items[0].vault
    container = f"iaasvmcontainerv2;{WEB.group};{WEB.name}"
    return tuple(
        RestoreFacts(f"job-{number}", container, progress, BEGINS - HOUR, vault=vault)
        for number in range(count)
    )


@pytest.mark.parametrize("early", [-5 * MINUTE, -MINUTE / 60, timedelta(0), 119 * MINUTE])
def test_a_timer_near_its_time_begins_the_night(early: timedelta):
    tonight = stage().at(BEGINS + early)

    assert tonight.night == TONIGHT
    assert [one.vm for one in tonight.orders] == [WEB]
    assert tonight.orders[0].asked == max(BEGINS, BEGINS + early)


@pytest.mark.parametrize("off", [-6 * MINUTE, 2 * HOUR])
def test_a_timer_outside_of_the_nights_hours_begins_nothing_and_says_so(off: timedelta):
    tonight = stage().at(BEGINS + off)

    assert tonight.orders == ()
    assert "do not agree" in tonight.why


def test_a_night_that_is_blacked_out_begins_nothing():
    assert "blacked out" in stage(blackout=(Weekday.WEDNESDAY,)).at(BEGINS).why


def test_a_place_has_as_many_lanes_as_slots_and_each_test_is_in_one():
    tonight = stage(*fleet(5), at_once=2, lasts=6 * HOUR).at(BEGINS)

    assert sorted(len(lane.orders) for lane in tonight.lanes) == [2, 3]
    assert len({one.run for one in tonight.orders}) == 5
    assert {lane.starts for lane in tonight.lanes} == {BEGINS}


def test_the_same_night_planned_twice_has_the_same_runs():
    one = stage(*fleet(3))

    assert one.at(BEGINS).orders == one.at(BEGINS).orders


def test_what_has_begun_or_ended_is_not_begun_again():
    one = stage(*fleet(3))
    first, second, third = one.at(BEGINS).orders
    one.runs.open(first, Slot(first.place, 1))
    one.records.write(record(of=second))

    assert [order.run for order in one.at(BEGINS + HOUR).orders] == [third.run]


def test_a_vm_whose_turn_it_is_and_that_a_person_restores_leaves_a_record():
    one = stage()
    one.looks.restores = restores_of(1, RestoreProgress.RUNNING)

    assert one.at(BEGINS).orders == ()
    (body,) = one.bodies()
    assert (body["ending"], body["verdict"], body["night"]) == (
        "RESTORING",
        "NOT_PROVEN",
        "2030-01-16",
    )


def test_ten_restores_in_a_day_leave_a_record_once_a_night():
    one = stage()
    one.looks.restores = restores_of(10, RestoreProgress.SUCCEEDED)
    one.at(BEGINS)
    one.at(BEGINS + HOUR)

    assert [body["ending"] for body in one.bodies()] == ["RESTORE_LIMIT"]


def test_a_restore_of_our_own_holds_nothing_back():
    one = stage()
    one.looks.restores = restores_of(1, RestoreProgress.RUNNING)
    ours = order(vm("other").id, machine="other")
    slot = one.slots.lease(Place(SUB, "westeurope"), 1, ours.run, BEGINS + DAY)
    assert slot is not None
    one.runs.open(ours, slot)
    one.runs.note(ours.run, lambda run: replace(run, jobs=("job-0",)))

    assert len(one.at(BEGINS).orders) == 1


def test_a_vm_that_is_not_due_leaves_no_record():
    one = stage()
    one.records.write(record(of=order(asked=BEGINS - DAY, night=None)))
    before = len(one.bodies())

    assert one.at(BEGINS).orders == ()
    assert len(one.bodies()) == before


def test_a_plan_that_cannot_keep_its_word_is_told():
    one = stage(*fleet(200), per_night=1)
    one.at(BEGINS)

    assert any("cannot keep its word" in text for _, text in one.journal.lines)


# Negative controls.


def test_the_first_night_has_one_negative_control():
    orders = stage(*fleet(3)).at(BEGINS).orders

    assert [one.control for one in orders].count(True) == 1


def test_a_control_comes_back_when_its_rhythm_is_over():
    one = stage(*fleet(3), control_every=7 * DAY)
    held = order(vm("other").id, asked=BEGINS - 6 * DAY, night=None)
    one.clock.time = BEGINS - 6 * DAY
    one.records.write(record(of=held, control=Control.HELD))
    soon = [order.control for order in one.at(BEGINS).orders]
    later = [order.control for order in one.at(BEGINS + DAY).orders]

    assert (soon.count(True), later.count(True)) == (0, 1)


def test_no_control_runs_where_none_is_wanted():
    orders = stage(*fleet(3), control_every=None).at(BEGINS).orders

    assert not any(one.control for one in orders)


def test_a_control_is_a_test_that_runs_checks_anyway_and_never_a_capped_one():
    capped, boots = order(cap=Rung.DISKS), order(vm("b").id)
    checks = order(vm("c").id, needed=Rung.CHECKS)

    assert [one.control for one in with_control((capped, boots, checks))] == [False, False, True]
    assert [one.control for one in with_control((capped, boots))] == [False, True]
    assert [one.control for one in with_control((capped,))] == [False]


def test_tiers_keep_their_own_ages():
    one = Stage(fleet(2), drill_rules(tier(nights=30), tier("other", nights=90)))

    assert len(one.at(BEGINS).orders) == 2


# A night is triggered again.


def test_a_night_that_is_triggered_again_after_its_end_gets_no_second_helping():
    one = stage(*fleet(9), per_night=3)
    for run in one.at(BEGINS).orders:
        one.records.write(record(of=run))

    again = one.at(BEGINS + HOUR)

    assert again.orders == ()
    assert "has had its restore tests" in again.why


def test_a_night_that_is_triggered_again_takes_up_what_has_not_begun():
    one = stage(*fleet(9), per_night=3)
    first, second, third = one.at(BEGINS).orders
    one.records.write(record(of=first))

    assert {order.run for order in one.at(BEGINS + HOUR).orders} == {second.run, third.run}


def test_a_helping_is_kept_though_the_limit_is_raised_in_the_night():
    one = stage(*fleet(9), per_night=3)
    before = one.at(BEGINS).orders
    one.allow(per_night=9)

    assert {order.run for order in one.at(BEGINS + HOUR).orders} == {run.run for run in before}


def test_the_next_night_has_a_helping_of_its_own():
    one = stage(*fleet(9), per_night=3)
    for run in one.at(BEGINS).orders:
        one.records.write(record(of=run))

    assert len(one.at(BEGINS + DAY).orders) == 3


def test_a_night_that_found_nobody_due_may_be_asked_again():
    one = stage()
    one.records.write(record(of=order(asked=BEGINS - DAY, night=None)))
    nothing = one.at(BEGINS)
    one.looks.estate = backed_up([vm("new")])

    assert nothing.orders == ()
    assert len(one.at(BEGINS + HOUR).orders) == 1


def test_the_control_of_a_night_stays_the_same_test_when_it_is_triggered_again():
    one = stage(*fleet(3))
    first = {order.run for order in one.at(BEGINS).orders if order.control}
    begun = next(order for order in one.at(BEGINS).orders if order.control)
    one.runs.open(begun, Slot(begun.place, 1))

    assert {begun.run} == first
    assert not any(order.control for order in one.at(BEGINS + HOUR).orders)


# Where no control can run.


@pytest.mark.parametrize("rung", [Rung.POINT, Rung.DISKS])
def test_no_control_is_chosen_where_no_copy_would_be_booted_and_that_is_said(rung: Rung):
    one = Stage(fleet(3), drill_rules(tier(rung=rung)))

    assert not any(order.control for order in one.at(BEGINS).orders)
    assert any("no negative control" in text for _, text in one.journal.lines)


def test_a_control_is_never_a_test_that_stops_at_its_disks():
    disks, boots = order(needed=Rung.DISKS), order(vm("b").id)

    assert [one.control for one in with_control((disks, boots))] == [False, True]
    assert [one.control for one in with_control((disks,))] == [False]
