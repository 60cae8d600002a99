"""
From the plan to orders: what each test of a night is to do, fixed when it is planned.

Also the order of a test that somebody asks for outside of the nights, which heeds tiers and caps
as a planned one does.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from vmbackup_core.domain.drill.caps import Cap
from vmbackup_core.domain.drill.choice import sort_out
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.orders import DrillOrder, Targets, run_key
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import DrillRules, Past, Tier
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.turns import Night, NotPlanned
from vmbackup_core.domain.facts import DiskExclusion, ItemFacts, VmFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.rules import Rules
from vmbackup_core.domain.spans import read_span


def orders_of(night: Night, drills: DrillRules, asked: datetime) -> tuple[DrillOrder, ...]:
    """
    Return the orders of a night's tests, in their order.

    The same night gives the same runs, whenever it is asked for. None is a negative control.
    """
    return tuple(
        _order(
            one.vm,
            one.vault,
            one.tier,
            one.strategy,
            one.cap,
            one.exclusion,
            drills,
            asked,
            night=night.date,
            by=drills.end_of(night.date),
        )
        for one in night.drills
    )


def order_now(
    vm: VmFacts,
    items: Iterable[ItemFacts],
    rules: Rules,
    drills: DrillRules,
    asked: datetime,
    *,
    point: str = "",
    strategy: Strategy = Strategy.LATEST,
    rung: Rung | None = None,
    keep: timedelta | None = None,
) -> DrillOrder | NotPlanned:
    """
    Return the order of one test that a person asks for, or why this VM is not to be tested.

    It goes as far as `rung` says, else as its tier does. Without a `point` the `strategy` chooses.
    With `keep` the copy is kept for that long, passed or failed.
    """
    match sort_out(vm, items, rules, drills, Past()):
        case NotPlanned() as code:
            return code
        case subject:
            tier, cap, without = subject.tier, subject.cap, subject.exclusion
            order = _order(vm, subject.vault, tier, strategy, cap, without, drills, asked)
    if rung is not None:
        order = replace(order, needed=rung, tier_rung=order.needed)
    if keep is not None:
        order = replace(order, keep=keep, keep_passed=True)
    return replace(order, point=point)


def _order(
    vm: VmFacts,
    vault: VaultId,
    tier: Tier,
    strategy: Strategy,
    cap: Cap,
    exclusion: DiskExclusion | None,
    drills: DrillRules,
    asked: datetime,
    *,
    night: date | None = None,
    by: datetime | None = None,
) -> DrillOrder:
    if cap.rung is None:
        raise ValueError(f"{vm.name} is never to be tested")
    return DrillOrder(
        run=run_key(vm.id, vm.machine, night, asked),
        vm=vm.id,
        machine=vm.machine,
        location=vm.location,
        vault=vault,
        tier=tier.name,
        strategy=strategy,
        needed=tier.rung,
        asked=asked,
        night=night,
        by=by,
        cap=cap.rung,
        capped_by=cap.by,
        checks=_checks_for(vm, drills),
        exclusion=exclusion,
        targets=Targets(tier.rpo, read_span(vm.tags.get(drills.rto_tag) or "") or tier.rto),
        egress=tier.egress,
        keep=drills.keep_failed,
        power_on=drills.power_on,
        slots=drills.at_once,
        sizes=drills.sizes,
        memory_share=drills.memory_share,
        free_quota=drills.free_quota,
    )


def _checks_for(vm: VmFacts, drills: DrillRules) -> tuple[GuestCheck, ...]:
    """Return the checks whose tags the VM bears, for both systems: which it has, its disk tells."""
    return tuple(rule.check for rule in drills.checks if rule.concerns(vm))
