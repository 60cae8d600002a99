"""Vaults, their policies, items and jobs: the ports Vaults and Jobs on ARM."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vmbackup_core.adapters.api_versions import BACKUP, RESOURCE_GROUPS, VAULTS
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.boundary import azure_errors
from vmbackup_core.adapters.wire import Json, needed, place, text
from vmbackup_core.adapters.wire_items import (
    group_body,
    is_vm_item,
    parse_item,
    parse_vault,
    protected_vms,
    protection_body,
    undelete_body,
    vault_body,
)
from vmbackup_core.adapters.wire_policies import (
    is_vm_policy,
    parse_policy,
    policy_body,
)
from vmbackup_core.adapters.wire_work import jobs_filter, parse_job, parse_operation
from vmbackup_core.domain.errors import Malformed, Rejected
from vmbackup_core.domain.facts import DiskExclusion, ItemFacts, VaultFacts
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.operations import JobFacts, OperationFacts
from vmbackup_core.domain.policies import PolicySpec

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

_RS = "Microsoft.RecoveryServices"
_ITEMS = f"{_RS}/vaults/backupFabrics/protectionContainers/protectedItems"

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_vaults": (
        f"{_RS}/vaults/read",
        f"{_RS}/vaults/backupPolicies/read",
        f"{_RS}/vaults/usages/read",
    ),
    "observe_items": (f"{_RS}/locations/backupStatus/action", f"{_ITEMS}/read"),
    "find_vault": (f"{_RS}/locations/backupStatus/action",),
    "list_items": (f"{_RS}/vaults/backupProtectedItems/read",),
    "observe_jobs": (f"{_RS}/vaults/backupJobs/read",),
    "observe_operation": (
        f"{_ITEMS}/operationsStatus/read",
        f"{_RS}/vaults/backupFabrics/operationResults/read",
    ),
    "create_vault": (
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        f"{_RS}/vaults/read",
        f"{_RS}/vaults/write",
    ),
    "create_policy": (
        f"{_RS}/vaults/backupPolicies/read",
        f"{_RS}/vaults/backupPolicies/write",
    ),
    "refresh_containers": (f"{_RS}/vaults/backupFabrics/refreshContainers/action",),
    # Azure wants the rights to write and to read the VM of whoever protects it (learn: RBAC for
    # Recovery Services vaults); the last gate lets no such write through.
    "set_protection": (
        f"{_ITEMS}/write",
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Compute/virtualMachines/read",
    ),
    "undelete": (f"{_ITEMS}/write",),
}

VM_POLICIES = {"$filter": "backupManagementType eq 'AzureIaasVM'"}
VM_ITEMS = {"$filter": "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"}
ITEM_COUNTS = {"$filter": "type eq 'BackupProtectedItemCountSummary'"}
# What the service answers where a vault has no such item, besides a plain 404.
NO_ITEM = frozenset({"BMSUserErrorContainerObjectNotFound", "BMSUserErrorItemNotFound"})
AHEAD = timedelta(days=1)  # A job list's range wants an end; nothing began after it.


class AzureVaults:
    """The port Vaults: reads through the reader's eyes, writes with the protector's hands."""

    def __init__(self, reader: Arm, protector: Arm) -> None:
        self._reader = reader
        self._protector = protector

    def observe_vaults(self, subscription: str, location: str) -> tuple[VaultFacts, ...]:
        path = f"/subscriptions/{subscription}/providers/{_RS}/vaults"
        doing = f"listing the vaults of {subscription}"
        found = self._reader.pages(path, VAULTS, doing)
        here = [vault for vault in found if place(needed(vault, "location")) == place(location)]
        return tuple(self._looked_into(vault) for vault in here)

    def _looked_into(self, vault: Json) -> VaultFacts:
        """
        Return a vault with its policies and the number of its VMs.

        The number is the vault's own summary, one read however full it is: a policy's
        `protectedItemsCount` is 0 in every list of policies (recorded), and listing the items
        themselves would eat an hourly budget.
        """
        path, name = needed(vault, "id"), text(vault, "name")
        policies = self._reader.pages(
            f"{path}/backupPolicies", BACKUP, f"listing the policies of {name}", VM_POLICIES
        )
        counts = self._reader.pages(
            f"{path}/backupUsageSummaries", BACKUP, f"counting the items of {name}", ITEM_COUNTS
        )
        return parse_vault(
            vault,
            policies=[parse_policy(policy) for policy in policies if is_vm_policy(policy)],
            items=sum(map(protected_vms, counts)),
        )

    def observe_items(
        self, vm: VmId, location: str, likely: VaultId | None
    ) -> tuple[ItemFacts, ...]:
        """Ask the service where the VM is protected, and read the item there or in `likely`."""
        named = self._named(vm, location)
        places = [named] if named else []
        if likely is not None and (named is None or named[0] != likely):
            places.append((likely, (vm.container, vm.item)))
        for vault, names in places:
            item = self._item(vault, names, f"reading the item of {vm.name} in {vault.name}")
            if item is not None:
                return (parse_item(item),)
        return ()

    def find_vault(self, vm: VmId, location: str) -> VaultId | None:
        """Ask the service where the VM is protected."""
        named = self._named(vm, location)
        return named[0] if named else None

    def list_items(self, vault: VaultId) -> tuple[ItemFacts, ...]:
        """List a vault's items, page after page."""
        doing = f"listing the items of {vault.name}"
        listed = self._reader.pages(f"{vault}/backupProtectedItems", BACKUP, doing, VM_ITEMS)
        return tuple(parse_item(item) for item in listed if is_vm_item(item))

    def _named(self, vm: VmId, location: str) -> tuple[VaultId, tuple[str, str]] | None:
        """Return the vault that the service names for a VM, with container and item there."""
        path = f"/subscriptions/{vm.subscription}/providers/{_RS}/locations/{place(location)}"
        question = {"resourceType": "VM", "resourceId": str(vm)}
        doing = f"asking where {vm.name} is protected"
        status = self._reader.post(f"{path}/backupStatus", BACKUP, doing, question).body
        if not (vault := text(status, "vaultId")):
            return None
        names = needed(status, "containerName"), needed(status, "protectedItemName")
        return VaultId.parse(vault), names

    def _item(self, vault: VaultId, names: tuple[str, str], doing: str) -> Json | None:
        container, item = (quote(name, safe="") for name in names)
        path = f"{vault}/backupFabrics/Azure/protectionContainers/{container}/protectedItems/{item}"
        try:
            return self._reader.find(path, BACKUP, doing)
        except Rejected as error:
            if error.code in NO_ITEM:
                return None
            raise

    def create_vault(self, vault: VaultId, location: str, redundancy: str) -> None:
        """
        Create the vault, and its resource group where that is missing; neither is waited for.

        What is there already is left alone, which the last gate enforces: it wants to have seen
        that a thing is missing.
        """
        arm, group = self._protector, f"/subscriptions/{vault.subscription}/resourceGroups/"
        group += vault.group
        doing = f"creating the resource group {vault.group}"
        if arm.find(group, RESOURCE_GROUPS, doing) is None:
            arm.put(group, RESOURCE_GROUPS, doing, group_body(location))
        doing = f"creating the vault {vault.name}"
        if arm.find(str(vault), VAULTS, doing) is not None:
            return
        with azure_errors(doing, writes=True):
            arm.vaults(vault.subscription).vaults.begin_create_or_update(
                vault.group, vault.name, vault_body(location, redundancy), polling=False
            )

    def create_policy(self, vault: VaultId, policy: PolicySpec) -> None:
        """Create the policy; one that is there is left alone."""
        arm, doing = self._protector, f"creating the policy {policy.name} in {vault.name}"
        if arm.find(f"{vault}/backupPolicies/{policy.name}", BACKUP, doing) is not None:
            return
        with azure_errors(doing, writes=True):
            arm.backup(vault.subscription).protection_policies.create_or_update(
                vault.name, vault.group, policy.name, policy_body(policy)
            )

    def refresh_containers(self, vault: VaultId) -> str:
        """Return the URL of the operation's *result*: the one that was seen to answer (AZURE)."""
        headers = _Headers()
        with azure_errors(f"letting {vault.name} look for new VMs", writes=True):
            self._protector.backup(vault.subscription).protection_containers.refresh(
                vault.name, vault.group, "Azure", raw_response_hook=headers
            )
        return headers.get("location")

    def set_protection(
        self, vm: VmId, vault: VaultId, policy: str, exclusion: DiskExclusion | None
    ) -> str:
        body = protection_body(vm, vault, policy, exclusion)
        return self._put_item(vm, vault, body, f"protecting {vm.name} in {vault.name}")

    def undelete(self, vm: VmId, vault: VaultId) -> str:
        return self._put_item(vm, vault, undelete_body(vm), f"undeleting {vm.name}")

    def _put_item(self, vm: VmId, vault: VaultId, body: Json, doing: str) -> str:
        """
        Send the PUT and return its operation's URL, "" where the answer names none.

        The URL is read by a hook: `result()` of the SDK's poller fails on the empty 202 that the
        service really answers.
        """
        headers = _Headers()
        with azure_errors(doing, writes=True):
            self._protector.backup(vault.subscription).protected_items.begin_create_or_update(
                vault.name,
                vault.group,
                "Azure",
                vm.container,
                vm.item,
                body,
                polling=False,
                raw_response_hook=headers,
            )
        return headers.get("azure-asyncoperation")


