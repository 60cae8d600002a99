"""What a night can hold: measured durations, calls an hour, money, quota, and what tags allow."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.builders import NOW, OTHER_SUB, SUB, scope, vm
from tests.drills import (
    HERE,
    THERE,
    backed_up,
    codes,
    drill_rules,
    drills_of,
    fleet,
    measured,
    names,
    night,
    plan,
    plan_web,
    proven,
    tier,
)
from vmbackup_core.domain.drill.choice import plan_drills
from vmbackup_core.domain.drill.cost import Prices
from vmbackup_core.domain.drill.lanes import STARTS_AN_HOUR
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.reckoning import Room
from vmbackup_core.domain.drill.rules import DrillRules, Past
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.drill.turns import Why
from vmbackup_core.domain.facts import Tags, VmFacts
from vmbackup_core.domain.rules import Mode, Rules, Scope
from vmbackup_core.domain.schedules import DAY, HOUR

MINUTE = timedelta(minutes=1)
WEST, NORTH = Place(SUB, HERE), Place(SUB, THERE)
SMALL, LARGE = "Standard_D2s_v5", "Standard_D16s_v5"
KNOWN = {SMALL.lower(): 2, LARGE.lower(): 16}
PRICES = Prices(Decimal("0.10"), Decimal("0.73"), "EUR")


def sized(count: int, size: str = SMALL, **more: object) -> tuple[VmFacts, ...]:
    return fleet(count, size=size, disk_gb=100, **more)


def room(free: int | None = None) -> dict[Place, Room]:
    return {WEST: Room(KNOWN, free)}


def tagged(value: str) -> VmFacts:
    return vm(tags=Tags.of({"Backup": "gold", "Drill": value}))


# How long a test takes.


def test_a_test_is_reckoned_to_take_what_it_took_before() -> None:
    (drill,) = drills_of(plan_web(measured(*[n * MINUTE for n in (30, 10, 20)]), nights=1))

    assert (drill.takes, drill.measured) == (20 * MINUTE, True)


def test_without_a_measurement_it_takes_what_is_configured() -> None:
    (drill,) = drills_of(plan_web(nights=1))

    assert (drill.takes, drill.measured) == (2 * HOUR, False)


def test_what_its_tier_took_stands_for_a_vm_that_was_never_measured() -> None:
    old, new = vm("old"), vm("new")

    found = plan([old, new], pasts={old.id: measured(MINUTE, machine=old.machine)}, nights=1)

    assert {drill.takes for drill in drills_of(found)} == {MINUTE}


def test_a_restore_from_a_snapshot_says_nothing_of_one_from_the_vault() -> None:
    drills = drill_rules(tier(strategies=(Strategy.VAULT,)))

    (slow,) = drills_of(plan_web(measured(MINUTE), drills, nights=1))
    (known,) = drills_of(plan_web(measured(90 * MINUTE, from_vault=True), drills, nights=1))

    assert (slow.takes, known.takes) == (2 * HOUR, 90 * MINUTE)


def test_short_tests_leave_room_for_more_of_them() -> None:
    vms = fleet(10)
    pasts = {one.id: measured(30 * MINUTE, machine=one.machine) for one in vms}

    found = plan(vms, drill_rules(at_once=1), nights=1, pasts=pasts)

    assert [drill.starts - night(0) for drill in drills_of(found)] == [
        0 * MINUTE, 30 * MINUTE, 60 * MINUTE, 90 * MINUTE,
    ]  # fmt: skip
    assert found.coverage.loads[1].words.endswith(
        "(1 at once, 4 after one another in 2 hours as measured)"
    )


def test_a_test_that_does_not_fit_any_more_lets_a_shorter_one_go_first() -> None:
    long, short = vm("a-long"), vm("b-short")
    first = vm("0-first")
    pasts = {
        first.id: measured(HOUR, machine=first.machine),
        long.id: measured(90 * MINUTE, machine=long.machine),
        short.id: measured(HOUR, machine=short.machine),
    }

    found = plan([long, short, first], drill_rules(at_once=1), nights=2, pasts=pasts)

    assert names(found) == [["0-first", "b-short"], ["a-long"]]


def test_a_test_that_outlasts_the_night_has_a_lane_for_itself() -> None:
    found = plan_web(measured(5 * HOUR), nights=1)

    assert names(found) == [["web"]]


# What Recovery Services allows in an hour.


def test_no_hour_of_a_subscription_has_more_starts_than_its_calls_allow() -> None:
    many = drill_rules(per_night=1000, at_once=50, lasts=6 * HOUR)
    here, there = fleet(60), fleet(60, group="rg-north", location=THERE)

    starts = [drill.starts for drill in drills_of(plan([*here, *there], many, nights=1))]

    assert len(starts) == 120
    assert starts.count(night(0)) == STARTS_AN_HOUR
    assert all(sum(a <= b < a + HOUR for b in starts) <= STARTS_AN_HOUR for a in starts)


def test_each_subscription_has_calls_of_its_own() -> None:
    many = drill_rules(per_night=1000, at_once=50)
    here = fleet(50)
    far = tuple(replace(one, id=replace(one.id, subscription=OTHER_SUB)) for one in here)

    found = drills_of(plan([*here, *far], many, nights=1))

    assert {drill.starts for drill in found} == {night(0)}


# What it may cost.


def priced(amount: str, **more: object) -> DrillRules:
    return drill_rules(prices=PRICES, cost_per_night=Decimal(amount), **more)


def test_a_night_costs_no_more_than_it_may() -> None:
    # Two hours of 2 vCPUs and 100 GB: 0.40 and 0.20.
    found = plan(sized(5), priced("1.20"), nights=3, rooms=room())

    assert [len(night) for night in names(found)] == [2, 2, 1]
    assert {drill.cost for drill in drills_of(found)} == {Decimal("0.60")}


def test_who_waits_for_money_is_told_so() -> None:
    assert codes(plan(sized(2), priced("0.60"), nights=1, rooms=room())) == ["NO_BUDGET"]


def test_a_smaller_one_may_go_before_one_that_costs_too_much_tonight() -> None:
    first, second = sized(1)[0], replace(sized(2)[1], size=LARGE)
    third = sized(3)[2]

    found = plan([first, second, third], priced("3.50"), nights=2, rooms=room())

    assert names(found) == [["web-000", "web-002"], ["web-001"]]


def test_one_that_costs_more_than_a_whole_night_refuses_the_plan() -> None:
    found = plan(sized(1, LARGE), priced("1"), nights=7, rooms=room())

    assert codes(found) == ["NO_BUDGET"]
    assert found.unplanned[0].because == (
        "it is estimated at up to 3.40 alone, more than cost_per_night (1.00): no night takes it"
    )
    assert "1 of its VMs would be without a proof" in found.refusals[0]


def test_a_vm_of_unknown_size_counts_as_the_dearest() -> None:
    odd = replace(sized(1)[0], size="Standard_X1")

    found = plan([odd, *sized(3)[1:]], priced("1.20"), nights=2, rooms=room())

    assert [len(night) for night in names(found)] == [2, 1]


def test_where_nothing_is_known_each_counts_as_a_whole_night() -> None:
    assert [len(night) for night in names(plan(sized(2), priced("9"), nights=2))] == [1, 1]


def test_only_the_disks_are_paid_for_where_nothing_is_powered_on() -> None:
    drills = priced("9", **{"per_night": 10})
    drills = replace(drills, tiers=(tier(rung=Rung.DISKS),))

    (drill,) = drills_of(plan(sized(1), drills, nights=1, rooms=room()))

    assert drill.cost == Decimal("0.20")


def test_without_prices_nothing_is_estimated() -> None:
    assert drills_of(plan(sized(1), nights=1, rooms=room()))[0].cost is None


# What the vCPU quota has room for.


def test_no_more_run_side_by_side_than_the_quota_has_room_for() -> None:
    found = plan(sized(6), drill_rules(lasts=4 * HOUR), nights=1, rooms=room(free=5))

    assert [drill.lane for drill in drills_of(found)] == [1, 2, 1, 2]
    assert "2 at once" in found.coverage.loads[1].words


def test_even_the_largest_may_meet() -> None:
    large = replace(sized(4)[3], size=LARGE)

    found = plan([*sized(3), large], nights=1, rooms=room(free=20))

    assert max(drill.lane for drill in drills_of(found)) == 3


def test_one_that_is_too_large_for_the_quota_is_told_so_and_holds_nobody_up() -> None:
    large = replace(sized(4)[3], size=LARGE)

    found = plan([*sized(3), large], nights=1, rooms=room(free=6))

    assert codes(found) == ["NO_QUOTA"]
    assert found.unplanned[0].because == "Standard_D16s_v5 has 16 vCPUs, and there is room for 6"
    assert len(drills_of(found)) == 3


def test_a_place_without_any_quota_left_tests_nobody() -> None:
    assert codes(plan(sized(1), nights=3, rooms=room(free=0))) == ["NO_QUOTA"]


def test_disks_need_no_quota() -> None:
    drills = drill_rules(tier(rung=Rung.DISKS))

    assert len(drills_of(plan(sized(3), drills, nights=1, rooms=room(free=0)))) == 3


# What a tag allows.


@pytest.mark.parametrize(
    ("value", "rung", "odd"),
    [
        ("disks-only", Rung.DISKS, False),
        (" Boot-Only ", Rung.BOOT, False),
        ("carefully", Rung.DISKS, True),
        ("", Rung.DISKS, True),
    ],
)
def test_a_tag_caps_how_far_a_test_goes(value: str, rung: Rung, odd: bool) -> None:
    (drill,) = drills_of(plan([tagged(value)], nights=1))

    assert (drill.cap.rung, drill.cap.odd) == (rung, odd)
    assert "tag drill" in drill.cap.by


def test_a_value_that_nobody_knows_is_said() -> None:
    (drill,) = drills_of(plan([tagged("carefully")], nights=1))

    assert drill.cap.by == (
        "tag drill = 'carefully', which is none of disks-only, boot-only, never: "
        "taken as disks-only"
    )


def test_a_vm_whose_tag_says_never_is_never_tested() -> None:
    found = plan([tagged("never")], nights=30)

    assert codes(found) == ["TAGGED_NEVER"]
    assert found.coverage.vms == 0


def test_a_proof_as_far_as_a_cap_lets_it_keeps_the_rhythm_and_is_counted_apart() -> None:
    found = plan([tagged("disks-only")], pasts={vm().id: proven(5, partly=True)})

    assert codes(found) == ["NOT_DUE"]
    assert (found.coverage.vms, found.coverage.proven, found.coverage.capped) == (1, 0, 1)
    assert found.coverage.nights == 0


# Where nothing may be done.


def test_a_subscription_in_observe_mode_takes_nobodys_turn() -> None:
    far = replace(vm(), id=replace(vm().id, subscription=OTHER_SUB))
    both = Scope((SUB, OTHER_SUB), mode=Mode.PROTECT, mode_by_subscription=((SUB, Mode.OBSERVE),))
    rules = Rules(both, "backup")

    found = plan_drills(backed_up([vm(), far]), rules, drill_rules(), {}, NOW, 1)

    assert [drill.vm.id for drill in drills_of(found)] == [far.id]
    assert codes(found) == ["OBSERVING"]


def test_where_all_only_observe_the_plan_shows_what_would_be_tested() -> None:
    rules = Rules(scope(Mode.OBSERVE), "backup")

    found = plan_drills(backed_up([vm()]), rules, drill_rules(), {}, NOW, 1)

    assert len(drills_of(found)) == 1


# Tests that could not tell.


def test_a_test_that_could_not_tell_is_tried_again_the_next_night() -> None:
    found = plan_web(Past("machine-of-web").trying(night(-1)), nights=1)

    assert drills_of(found)[0].why is Why.UNTOLD


def test_one_that_can_never_tell_leaves_room_for_the_others() -> None:
    past = Past("machine-of-web", tried=night(-1), tries=4)

    assert names(plan_web(past, nights=8)) == [[]] * 7 + [["web"]]


def test_never_tested_ones_go_before_those_that_could_not_tell() -> None:
    again, new = vm("again"), vm("new")
    past = Past(again.machine).trying(night(-1))

    found = plan([again, new], drill_rules(per_night=1), nights=2, pasts={again.id: past})

    assert names(found) == [["new"], ["again"]]


def test_the_next_try_takes_another_kind_of_point() -> None:
    drills = drill_rules(tier(strategies=(Strategy.LATEST, Strategy.VAULT)))
    past = Past("machine-of-web")

    (first,) = drills_of(plan_web(past, drills, nights=1))
    (again,) = drills_of(plan_web(past.trying(night(-1)), drills, nights=1))

    assert first.strategy is not again.strategy


def test_a_try_leaves_a_proof_as_good_as_it_was() -> None:
    past = proven(10).trying(night(-1))

    assert codes(plan_web(past)) == ["NOT_DUE"]


def test_a_failure_ends_the_tries_and_a_pass_ends_both() -> None:
    past = Past("m").trying(night(-3)).failing(night(-2))
    after = past.trying(night(-1)).passed(night(0))

    assert (past.failures, past.tries) == (1, 0)
    assert after == Past("m", proven=night(0), proofs=1)


def test_six_measurements_of_each_kind_are_kept() -> None:
    past = measured(*[n * MINUTE for n in range(9)])
    both = past.measuring(measured(DAY, from_vault=True).measured[0])

    assert [one.took for one in past.measured] == [n * MINUTE for n in range(3, 9)]
    assert len(both.measured) == 7
