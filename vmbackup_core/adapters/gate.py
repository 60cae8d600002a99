"""
The last gate: whatever the code above it does, nothing leaves that is not in the table of deeds.

The gate is a transport around the real transport, handed to each client as its `transport=`: the
last thing before the wire, behind every policy, retry, redirect and batch of any SDK, through the
one door that all of them have in public. Each adapter makes its own, for its own place.

It reads requests strictly. Where a service could possibly read a request in another way than the
gate does (a doubled JSON key, an encoded slash, an override header), the gate refuses.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from vmbackup_core.adapters.deed_forms import Deed, Found, Host, Identity
from vmbackup_core.adapters.deeds import CAN_DO
from vmbackup_core.domain.errors import Denied

CODE = "LastGate"

CONNECTING = timedelta(seconds=20)
READING = timedelta(seconds=65)  # ARM itself gives up after 60 s.

_READS = ("GET", "HEAD")
_WITH_JSON = (Host.ARM, Host.STAGING, Host.LOGS, Host.EMAIL)
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
    A transport that lets through what `CAN_DO` lists for one place and one identity.

    The place is `host`, which answers at `url`. Without a `transport` the gate makes azure-core's
    own. Mails leave from `sender` alone. It keeps in mind what was just seen to be missing, which
    alone may be created.
    """

    url: str
    host: Host
    transport: Any = None
    identity: Identity = Identity.PROTECTOR
    sender: str = ""
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
        response = self._real().send(request, **options)
        if request.method == "GET":
            self._remember(target, missing=response.status_code == 404)
        return response

    def _check(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> bool:
        """Return whether a request creates something; raises where it must not leave."""
        path = self._path(url)
        if any(_OVERRIDES.fullmatch(name.lower()) for name in headers):
            raise _NotListed("a header could change its meaning")
        if method in _READS:
            return False
        deed, found = self._deed(method, _plain(path))
        _check_query(deed, parse_qsl(urlsplit(url).query, keep_blank_values=True))
        for name in headers:
            if not _HEADERS.fullmatch(name.lower()) and name.lower() not in deed.may_bear:
                raise _NotListed(f"header {name} does not belong to it")
        given = {name.lower(): value for name, value in headers.items()}
        if any(given.get(name) != value for name, value in deed.headers.items()):
            raise _NotListed(f"without {', '.join(deed.headers)}")
        if deed.host in _WITH_JSON:
            read = _check_body(deed, found, headers, body)
            if deed.host is Host.EMAIL and read.get("senderaddress") != self.sender:
                raise _NotListed("it is not from our address")
        if deed.creates and _target(url) not in self._missing:
            raise _NotListed("it was not seen to be missing just now")
        return deed.creates

    def _path(self, url: str) -> str:
        """Return the raw path of `url` at our place; refuse one that leads elsewhere."""
        if not url.isascii() or re.search(r"[\s\\#\x00-\x1f\x7f]", url):
            raise _NotListed("its URL is not plain")
        if not same_place(url, self.url):
            raise _NotListed("a place that is none of ours")
        path, below = urlsplit(url).path, urlsplit(self.url).path.rstrip("/")
        if not path.startswith(f"{below}/") and path != below:
            raise _NotListed("a place that is none of ours")
        return path.removeprefix(below)

    def _deed(self, method: str, path: str) -> tuple[Deed, Found]:
        for deed in CAN_DO:
            if (found := deed.match(self.host, method, path)) is not None:
                if not deed.reads and deed.who is not self.identity:
                    raise _NotListed(f"it is not for the {self.identity}")
                return deed, found
        raise _NotListed("not in the list of what this app can do")

    def _remember(self, target: str, *, missing: bool) -> None:
        """Keep in mind that a thing is missing, if it is one that may be created."""
        path = target.partition("/")[2]
        makes = (deed for deed in CAN_DO if deed.creates)
        if missing and any(deed.match(self.host, "PUT", f"/{path}") for deed in makes):
            self._missing.add(target)
        else:
            self._missing.discard(target)

    # What azure-core asks of a transport.

    def _real(self) -> Any:
        if self.transport is None:
            from azure.core.pipeline.transport import RequestsTransport

            self.transport = RequestsTransport(
                connection_timeout=CONNECTING.total_seconds(), read_timeout=READING.total_seconds()
            )
        return self.transport

    def open(self) -> None:
        self._real().open()

    def close(self) -> None:
        self._real().close()

    def sleep(self, duration: float) -> None:
        self._real().sleep(duration)

    def __enter__(self) -> "Gate":
        self._real().__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._real().__exit__(*details)


def same_place(url: str, other: str) -> bool:
    """Whether two URLs lead to the same scheme, host and port."""
    return _origin(url) == _origin(other)


class _NotListed(Exception):
    """Why a request is refused."""


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)  # Azure writes its links with and without the port.
    return parts.scheme, parts.netloc.lower().removesuffix(":443")


def _plain(raw: str) -> str:
    """Return a path decoded; refuse one that could be read in two ways."""
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


def _check_body(deed: Deed, found: Found, headers: Mapping[str, str], body: Any) -> Any:
    """Return the body as it was read, None where there is none."""
    if deed.body is None:
        if body:
            raise _NotListed("it has a body")
        return None
    lowered = {name.lower(): value for name, value in headers.items()}
    if not _JSON.fullmatch(lowered.get("content-type", "")):
        raise _NotListed("its body is not said to be JSON in UTF-8")
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        raise _NotListed("its body cannot be read beforehand")
    read = _strict_json(body)
    if wrong := deed.body(found, read):
        raise _NotListed(wrong)
    return read


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
    return f"{_origin(url)[1]}{unquote(urlsplit(url).path)}".lower()
