"""
What must hold of the place that a restore goes to; what does not is said before anything starts.

That these things are needed is documented (restore-azure-vms, AZURE_FACTS 6); that the service says
so at once and with one code is a guess.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId

if TYPE_CHECKING:
    from azsim.recovery.items import Item
    from azsim.world import World

Request = dict[str, Any]
Check = Callable[["World", "Item", Request], str]
_UNFIT_SKUS = ("_ZRS", "_GZRS", "_RAGZRS")


def fault_of_target(world: "World", item: "Item", request: Request) -> str:
    """Return what is wrong with the target of a restore, in words; empty when nothing is."""
    return next((why for check in _CHECKS if (why := check(world, item, request))), "")


def staging_account(request: Request) -> str:
    """Return the id of the account that a restore may write its blobs to."""
    details = request.get("identityBasedRestoreDetails") or {}
    return str(details.get("targetStorageAccountId") or request.get("storageAccountId") or "")


def _region(world: "World", item: "Item", request: Request) -> str:
    asked = str(request.get("region") or item.location).replace(" ", "").lower()
    return "" if asked == item.location.lower() else f"region {asked} is not the vault's"


def _group(world: "World", item: "Item", request: Request) -> str:
    if not (group_id := str(request.get("targetResourceGroupId") or "")):
        return ""
    target = ArmId.parse(group_id)
    found = world.groups.find(target.subscription, target.group)
    return "" if found else f"target resource group {target.group} was not found"


def _account(world: "World", item: "Item", request: Request) -> str:
    account = world.storage_accounts.find(staging_account(request))
    if account is None:
        return ""  # One that is nobody's resource here is taken on trust.
    if account.location.lower() != item.location.lower():
        return f"storage account {account.name} is not in the vault's region"
    if account.kind == "BlobStorage" or account.sku.upper().endswith(_UNFIT_SKUS):
        return f"storage account {account.name} is of a kind that restores cannot use"
    return ""


def _machine(world: "World", item: "Item", request: Request) -> str:
    if request.get("recoveryType") != "AlternateLocation":
        return ""
    target = str(request.get("targetVirtualMachineId") or "")
    return "the target virtual machine exists" if world.machines.find(target) else ""


def _network(world: "World", item: "Item", request: Request) -> str:
    if request.get("recoveryType") != "AlternateLocation":
        return ""
    network = world.networks.find(str(request["virtualNetworkId"]))
    if network is None:
        return "the virtual network was not found"
    if network.location.lower() != item.location.lower():
        return "the virtual network is not in the vault's region"
    subnet = str(request["subnetId"]).rsplit("/", 1)[-1].lower()
    known = subnet in (known.name.lower() for known in network.subnets)
    return "" if known else "the subnet was not found in the virtual network"


# models restore-target-needs, restore-target-at-once
_CHECKS: tuple[Check, ...] = (_region, _group, _account, _machine, _network)
