"""Microsoft.Compute/disks: read, tag, delete. Making disks is a restore's work, not a client's."""

from typing import Any

from azsim.arm_ids import resource_id
from azsim.disks import KIND, Disk, disk_properties
from azsim.groups import RESOURCES_DELETE, RESOURCES_WRITE, resource_not_found
from azsim.http import ArmError, Json, Response, json_object
from azsim.router import Call, Handler, Route
from azsim.routes.compute_async import accepted
from azsim.routes.paging import page

_PAGE = 1000
_DISKS = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/disks"


def _found(call: Call) -> Disk:
    disk_id = resource_id(call["subscription"], call["group"], KIND, call["disk"])
    if (disk := call.world.machines.disks.find(disk_id)) is None:
        raise resource_not_found(KIND, call["disk"], call["group"])
    return disk


def _get(call: Call) -> Response:
    return Response(200, _shape(_found(call)))


def _list(call: Call) -> Response:
    rows = call.world.machines.disks.in_subscription(call["subscription"])
    if group := call.params.get("group", "").lower():
        rows = [disk for disk in rows if disk.group.lower() == group]
    return page(call, rows, _PAGE, _shape)


def _patch(call: Call) -> Response:
    """Change a disk's tags; its other properties are not simulated."""
    disk, body = _found(call), json_object(call.request.json)
    if unknown := set(body) - {"tags"}:
        raise ArmError(
            501, "FieldNotSimulated", f"azsim does not change {sorted(unknown)} of a disk"
        )
    disk.tags = dict(body.get("tags") or {})
    disks = call.world.machines.disks
    disks.version += 1
    call.world.events.publish(disk.subscription, RESOURCES_WRITE, disk.id, f"{KIND}/write")
    return Response(200, _shape(disk))


# models disk-in-use
def _delete(call: Call) -> Response:
    """Delete a disk that nobody holds; 204 where there is none (specs: Disks_Delete)."""
    world = call.world
    disk = world.machines.disks.find(
        resource_id(call["subscription"], call["group"], KIND, call["disk"])
    )
    if disk is None:
        return Response(204)
    if disk.managed_by:
        raise ArmError(
            409, "OperationNotAllowed", f"Disk {disk.name} is attached to VM {disk.managed_by}."
        )
    ends = world.clock.now() + world.machines.operations.span("delete disk")
    gone = disk

    def remove() -> None:
        world.machines.disks.delete(gone.id)
        world.events.publish(gone.subscription, RESOURCES_DELETE, gone.id, f"{KIND}/delete")

    late = world.faults.late_failure(call.route.name, disk.id)
    if late is None:
        world.clock.at(ends, remove)
    return accepted(call, disk.location, ends, late_failure=late)


def _shape(disk: Disk) -> Json:
    shown: dict[str, Any] = {
        "name": disk.name,
        "id": disk.id,
        "type": KIND,
        "location": disk.location,
        "tags": dict(disk.tags),
        "sku": {"name": disk.sku, "tier": disk.sku.split("_")[0]},
        "properties": disk_properties(disk),
    }
    if disk.managed_by:
        shown["managedBy"] = disk.managed_by
    if disk.zones:
        shown["zones"] = list(disk.zones)
    return shown


def _route(name: str, method: str, path: str, handler: Handler, verb: str) -> Route:
    return Route(f"disks.{name}", method, path, handler, action=f"{KIND}/{verb}")


ROUTES: tuple[Route, ...] = (
    _route("get", "GET", f"{_DISKS}/{{disk}}", _get, "read"),
    _route("patch", "PATCH", f"{_DISKS}/{{disk}}", _patch, "write"),
    _route("delete", "DELETE", f"{_DISKS}/{{disk}}", _delete, "delete"),
    _route("list", "GET", _DISKS, _list, "read"),
    _route(
        "list_all",
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.Compute/disks",
        _list,
        "read",
    ),
)
