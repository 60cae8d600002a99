"""
The bodies of Azure Backup, field by field and in the order in which the service writes them.

What the recordings show is followed to the letter: a vault's address as a URL in items, names with
`IaasVMContainer;` and `VM;` in lists and in lower case in backupStatus, year 1 for what has no end.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from azsim.recovery.items import Item, Point, Protection
from azsim.recovery.jobs import Failure, Job, JobOperation, JobStatus, Operation, OperationStatus
from azsim.recovery.policies import Policy
from azsim.recovery.restores import tiers
from azsim.recovery.wire import (
    NEVER,
    NO_BACKUP_YET,
    container_id,
    container_name,
    iso_duration,
    item_id,
    net_span,
    stamp,
)

if TYPE_CHECKING:
    from azsim.machines import Machine
    from azsim.vaults import Vault

Body = dict[str, Any]
_TYPE = "Microsoft.RecoveryServices/vaults"
_CONTAINERS = f"{_TYPE}/backupFabrics/protectionContainers"
_VM = "Microsoft.Compute/virtualMachines"
_NOT_YET_MOVABLE = (
    "We're still determining if this Recovery Point can be moved.. Please check again after some "
    "time."
)


def policy_body(vault: "Vault", policy: Policy, protected: int) -> Body:
    """Write a policy; lists say that it protects 0 items, whatever the truth (recorded)."""
    return {
        "id": f"{vault.id}/backupPolicies/{policy.name}",
        "name": policy.name,
        "type": f"{_TYPE}/backupPolicies",
        "properties": {**policy.body, "protectedItemsCount": protected},
    }


def item_body(vault: "Vault", item: Item, now: datetime, *, extended: bool = False) -> Body:
    return {
        "id": item_id(vault, item),
        "name": f"VM;{item.container}",
        "type": f"{_CONTAINERS}/protectedItems",
        "properties": item_properties(vault, item, now, extended=extended),
    }


def item_properties(vault: "Vault", item: Item, now: datetime, *, extended: bool = False) -> Body:
    last = item.last_backup(now)
    points = item.usable_points(now)
    failure = last.failure if last else None
    state = _state(vault, item, now)
    body: Body = {
        "friendlyName": item.machine,
        "virtualMachineId": item.vm_id,
        "protectionStatus": "Unhealthy" if failure else "Healthy",
        "protectionState": state.value,
        "healthStatus": "ActionRequired" if failure else "Passed",
    }
    if last is not None:
        body["healthDetails"] = [_health(failure)]
    body |= {
        "lastBackupStatus": last.status(now).value if last else "",
        "lastBackupTime": stamp(last.started) if last else NO_BACKUP_YET,
        "protectedItemDataId": item.data_id,
        "sourceSideScanning": 0,
    }
    if extended:
        body["extendedInfo"] = _extended(points)
    if item.exclusion is not None:
        body["extendedProperties"] = {"diskExclusionProperties": item.exclusion}
    body |= {
        "protectedItemType": _VM,
        "backupManagementType": "AzureIaasVM",
        "workloadType": "VM",
        "containerName": item.container,
        "sourceResourceId": item.vm_id,
        "policyId": f"{vault.id}/backupPolicies/{item.policy}" if item.policy else "",
        "policyName": item.policy,
    }
    if points:
        body["lastRecoveryPoint"] = stamp(points[0].taken)
    body["vaultId"] = f"https://management.azure.com{vault.id}"
    if item.deleted_at is not None and item.purge_at is not None:
        body |= {
            "deferredDeleteTimeInUTC": stamp(item.deleted_at),
            "isScheduledForDeferredDelete": True,
            "deferredDeleteTimeRemaining": net_span(item.purge_at - now),
        }
    body["isArchiveEnabled"] = False
    body["softDeleteRetentionPeriod"] = vault.soft_delete_days if item.is_soft_deleted else 0
    return body


# models item-after-failed-backup
def _state(vault: "Vault", item: Item, now: datetime) -> Protection:
    counts = vault.vaults.doubts.failed_backup_is_protection_error
    return item.protection(now, failure_counts=counts)


def _health(failure: Failure | None) -> Body:
    if failure is None:
        return {
            "code": 400239,
            "title": "IaasVmHealthGreenDefault",
            "message": "Backup pre-check status of this virtual machine is OK.",
            "recommendations": [],
        }
    return {
        "code": failure.number,
        "title": failure.code,
        "message": failure.text,
        "recommendations": list(failure.recommendations),
    }


def _extended(points: list[Point]) -> Body:
    body: Body = {"recoveryPointCount": len(points), "policyInconsistent": False}
    if points:
        body = {"oldestRecoveryPoint": stamp(points[-1].taken), **body}
    return body


def container_body(vault: "Vault", item: Item) -> Body:
    return {
        "id": container_id(vault, item.container),
        "name": f"IaasVMContainer;{item.container}",
        "type": _CONTAINERS,
        "properties": {
            "virtualMachineId": item.vm_id,
            "virtualMachineVersion": "Compute",
            "resourceGroup": item.group,
            "friendlyName": item.machine,
            "backupManagementType": "AzureIaasVM",
            "registrationStatus": item.registration,
            "healthStatus": "Healthy",
            "containerType": _VM,
            "protectableObjectType": _VM,
        },
    }


def protectable_body(vault: "Vault", machine: "Machine") -> Body:
    name = container_name(machine.group, machine.name)
    return {
        "id": f"{container_id(vault, name)}/protectableItems/vm;{name}",
        "name": name,
        "type": f"{_CONTAINERS}/protectableItems",
        "properties": {
            "virtualMachineId": machine.id,
            "virtualMachineVersion": "Compute",
            "resourceGroup": machine.group,
            "backupManagementType": "AzureIaasVM",
            "protectableItemType": _VM,
            "friendlyName": machine.name,
            "protectionState": "NotProtected",
        },
    }


# models job-list
def job_body(vault: "Vault", job: Job, now: datetime, *, detailed: bool) -> Body:
    """Write a job; only a GET of the job itself is detailed."""
    properties: Body = {"jobType": "AzureIaaSVMJob"}
    if job.cancellable:
        properties["actionsInfo"] = ["Cancellable"]
    properties |= {
        "containerName": job.container,
        "duration": iso_duration(job.duration(now)),
        "virtualMachineVersion": "Compute",
    }
    ended = job.ended(now)
    if ended is not None and job.failure is not None and now < job.cancel_asked:
        # models job-errors
        properties["errorDetails"] = [_error_details(vault, job.failure)]
    if detailed:
        properties["extendedInfo"] = _job_details(job, now)
    properties |= {
        "entityFriendlyName": job.entity,
        "backupManagementType": "AzureIaasVM",
        "operation": job.operation.value,
        "status": job.status(now).value,
        "startTime": stamp(job.started),
    }
    if ended is not None:
        properties["endTime"] = stamp(ended)
    properties["activityId"] = job.activity_id
    return {
        "id": f"{vault.id}/backupJobs/{job.id}",
        "name": job.id,
        "type": f"{_TYPE}/backupJobs",
        "properties": properties,
    }


# models job-error-title
def _error_details(vault: "Vault", failure: Failure) -> Body:
    """The symbolic code is no field of a job's error; it may stand in the title (guessed)."""
    coded = vault.vaults.doubts.job_error_title_is_code
    return {
        "errorCode": failure.number,
        "errorTitle": failure.code if coded else failure.text,
        "errorString": failure.text,
        "recommendations": list(failure.recommendations),
    }


