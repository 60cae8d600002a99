"""
A recording: exchanges between a client and real Azure, in order, as JSON.

Each entry has method, host, path, query, request, status, headers (the few that matter), response,
and `repeated` where the same exchange followed itself; signatures are replaced by REDACTED.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

ARM_HOST = "management.azure.com"
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_REDACTED = "REDACTED"
_PLACEHOLDER_YEARS = 2010  # 2001 stands for "no backup yet".


@dataclass(frozen=True)
class Recorded:
    """One recorded exchange. `path` is decoded."""

    index: int
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    headers: Mapping[str, str]
    response: Any
    repeated: int = 1
    signed: bool = field(default=False)

    @cached_property
    def provider(self) -> str:
        """The resource provider that answers, `Microsoft.Resources` for groups and the like."""
        found = re.findall(r"/providers/([\w.]+)", self.path, re.IGNORECASE)
        return found[-1] if found else "Microsoft.Resources"

    def url(self, translate: Callable[[str], str]) -> str:
        """Return the URL with each id put through `translate`."""
        query = {name: translate(value) for name, value in self.query.items()}
        text = f"?{urlencode(query, quote_via=quote)}" if query else ""
        return f"https://{self.host}{quote(translate(self.path), safe='/')}{text}"

    @cached_property
    def first_time(self) -> datetime | None:
        """The first time that stands in the answer or its headers, None without any."""
        text = unquote(json.dumps(self.response))
        found = (datetime.fromisoformat(match[0]) for match in _TIME.finditer(text))
        return next((time for time in found if time.year > _PLACEHOLDER_YEARS), None)

    @property
    def changes_something(self) -> bool:
        return self.method not in ("GET", "HEAD") and not self.path.lower().endswith("backupstatus")


def load(file: Path) -> list[Recorded]:
    """Read a recording; raises ValueError for a file of another form."""
    entries = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise ValueError(f"{file.name}: not a list of exchanges")  # noqa: TRY004
    return [_recorded(index, entry) for index, entry in enumerate(entries)]


def _recorded(index: int, entry: Mapping[str, Any]) -> Recorded:
    query = entry.get("query") or {}
    return Recorded(
        index=index,
        method=entry["method"],
        host=entry["host"],
        path=unquote(entry["path"]),
        query={name: value for name, value in query.items() if value != _REDACTED},
        request=entry.get("request"),
        status=entry["status"],
        headers={name.lower(): value for name, value in (entry.get("headers") or {}).items()},
        response=entry.get("response"),
        repeated=entry.get("repeated") or 1,
        signed=_REDACTED in query.values(),
    )


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    match value:
        case dict():
            for inner in value.values():
                yield from texts_in(inner)
        case list():
            for inner in value:
                yield from texts_in(inner)
        case str():
            yield value
