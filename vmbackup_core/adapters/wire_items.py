"""Protected items and vaults as Azure writes them, and the bodies that change or make them."""

import re
from collections.abc import Iterable

from vmbackup_core.adapters.wire import Json, at, entries, needed, place, text, time_at
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.facts import DiskExclusion, ItemFacts, ItemState, VaultFacts
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.policies import PolicyFacts

VM_ITEM = "Microsoft.Compute/virtualMachines"

# A vault in any other state is used: one that failed an update still protects, and one that failed
# its creation says so itself when it is asked to.
_ON_THE_WAY = frozenset({"provisioning", "creating", "accepted", "running", "deleting"})

# `protectionState` of ARM, and `currentProtectionState` of Resource Graph (AZURE: enable
# protection; Resource Graph). An item being configured is on its way to protected: its own job says
# when that fails, and then the state does.
_STATES = {
    "protected": ItemState.PROTECTED,
    "irpending": ItemState.PROTECTED,
    "protectionconfigured": ItemState.PROTECTED,
    "configuringprotection": ItemState.PROTECTED,
    "protectionerror": ItemState.ERROR,
    "configuringprotectionfailed": ItemState.ERROR,
    "protectionstopped": ItemState.STOPPED,
    "protectionpaused": ItemState.STOPPED,
    "backupssuspended": ItemState.STOPPED,
    "softdeleted": ItemState.SOFT_DELETED,
    "softdeleting": ItemState.SOFT_DELETED,
}

_VAULT_OF_ITEM = re.compile(r"(?i)(?:https?://[^/]+)?(/subscriptions/.+/vaults/[^/]+)(?:/.*)?")
_NAMES = re.compile(r"(?i)(?:vm|iaasvmcontainer)?;?iaasvmcontainerv2;([^;/]+);([^;/]+)")


def parse_item(body: Json) -> ItemFacts:
    """Read a protected item of ARM (GET or list) or its row of Resource Graph."""
    item = at(body, "properties")
    vault = vault_of(needed(body, "id"))
    return ItemFacts(
        vm=_vm_of(body, vault),
        vault=vault,
        state=_state(item),
        policy=_policy_name(item),
        exclusion=_exclusion(at(item, "extendedProperties", "diskExclusionProperties")),
        last_backup=time_at(item, "lastBackupTime") or time_at(item, "lastRecoveryPoint"),
    )


def is_vm_item(body: Json) -> bool:
    """Whether an item is that of a VM: vaults also hold databases, shares and classic VMs."""
    item = at(body, "properties")
    kind = text(item, "protectedItemType") + text(item, "sourceResourceId")
    ours = text(item, "backupManagementType").lower() == "azureiaasvm"
    return ours and "classiccompute" not in kind.lower()


def vault_of(item_id: str) -> VaultId:
    """Return the vault in which the item with this ARM id lies."""
    found = _VAULT_OF_ITEM.fullmatch(item_id.strip())
    if found is None:
        raise Malformed(f"not the id of anything in a vault: {item_id!r}")
    return VaultId.parse(found[1])


def parse_vault(body: Json, policies: Iterable[PolicyFacts] = (), items: int = 0) -> VaultFacts:
    """Read a vault of ARM or its row of Resource Graph; it is ready unless it is on its way."""
    return VaultFacts(
        id=VaultId.parse(needed(body, "id")),
        location=place(needed(body, "location")),
        policies=tuple(policies),
        items=items,
        ready=text(body, "properties", "provisioningState").lower() not in _ON_THE_WAY,
    )


def protection_body(vm: VmId, vault: VaultId, policy: str, exclusion: DiskExclusion | None) -> Json:
    """Return the body that protects `vm` with `policy`, keeping an exclusion that it has."""
    item: dict[str, Json] = {
        "protectedItemType": VM_ITEM,
        "sourceResourceId": str(vm),
        "policyId": vault.policy(policy),
    }
    if exclusion is not None:
        item["extendedProperties"] = {
            "diskExclusionProperties": {
                "diskLunList": list(exclusion.luns),
                "isInclusionList": exclusion.including,
            }
        }
    return {"properties": item}


def undelete_body(vm: VmId) -> Json:
    """Return the body that takes the item out of soft delete, as recorded."""
    return {
        "properties": {
            "protectedItemType": VM_ITEM,
            "sourceResourceId": str(vm),
            "policyId": "",
            "isRehydrate": True,
            "protectionState": "ProtectionStopped",
        }
    }


def vault_body(location: str, redundancy: str) -> Json:
    """
    Return the body of a new vault with safe settings.

    Soft delete is not asked for: it is on in every vault and cannot be switched off (AZURE: vault
    security). Alerts for failed jobs are on.
    """
    return {
        "location": location,
        "sku": {"name": "Standard"},
        "tags": {"vmbackup-made-by": "vmbackup"},
        "properties": {
            "publicNetworkAccess": "Enabled",
            "redundancySettings": {"standardTierStorageRedundancy": redundancy},
            "monitoringSettings": {
                "azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"}
            },
        },
    }


def group_body(location: str) -> Json:
    """Return the body of a new resource group."""
    return {"location": location, "tags": {"vmbackup-made-by": "vmbackup"}}


def _vm_of(body: Json, vault: VaultId) -> VmId:
    """
    Return the VM of an item: its source, else what its name says.

    A VM is protected in its own subscription only, so the name and the vault say all of its id.
    """
    item = at(body, "properties")
    for name in ("sourceResourceId", "virtualMachineId"):
        try:
            return VmId.parse(text(item, name))
        except Malformed:
            continue
    for written in (text(item, "containerName"), text(body, "name")):
        if (found := _NAMES.fullmatch(written)) is not None:
            return VmId(vault.subscription, found[1].lower(), found[2].lower())
    raise Malformed(f"a protected item that names no VM: {text(body, 'id')}")


def _state(item: Json) -> ItemState:
    """Soft delete shows as a stopped item that is to be deleted later (recorded)."""
    if str(at(item, "isScheduledForDeferredDelete")).lower() == "true":
        return ItemState.SOFT_DELETED
    state = text(item, "currentProtectionState") or text(item, "protectionState")
    return _STATES.get(state.lower(), ItemState.UNKNOWN)


def _policy_name(item: Json) -> str:
    return text(item, "policyName") or text(item, "policyId").rpartition("/")[2]


def _exclusion(node: Json) -> DiskExclusion | None:
    if not isinstance(node, dict):
        return None
    try:
        luns = tuple(int(lun) for lun in entries(node, "diskLunList"))
    except (TypeError, ValueError):
        raise Malformed("diskLunList holds something else than LUNs") from None
    return DiskExclusion(luns, including=bool(at(node, "isInclusionList")))


def protected_vms(summary: Json) -> int:
    """Return how many VMs a usage summary counts: 0 for one of another workload."""
    count = at(summary, "currentValue")
    if text(summary, "name", "value").lower() != "azureiaasvm" or not isinstance(count, int):
        return 0
    return count
