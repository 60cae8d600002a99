"""
What restore tests can do to Azure, as requests: the restorer's deeds, and no other identity's.

Everything that makes or removes lies in a slot (`vmbackup-drill-{location}-{n}`), save the blobs
that a restore leaves in the staging account of the slot's place. A restore is one of disks, into a
slot of the source's own subscription. A machine is made of disks that lie in its own slot, on the
subnet of that slot's number, and of nothing that would let it reach out, be reached or be somebody.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from vmbackup_core.adapters.api_versions import (
    BACKUP,
    DISKS,
    NETWORK_INTERFACES,
    RUN_COMMANDS,
    VIRTUAL_MACHINES,
)
from vmbackup_core.adapters.deed_forms import (
    ITEM,
    NAME,
    SUBSCRIPTION,
    VAULT,
    Deed,
    Found,
    Host,
    Identity,
    keys,
)
from vmbackup_core.domain.drill.slots import EXPIRES_TAG, MADE_BY_TAG, NETWORK, PREFIX, RUN_TAG

_SLOT = rf"{SUBSCRIPTION}/resourceGroups/{PREFIX}-(?P<location>[a-z0-9]+)-(?P<slot>[1-9]\d?)"
_COMPUTE = rf"{_SLOT}/providers/Microsoft\.Compute"
_MACHINE = rf"{_COMPUTE}/virtualMachines/{NAME}"
_COPY = rf"{_COMPUTE}/virtualMachines/drill-[0-9a-f]{{10}}"
_GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A restore's blobs lie in a container named for the machine and a GUID without hyphens (recorded).
_RESTORED_TO = r"/([a-z0-9-]*-)?[0-9a-f]{32}"

_TAGS = {RUN_TAG, EXPIRES_TAG, MADE_BY_TAG}


def _restore(found: Found, body: Any) -> str:
    """Allow a restore of disks of the VM that the path names, from the point that it names."""
    if wrong := keys(body, {"properties"}, "the body"):
        return wrong
    if wrong := _request(found["subscription"], body.get("properties")):
        return wrong
    asked = body["properties"]
    source = (
        f"/subscriptions/{found['subscription']}/resourcegroups/{found['vm_group']}"
        f"/providers/microsoft.compute/virtualmachines/{found['vm']}"
    )
    if not _same(asked.get("sourceresourceid"), source):
        return "the source is not the VM that its name says"
    return "" if asked.get("recoverypointid") == found["point"] else "another recovery point"


def _validation(found: Found, body: Any) -> str:
    """Allow to ask about such a restore."""
    if wrong := keys(body, {"id", "properties"}, "the body"):
        return wrong
    asked = body.get("properties")
    if wrong := keys(asked, {"objecttype", "restorerequest"}, "properties"):
        return wrong
    return _request(found["subscription"], asked.get("restorerequest"))


def _request(subscription: str, asked: Any) -> str:
    """Return what is wrong with a restore request: one of disks, into a slot, with its staging."""
    allowed = {
        "objecttype",
        "recoverypointid",
        "recoverytype",
        "sourceresourceid",
        "targetresourcegroupid",
        "storageaccountid",
        "region",
        "createnewcloudservice",
        "originalstorageaccountoption",
    }
    if wrong := keys(asked, allowed, "the request"):
        return wrong
    if (
        asked.get("objecttype") != "IaasVMRestoreRequest"
        or asked.get("recoverytype") != "RestoreDisks"
        or asked.get("createnewcloudservice") is not False
        or asked.get("originalstorageaccountoption") is not False
    ):
        return "no restore of disks"
    groups = rf"/subscriptions/{re.escape(subscription)}/resourceGroups"
    target = _matched(
        rf"{groups}/{PREFIX}-([a-z0-9]+)-[1-9]\d?", asked.get("targetresourcegroupid")
    )
    if target is None:
        return "the target is no slot of this subscription"
    if not _same(asked.get("region"), target[1]):
        return "the region is not the slot's"
    account = (
        rf"{groups}/{PREFIX}-{target[1]}/providers/Microsoft\.Storage"
        r"/storageAccounts/[a-z0-9]{3,24}"
    )
    found = _matched(account, asked.get("storageaccountid"))
    return "" if found else "the staging account is not the one of the slot's place"


def _new_copy(found: Found, body: Any) -> str:
    """Allow a machine of disks of its own slot, alone on that slot's subnet."""
    if wrong := keys(body, {"location", "tags", "zones", "plan", "properties"}, "the body"):
        return wrong
    if not _same(body.get("location"), found["location"]):
        return "the location is not the slot's"
    if wrong := keys(body.get("tags"), _TAGS, "tags"):
        return wrong
    if set(body["tags"]) != _TAGS:
        return "it does not bear all of our tags"
    if wrong := keys(body.get("plan", {}), {"publisher", "product", "name"}, "plan"):
        return wrong
    machine = body.get("properties")
    if wrong := keys(machine, {*_PARTS, "licensetype"}, "properties"):
        return wrong
    checked = (rule(found, machine.get(name)) for name, rule in _PARTS.items())
    return next((wrong for wrong in checked if wrong), "")


