"""HTTP triggers: which request is for which function, and how it travels to the worker and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from azsim.host.functions import Function
from azsim.host.protocol import Message, TypedData
from azsim.host.runner import Runner
from azsim.http import Request, Response

CONSTRAINTS = {"int": r"-?\d+", "guid": r"[0-9a-fA-F-]{36}", "alpha": r"[A-Za-z]+"}


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One HTTP function: which requests are its own and who may call it."""

    function: Function
    pattern: "re.Pattern[str]"
    methods: frozenset[str]
    level: str

    @classmethod
    def of(cls, function: Function, prefix: str) -> "HttpRoute":
        trigger = function.trigger
        template = trigger.get("route") or function.name
        path = "/".join(part for part in (prefix.strip("/"), template.strip("/")) if part)
        methods = frozenset(str(m).upper() for m in trigger.get("methods") or ())
        level = str(trigger.get("authLevel", "FUNCTION")).lower()
        return cls(function, _template(path), methods, level)

    def match(self, request: Request) -> dict[str, str] | None:
        """Return the route's parameters where `request` is for this function."""
        if self.methods and request.method.upper() not in self.methods:
            return None
        found = self.pattern.fullmatch(request.path.strip("/"))
        return found and {k: v for k, v in found.groupdict().items() if v is not None}

    def run(self, request: Request, params: Mapping[str, str], runner: Runner) -> Response:
        """Invoke the function and make its answer an HTTP response."""
        http = Message(
            method=request.method,
            url=request.url,
            headers=dict(request.headers),
            params=dict(params),
            query={k: v for k, v in _query(request).items() if k != "code"},
            body=TypedData(bytes=request.body),
        )
        outcome = runner.invoke(
            self.function, {self.function.trigger["name"]: TypedData(http=http)}
        )
        # models http-failures
        if not outcome.succeeded:
            return Response(500)
        return _response(outcome.value)


def _query(request: Request) -> dict[str, str]:
    """The query with the names as they were written, which is how a function sees them."""
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))


# models http-routes
def _template(path: str) -> "re.Pattern[str]":
    """Compile an ASP.NET route template; raises ValueError on a constraint that is unknown."""
    parts = []
    for segment in path.split("/"):
        found = re.fullmatch(r"\{(\*{0,2})(\w+)(?::(\w+))?(\?)?\}", segment)
        if found is None:
            parts.append("/" + re.escape(segment))
            continue
        star, name, constraint, optional = found.groups()
        if constraint is not None and constraint not in CONSTRAINTS:
            raise ValueError(f"route constraint '{constraint}' is not simulated")
        body = ".*" if star else CONSTRAINTS.get(constraint or "", "[^/]+")
        group = f"/(?P<{name}>{body})"
        parts.append(f"(?:{group})?" if optional or star else group)
    return re.compile("".join(parts).removeprefix("/"), re.IGNORECASE)


def _response(value: TypedData | None) -> Response:
    if value is None:
        return Response(204)
    if (http := value.http) is None:
        return Response(200, value.string, {"Content-Type": "text/plain; charset=utf-8"})
    headers = dict(http.headers or {})
    # models http-cookies
    for cookie in http.cookies or ():
        headers["Set-Cookie"] = f"{cookie.name}={cookie.value}"
    body = http.body.bytes if http.body is not None else None
    return Response(int(http.status_code), body or None, headers)
