"""
Backups that should have been: expected from a policy's schedule, judged by jobs and points.

Nobody tells when a backup never starts (AZURE: Log Analytics and Resource Graph), so what should be
there is computed and what is not is missed. A judgement that a backup was missed or lost is kept
for good, whatever turns up later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from itertools import pairwise

from vmbackup_core.domain.policies import PolicyFacts
from vmbackup_core.domain.schedules import DAY, HOUR, WEEK, Schedule, longest_gap
from vmbackup_core.domain.telling.backup_runs import BackupRun
from vmbackup_core.domain.telling.zone_offsets import ZONE_OFFSETS

STARTS_WITHIN = 2 * HOUR  # Azure starts a scheduled backup within this (AZURE: limits).
EARLY = timedelta(minutes=15)  # A clock that goes before Azure's must not lose a backup.
TAKES = 4 * HOUR  # A backup, where none was measured.
SHORTEST, LONGEST = timedelta(minutes=30), DAY
MEASURED = 5  # As many last backups are measured.
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


class Standing(Enum):
    """How one expected backup stands."""

    DUE = "not late yet"
    RUNNING = "running"
    LATE = "late: nothing was seen of it yet"
    DONE = "done"
    FAILED = "failed"
    MISSED = "never started"
    LOST = "began, and no recovery point came of it"

    @property
    def final(self) -> bool:
        """Whether it stays for good; one that failed may still be made up for in its time."""
        return self in (Standing.DONE, Standing.MISSED, Standing.LOST)


@dataclass(frozen=True, slots=True)
class Judged:
    """
    One expected backup; `run` is the job that decides, "" where there is none.

    `made_up` is the job that came after it was judged missed or lost, or the lost one itself where
    it was found again: it changes no history.
    """

    expected: datetime
    standing: Standing
    run: str = ""
    made_up: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """
    When a policy's backups are expected.

    `offset` is from UTC to the earliest clock that may hold in the policy's zone, `slack` from
    there to the latest: Azure does not shift the hour for summer time, and its pages do not say
    which of the zone's offsets it keeps instead.
    """

    schedule: Schedule
    offset: timedelta
    slack: timedelta = timedelta(0)

    @property
    def starts_within(self) -> timedelta:
        """How long after an expected time Azure may still start that backup."""
        return STARTS_WITHIN + self.slack

    @property
    def usual_rpo(self) -> timedelta:
        """
        How old the last backup may become where nobody says: one failure may heal itself.

        That holds for backups of a day or less; a weekly one is asked for a day after it failed.
        """
        gap = longest_gap(self.schedule.fewest_starts)
        return gap + min(gap, DAY) + self.starts_within + TAKES


def find_timing(policy: PolicyFacts | None) -> Timing | None:
    """Return a policy's timing, None where its schedule or its zone is none that we can read."""
    if policy is None or policy.schedule is None:
        return None
    offsets = ZONE_OFFSETS.get(policy.time_zone)
    if offsets is None:
        return None
    return Timing(policy.schedule, max(offsets), max(offsets) - min(offsets))


def expected_runs(
    schedule: Schedule, offset: timedelta, since: datetime, until: datetime
) -> tuple[datetime, ...]:
    """
    Return when backups are expected from `since` on and before `until`, oldest first, in UTC.

    `offset` is how far the policy's clock is ahead of UTC. Where it is not certain that Azure makes
    a backup (an hourly one just as the window ends), none is expected.
    """
    # A day's last backups may begin on the next day, so those of a week reach into the next one.
    first = (since + offset - _MONDAY) // WEEK - 1
    last = (until + offset - _MONDAY) // WEEK
    moments = {
        moment
        for week in range(first, last + 1)
        for start in _starts(schedule)
        if since <= (moment := _MONDAY + week * WEEK + start - offset) < until
    }
    return tuple(sorted(moments))


@cache
def _starts(schedule: Schedule) -> tuple[timedelta, ...]:
    return schedule.fewest_starts


