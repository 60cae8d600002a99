"""Restores that are validated before they are asked for, and what validation foresees."""

from typing import Any

import pytest

from azsim.http import Response
from azsim.recovery.jobs import Failure
from azsim.world import World
from tests.contract.operator_desk import REGION, SUBSCRIPTION, group_of
from tests.contract.restore_desk import RestoreDesk

NEW_VM = "AlternateLocation"
DISKS = "RestoreDisks"
QUOTA = {
    "code": "UserErrorCoreCountSubscriptionQuotaReached",
    "message": "Core Count subscription quota has been reached.",
    "recommendations": ["Contact Azure support to increase the limits."],
}
NO_SIZE = {
    "code": "UserErrorSkuNotAvailable",
    "message": "VM creation failed as VM size selected is not available.",
    "recommendations": ["Use the restore disks option during the restore operation."],
}


@pytest.fixture
def desk(world: World) -> RestoreDesk:
    return RestoreDesk.open(world)


def request(desk: RestoreDesk, kind: str = DISKS, **changes: Any) -> dict[str, Any]:
    """Return the body that asks for a validation, as spec and SDK write it."""
    asked = {
        "objectType": "IaasVMRestoreRequest",
        "recoveryPointId": desk.desk.points(desk.vm)[0]["name"],
        "recoveryType": kind,
        "sourceResourceId": desk.vm.id,
        "storageAccountId": (
            f"{group_of(desk.vm)}/providers/Microsoft.Storage/storageAccounts/stage"
        ),
        "region": REGION,
        "targetResourceGroupId": desk.group_id,
        "targetVirtualMachineId": (
            f"{desk.group_id}/providers/Microsoft.Compute/virtualMachines/copy"
        ),
        "virtualNetworkId": desk.network.id,
        "subnetId": desk.subnet_id,
    }
    return {
        "id": desk.vm.id,
        "properties": {
            "objectType": "ValidateIaasVMRestoreOperationRequest",
            "restoreRequest": asked | changes,
        },
    }


def start(desk: RestoreDesk, kind: str = DISKS, **changes: Any) -> None:
    """Let the SDK ask for a validation; it does not wait."""
    vault, group = desk.desk.at
    desk.desk.client.validate_operation.begin_trigger(
        vault, group, request(desk, kind, **changes), polling=False
    )


def status(desk: RestoreDesk) -> Response:
    """Ask once more where the last trigger said that its status would be."""
    triggered = [e for e in desk.world.exchanges if e.route == "validations.trigger"]
    link = triggered[-1].response.headers["Azure-AsyncOperation"]
    return desk.ask("GET", link)


def results(desk: RestoreDesk, kind: str = DISKS, **changes: Any) -> list[dict[str, Any]]:
    start(desk, kind, **changes)
    desk.later(minutes=2)
    body = status(desk).body
    assert body["status"] == "Succeeded"
    found: list[dict[str, Any]] = body["properties"]["validateOperationResponse"][
        "validationResults"
    ]
    return found


def test_a_validation_takes_a_while_and_says_so(desk: RestoreDesk) -> None:
    start(desk)

    soon = status(desk)

    assert soon.body["status"] == "InProgress"
    assert "properties" not in soon.body


@pytest.mark.parametrize("kind", [DISKS, NEW_VM])
def test_where_all_is_well_there_are_no_results(desk: RestoreDesk, kind: str) -> None:
    assert results(desk, kind) == []


def test_what_a_restore_would_be_refused_for_is_found(desk: RestoreDesk) -> None:
    missing = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-none"

    (found,) = results(desk, targetResourceGroupId=missing)

    assert found["code"] == "BMSUserErrorInvalidRestoreRequest"
    assert "rg-none was not found" in found["message"]


def test_a_machine_beyond_the_quota_is_foreseen(desk: RestoreDesk) -> None:
    desk.world.sizes.quota(SUBSCRIPTION, REGION, "cores", 3)

    assert results(desk, NEW_VM) == [QUOTA]


def test_a_size_that_is_not_to_be_had_is_foreseen(desk: RestoreDesk) -> None:
    desk.world.sizes.restrict(SUBSCRIPTION, REGION, desk.vm.size)

    assert results(desk, NEW_VM) == [NO_SIZE]


def test_disks_alone_need_neither_quota_nor_size(desk: RestoreDesk) -> None:
    desk.world.sizes.quota(SUBSCRIPTION, REGION, "cores", 0)
    desk.world.sizes.restrict(SUBSCRIPTION, REGION, desk.vm.size)

    assert results(desk) == []


def test_findings_can_be_planned(desk: RestoreDesk) -> None:
    planned = Failure("UserErrorKeyVaultNotReachable", "Not there.", recommendations=("Look.",))
    desk.world.vaults.find_in_validations(desk.vm.id, planned)
    found = results(desk)
    desk.world.vaults.find_in_validations(desk.vm.id)

    assert found == [
        {
            "code": "UserErrorKeyVaultNotReachable",
            "message": "Not there.",
            "recommendations": ["Look."],
        }
    ]
    assert results(desk) == []


def test_the_sync_variant_finds_the_same(desk: RestoreDesk) -> None:
    desk.world.sizes.quota(SUBSCRIPTION, REGION, "cores", 3)
    vault, group = desk.desk.at

    found = desk.desk.client.operation.validate(vault, group, request(desk, NEW_VM)).as_dict()

    assert found["validateOperationResponse"]["validationResults"] == [QUOTA]


@pytest.mark.parametrize(
    ("hinder", "code"),
    [
        (lambda desk: desk.world.sizes.quota(SUBSCRIPTION, REGION, "cores", 3), QUOTA["code"]),
        (lambda desk: desk.world.sizes.sell_out(REGION, desk.vm.size), NO_SIZE["code"]),
    ],
    ids=["quota", "size"],
)
def test_a_machine_that_cannot_be_made_fails_the_job_and_leaves_the_disks(
    desk: RestoreDesk, hinder: Any, code: str
) -> None:
    hinder(desk)

    desk.restore_to("copy")
    desk.later(hours=1)

    job = desk.job()
    failure = next(
        job.failure
        for job in desk.desk.vault.book.jobs.values()
        if job.operation.value == "Restore"
    )
    assert job["status"] == "Failed"
    assert failure is not None
    assert failure.code == code
    assert desk.left() == ["disks", "virtualNetworks"]
