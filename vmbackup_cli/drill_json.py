"""The plan of the coming nights as a machine reads it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from vmbackup_core.app.drill.planning import Drilling
from vmbackup_core.domain.drill.choice import DrillPlan
from vmbackup_core.domain.drill.coverage import Load
from vmbackup_core.domain.drill.forecast import Forecast
from vmbackup_core.domain.drill.points import Chosen, NoPoint, PointChoice
from vmbackup_core.domain.drill.turns import Drill, Night, NotPlanned, Unplanned
from vmbackup_core.domain.ids import VmId

type Points = Mapping[VmId, PointChoice]


def first_busy(planned: DrillPlan) -> Night | None:
    """Return the first night that has a test."""
    return next((night for night in planned.nights if night.drills), None)


def count_codes(planned: DrillPlan) -> Iterator[tuple[NotPlanned, int]]:
    """Yield how many VMs there are of each code that there is."""
    count = Counter(one.code for one in planned.unplanned)
    return ((code, count[code]) for code in NotPlanned if count[code])


def plan_json(planned: DrillPlan, chosen: Points, drilling: Drilling) -> dict[str, Any]:
    """Return the plan as JSON; `planned` and the sum of `not_planned` are all VMs."""
    coverage, first = planned.coverage, first_busy(planned)
    return {
        "at": planned.at.isoformat(),
        "vms": planned.vms,
        "planned": planned.planned,
        "not_planned": {code.name: vms for code, vms in count_codes(planned)},
        "refusals": list(planned.refusals),
        "observing": planned.observing,
        "uncontrolled": planned.uncontrolled,
        "coverage": {
            "vms": coverage.vms,
            "proven": coverage.proven,
            "capped": coverage.capped,
            "nights": coverage.nights,
            "loads": [_load_json(load) for load in coverage.loads],
        },
        "nights": [
            {
                "night": night.date.isoformat(),
                "begins": drilling.drills.start_of(night.date).isoformat(),
                "blackout": night.blackout,
                "cost": _money(night.cost),
                "drills": [
                    _drill_json(drill, chosen.get(drill.vm.id) if night is first else None)
                    for drill in night.drills
                ],
            }
            for night in planned.nights
        ],
        "unplanned": [_unplanned_json(one) for one in planned.unplanned],
        "tested": planned.tested,
        "currency": drilling.drills.prices and drilling.drills.prices.currency,
        "slow": [
            {
                "vm": str(vm.id),
                "rto": slow.rto.total_seconds(),
                "median": slow.median.total_seconds(),
                "of": slow.of,
            }
            for vm, slow in planned.slow
        ],
        "forecasts": [forecast_json(one) for one in planned.forecasts],
    }


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def forecast_json(one: Forecast) -> dict[str, Any]:
    """Return a forecast as JSON; every time in seconds."""
    return {
        "tier": one.tier,
        "from_vault": one.from_vault,
        "vms": one.vms,
        "measured": one.measured,
        "at_once": one.at_once,
        "seconds": {
            "reckoned": one.reckoned.total_seconds(),
            "at_least": one.least.total_seconds(),
            "p50": one.spread.p50.total_seconds(),
            "max": one.spread.longest.total_seconds(),
        },
        "words": one.words,
    }


def _load_json(load: Load) -> dict[str, Any]:
    return {
        "subscription": load.place and load.place.subscription,
        "location": load.place and load.place.location,
        "asked_per_night": round(float(load.demand), 3),
        "room_per_night": round(float(load.room), 3),
        "words": load.words,
    }


def _drill_json(drill: Drill, choice: PointChoice | None) -> dict[str, Any]:
    vm = drill.vm
    found: dict[str, Any] = {
        "vm": str(vm.id),
        "name": vm.name,
        "machine": vm.machine,
        "subscription": vm.id.subscription,
        "resource_group": vm.id.group,
        "location": vm.location,
        "vault": str(drill.vault),
        "tier": drill.tier.name,
        "strategy": str(drill.strategy),
        "why": drill.why.name,
        "starts": drill.starts.isoformat(),
        "lane": drill.lane,
        "proven": drill.proven.isoformat() if drill.proven else None,
        "rung": drill.tier.rung.name.lower(),
        "cap": drill.cap.rung.name.lower() if drill.capped and drill.cap.rung is not None else None,
        "capped_by": drill.cap.by,
        "takes": drill.takes.total_seconds(),
        "measured": drill.measured,
        "cost": _money(drill.cost),
    }
    match choice:
        case Chosen(point):
            found["point"] = {
                "id": point.id,
                "taken": point.taken.isoformat(),
                "consistency": str(point.consistency),
                "valid": sorted(map(str, point.valid)),
            }
        case NoPoint(reason, because):
            found["no_point"] = {"code": reason.name, "meaning": reason.value, "because": because}
        case None:
            pass
    return found


def _unplanned_json(one: Unplanned) -> dict[str, Any]:
    return {
        "vm": str(one.vm.id),
        "name": one.vm.name,
        "code": one.code.name,
        "meaning": one.code.text,
        "mend": one.code.mend,
        "because": one.because,
    }
