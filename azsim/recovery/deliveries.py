"""
What restores leave in Azure: disks, blobs in the staging account, and new machines.

Disks are there once their data is copied, and stay when the machine that should be made of them
fails (FAQ of backup-azure-vm). Names, tags and origins of disks and the names of interfaces follow
public exports of estates that were restored; the property bag of the job names the blobs.
"""

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.disks import KIND as DISKS
from azsim.disks import Disk
from azsim.groups import RESOURCES_WRITE
from azsim.machine import KIND as MACHINES
from azsim.machine import Machine
from azsim.recovery.errors import RESTORE_INVALID
from azsim.recovery.items import PointTier
from azsim.recovery.jobs import Failure, JobStatus
from azsim.recovery.pictures import KeptDisk
from azsim.recovery.recipes import configuration, template
from azsim.recovery.restores import Restore, RestoreKind
from azsim.recovery.targets import fault_of_target, staging_account
from azsim.recovery.validations import fault_of_size

if TYPE_CHECKING:
    from azsim.world import World

# models restored-disk-tag
TAG = "RSVaultBackup"
# models new-vm-tags
MOST_TAGS = 50
_ACCESS = {
    "EnablePrivateAccessForAllDisks": ("AllowPrivate", "Disabled"),
    "EnablePublicAccessForAllDisks": ("AllowAll", "Enabled"),
}


