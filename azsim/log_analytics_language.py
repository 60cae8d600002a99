"""
KQL as a workspace takes it, in SQL, and the words that a faulty query is refused with.

Of what Kusto knows, the engine takes a part: what it lacks is NotModelled, so that no query is
answered by a guess. `ingestion_time()` reads a hidden column of each row: it works wherever a row
still is a row of its table.
"""

import re
from functools import lru_cache
from typing import Any

from duckdb_kql import KqlError, KqlSyntaxError, ir, to_sql
from duckdb_kql.lower import lower

from azsim.kql import ANY_TIME, QUOTED, NotModelled, Translated, translate_once, walk
from azsim.log_analytics_refusals import Refused, syntax_error, unresolved
from azsim.log_analytics_tables import INGESTED, NOT_FILLED, TABLES

_INGESTION_TIME = re.compile(r"\bingestion_time\s*\(\s*\)")
_UNNAMED = re.compile(r"\|\s*(?:project|extend|distinct)\s+ingestion_time\s*\(\s*\)\s*(?:[|,]|$)")
_PIPED = re.compile(r"\|\s*([A-Za-z][A-Za-z-]*)([^|]*)")
_MISSING = re.compile(r'Referenced column "([^"]+)" not found|column named "([^"]+)"')
_WORD = re.compile(r"[A-Za-z_][\w-]*|\S")


def translate(text: str) -> Translated:
    """
    Return `text` as SQL over the tables; what differs in its times only is translated once.

    Raises Refused where Log Analytics would refuse, NotModelled where only azsim is at a loss.
    """
    return translate_once(text, _translate, Refused)


@lru_cache(maxsize=512)
def _translate(text: str) -> Translated:
    if _UNNAMED.search(QUOTED.sub("''", text)):
        raise NotModelled("ingestion_time() as a column without a name")
    rewritten = _outside_strings(text)
    try:
        named = {n.name for n in walk(lower(rewritten)) if isinstance(n, ir.TableRef)}
        _check_tables(text, named)
        schema = {name: list(TABLES[name]) for name in named}
        sql = to_sql(rewritten, schema=schema, allow_write=False, query_now=ANY_TIME)
    except KqlSyntaxError as error:
        raise _syntax_error(text, error.diagnostics) from error
    except KqlError as error:
        raise NotModelled(str(error)) from error
    return Translated(str(sql), frozenset(named), frozenset(sql.parameters))


def missing_column(text: str, engine_says: str) -> Refused | None:
    """Return the refusal for what the engine could not bind, None where that is no column."""
    if (found := _MISSING.search(engine_says)) is None:
        return None
    name = found[1] or found[2]
    if name == INGESTED:
        raise NotModelled("ingestion_time() of what is no row of a table any more")
    return unresolved(_operator_with(text, name), "column or scalar", name)


# models log-table-names
def _check_tables(text: str, named: set[str]) -> None:
    for name in sorted(named - set(TABLES)):
        if name in NOT_FILLED:
            raise NotModelled(f"table {name}")
        first = _PIPED.search(QUOTED.sub("''", text))
        raise unresolved(first[1] if first else "", "table or column", name)


def _operator_with(text: str, name: str) -> str:
    """Return the operator in whose part of the query a name first stands."""
    parts = _PIPED.findall(QUOTED.sub("''", text))
    word = re.compile(rf"\b{re.escape(name)}\b")
    return next((operator for operator, rest in parts if word.search(rest)), "")


def _outside_strings(text: str) -> str:
    """Let `ingestion_time()` read its column, except in strings and comments."""
    parts, at = [], 0
    for quoted in QUOTED.finditer(text):
        parts += [_INGESTION_TIME.sub(INGESTED, text[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    return "".join([*parts, _INGESTION_TIME.sub(INGESTED, text[at:])])


def _syntax_error(text: str, diagnostics: Any) -> Refused:
    """Name the first word that could not be parsed: after a pipe that is the operator."""
    place = diagnostics[0].span
    lines = text.splitlines() or [""]
    line = lines[min(place.line, len(lines)) - 1]
    rest = line[place.column :]
    skipped = len(rest) - len(rest.lstrip("| \t")) if rest.startswith("|") else 0
    word = _WORD.match(rest[skipped:])
    return syntax_error(place.line, place.column + skipped, word[0] if word else "")
