"""
The blobs that a restore of disks leaves: the machine's configuration, and a template to deploy it.

Documented (backup-azure-vms-automation): the configuration is UTF-16 and may end in NULs, with keys
such as `properties.hardwareProfile`. A public script shows the template's parameters. What else
stands in either is guessed.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azsim.disks import Disk
    from azsim.recovery.pictures import Picture

_SCHEMA = "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#"
_PARAMETERS = (
    "virtualMachineName",
    "virtualNetwork",
    "virtualNetworkResourceGroup",
    "subnet",
    "osDiskName",
    "networkInterfacePrefixName",
    "publicIpAddressName",
)


# models restore-config
def configuration(picture: "Picture", os_disk: "Disk | None", disks: "Sequence[Disk]") -> bytes:
    """Write the configuration of the machine at the recovery point, with the disks made of it."""
    # models restore-config-rest
    said: dict[str, Any] = {
        "name": picture.name,
        "zones": list(picture.zones),
        "tags": dict(picture.tags),
        "properties.hardwareProfile": {"vmSize": picture.size},
        "properties.storageProfile": _storage(picture, os_disk, disks),
    }
    said |= {f"properties.{key}": value for key, value in picture.model.items()}
    return b"\xff\xfe" + json.dumps(said, indent=2).encode("utf-16-le") + b"\x00\x00"


# models restore-template
def template(picture: "Picture", os_disk: "Disk | None", disks: "Sequence[Disk]") -> bytes:
    """Write the template that makes a machine of the restored disks."""
    network = (
        "[resourceId(parameters('virtualNetworkResourceGroup'), "
        "'Microsoft.Network/virtualNetworks/subnets', parameters('virtualNetwork'), "
        "parameters('subnet'))]"
    )
    nic_name = "[parameters('networkInterfacePrefixName')]"
    nic = (
        "[resourceId('Microsoft.Network/networkInterfaces', "
        "parameters('networkInterfacePrefixName'))]"
    )
    body = {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {name: {"type": "string"} for name in _PARAMETERS},
        "resources": [
            {
                "type": "Microsoft.Network/networkInterfaces",
                "apiVersion": "2018-08-01",
                "name": nic_name,
                "location": "[resourceGroup().location]",
                "properties": {
                    "ipConfigurations": [
                        {"name": "ipconfig", "properties": {"subnet": {"id": network}}}
                    ]
                },
            },
            {
                "type": "Microsoft.Compute/virtualMachines",
                "apiVersion": "2018-06-01",
                "name": "[parameters('virtualMachineName')]",
                "location": "[resourceGroup().location]",
                "dependsOn": [nic],
                "properties": {
                    "hardwareProfile": {"vmSize": picture.size},
                    "storageProfile": _storage(picture, os_disk, disks),
                    "networkProfile": {"networkInterfaces": [{"id": nic}]},
                },
            },
        ],
    }
    return json.dumps(body, indent=2).encode()


def _storage(picture: "Picture", os_disk: "Disk | None", disks: "Sequence[Disk]") -> dict[str, Any]:
    kept = picture.os_disk
    system: dict[str, Any] = {
        "osType": picture.os_type,
        "caching": kept.caching,
        "createOption": "Attach",
        "diskSizeGB": kept.size_gb,
    }
    if os_disk is not None:
        system |= {"name": os_disk.name, "managedDisk": {"id": os_disk.id}}
    return {
        "osDisk": system,
        "dataDisks": [
            {
                "lun": disk.lun,
                "name": disk.name,
                "caching": disk.caching,
                "createOption": "Attach",
                "diskSizeGB": disk.size_gb,
                "managedDisk": {"id": disk.id},
            }
            for disk in disks
        ],
    }
