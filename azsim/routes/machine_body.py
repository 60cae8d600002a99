"""
Reads what a client writes about a machine: the body of a PUT or PATCH, as Compute checks it.

What azsim interprets is taken apart; what it only keeps and shows again is passed on; a property
that is in neither list answers 501, so that no client believes it had an effect.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from azsim.arm_ids import ArmId, resource_id
from azsim.disks import KIND as DISKS
from azsim.disks import Disk, Disks, disk_name
from azsim.http import ArmError, json_object
from azsim.interfaces import NIC
from azsim.machine import KIND as MACHINE
from azsim.networks import own_interface
from azsim.router import Call
from azsim.routes.network_async import must_be_there
from azsim.subnets import check_room

_READ_ONLY = {"provisioningState", "vmId", "instanceView", "timeCreated"}
_INTERPRETED = {
    "hardwareProfile",
    "storageProfile",
    "securityProfile",
    "networkProfile",
    "osProfile",
}
_KEPT = {
    "additionalCapabilities",
    "applicationProfile",
    "availabilitySet",
    "billingProfile",
    "capacityReservation",
    "diagnosticsProfile",
    "evictionPolicy",
    "extensionsTimeBudget",
    "licenseType",
    "platformFaultDomain",
    "priority",
    "proximityPlacementGroup",
    "scheduledEventsPolicy",
    "scheduledEventsProfile",
}
_SECRETS = {"adminPassword", "customData"}


@dataclass(frozen=True, slots=True)
class NicWanted:
    """An interface that is to be made with the machine; without a subnet nothing is made."""

    name: str
    subnet_id: str
    configuration: str
    security_group: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a body says. A field is None where the body is silent about it."""

    location: str | None
    tags: dict[str, str] | None
    zones: tuple[str, ...] | None
    identity: dict[str, Any] | None
    size: str | None
    security_type: str | None
    storage: dict[str, Any] | None
    kept: dict[str, Any]
    nics: tuple[NicWanted, ...] = ()


def read(call: Call) -> Written:
    """Take the request's body apart; raises ArmError 400 and 501."""
    body = json_object(call.request.json)
    properties = json_object(body.get("properties"))
    if unknown := set(properties) - _READ_ONLY - _INTERPRETED - _KEPT:
        raise ArmError(501, "FieldNotSimulated", f"azsim does not know {sorted(unknown)} of a VM")
    kept = {key: properties[key] for key in _KEPT & set(properties)}
    nics: tuple[NicWanted, ...] = ()
    if "osProfile" in properties:
        kept["osProfile"] = _os_profile(json_object(properties["osProfile"]))
    if "networkProfile" in properties:
        network = json_object(properties["networkProfile"])
        if not _is_as_it_was(call, network):
            kept["networkProfile"], nics = _network(call, network)
    security = json_object(properties.get("securityProfile"))
    if security:
        kept["securityProfile"] = security
    storage = properties.get("storageProfile")
    if storage and storage.get("imageReference"):
        kept["imageReference"] = _image(storage["imageReference"])
    if body.get("plan"):
        kept["plan"] = body["plan"]
    zones, tags = body.get("zones"), body.get("tags")
    return Written(
        location=body.get("location"),
        tags=None if tags is None else {str(key): str(value) for key, value in tags.items()},
        zones=None if zones is None else tuple(zones),
        identity=_identity(call, body.get("identity")),
        size=json_object(properties.get("hardwareProfile")).get("vmSize"),
        security_type=security.get("securityType"),
        storage=storage,
        kept=kept,
        nics=nics,
    )


