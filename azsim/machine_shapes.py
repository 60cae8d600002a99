"""
How a machine looks on the wire: the resource, its instance view, and Resource Graph's row.

Keys and their order follow the recorded answers of api-version 2024-07-01.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.extensions import handlers, resources, views
from azsim.guests import IMAGES
from azsim.networks import own_interface

if TYPE_CHECKING:
    from azsim.disks import Disk
    from azsim.machine import Machine

_GUEST_SETTINGS = {
    "Linux": (
        "linuxConfiguration",
        {
            "disablePasswordAuthentication": True,
            "provisionVMAgent": True,
            "patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"},
        },
    ),
    "Windows": (
        "windowsConfiguration",
        {
            "provisionVMAgent": True,
            "enableAutomaticUpdates": True,
            "patchSettings": {"patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault"},
        },
    ),
}
_POWER_WORDS = {
    "running": "VM running",
    "starting": "VM starting",
    "deallocated": "VM deallocated",
    "deallocating": "VM deallocating",
    "stopped": "VM stopped",
    "stopping": "VM stopping",
}
_PROVISIONING_WORDS = {
    "Succeeded": "Provisioning succeeded",
    "Failed": "Provisioning failed",
    "Creating": "Creating",
    "Updating": "Updating",
    "Deleting": "Deleting",
}
# models vm-etag, vm-etag-since
ETAGS_SINCE = datetime(2024, 7, 1, tzinfo=UTC)  # Machines of May 2024 have none, of August one.
# models agent-heartbeat
_AGENT_BEAT = timedelta(
    seconds=20
)  # The agent reports again and again; the age of its word: guess.


# models vm-shape
def resource(machine: "Machine", *, with_instance_view: bool = False) -> dict[str, Any]:
    """Shape the whole VM as a GET answers it."""
    shaped: dict[str, Any] = {
        "name": machine.name,
        "id": machine.id,
        "type": "Microsoft.Compute/virtualMachines",
        "location": machine.location,
        "tags": dict(machine.tags),
        "properties": properties(machine),
    }
    if machine.created >= ETAGS_SINCE:
        shaped["etag"] = f'"{machine.etag}"'
    if machine.zones:
        shaped["zones"] = list(machine.zones)
    if machine.identity:
        shaped["identity"] = machine.identity
    if machine.extensions:
        shaped["resources"] = resources(machine)
    if with_instance_view:
        shaped["properties"]["instanceView"] = instance_view(machine)
    return shaped


def properties(machine: "Machine") -> dict[str, Any]:
    kept = machine.model
    storage: dict[str, Any] = {
        "osDisk": _os_disk(machine.os_disk),
        "dataDisks": [_data_disk(disk) for disk in machine.disks],
    }
    if machine.os_disk.create_option == "FromImage":
        storage = {"imageReference": kept.get("imageReference", IMAGES[machine.os_type])} | storage
    shaped: dict[str, Any] = {
        "hardwareProfile": {"vmSize": machine.size},
        "provisioningState": machine.provisioning,
        "vmId": machine.vm_id,
        "storageProfile": storage,
    }
    if machine.os_disk.create_option == "FromImage":
        shaped["osProfile"] = kept.get("osProfile", _os_profile(machine))
    shaped["networkProfile"] = kept.get("networkProfile", _network_profile(machine))
    if machine.security_type and machine.security_type != "Standard":
        shaped["securityProfile"] = {
            "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
            "securityType": machine.security_type,
        }
    passed_on = set(kept) - {"imageReference", "osProfile", "networkProfile", "securityProfile"}
    shaped |= {key: kept[key] for key in sorted(passed_on)}
    if "securityProfile" in kept:
        shaped["securityProfile"] = kept["securityProfile"]
    shaped["timeCreated"] = compute_time(machine.created)
    return shaped


def instance_view(machine: "Machine") -> dict[str, Any]:
    """Shape the instance view; what the guest reports is there only while the guest speaks."""
    now = machine.world.clock.now()
    settled = compute_time(min(machine.settled_at, now))
    view: dict[str, Any] = {}
    if machine.agent_ready:
        view |= _system(machine)
    # models agent-of-stopped-vm
    if machine.power == "running":
        view["vmAgent"] = _agent(machine, now)
        if machine.agent_ready and machine.extensions:
            view["extensions"] = views(machine)
    # models maintenance-status
    if machine.maintenance:
        view["maintenanceRedeployStatus"] = machine.maintenance
    view["disks"] = [
        {
            "name": disk.name,
            "statuses": [_status("ProvisioningState/succeeded", "Provisioning succeeded", settled)],
        }
        for disk in (machine.os_disk, *machine.disks)
    ]
    if machine.model.get("diagnosticsProfile", {}).get("bootDiagnostics", {}).get("enabled"):
        view["bootDiagnostics"] = _boot_diagnostics(machine)
    state = machine.provisioning
    view["hyperVGeneration"] = machine.os_disk.hyper_v
    view["statuses"] = [
        _status(f"ProvisioningState/{state.lower()}", _PROVISIONING_WORDS[state], settled),
        _status(f"PowerState/{machine.power}", _POWER_WORDS[machine.power]),
    ]
    # models vm-failed-status
    if state == "Failed":
        view["statuses"][0] |= {
            "code": "ProvisioningState/failed/OSProvisioningTimedOut",
            "level": "Error",
            "message": "OS Provisioning for VM did not finish in the allotted time.",
        }
    return view


# models vm-graph-row
def graph_row(machine: "Machine") -> dict[str, Any]:
    """Shape Resource Graph's row: the resource, and what it extends it with."""
    shaped = properties(machine)
    power = machine.power
    state = {
        "code": f"PowerState/{power}",
        "level": "Info",
        "displayStatus": _POWER_WORDS[power],
    }
    extended: dict[str, Any] = {"powerState": state}
    if machine.agent_ready:
        extended |= _system(machine)
        extended["hyperVGeneration"] = machine.os_disk.hyper_v
    shaped["extended"] = {"instanceView": extended}
    return {
        "id": machine.id,
        "name": machine.name,
        "type": "microsoft.compute/virtualmachines",
        "tenantId": machine.world.tenant,
        "kind": "",
        "location": machine.location,
        "resourceGroup": machine.group.lower(),
        "subscriptionId": machine.subscription,
        "managedBy": "",
        "sku": None,
        "plan": machine.model.get("plan"),
        "properties": shaped,
        "tags": dict(machine.tags) or None,
        "identity": machine.identity,
        "zones": list(machine.zones) or None,
        "_born": machine.created,
        "_changed": machine.changed_at,
    }


