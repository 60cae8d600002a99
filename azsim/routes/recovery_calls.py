"""What the routes of Recovery Services share: finding the vault, paging, and operation links."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from azsim.http import ArmError, Response
from azsim.recovery import errors
from azsim.recovery.items import Item, item_key_of
from azsim.recovery.wire import path_of, signed_query
from azsim.router import Call
from azsim.vaults import Vault

SUBSCRIPTION = "/subscriptions/{sub}"
VAULTS = f"{SUBSCRIPTION}/resourceGroups/{{group}}/providers/Microsoft.RecoveryServices/vaults"
VAULT = f"{VAULTS}/{{vault}}"
ITEM = (
    f"{VAULT}/backupFabrics/{{fabric}}/protectionContainers/{{container}}/protectedItems/{{item}}"
)
RSV = "Microsoft.RecoveryServices/vaults"
# models retry-after
RETRY_AFTER = "60"  # Spec's examples of Azure Backup; vaults and validations say 10.
SOONER = "10"
_DEFAULT_VERSION = "2024-04-01"


def vault_of(call: Call) -> Vault:
    """Return the vault that the path names; raises ARM's 404."""
    return call.world.vaults.get(call["sub"], call["group"], call["vault"])


def key_of(call: Call) -> str:
    """Return the item's key; raises ArmError 400 for names that are no VM's, or do not agree."""
    key = item_key_of(call["item"])
    if key is None or item_key_of(call["container"]) != key:
        raise errors.CONTAINER_UNKNOWN.error()
    return key


def item_of(call: Call) -> tuple[Vault, Item]:
    """Return vault and item of the path; raises ArmError 404."""
    vault = vault_of(call)
    key = item_key_of(call["item"])
    item = vault.item(key) if key is not None else None
    if item is None:
        raise errors.ITEM_NOT_FOUND.error()
    return vault, item


def body_of(call: Call) -> dict[str, Any]:
    """Return the request's JSON object; raises ArmError 400 for anything else."""
    body = call.request.json
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid.")
    return body


def properties_of(call: Call) -> dict[str, Any]:
    """Return `properties` of the request's body; raises ArmError 400 where there are none."""
    properties = body_of(call).get("properties")
    if not isinstance(properties, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content has no properties.")
    return properties


def listed(call: Call, bodies: Sequence[dict[str, Any]]) -> Response:
    """Answer one page of `bodies`; the link to the next keeps the client's query."""
    size = call.world.vaults.rules.page
    start = _position(call.request.query.get("$skiptoken"))
    page: dict[str, Any] = {"value": list(bodies[start : start + size])}
    if start + size < len(bodies):
        token = base64.urlsafe_b64encode(f"after:{start + size}".encode()).decode()
        query = {name: value for name, value in call.request.query.items() if name != "$skiptoken"}
        text = urlencode({**query, "$skipToken": token}, quote_via=quote, safe="$=")
        page["nextLink"] = f"{call.request.origin}{path_of(call.request.path)}?{text}"
    return Response(200, page)


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if word == "after":
            return int(number)
    except ValueError:
        pass
    raise ArmError(400, "BMSUserErrorInvalidInput", "The skip token is not valid.")


def link(call: Call, path: str, version: str | None = None) -> str:
    """Build a signed operation URL on the host that the client called."""
    version = version or call.request.query.get("api-version", _DEFAULT_VERSION)
    return f"{call.request.origin}{path}?api-version={version}{signed_query(path)}"


def accepted(
    call: Call,
    status_path: str,
    results_path: str,
    *,
    status_version: str | None = None,
    body: Mapping[str, Any] | None = None,
    retry_after: str = RETRY_AFTER,
) -> Response:
    """Answer 202 with both links, as every asynchronous call here does."""
    headers = {
        "Azure-AsyncOperation": link(call, status_path, status_version),
        "Location": link(call, results_path),
        "Retry-After": retry_after,
    }
    return Response(202, body, headers)
