"""
What Resource Graph and Log Analytics share of KQL: a walk over a query, its times, .NET's spans.

Each service has a language of its own (graph_language.py, log_analytics_language.py); the engine
below both is duckdb-kql.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # Stands for now; the present is bound at each run.
QUOTED = re.compile(r"@?'(?:[^'\\\n]|\\.)*'|@?\"(?:[^\"\\\n]|\\.)*\"|//[^\n]*")

_MOMENT = re.compile(r"(?<=\bdatetime\()\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?=\))")


class NotModelled(Exception):
    """What the service takes and azsim cannot."""


@dataclasses.dataclass(frozen=True, slots=True)
class Translated:
    """
    A query in DuckDB's SQL, which needs the present moment in the place of its `clock_slots`.

    `tables` are those it reads; `pages` is false where a limit bars continuation.
    """

    sql: str
    tables: frozenset[str]
    clock_slots: frozenset[str]
    pages: bool = True


def walk(node: Any) -> Iterator[Any]:
    """Yield every node of a query, the nested ones of joins and unions as well."""
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        yield node
        for field in dataclasses.fields(node):
            yield from walk(getattr(node, field.name))
    elif isinstance(node, list | tuple):
        for entry in node:
            yield from walk(entry)


def translate_once(
    text: str, translate: Callable[[str], Translated], refused: type[Exception]
) -> Translated:
    """
    Return what `translate` makes of a query; one that differs in its times only is not made anew.

    Where that does not work out, the text is translated as it came: faults are told of that.
    """
    moments: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        name = f"9998-01-01T00:00:00.{len(moments):06}Z"
        moments[name] = found[0]
        return name

    parts, at = [], 0
    for quoted in QUOTED.finditer(text):
        parts += [_MOMENT.sub(stand_in, text[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    timeless = "".join([*parts, _MOMENT.sub(stand_in, text[at:])])
    try:
        made = translate(timeless)
    except (NotModelled, refused):
        return translate(text)
    sql = made.sql
    for name, moment in moments.items():
        if f"'{name}'" not in sql:
            return translate(text)
        sql = sql.replace(f"'{name}'", f"'{moment}'")
    return dataclasses.replace(made, sql=sql)


def span(value: timedelta) -> str:
    """Write a timespan as .NET does: `1.02:03:04`, with seven decimals where there are any."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, seconds = divmod(value.seconds, 3600)
    text = f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
    fraction = f".{value.microseconds:06}0" if value.microseconds else ""
    return f"{sign}{f'{value.days}.' if value.days else ''}{text}{fraction}"
