from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from tests.builders import VAULT, WEB
from vmbackup_core.domain.policies import PolicyFacts, PolicyKind, Retention
from vmbackup_core.domain.schedules import Daily, Hourly, Weekday, Weekly
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus
from vmbackup_core.domain.telling.expectations import (
    Judged,
    Known,
    Standing,
    Timing,
    expected_runs,
    find_timing,
    judge_runs,
    keep_history,
    next_run,
    usual_duration,
)

DAILY = Daily(time(22))
WEEKLY = Weekly(frozenset({Weekday.SUNDAY, Weekday.WEDNESDAY}), time(1))
HOURLY = Hourly(timedelta(hours=4), time(6), timedelta(hours=12))
UTC_DAILY = Timing(DAILY, timedelta(0))
HOUR = timedelta(hours=1)


def when(day, hour=0, minute=0):
    """Return a moment of January 2030, whose 7th is a Monday."""
    return datetime(2030, 1, day, hour, minute, tzinfo=UTC)


def run(started, status=RunStatus.COMPLETED, *, ended=None, id="job"):
    if status in (RunStatus.COMPLETED, RunStatus.FAILED) and ended is None:
        ended = started + HOUR
    return BackupRun(id, WEB, VAULT, "Backup", status, started, ended)


def policy(schedule=DAILY, zone="UTC"):
    return PolicyFacts("gold", PolicyKind.ENHANCED, schedule, Retention(30), zone)


def standings(known, now, timing=UTC_DAILY):
    return [judged.standing for judged in judge_runs(timing, known, now)]


def test_a_daily_backup_is_expected_each_day():
    assert expected_runs(DAILY, timedelta(0), when(7), when(9)) == (when(7, 22), when(8, 22))


def test_a_weekly_backup_is_expected_on_its_days():
    assert expected_runs(WEEKLY, timedelta(0), when(7), when(14)) == (when(9, 1), when(13, 1))


def test_an_hourly_backup_is_expected_while_its_window_is_open_and_not_as_it_closes():
    assert expected_runs(HOURLY, timedelta(0), when(7), when(8)) == (
        when(7, 6),
        when(7, 10),
        when(7, 14),
    )


def test_a_schedule_may_reach_into_the_next_week():
    late = Hourly(timedelta(hours=4), time(22), timedelta(hours=12))

    assert expected_runs(late, timedelta(0), when(13, 20), when(14, 7)) == (
        when(13, 22),
        when(14, 2),
        when(14, 6),
    )


def test_the_policys_clock_decides():
    assert expected_runs(DAILY, 2 * HOUR, when(7), when(8)) == (when(7, 20),)


def test_what_begins_the_span_is_in_it_and_what_ends_it_is_not():
    assert expected_runs(DAILY, timedelta(0), when(7, 22), when(8, 22)) == (when(7, 22),)


def test_a_zone_with_summer_time_leaves_an_hour_more():
    assert find_timing(policy(zone="W. Europe Standard Time")) == Timing(DAILY, 2 * HOUR, HOUR)


@pytest.mark.parametrize(
    "unread", [None, policy(schedule=None), policy(zone="Atlantis Standard Time")]
)
def test_a_policy_that_we_cannot_read_expects_nothing(unread):
    assert find_timing(unread) is None


def test_the_next_backup_is_after_and_not_at_the_moment():
    assert next_run(UTC_DAILY, when(7, 22)) == when(8, 22)


def test_one_daily_failure_may_heal_itself_within_the_usual_rpo():
    assert UTC_DAILY.usual_rpo == 54 * HOUR


def test_a_weekly_failure_is_asked_for_after_a_day():
    weekly = Timing(Weekly(frozenset({Weekday.SUNDAY}), time(1)), timedelta(0))

    assert weekly.usual_rpo == timedelta(days=8) + 6 * HOUR


def test_the_usual_duration_is_the_median_of_the_last_backups():
    hours = (9, 9, 1, 2, 3, 1, 2)
    runs = [run(when(day), ended=when(day, took)) for day, took in enumerate(hours, start=1)]

    assert usual_duration(runs) == 2 * HOUR


def test_without_measurements_a_backup_takes_four_hours():
    assert usual_duration([run(when(7), RunStatus.FAILED)]) == 4 * HOUR


