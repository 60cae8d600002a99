"""What there is: one VM by direct reads, or the whole estate from Resource Graph."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vmbackup_core.adapters.api_versions import DISKS, VIRTUAL_MACHINES
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.graph import Graph
from vmbackup_core.adapters.wire import Json, text
from vmbackup_core.adapters.wire_items import is_vm_item, parse_item, parse_vault, vault_of
from vmbackup_core.adapters.wire_machines import (
    RESTORED_TAG,
    attached_os_disk,
    parse_vm,
    parse_vm_row,
    restored_by,
)
from vmbackup_core.adapters.wire_policies import is_vm_policy, parse_policy
from vmbackup_core.domain.errors import Gone, Malformed
from vmbackup_core.domain.facts import Estate, ItemFacts, VmFacts
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.policies import PolicyFacts
from vmbackup_core.domain.rules import Scope

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_vm": (
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachines/instanceView/read",
        "Microsoft.Compute/disks/read",
    ),
    "observe_estate": (
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/disks/read",
        "Microsoft.RecoveryServices/vaults/read",
        "Microsoft.RecoveryServices/vaults/backupPolicies/read",
        "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/read",
    ),
}

VM = "microsoft.compute/virtualmachines"
DISK = "microsoft.compute/disks"
VAULT = "microsoft.recoveryservices/vaults"
ITEM = "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
POLICY = "microsoft.recoveryservices/vaults/backuppolicies"

# Ordered by id, as paging needs it; no limit, sample or take, which would end the paging.
RESOURCES = (
    "resources"
    f" | where type =~ '{VM}' or type =~ '{VAULT}'"
    f" or (type =~ '{DISK}' and isnotempty(tags['{RESTORED_TAG}']))"
    " | project id, name, type, location, tags, properties"
    " | order by id asc"
)
BACKUPS = (
    "recoveryservicesresources"
    f" | where type =~ '{ITEM}' or type =~ '{POLICY}'"
    " | where properties.backupManagementType =~ 'AzureIaasVM'"
    " | project id, name, type, properties"
    " | order by id asc"
)


class AzureInventory:
    """The port Inventory on ARM and Resource Graph."""

    def __init__(self, arm: Arm, clock: "Clock") -> None:
        self._arm = arm
        self._clock = clock
        self._graph = Graph(arm, clock)

    def observe_vm(self, vm: VmId) -> VmFacts:
        """Read the VM, and its OS disk where that was attached: it may be a restored copy."""
        found = self._arm.find(
            str(vm), VIRTUAL_MACHINES, f"reading {vm.name}", {"$expand": "instanceView"}
        )
        if found is None:
            raise Gone(f"there is no VM {vm}", code="ResourceNotFound", status=404)
        made_by = ""
        if disk_id := attached_os_disk(found):
            disk = self._arm.find(disk_id, DISKS, f"reading the OS disk of {vm.name}")
            made_by = restored_by(disk)
        return parse_vm(found, made_by)

    def observe_estate(self, scope: Scope) -> Estate:
        """Ask two questions of Resource Graph, page by page, and join the answers."""
        at = self._clock.now()
        resources = _by_type(self._graph.rows(RESOURCES, scope, "reading the estate"))
        backups = _by_type(self._graph.rows(BACKUPS, scope, "reading the estate's backups"))
        restored = {text(disk, "id").lower(): restored_by(disk) for disk in resources[DISK]}
        items, unreadable = _items(backups[ITEM])
        count = Counter(item.vault for item in items)
        policies = _policies(backups[POLICY])
        return Estate(
            at=at,
            vms=tuple(
                parse_vm_row(row, restored.get(attached_os_disk(row).lower(), ""))
                for row in resources[VM]
            ),
            items=items,
            unreadable=unreadable,
            vaults=tuple(
                parse_vault(row, policies.get(vault, ()), count[vault])
                for row in resources[VAULT]
                for vault in [vault_of(text(row, "id"))]
            ),
        )


def _items(rows: list[Json]) -> tuple[tuple[ItemFacts, ...], tuple[str, ...]]:
    """
    Return the items of VMs, and the ids of those that cannot be read.

    One odd row must not end the sweep for all; its VM looks unprotected here, and the direct read
    that comes before any change says what is wrong.
    """
    items, unreadable = [], []
    for row in filter(is_vm_item, rows):
        try:
            items.append(parse_item(row))
        except Malformed:
            unreadable.append(text(row, "id"))
    return tuple(items), tuple(unreadable)


def _by_type(rows: list[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {kind: [] for kind in (VM, DISK, VAULT, ITEM, POLICY)}
    for row in rows:
        found[text(row, "type").lower()].append(row)
    return found


def _policies(rows: list[Json]) -> dict[VaultId, list[PolicyFacts]]:
    found: dict[VaultId, list[PolicyFacts]] = {}
    for row in rows:
        if is_vm_policy(row):
            found.setdefault(vault_of(text(row, "id")), []).append(parse_policy(row))
    return found
