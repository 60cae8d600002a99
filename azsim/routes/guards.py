"""Resource Guard proxies of a vault, on the wire."""

from azsim.http import Response
from azsim.recovery import errors
from azsim.recovery.guards import Critical, Guard, allow, guard_body, unlock
from azsim.recovery.wire import stamp
from azsim.router import Call, Route
from azsim.routes.recovery_calls import RSV, VAULT, body_of, properties_of, vault_of


def _list(call: Call) -> Response:
    vault = vault_of(call)
    return Response(200, {"value": [guard_body(vault, guard) for guard in vault.guards.values()]})


def _get(call: Call) -> Response:
    return Response(200, guard_body(vault_of(call), _guard(call)))


def _guard(call: Call) -> Guard:
    if (guard := vault_of(call).guards.get(call["guard"].lower())) is None:
        raise errors.GUARD_NOT_FOUND.error(guard=call["guard"])
    return guard


def _put(call: Call) -> Response:
    vault, given = vault_of(call), properties_of(call)
    guard_id = str(given.get("resourceGuardResourceId") or "")
    if not guard_id:
        raise errors.GUARD_NOT_FOUND.error(guard="")
    guard = Guard(call["guard"], guard_id, call.world.clock.now())
    vault.guards[call["guard"].lower()] = guard
    call.world.vaults.changed()
    return Response(200, guard_body(vault, guard))


def _delete(call: Call) -> Response:
    vault = vault_of(call)
    if (guard := vault.guards.get(call["guard"].lower())) is None:
        return Response(204)
    own = f"{vault.id}/backupResourceGuardProxies/{guard.name}".lower()
    if guard.unlocked.get(own, call.world.clock.now()) <= call.world.clock.now():
        raise errors.GUARDED.error()
    del vault.guards[call["guard"].lower()]
    call.world.vaults.changed()
    return Response(200)


def _unlock(call: Call) -> Response:
    """Unlock one deletion; names the request of the operation that the deletion is."""
    vault, guard, given = vault_of(call), _guard(call), body_of(call)
    what = str(given.get("resourceToBeDeleted") or "")
    is_item = "/protecteditems/" in what.lower()
    operation = Critical.DELETE_ITEM if is_item else Critical.DELETE_PROXY
    allow(vault, operation, given.get("resourceGuardOperationRequests"))
    until = unlock(guard, what, call.world.clock.now())
    return Response(200, {"unlockDeleteExpiryTime": stamp(until)})


_GUARDS = f"{VAULT}/backupResourceGuardProxies"
_GUARD = f"{_GUARDS}/{{guard}}"
_ACTION = f"{RSV}/backupResourceGuardProxies"

ROUTES: tuple[Route, ...] = (
    Route("guards.list", "GET", _GUARDS, _list, action=f"{_ACTION}/read"),
    Route("guards.get", "GET", _GUARD, _get, action=f"{_ACTION}/read"),
    Route("guards.put", "PUT", _GUARD, _put, action=f"{_ACTION}/write"),
    Route("guards.delete", "DELETE", _GUARD, _delete, action=f"{_ACTION}/delete"),
    Route(
        "guards.unlock",
        "POST",
        f"{_GUARD}/unlockDelete",
        _unlock,
        action=f"{_ACTION}/unlockDelete/action",
    ),
)
