"""Restores as recorded, and as the specifications show them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.openapi import ABSENT, SHARED, SPECIFICATIONS
from vmbackup_core.adapters.wire_restores import (
    is_restore,
    operation_id,
    parse_restore,
    parse_validation,
    restore_body,
)
from vmbackup_core.domain.drill.facts import RestoreOrder, RestoreProgress, ValidationFacts
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import VaultId, VmId

RECORDED = SHARED / "recorded" / "test_backup_restore.json"
EXAMPLES = (
    SPECIFICATIONS
    / "specification/recoveryservicesbackup/resource-manager/Microsoft.RecoveryServices"
    / "stable/2024-04-01/examples/AzureIaasVm"
)
recorded = pytest.mark.skipif(not RECORDED.exists(), reason="no recorded exchanges beside us")
specified = pytest.mark.skipif(not SPECIFICATIONS.exists(), reason=ABSENT)


def exchanges(ending: str) -> list[Any]:
    return [e for e in json.loads(RECORDED.read_text()) if e["path"].endswith(ending)]


def jobs() -> list[Any]:
    found = [e["response"] for e in json.loads(RECORDED.read_text()) if "/backupJobs/" in e["path"]]
    return [job for job in found if is_restore(job)]


@recorded
def test_the_request_is_the_recorded_one() -> None:
    first = exchanges("/restore")[0]["request"]
    asked = first["properties"]
    order = RestoreOrder(
        vm=VmId.parse(asked["sourceResourceId"]),
        vault=VaultId("00000000-0000-0000-0000-000000000000", "rg", "v"),
        point=asked["recoveryPointId"],
        location=asked["region"],
        slot=Slot(Place("00000000-0000-0000-0000-000000000000", "eastus2euap"), 1),
        staging=asked["storageAccountId"],
    )

    written = restore_body(order)["properties"]

    same = {"targetResourceGroupId": "", "sourceResourceId": ""}
    assert written | same == asked | same


@recorded
def test_a_restores_operation_is_its_job() -> None:
    first = exchanges("/restore")[0]["headers"]["azure-asyncoperation"]

    assert operation_id(first) == parse_restore(jobs()[0]).id


@recorded
def test_a_recorded_job_that_ended_is_read() -> None:
    (job,) = [
        job
        for job in map(parse_restore, jobs())
        if job.progress.ended and job.target_group and job.config
    ]

    assert job.started == datetime(2024, 5, 14, 9, 32, 56, 979299, UTC)
    assert job.ended == datetime(2024, 5, 14, 9, 34, 5, 753957, UTC)
    assert job.target_group == "clitest.rg000002"
    assert job.staging_container == "clitestvmjffuk-486c980f3f444fb494253f4581453ea0"
    assert job.config == f"config-clitestvmjffuk-{job.id}.json"
    assert job.template == f"azuredeploy{job.id}.json"
    assert job.concerns(VmId("", "clitest.rg000001", "clitest-vm000004"))


@recorded
def test_no_recorded_job_is_beyond_us() -> None:
    assert {parse_restore(job).progress for job in jobs()} == {
        RestoreProgress.RUNNING,
        RestoreProgress.SUCCEEDED,
    }


@specified
def test_the_specifications_validation_has_its_fault() -> None:
    example = json.loads((EXAMPLES / "ValidateOperationStatus.json").read_text())

    found = parse_validation(example["responses"]["200"]["body"])

    assert found == ValidationFacts(
        running=False,
        faults=(
            "UserErrorCoreCountSubscriptionQuotaReached:"
            " Core Count subscription quota has been reached.",
        ),
    )


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"status": "Succeeded"}, ()),
        ({"status": "Failed"}, ("Failed",)),
        ({"status": "Failed", "error": {"code": "X", "message": "y"}}, ("X: y",)),
        ({"status": "Canceled"}, ("Canceled",)),
    ],
)
def test_a_validation_without_results_tells_by_its_status(
    body: dict[str, Any], faults: tuple[str, ...]
) -> None:
    assert parse_validation(body) == ValidationFacts(running=False, faults=faults)


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        ("InProgress", RestoreProgress.RUNNING),
        ("Cancelling", RestoreProgress.RUNNING),
        ("SomethingNew", RestoreProgress.RUNNING),
        ("Completed", RestoreProgress.SUCCEEDED),
        ("CompletedWithWarnings", RestoreProgress.SUCCEEDED),
        ("Failed", RestoreProgress.FAILED),
        ("Cancelled", RestoreProgress.CANCELLED),
    ],
)
def test_a_status_says_how_far_a_restore_is(status: str, progress: RestoreProgress) -> None:
    job = {"name": "1", "properties": {"status": status, "startTime": "2026-03-02T10:00:00Z"}}

    assert parse_restore(job).progress is progress


def test_an_error_without_a_title_is_known_by_its_number() -> None:
    said = {"errorCode": 400170, "errorString": "No cores."}
    job = {
        "name": "1",
        "properties": {
            "status": "Failed",
            "startTime": "2026-03-02T10:00:00Z",
            "errorDetails": [said],
        },
    }

    found = parse_restore(job)

    assert (found.code, found.message) == ("400170", "No cores.")


def test_a_job_that_never_began_makes_no_sense() -> None:
    with pytest.raises(Malformed):
        parse_restore({"name": "1", "properties": {"status": "InProgress"}})
