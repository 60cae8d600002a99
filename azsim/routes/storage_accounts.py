"""Microsoft.Storage/storageAccounts: the accounts themselves, as ARM shows them."""

from datetime import timedelta
from typing import Any

from azsim.arm_ids import resource_id
from azsim.groups import RESOURCES_DELETE, RESOURCES_WRITE, resource_not_found
from azsim.http import ArmError, Response, json_object
from azsim.router import Call, Handler, Route
from azsim.routes.paging import page
from azsim.storage_accounts import KIND, NAME, StorageAccount, shown

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
_PAGE = 1000
_ECHOED = frozenset(
    {
        "accessTier",
        "allowBlobPublicAccess",
        "allowCrossTenantReplication",
        "allowSharedKeyAccess",
        "minimumTlsVersion",
        "publicNetworkAccess",
        "supportsHttpsTrafficOnly",
    }
)
_POLL_AFTER = "17"  # What the service says in public logs.


def _found(call: Call) -> StorageAccount:
    account_id = resource_id(call["subscription"], call["group"], KIND, call["account"])
    if (account := call.world.storage_accounts.find(account_id)) is None:
        raise resource_not_found(KIND, call["account"], call["group"])
    return account


def _get(call: Call) -> Response:
    return Response(200, shown(_found(call)))


def _list(call: Call) -> Response:
    rows = call.world.storage_accounts.in_subscription(call["subscription"])
    if group := call.params.get("group", "").lower():
        rows = [account for account in rows if account.group.lower() == group]
    return page(call, rows, _PAGE, shown)


# models storage-account-put, storage-account-takes
def _put(call: Call) -> Response:
    """Make an account: 202 and a link that answers 202 until the account is there, then 200."""
    accounts, body = call.world.storage_accounts, json_object(call.request.json)
    name, location = call["account"], str(body.get("location", "")).replace(" ", "").lower()
    if not NAME.fullmatch(name):
        raise ArmError(400, "AccountNameInvalid", _invalid(name))
    account_id = resource_id(call["subscription"], call["group"], KIND, name)
    settings = _settings(json_object(body.get("properties")))
    if (known := accounts.find(account_id)) is not None:
        known.tags = dict(body.get("tags") or {})
        known.settings |= settings
        return Response(200, shown(known))
    if accounts.taken(name):
        raise ArmError(409, "StorageAccountAlreadyTaken", _taken(name))
    takes = timedelta(seconds=call.world.rng.randint(15, 25))
    account = accounts.create(
        call["subscription"],
        call["group"],
        name,
        location,
        sku=json_object(body.get("sku")).get("name", "Standard_LRS"),
        kind=body.get("kind", "StorageV2"),
        tags=body.get("tags"),
        takes=takes,
    )
    account.settings |= settings
    call.world.events.publish(call["subscription"], RESOURCES_WRITE, account.id, f"{KIND}/write")
    return _wait(call, account)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored and shown again; encryption is always Microsoft's own."""
    wanted = {name: value for name, value in given.items() if value is not None}
    source = json_object(wanted.pop("encryption", None)).get("keySource", "Microsoft.Storage")
    if unknown := set(wanted) - _ECHOED:
        raise ArmError(501, "FieldNotSimulated", f"azsim has no {sorted(unknown)} of accounts")
    if source != "Microsoft.Storage":
        raise ArmError(501, "FieldNotSimulated", f"azsim has no keys of {source} for accounts")
    return wanted


# models storage-account-name-check
def _check_name(call: Call) -> Response:
    name = str(json_object(call.request.json).get("name"))
    if not NAME.fullmatch(name):
        return Response(
            200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": _invalid(name)}
        )
    if call.world.storage_accounts.taken(name):
        return Response(
            200, {"nameAvailable": False, "reason": "AlreadyExists", "message": _taken(name)}
        )
    return Response(200, {"nameAvailable": True})


def _taken(name: str) -> str:
    return f"The storage account named {name} is already taken."


def _invalid(name: str) -> str:
    return (
        f"{name} is not a valid storage account name. Storage account name must be between 3 and "
        "24 characters in length and use numbers and lower-case letters only."
    )


def _wait(call: Call, account: StorageAccount) -> Response:
    path = (
        f"/subscriptions/{call['subscription']}/providers/Microsoft.Storage"
        f"/locations/{account.location}/asyncoperations/{account.operation}"
    )
    version = call.request.query["api-version"]
    link = f"{call.request.origin}{path}?monitor=true&api-version={version}"
    return Response(202, None, {"Location": link, "Retry-After": _POLL_AFTER})


def _operation(call: Call) -> Response:
    account = call.world.storage_accounts.made_by(call["operation"])
    if account is None:
        raise ArmError(404, "NotFound", f"Operation {call['operation']} not found.")
    if call.world.clock.now() < account.ready_at:
        return _wait(call, account)
    return Response(200, shown(account))


def _delete(call: Call) -> Response:
    """Delete an account at once; 204 where there is none."""
    accounts = call.world.storage_accounts
    account_id = resource_id(call["subscription"], call["group"], KIND, call["account"])
    if (account := accounts.find(account_id)) is None:
        return Response(204)
    accounts.delete(account)
    call.world.events.publish(call["subscription"], RESOURCES_DELETE, account.id, f"{KIND}/delete")
    return Response(200)


def _route(name: str, method: str, path: str, handler: Handler, verb: str) -> Route:
    return Route(f"storage_accounts.{name}", method, path, handler, action=f"{KIND}/{verb}")


_ACCOUNTS = f"{_GROUP}/{KIND}"
_BELOW = "/subscriptions/{subscription}/providers"

ROUTES: tuple[Route, ...] = (
    _route("get", "GET", f"{_ACCOUNTS}/{{account}}", _get, "read"),
    _route("put", "PUT", f"{_ACCOUNTS}/{{account}}", _put, "write"),
    _route("delete", "DELETE", f"{_ACCOUNTS}/{{account}}", _delete, "delete"),
    _route("list", "GET", _ACCOUNTS, _list, "read"),
    _route("list_all", "GET", f"{_BELOW}/{KIND}", _list, "read"),
    Route(
        "storage_accounts.check_name",
        "POST",
        f"{_BELOW}/Microsoft.Storage/checkNameAvailability",
        _check_name,
        action="Microsoft.Storage/checknameavailability/read",
    ),
    Route(
        "storage_accounts.operation",
        "GET",
        f"{_BELOW}/Microsoft.Storage/locations/{{location}}/asyncoperations/{{operation}}",
        _operation,
        action="Microsoft.Storage/locations/asyncoperations/read",
    ),
)