class AzureJobs:
    """The port Jobs."""

    def __init__(self, reader: Arm, clock: "Clock") -> None:
        self._reader = reader
        self._clock = clock

    def observe_jobs(self, vault: VaultId, since: datetime) -> tuple[JobFacts, ...]:
        """Return the ConfigureBackup jobs (enabling, changing, resuming) that began since."""
        condition = {"$filter": jobs_filter(since, self._clock.now() + AHEAD)}
        doing = f"listing the jobs of {vault.name}"
        listed = self._reader.pages(f"{vault}/backupJobs", BACKUP, doing, condition)
        return tuple(job for job in map(parse_job, listed) if job.started >= since)

    def observe_operation(self, operation: str) -> OperationFacts:
        """Read the operation at its URL, as it was given; raises Malformed for one elsewhere."""
        if not self._reader.ours(operation):
            raise Malformed("an operation's URL that leads to another host than ARM's")
        reply = self._reader.send("GET", operation, "reading an operation")
        return parse_operation(reply.status, reply.body)


class _Headers:
    """A response hook that keeps the headers of the last answer, by name in lower case."""

    def __init__(self) -> None:
        self._last: Mapping[str, str] = {}

    def __call__(self, response: Any) -> None:
        headers = response.http_response.headers
        self._last = {name.lower(): value for name, value in headers.items()}

    def get(self, name: str) -> str:
        return self._last.get(name, "")