def compute_time(when: datetime) -> str:
    """Write a time as Compute does: seven decimals and an offset (`…59.3632277+00:00`)."""
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond:06d}0+00:00"


def _agent(machine: "Machine", now: datetime) -> dict[str, Any]:
    if machine.agent_ready:
        beat = machine.agent_from + ((now - machine.agent_from) // _AGENT_BEAT) * _AGENT_BEAT
        status = {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "Guest Agent is running"
            if machine.os_type == "Linux"
            else "GuestAgent is running and processing the extensions.",
            "time": f"{beat:%Y-%m-%dT%H:%M:%S}+00:00",
        }
        # models extension-handlers
        said = {"vmAgentVersion": machine.guest.agent_version, "statuses": [status]}
        reported = list(handlers(machine))
        shown = reported or machine.os_type == "Linux"
        return said | ({"extensionHandlers": reported} if shown else {})
    status = {
        # models agent-not-up
        "code": "ProvisioningState/Unavailable",
        "level": "Warning",
        "displayStatus": "Not Ready",
        "message": "VM status blob is found but not yet populated.",
        "time": f"{now:%Y-%m-%dT%H:%M:%S}+00:00",
    }
    return {"vmAgentVersion": "Unknown", "statuses": [status]}


def _system(machine: "Machine") -> dict[str, str]:
    guest = machine.guest
    return {
        "computerName": machine.name,
        "osName": guest.os_name,
        "osVersion": guest.os_version,
    }


def _status(code: str, words: str, time: str | None = None) -> dict[str, str]:
    status = {"code": code, "level": "Info", "displayStatus": words}
    return status | {"time": time} if time else status


# models boot-diagnostics-view
def _boot_diagnostics(machine: "Machine") -> dict[str, Any]:
    """URIs only for a storage account of one's own: absent with managed storage (recorded)."""
    asked = machine.model["diagnosticsProfile"]["bootDiagnostics"]
    if not (account := asked.get("storageUri", "").rstrip("/")):
        return {}
    short = "".join(c for c in machine.name.lower() if c.isalnum())[:9]
    stem = f"{account}/bootdiagnostics-{short}-{machine.vm_id}/{machine.name}.{machine.vm_id}"
    return {
        "consoleScreenshotBlobUri": f"{stem}.screenshot.bmp",
        "serialConsoleLogBlobUri": f"{stem}.serialconsole.log",
    }


def _os_disk(disk: "Disk") -> dict[str, Any]:
    return {
        "osType": disk.os_type,
        **({"diffDiskSettings": {"option": "Local"}} if disk.ephemeral else {}),
        "name": disk.name,
        "createOption": disk.create_option,
        "caching": disk.caching,
        "managedDisk": {"storageAccountType": disk.sku, "id": disk.id},
        "deleteOption": disk.delete_option,
        "diskSizeGB": disk.size_gb,
    }


def _data_disk(disk: "Disk") -> dict[str, Any]:
    return {
        "lun": disk.lun,
        "name": disk.name,
        "createOption": disk.create_option,
        "caching": disk.caching,
        "managedDisk": {"storageAccountType": disk.sku, "id": disk.id},
        "deleteOption": disk.delete_option,
        "diskSizeGB": disk.size_gb,
        "toBeDetached": False,
    }


def _os_profile(machine: "Machine") -> dict[str, Any]:
    key, settings = _GUEST_SETTINGS[machine.os_type]
    return {
        "computerName": machine.name,
        "adminUsername": "azureuser",
        key: settings,
        "secrets": [],
        "allowExtensionOperations": True,
        "requireGuestProvisionSignal": True,
    }


def _network_profile(machine: "Machine") -> dict[str, Any]:
    return {"networkInterfaces": [{"id": own_interface(machine)}]}
