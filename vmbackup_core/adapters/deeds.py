"""
The complete list of what this app can do to Azure, as requests: `CAN_DO`.

Read it as the last gate does (gate.py): what is not here cannot leave. Here stands what protects
and what keeps the app's own state: no DELETE, no PATCH of a resource, no write to a machine, and no
way to stop a backup. What restore tests do, in their slots alone, stands in slot_deeds.py, and how
people are told in mail_deeds.py.
"""

import re
from typing import Any

from vmbackup_core.adapters.api_versions import (
    BACKUP,
    NETWORKS,
    RESOURCE_GRAPH,
    RESOURCE_GROUPS,
    VAULTS,
)
from vmbackup_core.adapters.deed_forms import (
    GROUP,
    ITEM,
    NAME,
    SUBSCRIPTION,
    VAULT,
    Deed,
    Found,
    Host,
    keys,
)
from vmbackup_core.adapters.mail_deeds import TELLING
from vmbackup_core.adapters.slot_deeds import IN_SLOTS
from vmbackup_core.domain.drill.slots import NETWORK, PREFIX

_BLOB = rf"/[a-z0-9-]+(/{NAME})+"
_ENTITY = r"/[a-z][a-z0-9]+\(PartitionKey='[a-z0-9-]+',RowKey='[a-z0-9-]+'\)"


def _protection(found: Found, body: Any) -> str:
    """Allow a policy of the same vault for the VM that the path names, or an undelete of it."""
    if wrong := keys(body, {"properties"}, "the body"):
        return wrong
    item = body.get("properties")
    allowed = {"protecteditemtype", "sourceresourceid", "policyid", "extendedproperties"}
    undeletes = isinstance(item, dict) and "isrehydrate" in item
    if undeletes:
        allowed = allowed - {"extendedproperties"} | {"isrehydrate", "protectionstate"}
    if wrong := keys(item, allowed, "properties"):
        return wrong
    if str(item.get("protecteditemtype")).lower() != "microsoft.compute/virtualmachines":
        return "the item is no virtual machine"
    machine = (
        f"/subscriptions/{found['subscription']}/resourcegroups/{found['vm_group']}"
        f"/providers/microsoft.compute/virtualmachines/{found['vm']}"
    )
    if str(item.get("sourceresourceid")).lower() != machine.lower():
        return "the item's source is not the VM that its name says"
    if undeletes:
        plain = item["isrehydrate"] is True and item.get("policyid") == ""
        plain = plain and item.get("protectionstate") == "ProtectionStopped"
        return "" if plain else "an undelete that asks for something else"
    vault = (
        f"/subscriptions/{found['subscription']}/resourcegroups/{found['group']}"
        f"/providers/microsoft.recoveryservices/vaults/{found['vault']}"
    )
    policy = rf"{re.escape(vault)}/backuppolicies/{NAME}"
    if not re.fullmatch(policy, str(item.get("policyid")), re.IGNORECASE | re.ASCII):
        return "no policy of this vault"
    return _exclusion(item["extendedproperties"]) if "extendedproperties" in item else ""


def _exclusion(node: Any) -> str:
    if wrong := keys(node, {"diskexclusionproperties"}, "extendedProperties"):
        return wrong
    disks = node.get("diskexclusionproperties")
    if wrong := keys(disks, {"disklunlist", "isinclusionlist"}, "diskExclusionProperties"):
        return wrong
    luns = disks.get("disklunlist")
    plain = isinstance(luns, list) and all(type(lun) is int for lun in luns)
    return "" if plain and type(disks.get("isinclusionlist")) is bool else "no list of disks"


def _new_vault(_found: Found, body: Any) -> str:
    """Allow a vault's place, redundancy, alerts and tags: nothing that could switch safety off."""
    return keys(body, {"location", "sku", "properties", "tags"}, "the body") or keys(
        body.get("properties"),
        {"publicnetworkaccess", "redundancysettings", "monitoringsettings"},
        "properties",
    )


