"""What becomes of a restore test's state when it ends: its verdict, its clocks, its record."""

from datetime import datetime, timedelta

from vmbackup_core.domain.drill.orders import Clocks, DrillRecord, Isolation
from vmbackup_core.domain.drill.proof_canary import lag_of
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.restoring import succeeded
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, RungResult, Verdict, judge_rungs
from vmbackup_core.domain.drill.state import Drill


def record_of(state: Drill, ended: datetime) -> DrillRecord:
    """Return the record of a restore test that has ended at `ended`."""
    order, cleaning, climbing = state.order, state.cleaning, state.climbing
    slot, jobs = state.ready.slot, state.restoring.jobs
    nothing_made = not (state.restoring.asks or climbing.asked) and not cleaning.left
    clean = cleaning.clean or nothing_made
    return DrillRecord(
        order=order,
        ended=ended,
        ending=state.ending or Ending.OVERDUE,
        verdict=verdict_of(state),
        results=results_of(state),
        clocks=_clocks(state, ended),
        point=state.ready.point,
        job=jobs[0].id if jobs else "",
        slot=str(slot) if slot else "",
        size=climbing.size,
        comparable=climbing.comparable,
        isolation=_isolation(state),
        control=_control(state),
        left=() if clean else _left(state),
        clean=clean,
        kept_until=cleaning.kept_until,
        because=state.because,
        digests=climbing.digests,
        did=state.did,
    )


def _left(state: Drill) -> tuple[str, ...]:
    """Return what is left as far as it was seen; where nothing was, the slot as a whole."""
    cleaning, slot = state.cleaning, state.ready.slot
    seen = cleaning.left or tuple(thing.id for thing in cleaning.things)
    return seen or ((str(slot),) if slot else ())


def verdict_of(state: Drill) -> Verdict:
    """
    Return what the marks are worth.

    Nothing is proven by a copy that was not isolated to its end, nor where the control passed that
    must fail.
    """
    verdict = judge_rungs(state.results, state.order.needed)
    spoilt = state.ending is Ending.ISOLATION_BROKEN or _control(state) is Control.BROKEN
    return Verdict.NOT_PROVEN if spoilt and verdict is Verdict.PROVEN else verdict


def results_of(state: Drill) -> tuple[RungResult, ...]:
    """Return one result for each rung, in order; what was not told was not run, and why."""
    told = {result.rung: result for result in state.results}
    return tuple(told.get(rung) or _not_run(state, rung) for rung in Rung)


def _not_run(state: Drill, rung: Rung) -> RungResult:
    climbing = state.climbing
    below_failed = any(result.mark is not Mark.PASS for result in state.results)
    if rung > state.order.needed:
        return RungResult(rung, Mark.NOT_RUN, ProofReason.NOT_ASKED)
    if rung > climbing.cap:
        return RungResult(rung, Mark.NOT_RUN, climbing.capped, climbing.capped_because)
    if rung > state.order.cap:
        because = (state.order.capped_by,) if state.order.capped_by else ()
        return RungResult(rung, Mark.NOT_RUN, ProofReason.CAPPED_BY_TAG, because)
    if below_failed:
        return RungResult(rung, Mark.NOT_RUN, ProofReason.BELOW_FAILED)
    return RungResult(rung, Mark.NOT_RUN, ProofReason.ABORTED)


def _control(state: Drill) -> Control | None:
    if not state.order.control:
        return None
    return state.climbing.control or Control.INCONCLUSIVE


def _isolation(state: Drill) -> Isolation:
    match state.ending:
        case Ending.ISOLATION_UNPROVEN:
            return Isolation.UNPROVEN
        case Ending.ISOLATION_BROKEN:
            return Isolation.BROKEN
    if state.ready.network_read is None:
        return Isolation.NOT_READ
    return Isolation.EGRESS if state.order.egress else Isolation.PROVEN


def _clocks(state: Drill, ended: datetime) -> Clocks:
    """Return how long each part took, on the service's own times where it says them."""
    order, climbing, point = state.order, state.climbing, state.ready.point
    job = succeeded(state.restoring)
    copy, booted = climbing.copy, climbing.booted
    created = copy.created if copy else None
    rpo = _between(point.taken, order.asked) if point else None  # It may be newer than the order.
    lag = lag_of(climbing.canary, point.taken) if climbing.canary and point else None
    if rpo is not None and lag is not None:
        rpo += lag
    passed = {result.rung for result in state.results if result.mark is Mark.PASS}
    last = {
        Rung.DISKS: job.ended if job else None,
        Rung.BOOT: booted,
        Rung.CHECKS: climbing.checks_ended,
    }
    ends = [at for rung, at in last.items() if rung in passed and at is not None]
    return Clocks(
        queue=_between(order.asked, state.ready.leased),
        restore=_between(job.started, job.ended) if job else None,
        create=_between(climbing.asked, created),
        boot=_between(created or climbing.asked, booted),
        checks=_between(booted, climbing.checks_ended),
        clean=_between(state.cleaning.since, ended) if state.restoring.asks else None,
        rto=_between(job.started, max(ends)) if job and ends else None,
        rpo=rpo,
    )


def _between(begin: datetime | None, end: datetime | None) -> timedelta | None:
    """Return how long it took; clocks of two machines may differ, but nothing took less than 0."""
    if begin is None or end is None:
        return None
    return max(end - begin, timedelta(0))
