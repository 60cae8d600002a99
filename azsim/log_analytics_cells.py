"""How values go into a workspace's tables and come out as the service writes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from azsim.kql import span


def naive(when: datetime) -> datetime:
    """Return UTC without saying so, which is how the engine keeps times."""
    return when.astimezone(UTC).replace(tzinfo=None)


# models log-no-null-strings
def stored(value: Any, kind: str) -> str | None:
    """Write a value as text that the engine reads into its column; no text of Kusto's is null."""
    match value:
        case None:
            return "" if kind == "string" else None
        case datetime():
            return naive(value).isoformat(sep=" ")
        case _:
            return str(value)


# models log-types
_TYPES = {
    "BIGINT": "long",
    "HUGEINT": "long",
    "INTEGER": "int",
    "DOUBLE": "real",
    "BOOLEAN": "bool",
    "TIMESTAMP": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "INTERVAL": "timespan",
    "JSON": "dynamic",
}


def type_of(kind: str) -> str:
    """Return the service's name of a type of the engine's."""
    if kind.startswith("DECIMAL"):
        return "decimal"
    return "dynamic" if kind.endswith("[]") else _TYPES.get(kind, "string")


# models log-cells
def cell(kind: str, value: Any) -> Any:
    """Write a value as the service does: times trimmed, timespans .NET's, dynamic as JSON text."""
    if isinstance(value, datetime):
        text = naive(value.replace(tzinfo=value.tzinfo or UTC)).isoformat(timespec="microseconds")
        return text.rstrip("0").rstrip(".") + "Z"
    if isinstance(value, timedelta):
        return span(value)
    if value is None:
        return "" if kind == "VARCHAR" else None
    if kind.startswith("DECIMAL"):
        return str(value)
    return value
