"""
What Resource Graph and Log Analytics share of KQL: a walk over a query, and .NET's time spans.

Each service has a language of its own (graph_language.py, log_analytics_language.py); the engine
below both is duckdb-kql.
"""

import dataclasses
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # Stands for now; the present is bound at each run.
QUOTED = re.compile(r"@?'(?:[^'\\\n]|\\.)*'|@?\"(?:[^\"\\\n]|\\.)*\"|//[^\n]*")


class NotModelled(Exception):
    """What the service takes and azsim cannot."""


def walk(node: Any) -> Iterator[Any]:
    """Yield every node of a query, the nested ones of joins and unions as well."""
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        yield node
        for field in dataclasses.fields(node):
            yield from walk(getattr(node, field.name))
    elif isinstance(node, list | tuple):
        for entry in node:
            yield from walk(entry)


def span(value: timedelta) -> str:
    """Write a timespan as .NET does: `1.02:03:04`, with seven decimals where there are any."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, seconds = divmod(value.seconds, 3600)
    text = f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
    fraction = f".{value.microseconds:06}0" if value.microseconds else ""
    return f"{sign}{f'{value.days}.' if value.days else ''}{text}{fraction}"
