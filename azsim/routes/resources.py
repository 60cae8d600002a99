"""Resource groups, and the list of resources whatever their type."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from azsim.groups import RESOURCES_WRITE, Group, resource_not_found
from azsim.http import ArmError, Json, Response, json_object
from azsim.interfaces import NIC
from azsim.networks import NETWORK
from azsim.recovery.wire import signed_query, stamp
from azsim.router import Call, Handler, Route
from azsim.routes.paging import page
from azsim.storage_accounts import KIND as STORAGE_ACCOUNT

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_PAGE = 1000
_EXPANDABLE = ("createdTime", "changedTime", "provisioningState")
_GROUP_DELETION = timedelta(seconds=20)  # Guess: seconds to minutes, by what is in the group.


def _groups(call: Call) -> Response:
    rows = call.world.groups.in_subscription(call["subscription"])
    match = _tag_filter(call)
    return page(call, [group for group in rows if match(group.tags)], _PAGE, _group)


def _get_group(call: Call) -> Response:
    return Response(200, _group(call.world.groups.get(call["subscription"], call["group"])))


def _head_group(call: Call) -> Response:
    found = call.world.groups.find(call["subscription"], call["group"])
    return Response(204 if found else 404)


# models group-life
def _put_group(call: Call) -> Response:
    """Create or update; a group never changes its location (ARM's 409 for trying)."""
    body = json_object(call.request.json)
    if not (location := body.get("location")):
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    place = str(location).replace(" ", "").lower()
    groups = call.world.groups
    existing = groups.find(call["subscription"], call["group"])
    # models group-location
    if existing is not None and existing.location.lower() != place:
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{place}'. The Resource group already exists in "
            f"location '{existing.location}'.",
        )
    name, owner = existing.name if existing else call["group"], body.get("managedBy")
    group = groups.create(call["subscription"], name, place, body.get("tags"), managed_by=owner)
    _written(call, group)
    return Response(200 if existing else 201, _group(group))


def _patch_group(call: Call) -> Response:
    group = call.world.groups.get(call["subscription"], call["group"])
    body = json_object(call.request.json)
    if "tags" in body:
        group.tags = dict(body["tags"] or {})
        call.world.groups.version += 1
    _written(call, group)
    return Response(200, _group(group))


def _written(call: Call, group: Group) -> None:
    operation = "Microsoft.Resources/subscriptions/resourceGroups/write"
    call.world.events.publish(group.subscription, RESOURCES_WRITE, group.id, operation)


# models group-deletion, group-deletion-takes
def _delete_group(call: Call) -> Response:
    """Accept the deletion and carry it out later; a group that holds vaults is not simulated."""
    world = call.world
    group = world.groups.get(call["subscription"], call["group"])
    if world.vaults.in_subscription(group.subscription, group.name):
        raise ArmError(501, "NotSimulated", "azsim does not delete groups that hold vaults")
    group.provisioning = "Deleting"
    done_at = world.clock.now() + _GROUP_DELETION
    world.clock.at(done_at, lambda: world.groups.delete(group.subscription, group.name))
    until = int(done_at.timestamp())
    ticket = f"eyJqb2JJZCI6IlJFU09VUkNFR1JPVVBERUxFVElPTkpPQi-{group.name.upper()}-{until}"
    path = f"/subscriptions/{group.subscription}/operationresults/{ticket}"
    link = f"{call.request.origin}{path}?api-version={call.request.query['api-version']}"
    return Response(202, None, {"Location": link + signed_query(path), "Retry-After": "15"})


def _group_deletion(call: Call) -> Response:
    """Answer 202 until the deletion is done, then 200; the ticket itself says until when."""
    stamp = re.search(r"-(\d+)$", call["ticket"])
    if stamp is None:
        raise ArmError(404, "OperationNotFound", "The operation was not found.")
    if call.world.clock.now().timestamp() < int(stamp[1]):
        return Response(202, None, {"Location": call.request.url, "Retry-After": "15"})
    return Response(200)


def _group(group: Group) -> Json:
    shown: dict[str, Any] = {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": dict(group.tags),
        "properties": {"provisioningState": group.provisioning},
    }
    return shown | ({"managedBy": group.managed_by} if group.managed_by else {})


_CLAUSE = re.compile(
    r"^(resourceType|name|location|resourceGroup|tagName|tagValue) eq '([^']*)'$", re.I
)


def _clauses(call: Call) -> dict[str, str]:
    """Read `$filter`: `eq` clauses joined by `and`; what else OData knows is not simulated."""
    text = call.request.query.get("$filter", "").strip()
    clauses: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text, flags=re.I) if text else ():
        if (found := _CLAUSE.match(part.strip("() "))) is None:
            raise ArmError(501, "FilterNotSimulated", f"azsim does not know the filter {part!r}")
        clauses[found[1].lower()] = found[2].lower()
    return clauses


def _tag_filter(call: Call) -> Any:
    clauses = _clauses(call)
    name, value = clauses.get("tagname"), clauses.get("tagvalue")

    def match(tags: Mapping[str, str]) -> bool:
        if name is None:
            return True
        held = {key.lower(): text.lower() for key, text in tags.items()}
        return name in held and value in (None, held[name])

    return match


