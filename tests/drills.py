"""Drill plans, VMs to test and recovery points for tests: name only what the test is about."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.builders import NOW, VAULT, estate, item, scope, vm
from vmbackup_core.domain.drill.choice import DrillPlan, plan_drills
from vmbackup_core.domain.drill.points import Consistency, PointFacts, PointTier, Strategy
from vmbackup_core.domain.drill.reckoning import Room
from vmbackup_core.domain.drill.rules import DrillRules, Measure, Past, Tier
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.drill.turns import Drill
from vmbackup_core.domain.facts import Estate, ItemState, VmFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.rules import Rules
from vmbackup_core.domain.schedules import DAY

RULES = Rules(scope(), "backup")
TONIGHT = date(2030, 1, 16)  # NOW is a Tuesday noon; nights begin at one in the morning.
HERE, THERE = "westeurope", "northeurope"
BOTH = frozenset({PointTier.SNAPSHOT, PointTier.VAULT})
ONLY_VAULT = frozenset({PointTier.VAULT})
ONLY_SNAPSHOT = frozenset({PointTier.SNAPSHOT})
ONLY_ARCHIVE = frozenset({PointTier.ARCHIVE})


def tier(name: str = "all", nights: int = 30, **more: Any) -> Tier:
    more.setdefault("strategies", (Strategy.LATEST,))
    return Tier(name, nights * DAY, **more)


def drill_rules(*tiers: Tier, per_night: int = 10, at_once: int = 10, **more: Any) -> DrillRules:
    """Return a drill plan with room for one round of tests a night."""
    more.setdefault("begins", time(1))
    more.setdefault("lasts", timedelta(hours=2))
    more.setdefault("takes", timedelta(hours=2))
    more.setdefault("failed_again", 2 * DAY)
    return DrillRules(tiers or (tier(),), per_night=per_night, at_once=at_once, **more)


def night(number: int) -> datetime:
    """Return when the night that is `number` nights from the first one begins."""
    return datetime(2030, 1, 16, 1, tzinfo=NOW.tzinfo) + number * DAY


def proven(nights_ago: int, **more: Any) -> Past:
    """Return the past of the VM `web` whose proof will be that old in the first night."""
    more.setdefault("machine", "machine-of-web")
    return Past(proven=night(-nights_ago) + timedelta(hours=1), proofs=1, **more)


def measure(
    took: timedelta, *, from_vault: bool = False, comparable: bool = True, number: int = 0
) -> Measure:
    """Return what a test took, all of it recovery; `number` makes later ones of it."""
    return Measure(NOW - (20 - number) * DAY, took, took, from_vault, comparable)


def measured(*took: timedelta, machine: str = "machine-of-web", from_vault: bool = False) -> Past:
    """Return the past of a VM whose tests took so long, one after the other."""
    past = Past(machine)
    for number, one in enumerate(took):
        past = past.measuring(measure(one, from_vault=from_vault, number=number))
    return past


def fleet(count: int, **more: Any) -> tuple[VmFacts, ...]:
    return tuple(vm(f"web-{number:03}", **more) for number in range(count))


def backed_up(vms: Iterable[VmFacts]) -> Estate:
    """Return an estate in which each VM has a backup."""
    vms = tuple(vms)
    items = tuple(item(vm=one.id, vault=VAULT, last_backup=NOW - DAY) for one in vms)
    return estate(*vms, items=items)


def plan(
    seen: Estate | Iterable[VmFacts],
    drills: DrillRules | None = None,
    nights: int = 7,
    pasts: dict[VmId, Past] | None = None,
    rooms: dict[Place, Room] | None = None,
) -> DrillPlan:
    """Plan for an estate, or for VMs that all have a backup."""
    looked = seen if isinstance(seen, Estate) else backed_up(seen)
    return plan_drills(looked, RULES, drills or drill_rules(), pasts or {}, NOW, nights, rooms)


def plan_web(past: Past | None = None, drills: DrillRules | None = None, **more: Any) -> DrillPlan:
    """Plan for the one VM `web` with this past."""
    web = vm()
    return plan([web], drills, pasts={web.id: past or Past()}, **more)


def names(planned: DrillPlan) -> list[list[str]]:
    """Return the names of the VMs of each night, in the order of their tests."""
    return [[drill.vm.name for drill in night.drills] for night in planned.nights]


def drills_of(planned: DrillPlan) -> list[Drill]:
    return [drill for night in planned.nights for drill in night.drills]


def codes(planned: DrillPlan) -> list[str]:
    return [one.code.name for one in planned.unplanned]


def without_backup(state: ItemState | None, **more: Any) -> Estate:
    """Return an estate of the one VM `web`, with an item in this state or with none."""
    web = vm()
    return estate(web, items=() if state is None else (item(state, vm=web.id, **more),))


def point(
    name: str = "p", days_ago: float = 1, valid: frozenset[PointTier] = BOTH, **more: Any
) -> PointFacts:
    return PointFacts(name, NOW - days_ago * DAY, Consistency.APPLICATION, valid, **more)
