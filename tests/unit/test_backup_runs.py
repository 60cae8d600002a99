from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from tests.builders import NOW, VAULT, WEB, at
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus, Source, merge_runs

VAULTS = BackupRun(
    "job-1",
    WEB,
    VAULT,
    "Backup",
    RunStatus.FAILED,
    NOW,
    at(30),
    number=400_001,
    title="The VM agent does not answer.",
    sources=frozenset({Source.VAULT}),
)
GRAPHS = BackupRun(
    "job-1", WEB, VAULT, "Backup", RunStatus.RUNNING, NOW, sources=frozenset({Source.GRAPH})
)
LOGS = BackupRun(
    "job-1",
    WEB,
    VAULT,
    "Backup",
    RunStatus.FAILED,
    NOW,
    at(30),
    code="UserErrorGuestAgentStatusUnavailable",
    ingested=at(55),
    sources=frozenset({Source.LOG}),
)


@pytest.mark.parametrize("sources", list(permutations([[VAULTS], [GRAPHS], [LOGS]])))
def test_one_job_from_three_sources_is_one_run_with_all_that_they_tell(sources):
    assert merge_runs(*sources) == (
        BackupRun(
            "job-1",
            WEB,
            VAULT,
            "Backup",
            RunStatus.FAILED,
            NOW,
            at(30),
            "UserErrorGuestAgentStatusUnavailable",
            400_001,
            "The VM agent does not answer.",
            ingested=at(55),
            sources=frozenset(Source),
        ),
    )


def test_a_job_that_comes_twice_is_one_run():
    assert merge_runs([LOGS, LOGS], [LOGS]) == (LOGS,)


def test_jobs_of_one_id_in_two_vaults_are_two():
    other = replace(LOGS, vault=replace(VAULT, name="another"))

    assert len(merge_runs([LOGS, other])) == 2


def test_runs_come_oldest_first():
    later = replace(LOGS, id="job-0", started=at(60), ended=None)

    assert merge_runs([later], [LOGS]) == (LOGS, later)


@pytest.mark.parametrize(
    ("status", "worked", "failed", "running"),
    [
        (RunStatus.COMPLETED, True, False, False),
        (RunStatus.WARNED, True, False, False),
        (RunStatus.FAILED, False, True, False),
        (RunStatus.CANCELLED, False, True, False),
        (RunStatus.RUNNING, False, False, True),
        (RunStatus.CANCELLING, False, False, True),
        (RunStatus.UNKNOWN, False, False, False),
    ],
)
def test_a_run_worked_failed_runs_still_or_cannot_be_told(status, worked, failed, running):
    run = replace(LOGS, status=status)

    assert (run.worked, run.failed, run.running) == (worked, failed, running)


def test_only_backups_feed_incidents():
    assert LOGS.is_backup
    assert not replace(LOGS, operation="Restore").is_backup


def test_a_run_took_from_its_start_to_its_end():
    assert LOGS.took == timedelta(minutes=30)
    assert GRAPHS.took is None


def test_statuses_are_read_in_any_case_and_new_ones_are_unknown():
    assert RunStatus.parse("completedwithwarnings") is RunStatus.WARNED
    assert RunStatus.parse("Exploded") is RunStatus.UNKNOWN
