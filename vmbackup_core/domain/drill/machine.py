"""
One restore test as a state machine that takes turns: what is next, and what came of it.

`next_step` says what to do, somebody does it, `advance` takes in what happened. Everything here is
pure: the driver may be a Durable activity, a command line or a test, and decides nothing.

The order is fixed: get ready (ready), restore (restoring), make a copy (copying),
climb the rungs (climbing, with booting and scripts), and always clean up
(cleaning), whatever happened before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from vmbackup_core.domain.drill import (
    booting,
    cleaning,
    climbing,
    copying,
    ready,
    restoring,
    scripts,
)
from vmbackup_core.domain.drill.orders import DrillRecord
from vmbackup_core.domain.drill.outcomes import (
    Held,
    NotYet,
    Unavailable,
)
from vmbackup_core.domain.drill.ready import Absorb
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.record import record_of
from vmbackup_core.domain.drill.state import LONGEST_CLEANING, Drill
from vmbackup_core.domain.drill.steps import (
    Conclude,
    Step,
    Wait,
    calls_of,
)

GIVEN_UP = LONGEST_CLEANING + timedelta(hours=1)  # When not even the ledger can be written.


class Phase(StrEnum):
    """What a restore test is at, for whoever follows it."""

    QUEUED = "waits for a slot"
    GETTING_READY = "gets ready"
    RESTORING = "restores the disks"
    BOOTING = "boots the copy"
    CHECKING = "checks the copy"
    CLEANING = "cleans up"


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more to do."""

    record: DrillRecord


type Move = Step | Wait | Ended

_PARTS: tuple[Callable[[Drill, datetime], Step | Wait | None], ...] = (
    ready.next_ready,
    restoring.next_restoring,
    climbing.next_climbing,
)
_ABSORB: Mapping[type[Step], Absorb] = {
    **ready.ABSORB,
    **restoring.ABSORB,
    **copying.ABSORB,
    **booting.ABSORB,
    **scripts.ABSORB,
    **cleaning.ABSORB,
}


def next_step(state: Drill, now: datetime) -> Move:
    """Return what to do now; the end comes whatever the answers are."""
    end = state.cleaning
    if end.recorded is not None:
        return Ended(record_of(state, end.recorded))
    if end.since is not None and now - end.since > GIVEN_UP:
        return Ended(record_of(state, now))
    if state.ending is None and (over := climbing.out_of_time(state, now)) is not None:
        return over
    if state.again is not None and now < state.again:
        return Wait(_not_after(state, state.again), (state.waiting,))
    if state.ending is not None:
        return cleaning.next_cleaning(state, now)
    moves = (part(state, now) for part in _PARTS)
    return next((move for move in moves if move is not None), Conclude(Ending.COMPLETED))


def _not_after(state: Drill, until: datetime) -> datetime:
    """Return `until`, or sooner where something must be done by then."""
    bounds = [until]
    if state.ending is None and state.must_stop is not None:
        bounds.append(state.must_stop - booting.SPARE)
    if state.cleaning.since is not None:
        bounds.append(state.cleaning.since + GIVEN_UP + timedelta(minutes=1))
    return min(bounds)


def advance(state: Drill, step: Step, outcome: Any, now: datetime) -> Drill:
    """
    Return the state as it stands after `step` came to `outcome`.

    Trouble is waited out; what was held back ends the proof; whatever else was answered is taken in
    by the part whose step it is.
    """
    state = replace(state, calls=state.calls + calls_of(step))
    match outcome:
        case NotYet(after):
            return state.troubled("somebody else reads it just now", after, now)
        case Unavailable(words, after):
            return state.troubled(words, after, now)
        case Held(ending, because):
            return state.ends(ending, now, because)
    state = state.calmed()
    if isinstance(step, Conclude):
        return _concluded(state, step, now)
    return _ABSORB[type(step)](state, step, outcome, now)


def _concluded(state: Drill, step: Conclude, now: datetime) -> Drill:
    if step.result is not None:
        state = state.told(step.result, now)
    over = climbing.out_of_time(state, now) is not None
    state = replace(state, climbing=replace(state.climbing, over=over))
    return state.ends(step.ending, now, step.because)


def phase_of(state: Drill) -> Phase:
    """Return what the restore test is at."""
    ready, climbing = state.ready, state.climbing
    for phase, reached in (
        (Phase.CLEANING, state.ending is not None),
        (Phase.CHECKING, climbing.booted is not None),
        (Phase.BOOTING, state.restoring.disks is not None),
        (Phase.RESTORING, bool(state.restoring.asks)),
        (Phase.GETTING_READY, ready.slot is not None),
    ):
        if reached:
            return phase
    return Phase.QUEUED
