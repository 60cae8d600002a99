"""
When the janitor acts on a slot, and when it may say that nothing of a run is left.

It takes over what a run has left: one that died, one that gave up, a copy whose time is over. A run
that is alive is never disturbed.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from vmbackup_core.domain.drill.facts import RestoreFacts, StagingContainer, Thing
from vmbackup_core.domain.drill.leases import Lease
from vmbackup_core.domain.drill.orders import DrillRecord
from vmbackup_core.domain.drill.ownership import MACHINE
from vmbackup_core.domain.drill.ready import LEASE
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import Verdict
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import EXPIRES_TAG, RUN_TAG, copy_name

LONGEST_RUN = timedelta(hours=24)
UNHEARD = timedelta(minutes=30)  # A restore that no list shows by then was never begun.
GRACE = timedelta(minutes=30)  # For a run that has ended, to free its slot and write its record.
UNWRITTEN = timedelta(hours=3)  # For a run to write its record itself: it knows what it saw.
SILENT = timedelta(minutes=15)  # So late no turn of a run that is alive is taken.
APPEARS = timedelta(minutes=2)  # What a restore has made is listed by then.
SKEW = timedelta(seconds=60)  # Between our clock and the service's.

# Named for the machine and a GUID without hyphens (recorded); nothing else is a restore's.
_RESTORED_TO = re.compile(r"(?:[a-z0-9-]*-)?[0-9a-f]{32}")


def why_due(lease: Lease, run: Run | None, now: datetime) -> str:
    """Return in words why the slot is the janitor's business, "" where its run still has it."""
    if run is None or run.slot != lease.slot:  # Two turns at once may have taken one each.
        return "its lease ran out before its run began" if lease.expired(now) else ""
    if run.taken is not None:
        return "it was taken over"
    if run.kept_until is not None:
        return "its copy was kept for long enough" if now >= run.kept_until else ""
    if run.ended is not None:
        return "its run has ended" if now - run.ended >= GRACE else ""
    if _copy_is_left(lease, run, now):
        return "its copy's time is over, and its run is silent"
    return "its run was not heard of for too long" if lease.expired(now) else ""


def _copy_is_left(lease: Lease, run: Run, now: datetime) -> bool:
    """Whether a copy should be off by now, and the run's next turn was due long ago."""
    if run.copy_asked is None or lease.until is None:
        return False
    over = now >= run.copy_asked + run.order.power_on
    return over and now >= lease.until - LEASE + SILENT


def is_overdue_copy(thing: Thing, now: datetime) -> bool:
    """Whether a machine says itself that a restore test made it, and that its time is over."""
    if thing.type != MACHINE or thing.name.lower() != copy_name(thing.tags.get(RUN_TAG) or ""):
        return False
    try:
        expires = datetime.fromisoformat(thing.tags.get(EXPIRES_TAG) or "")
    except ValueError:
        return False
    return expires.tzinfo is not None and expires <= now


def unaccounted(run: Run) -> int:
    """Return how many restores were asked for, or may have been, whose jobs are not known."""
    return max(0, len(run.restores_asked) - len(run.jobs))


def suspects(run: Run, restores: Iterable[RestoreFacts]) -> tuple[RestoreFacts, ...]:
    """Return the restores that may be this run's and are not known to be: to be looked at."""
    if not run.restores_asked:
        return ()
    since = min(run.restores_asked) - SKEW
    known = {job.lower() for job in run.jobs}
    return tuple(
        one
        for one in restores
        if one.concerns(run.order.vm) and one.started >= since and one.id.lower() not in known
    )


def is_of(run: Run, restore: RestoreFacts) -> bool:
    """Whether a suspect, now looked at, is this run's: nobody else has the slot it restores to."""
    return restore.target_group.lower() == run.slot.group


def all_ended(run: Run, jobs: Iterable[RestoreFacts], now: datetime) -> bool:
    """Whether no restore of the run is under way, or may still turn up."""
    jobs = tuple(jobs)
    if not all(job.progress.ended for job in jobs):
        return False
    if any(job.ended is not None and now - job.ended < APPEARS for job in jobs):
        return False
    return not unaccounted(run) or now - max(run.restores_asked) >= UNHEARD


def outdated(
    containers: Iterable[StagingContainer], in_use: Iterable[str], now: datetime
) -> tuple[StagingContainer, ...]:
    """Return the containers that no restore test of today can need: older than any may last."""
    used = set(in_use)
    return tuple(
        one
        for one in containers
        if _RESTORED_TO.fullmatch(one.name)
        and one.name not in used
        and now - one.changed > LONGEST_RUN
    )


def overdue(run: Run, left: tuple[str, ...], *, clean: bool, at: datetime) -> DrillRecord:
    """Return the record of a run that wrote none itself, with what is `left` of it."""
    because = ["the janitor cleaned up after it"]
    if run.protected_in:
        because.append(f"the copy was backed up in {run.protected_in}")
    return DrillRecord(
        order=run.order,
        ended=at,
        ending=Ending.OVERDUE,
        verdict=Verdict.NOT_PROVEN,
        results=(),
        job=run.jobs[-1] if run.jobs else "",
        slot=str(run.slot),
        left=left,
        clean=clean,
        because=tuple(because),
    )
