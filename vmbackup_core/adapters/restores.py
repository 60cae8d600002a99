"""What can be restored: the port Restores on ARM."""

from collections.abc import Mapping
from urllib.parse import quote

from vmbackup_core.adapters.api_versions import BACKUP
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.wire_points import is_vm_point, parse_point
from vmbackup_core.domain.drill.points import PointFacts
from vmbackup_core.domain.ids import VaultId, VmId

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_points": (
        "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"
        "/recoveryPoints/read",
    ),
}


class AzureRestores:
    """The port Restores: it only reads so far, through the reader's eyes."""

    def __init__(self, reader: Arm) -> None:
        self._reader = reader

    def observe_points(self, vm: VmId, vault: VaultId) -> tuple[PointFacts, ...]:
        """List the points of a VM's item: one call, whatever there is in it."""
        container, item = (quote(name, safe="") for name in (vm.container, vm.item))
        path = (
            f"{vault}/backupFabrics/Azure/protectionContainers/{container}"
            f"/protectedItems/{item}/recoveryPoints"
        )
        listed = self._reader.pages(path, BACKUP, f"listing the recovery points of {vm.name}")
        return tuple(parse_point(point) for point in listed if is_vm_point(point))
