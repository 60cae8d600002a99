"""From a schedule and a log that may be late to what is told: a month of nights of one VM."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from enum import Enum

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import HERE, VAULT, WEB
from tests.incidents import RHYTHM
from vmbackup_core.domain.facts import ItemState
from vmbackup_core.domain.schedules import Daily
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus
from vmbackup_core.domain.telling.expectations import (
    Known,
    Timing,
    judge_runs,
    keep_history,
    usual_duration,
)
from vmbackup_core.domain.telling.incident_groups import Book, advance
from vmbackup_core.domain.telling.tellings import Folding, Telling
from vmbackup_core.domain.telling.troubles import VmSight, find_vm_troubles

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2030, 1, 7, tzinfo=UTC)
TIMING = Timing(Daily(time(22)), timedelta(0))
ALONE = Folding(gather=timedelta(0))
CODE = "UserErrorGuestAgentStatusUnavailable"
some = settings(max_examples=30, deadline=None)


class Night(Enum):
    GOOD = RunStatus.COMPLETED
    BAD = RunStatus.FAILED
    NONE = None


nights = st.lists(
    st.sampled_from([Night.GOOD, Night.GOOD, Night.BAD, Night.NONE]), max_size=14
).map(lambda some: [Night.GOOD, *some, Night.GOOD])


def runs_of(story):
    return [
        BackupRun(
            f"job-{number}",
            WEB,
            VAULT,
            "Backup",
            night.value,
            BEGIN + number * DAY + 22.5 * HOUR,
            BEGIN + number * DAY + 23.5 * HOUR,
            code=CODE if night is Night.BAD else "",
        )
        for number, night in enumerate(story)
        if night is not Night.NONE
    ]


def play(story, late, every=4 * HOUR):
    """Look every few hours, through sources that tell of everything `late`; the points are not."""
    runs, history, book, notices = runs_of(story), {}, Book(), []
    now, end = BEGIN + DAY, BEGIN + (len(story) + 3) * DAY
    while now < end:
        known = tuple(run for run in runs if run.ended + late <= now)
        points = [run.started for run in runs if run.worked and run.ended <= now]
        seen = Known(BEGIN, now - late, known, max(points, default=None), now)
        for judged in judge_runs(TIMING, seen, now):
            if judged.expected < BEGIN + len(story) * DAY:
                history[judged.expected] = keep_history(history.get(judged.expected), judged)
        sight = VmSight(
            WEB,
            "web",
            VAULT,
            HERE,
            ItemState.PROTECTED,
            now,
            TIMING.usual_rpo,
            timing=TIMING,
            judged=tuple(history.values()),
            runs=known,
            last_point=seen.last_point,
            takes=usual_duration(known),
        )
        book, told = advance(book, find_vm_troubles(sight), now, rhythm=RHYTHM, folding=ALONE)
        notices += told
        now += every
    return book, notices


def streaks(story):
    """Return (night, how many) of each run of nights without a good backup."""
    found = []
    for number, night in enumerate(story):
        if night is Night.GOOD:
            continue
        if found and sum(found[-1]) == number:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((number, 1))
    return found


def told_as(notices, telling):
    return Counter(notice.about for notice in notices if notice.told.telling is telling)


@some
@given(nights)
def test_each_run_of_bad_nights_is_one_incident_and_a_single_one_is_told_to_nobody(story):
    book, notices = play(story, late=timedelta(0))
    opened = [one for one in book.incidents if one.told]

    assert [(one.first - BEGIN).days for one in book.incidents] == [n for n, _ in streaks(story)]
    assert [(one.first - BEGIN).days for one in opened] == [n for n, k in streaks(story) if k > 1]
    assert set(told_as(notices, Telling.OPENED).values()) <= {1}
    assert told_as(notices, Telling.OPENED) == told_as(notices, Telling.RECOVERED)


@some
@given(nights, st.sampled_from([HOUR / 2, 5 * HOUR, 26 * HOUR]))
def test_a_late_log_invents_nothing_and_tells_nothing_twice(story, late):
    book, notices = play(story, late)
    real = {n + i for n, k in streaks(story) for i in range(k)}

    assert all((one.first - BEGIN).days in real for one in book.incidents)
    assert all(one.over for one in book.incidents)
    assert set(told_as(notices, Telling.OPENED).values()) <= {1}
    assert told_as(notices, Telling.OPENED) == told_as(notices, Telling.RECOVERED)
    assert len({notice.key for notice in notices}) == len(notices)


@some
@given(nights, st.sampled_from([HOUR / 2, 5 * HOUR, 26 * HOUR]))
def test_an_outage_of_three_nights_is_told_however_late_the_log_is(story, late):
    book, _ = play(story, late)
    told = [one for one in book.incidents if one.told]

    for first, count in streaks(story):
        begin, end = BEGIN + first * DAY, BEGIN + (first + count) * DAY
        assert count < 3 or any(begin <= one.first < end for one in told)
