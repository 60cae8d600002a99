"""
What a recovery point knows of its machine: the machine as it was when the backup was taken.

A restore is made from this and never from today's machine, which may be resized, changed or gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from azsim.guests import Guest

if TYPE_CHECKING:
    from azsim.disks import Disk
    from azsim.machine import Machine

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_OF_THE_MACHINE = ("licenseType", "plan", "securityProfile", "diagnosticsProfile")
_OF_A_DISK = ("encryption", "encryptionSettingsCollection", "purchasePlan", "supportedCapabilities")


@dataclass(frozen=True, slots=True)
class KeptDisk:
    """One disk as a point holds it; `lun` is None for the OS disk."""

    name: str
    lun: int | None
    size_gb: int
    sku: str
    caching: str
    os_type: str = ""
    hyper_v: str = "V2"
    security_type: str = ""
    zones: tuple[str, ...] = ()
    tags: Mapping[str, str] = _NOTHING
    model: Mapping[str, Any] = _NOTHING


@dataclass(frozen=True, slots=True)
class Picture:
    """One machine as a point holds it; excluded disks are not in it."""

    name: str
    size: str
    os_type: str
    security_type: str
    zones: tuple[str, ...]
    tags: Mapping[str, str]
    guest: Guest
    os_disk: KeptDisk
    disks: tuple[KeptDisk, ...]
    model: Mapping[str, Any] = _NOTHING

    @property
    def gigabytes(self) -> int:
        return self.os_disk.size_gb + sum(disk.size_gb for disk in self.disks)


# models restore-of-the-point
def picture_of(machine: "Machine", luns: tuple[int, ...], taken: datetime) -> Picture:
    """Take a picture of the machine with its OS disk and the data disks at `luns`."""
    return Picture(
        name=machine.name,
        size=machine.size,
        os_type=machine.os_type,
        security_type=machine.security_type,
        zones=machine.zones,
        tags=dict(machine.tags),
        guest=replace(machine.guest, kept_at=taken),
        os_disk=_kept(machine.os_disk),
        disks=tuple(_kept(disk) for disk in machine.disks if disk.lun in luns),
        model={key: machine.model[key] for key in _OF_THE_MACHINE if key in machine.model},
    )


def _kept(disk: "Disk") -> KeptDisk:
    return KeptDisk(
        name=disk.name,
        lun=disk.lun,
        size_gb=disk.size_gb,
        sku=disk.sku,
        caching=disk.caching,
        os_type=disk.os_type,
        hyper_v=disk.hyper_v,
        security_type=disk.security_type,
        zones=disk.zones,
        tags=dict(disk.tags),
        model={key: disk.model[key] for key in _OF_A_DISK if key in disk.model},
    )
