"""The tags API: `{scope}/providers/Microsoft.Resources/tags/default` on groups and resources."""

from collections.abc import Mapping

from azsim.groups import RESOURCES_WRITE, resource_not_found
from azsim.http import ArmError, Json, Response, json_object
from azsim.router import Call, Handler, Route


def _get_tags(call: Call) -> Response:
    scope, tags = _tagged(call)
    return Response(200, _tags(scope, tags))


def _put_tags(call: Call) -> Response:
    given = json_object(json_object(call.request.json).get("properties")).get("tags") or {}
    return _store_tags(call, {str(key): str(value) for key, value in given.items()})


# models tags-api
def _patch_tags(call: Call) -> Response:
    """Merge, replace or delete tags; names compare without case (learn: tag resources)."""
    body = json_object(call.request.json)
    given = json_object(body.get("properties")).get("tags") or {}
    _, held = _tagged(call)
    named = {key.lower() for key in given}
    match body.get("operation"):
        case "Replace":
            return _store_tags(call, dict(given))
        case "Merge":
            kept = {key: value for key, value in held.items() if key.lower() not in named}
            return _store_tags(call, kept | given)
        case "Delete":
            kept = {key: value for key, value in held.items() if key.lower() not in named}
            return _store_tags(call, kept)
    raise ArmError(400, "InvalidTagPatchOperation", "The tag patch operation is invalid.")


def _delete_tags(call: Call) -> Response:
    _store_tags(call, {})
    return Response(200)


def _tagged(call: Call) -> tuple[str, dict[str, str]]:
    """Return the id whose tags these are and its tags; raises 404, 501 for types not simulated."""
    world, sub, group = call.world, call["subscription"], call["group"]
    if "kind" not in call.params:
        found = world.groups.get(sub, group)
        return found.id, found.tags
    kind = f"{call['provider']}/{call['kind']}"
    resource_id = f"/subscriptions/{sub}/resourceGroups/{group}/providers/{kind}/{call['name']}"
    holders = {
        "microsoft.compute/virtualmachines": world.machines.find,
        "microsoft.compute/disks": world.machines.disks.find,
        "microsoft.recoveryservices/vaults": world.vaults.by_id,
    }
    if (finder := holders.get(kind.lower())) is None:
        raise ArmError(501, "NotSimulated", f"azsim has no tags for {kind}")
    resource = finder(resource_id)
    if resource is None:
        raise resource_not_found(kind, call["name"], group)
    return resource.id, resource.tags


def _store_tags(call: Call, tags: dict[str, str]) -> Response:
    scope, held = _tagged(call)
    world = call.world
    if world.machines.find(scope) is not None:
        world.machines.tag(scope, tags, by_tags_api=True)
        return Response(200, _tags(scope, tags))
    held.clear()
    held.update(tags)
    for registry in (world.groups, world.machines.disks, world.vaults):
        registry.version += 1
    subject = f"{scope}/providers/Microsoft.Resources/tags/default"
    world.events.publish(
        call["subscription"], RESOURCES_WRITE, subject, "Microsoft.Resources/tags/write"
    )
    return Response(200, _tags(scope, tags))


def _tags(scope: str, tags: Mapping[str, str]) -> Json:
    return {
        "id": f"{scope}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(tags)},
    }


_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_SCOPES = {"tags": f"{_GROUP}/providers/{{provider}}/{{kind}}/{{name}}", "group_tags": _GROUP}
_VERBS: tuple[tuple[str, str, Handler, str], ...] = (
    ("get", "GET", _get_tags, "read"),
    ("put", "PUT", _put_tags, "write"),
    ("patch", "PATCH", _patch_tags, "write"),
    ("delete", "DELETE", _delete_tags, "delete"),
)

ROUTES: tuple[Route, ...] = tuple(
    Route(
        f"{prefix}.{name}",
        method,
        f"{scope}/providers/Microsoft.Resources/tags/default",
        handler,
        action=f"Microsoft.Resources/tags/{verb}",
    )
    for prefix, scope in _SCOPES.items()
    for name, method, handler, verb in _VERBS
)
