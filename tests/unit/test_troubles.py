from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import HERE, VAULT, WEB
from tests.incidents import hour
from vmbackup_core.domain.facts import ItemState
from vmbackup_core.domain.schedules import Daily
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus
from vmbackup_core.domain.telling.expectations import Judged, Standing, Timing
from vmbackup_core.domain.telling.root_causes import BY_RUN, RootCause
from vmbackup_core.domain.telling.troubles import (
    Ending,
    Sighting,
    VmSight,
    Wellness,
    find_mail_trouble,
    find_vm_troubles,
)

# Backups at noon of each day, as the tests' clock begins; each takes an hour.
HOUR = timedelta(hours=1)
NOON = Timing(Daily(hour(0).time()), timedelta(0))
SIGHT = VmSight(
    WEB, "Web", VAULT, HERE, ItemState.PROTECTED, hour(6), 60 * HOUR, timing=NOON, takes=HOUR
)


def run(hours, status=RunStatus.FAILED, id="job", **more):
    return BackupRun(id, WEB, VAULT, "Backup", status, hour(hours), hour(hours + 1), **more)


def sightings(sight):
    return [one for one in find_vm_troubles(sight) if isinstance(one, Sighting)]


def wellness(sight, ending):
    found = [one for one in find_vm_troubles(sight) if isinstance(one, Wellness)]
    return [one for one in found if one.ending is ending]


def test_a_failed_backup_is_seen_with_its_cause_and_azures_words():
    (seen,) = sightings(replace(SIGHT, runs=(run(0, code="UserErrorFsFreezeFailed"),)))

    assert (seen.cause, seen.at, seen.attempt) == (RootCause.FILE_SYSTEM, hour(0), "job")
    assert (seen.words.code, seen.words.job) == ("UserErrorFsFreezeFailed", "job")
    assert (seen.vault, seen.location) == (str(VAULT), HERE)


def test_a_cancelled_backup_says_so():
    (seen,) = sightings(replace(SIGHT, runs=(run(0, RunStatus.CANCELLED),)))

    assert seen.cause is RootCause.CANCELLED


def test_a_failed_restore_is_no_trouble_here():
    assert sightings(replace(SIGHT, runs=(replace(run(0), operation="Restore"),))) == []


@pytest.mark.parametrize(
    ("rpo", "quiet_until"),
    [(60, 27), (51, 27), (50, 0), (24, 0)],
)
def test_a_failure_is_quiet_while_the_next_backup_ends_before_the_rpo(rpo, quiet_until):
    last_point = hour(-24)

    (seen,) = sightings(replace(SIGHT, runs=(run(0),), rpo=rpo * HOUR, last_point=last_point))

    assert seen.quiet_until == hour(quiet_until)


def test_a_vm_that_was_never_backed_up_is_not_waited_for():
    (seen,) = sightings(replace(SIGHT, runs=(run(0),)))

    assert seen.quiet_until == seen.at


def test_a_missed_backup_is_seen_at_its_expected_time():
    (seen,) = sightings(replace(SIGHT, judged=(Judged(hour(0), Standing.MISSED),)))

    assert (seen.cause, seen.at) == (RootCause.MISSED, hour(0))


def test_a_backup_without_a_point_is_lost_and_no_good_news():
    lost = replace(
        SIGHT,
        runs=(run(0, RunStatus.COMPLETED),),
        judged=(Judged(hour(0), Standing.LOST, "job"),),
    )

    assert [(one.cause, one.words.job) for one in sightings(lost)] == [(RootCause.LOST, "job")]
    assert wellness(lost, Ending.BACKED_UP) == []


def test_a_lost_backup_that_was_found_again_is_good_news():
    found = replace(
        SIGHT,
        runs=(run(0, RunStatus.COMPLETED),),
        judged=(Judged(hour(0), Standing.LOST, "job", made_up="job"),),
    )

    assert [one.at for one in wellness(found, Ending.BACKED_UP)] == [hour(1)]


