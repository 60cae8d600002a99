"""Backups on demand, recovery points, restores and their validation, on the wire."""

from datetime import UTC, datetime
from typing import Any

from azsim.http import ArmError, Response
from azsim.recovery import errors
from azsim.recovery.backups import back_up_now
from azsim.recovery.filters import parse_filter, parse_time
from azsim.recovery.items import Item, Point
from azsim.recovery.jobs import Operation
from azsim.recovery.pace import Step
from azsim.recovery.restores import start_restore
from azsim.recovery.shapes import point_body
from azsim.recovery.validations import find_faults, written
from azsim.router import Call, Route
from azsim.routes.recovery_calls import (
    ITEM,
    RSV,
    SOONER,
    VAULT,
    accepted,
    body_of,
    item_of,
    listed,
    properties_of,
    vault_of,
)
from azsim.vaults import Vault

_POINT_FILTER = frozenset({"startdate", "enddate", "extendedinfo"})


def _back_up(call: Call) -> Response:
    vault, item = item_of(call)
    given = properties_of(call)
    if given.get("objectType") != "IaasVMBackupRequest":
        raise ArmError(501, "NotSimulated", f"azsim lacks backups of {given.get('objectType')}")
    expires = given.get("recoveryPointExpiryTimeInUTC")
    until = datetime.fromisoformat(expires).astimezone(UTC) if expires else None
    operation = back_up_now(call.world.vaults, vault, item, until)
    return _links(call, vault, operation)


def _links(call: Call, vault: Vault, operation: Operation) -> Response:
    below = (
        f"{vault.id}/backupFabrics/Azure/protectionContainers/{call['container']}"
        f"/protectedItems/{call['item']}"
    )
    return accepted(
        call,
        f"{below}/operationsStatus/{operation.id}",
        f"{below}/operationResults/{operation.id}",
    )


def _list_points(call: Call) -> Response:
    vault, item = item_of(call)
    wanted = parse_filter(call.request.query.get("$filter"), _POINT_FILTER)
    since = parse_time(wanted["startdate"]) if "startdate" in wanted else None
    until = parse_time(wanted["enddate"]) if "enddate" in wanted else None
    now = call.world.clock.now()
    bodies = [
        point_body(vault, item, point, now)
        for point in item.usable_points(now)
        if (since is None or point.taken >= since) and (until is None or point.taken <= until)
    ]
    return listed(call, bodies)


def _get_point(call: Call) -> Response:
    vault, item = item_of(call)
    point = _point(call, item, call["point"])
    return Response(200, point_body(vault, item, point, call.world.clock.now()))


def _point(call: Call, item: Item, point_id: str) -> Point:
    for point in item.usable_points(call.world.clock.now()):
        if point.id == point_id:
            return point
    raise errors.POINT_NOT_FOUND.error(point=point_id)


def _restore(call: Call) -> Response:
    vault, item = item_of(call)
    point = _point(call, item, call["point"])
    operation = start_restore(call.world.vaults, vault, item, point, properties_of(call))
    return _links(call, vault, operation)


def _trigger_validation(call: Call) -> Response:
    """Validate a restore asynchronously; what is wrong stands in the result, not in the status."""
    vault = vault_of(call)
    results = _findings(call, body_of(call))
    vaults = call.world.vaults
    started = vaults.just_now()
    ends = started + vaults.pace.draw(Step.VALIDATE)
    operation = vault.book.open(
        Operation(call.world.new_id(), started, ends, results=tuple(results))
    )
    return accepted(
        call,
        f"{vault.id}/backupValidateOperationsStatuses/{operation.id}",
        f"{vault.id}/backupValidateOperationResults/{operation.id}",
        retry_after=SOONER,
    )


def _validate(call: Call) -> Response:
    """Validate at once; older clients send the request without its envelope."""
    vault_of(call)
    given = body_of(call)
    results = _findings(call, given if "properties" in given else {"properties": given})
    return Response(200, {"validateOperationResponse": {"validationResults": results}})


def _findings(call: Call, given: dict[str, Any]) -> list[dict[str, Any]]:
    vault = vault_of(call)
    properties = given.get("properties") or {}
    if properties.get("objectType") != "ValidateIaasVMRestoreOperationRequest":
        kind = properties.get("objectType")
        raise ArmError(501, "NotSimulated", f"azsim lacks validations of {kind}")
    request = properties.get("restoreRequest") or {}
    item = _item_restored(vault, request)
    point = _point(call, item, str(request.get("recoveryPointId")))
    return [written(fault) for fault in find_faults(call.world.vaults, item, point, request)]


def _item_restored(vault: Vault, request: dict[str, Any]) -> Item:
    source = str(request.get("sourceResourceId", "")).lower()
    for item in vault.live_items():
        if item.vm_id.lower() == source:
            return item
    raise errors.ITEM_NOT_FOUND.error()


_POINT = f"{ITEM}/recoveryPoints/{{point}}"
_ITEMS = f"{RSV}/backupFabrics/protectionContainers/protectedItems"

ROUTES: tuple[Route, ...] = (
    Route("items.backup", "POST", f"{ITEM}/backup", _back_up, action=f"{_ITEMS}/backup/action"),
    Route(
        "points.list",
        "GET",
        f"{ITEM}/recoveryPoints",
        _list_points,
        action=f"{_ITEMS}/recoveryPoints/read",
    ),
    Route("points.get", "GET", _POINT, _get_point, action=f"{_ITEMS}/recoveryPoints/read"),
    Route(
        "points.restore",
        "POST",
        f"{_POINT}/restore",
        _restore,
        action=f"{_ITEMS}/recoveryPoints/restore/action",
    ),
    Route(
        "validations.trigger",
        "POST",
        f"{VAULT}/backupTriggerValidateOperation",
        _trigger_validation,
        action=f"{RSV}/backupTriggerValidateOperation/action",
    ),
    Route(
        "validations.run",
        "POST",
        f"{VAULT}/backupValidateOperation",
        _validate,
        action=f"{RSV}/backupValidateOperation/action",
    ),
)