def next_run(timing: Timing, after: datetime) -> datetime:
    """Return the first time after `after` at which a backup is expected."""
    moments = expected_runs(timing.schedule, timing.offset, after, after + 2 * WEEK)
    return next(moment for moment in moments if moment > after)


def usual_duration(runs: Iterable[BackupRun]) -> timedelta:
    """Return the median of how long the last backups took, within half an hour and a day."""
    worked = sorted((run for run in runs if run.worked), key=lambda run: run.started)
    took = sorted(run.took for run in worked[-MEASURED:] if run.took is not None)
    return min(max(took[len(took) // 2], SHORTEST), LONGEST) if took else TAKES


@dataclass(frozen=True, slots=True)
class Known:
    """
    What is known of one VM's backups.

    Of jobs that began in or after `since` all are known, and of those that had ended by `until`; so
    nothing is judged missed that merely was not told yet. `since` is not before the VM got this
    protection and this policy. `sees_running` is False where no source tells of jobs that still run
    (the log does not): then nothing is missed before the longest backup would have ended.
    `last_point` is when its newest recovery point was taken (None where that is not known), and
    `points_at` when that was looked up.
    """

    since: datetime
    until: datetime
    runs: tuple[BackupRun, ...] = ()
    last_point: datetime | None = None
    points_at: datetime | None = None
    sees_running: bool = True


def judge_runs(timing: Timing, known: Known, now: datetime) -> tuple[Judged, ...]:
    """
    Return every expected backup from `known.since` until `now`, oldest first.

    A backup by hand counts for the time it falls into. Without a job a recovery point does, so a
    log that is late makes no backup missing.
    """
    moments = expected_runs(timing.schedule, timing.offset, known.since, now + timedelta.resolution)
    backups = sorted((run for run in known.runs if run.is_backup), key=lambda run: run.started)
    takes = usual_duration(backups) if known.sees_running else LONGEST
    end = next_run(timing, moments[-1]) if moments else now
    return tuple(
        _judge(moment, after, timing, takes, known, backups, now)
        for moment, after in pairwise((*moments, end))
    )


def _judge(
    moment: datetime,
    after: datetime,
    timing: Timing,
    takes: timedelta,
    known: Known,
    backups: Sequence[BackupRun],
    now: datetime,
) -> Judged:
    begin, end = moment - EARLY, after - EARLY
    runs = [run for run in backups if begin <= run.started < end]
    by = moment + timing.starts_within + takes
    if worked := next((run for run in runs if run.worked), None):
        lost = _left_no_point(worked, known)
        return Judged(moment, Standing.LOST if lost else Standing.DONE, worked.id)
    if known.last_point is not None and begin <= known.last_point < end:
        return Judged(moment, Standing.DONE)
    if running := next((run for run in runs if run.running), None):
        vanished = known.until - running.started > 2 * LONGEST
        return Judged(moment, Standing.LOST if vanished else Standing.RUNNING, running.id)
    if failed := next((run for run in reversed(runs) if run.failed), None):
        return Judged(moment, Standing.FAILED, failed.id)
    if runs:
        return Judged(moment, Standing.LATE, runs[-1].id)
    if now < by:
        return Judged(moment, Standing.DUE)
    return Judged(moment, Standing.MISSED if known.until >= by else Standing.LATE)


def _left_no_point(run: BackupRun, known: Known) -> bool:
    """Tell whether a look at the points well after a backup's end found none as new as it."""
    if run.ended is None or known.last_point is None or known.points_at is None:
        return False
    return known.points_at > run.ended + STARTS_WITHIN and known.last_point < run.started - EARLY


def keep_history(before: Judged | None, now: Judged) -> Judged:
    """Return the judgement to record: once done, missed or lost, it stays so."""
    if before is None or not before.standing.final:
        return now
    late = now.run and (now.run != before.run or now.standing is Standing.DONE)
    if before.standing is Standing.DONE or not late:
        return before
    return replace(before, made_up=before.made_up or now.run)