def test_a_job_that_fails_after_its_backup_was_missed_is_the_same_attempt():
    missed = Judged(hour(0), Standing.MISSED, made_up="job")

    seen = sightings(replace(SIGHT, judged=(missed,), runs=(run(9),)))

    assert len({one.attempt for one in seen}) == 1
    assert [one.cause for one in seen] == [RootCause.MISSED, RootCause.UNKNOWN]


@pytest.mark.parametrize("standing", [Standing.DUE, Standing.LATE, Standing.RUNNING, Standing.DONE])
def test_what_may_still_come_or_came_is_no_trouble(standing):
    assert sightings(replace(SIGHT, judged=(Judged(hour(0), standing),))) == []


def test_a_good_backup_counts_when_it_has_ended():
    (well,) = wellness(replace(SIGHT, runs=(run(0, RunStatus.WARNED),)), Ending.BACKED_UP)

    assert (well.at, well.causes) == (hour(1), BY_RUN)


def test_a_recovery_point_is_good_news_without_a_job():
    (well,) = wellness(replace(SIGHT, last_point=hour(2)), Ending.BACKED_UP)

    assert well.at == hour(2)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (ItemState.STOPPED, RootCause.STOPPED),
        (ItemState.SOFT_DELETED, RootCause.SOFT_DELETED),
        (ItemState.ERROR, RootCause.ITEM_ERROR),
    ],
)
def test_a_state_of_the_item_is_a_trouble_of_its_own(state, cause):
    assert [one.cause for one in sightings(replace(SIGHT, state=state))] == [cause]


def test_a_vm_that_is_gone_and_still_billed_is_seen():
    gone = replace(SIGHT, there=False)

    assert [one.cause for one in sightings(gone)] == [RootCause.VM_GONE]


@pytest.mark.parametrize("state", [None, ItemState.SOFT_DELETED])
def test_a_vm_that_is_gone_and_billed_no_more_is_no_trouble(state):
    assert sightings(replace(SIGHT, there=False, state=state)) == []


@pytest.mark.parametrize(
    "ended",
    [
        replace(SIGHT, state=ItemState.STOPPED),
        replace(SIGHT, state=ItemState.SOFT_DELETED),
        replace(SIGHT, state=None),
        replace(SIGHT, there=False),
    ],
)
def test_where_no_backup_is_expected_failures_end_and_nobody_says_that_backups_work(ended):
    with_failure = replace(ended, runs=(run(0),))

    (well,) = wellness(with_failure, Ending.NOT_EXPECTED)
    assert well.causes >= BY_RUN
    assert wellness(with_failure, Ending.BACKED_UP) == []
    assert all(not one.cause.by_run for one in sightings(with_failure))


@pytest.mark.parametrize(
    ("state", "over"),
    [(None, True), (ItemState.SOFT_DELETED, True), (ItemState.STOPPED, False)],
)
def test_a_restore_test_that_failed_matters_for_as_long_as_there_are_backups(state, over):
    (well,) = wellness(replace(SIGHT, state=state), Ending.NOT_EXPECTED)

    assert (RootCause.RESTORE_FAILED in well.causes) is over


def test_states_that_do_not_hold_are_mended():
    (well,) = wellness(replace(SIGHT, state=ItemState.ERROR), Ending.MENDED)

    assert well.causes == {RootCause.STOPPED, RootCause.SOFT_DELETED, RootCause.VM_GONE}


def test_a_state_that_nobody_knows_mends_nothing():
    assert wellness(replace(SIGHT, state=ItemState.UNKNOWN), Ending.MENDED) == []


@pytest.mark.parametrize(
    "status", ["Bounced", "Suppressed", "FilteredSpam", "Quarantined", "Failed"]
)
def test_a_mail_that_did_not_arrive_is_a_trouble_of_its_mailbox_until_one_does(status):
    seen = find_mail_trouble("Ops@example.com", status, hour(0))
    well = find_mail_trouble("ops@example.com", "Delivered", hour(1))

    assert isinstance(seen, Sighting)
    assert seen.cause is RootCause.MAIL_UNDELIVERED
    assert status in seen.words.message
    assert isinstance(well, Wellness)
    assert well.subject == seen.subject


def test_a_report_that_decides_nothing_is_no_trouble():
    assert find_mail_trouble("ops@example.com", "Expanded", hour(0)) is None