def _hardware(_found: Found, node: Any) -> str:
    return keys(node, {"vmsize"}, "hardwareProfile")


def _storage(found: Found, node: Any) -> str:
    if wrong := keys(node, {"osdisk", "datadisks", "diskcontrollertype"}, "storageProfile"):
        return wrong
    more = node.get("datadisks", [])
    if not isinstance(more, list):
        return "dataDisks is no list"
    checked = [_disk(found, node.get("osdisk"), {"ostype"})]
    checked += [_disk(found, disk, {"lun"}) for disk in more]
    return next((wrong for wrong in checked if wrong), "")


def _disk(found: Found, node: Any, own: set[str]) -> str:
    allowed = own | {"createoption", "deleteoption", "caching", "manageddisk"}
    if wrong := keys(node, allowed, "a disk"):
        return wrong
    if node.get("createoption") != "Attach" or node.get("deleteoption") != "Delete":
        return "a disk that is not attached, or would stay"
    if wrong := keys(node.get("manageddisk"), {"id"}, "managedDisk"):
        return wrong
    disk = rf"{_slot_of(found)}/providers/Microsoft\.Compute/disks/{NAME}"
    return "" if _matched(disk, node["manageddisk"].get("id")) else "a disk of another place"


def _network(found: Found, node: Any) -> str:
    """Allow one new interface, on the slot's own subnet, without any address but a private one."""
    allowed = {"networkapiversion", "networkinterfaceconfigurations"}
    if wrong := keys(node, allowed, "networkProfile"):
        return wrong
    if not _is_one(nics := node.get("networkinterfaceconfigurations")):
        return "not one interface"
    if wrong := keys(nics[0], {"name", "properties"}, "the interface"):
        return wrong
    nic, allowed = (
        nics[0].get("properties"),
        {"primary", "deleteoption", "networksecuritygroup", "ipconfigurations"},
    )
    if wrong := keys(nic, allowed, "the interface"):
        return wrong
    if nic.get("deleteoption") != "Delete":
        return "an interface that would stay"
    if wrong := keys(nic.get("networksecuritygroup", {}), {"id"}, "networkSecurityGroup"):
        return wrong
    place = rf"{_group_of(found)}/providers/Microsoft\.Network"
    guard = nic.get("networksecuritygroup", {}).get("id")
    if guard is not None and not _matched(rf"{place}/networkSecurityGroups/{NAME}", guard):
        return "a network security group of another place"
    if not _is_one(addresses := nic.get("ipconfigurations")):
        return "not one address"
    if wrong := keys(addresses[0], {"name", "properties"}, "the address"):
        return wrong
    address = addresses[0].get("properties")
    if wrong := keys(address, {"primary", "subnet"}, "the address"):
        return wrong
    if wrong := keys(address.get("subnet"), {"id"}, "subnet"):
        return wrong
    subnet = rf"{place}/virtualNetworks/{NETWORK}/subnets/slot-{found['slot']}"
    return "" if _matched(subnet, address["subnet"].get("id")) else "not on its slot's subnet"


def _diagnostics(_found: Found, node: Any) -> str:
    """Allow boot diagnostics that Azure itself keeps."""
    return "" if node == {"bootdiagnostics": {"enabled": True}} else "other diagnostics"


def _security(_found: Found, node: Any) -> str:
    if node is None:
        return ""
    if wrong := keys(node, {"securitytype", "uefisettings"}, "securityProfile"):
        return wrong
    if node.get("securitytype") != "TrustedLaunch":
        return "another security type than TrustedLaunch"
    return keys(node.get("uefisettings"), {"securebootenabled", "vtpmenabled"}, "uefiSettings")


