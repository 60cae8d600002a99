"""
What Azure Backup finds when it validates a restore, and finds out when it makes the machine.

The operation succeeds though its results list errors (specs: ValidateOperationStatus).
"""

from typing import TYPE_CHECKING, Any

from azsim.http import ArmError
from azsim.recovery.items import Item, Point
from azsim.recovery.jobs import Failure
from azsim.recovery.restores import RestoreKind, check_restore
from azsim.size_refusals import Placing, check_offered, check_quotas

if TYPE_CHECKING:
    from azsim.vaults import Vaults
    from azsim.world import World

_NO_QUOTA = Failure(
    "UserErrorCoreCountSubscriptionQuotaReached",
    "Core Count subscription quota has been reached.",
    recommendations=("Contact Azure support to increase the limits.",),
)
_NO_SIZE = Failure(
    "UserErrorSkuNotAvailable",
    "VM creation failed as VM size selected is not available.",
    recommendations=("Use the restore disks option during the restore operation.",),
)


# models restore-validation
def find_faults(
    vaults: "Vaults", item: Item, point: Point, request: dict[str, Any]
) -> list[Failure]:
    """Return what a restore would be refused for, what it would fail for, and what is planned."""
    found = list(vaults.planned_findings(item.vm_id))
    try:
        kind = check_restore(vaults, item, point, request)
    except ArmError as refused:
        if refused.status == 501:
            raise
        return [*found, Failure(refused.code, refused.message)]
    if kind is RestoreKind.NEW_VM:
        asked = {"region": item.location} | request
        found += filter(None, [fault_of_size(vaults.world, point, asked)])
    return found


# models restore-size-fault
def fault_of_size(world: "World", point: Point, request: dict[str, Any]) -> Failure | None:
    """
    Return why the machine that a restore makes cannot have its size, None where it can.

    `request` names the `region`.
    """
    size = world.sizes.find(point.picture.size)
    if size is None:
        return None  # A size that azsim does not know is counted nowhere.
    zones = tuple(zone for zone in request.get("zones") or () if zone != "NoZone")
    place = Placing(str(request["targetVirtualMachineId"]), str(request["region"]), zones)
    try:
        check_offered(world, size, place)
    except ArmError:
        return _NO_SIZE
    try:
        check_quotas(world, size, place)
    except ArmError:
        return _NO_QUOTA
    return None


def written(failure: Failure) -> dict[str, Any]:
    """Write one result of a validation."""
    return {
        "code": failure.code,
        "message": failure.text,
        "recommendations": list(failure.recommendations),
    }
