"""
The last gate: whatever the code above it does, nothing leaves that is not in the table of deeds.

The gate is a transport around the real transport, handed to every client as `transport=`: the last
thing before the wire, behind every policy, retry, redirect and batch of any SDK, through the one
door that all of them have in public.

It reads requests strictly. Where a service could possibly read a request in another way than the
gate does (a doubled JSON key, an encoded slash, an override header), the gate refuses.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from vmbackup_core.adapters.deeds import CAN_DO, Deed, Found, Host
from vmbackup_core.domain.errors import Denied

CODE = "LastGate"

_READS = ("GET", "HEAD")
# Headers that may go with a write: none can name another method, another target or another body.
_HEADERS = re.compile(
    r"accept|accept-encoding|authorization|connection|content-length|content-md5|content-type"
    r"|user-agent|traceparent|tracestate|date|if-match|if-none-match|prefer"
    r"|dataserviceversion|maxdataserviceversion|x-ms-client-request-id"
    r"|x-ms-return-client-request-id|x-ms-date|x-ms-version|x-ms-content-crc64"
    r"|x-ms-blob-type|x-ms-blob-content-[a-z0-9-]+"
)
_JSON = re.compile(r"application/json(;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
_OVERRIDES = re.compile(r".*(method|override|original-url|rewrite-url|forwarded).*")


@dataclass(slots=True)
class Gate:
    """
    A transport that lets through what `CAN_DO` lists, to the `hosts` that are ours.

    With `may_write` False only reads pass. One gate serves all clients of one identity: it keeps in
    mind what was just seen to be missing, which alone may be created.
    """

    transport: Any
    hosts: Mapping[str, Host]
    may_write: bool = True
    _missing: set[str] = field(default_factory=set)

    def send(self, request: Any, **options: Any) -> Any:
        """Send `request`, or raise Denied (code `LastGate`) before anything leaves."""
        body = getattr(request, "content", None) or getattr(request, "data", None)
        target = _target(request.url)
        try:
            creates = self._check(request.method, request.url, request.headers, body)
        except _NotListed as no:
            refused = f"refused by the last gate: {request.method} {target}: {no}"
            raise Denied(refused, code=CODE) from None
        if creates:  # Once: whether it is still missing then is another look.
            self._missing.discard(target)
        response = self.transport.send(request, **options)
        if request.method == "GET":
            self._remember(target, missing=response.status_code == 404)
        return response

    def _check(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> bool:
        """Return whether a request creates something; raises where it must not leave."""
        host = self._host(url)
        if any(_OVERRIDES.fullmatch(name.lower()) for name in headers):
            raise _NotListed("a header could change its meaning")
        if method in _READS:
            return False
        deed, found = self._deed(host, method, _plain_path(url))
        _check_query(deed, parse_qsl(urlsplit(url).query, keep_blank_values=True))
        for name in headers:
            if not _HEADERS.fullmatch(name.lower()):
                raise _NotListed(f"header {name} does not belong to it")
        if deed.host is Host.ARM:
            _check_body(deed, found, headers, body)
        if deed.creates and _target(url) not in self._missing:
            raise _NotListed("it was not seen to be missing just now")
        return deed.creates

    def _host(self, url: str) -> Host:
        if not url.isascii() or re.search(r"[\s\\#\x00-\x1f\x7f]", url):
            raise _NotListed("its URL is not plain")
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise _NotListed("it is not https")
        host = self.hosts.get(parts.netloc.lower().removesuffix(":443"))
        if host is None:
            raise _NotListed("a host that is none of ours")
        return host

    def _deed(self, host: Host, method: str, path: str) -> tuple[Deed, Found]:
        for deed in CAN_DO:
            if (found := deed.match(host, method, path)) is not None:
                if not (deed.reads or self.may_write):
                    raise _NotListed("this identity only reads")
                return deed, found
        raise _NotListed("not in the list of what this app can do")

    def _remember(self, target: str, *, missing: bool) -> None:
        """Keep in mind that a thing is missing, if it is one that may be created."""
        path = target[target.index("/") :] if "/" in target else ""
        makes = (deed for deed in CAN_DO if deed.creates)
        if missing and any(deed.match(deed.host, "PUT", path) for deed in makes):
            self._missing.add(target)
        else:
            self._missing.discard(target)

    # What azure-core asks of a transport.

    def open(self) -> None:
        self.transport.open()

    def close(self) -> None:
        self.transport.close()

    def sleep(self, duration: float) -> None:
        self.transport.sleep(duration)

    def __enter__(self) -> "Gate":
        self.transport.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self.transport.__exit__(*details)


class _NotListed(Exception):
    """Why a request is refused."""


def _plain_path(url: str) -> str:
    """Return the decoded path of `url`; refuse one that could be read in two ways."""
    raw = urlsplit(url).path
    if re.search(r"%(2f|5c|25|00|3f|23)", raw, re.IGNORECASE):
        raise _NotListed("its path hides a separator")
    try:
        path = unquote(raw, errors="strict")
    except ValueError:
        raise _NotListed("its path is not UTF-8") from None
    if any(not segment.strip(".") for segment in path.split("/")[1:]):
        raise _NotListed("its path has empty or dotted segments")
    return path


def _check_query(deed: Deed, query: list[tuple[str, str]]) -> None:
    names = [name.lower() for name, _ in query]
    if len(set(names)) != len(names):
        raise _NotListed("a query parameter comes twice")
    for name, value in query:
        if name not in deed.query or not re.fullmatch(deed.query[name], value):
            raise _NotListed(f"query {name}={value} does not belong to it")
    if "api-version" in deed.query and "api-version" not in names:
        raise _NotListed("no api-version")
    if deed.query.get("restype") and "restype" not in names:
        raise _NotListed("no restype")


def _check_body(deed: Deed, found: Found, headers: Mapping[str, str], body: Any) -> None:
    if deed.body is None:
        if body:
            raise _NotListed("it has a body")
        return
    lowered = {name.lower(): value for name, value in headers.items()}
    if not _JSON.fullmatch(lowered.get("content-type", "")):
        raise _NotListed("its body is not said to be JSON in UTF-8")
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        raise _NotListed("its body cannot be read beforehand")
    if wrong := deed.body(found, _strict_json(body)):
        raise _NotListed(wrong)


def _strict_json(body: bytes) -> Any:
    """Read JSON with its keys in lower case, as Azure does; refuse what two readers read apart."""

    def one_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for key, value in pairs:
            if not key.isascii() or key.lower() in read:
                raise _NotListed(f"its body has the key {key!r} twice, or an odd one")
            read[key.lower()] = value
        return read

    def no_constant(name: str) -> Any:
        raise _NotListed(f"its body holds {name}")

    try:
        text = body.decode("utf-8", errors="strict")
        return json.loads(text, object_pairs_hook=one_object, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise _NotListed("its body is no JSON") from None


def _target(url: str) -> str:
    """Return the resource that a URL names, without its query and in lower case."""
    parts = urlsplit(url)
    return f"{parts.netloc.removesuffix(':443')}{unquote(parts.path)}".lower()
