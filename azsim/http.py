"""What travels on the simulated wire: requests, responses, and ARM's errors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = Any


@dataclass(frozen=True)
class Request:
    """
    One HTTP request. `path` is decoded and starts with one slash; header and query names keep the
    client's spelling in `url`, and are looked up in lower case in `headers` and `query`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "sdk"

    @cached_property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @cached_property
    def path(self) -> str:
        raw = unquote(urlsplit(self.url).path)
        return "/" + "/".join(part for part in raw.split("/") if part)

    @cached_property
    def query(self) -> Mapping[str, str]:
        pairs = parse_qsl(urlsplit(self.url).query, keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}

    @cached_property
    def json(self) -> Json:
        """The body as JSON, None when empty; a body that does not parse is answered 400."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            raise ArmError(
                400,
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized.",
            ) from None

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())

    @property
    def origin(self) -> str:
        """Scheme and host as the client sees them: what links in answers are built from."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{self.header('host') or parts.netloc}"


@dataclass(frozen=True)
class Response:
    """One answer. `body` is JSON (dict or list), bytes, text, or None for an empty one."""

    status: int
    body: Json | bytes | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[dict[str, str], bytes]:
        headers = {name: value for name, value in self.headers.items()}
        kind = {name.lower() for name in headers}
        match self.body:
            case None:
                payload = b""
            case bytes():
                payload = self.body
            case str():
                payload = self.body.encode()
            case _:
                payload = json.dumps(self.body).encode()
                if "content-type" not in kind:
                    headers["Content-Type"] = "application/json; charset=utf-8"
        headers.setdefault("Content-Length", str(len(payload)))
        return headers, payload


class ArmError(Exception):
    """
    An error in ARM's envelope: `{"error": {"code", "message", "target"?, "details"?,
    "additionalInfo"?}}`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        target: str = "",
        details: Sequence[Json] = (),
        additional_info: Sequence[Json] = (),
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})
        self.target = target
        self.details = tuple(details)
        self.additional_info = tuple(additional_info)

    def response(self) -> Response:
        error: dict[str, Json] = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        if self.details:
            error["details"] = list(self.details)
        if self.additional_info:
            error["additionalInfo"] = list(self.additional_info)
        return Response(self.status, {"error": error}, self.headers)


class ConnectionLost(Exception):
    """The connection broke; `after_effect` tells whether the service had already acted."""

    def __init__(self, *, after_effect: bool) -> None:
        super().__init__("connection reset by peer")
        self.after_effect = after_effect


def json_object(value: Json) -> dict[str, Any]:
    """Return a JSON object, an empty one for null; raises ArmError 400 for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ArmError(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized.",
        )
    return value