class Deliveries:
    """Carries restores out in the world's estate."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def copied(self, restore: Restore) -> None:
        """
        Leave what is there once the data is copied; begin the machine where one is asked for.

        Where the target has gone in the meantime, the job fails at its end and leaves nothing.
        """
        # models restore-target-lost
        if why := fault_of_target(self._world, restore.item, restore.request):
            restore.job.result = JobStatus.FAILED
            restore.job.failure = Failure(RESTORE_INVALID.code, why)
            return
        match restore.kind:
            case RestoreKind.DISKS:
                self._leave_disks(restore)
            case RestoreKind.NEW_VM:
                self._begin_machine(restore)

    def _leave_disks(self, restore: Restore) -> None:
        """Leave managed disks, or blobs where no group was named, and the two recipes."""
        os_disk: Disk | None = None
        disks: list[Disk] = []
        loose: list[str] = []
        made_of = [restore.point.picture.os_disk, *_asked_for(restore)]
        name = restore.item.machine
        if restore.request.get("targetResourceGroupId"):
            os_disk, *disks = self._disks(restore, name, made_of)
        else:
            # models restore-vhds
            loose = [f"{_disk_name(name, restore, n)}.vhd" for n, _ in enumerate(made_of)]
        self._write_blobs(restore, os_disk, disks, loose)

    def _disks(self, restore: Restore, vm: str, made_of: list[KeptDisk]) -> list[Disk]:
        target = ArmId.parse(str(restore.request["targetResourceGroupId"]))
        group = self._world.groups.get(target.subscription, target.group)
        made = []
        for number, kept in enumerate(made_of):
            name = _disk_name(vm, restore, number)
            disk = Disk(
                resource_id(group.subscription, group.name, DISKS, name),
                restore.item.location,
                self._world.clock.now(),
                # models restored-disk-shape
                size_gb=kept.size_gb,
                sku=kept.sku,
                os_type=kept.os_type,
                lun=None,
                tags=_tags(kept, restore),
                zones=_zones(kept.zones, restore.request),
                create_option="Attach",
                caching=kept.caching,
                hyper_v=kept.hyper_v,
                security_type=kept.security_type,
                guest=None if number else restore.point.picture.guest,
                # models restored-disk-import
                born="Restore" if restore.tier is PointTier.INSTANT else "Import",
                born_of=_origin(restore, kept) if restore.tier is PointTier.INSTANT else "",
                model=_model(kept, restore.request),
            )
            made.append(self._world.machines.disks.add(disk))
            self._world.events.publish(
                disk.subscription, RESOURCES_WRITE, disk.id, f"{DISKS}/write"
            )
        return made

    def _write_blobs(
        self, restore: Restore, os_disk: Disk | None, disks: list[Disk], loose: list[str]
    ) -> None:
        """Write configuration, template and VHDs; the latter are empty here, and block blobs."""
        account = staging_account(restore.request).rsplit("/", 1)[-1]
        if not self._world.storage.has_account(account):
            return
        bag, now = restore.job.final_properties, self._world.clock.now()
        place = self._world.storage.account(account)
        container = place.containers.ensure(bag["Config Blob Container Name"], now)
        picture = replace(restore.point.picture, disks=tuple(_asked_for(restore)))
        attached = [
            replace(disk, lun=kept.lun) for disk, kept in zip(disks, picture.disks, strict=False)
        ]
        # models restore-blobs
        container.write(bag["Config Blob Name"], configuration(picture, os_disk, attached), now)
        container.write(
            f"azuredeploy{restore.job.id}.json", template(picture, os_disk, attached), now
        )
        for name in loose:
            container.write(name, b"", now)

    def _begin_machine(self, restore: Restore) -> None:
        """Make the disks and, where that is to succeed, the machine, running when the job ends."""
        request, picture = restore.request, restore.point.picture
        target = ArmId.parse(str(request["targetVirtualMachineId"]))
        kept_disks = _asked_for(restore)
        os_disk, *disks = self._disks(restore, target.name, [picture.os_disk, *kept_disks])
        world = self._world
        if restore.job.failure is None and (
            fault := fault_of_size(
                world, restore.point, {"region": restore.item.location} | request
            )
        ):
            restore.job.result, restore.job.failure = JobStatus.FAILED, fault
        # models restored-disks-stay
        if restore.job.failure is not None:
            return
        group = world.groups.get(target.subscription, target.group)
        nic = world.networks.interfaces.create(
            group.subscription,
            group.name,
            # models new-vm-nic-name
            f"{target.name}-nic-{world.new_id().replace('-', '')}",
            restore.item.location,
            str(request["subnetId"]),
        )
        for disk, kept in zip(disks, kept_disks, strict=True):
            disk.lun = kept.lun
        machine = Machine(
            world=world,
            id=resource_id(group.subscription, group.name, MACHINES, target.name),
            vm_id=world.new_id(),
            location=restore.item.location,
            tags=dict(list(picture.tags.items())[:MOST_TAGS]),
            size=picture.size,
            os_type=picture.os_type,
            security_type=picture.security_type,
            created=world.clock.now(),
            os_disk=os_disk,
            disks=disks,
            agent_after=picture.guest.agent_after(world.machines.operations.span("agent")),
            guest=picture.guest,
            zones=_zones(picture.zones, request),
            model={
                **picture.model,
                "networkProfile": {
                    "networkInterfaces": [{"id": nic.id, "properties": {"primary": True}}]
                },
            },
        )
        # models new-vm-runs
        machine.begin("Creating", restore.job.ends)
        world.machines.add(machine)


# models restored-disk-luns
def _asked_for(restore: Restore) -> list[KeptDisk]:
    """Return the data disks of the point that the request wants: all, or those at its LUNs."""
    listed = restore.request.get("restoreDiskLunList")
    disks = restore.point.picture.disks
    return [disk for disk in disks if listed is None or disk.lun in listed]


# models restored-disk-names
def _disk_name(vm: str, restore: Restore, number: int) -> str:
    """Name disk `number`, 0 for the OS disk: `web01-osdisk-20260302-081500`, `…-datadisk-000-…`."""
    stem = vm.replace("-", "").lower()
    part = "osdisk" if number == 0 else f"datadisk-{number - 1:03}"
    return f"{stem}-{part}-{restore.job.started:%Y%m%d-%H%M%S}"


# models restored-disk-source-tags
def _tags(kept: KeptDisk, restore: Restore) -> dict[str, str]:
    own = list(kept.tags.items())[: MOST_TAGS - 1]
    return {**dict(own), TAG: restore.job.id}


# models restored-disk-zones
def _zones(kept: tuple[str, ...], request: dict[str, Any]) -> tuple[str, ...]:
    asked = request.get("zones")
    if not asked:
        return kept
    return tuple(zone for zone in asked if zone != "NoZone")


# models restored-disk-access
def _model(kept: KeptDisk, request: dict[str, Any]) -> dict[str, Any]:
    """Keep the source's encryption and plan, but for what the request asks otherwise."""
    model = dict(kept.model)
    if key_set := request.get("diskEncryptionSetId"):
        model["encryption"] = {
            "type": "EncryptionAtRestWithCustomerKey",
            "diskEncryptionSetId": key_set,
        }
    access = request.get("targetDiskNetworkAccessSettings") or {}
    if told := _ACCESS.get(str(access.get("targetDiskNetworkAccessOption"))):
        model |= {"networkAccessPolicy": told[0], "publicNetworkAccess": told[1]}
        if told[0] == "AllowPrivate":
            model["diskAccessId"] = access.get("targetDiskAccessId")
    return model


# models restored-disk-origin
def _origin(restore: Restore, kept: KeptDisk) -> str:
    """Return the id of the snapshot that a disk was made from (form: public exports)."""
    item, taken = restore.item, restore.point.taken
    collection = (
        f"{ArmId.parse(item.vm_id).subscription}/resourceGroups/AzureBackupRG_{item.location}_1"
        f"/providers/Microsoft.Compute/restorePointCollections"
        f"/AzureBackup_{item.machine}_{item.data_id}"
    )
    digits = hashlib.md5(f"{restore.point.id} {kept.name}".encode()).hexdigest()
    guid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return (
        f"/subscriptions/{collection}/restorePoints/AzureBackup_{taken:%Y%m%d_%H%M%S}"
        f"/disks/{kept.name}?id={guid}"
    )
