"""Which VMs are tested in which night, one at a time; the laws are in tests/property."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.builders import FOREIGN_VAULT, NOW, OTHER_SUB, item, vm
from tests.drills import (
    HERE,
    THERE,
    TONIGHT,
    backed_up,
    codes,
    drill_rules,
    drills_of,
    fleet,
    names,
    night,
    plan,
    plan_web,
    proven,
    tier,
    without_backup,
)
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import Dates, Past
from vmbackup_core.domain.drill.turns import NotPlanned, Why
from vmbackup_core.domain.facts import Estate, ItemState
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.schedules import DAY, HOUR, Weekday

# Who is planned, and why.


def test_a_vm_that_was_never_tested_is_tested_tonight() -> None:
    (drill,) = drills_of(plan_web(nights=1))

    assert drill.why is Why.NEVER_TESTED
    assert drill.starts == night(0)
    assert drill.proven is None


def test_a_night_that_has_begun_is_not_planned_any_more() -> None:
    assert plan_web(nights=1).nights[0].date == TONIGHT
    assert drill_rules().next_night(night(0)) == TONIGHT
    assert drill_rules().next_night(night(0) + timedelta(seconds=1)) == TONIGHT + DAY


def test_a_proof_that_is_young_is_left_alone() -> None:
    assert codes(plan_web(proven(5))) == ["NOT_DUE"]


def test_a_proof_is_renewed_when_three_quarters_of_its_age_are_over() -> None:
    found = plan_web(proven(20), nights=4)

    assert names(found) == [[], [], [], ["web"]]
    assert drills_of(found)[0].why is Why.OLDEST_PROOF


def test_another_machine_of_that_name_was_never_tested() -> None:
    (drill,) = drills_of(plan_web(proven(1, machine="an-earlier-one"), nights=1))

    assert drill.why is Why.NEVER_TESTED


def test_a_failed_one_is_tested_again_soon() -> None:
    failed = proven(9, failed=night(-1) + HOUR, failures=1)

    found = plan_web(failed, nights=2)

    assert names(found) == [[], ["web"]]
    assert drills_of(found)[0].why is Why.FAILED


def test_one_that_fails_again_and_again_waits_longer_each_time() -> None:
    failed = Past("machine-of-web", failed=night(-1), failures=3)

    assert names(plan_web(failed, nights=9)) == [[]] * 7 + [["web"], []]


def test_one_that_always_fails_waits_at_most_half_the_age() -> None:
    failed = Past("machine-of-web", failed=night(-1), failures=40)

    assert plan_web(failed, nights=20).coverage.nights == 15


def test_never_tested_ones_go_before_the_oldest_proof() -> None:
    old, new = vm("old"), vm("new")

    found = plan(
        [old, new],
        drill_rules(per_night=1),
        nights=2,
        pasts={old.id: proven(25, machine=old.machine)},
    )

    assert names(found) == [["new"], ["old"]]


def test_a_proof_that_would_lapse_goes_before_one_that_never_was() -> None:
    old, new = vm("old"), vm("new")

    found = plan(
        [old, new],
        drill_rules(per_night=1),
        nights=2,
        pasts={old.id: proven(30, machine=old.machine)},
    )

    assert names(found) == [["old"], ["new"]]
    assert drills_of(found)[0].why is Why.LAPSES


def test_proofs_that_lapse_all_at_once_are_renewed_ahead_of_time() -> None:
    vms = fleet(5)
    pasts = {one.id: proven(26, machine=one.machine) for one in vms}

    found = plan([*vms, vm("new")], drill_rules(per_night=1), nights=6, pasts=pasts)

    assert [drill.vm.name for drill in drills_of(found)][-1] == "new"
    assert found.refusals == ()


def test_a_proof_that_lapses_in_a_blackout_is_renewed_before_it() -> None:
    shut = (Dates(date(2030, 1, 17), date(2030, 1, 30)),)

    found = plan_web(proven(20), drill_rules(blackout=shut), nights=2)

    assert names(found) == [["web"], []]


# The limits of a night.


def test_a_night_has_room_for_so_many_tests() -> None:
    found = plan(fleet(5), drill_rules(per_night=2), nights=3)

    assert [len(night) for night in names(found)] == [2, 2, 1]
    assert found.coverage.nights == 3


def test_each_subscription_and_region_has_its_own_lanes() -> None:
    here, there = fleet(3), fleet(3, group="rg-north", location=THERE)
    far = tuple(replace(one, id=replace(one.id, subscription=OTHER_SUB)) for one in here)

    found = plan([*here, *there], drill_rules(at_once=2), nights=1)

    assert [drill.vm.location for drill in drills_of(found)].count(HERE) == 2
    assert [drill.vm.location for drill in drills_of(found)].count(THERE) == 2
    assert {one.vm.id.subscription for one in plan([*here, *far]).unplanned} == {OTHER_SUB}


def test_tests_run_side_by_side_and_one_after_another() -> None:
    found = plan(fleet(5), drill_rules(at_once=2, lasts=5 * HOUR), nights=1)

    placed = [(drill.starts - night(0), drill.lane) for drill in drills_of(found)]
    assert placed == [(0 * HOUR, 1), (0 * HOUR, 2), (2 * HOUR, 1), (2 * HOUR, 2)]


def test_a_blacked_out_night_is_shown_with_what_shuts_it() -> None:
    shut = (Weekday.WEDNESDAY, Dates(date(2030, 1, 17), date(2030, 1, 17)))

    found = plan_web(drills=drill_rules(blackout=shut), nights=3)

    assert [night.blackout for night in found.nights] == ["Wednesday", "2030-01-17", ""]
    assert names(found) == [[], [], ["web"]]


def test_ten_restores_of_a_day_are_the_limit_whoever_asked_for_them() -> None:
    ten = tuple(night(0) - timedelta(hours=n) for n in range(1, 11))

    assert names(plan_web(Past(restores=ten), nights=2)) == [[], ["web"]]
    assert names(plan_web(Past(restores=ten[1:]), nights=1)) == [["web"]]
    assert codes(plan_web(Past(restores=ten), nights=1)) == ["RESTORE_LIMIT"]


def test_a_vm_that_a_person_restores_now_is_left_alone_tonight() -> None:
    assert codes(plan_web(Past(restoring=True), nights=1)) == ["RESTORING"]
    assert names(plan_web(Past(restoring=True), nights=2)) == [[], ["web"]]


# Every VM has one place.


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        pytest.param(without_backup(None), NotPlanned.NOT_PROTECTED, id="no item"),
        pytest.param(without_backup(ItemState.STOPPED), NotPlanned.NOT_PROTECTED, id="stopped"),
        pytest.param(without_backup(ItemState.PROTECTED), NotPlanned.NO_BACKUP_YET, id="new"),
        pytest.param(
            backed_up([vm(group="vmbackup-drill-westeurope-1")]),
            NotPlanned.OUT_OF_SCOPE,
            id="a copy",
        ),
        pytest.param(backed_up([vm(tag="silver")]), NotPlanned.NO_TIER, id="no tier"),
    ],
)
def test_a_vm_that_no_night_is_for_has_a_reason(seen: Estate, code: NotPlanned) -> None:
    drills = drill_rules(tier(values=("gold",)))

    assert codes(plan(seen, drills)) == [code.name]


def test_a_vm_whose_turn_is_later_is_told_when() -> None:
    found = plan(fleet(3), drill_rules(per_night=1), nights=2)

    (left,) = found.unplanned
    assert (left.code, left.because) == (NotPlanned.NO_ROOM, "planned for 2030-01-18")


def test_nights_that_are_all_blacked_out_plan_nobody() -> None:
    shut = (Dates(date(2030, 1, 16), date(2030, 1, 18)),)

    assert codes(plan_web(drills=drill_rules(blackout=shut), nights=3)) == ["BLACKOUT"]


def test_each_code_that_a_vm_may_have_has_a_test_here() -> None:
    assert {code.name for code in NotPlanned} == {
        "OUT_OF_SCOPE", "NOT_PROTECTED", "NO_BACKUP_YET", "NO_TIER", "RESTORING", "RESTORE_LIMIT",
        "OBSERVING", "TAGGED_NEVER", "BLACKOUT", "NOT_DUE", "NO_ROOM", "NO_BUDGET", "NO_QUOTA",
    }  # fmt: skip


def test_the_first_tier_that_matches_takes_a_vm() -> None:
    gold, rest = tier("gold", 7, values=("gold",)), tier("rest", 90)

    found = plan([vm("a"), vm("b", tag="silver")], drill_rules(gold, rest), nights=1)

    assert [drill.tier.name for drill in drills_of(found)] == ["gold", "rest"]


def test_a_tier_may_go_by_the_policy_that_a_vm_is_protected_with() -> None:
    found = plan([vm("a")], drill_rules(tier(policies=("GO*",))), nights=1)

    assert names(found) == [["a"]]


def test_of_two_backups_the_one_that_works_is_tested() -> None:
    seen = backed_up([vm()])
    broken = item(ItemState.ERROR, vault=FOREIGN_VAULT, last_backup=NOW)

    (drill,) = drills_of(plan(replace(seen, items=(broken, *seen.items)), nights=1))

    assert drill.vault != FOREIGN_VAULT


def test_the_strategies_of_a_tier_take_turns() -> None:
    drills = drill_rules(tier(nights=4, strategies=(Strategy.LATEST, Strategy.VAULT)))

    kinds = [drill.strategy for drill in drills_of(plan_web(drills=drills, nights=12))]

    assert set(kinds) == {Strategy.LATEST, Strategy.VAULT}
    assert kinds[0] != kinds[1] != kinds[2]


# Whether the plan is good enough.


def test_a_plan_that_fits_is_not_refused() -> None:
    found = plan(fleet(30), drill_rules(per_night=1))

    assert found.refusals == ()
    assert found.coverage.nights == 30


def test_a_plan_that_asks_for_too_much_is_refused_with_the_arithmetic() -> None:
    drills = drill_rules(tier(nights=10), per_night=4, blackout=(Weekday.SATURDAY,))

    refusals = plan(fleet(40), drills).refusals

    assert refusals[0] == (
        "All VMs: 40 of tier all every 10 nights ask for 4 a night;"
        " there is room for 3.4 (4 a night, 6 nights of 7)"
    )


def test_a_region_without_lanes_enough_is_refused_by_its_name() -> None:
    refusals = plan(fleet(20), drill_rules(tier(nights=10), at_once=1)).refusals

    assert refusals[0].startswith("westeurope of subscription 11111111-2222-3333-4444-555555555555")
    assert "room for 1 (1 at once, 1 after one another in 2 hours)" in refusals[0]


def test_a_long_blackout_that_lets_proofs_lapse_is_refused() -> None:
    shut = (Dates(date(2030, 1, 20), date(2030, 2, 20)),)

    refusals = plan_web(proven(14), drill_rules(blackout=shut)).refusals

    assert refusals == (
        "Tier all: 1 of its VMs would be without a proof that is at most 30 nights old,"
        " the first of them web on 2030-02-19",
    )


def test_more_vms_than_can_be_tested_in_time_are_refused() -> None:
    vms = fleet(4)
    pasts = {one.id: proven(1, machine=one.machine) for one in vms}

    found = plan([*vms, vm("late")], drill_rules(tier(nights=4), per_night=1), pasts=pasts)

    assert len(found.refusals) == 2


def test_an_estate_without_vms_has_an_empty_plan() -> None:
    found = plan([])

    assert (found.vms, found.planned, found.coverage.nights) == (0, 0, 0)
    assert found.refusals == ()


def test_what_is_known_of_a_vm_that_is_gone_does_not_matter() -> None:
    gone = VmId("s", "g", "gone")

    assert plan([vm()], pasts={gone: proven(3)}) == plan([vm()])
