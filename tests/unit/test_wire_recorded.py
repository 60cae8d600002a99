"""What Azure has really said, and what its specifications promise, is read and written alike."""

import json
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from vmbackup_core.adapters.wire_items import parse_item, protection_body, undelete_body
from vmbackup_core.adapters.wire_machines import parse_vm
from vmbackup_core.adapters.wire_points import is_vm_point, parse_point
from vmbackup_core.adapters.wire_policies import is_vm_policy, parse_policy
from vmbackup_core.adapters.wire_work import parse_job
from vmbackup_core.domain.drill.points import Consistency, PointTier
from vmbackup_core.domain.facts import Agent, ItemState
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.operations import Progress
from vmbackup_core.domain.policies import PolicyKind
from vmbackup_core.domain.schedules import Daily, Hourly

SHARED = Path(__file__).parents[3] / "shared"
BACKUP_EXAMPLES = (
    SHARED / "specs/specification/recoveryservicesbackup/resource-manager"
    "/Microsoft.RecoveryServices/stable/2024-04-01/examples"
)
needs_specs = pytest.mark.skipif(
    not BACKUP_EXAMPLES.exists(), reason="the official specifications are not on this machine"
)
needs_recordings = pytest.mark.skipif(
    not (SHARED / "recorded").exists(), reason="the recorded exchanges are not on this machine"
)

SUB = "11111111-2222-3333-4444-555555555555"
WEB = VmId(SUB, "rg-app", "web")
VAULT = VaultId(SUB, "rg-backup", "rsv-1")


def examples(*names: str) -> Iterator[Any]:
    for name in names:
        yield json.loads((BACKUP_EXAMPLES / name).read_text())


def recorded(kind: str) -> list[Any]:
    """Return every recorded resource of one type, alone or in a list."""
    found = []
    for path in sorted((SHARED / "recorded").glob("*.json")):
        for exchange in json.loads(path.read_text()):
            body = exchange["response"]
            listed = body.get("value", [body]) if isinstance(body, dict) else []
            found += [
                one
                for one in listed
                if isinstance(one, dict) and str(one.get("type", "")).lower().endswith(kind)
            ]
    return found


@needs_specs
@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("AzureIaasVm/V2Policy/IaaS_v2_daily.json", Daily(time(10))),
        (
            "AzureIaasVm/V2Policy/IaaS_v2_hourly.json",
            Hourly(timedelta(hours=4), time(8), timedelta(hours=16)),
        ),
        ("AzureIaasVm/V2Policy/v2-Get-Policy.json", Daily(time(10))),
    ],
)
def test_the_specifications_examples_of_policies_are_read(name: str, schedule: Any) -> None:
    (example,) = examples(name)

    read = parse_policy(example["responses"]["200"]["body"])

    assert (read.kind, read.schedule) == (PolicyKind.ENHANCED, schedule)
    assert read.crash_consistent


@needs_specs
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("AzureIaasVm/Compute_ProtectedItem_Get.json", ItemState.PROTECTED),
        ("AzureIaasVm/ConfigureProtection.json", ItemState.PROTECTED),
        ("AzureIaasVm/StopProtection.json", ItemState.STOPPED),
    ],
)
def test_the_specifications_examples_of_items_are_read(name: str, state: ItemState) -> None:
    (example,) = examples(name)

    item = parse_item(example["responses"]["200"]["body"])

    assert (item.state, item.policy) == (state, "testPolicy1")


@needs_specs
def test_the_specifications_examples_of_jobs_are_read() -> None:
    (example,) = examples("Common/ListJobs.json")

    jobs = [parse_job(body) for body in example["responses"]["200"]["body"]["value"]]

    assert [(j.operation, j.progress) for j in jobs] == [
        ("Backup", Progress.RUNNING),
        ("ConfigureBackup", Progress.SUCCEEDED),
    ]


@needs_specs
def test_protecting_is_written_as_the_specifications_example_has_it() -> None:
    (example,) = examples("AzureIaasVm/ConfigureProtection.json")
    written = protection_body(WEB, VAULT, "gold", None)["properties"]

    assert set(written) == set(example["parameters"]["parameters"]["properties"])


@needs_recordings
def test_every_recorded_policy_for_vms_is_read() -> None:
    found = [parse_policy(body) for body in recorded("/backuppolicies") if is_vm_policy(body)]
    unread = {policy.name for policy in found if policy.schedule is None}

    assert len(found) > 30
    assert unread == {"clitest-policy000009"}  # It moves its points to the archive.


@needs_recordings
def test_every_recorded_item_is_read() -> None:
    found = [parse_item(body) for body in recorded("/protecteditems")]

    assert {item.state for item in found} == {
        ItemState.PROTECTED,
        ItemState.STOPPED,
        ItemState.SOFT_DELETED,
    }


@needs_recordings
def test_every_recorded_machine_is_read() -> None:
    found = [parse_vm(body) for body in recorded("microsoft.compute/virtualmachines")]

    assert len(found) > 20
    assert {vm.agent for vm in found} == set(Agent)


@needs_recordings
def test_every_recorded_job_is_read() -> None:
    found = [parse_job(body) for body in recorded("/backupjobs")]

    assert {"ConfigureBackup", "Undelete", "Backup"} <= {job.operation for job in found}
    assert {job.progress for job in found} == {Progress.RUNNING, Progress.SUCCEEDED}


@needs_recordings
def test_an_undelete_is_written_as_it_was_recorded() -> None:
    exchanges = json.loads((SHARED / "recorded" / "test_backup_softdelete.json").read_text())
    sent = [e["request"] for e in exchanges if e["method"] == "PUT" and e["request"]]
    (recorded_undelete,) = [body for body in sent if "isRehydrate" in body["properties"]]

    ours, theirs = undelete_body(WEB)["properties"], recorded_undelete["properties"]

    assert {**ours, "sourceResourceId": ""} == {**theirs, "sourceResourceId": ""}


@needs_recordings
def test_every_recorded_recovery_point_says_where_it_can_be_restored_from() -> None:
    points = [parse_point(body) for body in recorded("/recoverypoints") if is_vm_point(body)]

    assert len(points) >= 2
    assert {point.consistency for point in points} == {Consistency.APPLICATION}
    assert {point.valid for point in points} == {frozenset({PointTier.SNAPSHOT, PointTier.VAULT})}


@needs_specs
def test_the_specifications_recovery_points_are_read() -> None:
    (listed,) = examples("AzureIaasVm/RecoveryPoints_List.json")
    bodies = listed["responses"]["200"]["body"]["value"]

    assert [parse_point(body).consistency for body in bodies if is_vm_point(body)]