# One backup, expected on the 7th at 22:00; without measurements it is late from 04:00 on.
NEVER = Known(when(7, 12), when(8, 12))
STORY = [
    ("nothing yet", NEVER, when(7, 23), Standing.DUE),
    ("still in time", NEVER, when(8, 3, 59), Standing.DUE),
    ("never started", NEVER, when(8, 12), Standing.MISSED),
    (
        "the log is a day late",
        Known(when(7, 12), when(7, 12)),
        when(8, 12),
        Standing.LATE,
    ),
    (
        "began in time",
        Known(when(7, 12), when(8), (run(when(7, 23), RunStatus.RUNNING),)),
        when(8, 0),
        Standing.RUNNING,
    ),
    (
        "went through",
        Known(when(7, 12), when(8), (run(when(7, 22, 30)),)),
        when(8, 1),
        Standing.DONE,
    ),
    (
        "began a little early by our clock",
        Known(when(7, 12), when(8), (run(when(7, 21, 50)),)),
        when(8, 1),
        Standing.DONE,
    ),
    (
        "failed",
        Known(when(7, 12), when(8), (run(when(7, 22, 30), RunStatus.FAILED),)),
        when(8, 1),
        Standing.FAILED,
    ),
    (
        "failed and was made again by hand",
        Known(
            when(7, 12),
            when(8, 12),
            (run(when(7, 22, 30), RunStatus.FAILED), run(when(8, 9), id="by-hand")),
        ),
        when(8, 12),
        Standing.DONE,
    ),
    (
        "cancelled",
        Known(when(7, 12), when(8), (run(when(7, 22, 30), RunStatus.CANCELLED),)),
        when(8, 1),
        Standing.FAILED,
    ),
    (
        "a point is there and the job is not told yet",
        Known(when(7, 12), when(7, 12), last_point=when(7, 22, 40)),
        when(8, 12),
        Standing.DONE,
    ),
    (
        "the job says so and no point came of it",
        Known(when(7, 12), when(8, 12), (run(when(7, 22)),), when(6, 22), when(8, 12)),
        when(8, 12),
        Standing.LOST,
    ),
    (
        "the points were looked up before it ended",
        Known(when(7, 12), when(8, 12), (run(when(7, 22)),), when(6, 22), when(7, 22)),
        when(8, 12),
        Standing.DONE,
    ),
    (
        "a job in a state that nobody knows",
        Known(when(7, 12), when(8, 12), (run(when(7, 22), RunStatus.UNKNOWN),)),
        when(8, 12),
        Standing.LATE,
    ),
]


@pytest.mark.parametrize(
    ("known", "now", "standing"), [case[1:] for case in STORY], ids=[case[0] for case in STORY]
)
def test_one_expected_backup_is_judged(known, now, standing):
    assert standings(known, now) == [standing]


@pytest.mark.parametrize(
    ("now", "standing"), [(when(8, 23), Standing.DUE), (when(9), Standing.MISSED)]
)
def test_where_nobody_tells_of_running_jobs_the_longest_backup_is_waited_for(now, standing):
    assert standings(Known(when(7, 12), now, sees_running=False), now)[0] is standing


def test_a_job_that_runs_for_days_is_lost():
    running = run(when(7, 22), RunStatus.RUNNING)

    assert standings(Known(when(7, 12), when(11), (running,)), when(11))[0] is Standing.LOST


def test_a_restore_is_no_backup():
    restore = replace(run(when(7, 22)), operation="Restore")

    assert standings(Known(when(7, 12), when(8, 12), (restore,)), when(8, 12)) == [Standing.MISSED]


def test_a_vm_protected_after_the_expected_time_does_not_miss_it():
    assert standings(Known(when(7, 22, 1), when(8, 12)), when(8, 12)) == []


def test_each_expected_backup_is_judged_by_its_own_jobs():
    runs = (run(when(7, 22), id="one"), run(when(9, 22), RunStatus.FAILED, id="three"))

    assert judge_runs(UTC_DAILY, Known(when(7), when(10, 12), runs), when(10, 12)) == (
        Judged(when(7, 22), Standing.DONE, "one"),
        Judged(when(8, 22), Standing.MISSED),
        Judged(when(9, 22), Standing.FAILED, "three"),
    )


def test_in_summer_a_backup_an_hour_later_is_in_time():
    timing = Timing(DAILY, 2 * HOUR, HOUR)
    known = Known(when(7, 12), when(8, 12))

    assert standings(known, when(8, 2, 59), timing) == [Standing.DUE]
    assert standings(known, when(8, 3), timing) == [Standing.MISSED]


@pytest.mark.parametrize("standing", [Standing.MISSED, Standing.LOST])
def test_a_late_job_makes_up_for_a_missed_backup_and_rewrites_no_history(standing):
    missed = Judged(when(7, 22), standing)

    kept = keep_history(missed, Judged(when(7, 22), Standing.DONE, "late"))

    assert kept == Judged(when(7, 22), standing, made_up="late")
    assert keep_history(kept, Judged(when(7, 22), Standing.DONE, "later")) == kept


def test_a_backup_that_was_done_stays_done():
    done = Judged(when(7, 22), Standing.DONE, "job")

    assert keep_history(done, Judged(when(7, 22), Standing.MISSED)) == done
    assert keep_history(done, Judged(when(7, 22), Standing.FAILED, "by-hand")) == done


@pytest.mark.parametrize("standing", [Standing.DUE, Standing.LATE, Standing.RUNNING])
def test_what_is_not_decided_yet_follows_the_next_look(standing):
    done = Judged(when(7, 22), Standing.DONE, "job")

    assert keep_history(Judged(when(7, 22), standing), done) == done
    assert keep_history(None, done) == done