def _capabilities(_found: Found, node: Any) -> str:
    """Allow ultra disks, which a machine that holds one has to be made for."""
    return "" if node in (None, {"ultrassdenabled": True}) else "other capabilities"


_PARTS: Mapping[str, Callable[[Found, Any], str]] = {
    "hardwareprofile": _hardware,
    "storageprofile": _storage,
    "networkprofile": _network,
    "diagnosticsprofile": _diagnostics,
    "securityprofile": _security,
    "additionalcapabilities": _capabilities,
}


def _check(found: Found, body: Any) -> str:
    """Allow a script with its time, that writes nowhere and is nobody in particular."""
    if wrong := keys(body, {"location", "properties"}, "the body"):
        return wrong
    if not _same(body.get("location"), found["location"]):
        return "the location is not the slot's"
    command = body.get("properties")
    if wrong := keys(command, {"source", "asyncexecution", "timeoutinseconds"}, "properties"):
        return wrong
    return keys(command.get("source"), {"script"}, "source")


def _group_of(found: Found) -> str:
    """Return a pattern of the id of the place's group, in the path's subscription and region."""
    return (
        rf"/subscriptions/{re.escape(found['subscription'])}"
        rf"/resourceGroups/{PREFIX}-{found['location']}"
    )


def _slot_of(found: Found) -> str:
    return f"{_group_of(found)}-{found['slot']}"


def _matched(pattern: str, text: Any) -> Found | None:
    if not isinstance(text, str):
        return None
    return re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII)


def _same(text: Any, wanted: str) -> bool:
    """Whether a text is the wanted one, without case; letters that only fold to it are not."""
    return isinstance(text, str) and _matched(re.escape(wanted), text) is not None


def _is_one(node: Any) -> bool:
    return isinstance(node, list) and len(node) == 1


def _deed(what: str, method: str, path: str, version: str, **more: Any) -> Deed:
    query = {"api-version": version} | more.pop("query", {})
    return Deed(what, Host.ARM, (method,), path, query, who=Identity.RESTORER, **more)


IN_SLOTS: tuple[Deed, ...] = (
    _deed(
        "ask whether a restore into a slot could work",
        "POST",
        rf"{VAULT}/backupTriggerValidateOperation",
        BACKUP,
        body=_validation,
    ),
    _deed(
        "restore a VM's disks into a slot",
        "POST",
        rf"{ITEM}/recoveryPoints/(?P<point>\d+)/restore",
        BACKUP,
        body=_restore,
    ),
    _deed("cancel a job", "POST", rf"{VAULT}/backupJobs/{_GUID}/cancel", BACKUP),
    _deed(
        "make a machine of disks in its slot, where none of its name is there",
        "PUT",
        _COPY,
        VIRTUAL_MACHINES,
        body=_new_copy,
        headers={"if-none-match": "*"},
    ),
    _deed(
        "look at the console of a machine in a slot",
        "POST",
        rf"{_MACHINE}/retrieveBootDiagnosticsData",
        VIRTUAL_MACHINES,
        query={"sasUriExpirationTimeInMinutes": r"[0-9]{1,2}"},
    ),
    _deed(
        "run a check on a machine in a slot",
        "PUT",
        rf"{_MACHINE}/runCommands/[a-z0-9_][a-z0-9_.-]*",
        RUN_COMMANDS,
        body=_check,
    ),
    _deed("stop a machine in a slot", "POST", rf"{_MACHINE}/deallocate", VIRTUAL_MACHINES),
    _deed("remove a machine of a slot", "DELETE", _MACHINE, VIRTUAL_MACHINES),
    _deed("remove a disk of a slot", "DELETE", rf"{_COMPUTE}/disks/{NAME}", DISKS),
    _deed(
        "remove an interface of a slot",
        "DELETE",
        rf"{_SLOT}/providers/Microsoft\.Network/networkInterfaces/{NAME}",
        NETWORK_INTERFACES,
    ),
    Deed(
        "remove what a restore left in a staging account",
        Host.STAGING,
        ("DELETE",),
        _RESTORED_TO,
        {"restype": "container", "timeout": r"[0-9]+"},
        who=Identity.RESTORER,
    ),
)