def _resources(call: Call) -> Response:
    clauses, tagged = _clauses(call), _tag_filter(call)
    wanted = {
        "type": clauses.get("resourcetype"),
        "name": clauses.get("name"),
        "location": clauses.get("location"),
    }
    group = (call.params.get("group") or clauses.get("resourcegroup") or "").lower()

    def match(row: dict[str, Any]) -> bool:
        return (
            all(value in (None, row[key].lower()) for key, value in wanted.items())
            and (not group or f"/resourcegroups/{group}/" in row["id"].lower())
            and tagged(row.get("tags") or {})
        )

    top = int(call.request.query.get("$top", _PAGE))
    rows = [row for row in _every_resource(call) if match(row)]
    return page(call, rows, min(top, _PAGE), lambda row: _expanded(row, call))


# models resource-list-expanded
def _expanded(row: dict[str, Any], call: Call) -> dict[str, Any]:
    """Show a row with what `$expand` asks for; it may ask for these three (learn)."""
    asked = call.request.query.get("$expand", "").lower().split(",")
    told = {name: value for name, value in row.items() if name not in _EXPANDABLE}
    return told | {name: row[name] for name in _EXPANDABLE if name.lower() in asked}


def _every_resource(call: Call) -> Iterator[dict[str, Any]]:
    world, sub = call.world, call["subscription"]
    for machine in world.machines.in_subscription(sub):
        row = _listed(machine.id, "Microsoft.Compute/virtualMachines", machine)
        changed = machine.changed_at or machine.created
        yield row | _life(machine.created, changed, machine.provisioning)
    for disk in world.machines.disks.in_subscription(sub):
        tier = disk.sku.split("_")[0]
        row = _listed(disk.id, "Microsoft.Compute/disks", disk)
        row |= {"sku": {"name": disk.sku, "tier": tier}, "managedBy": disk.managed_by}
        yield row | _life(disk.created, disk.created)
    for vault in world.vaults.in_subscription(sub):
        row = _listed(vault.id, "Microsoft.RecoveryServices/vaults", vault) | {"sku": vault.sku}
        yield row | _life(vault.created, vault.written_at)
    for network in world.networks.in_subscription(sub):
        yield _listed(network.id, NETWORK, network) | _life(network.created, network.settled_at)
    for part in world.networks.parts.in_subscription(sub):
        yield _listed(part.id, part.kind, part) | _life(part.created, part.created)
    for nic in world.networks.interfaces.in_subscription(sub):
        yield _listed(nic.id, NIC, nic) | _life(nic.created, nic.created)
    for account in world.storage_accounts.in_subscription(sub):
        tier = account.sku.split("_")[0]
        row = _listed(account.id, STORAGE_ACCOUNT, account)
        row |= {"kind": account.kind, "sku": {"name": account.sku, "tier": tier}}
        yield row | _life(account.created, account.ready_at)


def _life(created: datetime, changed: datetime, state: str = "Succeeded") -> dict[str, str]:
    times = (stamp(created), stamp(changed), state)
    return dict(zip(_EXPANDABLE, times, strict=True))


def _listed(resource_id: str, kind: str, resource: Any) -> dict[str, Any]:
    row = {
        "id": resource_id,
        "name": resource_id.rsplit("/", 1)[1],
        "type": kind,
        "location": resource.location,
    }
    return row | ({"tags": dict(resource.tags)} if resource.tags else {})


def _no_classic_storage(call: Call) -> Response:
    """Say that there are no classic storage accounts: az asks for them first (recorded)."""
    raise resource_not_found(
        "Microsoft.ClassicStorage/storageAccounts", call["name"], call["group"]
    )


def _route(name: str, method: str, path: str, handler: Handler, action: str) -> Route:
    return Route(name, method, path, handler, action=f"Microsoft.Resources/subscriptions/{action}")


_SUB = "/subscriptions/{subscription}"

ROUTES: tuple[Route, ...] = (
    _route("groups.list", "GET", f"{_SUB}/resourceGroups", _groups, "resourceGroups/read"),
    _route("groups.get", "GET", _GROUP, _get_group, "resourceGroups/read"),
    _route("groups.head", "HEAD", _GROUP, _head_group, "resourceGroups/read"),
    _route("groups.put", "PUT", _GROUP, _put_group, "resourceGroups/write"),
    _route("groups.patch", "PATCH", _GROUP, _patch_group, "resourceGroups/write"),
    _route("groups.delete", "DELETE", _GROUP, _delete_group, "resourceGroups/delete"),
    _route(
        "groups.deletion",
        "GET",
        f"{_SUB}/operationresults/{{ticket}}",
        _group_deletion,
        "operationresults/read",
    ),
    _route("resources.list", "GET", f"{_SUB}/resources", _resources, "resources/read"),
    _route(
        "resources.list_by_group",
        "GET",
        f"{_GROUP}/resources",
        _resources,
        "resourceGroups/resources/read",
    ),
    _route(
        "classic_storage.get",
        "GET",
        f"{_GROUP}/providers/Microsoft.ClassicStorage/storageAccounts/{{name}}",
        _no_classic_storage,
        "classicStorage/read",
    ),
)
