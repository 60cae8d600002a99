"""Lists in pages: ARM's `value` and `nextLink`, the link built from the client's own URL."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from azsim.http import ArmError, Response
from azsim.router import Call


def page[T](
    call: Call, rows: Sequence[T], size: int, shape: Callable[[T], Any], token: str = "$skiptoken"
) -> Response:
    """Answer one page of `rows`; what comes next lies behind an offset in the link."""
    try:
        start = int(call.request.query.get(token.lower(), "0"))
    except ValueError:
        raise ArmError(400, "InvalidSkipToken", "The skip token is invalid.") from None
    body: dict[str, Any] = {"value": [shape(row) for row in rows[start : start + size]]}
    if start + size < len(rows):
        parts = urlsplit(call.request.url)
        query = [(k, v) for k, v in parse_qsl(parts.query) if k.lower() != token.lower()]
        link = urlencode([*query, (token, str(start + size))], quote_via=quote, safe="$")
        origin = urlsplit(call.request.origin)
        body["nextLink"] = urlunsplit((origin.scheme, origin.netloc, parts.path, link, ""))
    return Response(200, body)
