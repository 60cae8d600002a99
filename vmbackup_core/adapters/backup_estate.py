"""
Protected items with their VMs, vaults and unfinished jobs: the port BackupEstate.

All of it in few questions to Resource Graph, joined there: 10,000 items are ten pages, whatever the
number of vaults. Nothing is asked of a vault but the words of a job that failed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from vmbackup_core.adapters.api_versions import BACKUP
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.graph import Graph
from vmbackup_core.adapters.inventory import ITEM, POLICY, VAULT, VM
from vmbackup_core.adapters.wire import Json, at, needed, place, text, time_at
from vmbackup_core.adapters.wire_items import is_vm_item, parse_item, vault_of
from vmbackup_core.adapters.wire_policies import is_vm_policy, parse_policy
from vmbackup_core.adapters.wire_runs import parse_run
from vmbackup_core.domain.backups import Backups, ProtectedVm
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.policies import PolicyFacts
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.telling.backup_runs import BackupRun, Source, merge_runs
from vmbackup_core.domain.telling.promises import Immutability, SoftDelete, VaultPromise

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_backups": (
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.RecoveryServices/vaults/read",
        "Microsoft.RecoveryServices/vaults/backupPolicies/read",
        "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/read",
    ),
    "observe_unfinished": ("Microsoft.RecoveryServices/vaults/backupJobs/read",),
    "observe_failure": ("Microsoft.RecoveryServices/vaults/backupJobs/read",),
}

YOUNG = timedelta(hours=2)  # For so long a backup that runs is not worth a row.
JOB = "microsoft.recoveryservices/vaults/backupjobs"

# Ordered by id, as paging needs it; no limit, sample or take, which would end the paging.
ITEMS = (
    "recoveryservicesresources"
    f" | where type =~ '{ITEM}' and properties.backupManagementType =~ 'AzureIaasVM'"
    " | extend vm = tolower(tostring(properties.sourceResourceId))"
    " | join kind=leftouter ("
    f"resources | where type =~ '{VM}'"
    " | project vm = tolower(id), vmName = name, vmTags = tags,"
    " machine = tostring(properties.vmId)"
    ") on vm"
    " | project id, name, properties, vmName, vmTags, machine"
    " | order by id asc"
)
VAULTS = f"resources | where type =~ '{VAULT}' | project id, location, properties | order by id asc"
POLICIES = (
    "recoveryservicesresources"
    f" | where type =~ '{POLICY}' and properties.backupManagementType =~ 'AzureIaasVM'"
    " | project id, name, properties"
    " | order by id asc"
)

# `softDeleteState` of ARM, and whether recovery points can be removed (AZURE: vault security).
_SOFT_DELETE = {
    "disabled": SoftDelete.OFF,
    "enabled": SoftDelete.ON,
    "alwayson": SoftDelete.ALWAYS_ON,
}
_IMMUTABILITY = {
    "disabled": Immutability.OFF,
    "unlocked": Immutability.UNLOCKED,
    "locked": Immutability.LOCKED,
}


class AzureBackupEstate:
    """The port BackupEstate on Resource Graph, as the reader sees it."""

    def __init__(self, reader: Arm, clock: "Clock") -> None:
        self._reader = reader
        self._clock = clock
        self._graph = Graph(reader, clock)

    def observe_backups(self, scope: Scope) -> Backups:
        """Ask for items, vaults and policies; one odd item does not hide the others."""
        at = self._clock.now()
        items, unreadable = [], []
        for row in self._graph.rows(ITEMS, scope, "reading the protected items"):
            if not is_vm_item(row):
                continue
            try:
                items.append(_item(row))
            except Malformed:
                unreadable.append(text(row, "id"))
        vaults = self._graph.rows(VAULTS, scope, "reading the vaults")
        policies = _policies(self._graph.rows(POLICIES, scope, "reading the policies"))
        promises = tuple(_promise(row, policies) for row in vaults)
        return Backups(at, tuple(items), promises, tuple(unreadable))

    def observe_unfinished(self, scope: Scope, since: datetime) -> tuple[BackupRun, ...]:
        """Ask once for all vaults; one odd row does not hide the others."""
        question = _unfinished(since, self._clock.now() - YOUNG)
        found = []
        for row in self._graph.rows(question, scope, "reading the failed backups"):
            try:
                found.append(parse_run(row, Source.GRAPH))
            except Malformed:
                continue  # A job of no VM, or one that never began.
        return merge_runs(found)

    def observe_failure(self, run: BackupRun) -> BackupRun:
        path = f"{run.vault}/backupJobs/{run.id}"
        body = self._reader.get(path, BACKUP, f"reading a failed job of {run.vault.name}")
        (told,) = merge_runs([run], [parse_run(body, Source.VAULT)])
        return told


def _unfinished(since: datetime, old: datetime) -> str:
    """Write the question; its parameters are times, which cannot say anything else."""
    return (
        "recoveryservicesresources"
        f" | where type =~ '{JOB}'"
        " | where properties.operation =~ 'Backup'"
        " and properties.backupManagementType =~ 'AzureIaasVM'"
        f" | where todatetime(properties.startTime) >= {_datetime(since)}"
        " | extend status = tostring(properties.status)"
        " | where status !in~ ('Completed', 'CompletedWithWarnings', 'InProgress')"
        f" or (status =~ 'InProgress' and todatetime(properties.startTime) < {_datetime(old)})"
        " | project id, name, properties"
        " | order by id asc"
    )


def _datetime(moment: datetime) -> str:
    return f"datetime({moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})"


def _item(row: Json) -> ProtectedVm:
    """
    Read an item with its VM.

    The newest point is `lastRecoveryPoint`; `lastBackupTime` tells of attempts, failed ones too.
    """
    facts = parse_item(row)
    tags = at(row, "vmTags")
    pairs = tags if isinstance(tags, Mapping) else {}
    return ProtectedVm(
        vm=facts.vm,
        name=text(row, "vmName") or text(row, "properties", "friendlyName") or facts.vm.name,
        machine=text(row, "machine"),
        tags=Tags.of({str(name): str(value) for name, value in pairs.items()}),
        vault=facts.vault,
        state=facts.state,
        policy=facts.policy,
        last_point=time_at(row, "properties", "lastRecoveryPoint"),
    )


def _policies(rows: list[Json]) -> dict[VaultId, list[PolicyFacts]]:
    found: dict[VaultId, list[PolicyFacts]] = {}
    for row in filter(is_vm_policy, rows):
        found.setdefault(vault_of(text(row, "id")), []).append(parse_policy(row))
    return found


def _promise(row: Json, policies: Mapping[VaultId, list[PolicyFacts]]) -> VaultPromise:
    """Read what a vault promises; what a row does not tell is None, and compares with nothing."""
    vault = VaultId.parse(needed(row, "id"))
    security = at(row, "properties", "securitySettings")
    days = at(security, "softDeleteSettings", "softDeleteRetentionPeriodInDays")
    state = text(security, "softDeleteSettings", "softDeleteState").lower()
    fixed = text(security, "immutabilitySettings", "state").lower()
    return VaultPromise(
        vault,
        place(needed(row, "location")),
        _SOFT_DELETE.get(state),
        timedelta(days=days) if isinstance(days, int) and days > 0 else None,
        _IMMUTABILITY.get(fixed),
        tuple(sorted(policies.get(vault, ()), key=lambda policy: policy.name)),
    )
