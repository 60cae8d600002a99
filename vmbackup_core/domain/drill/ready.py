"""
Getting ready for a restore test: all that is made sure of before anything is made.

Whatever is lacking ends it here, where it costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.facts import RestoreOrder, ValidationFacts
from vmbackup_core.domain.drill.isolation import NetworkFacts, find_breaches, find_hindrances
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.outcomes import (
    Leased,
    Listing,
    Missing,
    NoSlot,
    Operation,
    Points,
    Refused,
    SizesSight,
    SlotSight,
)
from vmbackup_core.domain.drill.points import (
    Chosen,
    NoPoint,
    NoPointReason,
    PointChoice,
    PointFacts,
    choose_point,
)
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rules import RESTORES_A_DAY
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.drill.sizes import Needs, NoSize, choose_size, needs_of
from vmbackup_core.domain.drill.state import Ask, Drill
from vmbackup_core.domain.drill.steps import (
    AskValidation,
    ChoosePoint,
    ChooseSize,
    Conclude,
    LeaseSlot,
    ReadNetwork,
    ReadSlot,
    ReadValidation,
    StartRestore,
    Step,
    Wait,
    WatchRestores,
)

DAY = timedelta(hours=24)
LEASE = timedelta(hours=1)  # Beyond the next turn: then the run counts as dead.
SLOT_WAIT = timedelta(minutes=5)
QUEUE = timedelta(hours=1)  # How long a test that belongs to no night waits for a slot.
VALIDATION_LOOK = timedelta(minutes=1)
VALIDATION_LIMIT = timedelta(minutes=30)

_NO_POINT: Mapping[NoPointReason, tuple[Mark, ProofReason]] = {
    NoPointReason.NO_POINT: (Mark.FAIL, ProofReason.NO_POINT),
    NoPointReason.TOO_OLD: (Mark.FAIL, ProofReason.POINT_TOO_OLD),
    NoPointReason.UNKNOWN: (Mark.NOT_RUN, ProofReason.POINT_UNKNOWN),
    NoPointReason.NOT_FROM_VAULT: (Mark.NOT_RUN, ProofReason.NOT_FROM_VAULT),
}


def next_ready(state: Drill, now: datetime) -> Step | Wait | None:
    """Return what is still to be made sure of, None where the restore was asked for."""
    ready, order = state.ready, state.order
    if ready.slot is None and now > _last_call(order):
        ending = Ending.NIGHT_OVER if order.by else Ending.NO_SLOT
        return Conclude(ending, (f"waited since {order.asked:%Y-%m-%d %H:%M} UTC",))
    if ready.point is None:
        return ChoosePoint()
    if ready.slot is None:
        return LeaseSlot(now + LEASE)
    if not ready.staging:
        return ReadSlot(ready.slot)
    if ready.network_read is None:
        return ReadNetwork(ready.slot, closely=True)
    if state.restoring.asks:
        return None
    if state.wants(Rung.BOOT) and not ready.sized:
        return ChooseSize(order.place, sizes_of(state))
    if not ready.operation:
        return AskValidation(restore_order(state))
    if not ready.valid:
        return ReadValidation(ready.operation)
    if not ready.alone:
        return WatchRestores(order.vault)
    return StartRestore(restore_order(state), known=0)


def restore_order(state: Drill) -> RestoreOrder:
    """Return the restore that is asked for. Raises AssertionError before all of it is known."""
    order, ready = state.order, state.ready
    if ready.point is None or ready.slot is None or not ready.staging:
        raise AssertionError("a restore is asked for before its point, slot and staging are known")
    return RestoreOrder(
        order.vm, order.vault, ready.point.id, order.location, ready.slot, ready.staging
    )


def _last_call(order: DrillOrder) -> datetime:
    return order.by or order.asked + QUEUE


def _after_points(state: Drill, _: ChoosePoint, outcome: Any, now: datetime) -> Drill:
    match outcome:
        case Points(points):
            choice = _choose(state.order, points, now)
        case Missing(words):
            return state.ends(Ending.NOT_PROTECTED, now, (words,))
        case _:
            return refused(state, outcome, now)
    if isinstance(choice, NoPoint):
        mark, reason = _NO_POINT[choice.reason]
        because = (choice.because,) if choice.because else ()
        told = state.told(RungResult(Rung.POINT, mark, reason, because), now)
        return told.ends(Ending.COMPLETED, now)
    point = choice.point
    told = state.told(
        RungResult(
            Rung.POINT,
            Mark.PASS,
            ProofReason.POINT_FRESH,
            (f"taken {point.taken:%Y-%m-%d %H:%M} UTC",),
        ),
        now,
    )
    told = replace(told, ready=replace(told.ready, point=point))
    return told if told.wants(Rung.DISKS) else told.ends(Ending.COMPLETED, now)


def _choose(order: DrillOrder, points: tuple[PointFacts, ...], now: datetime) -> PointChoice:
    """Return the point that was named, else what the strategy takes while the latest is fresh."""
    offered = [point for point in points if point.offered(now)]
    if order.point:
        named = (point for point in offered if point.id.lower() == order.point.lower())
        return next(
            (Chosen(point, order.strategy) for point in named),
            NoPoint(NoPointReason.UNKNOWN, f"{order.point} is not among those on offer"),
        )
    rpo = order.targets.rpo
    latest = max((point.taken for point in offered), default=None)
    if latest and rpo is not None and now - latest > rpo:
        return NoPoint(NoPointReason.TOO_OLD, f"the latest was taken {latest:%Y-%m-%d %H:%M} UTC")
    return choose_point(points, order.strategy, key=str(order.vm), now=now, rpo=rpo)


def _after_lease(state: Drill, _: LeaseSlot, outcome: Any, now: datetime) -> Drill:
    match outcome:
        case Leased(run):
            ready = replace(state.ready, slot=run.slot, leased=now)
            asks = tuple(Ask(at) for at in run.restores_asked)
            restoring = replace(state.restoring, asks=asks)
            climbing = replace(state.climbing, asked=run.copy_asked)
            state = replace(state, ready=ready, restoring=restoring, climbing=climbing)
            return state.noting(now, f"slot {run.slot.number} leased")
        case NoSlot():
            until = min(now + SLOT_WAIT, max(_last_call(state.order), now + timedelta(minutes=1)))
            return state.pausing(until, "no slot is free")
        case _:
            return refused(state, outcome, now)


def _after_slot(state: Drill, _: ReadSlot, outcome: Any, now: datetime) -> Drill:
    match outcome:
        case SlotSight(things, _) if things and not _known_before(state):
            left = tuple(thing.id for thing in things)
            state = replace(state, cleaning=replace(state.cleaning, left=left))
            return state.ends(Ending.LEAK, now, (f"{len(things)} resources lay in it before",))
        case SlotSight(_, None):
            return state.ends(Ending.NO_PLACE, now, ("there is no staging account",))
        case SlotSight(_, str(account)):
            return replace(state, ready=replace(state.ready, staging=account))
        case _:
            return state.ends(Ending.NO_PLACE, now, (str(getattr(outcome, "words", outcome)),))


def _known_before(state: Drill) -> bool:
    """Whether the ledger said at the lease that this run has asked for something already."""
    return bool(state.restoring.asks) or state.climbing.asked is not None


def _after_network(state: Drill, _: ReadNetwork, outcome: Any, now: datetime) -> Drill:
    """Take in how isolated the subnet is: what cannot be read is no isolation."""
    running = state.climbing.created
    broken = Ending.ISOLATION_BROKEN if running else Ending.ISOLATION_UNPROVEN
    if not isinstance(outcome, NetworkFacts):
        return state.ends(broken, now, (f"could not be read: {outcome.words}",))
    ours = frozenset(nic for nic in outcome.interfaces if _is_ours(state, nic))
    breaches = find_breaches(outcome, egress=state.order.egress, ours=ours)
    if breaches:
        return state.ends(broken, now, tuple(str(breach) for breach in breaches))
    if not running and state.wants(Rung.BOOT) and not outcome.free_addresses:
        return state.ends(Ending.QUOTA_SHORT, now, ("the subnet has no address left",))
    for hindrance in () if running else find_hindrances(outcome):
        state = state.noting(now, str(hindrance))
    ready = replace(state.ready, network_read=now, security_group=outcome.network_security_group)
    return replace(state, ready=ready)


def _is_ours(state: Drill, interface: str) -> bool:
    """
    Whether an interface is that of the copy, which it is named after.

    Also where nothing is known of a copy: a turn that died may have made it.
    """
    slot, name = state.ready.slot, interface.rsplit("/", 1)[-1]
    return slot is not None and slot.holds(interface) and name.startswith(f"{state.copy_name}-")


def _after_sizes(state: Drill, _: ChooseSize, outcome: Any, now: datetime) -> Drill:
    """
    Take in which size a copy would get, or gets once its disks are known.

    Before, only what the point tells is asked for; where it does not even tell the source's size,
    the quota is asked for later.
    """
    if not isinstance(outcome, SizesSight):
        return refused(state, outcome, now)
    order, point, disks = state.order, state.ready.point, state.restoring.disks
    source = _source_size(state)
    if disks is None and not source:
        return replace(state, ready=replace(state.ready, sized=True))
    needs = needs_of(disks) if disks else Needs(security=point.security if point else "")
    choice = choose_size(
        needs,
        source,
        order.sizes,
        outcome.sizes,
        outcome.usages,
        memory_share=order.memory_share,
        free_quota=order.free_quota,
    )
    if isinstance(choice, NoSize):
        ending = Ending.QUOTA_SHORT if choice.for_quota else Ending.NO_SIZE
        return state.ends(ending, now, choice.because)
    if disks is None:
        return replace(state, ready=replace(state.ready, sized=True))
    climbing = replace(
        state.climbing,
        size=choice.name,
        comparable=choice.comparable,
        controller=choice.controller,
    )
    return replace(state, climbing=climbing).noting(now, f"size {choice.name}")


def sizes_of(state: Drill) -> tuple[str, ...]:
    """Return the names of the sizes that a copy might get."""
    source = _source_size(state)
    return (*state.order.sizes, source) if source else state.order.sizes


def _source_size(state: Drill) -> str:
    recipe, point = state.restoring.recipe, state.ready.point
    return (recipe.size if recipe else "") or (point.size if point else "")


def _after_asking(state: Drill, _: AskValidation, outcome: Any, now: datetime) -> Drill:
    if not isinstance(outcome, Operation):
        return refused(state, outcome, now)
    ready = replace(state.ready, operation=outcome.url, validating=state.ready.validating or now)
    return replace(state, ready=ready).pausing(now + VALIDATION_LOOK, "Azure validates the restore")


def _after_validation(state: Drill, _: ReadValidation, outcome: Any, now: datetime) -> Drill:
    ready = state.ready
    late = ready.validating is not None and now - ready.validating > VALIDATION_LIMIT
    match outcome:
        case Missing(words) | ValidationFacts(running=True, faults=words) if late:
            return state.ends(Ending.UNREACHABLE, now, (f"the validation never ended {words}",))
        case Missing():  # Azure has forgotten it: it is asked for again.
            return replace(state, ready=replace(ready, operation=""))
        case ValidationFacts(running=True):
            return state.pausing(now + VALIDATION_LOOK, "Azure validates the restore")
        case ValidationFacts(faults=()):
            return replace(state, ready=replace(ready, valid=True))
        case ValidationFacts(faults=faults):
            return state.ends(Ending.NOT_VALID, now, faults)
        case _:
            return refused(state, outcome, now)


def after_first_list(state: Drill, outcome: Any, now: datetime) -> Drill:
    """Take in who restores the VM now, and how often it was restored in the last 24 hours."""
    if not isinstance(outcome, Listing):
        return refused(state, outcome, now)
    theirs = [
        job for job in outcome.restores if job.concerns(state.order.vm) and job.started > now - DAY
    ]
    if running := [job.id for job in theirs if not job.progress.ended]:
        return state.ends(Ending.RESTORING, now, (f"job {running[0]}",))
    if len(theirs) >= RESTORES_A_DAY:
        return state.ends(Ending.RESTORE_LIMIT, now)
    return replace(state, ready=replace(state.ready, alone=True))


def refused(state: Drill, outcome: Any, now: datetime) -> Drill:
    """Go no further because of an answer that repeating would repeat."""
    words = str(outcome) if isinstance(outcome, Refused) else outcome.words
    return state.ends(Ending.REFUSED, now, (words,))


type Absorb = Callable[[Drill, Any, Any, datetime], Drill]

ABSORB: Mapping[type[Step], Absorb] = {
    ChoosePoint: _after_points,
    LeaseSlot: _after_lease,
    ReadSlot: _after_slot,
    ReadNetwork: _after_network,
    ChooseSize: _after_sizes,
    AskValidation: _after_asking,
    ReadValidation: _after_validation,
}
