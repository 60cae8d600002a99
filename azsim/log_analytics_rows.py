"""
What a vault writes into its log: jobs when they have ended, and once a day what it protects.

Names of columns are documented; of their values only those that the page "Data model for Azure
Backup diagnostics events" gives as examples are. The codes of failures are the symbolic ones: the
log has what a job's `errorDetails` lack (AZURE_FACTS 7).
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azsim.recovery.items import Item
from azsim.recovery.jobs import Job, JobOperation, JobStatus
from azsim.recovery.policies import Policy
from azsim.recovery.wire import item_id

if TYPE_CHECKING:
    from azsim.log_analytics import Doubts
    from azsim.vaults import Vault

Row = dict[str, Any]
# models log-job-words
_OPERATIONS = {
    JobOperation.CONFIGURE: "ConfigureBackup",
    JobOperation.DISABLE: "DisableBackup",
    JobOperation.DELETE: "DeleteBackupData",
}


def job_row(vault: "Vault", job: Job, now: datetime, doubts: "Doubts") -> Row:
    """Return the row of a job that has ended, without its times of arrival."""
    failure = job.failure if job.status(now) is JobStatus.FAILED else None
    size = job.final_properties.get("Backup Size", "")
    item = vault.items.get(job.container.split(";", 1)[1])
    return {
        **_vault_columns(vault, "AddonAzureBackupJobs", "Job"),
        **_source_columns(vault, job.container, job.entity, item),
        "AdHocOrScheduledJob": "Scheduled" if job.scheduled else "AdHoc",
        # models log-job-success-code
        "JobFailureCode": failure.code if failure else doubts.success_code,
        "JobOperation": _OPERATIONS.get(job.operation, job.operation.value),
        "JobStatus": job.status(now).value,
        # models log-job-ids
        "JobUniqueId": job.id,
        "JobStartDateTime": job.started,
        "JobDurationInSecs": job.duration(now).total_seconds(),
        "DataTransferredInMB": float(size.split()[0]) if size else 0.0,
    }


# models log-daily-rows
def daily_rows(vault: "Vault", now: datetime) -> Iterator[tuple[str, Row]]:
    """Yield table and row of all that the vault tells once a day."""
    for policy in vault.policies.values():
        if policy.is_for_vms:
            yield "AddonAzureBackupPolicy", _policy_row(vault, policy)
    for item in vault.live_items():
        names = _source_columns(vault, item.container, item.machine, item)
        core = {**_vault_columns(vault, "CoreAzureBackup", "BackupItem"), **names}
        core["State"] = "Deleted" if item.is_soft_deleted else "Active"
        yield "CoreAzureBackup", {**core, **_item_columns(vault, item, now)}
        association = {"OperationName": "BackupItemAssociation", **_policy_names(vault, item)}
        yield "CoreAzureBackup", {**core, **association}
        counted = _vault_columns(vault, "AddonAzureBackupProtectedInstance", "ProtectedInstance")
        unique = {
            name: names[name] for name in ("BackupItemUniqueId", "ProtectedContainerUniqueId")
        }
        yield (
            "AddonAzureBackupProtectedInstance",
            {**counted, **unique, "State": core["State"], "ProtectedInstanceCount": 1},
        )


# models log-vault-words
def _vault_columns(vault: "Vault", category: str, operation: str) -> Row:
    return {
        "SourceSystem": "Azure",
        "Type": category,
        "_ResourceId": vault.id.lower(),
        "_SubscriptionId": vault.subscription,
        "_IsBillable": "true",
        "ResourceId": vault.id.upper(),
        "OperationName": operation,
        "Category": category,
        "AzureDataCenter": vault.location,
        "BackupManagementType": "IaaSVM",
        "DatasourceType": "Microsoft.Compute/virtualMachines",
        "ResourceGroupName": vault.group,
        "SchemaVersion": "V2",
        "State": "Active",
        "StorageReplicationType": "GeoRedundant",
        "SubscriptionId": vault.subscription,
        "VaultName": vault.name,
        "VaultTags": json.dumps(vault.tags),
        "VaultType": "Microsoft.RecoveryServices/vaults",
        "VaultUniqueId": str(10**18 + vault.salt % 10**18),
    }


# models log-source-ids
def _source_columns(vault: "Vault", container: str, name: str, item: Item | None) -> Row:
    """Name the VM; its ids are missing where its item is gone for good."""
    known = str(10**18 + vault.salt % 10**18)
    row: Row = {
        "BackupItemFriendlyName": name,
        "BackupItemUniqueId": f"{vault.location};{known};vm;{container}",
        "DatasourceFriendlyName": name,
        "ProtectedContainerUniqueId": f"{vault.location};{known};iaasvmcontainer;{container}",
    }
    if item is not None:
        row["BackupItemId"] = item_id(vault, item)
        row["DatasourceResourceId"] = item.vm_id
    return row


def _item_columns(vault: "Vault", item: Item, now: datetime) -> Row:
    points = item.usable_points(now)
    judged = vault.vaults.doubts.failed_backup_is_protection_error
    return {
        "BackupItemName": f"VM;{item.container}",
        "BackupItemType": "VM",
        # models log-item-states
        "BackupItemProtectionState": item.protection(now, failure_counts=judged).value,
        "LatestRecoveryPointTime": points[0].taken if points else None,
        "OldestRecoveryPointTime": points[-1].taken if points else None,
        "ProtectedContainerFriendlyName": item.machine,
        "ProtectedContainerName": item.container,
        "ProtectedContainerWorkloadType": "IaaSVMContainer",
    }


def _policy_names(vault: "Vault", item: Item) -> Row:
    if (policy := vault.policies.get(item.policy.lower())) is None:
        return {}
    return _policy_ids(vault, policy)


def _policy_ids(vault: "Vault", policy: Policy) -> Row:
    return {
        "PolicyName": policy.name,
        "PolicyId": f"{vault.id}/backupPolicies/{policy.name}",
        "PolicyUniqueId": policy.order,
    }


# models log-policy-words
def _policy_row(vault: "Vault", policy: Policy) -> Row:
    schedule = policy.body.get("schedulePolicy", {})
    hourly = schedule.get("hourlySchedule") or {}
    daily = schedule.get("dailySchedule") or {}
    times = schedule.get("scheduleRunTimes") or daily.get("scheduleRunTimes") or []
    retention = policy.body.get("retentionPolicy", {}).get("dailySchedule") or {}
    return {
        **_vault_columns(vault, "AddonAzureBackupPolicy", "Policy"),
        **_policy_ids(vault, policy),
        "BackupFrequency": schedule.get("scheduleRunFrequency"),
        "BackupTimes": ", ".join(times),
        "BackupIntervalInHours": hourly.get("interval"),
        "ScheduleWindowDuration": hourly.get("scheduleWindowDuration"),
        "DailyRetentionDuration": (retention.get("retentionDuration") or {}).get("count"),
        "PolicyTimeZone": policy.body.get("timeZone"),
        "PolicySubType": "Enhanced" if policy.is_enhanced else "Standard",
        "SnapshotTierDefaultRetentionDuration": policy.snapshot_days,
    }
