"""Azure Backup per region on the wire: is this VM protected, could it be, is it supported."""

from typing import Any

from azsim.arm_ids import ArmId
from azsim.http import ArmError, Response
from azsim.recovery.items import Item, item_key
from azsim.recovery.wire import container_name
from azsim.router import Call, Route
from azsim.routes.recovery_calls import SUBSCRIPTION, body_of
from azsim.vaults import Vault

_LOCATION = f"{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/locations/{{location}}"
_ACTION = "Microsoft.RecoveryServices/locations"
_ALREADY = {
    "errorCode": "VirtualMachineAlreadyProtected",
    "errorMessage": "Virtual machine with same name and same resource group is already protected. "
    "Please select `Disable' choice above for backup and go to backup item corresponding to this "
    "VM in the vault",
    "recommendation": "Please do not enable protection again.",
}
_FULL = {
    "errorCode": "UserErrorMaxProtectedVMsReached",
    "errorMessage": "The vault protects as many virtual machines as it can.",
    "recommendation": "Please choose another vault.",
}


def _vm(call: Call, given: dict[str, Any]) -> ArmId:
    """Return the VM that the body names; raises ArmError 400, or 501 for other data sources."""
    if given.get("resourceType") != "VM":
        raise ArmError(501, "NotSimulated", f"azsim lacks resourceType {given.get('resourceType')}")
    try:
        return ArmId.parse(str(given.get("resourceId")))
    except ValueError:
        raise ArmError(
            400,
            "BMSUserErrorInvalidInput",
            "Input provided for the call is invalid. resourceId is not an ARM id.",
        ) from None


def _names(vm: ArmId) -> dict[str, str]:
    container = container_name(vm.group, vm.name)
    return {
        "containerName": f"iaasvmcontainer;{container}",
        "protectedItemName": f"vm;{container}",
    }


# models backup-status
def _status(call: Call) -> Response:
    """
    Say whether the VM is protected in any vault of the region.

    What counts as protected is in doubt (doubts.py); recorded is only that a VM whose data was
    deleted for good is NotProtected. An old public reference calls a VM that is "registered"
    protected, and knows the word Protecting.
    """
    given = body_of(call)
    vm = _vm(call, given)
    item = _named_item(call, str(given["resourceId"]))
    pending = None if item else _configuring(call, vm)
    vault = item[0] if item else pending
    status = "Protected" if item else "Protecting" if pending else "NotProtected"
    body: dict[str, Any] = {"protectionStatus": status}
    if vault:
        body["vaultId"] = vault.id
    body |= {"fabricName": "Azure", **_names(vm)}
    if item:
        body["policyName"] = item[1].policy
    body |= {"protectedItemsCount": 0, "objectType": "BackupStatusResponse"}
    return Response(200, body)


def _named_item(call: Call, vm_id: str) -> tuple[Vault, Item] | None:
    """Return the item that makes backupStatus call the VM protected."""
    vaults, doubts = call.world.vaults, call.world.vaults.doubts
    if (owner := vaults.item_of(vm_id)) is None:
        return None
    vault, item = owner
    hidden = (
        vault.location.lower() != call["location"].lower()
        # models backup-status-of-soft-deleted
        or (item.is_soft_deleted and not doubts.status_names_soft_deleted)
        # models backup-status-of-stopped
        or (item.stopped and not item.is_soft_deleted and not doubts.status_names_stopped)
        # models backup-status-lag
        or vaults.now - item.protected_since < doubts.status_lag
    )
    return None if hidden else owner


# models backup-status-of-pending
def _configuring(call: Call, vm: ArmId) -> Vault | None:
    """Return the vault that is just being told to protect the VM, where backupStatus says so."""
    if not call.world.vaults.doubts.status_names_pending:
        return None
    key, location = item_key(vm.group, vm.name), call["location"].lower()
    there = call.world.vaults.in_subscription(vm.subscription)
    return next((v for v in there if key in v.pending and v.location.lower() == location), None)


# models pre-validation
def _pre_validate(call: Call) -> Response:
    given = body_of(call)
    vm = _vm(call, given)
    vaults = call.world.vaults
    vault = vaults.by_id(str(given.get("vaultId", "")))
    finding: dict[str, str] | None = None
    if vaults.item_of(str(given["resourceId"])) is not None:
        finding = _ALREADY
    elif vault is not None and vault.room_taken() >= vaults.rules.most_vms:
        finding = _FULL
    if finding is not None:
        return Response(200, {"status": "Failed", **finding, **_names(vm)})
    return Response(200, {"status": "Succeeded", **_names(vm)})


def _features(call: Call) -> Response:
    given = body_of(call)
    if given.get("featureType") != "AzureVMResourceBackup":
        kind = given.get("featureType")
        raise ArmError(501, "NotSimulated", f"azsim lacks featureType {kind}")
    return Response(200, {"supportStatus": "Supported"})


ROUTES: tuple[Route, ...] = (
    Route(
        "backup_status.get",
        "POST",
        f"{_LOCATION}/backupStatus",
        _status,
        action=f"{_ACTION}/backupStatus/action",
    ),
    Route(
        "backup_status.pre_validate",
        "POST",
        f"{_LOCATION}/backupPreValidateProtection",
        _pre_validate,
        action=f"{_ACTION}/backupPreValidateProtection/action",
    ),
    Route(
        "backup_status.features",
        "POST",
        f"{_LOCATION}/backupValidateFeatures",
        _features,
        action=f"{_ACTION}/backupValidateFeatures/action",
    ),
)
