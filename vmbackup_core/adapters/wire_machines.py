"""
Virtual machines as ARM and Resource Graph write them.

Also says what about a machine Azure Backup cannot do, or only with an Enhanced policy, as far as
the machine itself shows it (AZURE: enable protection).
"""

from typing import Any

from vmbackup_core.adapters.wire import Json, at, entries, needed, place, tags, text
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags, VmFacts
from vmbackup_core.domain.ids import VmId

RESTORED_TAG = "RSVaultBackup"

MOST_DISKS = 32
LARGEST_DISK_GB = 32 * 1024
_ENHANCED_DISKS = {"UltraSSD_LRS": "an Ultra disk", "PremiumV2_LRS": "a Premium SSD v2 disk"}

_POWER = {
    "running": Power.RUNNING,
    "starting": Power.STARTING,
    "stopped": Power.STOPPED,
    "stopping": Power.RUNNING,
    "deallocated": Power.DEALLOCATED,
    "deallocating": Power.RUNNING,
}


def parse_vm(body: Json, restored_by: str = "") -> VmFacts:
    """
    Read a VM as `GET …/virtualMachines/{name}?$expand=instanceView` answers it.

    `restored_by` is the restored-disk tag of its OS disk, which only the disk itself tells.
    """
    view = at(body, "properties", "instanceView")
    codes = [text(status, "code").lower() for status in entries(view, "statuses")]
    power = next((c.partition("/")[2] for c in codes if c.startswith("powerstate/")), "")
    return _vm(body, power=power, agent=_agent(view), restored_by=restored_by)


def parse_vm_row(row: Json, restored_by: str = "") -> VmFacts:
    """Read a VM as a row of Resource Graph has it, which never tells of the agent."""
    state = text(row, "properties", "extended", "instanceView", "powerState", "code")
    return _vm(
        row,
        power=state.lower().partition("/")[2],
        agent=Agent.UNKNOWN,
        restored_by=restored_by,
    )


def attached_os_disk(body: Json) -> str:
    """Return the id of the OS disk where the VM was made from an existing disk, else ""."""
    disk = at(body, "properties", "storageProfile", "osDisk")
    attached = text(disk, "createOption").lower() == "attach"
    return text(disk, "managedDisk", "id") if attached else ""


def restored_by(disk: Json) -> str:
    """Return the restore job that made a disk, by the tag that the service gives it, else ""."""
    return Tags.of(tags(disk)).get(RESTORED_TAG) or ""


def _vm(body: Json, **seen: Any) -> VmFacts:
    properties = at(body, "properties")
    provisioning = text(properties, "provisioningState").lower()
    known = {state.value for state in Provisioning}
    return VmFacts(
        id=VmId.parse(needed(body, "id")),
        machine=text(properties, "vmId").lower(),
        name=needed(body, "name"),
        location=place(needed(body, "location")),
        tags=Tags.of(tags(body)),
        provisioning=Provisioning(provisioning if provisioning in known else "unknown"),
        power=_POWER.get(seen["power"], Power.UNKNOWN),
        agent=seen["agent"],
        unsupported=_unsupported(properties),
        needs_enhanced=_needs_enhanced(properties),
        restored_by=seen["restored_by"],
        size=text(properties, "hardwareProfile", "vmSize"),
        disk_gb=_disk_gb(at(properties, "storageProfile")),
    )


def _disk_gb(storage: Json) -> int | None:
    """Return the sum of all disks, None where one of them does not say its size."""
    disks = (at(storage, "osDisk"), *entries(storage, "dataDisks"))
    sizes = [at(disk, "diskSizeGB") for disk in disks]
    known = [size for size in sizes if isinstance(size, int)]
    return sum(known) if len(known) == len(sizes) else None


def _agent(view: Json) -> Agent:
    """Ready is a status's display text; no agent at all is what a stopped machine shows."""
    statuses = entries(view, "vmAgent", "statuses")
    if not statuses:
        return Agent.UNKNOWN
    ready = any(text(status, "displayStatus").lower() == "ready" for status in statuses)
    return Agent.READY if ready else Agent.NOT_READY


def _unsupported(properties: Json) -> str:
    storage = at(properties, "storageProfile")
    disks = entries(storage, "dataDisks")
    if text(storage, "osDisk", "diffDiskSettings", "option").lower() == "local":
        return "its OS disk is ephemeral"
    if len(disks) > MOST_DISKS:
        return f"it has {len(disks)} data disks, of which Azure Backup takes {MOST_DISKS}"
    for disk in (at(storage, "osDisk"), *disks):
        size = at(disk, "diskSizeGB")
        if isinstance(size, int) and size > LARGEST_DISK_GB:
            return f"disk {text(disk, 'name')} has {size} GB, of which Azure Backup takes 32 TB"
    return ""


def _needs_enhanced(properties: Json) -> str:
    if text(properties, "securityProfile", "securityType").lower() == "confidentialvm":
        return "it is a confidential VM"
    storage = at(properties, "storageProfile")
    for disk in (at(storage, "osDisk"), *entries(storage, "dataDisks")):
        kind = text(disk, "managedDisk", "storageAccountType")
        if kind in _ENHANCED_DISKS:
            return f"it has {_ENHANCED_DISKS[kind]} ({text(disk, 'name')})"
    return ""
