"""Operations and jobs on the wire: asking how it goes, listing, cancelling."""

from datetime import timedelta

from azsim.http import ArmError, Response
from azsim.recovery import errors
from azsim.recovery.backups import cut_short
from azsim.recovery.filters import parse_filter, parse_time, same
from azsim.recovery.jobs import Job, JobOperation, JobStatus, Operation, OperationStatus
from azsim.recovery.pace import Step
from azsim.recovery.shapes import item_body, job_body, operation_body
from azsim.router import Call, Handler, Route
from azsim.routes.recovery_calls import (
    ITEM,
    RETRY_AFTER,
    RSV,
    VAULT,
    accepted,
    item_of,
    link,
    listed,
    vault_of,
)
from azsim.vaults import Vault

_JOB_FILTER = frozenset(
    {"status", "operation", "backupmanagementtype", "jobid", "starttime", "endtime"}
)
_OPERATIONS = {
    *(operation.value for operation in JobOperation),
    *("Register", "UnRegister", "CrossRegionRestore", "UpdateCustomerManagedKey", "Invalid"),
}
_STATUSES = {*(status.value for status in JobStatus), "Invalid"}


# models job-filter-one-end
def _list_jobs(call: Call) -> Response:
    """
    List jobs, newest first.

    `startTime eq` and `endTime eq` together are the range in which a job started; one alone is
    refused by none of the sources, and bounds its side (inferred).
    """
    vault = vault_of(call)
    vault.live_items()
    wanted = parse_filter(call.request.query.get("$filter"), _JOB_FILTER)
    _check_words(wanted)
    since = parse_time(wanted["starttime"]) if "starttime" in wanted else None
    until = parse_time(wanted["endtime"]) if "endtime" in wanted else None
    now = call.world.clock.now()
    bodies = [
        job_body(vault, job, now, detailed=False)
        for job in vault.book.newest_first()
        if _is_listed(call, job)
        and same(wanted, "status", job.status(now).value)
        and same(wanted, "operation", job.operation.value)
        and same(wanted, "backupmanagementtype", "AzureIaasVM")
        and same(wanted, "jobid", job.id)
        and (since is None or job.started >= since)
        and (until is None or job.started <= until)
    ]
    return listed(call, bodies)


# models job-listed-at-once
def _is_listed(call: Call, job: Job) -> bool:
    late = call.world.vaults.doubts.jobs_listed_after
    return not late or job.started + late <= call.world.clock.now()


def _check_words(wanted: dict[str, str]) -> None:
    for name, words in (("status", _STATUSES), ("operation", _OPERATIONS)):
        if name in wanted and wanted[name].lower() not in {word.lower() for word in words}:
            raise ArmError(
                400,
                "BMSUserErrorInvalidInput",
                f"Input provided for the call is invalid. '{wanted[name]}' is no {name}.",
            )


def _get_job(call: Call) -> Response:
    vault, job = _job_of(call)
    return Response(200, job_body(vault, job, call.world.clock.now(), detailed=True))


def _job_of(call: Call) -> tuple[Vault, Job]:
    vault = vault_of(call)
    if call["job"].lower() not in vault.book.jobs:
        vault.live_items()  # It may be a job that the schedule owes.
    if (job := vault.book.jobs.get(call["job"].lower())) is None:
        raise errors.JOB_NOT_FOUND.error(job=call["job"])
    return vault, job


# models job-cancel
def _cancel(call: Call) -> Response:
    """
    Cancel a job: a backup while it takes its snapshot, a restore while data is copied.

    The status link has an old api-version of its own (recorded).
    """
    vault, job = _job_of(call)
    vaults, now = call.world.vaults, call.world.clock.now()
    copying = bool(job.tasks) and now < job.tasks[0].ends
    if not (job.cancellable and copying and job.status(now) is JobStatus.IN_PROGRESS):
        raise errors.NOT_CANCELLABLE.error()
    takes = vaults.pace.draw(Step.CANCEL)
    job.cancel(now, takes)
    for item in vault.items.values():
        if job in item.backups:
            cut_short(item, job)
    vaults.changed()
    operation = vault.book.open(Operation(call.world.new_id(), now, now + timedelta(seconds=1)))
    below = f"{vault.id}/backupJobs/{job.id}"
    return accepted(
        call,
        f"{below}/operationsStatus/{operation.id}",
        f"{below}/operationResults/{operation.id}",
        status_version="2019-05-13-preview",
    )