def os_disk(call: Call, written: Written, vm_id: str) -> Disk:
    """Return the OS disk of a new machine: made from the image, or the one to attach."""
    asked = json_object(json_object(written.storage).get("osDisk"))
    match str(asked.get("createOption", "")).lower():
        case "fromimage":
            image = written.kept.get("imageReference")
            if not image:
                raise _missing("storageProfile.imageReference")
            system = asked.get("osType") or _system_of(image)
            disk = _new_disk(call, written, vm_id, 0, asked)
            disk.os_type, disk.create_option = system, "FromImage"
            disk.size_gb = asked.get("diskSizeGB") or (127 if system == "Windows" else 30)
            disk.security_type = written.security_type or ""
        case "attach":
            # models attach-no-profile
            for name in ("osProfile", "imageReference"):
                if name in written.kept:
                    raise ArmError(400, "InvalidParameter", f"Parameter '{name}' is not allowed.")
            disk = _attached(call, asked)
            _check_security(disk, written)
            disk.os_type = asked.get("osType") or disk.os_type
            if not disk.os_type:
                raise _missing("osDisk.osType")
        case "":
            raise _missing("osDisk")
        case other:
            raise ArmError(501, "FieldNotSimulated", f"azsim does not know createOption {other!r}")
    return disk


def data_disks(call: Call, written: Written, vm_id: str, present: list[Disk]) -> list[Disk]:
    """Return the data disks that the body asks for: those that are there, new and attached ones."""
    asked_for = json_object(written.storage).get("dataDisks")
    if asked_for is None:
        return present
    by_id = {disk.id.lower(): disk for disk in present}
    by_lun = {disk.lun: disk for disk in present}
    result = []
    for asked in asked_for:
        lun = asked.get("lun")
        if lun is None:
            raise _missing("dataDisk.lun")
        managed = json_object(asked.get("managedDisk")).get("id", "").lower()
        disk = by_id.get(managed) if managed else by_lun.get(lun)
        if disk is None and str(asked.get("createOption", "")).lower() == "attach":
            disk = _attached(call, asked)
        elif disk is None:
            disk = _new_disk(call, written, vm_id, lun + 1, asked)
            disk.create_option = asked.get("createOption", "Empty")
            disk.size_gb = asked.get("diskSizeGB") or 64
        disk.lun = lun
        _apply(disk, asked)
        result.append(disk)
    return result


def _new_disk(call: Call, written: Written, vm_id: str, index: int, asked: dict[str, Any]) -> Disk:
    sub, group = call["subscription"], call.world.groups.get(call["subscription"], call["group"])
    name = asked.get("name") or disk_name(call["machine"], vm_id, index)
    disk = Disk(
        resource_id(sub, group.name, DISKS, name),
        (written.location or "").replace(" ", "").lower(),
        call.world.clock.now(),
        zones=written.zones or (),
    )
    _apply(disk, asked)
    return disk


def _apply(disk: Disk, asked: dict[str, Any]) -> None:
    disk.caching = asked.get("caching") or disk.caching
    disk.delete_option = asked.get("deleteOption") or disk.delete_option
    disk.sku = json_object(asked.get("managedDisk")).get("storageAccountType") or disk.sku


# models disk-attach-taken
def _attached(call: Call, asked: dict[str, Any]) -> Disk:
    disks: Disks = call.world.machines.disks
    disk_id = json_object(asked.get("managedDisk")).get("id", "")
    disk = disks.find(disk_id)
    if disk is None:
        raise ArmError(404, "NotFound", f"Disk {ArmId.parse(disk_id).name} is not found.")
    if disk.managed_by:
        raise ArmError(
            409,
            "ConflictingUserInput",
            f"Disk '{disk.id}' cannot be attached as the disk is already owned by VM "
            f"'{disk.managed_by}'.",
        )
    disk.born = disk.born or disk.create_option
    disk.create_option = "Attach"
    _apply(disk, asked)
    return disk


# models attach-security-type
def _check_security(disk: Disk, written: Written) -> None:
    """Refuse a machine of another security type than its system's disk (public issues)."""
    if disk.security_type not in ("", "Standard", written.security_type or ""):
        raise ArmError(
            400,
            "BadRequest",
            "Security type of VM is not compatible with the security type of attached OS Disk.",
        )


