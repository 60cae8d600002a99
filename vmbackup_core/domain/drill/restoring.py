"""
The restore of a restore test: asked for once, found again where the answer was lost, waited for.

A restore goes on whatever becomes of us, and each costs one of ten in 24 hours. So after an answer
was lost its job is looked for, by VM, time and target group, before anything is sent again; two
looks that are long enough apart must have found nothing (AZURE: restore; limits and throttling).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.facts import NO_TAGS, RestoreFacts, RestoreProgress
from vmbackup_core.domain.drill.outcomes import (
    DisksSight,
    Done,
    Listing,
    Lost,
    Missing,
    NotStarted,
    Started,
    Unaccounted,
)
from vmbackup_core.domain.drill.proof_caps import cap_of
from vmbackup_core.domain.drill.proof_disks import judge_disks
from vmbackup_core.domain.drill.ready import Absorb, after_first_list, refused, restore_order
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.drill.state import LONGEST_RESTORE, Ask, Drill, Restoring
from vmbackup_core.domain.drill.steps import (
    CancelRestore,
    Conclude,
    ReadDisks,
    ReadRestore,
    StartRestore,
    Step,
    Wait,
    WatchRestores,
)

SKEW = timedelta(seconds=60)  # Between our clock and the service's.
EVERY = timedelta(minutes=5)  # How often the restores of one vault are listed, for all who wait.
SOON = timedelta(minutes=2)  # From a snapshot it takes 1 to 2.3 minutes (recorded).
APART = timedelta(minutes=6)  # Between two looks that must both have found nothing.
LISTED = timedelta(minutes=5)  # Disks that were restored are listed by then.
MOST_LOST = 3
MOST_ASKS = 10  # Those that Azure did not take among them.

# What says nothing of the backup: the place, or somebody's rule, did not let it be restored. That a
# failed job bears one of these is a guess: the first two stand in public troubleshooting pages, the
# third was seen in a validation's results alone, and the last two are made up after their like.
_NOT_THE_BACKUP = frozenset(
    {
        "usererrorrequestdisallowedbypolicy",
        "usererrorskunotavailable",
        "usererrorcorecountsubscriptionquotareached",
        "usererrortargetresourcegroupnotfound",
        "usererrorstorageaccountnotfound",
    }
)


def next_restoring(state: Drill, now: datetime) -> Step | Wait | None:
    """Return what the restore needs next, None where its disks are known."""
    restoring, vault = state.restoring, state.order.vault
    if restoring.disks is not None:
        return None
    if (unread := first_unread(restoring)) is not None:
        return ReadRestore(vault, unread)
    if (done := succeeded(restoring)) is not None:
        order = restore_order(state)
        return ReadDisks(
            order.slot, order.staging, done.staging_container, done.config, done.template
        )
    if restoring.running:
        if now - restoring.asks[0].at > LONGEST_RESTORE:
            words = f"the restore runs since {restoring.asks[0].at:%Y-%m-%d %H:%M} UTC"
            return Conclude(Ending.OVERDUE, (words,))
        return WatchRestores(vault)
    lost = sum(1 for ask in restoring.asks if ask.missed)
    if lost >= MOST_LOST or len(restoring.asks) >= MOST_ASKS:
        words = f"the restore was asked for {len(restoring.asks)} times, and there is no job of it"
        return Conclude(Ending.UNREACHABLE, (words,))
    return StartRestore(restore_order(state), known=len(restoring.asks))


def first_unread(restoring: Restoring) -> str | None:
    """Return the job to look at: one that may be ours, or one of ours whose end is not read."""
    if restoring.suspects:
        return restoring.suspects[0]
    return next(
        (
            job.id
            for job in restoring.jobs
            if job.progress.ended and job.id not in restoring.detailed
        ),
        None,
    )


def succeeded(restoring: Restoring) -> RestoreFacts | None:
    return next((job for job in restoring.jobs if job.progress is RestoreProgress.SUCCEEDED), None)


def _with(state: Drill, **changes: Any) -> Drill:
    return replace(state, restoring=replace(state.restoring, **changes))


def _after_start(state: Drill, step: StartRestore, outcome: Any, now: datetime) -> Drill:
    asks = state.restoring.asks
    match outcome:
        case Started(at, job):
            facts = RestoreFacts(
                id=job,
                container=f"iaasvmcontainerv2;{step.order.vm.group};{step.order.vm.name}",
                progress=RestoreProgress.RUNNING,
                started=at,
            )
            # Most have ended at the first look, which is at the job: it has to be read anyway.
            state = _with(
                state,
                asks=(*asks, Ask(at, job)),
                jobs=(*state.restoring.jobs, facts),
                suspects=(*state.restoring.suspects, job),
            )
            return state.noting(now, f"restore asked for: job {job}").pausing(
                now + SOON, "the restore runs"
            )
        case Lost(at, words):
            state = _with(state, asks=(*asks, Ask(at)))
            return state.noting(now, f"restore asked for, and the answer lost: {words}")
        case Unaccounted(asked) if len(asked) > len(asks):
            return with_asked(state, outcome, now)
        case Unaccounted():
            return state.troubled("the ledger does not know of an asking", None, now)
        case NotStarted(at, words, after):
            state = _with(state, asks=(*asks, Ask(at, void=True)))
            return state.troubled(words, after, now)
        case _:
            state = _with(state, asks=(*asks, Ask(now, void=True)))  # It was written down.
            words = getattr(outcome, "words", "")
            told = RungResult(Rung.DISKS, Mark.NOT_RUN, ProofReason.RESTORE_REFUSED, (words,))
            return refused(state.told(told, now), outcome, now)


def with_asked(state: Drill, found: Unaccounted, now: datetime) -> Drill:
    """Take in that a turn of which nothing else is known may have asked for a restore."""
    asks = state.restoring.asks
    state = _with(state, asks=(*asks, *(Ask(at) for at in found.asked[len(asks) :])), settled=None)
    return state.noting(now, "a restore was asked for before: looking for it")


def _after_list(state: Drill, _: WatchRestores, outcome: Any, now: datetime) -> Drill:
    restoring = state.restoring
    if not restoring.asks:
        return after_first_list(state, outcome, now)
    if not isinstance(outcome, Listing):
        return _unlisted(state, outcome, now)
    listed = {job.id.lower(): job for job in outcome.restores}
    jobs = tuple(_newer(job, listed.get(job.id.lower())) for job in restoring.jobs)
    known = {job.id.lower() for job in jobs} | set(restoring.others)
    first = restoring.asks[0].at - SKEW
    suspects = [
        job.id
        for job in outcome.restores
        if job.concerns(state.order.vm) and job.started >= first and job.id.lower() not in known
    ]
    # A job that Azure named and that no list shows is asked for by its name.
    suspects += [
        job.id
        for job in jobs
        if not job.progress.ended
        and job.id.lower() not in listed
        and outcome.taken > job.started + EVERY
    ]
    asks = restoring.asks
    if not suspects:
        asks = tuple(_after_look(ask, outcome.taken) for ask in asks)
    state = _settled(_with(state, jobs=jobs, asks=asks, suspects=tuple(suspects)), now)
    if not state.restoring.running or suspects:
        return state
    # A look at growing intervals would find an old list: it is taken every five minutes for all.
    return state.pausing(max(now + SKEW, outcome.taken + EVERY), "the restore runs")


def _unlisted(state: Drill, outcome: Any, now: datetime) -> Drill:
    if state.ending is None:
        return refused(state, outcome, now)
    return state.troubled(str(outcome), None, now)


def _newer(job: RestoreFacts, listed: RestoreFacts | None) -> RestoreFacts:
    """Return a job as the list has it now; what only a look at the job itself tells stays."""
    if listed is None or job.progress.ended:
        return job
    return replace(job, progress=listed.progress, started=listed.started, ended=listed.ended)


def _after_look(ask: Ask, taken: datetime) -> Ask:
    """Take in a list that shows nothing of an asking whose job is not known."""
    if not ask.open or taken <= ask.at:
        return ask
    if ask.missed is None:
        return replace(ask, missed=taken)
    return replace(ask, void=True) if taken - ask.missed >= APART else ask


def _settled(state: Drill, now: datetime) -> Drill:
    """Note when it was first seen that nothing of the restores is under way any more."""
    restoring = state.restoring
    if restoring.running:
        return state
    return state if restoring.settled else _with(state, settled=now)


def _after_job(state: Drill, step: ReadRestore, outcome: Any, now: datetime) -> Drill:
    restoring, slot = state.restoring, state.ready.slot
    key = step.job.lower()
    suspects = tuple(job for job in restoring.suspects if job.lower() != key)
    ours = next((job for job in restoring.jobs if job.id.lower() == key), None)
    match outcome:
        case RestoreFacts() as facts if ours is not None:
            return _settled(_ended(_with(state, suspects=suspects), facts, now), now)
        case RestoreFacts() as facts if slot and facts.target_group.lower() == slot.group:
            state = _with(
                state,
                suspects=suspects,
                jobs=(*restoring.jobs, facts),
                asks=_answered(restoring.asks, facts),
            ).noting(now, f"restore found: job {facts.id}")
            return _settled(_ended(state, facts, now), now)
        case RestoreFacts():
            return _settled(_with(state, suspects=suspects, others=(*restoring.others, key)), now)
        case Missing(words):
            gone = tuple(
                replace(job, progress=RestoreProgress.CANCELLED) if job is ours else job
                for job in restoring.jobs
            )
            state = _with(
                state,
                suspects=suspects,
                jobs=gone,
                detailed=(*restoring.detailed, step.job),
                others=(*restoring.others, key),
            )
            state = _settled(state, now)
            return state.ends(Ending.UNREACHABLE, now, (words,)) if ours else state
        case _ if state.ending is None:
            return refused(state, outcome, now)
        case _:
            return state.troubled(str(outcome), None, now)


def _answered(asks: tuple[Ask, ...], job: RestoreFacts) -> tuple[Ask, ...]:
    """Give the job to the last open asking before it began; else to one that was given up."""
    before = [ask for ask in asks if not ask.job and ask.at - SKEW <= job.started]
    ask = max(before, key=lambda ask: (ask.open, ask.at), default=None)
    return tuple(replace(one, job=job.id, void=False) if one is ask else one for one in asks)


def _ended(state: Drill, facts: RestoreFacts, now: datetime) -> Drill:
    """Take in what a job of ours says of itself; a failed one ends the proof."""
    restoring = state.restoring
    jobs = tuple(facts if job.id.lower() == facts.id.lower() else job for job in restoring.jobs)
    if not facts.progress.ended:
        return _with(state, jobs=jobs).pausing(now + EVERY, "the restore runs")
    state = _with(state, jobs=jobs, detailed=(*restoring.detailed, facts.id))
    state = state.noting(now, f"restore {facts.progress}: job {facts.id}")
    if facts.progress is RestoreProgress.SUCCEEDED or state.ending is not None:
        return state
    if state.restoring.running or succeeded(state.restoring) is not None:
        return state  # There is another job of ours, which may do.
    words = (f"{facts.code}: {facts.message}".strip(": ") or "Azure did not say why",)
    if facts.progress is RestoreProgress.CANCELLED:
        told = RungResult(Rung.DISKS, Mark.NOT_RUN, ProofReason.ABORTED, words)
    elif facts.code.lower() in _NOT_THE_BACKUP:
        told = RungResult(Rung.DISKS, Mark.NOT_RUN, ProofReason.RESTORE_REFUSED, words)
    else:
        told = RungResult(Rung.DISKS, Mark.FAIL, ProofReason.RESTORE_FAILED, words)
    ending = Ending.COMPLETED if told.mark is Mark.FAIL else Ending.REFUSED
    return state.told(told, now).ends(ending, now, words if ending is Ending.REFUSED else ())


def _after_disks(state: Drill, _: ReadDisks, outcome: Any, now: datetime) -> Drill:
    if not isinstance(outcome, DisksSight):
        return refused(state, outcome, now)
    if foreign := [disk.id for disk in outcome.disks if disk.restored_by not in state.jobs]:
        words = ("disks lay in it that no restore of this run made", *foreign)
        return state.ends(Ending.LEAK, now, words)
    job, order = succeeded(state.restoring), state.order
    # An asking that was given up may have been heard after all, and have left disks of its own.
    mine = (disk for disk in outcome.disks if job and disk.restored_by == job.id.lower())
    disks = tuple(replace(disk, tags=NO_TAGS) for disk in mine)  # A source may bear fifty.
    cap, reason, because = cap_of(disks, outcome.recipe, order.cap, order.capped_by)
    climbing = replace(state.climbing, cap=cap, capped=reason, capped_because=because)
    told = judge_disks(outcome.recipe, disks, exclusion=order.exclusion, point=state.ready.point)
    ended = state.restoring.settled or now
    if told.mark is Mark.FAIL and now - ended < LISTED:
        return state.pausing(max(now + SKEW, ended + LISTED), "disks may be listed late")
    state = _with(state, disks=disks, recipe=outcome.recipe)
    state = replace(state, climbing=climbing).told(told, now)
    if told.mark is not Mark.PASS or not state.wants(Rung.BOOT):
        return state.ends(Ending.COMPLETED, now)
    return state


def _after_cancel(state: Drill, step: CancelRestore, outcome: Any, now: datetime) -> Drill:
    """Take in that a cancellation was asked for: one that comes too late changes nothing."""
    cancelled = (*state.restoring.cancelled, step.job)
    words = "asked for" if isinstance(outcome, Done) else "refused"
    return _with(state, cancelled=cancelled).noting(now, f"cancellation of {step.job} {words}")


ABSORB: Mapping[type[Step], Absorb] = {
    StartRestore: _after_start,
    WatchRestores: _after_list,
    ReadRestore: _after_job,
    ReadDisks: _after_disks,
    CancelRestore: _after_cancel,
}
