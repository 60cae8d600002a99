"""From a planned test to an order that no later plan changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import NOW, VAULT, item, vm
from tests.drills import RULES, TONIGHT, backed_up, drill_rules, fleet, plan, tier
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.ordering import order_now, orders_of
from vmbackup_core.domain.drill.orders import DrillOrder, Targets, run_key
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import CheckRule
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.turns import NotPlanned
from vmbackup_core.domain.facts import DiskExclusion, ItemFacts, ItemState, Tags
from vmbackup_core.domain.schedules import DAY, HOUR

ITEM = item(last_backup=NOW - DAY, vault=VAULT)
UP = CheckRule(GuestCheck("up", "Linux", "true"))
DB = CheckRule(GuestCheck("db", "Windows", "exit 0"), (("role", "db*"),))


def test_an_order_says_all_that_the_test_will_need() -> None:
    drills = drill_rules(
        tier(rung=Rung.CHECKS, rpo=DAY, rto=4 * HOUR, egress=True),
        at_once=3,
        sizes=("Standard_B2s",),
        memory_share=0.25,
        free_quota=0.1,
        keep_failed=HOUR,
        power_on=2 * HOUR,
        checks=(UP, DB),
    )
    web = vm(tags=Tags.of({"Backup": "gold", "drill": "boot-only", "Role": "db-1"}))

    (order,) = orders_of(plan([web], drills, nights=1).nights[0], drills, NOW)

    assert order == DrillOrder(
        run=run_key(web.id, web.machine, TONIGHT, NOW),
        vm=web.id,
        machine=web.machine,
        location=web.location,
        vault=VAULT,
        tier="all",
        strategy=Strategy.LATEST,
        needed=Rung.CHECKS,
        asked=NOW,
        night=TONIGHT,
        by=drills.end_of(TONIGHT),
        cap=Rung.BOOT,
        capped_by="tag drill = boot-only",
        checks=(UP.check, DB.check),
        targets=Targets(DAY, 4 * HOUR),
        egress=True,
        keep=HOUR,
        power_on=2 * HOUR,
        slots=3,
        sizes=("Standard_B2s",),
        memory_share=0.25,
        free_quota=0.1,
    )


def test_a_check_is_for_those_that_bear_its_tags() -> None:
    drills = drill_rules(checks=(UP, DB))

    (order,) = orders_of(plan([vm()], drills, nights=1).nights[0], drills, NOW)

    assert order.checks == (UP.check,)


@pytest.mark.parametrize(
    ("tag", "rto"),
    [("90 minutes", timedelta(minutes=90)), ("soon", 4 * HOUR), ("", 4 * HOUR)],
)
def test_a_tag_says_how_long_a_recovery_may_take_else_the_tier(tag: str, rto: timedelta) -> None:
    drills, web = drill_rules(tier(rto=4 * HOUR)), vm(tags=Tags.of({"RTO": tag}))

    (order,) = orders_of(plan([web], drills, nights=1).nights[0], drills, NOW)

    assert order.targets.rto == rto


def test_the_same_night_is_the_same_runs_whenever_it_is_asked_for() -> None:
    drills, night = drill_rules(), plan(fleet(3), nights=1).nights[0]

    early, late = orders_of(night, drills, NOW), orders_of(night, drills, NOW + HOUR)

    assert [order.run for order in early] == [order.run for order in late]
    assert len({order.run for order in early}) == 3
    assert [order.vm for order in early] == [drill.vm.id for drill in night.drills]


# What a person asks for.


def test_a_test_that_a_person_asks_for_is_of_its_tier() -> None:
    order = ask_for()

    assert isinstance(order, DrillOrder)
    assert (order.tier, order.needed, order.night, order.by) == ("all", Rung.BOOT, None, None)
    assert (order.strategy, order.point, order.keep_passed) == (Strategy.LATEST, "", False)


def test_a_person_may_name_point_rung_and_how_long_the_copy_is_kept() -> None:
    order = ask_for(point="p1", rung=Rung.DISKS, keep=timedelta(hours=4))

    assert isinstance(order, DrillOrder)
    assert (order.point, order.needed, order.keep) == ("p1", Rung.DISKS, timedelta(hours=4))
    assert order.tier_rung is Rung.BOOT
    assert order.keep_passed


def test_an_order_knows_which_disks_the_backup_leaves_out() -> None:
    without = DiskExclusion((3,), including=False)
    left_out = replace(ITEM, exclusion=without)

    asked = order_now(vm(), [left_out], RULES, drill_rules(), NOW)
    seen = replace(backed_up([vm()]), items=(left_out,))
    (planned,) = orders_of(plan(seen).nights[0], drill_rules(), NOW)

    assert isinstance(asked, DrillOrder)
    assert asked.exclusion == planned.exclusion == without


def test_each_time_of_asking_is_a_run_of_its_own() -> None:
    first = order_now(vm(), [ITEM], RULES, drill_rules(), NOW)
    second = order_now(vm(), [ITEM], RULES, drill_rules(), NOW + HOUR)

    assert isinstance(first, DrillOrder)
    assert isinstance(second, DrillOrder)
    assert first.run != second.run


@pytest.mark.parametrize(
    ("tags", "found", "code"),
    [
        ({}, (), NotPlanned.NOT_PROTECTED),
        ({}, (replace(ITEM, state=ItemState.STOPPED),), NotPlanned.NOT_PROTECTED),
        ({}, (replace(ITEM, last_backup=None),), NotPlanned.NO_BACKUP_YET),
        ({"drill": "Never"}, (ITEM,), NotPlanned.TAGGED_NEVER),
    ],
)
def test_what_is_not_to_be_tested_is_not_tested_on_request_either(
    tags: dict[str, str], found: tuple[ItemFacts, ...], code: NotPlanned
) -> None:
    web = vm(tags=Tags.of(tags))

    assert order_now(web, found, RULES, drill_rules(), NOW) is code


def ask_for(**more: object) -> DrillOrder | NotPlanned:
    return order_now(vm(), [ITEM], RULES, drill_rules(), NOW, **more)  # type: ignore[arg-type]