def _is_as_it_was(call: Call, asked: dict[str, Any]) -> bool:
    """Whether a client that PUTs what it GOT says again the interface which nobody named."""
    vm_id = resource_id(call["subscription"], call["group"], MACHINE, call["machine"])
    machine = call.world.machines.find(vm_id)
    if machine is None or "networkProfile" in machine.model:
        return False
    named = [str(nic.get("id")).lower() for nic in asked.get("networkInterfaces") or ()]
    return named == [own_interface(machine).lower()]


# models nic-names
def _network(call: Call, asked: dict[str, Any]) -> tuple[dict[str, Any], tuple[NicWanted, ...]]:
    """Name the interfaces that Compute would make from configurations (names: a guess)."""
    configurations = asked.get("networkInterfaceConfigurations")
    if not configurations:
        return asked, ()
    if not asked.get("networkApiVersion"):
        raise _missing("networkApiVersion")
    made, nics = [], []
    for configuration in configurations:
        name = f"{configuration['name']}-{call.world.new_id()[:8]}"
        wanted = json_object(configuration.get("properties"))
        shown = {key: wanted[key] for key in ("primary", "deleteOption") if key in wanted}
        made.append(
            {"id": resource_id(call["subscription"], call["group"], NIC, name), "properties": shown}
        )
        nics.append(_nic_wanted(name, wanted))
    return {"networkInterfaces": made}, tuple(nics)


def _nic_wanted(name: str, wanted: dict[str, Any]) -> NicWanted:
    addresses = wanted.get("ipConfigurations") or [{"name": "ipconfig"}]
    properties = json_object(addresses[0].get("properties"))
    if properties.get("publicIPAddressConfiguration"):
        raise ArmError(501, "FieldNotSimulated", "azsim has no public addresses")
    return NicWanted(
        name,
        str(json_object(properties.get("subnet")).get("id", "")),
        str(addresses[0].get("name")),
        str(json_object(wanted.get("networkSecurityGroup")).get("id", "")),
    )


# models nic-of-configuration
def make_interfaces(call: Call, written: Written) -> None:
    """Make the interfaces that the body configures."""
    group = call.world.groups.get(call["subscription"], call["group"])
    for nic in written.nics:
        if nic.subnet_id:
            call.world.networks.interfaces.create(
                group.subscription,
                group.name,
                nic.name,
                (written.location or "").replace(" ", "").lower(),
                nic.subnet_id,
                configuration=nic.configuration,
                security_group=nic.security_group,
            )


# models subnet-missing, subnet-full-at-once
def check_subnets(call: Call, written: Written) -> None:
    """Refuse a subnet or guard that is not there, and more interfaces than a subnet has room."""
    networks = call.world.networks
    wanted = Counter(nic.subnet_id.lower() for nic in written.nics if nic.subnet_id)
    for nic in written.nics:
        if nic.subnet_id:
            must_be_there(call, found := networks.subnet(nic.subnet_id), nic.subnet_id)
            if found is not None:
                check_room(networks, *found, wanted[nic.subnet_id.lower()])
        if nic.security_group:
            must_be_there(call, networks.parts.find(nic.security_group), nic.security_group)


def _os_profile(asked: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in asked.items() if key not in _SECRETS}
    return {"secrets": [], "allowExtensionOperations": True} | shown


def _image(reference: dict[str, Any]) -> dict[str, Any]:
    if reference.get("version") != "latest":
        return reference
    return reference | {"exactVersion": reference.get("exactVersion", "1.0.20260101")}


def _system_of(image: dict[str, Any]) -> str:
    return "Windows" if "windows" in str(image.get("offer", image)).lower() else "Linux"


def _identity(call: Call, asked: dict[str, Any] | None) -> dict[str, Any] | None:
    if asked is None or "SystemAssigned" not in str(asked.get("type", "")):
        return asked
    return asked | {
        "principalId": asked.get("principalId") or call.world.new_id(),
        "tenantId": call.world.tenant,
    }


def _missing(what: str) -> ArmError:
    return ArmError(400, "InvalidParameter", f"Required parameter '{what}' is missing (null).")
