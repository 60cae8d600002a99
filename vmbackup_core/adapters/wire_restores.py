"""Restores as Azure reads and writes them: requests, validations, jobs."""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from vmbackup_core.adapters.wire import Json, at, entries, needed, text, time_at
from vmbackup_core.domain.drill.facts import (
    RestoreFacts,
    RestoreOrder,
    RestoreProgress,
    ValidationFacts,
)
from vmbackup_core.domain.errors import Malformed

RESTORE = "Restore"

_PROGRESS = {
    "completed": RestoreProgress.SUCCEEDED,
    "completedwithwarnings": RestoreProgress.SUCCEEDED,
    "failed": RestoreProgress.FAILED,
    "cancelled": RestoreProgress.CANCELLED,
}
_STILL_RUNNING = frozenset({"inprogress", "notstarted"})
_NO_FAULT = frozenset({"success", "succeeded"})
# The first was the template's key in 2024, the second is since January 2025 (AZURE: restore).
_TEMPLATE_KEYS = ("template blob uri", "create vm template blob uri")


def restore_body(order: RestoreOrder) -> Json:
    """
    Return the request for a restore of all disks, as recorded.

    The target group is always named: without it the service makes unmanaged blobs of the disks, and
    slowly. No zone is named: the disks go to their source's, and a snapshot can serve (AZURE:
    restore).
    """
    return {"properties": _request(order)}


def validation_body(order: RestoreOrder) -> Json:
    """Return the question whether that restore could work (specification's example)."""
    return {
        "id": f"{item_path(order)}/recoveryPoints/{order.point}",
        "properties": {
            "objectType": "ValidateIaasVMRestoreOperationRequest",
            "restoreRequest": _request(order),
        },
    }


def _request(order: RestoreOrder) -> dict[str, Json]:
    return {
        "objectType": "IaasVMRestoreRequest",
        "recoveryPointId": order.point,
        "recoveryType": "RestoreDisks",
        "sourceResourceId": str(order.vm),
        "targetResourceGroupId": order.slot.id,
        "storageAccountId": order.staging,
        "region": order.location,
        "createNewCloudService": False,
        "originalStorageAccountOption": False,
    }


def item_path(order: RestoreOrder) -> str:
    """Return the path of the protected item, its names as they are (unquoted)."""
    vault, vm = order.vault, order.vm
    return (
        f"{vault}/backupFabrics/Azure/protectionContainers/{vm.container}/protectedItems/{vm.item}"
    )


def operation_id(url: str) -> str:
    """Return the id of the operation that a URL names; for a restore it is the job's (recorded)."""
    return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]).lower()


def parse_validation(body: Json) -> ValidationFacts:
    """
    Read the status of a validation.

    Its results tell what is wrong, whatever its status says: it may be "Succeeded" with errors
    (AZURE: restore). A validation that failed itself, or says nothing that we know, is a fault too.
    """
    status = needed(body, "status")
    if status.lower() in _STILL_RUNNING:
        return ValidationFacts(running=True)
    results = entries(body, "properties", "validateOperationResponse", "validationResults")
    faults = [_said(result) for result in results if _is_fault(result)]
    if status.lower() not in _NO_FAULT:
        faults.append(_said(at(body, "error")) or status)
    return ValidationFacts(running=False, faults=tuple(faults))


def _is_fault(result: Json) -> bool:
    return bool(_said(result)) and text(result, "code").lower() not in _NO_FAULT


def _said(error: Json) -> str:
    return ": ".join(filter(None, (text(error, "code"), text(error, "message"))))


def is_restore(body: Json) -> bool:
    return text(body, "properties", "operation").lower() == RESTORE.lower()


def parse_restore(body: Json) -> RestoreFacts:
    """
    Read a restore job, from a list or on its own.

    Lists say nothing of where it restores to and what it leaves. Of a failed one the symbolic code
    stands, if anywhere, in the error's title (AZURE: jobs). A status that we do not know is still
    under way. Raises Malformed for a job that never began.
    """
    job = at(body, "properties")
    started = time_at(job, "startTime")
    if started is None:
        raise Malformed(f"a job that never began: {text(body, 'id')}")
    bag = _bag(at(job, "extendedInfo", "propertyBag"))
    percent = at(job, "extendedInfo", "progressPercentage")
    error = next(iter(entries(job, "errorDetails")), None)
    template = next((bag[key] for key in _TEMPLATE_KEYS if bag.get(key)), "")
    return RestoreFacts(
        id=needed(body, "name").lower(),
        container=text(job, "containerName").lower(),
        progress=_PROGRESS.get(needed(job, "status").lower(), RestoreProgress.RUNNING),
        started=started,
        ended=time_at(job, "endTime"),
        target_group=bag.get("target resource group", "").lower(),
        staging_container=bag.get("config blob container name", ""),
        config=bag.get("config blob name", ""),
        template=unquote(urlsplit(template).path.rpartition("/")[2]),
        percent=float(percent) if isinstance(percent, int | float) else None,
        code=text(error, "errorTitle") or str(at(error, "errorCode") or ""),
        message=text(error, "errorString"),
    )


def _bag(node: Json) -> Mapping[str, str]:
    """Return a job's properties; some of its keys end in a blank (recorded)."""
    pairs = node.items() if isinstance(node, Mapping) else ()
    return {str(key).strip().lower(): value for key, value in pairs if isinstance(value, str)}
