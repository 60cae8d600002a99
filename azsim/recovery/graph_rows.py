"""
What Resource Graph knows of a vault: itself, its policies, its items, and its jobs of 14 days.

Types are in lower case; items have `currentProtectionState` and `dataSourceInfo` besides the wire's
properties, and their vaultId is an ARM id (AZURE_FACTS 8; the exact set of properties is inferred).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azsim.recovery.items import Item
from azsim.recovery.jobs import Job
from azsim.recovery.shapes import (
    current_state,
    item_properties,
    job_body,
    policy_body,
)
from azsim.recovery.vault_shapes import vault_body
from azsim.recovery.wire import item_id

if TYPE_CHECKING:
    from azsim.vaults import Vault

Row = dict[str, Any]
_TYPE = "microsoft.recoveryservices/vaults"
_JOBS_KEPT = timedelta(days=14)


# models recovery-rows
def rows_of(vault: "Vault", tenant: str) -> Iterator[Row]:
    """Yield the vault's row (table `resources`) and those of what it holds."""
    now = vault.vaults.now
    body = vault_body(vault, now)
    yield _row(vault, tenant, vault.id, vault.name, _TYPE, body["properties"]) | {
        "tags": vault.tags or None,
        "sku": vault.sku,
        "identity": vault.identity,
    }
    for policy in vault.policies.values():
        body = policy_body(vault, policy, vault.protected_by(policy))
        kind = f"{_TYPE}/backuppolicies"
        yield _row(vault, tenant, body["id"], policy.name, kind, body["properties"])
    for item in vault.live_items():
        # models recovery-rows-of-soft-deleted
        if not item.is_soft_deleted or vault.vaults.doubts.graph_lists_soft_deleted:
            yield _item_row(vault, tenant, item)
    for job in vault.book.newest_first():
        if now - job.started > _JOBS_KEPT:
            break
        yield _job_row(vault, tenant, job)


# models recovery-row-properties
def _item_row(vault: "Vault", tenant: str, item: Item) -> Row:
    now = vault.vaults.now
    properties = item_properties(vault, item, now) | {
        "vaultId": vault.id,
        "currentProtectionState": current_state(vault, item, now),
        "dataSourceInfo": {
            "resourceID": item.vm_id,
            "resourceUri": item.vm_id,
            "datasourceType": "Microsoft.Compute/virtualMachines",
            "resourceName": item.machine,
            "resourceType": "Microsoft.Compute/virtualMachines",
            "resourceLocation": item.location,
            "objectType": "Datasource",
        },
    }
    kind = f"{_TYPE}/backupfabrics/protectioncontainers/protecteditems"
    row = _row(vault, tenant, item_id(vault, item), f"VM;{item.container}", kind, properties)
    return row | {"_born": item.protected_since, "_changed": item.changed_at}


def _job_row(vault: "Vault", tenant: str, job: Job) -> Row:
    """Write a job; of one that has ended, which changes no more, the row is kept."""
    now, coded = vault.vaults.now, vault.vaults.doubts.job_error_title_is_code
    known = vault.book.rows.get((job.id, coded))
    if known is None:
        known = _made_job_row(vault, tenant, job)
        if job.ended(now) is not None:
            vault.book.rows[job.id, coded] = known
    return dict(known)


def _made_job_row(vault: "Vault", tenant: str, job: Job) -> Row:
    body = job_body(vault, job, vault.vaults.now, detailed=False)
    properties = body["properties"] | {"isUserTriggered": not job.scheduled}
    row = _row(vault, tenant, body["id"], job.id, f"{_TYPE}/backupjobs", properties)
    return row | {"_born": job.started}


def _row(vault: "Vault", tenant: str, row_id: str, name: str, kind: str, properties: Row) -> Row:
    return {
        "id": row_id,
        "name": name,
        "type": kind,
        "tenantId": tenant,
        "kind": "",
        "location": vault.location,
        "resourceGroup": vault.group.lower(),
        "subscriptionId": vault.subscription,
        "managedBy": "",
        "sku": None,
        "plan": None,
        "properties": properties,
        "tags": None,
        "identity": None,
        "zones": None,
    }
