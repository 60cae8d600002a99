"""What is expected follows the schedule, and nothing is missed that may still be told."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import VAULT, WEB
from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.domain.schedules import Daily, Hourly, Weekday, Weekly
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus, Source, merge_runs
from vmbackup_core.domain.telling.expectations import (
    Judged,
    Known,
    Standing,
    Timing,
    expected_runs,
    judge_runs,
    keep_history,
    next_run,
)

some = settings(max_examples=60, deadline=None)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2030, 1, 7, tzinfo=UTC)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
schedules = (
    st.builds(Daily, times)
    | st.builds(Weekly, st.frozensets(st.sampled_from(Weekday), min_size=1), times)
    | st.builds(
        lambda every, start, n: Hourly(every * HOUR, start, min(24, every * n) * HOUR),
        st.sampled_from([4, 6, 8, 12]),
        times,
        st.integers(1, 6),
    )
)
offsets = st.integers(-24, 28).map(lambda halves: halves * HOUR / 2)
timings = st.builds(Timing, schedules, offsets, st.sampled_from([timedelta(0), HOUR]))
moments = st.integers(0, 14 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
ended = st.sampled_from([RunStatus.COMPLETED, RunStatus.WARNED, RunStatus.FAILED])


@st.composite
def runs(draw):
    status = draw(ended | st.sampled_from([RunStatus.RUNNING, RunStatus.UNKNOWN]))
    started = draw(moments)
    done = status in (RunStatus.COMPLETED, RunStatus.WARNED, RunStatus.FAILED)
    return BackupRun(
        draw(st.sampled_from(["a", "b", "c"])),
        WEB,
        VAULT,
        "Backup",
        status,
        started,
        started + draw(st.integers(1, 20)) * HOUR if done else None,
        draw(st.sampled_from(["", "UserErrorX"])),
        draw(st.sampled_from([0, 400_094])),
        sources=frozenset({draw(st.sampled_from(Source))}),
    )


@some
@given(schedules, offsets, moments, moments, moments)
def test_two_spans_side_by_side_expect_what_one_does(schedule, offset, one, two, three):
    first, middle, last = sorted((one, two, three))

    assert expected_runs(schedule, offset, first, middle) + expected_runs(
        schedule, offset, middle, last
    ) == expected_runs(schedule, offset, first, last)


@some
@given(timings, moments)
def test_there_is_always_a_next_one_and_none_in_between(timing, moment):
    following = next_run(timing, moment)

    assert moment < following <= moment + 7 * DAY
    between = expected_runs(
        timing.schedule, timing.offset, moment + timedelta.resolution, following
    )
    assert between == ()


@some
@given(timings, moments, st.integers(0, 100))
def test_nothing_is_missed_that_the_sources_have_not_told_of_yet(timing, until, hours):
    now = until + hours * HOUR

    for judged in judge_runs(timing, Known(BEGIN, until), now):
        missed = judged.standing is Standing.MISSED
        assert not missed or judged.expected + timing.starts_within < until


@some
@given(timings)
def test_backups_that_all_went_through_are_no_trouble(timing):
    now = BEGIN + 14 * DAY
    done = tuple(
        BackupRun(
            str(moment), WEB, VAULT, "Backup", RunStatus.COMPLETED, moment + HOUR, moment + 2 * HOUR
        )
        for moment in expected_runs(timing.schedule, timing.offset, BEGIN, now - 2 * HOUR)
    )

    judged = judge_runs(timing, Known(BEGIN, now, done), now)

    assert {one.standing for one in judged} <= {Standing.DONE, Standing.DUE}


@given(
    st.lists(st.builds(Judged, st.just(BEGIN), st.sampled_from(Standing), st.sampled_from("ab")))
)
def test_history_is_never_rewritten(looks):
    kept = None
    for judged in looks:
        before, kept = kept, keep_history(kept, judged)
        assert before is None or not before.standing.final or kept.standing is before.standing


@some
@given(st.lists(runs(), max_size=8), st.randoms(use_true_random=False))
def test_merging_does_not_depend_on_order_repetition_or_grouping(jobs, random):
    mixed = [*jobs, *jobs]
    random.shuffle(mixed)
    cut = random.randint(0, len(mixed))

    assert merge_runs(mixed[:cut], mixed[cut:]) == merge_runs(jobs)
    assert merge_runs(merge_runs(mixed[:cut]), mixed[cut:]) == merge_runs(jobs)


@some
@given(runs())
def test_a_run_can_be_kept_as_json(run):
    assert from_json(to_json(run), BackupRun) == run
