"""
What Compute refuses when a machine is made or resized: sizes that cannot run it, or none left.

The texts are quoted in public; which of two refusals comes first is a guess.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from azsim.arm_ids import ArmId
from azsim.http import ArmError
from azsim.sizes import REGIONAL

if TYPE_CHECKING:
    from azsim.disks import Disk
    from azsim.machine import Machine
    from azsim.size_list import Size
    from azsim.sizes import Quota
    from azsim.world import World


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    A machine as a body asks for it. `disks` are all of it; `generation` is that of its system.

    `replaces` is the machine as it was, None for a new one; `controller` is "" where the body
    leaves the choice to Azure.
    """

    vm_id: str
    location: str
    size: str
    os_disk: "Disk"
    disks: tuple["Disk", ...]
    zones: tuple[str, ...] = ()
    security_type: str = ""
    generation: str = ""
    controller: str = ""
    ultra: bool = False
    replaces: "Machine | None" = None


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a machine is to be."""

    vm_id: str
    location: str
    zones: tuple[str, ...] = ()

    @property
    def subscription(self) -> str:
        return ArmId.parse(self.vm_id).subscription


# models size-unknown, size-checks-order
def check_size(world: "World", wanted: Wanted) -> None:
    """Raise what Compute says where the size does not fit, is not to be had, or not in quota."""
    old = wanted.replaces
    size = world.sizes.find(wanted.size)
    if size is None:
        if old is not None and old.size.lower() == wanted.size.lower():
            return
        raise ArmError(501, "SizeNotSimulated", f"azsim does not know the size {wanted.size}")
    _check_disks(size, wanted)
    if old is None:
        _check_system(size, wanted)
    if old is None or old.size.lower() != wanted.size.lower():
        place = Placing(wanted.vm_id, wanted.location, wanted.zones)
        check_offered(world, size, place)
        check_quotas(world, size, place, replaces=old)


def _check_disks(size: "Size", wanted: Wanted) -> None:
    # models size-data-disks
    if len(wanted.disks) > size.data_disks:
        raise ArmError(
            409,
            "OperationNotAllowed",
            "The maximum number of data disks allowed to be attached to a VM of this size is "
            f"{size.data_disks}.",
            target="dataDisks",
        )
    for disk in (wanted.os_disk, *wanted.disks):
        if disk.create_option != "Attach":
            continue  # azsim makes every new disk Premium; Azure asks what the size takes.
        # models size-premium
        if disk.sku.startswith("Premium") and not size.premium:
            kind = "osDisk" if disk is wanted.os_disk else "dataDisk"
            raise ArmError(
                400,
                "InvalidParameter",
                f"Requested operation cannot be performed because the VM size {size.name} does not "
                f"support the storage account type {disk.sku} of disk '{disk.name}'. Consider "
                "updating the VM to a size that supports Premium storage.",
                target=f"{kind}.managedDisk.storageAccountType",
            )
        # models size-ultra
        if disk.sku == "UltraSSD_LRS" and not wanted.ultra:
            raise ArmError(
                400,
                "InvalidParameter",
                "StorageAccountType UltraSSD_LRS can be used only when "
                "additionalCapabilities.ultraSSDEnabled is set.",
                target="managedDisk.storageAccountType",
            )


def _check_system(size: "Size", wanted: Wanted) -> None:
    # models size-generation
    if wanted.generation and wanted.generation not in size.generations.split(","):
        number = wanted.generation.removeprefix("V")
        raise ArmError(
            400,
            "BadRequest",
            f"The selected VM size '{size.name}' cannot boot Hypervisor Generation '{number}'. If "
            "this was a Create operation please check that the Hypervisor Generation of the Image "
            "matches the Hypervisor Generation of the selected VM Size. If this was an Update "
            f"operation please select a Hypervisor Generation '{number}' VM Size. For more "
            "information, see https://aka.ms/azuregen2vm",
        )
    # models size-trusted-launch
    if wanted.security_type == "TrustedLaunch" and not size.trusted_launch:
        raise ArmError(
            400,
            "BadRequest",
            f"The VM size '{size.name}' is not supported for creation of VMs and Virtual Machine "
            "Scale Set with 'TrustedLaunch' security type.",
        )
    if wanted.os_disk.create_option == "Attach":
        _check_system_disk(size, wanted)


def _check_system_disk(size: "Size", wanted: Wanted) -> None:
    able = wanted.os_disk.model.get("supportedCapabilities", {})
    # models size-architecture
    architecture = able.get("architecture", "x64")
    if architecture != size.architecture:
        raise ArmError(
            400,
            "BadRequest",
            f"Cannot create a VM of size '{size.name}' because this VM size only supports a CPU "
            f"Architecture of '{size.architecture}', but an image or disk with CPU Architecture "
            f"'{architecture}' was given. Please check that the CPU Architecture of the image or "
            "disk is compatible with that of the VM size.",
        )
    # models size-controllers
    query_skus = (
        "Please query sku api at https://aka.ms/azure-compute-skus  to determine supported "
    )
    if wanted.controller and wanted.controller.lower() not in size.boots_from:
        raise ArmError(
            400,
            "InvalidParameter",
            f"The VM size '{size.name}' cannot boot with DiskControllerType '{wanted.controller}'. "
            "Please check that the disk controller type provided is one of the supported disk "
            f"controller types for the VM size '{size.name}'. {query_skus}disk controller types "
            "for the VM size.",
            target="storageProfile.diskControllerType",
        )
    told = able.get("diskControllerTypes", "SCSI").split(",")
    if not size.boots_from & {name.strip().lower() for name in told}:
        raise ArmError(
            400,
            "InvalidParameter",
            f"The VM size '{size.name}' cannot boot with OS image or disk. Please check that disk "
            "controller types supported by the OS image or disk is one of the supported disk "
            f"controller types for the VM size '{size.name}'. {query_skus}disk controller types "
            "for the VM size.",
            target="vmSize",
        )


def check_offered(world: "World", size: "Size", place: Placing) -> None:
    """Raise ArmError `SkuNotAvailable` where the subscription cannot have the size there."""
    held = world.sizes.restrictions(place.subscription, place.location, size.name)
    barred = any(not one.zones or set(one.zones) & set(place.zones) for one in held)
    # models size-restricted
    if barred or not set(place.zones) <= set(world.sizes.zones(place.location)):
        raise ArmError(
            409,
            "SkuNotAvailable",
            f"The requested size for resource '{place.vm_id}' is currently not available in "
            f"location '{place.location}' zones '{','.join(place.zones)}' for subscription "
            f"'{place.subscription}'. Please try another size or deploy to a different location or "
            "zones. See https://aka.ms/azureskunotavailable for details.",
        )
    # models size-sold-out
    if world.sizes.is_sold_out(place.location, size.name):
        raise ArmError(
            409,
            "SkuNotAvailable",
            "The requested VM size for resource 'Following SKUs have failed for Capacity "
            f"Restrictions: {size.name}' is currently not available in location "
            f"'{place.location}'. Please try another size or deploy to a different location or "
            "different zone. See https://aka.ms/azureskunotavailable for details.",
        )


# models quota-exceeded
def check_quotas(
    world: "World", size: "Size", place: Placing, *, replaces: "Machine | None" = None
) -> None:
    """Raise ArmError `OperationNotAllowed` where a quota has no room for what is added."""
    before = world.sizes.find(replaces.size) if replaces else None
    given_back = before.vcpus if before else 0
    same_family = before is not None and before.family == size.family
    needed = {
        REGIONAL: size.vcpus - given_back,
        size.family: size.vcpus - (given_back if same_family else 0),
    }
    for line in world.sizes.usages(place.subscription, place.location):
        more = needed.get(line.name, 0)
        if more > 0 and line.used + more > line.limit:
            raise _quota_exceeded(place.subscription, place.location, line, more)


def _quota_exceeded(subscription: str, location: str, line: "Quota", more: int) -> ArmError:
    name, wanted = line.name, line.used + more
    asked = {
        "subscriptionId": subscription,
        "command": "openQuotaApprovalBlade",
        "quotas": [
            {
                "location": location,
                "providerId": "Microsoft.Compute",
                "resourceName": name,
                "quotaRequest": {
                    "properties": {"limit": wanted, "unit": "Count", "name": {"value": name}}
                },
            }
        ],
    }
    parameters = quote(json.dumps(asked, separators=(",", ":")), safe=":,[]")
    called = "Total Regional" if name == REGIONAL else name
    page = "regional" if name == REGIONAL else "per-vm"
    return ArmError(
        409,
        "OperationNotAllowed",
        f"Operation could not be completed as it results in exceeding approved {called} Cores "
        f"quota. Additional details - Deployment Model: Resource Manager, Location: {location}, "
        f"Current Limit: {line.limit}, Current Usage: {line.used}, Additional Required: {more}, "
        f"(Minimum) New Limit Required: {wanted}. Setup Alerts when Quota reaches threshold. Learn "
        "more at https://aka.ms/quotamonitoringalerting . Submit a request for Quota increase at "
        "https://aka.ms/ProdportalCRP/#blade/Microsoft_Azure_Capacity/UsageAndQuota.ReactView/"
        f"Parameters/{parameters} by specifying parameters listed in the \u2018Details\u2019 "
        "section for deployment to succeed. Please read more about quota limits at "
        f"https://docs.microsoft.com/en-us/azure/azure-supportability/{page}-quota-requests",
    )
