"""Plain calls of ARM for tests that look at the wire itself."""

import json
from typing import Any

from azsim.http import Request, Response
from azsim.world import World

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web"


def ask(
    world: World,
    method: str,
    path: str,
    body: Any = None,
    *,
    token: str = "somebody",
    version: str = "2024-07-01",
    **headers: str,
) -> Response:
    """Make one call as `token`; a path that bears no api-version gets `version`."""
    if version and "api-version" not in path:
        path += ("&" if "?" in path else "?") + f"api-version={version}"
    origin = "" if path.startswith("https://") else "https://management.azure.com"
    sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    if token:
        sent["authorization"] = f"Bearer {token}"
    payload = b"" if body is None else json.dumps(body).encode()
    if payload:
        sent["content-type"] = "application/json"
    return world.handle(Request(method, origin + path, sent, payload, client="test"))


def code(response: Response) -> str:
    """Return the error code of an answer."""
    return str(response.body["error"]["code"])  # type: ignore[index, call-overload]
