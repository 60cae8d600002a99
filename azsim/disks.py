"""Managed disks: what a machine boots from, what a restore leaves behind."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id

if TYPE_CHECKING:
    from azsim.world import World

KIND = "Microsoft.Compute/disks"


@dataclass(slots=True)
class Disk:
    """
    A managed disk. `lun` is None for an OS disk or one that is not attached; `managed_by` is the
    id of the machine that holds it. `ephemeral` stands for an OS disk on the host's own storage
    (specs: DiffDiskSettings). `model` keeps properties azsim stores but does not interpret.
    """

    id: str
    location: str
    created: datetime
    size_gb: int = 30
    sku: str = "Premium_LRS"
    os_type: str = ""
    lun: int | None = None
    managed_by: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    create_option: str = "FromImage"
    delete_option: str = "Detach"
    caching: str = "ReadWrite"
    hyper_v: str = "V2"
    security_type: str = ""
    ephemeral: bool = False
    model: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def group(self) -> str:
        return ArmId.parse(self.id).group

    @property
    def subscription(self) -> str:
        return ArmId.parse(self.id).subscription

    @property
    def state(self) -> str:
        return "Attached" if self.managed_by else "Unattached"


# models disk-names
def disk_name(vm: str, vm_id: str, index: int) -> str:
    """Name disk `index` as Compute does: `{vm}_OsDisk_1_{32 hex}`, `{vm}_disk2_{32 hex}`."""
    part = "OsDisk_1" if index == 0 else f"disk{index + 1}"
    return f"{vm}_{part}_{hashlib.md5(vm_id.encode()).hexdigest()}"


class Disks:
    """Every managed disk of the world, found by id without regard to case."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.version = 0
        self._disks: dict[str, Disk] = {}

    def create(
        self,
        *,
        subscription: str,
        group: str,
        name: str,
        location: str,
        tags: Mapping[str, str] | None = None,
        size_gb: int = 30,
        sku: str = "Premium_LRS",
        os_type: str = "",
        create_option: str = "Empty",
    ) -> Disk:
        """Create a disk that no machine holds (a restore's, for one)."""
        subscription = self.world.groups.ensure(subscription, group, location).subscription
        disk = Disk(
            resource_id(subscription, group, KIND, name),
            location,
            self.world.clock.now(),
            size_gb,
            sku,
            os_type,
            tags=dict(tags or {}),
            create_option=create_option,
        )
        return self.add(disk)

    def add(self, disk: Disk) -> Disk:
        self._disks[disk.id.lower()] = disk
        self.version += 1
        return disk

    def find(self, disk_id: str) -> Disk | None:
        return self._disks.get(disk_id.lower())

    def delete(self, disk_id: str) -> None:
        """Remove a disk; one that is not there stays not there."""
        if self._disks.pop(disk_id.lower(), None) is not None:
            self.version += 1

    def in_subscription(self, subscription: str) -> list[Disk]:
        prefix = f"/subscriptions/{subscription}/".lower()
        return [disk for key, disk in self._disks.items() if key.startswith(prefix)]

    def rename(self, disk: Disk, new_id: str) -> None:
        """Give a disk another id (a move to another group)."""
        self._disks.pop(disk.id.lower(), None)
        disk.id = new_id
        self.add(disk)

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """Yield Resource Graph's rows of `microsoft.compute/disks`."""
        tenant = self.world.tenant
        for disk in self._disks.values():
            parts = ArmId.parse(disk.id)
            yield {
                "id": disk.id,
                "name": parts.name,
                "type": "microsoft.compute/disks",
                "tenantId": tenant,
                "kind": "",
                "location": disk.location,
                "resourceGroup": parts.group.lower(),
                "subscriptionId": parts.subscription,
                "managedBy": disk.managed_by,
                "sku": {"name": disk.sku, "tier": disk.sku.split("_")[0]},
                "plan": None,
                "properties": disk_properties(disk),
                "tags": dict(disk.tags) or None,
                "identity": None,
                "zones": list(disk.zones) or None,
            }


# models disk-shape
def disk_properties(disk: Disk) -> dict[str, Any]:
    """Shape `properties` of a disk as DiskRP does (specs DiskRP 2024-03-02, Disk_Get)."""
    shaped: dict[str, Any] = {
        "creationData": {"createOption": disk.create_option},
        "diskSizeGB": disk.size_gb,
        "diskSizeBytes": disk.size_gb * 1024**3,
        "diskState": disk.state,
        "provisioningState": "Succeeded",
        "timeCreated": disk.created.isoformat(),
        "uniqueId": hashlib.md5(disk.id.lower().encode()).hexdigest(),
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
    } | disk.model
    if disk.os_type:
        shaped |= {"osType": disk.os_type, "hyperVGeneration": disk.hyper_v}
    if disk.security_type:
        shaped["securityProfile"] = {"securityType": disk.security_type}
    return shaped
