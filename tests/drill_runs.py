"""Orders of restore tests and their records: name only what the test is about."""

from datetime import date, datetime, timedelta
from typing import Any

from tests.builders import HERE, NOW, VAULT, WEB
from vmbackup_core.domain.drill.orders import Clocks, DrillOrder, DrillRecord, run_key
from vmbackup_core.domain.drill.points import Consistency, PointFacts, PointTier, Strategy
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult, Verdict
from vmbackup_core.domain.ids import VmId

TONIGHT = date(2030, 1, 15)
MACHINE = "machine-of-web"
SNAPSHOT = PointFacts("p1", NOW - timedelta(hours=6), Consistency.CRASH, frozenset(PointTier))

PASSED = {
    Rung.POINT: ProofReason.POINT_FRESH,
    Rung.DISKS: ProofReason.DISKS_MATCH,
    Rung.BOOT: ProofReason.BOOTED,
    Rung.CHECKS: ProofReason.CHECKS_PASSED,
    Rung.CANARY: ProofReason.CANARY_FOUND,
}


def order(
    vm: VmId = WEB, *, machine: str = MACHINE, night: date | None = TONIGHT, **more: Any
) -> DrillOrder:
    more.setdefault("asked", NOW)
    more.setdefault("run", run_key(vm, machine, night, more["asked"]))
    more.setdefault("location", HERE)
    more.setdefault("vault", VAULT)
    more.setdefault("tier", "gold")
    more.setdefault("strategy", Strategy.LATEST)
    more.setdefault("needed", Rung.BOOT)
    return DrillOrder(vm=vm, machine=machine, night=night, **more)


def up_to(top: Rung, *more: RungResult) -> tuple[RungResult, ...]:
    """Return results that pass up to `top`, and those given after them."""
    passed = (RungResult(rung, Mark.PASS, PASSED[rung]) for rung in Rung if rung <= top)
    return (*passed, *more)


def record(
    verdict: Verdict = Verdict.PROVEN,
    *,
    of: DrillOrder | None = None,
    asked: datetime = NOW,
    **more: Any,
) -> DrillRecord:
    """Return the record of a test that ran an hour and a half, twenty minutes of it waiting."""
    asked_for = of or order(asked=asked, night=asked.date())
    more.setdefault("ended", asked_for.asked + timedelta(minutes=90))
    more.setdefault("ending", Ending.COMPLETED)
    more.setdefault("results", up_to(Rung.BOOT))
    more.setdefault("point", SNAPSHOT)
    more.setdefault(
        "clocks",
        Clocks(
            queue=timedelta(minutes=20),
            restore=timedelta(minutes=2),
            rto=timedelta(minutes=9),
            rpo=timedelta(hours=6),
        ),
    )
    return DrillRecord(order=asked_for, verdict=verdict, **more)