def _operation_of(call: Call) -> tuple[Vault, Operation]:
    vault = vault_of(call)
    operation = vault.book.operations.get(call["operation"].lower())
    # models operation-kept
    kept = call.world.vaults.doubts.operations_kept
    if operation is None or call.world.clock.now() - operation.ends > kept:
        raise errors.OPERATION_NOT_FOUND.error(operation=call["operation"])
    return vault, operation


def _status(call: Call) -> Response:
    _, operation = _operation_of(call)
    now = call.world.clock.now()
    headers = {}
    if operation.status(now) is OperationStatus.IN_PROGRESS:
        headers["Retry-After"] = RETRY_AFTER
    return Response(200, operation_body(operation, now), headers)


def _results(call: Call) -> Response:
    """Answer 202 while it goes on, then 204; an item that was written is given back with 200."""
    _, operation = _operation_of(call)
    now = call.world.clock.now()
    if operation.status(now) is OperationStatus.IN_PROGRESS:
        return _still_going(call)
    if operation.failure is not None:
        raise ArmError(400, operation.failure.code, operation.failure.text)
    return Response(204)


def _item_results(call: Call) -> Response:
    answer = _results(call)
    if answer.status != 204:
        return answer
    vault, operation = _operation_of(call)
    job = vault.book.jobs.get(operation.job_id.lower())
    if job is None or job.operation is not JobOperation.CONFIGURE:
        return answer
    _, item = item_of(call)
    return Response(200, item_body(vault, item, call.world.clock.now()))


def _validation_results(call: Call) -> Response:
    answer = _results(call)
    if answer.status != 204:
        return answer
    _, operation = _operation_of(call)
    body = operation_body(operation, call.world.clock.now())
    return Response(200, body["properties"]["validateOperationResponse"])


def _still_going(call: Call) -> Response:
    headers = {"Location": link(call, call.request.path), "Retry-After": RETRY_AFTER}
    return Response(202, None, headers)


def _operation_routes() -> tuple[Route, ...]:
    """One table: where operations are asked for, by which action, and how the answer is given."""
    items = f"{RSV}/backupFabrics/protectionContainers/protectedItems"
    table: tuple[tuple[str, str, str, Handler], ...] = (
        ("operations.get", f"{VAULT}/backupOperations", f"{RSV}/backupOperations", _status),
        (
            "operations.results",
            f"{VAULT}/backupOperationResults",
            f"{RSV}/backupOperationResults",
            _results,
        ),
        (
            "items.operation_status",
            f"{ITEM}/operationsStatus",
            f"{items}/operationsStatus",
            _status,
        ),
        (
            "items.operation_results",
            f"{ITEM}/operationResults",
            f"{items}/operationResults",
            _item_results,
        ),
        (
            "containers.operation_status",
            f"{VAULT}/backupFabrics/{{fabric}}/operationsStatus",
            f"{RSV}/backupFabrics/operationsStatus",
            _status,
        ),
        (
            "containers.operation_results",
            f"{VAULT}/backupFabrics/{{fabric}}/operationResults",
            f"{RSV}/backupFabrics/operationResults",
            _results,
        ),
        (
            "jobs.operation_status",
            f"{VAULT}/backupJobs/{{job}}/operationsStatus",
            f"{RSV}/backupJobs/operationsStatus",
            _status,
        ),
        (
            "jobs.operation_results",
            f"{VAULT}/backupJobs/{{job}}/operationResults",
            f"{RSV}/backupJobs/operationResults",
            _results,
        ),
        (
            "validations.operation_status",
            f"{VAULT}/backupValidateOperationsStatuses",
            f"{RSV}/backupValidateOperationsStatuses",
            _status,
        ),
        (
            "validations.operation_results",
            f"{VAULT}/backupValidateOperationResults",
            f"{RSV}/backupValidateOperationResults",
            _validation_results,
        ),
    )
    return tuple(
        Route(name, "GET", f"{path}/{{operation}}", handler, action=f"{action}/read")
        for name, path, action, handler in table
    )


_JOBS = f"{VAULT}/backupJobs"

ROUTES: tuple[Route, ...] = (
    Route("jobs.list", "GET", _JOBS, _list_jobs, action=f"{RSV}/backupJobs/read"),
    Route("jobs.get", "GET", f"{_JOBS}/{{job}}", _get_job, action=f"{RSV}/backupJobs/read"),
    Route(
        "jobs.cancel",
        "POST",
        f"{_JOBS}/{{job}}/cancel",
        _cancel,
        action=f"{RSV}/backupJobs/cancel/action",
    ),
    *_operation_routes(),
)