def _job_details(job: Job, now: datetime) -> Body:
    ended = job.ended(now) is not None
    done = ended and job.status(now) in (JobStatus.COMPLETED, JobStatus.WARNINGS)
    said = dict(job.properties)
    if now >= job.later_from:
        said |= job.later_properties
    if done:
        said |= job.final_properties
    body: Body = {"tasksList": _tasks(job, now), "propertyBag": said}
    if job.internal:
        body["internalPropertyBag"] = job.internal
    if job.operation is JobOperation.RESTORE:
        told = next((task for task in job.tasks if task.told_from is not None), None)
        body["progressPercentage"] = 1.0
        if done:
            body |= {"progressPercentage": 100.0, "estimatedRemainingDuration": "PT0S"}
        elif told is not None and told.told_from is not None and now >= told.told_from:
            body["progressPercentage"] = float(int(told.fraction(now) * 100))
            body["estimatedRemainingDuration"] = iso_duration(job.ends - now)
        if not done:
            body["dynamicErrorMessage"] = ""
    return body


def _tasks(job: Job, now: datetime) -> list[Body]:
    """Write the tasks: those of backups with their times, those of restores without."""
    stopped_at = job.cut_at()
    listed = []
    for task in job.tasks:
        status = task.status(min(now, stopped_at))
        if now >= stopped_at and status != "Completed":
            status = "Failed" if job.failure is not None else "Cancelled"
        shown = status != "NotStarted"
        span = (min(now, task.ends, stopped_at) - task.started) if shown else None
        body: Body = {"taskId": task.name}
        if task.timed:
            body |= {
                "startTime": stamp(task.started) if shown else NEVER,
                "endTime": stamp(min(task.ends, stopped_at))
                if shown and status != "InProgress"
                else NEVER,
                "duration": iso_duration(span) if span else "PT0S",
            }
        else:
            body["duration"] = "PT0S"
        body["status"] = status
        if task.gigabytes and task.told_from is not None and now >= task.told_from:
            moved = f"{task.gigabytes * task.fraction(now):.2f}".rstrip("0").rstrip(".")
            body["taskExecutionDetails"] = f"{moved} GBs / {task.gigabytes} GBs Transferred"
        body["taskType"] = "Normal"
        listed.append(body)
    return listed