def _new_policy(_found: Found, body: Any) -> str:
    if wrong := keys(body, {"properties"}, "the body"):
        return wrong
    policy = body.get("properties")
    if not isinstance(policy, dict) or policy.get("backupmanagementtype") != "AzureIaasVM":
        return "no policy for virtual machines"
    guarded = "resourceguardoperationrequests" in policy
    return "it asks a Resource Guard for leave" if guarded else ""


def _new_group(_found: Found, body: Any) -> str:
    return keys(body, {"location", "tags"}, "the body")


def _question(_found: Found, body: Any) -> str:
    return "" if isinstance(body, dict) else "the body is no object"


_TIMEOUT = {"timeout": r"\d+"}

_PROTECTING: tuple[Deed, ...] = (
    Deed(
        "ask Resource Graph",
        Host.ARM,
        ("POST",),
        r"/providers/Microsoft\.ResourceGraph/resources",
        {"api-version": RESOURCE_GRAPH},
        _question,
        reads=True,
    ),
    Deed(
        "ask where a VM is protected",
        Host.ARM,
        ("POST",),
        rf"{SUBSCRIPTION}/providers/Microsoft\.RecoveryServices/locations/[a-z0-9]+/backupStatus",
        {"api-version": BACKUP},
        _question,
        reads=True,
    ),
    Deed(
        "ask what a network manager applies to the network of restore tests",
        Host.ARM,
        ("POST",),
        rf"{SUBSCRIPTION}/resourceGroups/{PREFIX}-[a-z0-9]+/providers/Microsoft\.Network"
        rf"/virtualNetworks/{NETWORK}/listNetworkManagerEffective"
        r"(SecurityAdminRules|ConnectivityConfigurations)",
        {"api-version": NETWORKS},
        lambda _found, body: keys(body, {"skiptoken"}, "the body"),
        reads=True,
    ),
    Deed(
        "let a vault look for new VMs",
        Host.ARM,
        ("POST",),
        rf"{VAULT}/backupFabrics/Azure/refreshContainers",
        {"api-version": BACKUP},
    ),
    Deed(
        "protect a VM with a policy, or undelete its item",
        Host.ARM,
        ("PUT",),
        ITEM,
        {"api-version": BACKUP},
        _protection,
    ),
    Deed(
        "create a policy that is missing",
        Host.ARM,
        ("PUT",),
        rf"{VAULT}/backupPolicies/[a-z][a-z0-9-]+",
        {"api-version": BACKUP},
        _new_policy,
        creates=True,
    ),
    Deed(
        "create a vault that is missing",
        Host.ARM,
        ("PUT",),
        VAULT,
        {"api-version": VAULTS},
        _new_vault,
        creates=True,
    ),
    Deed(
        "create a resource group that is missing",
        Host.ARM,
        ("PUT",),
        GROUP,
        {"api-version": RESOURCE_GROUPS},
        _new_group,
        creates=True,
    ),
    Deed("create a table of its own", Host.TABLES, ("POST",), r"/Tables", _TIMEOUT),
    Deed("insert a row", Host.TABLES, ("POST",), r"/(?!Tables)[a-z][a-z0-9]+", _TIMEOUT),
    Deed("write a row", Host.TABLES, ("PUT", "PATCH", "MERGE"), _ENTITY, _TIMEOUT),
    Deed(
        "create a container of its own",
        Host.BLOBS,
        ("PUT",),
        r"/[a-z0-9-]+",
        {"restype": "container"} | _TIMEOUT,
    ),
    Deed(
        "write a document",
        Host.BLOBS,
        ("PUT",),
        _BLOB,
        {"comp": "block|blocklist", "blockid": r"[\w+/=-]+"} | _TIMEOUT,
    ),
)

CAN_DO: tuple[Deed, ...] = (*_PROTECTING, *TELLING, *IN_SLOTS)
