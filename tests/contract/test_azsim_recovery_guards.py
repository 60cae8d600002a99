"""A Resource Guard before a vault: what it lets through, and with which request."""

import pytest

from azsim.world import World
from tests.contract.operator_desk import SUBSCRIPTION, Desk, group_of, refused

GUARD = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-security/providers"
    "/Microsoft.DataProtection/resourceGuards/guard"
)
GUARDED = (400, "UserErrorResourceGuardOperationRequestMissing")


@pytest.fixture
def desk(world: World) -> Desk:
    desk = Desk.open(world)
    desk.client.resource_guard_proxy.put(
        *desk.at, "VaultProxy", {"properties": {"resourceGuardResourceId": GUARD}}
    )
    return desk


def test_a_guard_lists_nine_critical_operations(desk: Desk) -> None:
    proxy = desk.client.resource_guard_proxy.get(*desk.at, "VaultProxy").as_dict()

    assert len(proxy["properties"]["resourceGuardOperationDetails"]) == 9


def test_enabling_needs_no_request(desk: Desk) -> None:
    vm = desk.vm()

    desk.enable(vm)

    assert desk.item(vm)["protectionState"] == "IRPending"


def test_stopping_needs_a_request(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    assert refused(lambda: desk.stop(vm)) == GUARDED

    desk.put(
        vm,
        policyId="",
        protectionState="ProtectionStopped",
        resourceGuardOperationRequests=[f"{GUARD}/stopProtectionWithRetainDataRequests/default"],
    )

    assert desk.item(vm)["protectionState"] == "ProtectionStopped"


def test_deleting_needs_to_be_unlocked(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    assert refused(lambda: desk.delete(vm)) == GUARDED
    item = desk.client.protected_items.get(*desk.names(vm))

    desk.client.resource_guard_proxy.unlock_delete(
        *desk.at,
        "VaultProxy",
        {
            "resourceGuardOperationRequests": [f"{GUARD}/deleteProtectedItemRequests/default"],
            "resourceToBeDeleted": item.id,
        },
    )
    desk.delete(vm)

    assert desk.item(vm)["isScheduledForDeferredDelete"] is True


def test_restoring_needs_a_request(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    point = desk.points(vm)[0]["name"]
    target = group_of(vm)
    assert refused(lambda: desk.restore(vm, point, targetResourceGroupId=target)) == GUARDED

    desk.restore(
        vm,
        point,
        targetResourceGroupId=target,
        resourceGuardOperationRequests=[f"{GUARD}/triggerRestoreRequests/default"],
    )

    assert len(desk.jobs(filter="operation eq 'Restore'")) == 1
