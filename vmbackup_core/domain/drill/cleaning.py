"""
The end of every restore test: what it made is removed, or kept for a person, or reported.

Nothing of it is left only when the slot was seen empty after every restore of the run had ended: a
restore goes on whatever becomes of us. What is not ours is never removed; the slot is quarantined
then. A pause does not hold cleaning up back.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.facts import Thing
from vmbackup_core.domain.drill.outcomes import (
    Done,
    Left,
    Missing,
    Unaccounted,
)
from vmbackup_core.domain.drill.ownership import MACHINE, Sorted, sort_things, without_other_tags
from vmbackup_core.domain.drill.ready import Absorb
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.record import record_of, verdict_of
from vmbackup_core.domain.drill.restoring import first_unread, with_asked
from vmbackup_core.domain.drill.rungs import Verdict
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.drill.state import LONGEST_CLEANING, Drill
from vmbackup_core.domain.drill.steps import (
    CancelRestore,
    KeepSlot,
    QuarantineSlot,
    ReadCopy,
    ReadLeft,
    ReadRestore,
    ReleaseSlot,
    RemoveContainer,
    RemoveThing,
    Step,
    StopCopy,
    WatchRestores,
    WriteRecord,
)

GONE_AFTER = timedelta(seconds=90)  # A machine goes within some minutes, and its disks with it.
SEND_AGAIN = timedelta(minutes=10)
APPEARS = timedelta(minutes=2)  # What was made is listed by then.
GRACE = timedelta(minutes=10)  # Tags are listed late: what is foreign must be so for that long.
STOPS = timedelta(minutes=2)  # A machine is off by then.
STOP_TRIES = 3  # Then it is removed, whether it was stopped or not.
LOOK_BACK = timedelta(minutes=3)  # The last look at the copy may be that old.
MOST_REASONS = 12  # The state travels with every turn.
LOCKED = timedelta(minutes=30)  # Between tries where somebody's lock or policy is in the way.


def next_cleaning(state: Drill, now: datetime) -> Step:
    """Return what is still to be done; there always is something until the record is written."""
    cleaning, slot = state.cleaning, state.ready.slot
    if slot is not None and not cleaning.released:
        return _next_in(state, slot, now)
    return WriteRecord(record_of(state, cleaning.ended or now))


def _next_in(state: Drill, slot: Slot, now: datetime) -> Step:
    cleaning = state.cleaning
    if not (state.restoring.asks or state.climbing.asked):  # Nothing was ever sent.
        if state.ending is Ending.LEAK and not cleaning.quarantined:
            return QuarantineSlot(slot, "it was not empty when it was leased")
        return _release(state, slot, clean=state.ending is not Ending.LEAK)
    keeps = _keeps(state)
    if _running(state) and (keeps or _must_stop(state, now)) and state.troubles < STOP_TRIES:
        return StopCopy(slot, state.copy_name)
    if cleaning.quarantined:
        return _release(state, slot, clean=False)
    if cleaning.since is not None and now - cleaning.since > LONGEST_CLEANING:
        return QuarantineSlot(slot, "it could not be cleaned up in 24 hours")
    if cleaning.read is None:
        return ReadLeft(slot)
    look = _look_back(state, slot, now, keeps=keeps)
    if keeps:
        return look or KeepSlot(slot, now + state.order.keep)
    return look or _remove(state, slot, now)


def _must_stop(state: Drill, now: datetime) -> bool:
    """Whether a copy must not run until it is removed: it is no more isolated, or was on too long.

    A removal can be held up for hours, by somebody's lock or by a service that does not answer.
    """
    off = state.must_stop
    return state.climbing.over or _broken(state) or (off is not None and now >= off)


def _running(state: Drill) -> bool:
    """Whether a copy of ours may be powered on."""
    climbing = state.climbing
    return climbing.created and not climbing.foreign and not state.cleaning.stopped


def _broken(state: Drill) -> bool:
    return state.ending is Ending.ISOLATION_BROKEN


def _keeps(state: Drill) -> bool:
    """Whether what was made is kept for a person: after a failure, or always where one asked."""
    order, cleaning = state.order, state.cleaning
    if not order.keep or state.ending is not Ending.COMPLETED:
        return False
    if cleaning.backed_up or cleaning.unstopped:
        return False
    if state.restoring.disks is None or state.restoring.running:
        return False
    return order.keep_passed or verdict_of(state) is Verdict.FAILED


def _look_back(state: Drill, slot: Slot, now: datetime, *, keeps: bool) -> Step | None:
    """
    Return the last look at the copy: whether it is backed up is not seen once it is gone.

    One that is to be kept is looked at in any case: whether it is off.
    """
    climbing = state.climbing
    fresh = climbing.closely is not None and now - climbing.closely <= LOOK_BACK and not keeps
    done = state.cleaning.looked or state.cleaning.sent
    if fresh or done or state.troubles or not climbing.created or climbing.foreign:
        return None
    return ReadCopy(slot, state.copy_name, closely=True)


def _remove(state: Drill, slot: Slot, now: datetime) -> Step:
    """Return the next removal, in the order in which things let go of each other."""
    cleaning, restoring, vault = state.cleaning, state.restoring, state.order.vault
    found = _sorted(state, slot)
    if found.ours:
        thing = _due(state, found, now)
        return RemoveThing(slot, thing) if thing else ReadLeft(slot)
    if (unread := first_unread(restoring)) is not None:
        return ReadRestore(vault, unread)
    for job in restoring.jobs:
        if not job.progress.ended and job.id not in restoring.cancelled:
            return CancelRestore(vault, job.id)
    if restoring.running:
        return WatchRestores(vault)
    if _looked_too_early(state):
        return ReadLeft(slot)
    for job in restoring.jobs:
        if job.staging_container and job.staging_container not in cleaning.containers:
            return RemoveContainer(state.ready.staging, job.staging_container)
    if found.foreign or found.parts:
        if cleaning.foreign_since is None or now - cleaning.foreign_since < GRACE:
            return ReadLeft(slot)
        return QuarantineSlot(slot, "something lies in it that is not of its restore test")
    return _release(state, slot, clean=not cleaning.backed_up)


def _due(state: Drill, found: Sorted, now: datetime) -> Thing | None:
    """Return what of ours is to be removed now: a machine goes before what it holds on to."""
    first = found.ours[:1]
    due = first if first and first[0].type == MACHINE else found.ours
    sent = dict(state.cleaning.sent)
    unsent = (t for t in due if now - sent.get(t.id, now - SEND_AGAIN) >= SEND_AGAIN)
    return next(unsent, None)


def _release(state: Drill, slot: Slot, *, clean: bool) -> ReleaseSlot:
    return ReleaseSlot(slot, clean, known=len(state.restoring.asks))


def _sorted(state: Drill, slot: Slot) -> Sorted:
    return sort_things(state.cleaning.things, slot, state.mark, state.jobs)


def _looked_too_early(state: Drill) -> bool:
    """Whether something may have come into the slot since it was read."""
    read, asked, settled = state.cleaning.read, state.climbing.asked, state.restoring.settled
    if read is None:
        return True
    return any(made is not None and read < made + APPEARS for made in (settled, asked))


def _with(state: Drill, **changes: Any) -> Drill:
    return replace(state, cleaning=replace(state.cleaning, **changes))


def _after_stop(state: Drill, step: StopCopy, outcome: Any, now: datetime) -> Drill:
    if isinstance(outcome, Done | Missing):
        state = _with(state, stopped=True).noting(now, f"copy {step.name} stopped")
        return state.pausing(now + STOPS, "the copy stops") if _keeps(state) else state
    words = f"copy {step.name} could not be stopped: {outcome}"
    return _because(_with(state, stopped=True, unstopped=True), words)


def _after_left(state: Drill, step: ReadLeft, outcome: Any, now: datetime) -> Drill:
    cleaning = state.cleaning
    match outcome:
        case Left(things):
            pass
        case Missing():  # The group is gone, and everything in it.
            things = ()
        case _:
            return _locked(state, outcome, now)
    known = tuple(map(without_other_tags, things))
    state = _with(state, read=now, things=known, reads=cleaning.reads + 1)
    found = _sorted(state, step.slot)
    if not (found.ours or found.foreign or found.parts):
        early = _looked_too_early(state) and not state.restoring.running
        state = _with(state, foreign_since=None)
        return state.pausing(now + APPEARS, "the slot is watched") if early else state
    since = None if found.ours else cleaning.foreign_since or now
    state = _with(state, foreign_since=since)
    if _due(state, found, now) is not None or (state.restoring.running and not found.ours):
        return state
    grows = GONE_AFTER * min(state.cleaning.reads, 6)
    return state.pausing(now + grows, "what was made is being removed")


def _after_removal(state: Drill, step: RemoveThing, outcome: Any, now: datetime) -> Drill:
    thing: Thing = step.thing
    if not isinstance(outcome, Done | Missing):
        if thing.type == MACHINE and _running(state):  # Then it shall at least not run.
            state = replace(state, climbing=replace(state.climbing, over=True))
            return _because(state, str(outcome))
        return _locked(state, outcome, now)
    sent = {**dict(state.cleaning.sent), thing.id: now}
    state = _with(state, sent=tuple(sent.items())).noting(now, f"removing {thing.name}")
    more = [t for t in _sorted(state, step.slot).ours if t.id not in sent]
    if more and thing.type != MACHINE:
        return state
    return state.pausing(now + GONE_AFTER, "what was made is being removed")


def _after_container(state: Drill, step: RemoveContainer, outcome: Any, now: datetime) -> Drill:
    if not isinstance(outcome, Done | Missing):
        return _locked(state, outcome, now)
    state = _with(state, containers=(*state.cleaning.containers, step.container))
    return state.noting(now, f"staging container {step.container} removed")


def _after_quarantine(state: Drill, step: QuarantineSlot, outcome: Any, now: datetime) -> Drill:
    """Take in that the slot is given to nobody: what is left in it is reported."""
    if not isinstance(outcome, Done):
        return _locked(state, outcome, now)
    left = tuple(thing.id for thing in state.cleaning.things) or state.cleaning.left
    state = _with(state, quarantined=step.why, left=left).noting(now, "slot quarantined")
    state = _because(state, f"slot {step.slot.number} is quarantined: {step.why}")
    if state.ending is Ending.COMPLETED and not _unfinished(state, step.slot):
        state = replace(state, ending=Ending.LEAK)
    if _unfinished(state, step.slot):  # The slot stays the run's, so that the janitor goes on.
        return _with(state, released=True, ended=now)
    return state


def _unfinished(state: Drill, slot: Slot) -> bool:
    """Whether something of ours is left, or may still come."""
    return bool(_sorted(state, slot).ours) or state.restoring.running


def _after_keep(state: Drill, step: KeepSlot, outcome: Any, now: datetime) -> Drill:
    if not isinstance(outcome, Done):
        return _locked(state, outcome, now)
    left = tuple(thing.id for thing in state.cleaning.things)
    state = _with(state, kept_until=step.until, left=left, released=True, ended=now)
    return state.noting(now, f"kept until {step.until:%Y-%m-%d %H:%M} UTC")


def _after_release(state: Drill, step: ReleaseSlot, outcome: Any, now: datetime) -> Drill:
    if isinstance(outcome, Unaccounted):
        return with_asked(state, outcome, now)
    if not isinstance(outcome, Done):
        return _locked(state, outcome, now)
    backed_up = state.cleaning.backed_up
    if backed_up:
        state = _because(state, f"the copy was backed up in {backed_up}: a person must stop that")
        state = _with(state, left=(*state.cleaning.left, backed_up))
    return _with(state, released=True, clean=step.clean, ended=now).noting(now, "slot released")


def _after_record(state: Drill, step: WriteRecord, outcome: Any, now: datetime) -> Drill:
    if not isinstance(outcome, Done):
        return _locked(state, outcome, now)
    return _with(state, recorded=step.record.ended, ended=step.record.ended)


def given_over(state: Drill, now: datetime) -> Drill:
    """Return the state of a run that the janitor has taken over: it only tells what it knows."""
    state = state.ends(Ending.OVERDUE, now, ("the janitor took it over",))
    return _with(state, released=True, ended=state.cleaning.ended or now)


def _locked(state: Drill, outcome: Any, now: datetime) -> Drill:
    """Take in that somebody's lock, right or policy is in the way: it may be gone later."""
    words = str(outcome)
    return _because(state, words).troubled(words, LOCKED, now)


def _because(state: Drill, words: str) -> Drill:
    if words in state.because or len(state.because) >= MOST_REASONS:
        return state  # Azure may put another number into each of its answers.
    return replace(state, because=(*state.because, words))


ABSORB: Mapping[type[Step], Absorb] = {
    StopCopy: _after_stop,
    ReadLeft: _after_left,
    RemoveThing: _after_removal,
    RemoveContainer: _after_container,
    QuarantineSlot: _after_quarantine,
    KeepSlot: _after_keep,
    ReleaseSlot: _after_release,
    WriteRecord: _after_record,
}
