"""
What the routes of Microsoft.Network have in common: operations that go on after the answer, and the
refusal of what azsim does not keep.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azsim.http import ArmError, Response
from azsim.recovery.wire import signed_query
from azsim.router import Call, Handler, Route

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
PAGE = 250
_POLL_AFTER = "10"  # Guess: the recorder had removed the header.
_LINK_VERSION = "2022-01-01"  # Recorded, for a PUT of 2024-05-01.


def network_route(name: str, method: str, path: str, handler: Handler, action: str) -> Route:
    return Route(name, method, path, handler, action=f"Microsoft.Network/{action}")


def operation_headers(
    call: Call, location: str, ends: datetime, version: str = _LINK_VERSION
) -> dict[str, str]:
    """Return the one header by which a write that ends at `ends` is asked after."""
    operation = call.world.networks.open(ends)
    path = (
        f"/subscriptions/{call['subscription']}/providers/Microsoft.Network"
        f"/locations/{location}/operations/{operation.id}"
    )
    url = f"{call.request.origin}{path}?api-version={version}{signed_query(path)}"
    return {"Azure-AsyncOperation": url, "Retry-After": _POLL_AFTER}


def only(given: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    """Refuse with 501 what is written and would be lost."""
    if unknown := {name for name, value in given.items() if value not in (None, [])} - known:
        raise ArmError(501, "FieldNotSimulated", f"azsim has no {sorted(unknown)} of {what}")


# models reference-missing
def must_be_there(call: Call, found: object, reference: str) -> None:
    """Refuse a reference to what is not there (learn: resource-not-found errors)."""
    if found is None:
        raise ArmError(
            400,
            "InvalidResourceReference",
            f"Resource {reference} referenced by resource {call.request.path} was not found. "
            "Please make sure that the referenced resource exists, and that both resources are in "
            "the same region.",
        )


def _operation(call: Call) -> Response:
    """Say how a write goes: a status and nothing more (recorded)."""
    if (operation := call.world.networks.operation(call["operation"])) is None:
        raise ArmError(501, "NotSimulated", "azsim has operations of virtual networks only")
    if call.world.clock.now() < operation.ends:
        return Response(200, {"status": "InProgress"}, {"Retry-After": _POLL_AFTER})
    return Response(200, {"status": "Succeeded"})


ROUTES: tuple[Route, ...] = (
    network_route(
        "network_operations.get",
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"
        "/operations/{operation}",
        _operation,
        "locations/operations/read",
    ),
)
