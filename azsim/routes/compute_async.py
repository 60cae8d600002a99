"""How Compute answers a long-running write, and how it answers those who ask after it."""

from datetime import datetime
from typing import Any

from azsim.compute_operations import ComputeOperation
from azsim.http import ArmError, Json, Response
from azsim.machine_shapes import compute_time
from azsim.recovery.wire import signed_query
from azsim.router import Call, Route

_PARTITION = "571046f6-b640-41c1-86f7-f9f044b5adf9"  # `p` of every recorded operation URL.
# models compute-retry-after
_POLL_AFTER = "10"  # Guess: the recorder had removed the header.


def accepted(
    call: Call,
    location: str,
    ends: datetime,
    *,
    status: int = 202,
    body: Json = None,
    late_failure: tuple[str, str] | None = None,
) -> Response:
    """
    Answer a write that goes on: PUT and PATCH with the resource and one header, others with 202.

    A 202 carries `Location` as well, the same operation asked with `monitor=true` (recorded).
    """
    operations = call.world.machines.operations
    operation = operations.start(call["subscription"], location, ends, error=late_failure)
    headers = {"Azure-AsyncOperation": _url(call, operation), "Retry-After": _POLL_AFTER}
    if status == 202:
        headers["Location"] = _url(call, operation, "&monitor=true")
    return Response(status, body, headers)


# models compute-operation-url
def _url(call: Call, operation: ComputeOperation, monitor: str = "") -> str:
    path = (
        f"/subscriptions/{operation.subscription}/providers/Microsoft.Compute"
        f"/locations/{operation.location}/operations/{operation.id}"
    )
    version = call.request.query["api-version"]
    query = f"?p={_PARTITION}{monitor}&api-version={version}{signed_query(path)}"
    return call.request.origin + path + query


def _get_operation(call: Call) -> Response:
    operation = call.world.machines.operations.find(call["operation"])
    if operation is None:
        raise ArmError(404, "NotFound", f"The entity was not found: {call['operation']}")
    done = call.world.clock.now() >= operation.ends
    if call.request.query.get("monitor") == "true":
        if not done:
            headers = {"Location": call.request.url, "Retry-After": _POLL_AFTER}
            return Response(202, None, headers)
        if operation.error is not None:
            raise ArmError(409, *operation.error)
        return Response(200)
    body: dict[str, Any] = {"startTime": compute_time(operation.started)}
    if not done:
        body["status"] = "InProgress"
        return Response(200, body | {"name": operation.id}, {"Retry-After": _POLL_AFTER})
    body |= {"endTime": compute_time(operation.ends), "status": "Succeeded"}
    if operation.error is not None:
        code, message = operation.error
        body |= {"status": "Failed", "error": {"code": code, "message": message}}
    return Response(200, body | {"name": operation.id})


ROUTES: tuple[Route, ...] = (
    Route(
        "compute_operations.get",
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}"
        "/operations/{operation}",
        _get_operation,
        action="Microsoft.Compute/locations/operations/read",
    ),
)
