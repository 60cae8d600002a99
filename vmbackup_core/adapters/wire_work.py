"""Operations and jobs as Azure writes them."""

from datetime import datetime

from vmbackup_core.adapters.wire import Json, at, entries, needed, text, time_at
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.operations import JobFacts, OperationFacts, Progress

CONFIGURE = "ConfigureBackup"

_PROGRESS = {
    "inprogress": Progress.RUNNING,
    "cancelling": Progress.RUNNING,
    "provisioning": Progress.RUNNING,
    "creating": Progress.RUNNING,
    "updating": Progress.RUNNING,
    "completed": Progress.SUCCEEDED,
    "completedwithwarnings": Progress.SUCCEEDED,
    "succeeded": Progress.SUCCEEDED,
    "failed": Progress.FAILED,
    "cancelled": Progress.FAILED,
    "canceled": Progress.FAILED,
}


def parse_job(body: Json) -> JobFacts:
    """Read one entry of a vault's job list."""
    job = at(body, "properties")
    started = time_at(job, "startTime")
    if started is None:
        raise Malformed(f"a job that never began: {text(body, 'id')}")
    errors = entries(job, "errorDetails")
    return JobFacts(
        id=needed(body, "name").lower(),
        container=text(job, "containerName").lower(),
        operation=needed(job, "operation"),
        progress=_progress(needed(job, "status")),
        started=started,
        title=next((text(error, "errorTitle") for error in errors), ""),
        message=next((text(error, "errorString") for error in errors), ""),
    )


def jobs_filter(since: datetime, until: datetime, operation: str = CONFIGURE) -> str:
    """
    Return the filter for the jobs of one operation that began in between.

    The service takes twelve-hour times in UTC, and `eq` on both ends means a range (AZURE: jobs).
    """
    return (
        "backupManagementType eq 'AzureIaasVM'"
        f" and operation eq '{operation}'"
        f" and startTime eq '{since:%Y-%m-%d %I:%M:%S %p}'"
        f" and endTime eq '{until:%Y-%m-%d %I:%M:%S %p}'"
    )


def parse_operation(status: int, body: Json) -> OperationFacts:
    """
    Read how far an operation is.

    An operation's status says so in its body; its result by the HTTP status alone: 202 until it is
    there, 200 or 204 then (recorded).
    """
    if status == 202:
        return OperationFacts(Progress.RUNNING)
    if not (written := text(body, "status")):
        return OperationFacts(Progress.SUCCEEDED)
    progress = _progress(written)
    if progress is not Progress.FAILED:
        return OperationFacts(progress)
    error = at(body, "error") or at(body, "properties", "error") or {}
    code, message = text(error, "code"), text(error, "message")
    for detail in entries(error, "details"):
        code, message = code or text(detail, "code"), message or text(detail, "message")
    return OperationFacts(progress, code or written, message)


def _progress(written: str) -> Progress:
    """Read a status; one that we do not know is still under way, so that it is looked at again."""
    return _PROGRESS.get(written.lower(), Progress.RUNNING)
