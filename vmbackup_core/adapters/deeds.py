"""
The complete list of what this app can do to Azure, as requests: `CAN_DO`.

Read it as the last gate does (gate.py): what is not here cannot leave. There is no DELETE, no PATCH
of a resource, no write to a machine, and no way to stop a backup.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vmbackup_core.adapters.api_versions import (
    BACKUP,
    RESOURCE_GRAPH,
    RESOURCE_GROUPS,
    VAULTS,
)

Found = re.Match[str]
BodyRule = Callable[[Found, Any], str]


class Host(StrEnum):
    """What answers at a host that the app may talk to."""

    ARM = "Azure Resource Manager"
    TABLES = "the app's tables"
    BLOBS = "the app's blobs"
    READ_ONLY = "a place to read from"


@dataclass(frozen=True, slots=True)
class Deed:
    """
    One thing that the app can do.

    `path` matches the decoded path as a whole and without case; `query` are the parameters that may
    go with it, with the values they must have; `body` says what is wrong with the JSON body (whose
    keys are in lower case), "" when nothing is. What `creates` may only be made where it was just
    seen to be missing; what `reads` changes nothing.
    """

    what: str
    host: Host
    methods: tuple[str, ...]
    path: str
    query: Mapping[str, str]
    body: BodyRule | None = None
    creates: bool = False
    reads: bool = False

    def match(self, host: Host, method: str, path: str) -> Found | None:
        if host is not self.host or method not in self.methods:
            return None
        return re.fullmatch(self.path, path, re.IGNORECASE | re.ASCII)


# What a path is made of. A name never contains what could end or split a segment.
_NAME = r"[^/;?#%\\\s\x00-\x1f]*[^/;?#%\\\s\x00-\x1f.]"
_SUB = r"/subscriptions/(?P<subscription>[0-9a-f-]{36})"
_GROUP = rf"{_SUB}/resourceGroups/(?P<group>{_NAME})"
_VAULT = rf"{_GROUP}/providers/Microsoft\.RecoveryServices/vaults/(?P<vault>[a-z][a-z0-9-]+)"
_ITEM = (
    rf"{_VAULT}/backupFabrics/Azure"
    rf"/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;(?P<vm_group>{_NAME});(?P<vm>{_NAME})"
    r"/protectedItems/vm;iaasvmcontainerv2;(?P=vm_group);(?P=vm)"
)
_BLOB = rf"/[a-z0-9-]+(/{_NAME})+"
_ENTITY = r"/[a-z][a-z0-9]+\(PartitionKey='[a-z0-9-]+',RowKey='[a-z0-9-]+'\)"


def _keys(node: Any, allowed: set[str], where: str) -> str:
    """Return what `node` has that it must not, "" where it is an object of `allowed` keys."""
    if not isinstance(node, dict):
        return f"{where} is no object"
    unknown = sorted(set(node) - allowed)
    return f"{where} holds {', '.join(unknown)}" if unknown else ""


def _protection(found: Found, body: Any) -> str:
    """Allow a policy of the same vault for the VM that the path names, or an undelete of it."""
    if wrong := _keys(body, {"properties"}, "the body"):
        return wrong
    item = body.get("properties")
    allowed = {"protecteditemtype", "sourceresourceid", "policyid", "extendedproperties"}
    undeletes = isinstance(item, dict) and "isrehydrate" in item
    if undeletes:
        allowed = allowed - {"extendedproperties"} | {"isrehydrate", "protectionstate"}
    if wrong := _keys(item, allowed, "properties"):
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
    policy = rf"{re.escape(vault)}/backuppolicies/{_NAME}"
    if not re.fullmatch(policy, str(item.get("policyid")), re.IGNORECASE | re.ASCII):
        return "no policy of this vault"
    return _exclusion(item["extendedproperties"]) if "extendedproperties" in item else ""


def _exclusion(node: Any) -> str:
    if wrong := _keys(node, {"diskexclusionproperties"}, "extendedProperties"):
        return wrong
    disks = node.get("diskexclusionproperties")
    if wrong := _keys(disks, {"disklunlist", "isinclusionlist"}, "diskExclusionProperties"):
        return wrong
    luns = disks.get("disklunlist")
    plain = isinstance(luns, list) and all(type(lun) is int for lun in luns)
    return "" if plain and type(disks.get("isinclusionlist")) is bool else "no list of disks"


def _new_vault(_found: Found, body: Any) -> str:
    """Allow a vault's place, redundancy, alerts and tags: nothing that could switch safety off."""
    return _keys(body, {"location", "sku", "properties", "tags"}, "the body") or _keys(
        body.get("properties"),
        {"publicnetworkaccess", "redundancysettings", "monitoringsettings"},
        "properties",
    )


def _new_policy(_found: Found, body: Any) -> str:
    if wrong := _keys(body, {"properties"}, "the body"):
        return wrong
    policy = body.get("properties")
    if not isinstance(policy, dict) or policy.get("backupmanagementtype") != "AzureIaasVM":
        return "no policy for virtual machines"
    guarded = "resourceguardoperationrequests" in policy
    return "it asks a Resource Guard for leave" if guarded else ""


def _new_group(_found: Found, body: Any) -> str:
    return _keys(body, {"location", "tags"}, "the body")


def _question(_found: Found, body: Any) -> str:
    return "" if isinstance(body, dict) else "the body is no object"


_TIMEOUT = {"timeout": r"\d+"}

CAN_DO: tuple[Deed, ...] = (
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
        rf"{_SUB}/providers/Microsoft\.RecoveryServices/locations/[a-z0-9]+/backupStatus",
        {"api-version": BACKUP},
        _question,
        reads=True,
    ),
    Deed(
        "let a vault look for new VMs",
        Host.ARM,
        ("POST",),
        rf"{_VAULT}/backupFabrics/Azure/refreshContainers",
        {"api-version": BACKUP},
    ),
    Deed(
        "protect a VM with a policy, or undelete its item",
        Host.ARM,
        ("PUT",),
        _ITEM,
        {"api-version": BACKUP},
        _protection,
    ),
    Deed(
        "create a policy that is missing",
        Host.ARM,
        ("PUT",),
        rf"{_VAULT}/backupPolicies/[a-z][a-z0-9-]+",
        {"api-version": BACKUP},
        _new_policy,
        creates=True,
    ),
    Deed(
        "create a vault that is missing",
        Host.ARM,
        ("PUT",),
        _VAULT,
        {"api-version": VAULTS},
        _new_vault,
        creates=True,
    ),
    Deed(
        "create a resource group that is missing",
        Host.ARM,
        ("PUT",),
        _GROUP,
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
