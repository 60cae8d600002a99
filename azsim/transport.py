"""
An azure-core transport that answers from a `World` in this process; sleeping moves its clock.

It is azure-core's own RequestsTransport over a `requests` session whose only adapter is the world:
what a client sees of headers, streams, truncated bodies and broken connections is made by the code
that runs in production, and nothing of it is imitated here.
"""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from azsim.http import ConnectionLost, Request, Response
from azsim.world import World


class SimTransport(RequestsTransport):  # type: ignore[misc]  # loaded lazily, so untyped
    """
    Hand it to any azure-core based client as `transport=`.

    No socket, no wall clock: `sleep` advances the world's clock, so retries and pollers of the SDKs
    work unchanged in virtual time. `client` names the caller in the world's call counts. It may be
    shared by clients and survives their `close`, since it owns nothing.
    """

    def __init__(self, world: World, *, client: str = "sdk") -> None:
        session = requests.Session()
        session.trust_env = False
        session.adapters.clear()
        session.mount("https://", _WorldAdapter(world, client))
        super().__init__(session=session, session_owner=False)
        self._world = world

    def sleep(self, duration: float) -> None:
        self._world.clock.advance(timedelta(seconds=duration))


class _WorldAdapter(BaseAdapter):
    """Where requests would open a connection, ask the world."""

    def __init__(self, world: World, client: str) -> None:
        super().__init__()
        self._world, self._client = world, client
        self._responses = HTTPAdapter()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        asked = Request(
            method=request.method or "GET",
            url=request.url or "",
            headers={name.lower(): _text(value) for name, value in request.headers.items()},
            body=_bytes_of(request.body),
            client=self._client,
        )
        began = self._world.clock.now()
        try:
            answer = self._world.handle(asked)
        except ConnectionLost as lost:
            cause = ProtocolError("Connection aborted.", ConnectionResetError(104, str(lost)))
            # azure-core tells a lost answer from a request that never left by this cause.
            raise requests.ConnectionError(
                cause if lost.after_effect else str(lost), request=request
            ) from lost
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        if patience and self._world.clock.now() - began > timedelta(seconds=patience):
            raise requests.ReadTimeout(f"Read timed out. (read timeout={patience})")
        return self._responses.build_response(request, _wire(asked.method, answer))

    def close(self) -> None: ...


def _wire(method: str, answer: Response) -> HTTPResponse:
    headers, payload = answer.encoded()
    return HTTPResponse(
        body=BytesIO(b"" if method == "HEAD" else payload),
        headers=headers,
        status=answer.status,
        reason=_reason(answer.status),
        preload_content=False,
        request_method=method,
        enforce_content_length=True,
    )


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus else "Unknown"


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes_of(body: Any) -> bytes:
    match body:
        case None:
            return b""
        case bytes() | bytearray() | memoryview():
            return bytes(body)
        case str():
            return body.encode()
        case _ if hasattr(body, "read"):
            return _bytes_of(body.read())
        case _:
            return b"".join(_bytes_of(part) for part in body)