# models operation-body
def operation_body(operation: Operation, now: datetime) -> Body:
    """Write an operation; once it is over, its endTime is its startTime (recorded)."""
    status = operation.status(now)
    running = status is OperationStatus.IN_PROGRESS
    body: Body = {
        "id": operation.id,
        "name": operation.id,
        "status": status.value,
        "startTime": stamp(operation.started),
        "endTime": NEVER if running else stamp(operation.started),
    }
    if status is OperationStatus.FAILED and operation.failure is not None:
        body["error"] = {"code": operation.failure.code, "message": operation.failure.text}
    if running:
        return body
    if operation.job_id:
        body["properties"] = {
            "objectType": "OperationStatusJobExtendedInfo",
            "jobId": operation.job_id,
        }
    elif operation.results is not None:
        body["properties"] = {
            "objectType": "OperationStatusValidateOperationExtendedInfo",
            "validateOperationResponse": {"validationResults": list(operation.results)},
        }
    return body


# models point-body
def point_body(vault: "Vault", item: Item, point: Point, now: datetime) -> Body:
    return {
        "id": f"{item_id(vault, item)}/recoveryPoints/{point.id}",
        "name": point.id,
        "type": f"{_CONTAINERS}/protectedItems/recoveryPoints",
        "properties": {
            "objectType": "IaasVMRecoveryPoint",
            "recoveryPointType": point.consistency,
            "recoveryPointTime": stamp(point.taken),
            "recoveryPointAdditionalInfo": "",
            "sourceVMStorageType": "PremiumVMOnPartialPremiumStorage",
            "isSourceVMEncrypted": False,
            "isInstantIlrSessionActive": False,
            "recoveryPointTierDetails": [
                {"type": tier.value, "status": "Valid" if valid else "Deleted"}
                for tier, valid in tiers(vault, item, point, now)
            ],
            "isManagedVirtualMachine": True,
            "virtualMachineSize": point.size,
            "originalStorageAccountOption": False,
            "osType": point.os_type,
            **_disk_configuration(point),
            "recoveryPointMoveReadinessInfo": {
                "ArchivedRP": {"isReadyForMove": False, "additionalInfo": _NOT_YET_MOVABLE}
            },
            "securityType": point.security_type or "None",
            "isPrivateAccessEnabledOnAnyDisk": False,
            "createdWithPolicyType": point.policy_kind,
            "threatStatus": 0,
        },
    }


# models point-disks
def _disk_configuration(point: Point) -> Body:
    """Say which disks a point has, where some were left out (shape from the spec)."""
    if not point.excluded_luns:
        return {}
    included = [{"lun": lun} for lun in (-1, *point.disk_luns)]  # -1 is the OS disk.
    return {
        "recoveryPointDiskConfiguration": {
            "numberOfDisksIncludedInBackup": len(included),
            "numberOfDisksAttachedToVm": len(included) + len(point.excluded_luns),
            "includedDiskList": included,
            "excludedDiskList": [{"lun": lun} for lun in point.excluded_luns],
        }
    }


# models recovery-row-states
def current_state(vault: "Vault", item: Item, now: datetime) -> str:
    """The state by the names of Resource Graph (query-backups-using-azure-resource-graph)."""
    if not vault.vaults.doubts.graph_has_states_of_its_own:
        return _state(vault, item, now).value
    if item.is_soft_deleted:
        return "SoftDeleted"
    return {
        Protection.STOPPED: "ProtectionStopped",
        Protection.FAILED: "ProtectionError",
    }.get(_state(vault, item, now), "ProtectionConfigured")
