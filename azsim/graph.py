"""
Resource Graph: KQL, executed over what the index knows, and kept in pages.

A query runs once; what does not fit on its first page is kept behind the page's token. The engine
(DuckDB, half a second to import) is loaded by the first query, and its tables when they are asked
for and the index has changed.
"""

import base64
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.graph_index import COLUMNS, DYNAMIC, TABLES, Index, Row
from azsim.graph_refusals import invalid
from azsim.kql import span
from azsim.ticks import iso, ticks_of

if TYPE_CHECKING:
    import duckdb

    from azsim.world import World

RESULTS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: `type` in the words of the table format."""

    name: str
    type: str
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Result:
    """All rows of one query, as the engine left them."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[Any, ...]]
    pages: bool

    def page(self, start: int, size: int) -> list[list[Any]]:
        """Return the values of up to `size` rows, ready for JSON."""
        readers = [column.read for column in self.columns]
        return [
            [
                None if value is None else read(value)
                for read, value in zip(readers, row, strict=True)
            ]
            for row in self.rows[start : start + size]
        ]


class ResourceGraph:
    """The one Resource Graph of the world. `lag` is how long it takes to learn of a change."""

    def __init__(self, world: "World") -> None:
        self._world = world
        # models graph-lag-length
        self._index = Index(world, timedelta(seconds=world.rng.uniform(60, 120)))
        self._con: duckdb.DuckDBPyConnection | None = None
        self._loaded: dict[str, int] = {}
        self._stored: dict[str, dict[str, Row]] = {}
        self._scopes: dict[frozenset[str] | None, str] = {}
        self._kept: OrderedDict[str, tuple[str, Result]] = OrderedDict()
        self._management_groups: dict[str, frozenset[str]] = {}

    @property
    def lag(self) -> timedelta:
        return self._index.lag

    @lag.setter
    def lag(self, lag: timedelta) -> None:
        self._index.lag = lag

    def removed(self, row: Row) -> None:
        """Let a resource that has just been removed linger for as long as the lag."""
        self._index.removed(row)

    def add_management_group(self, name: str, subscriptions: Iterable[str]) -> None:
        """Let queries be scoped by a management group that holds these subscriptions."""
        self._management_groups[name.lower()] = frozenset(s.lower() for s in subscriptions)

    def subscriptions_of(self, management_group: str) -> frozenset[str] | None:
        """Return the subscriptions below a group, None where there is no such group."""
        return self._management_groups.get(management_group.lower())

    def run(self, text: str, scope: frozenset[str] | None) -> Result:
        """
        Return every row of the query, over the subscriptions of `scope` (lower case; None: all).

        Raises Refused where Resource Graph would refuse, NotModelled where only azsim is at a loss.
        """
        import duckdb

        from azsim.graph_language import translate

        translated = translate(text)
        self._index.refresh()
        con = self._connection()
        for table in sorted(translated.tables):
            self._load(con, table)
        con.execute(f"SET search_path = '{self._scope(con, scope)}'")
        moment = self._world.clock.now()
        try:
            cursor = con.execute(translated.sql, dict.fromkeys(translated.clock_slots, moment))
        # models graph-unknown-column
        except duckdb.BinderException as error:  # A column that is not there.
            raise invalid() from error
        columns = tuple(_column(name, str(kind)) for name, kind, *_ in cursor.description or ())
        return Result(columns, cursor.fetchall(), translated.pages)

    # models graph-pages-of-one-run
    def keep(self, question: str, result: Result, start: int, size: int) -> str:
        """Return the token that continues `result` at row `start`."""
        known = next((key for key, kept in self._kept.items() if kept[1] is result), None)
        key = known or self._world.front_door.new_id()
        self._kept[key] = (question, result)
        while len(self._kept) > RESULTS_KEPT:
            self._kept.popitem(last=False)
        # models graph-token-form
        token = {"$id": "1", "MaxRows": size, "RowsToSkip": start, "Result": key}
        return base64.b64encode(json.dumps(token, indent=2).encode()).decode()

    def continued(self, question: str, token: str) -> tuple[Result, int, int]:
        """Return result, start and size of a token; raises KeyError for one that is not ours."""
        try:
            said = json.loads(base64.b64decode(token, validate=True))
            start, size = int(said["RowsToSkip"]), int(said["MaxRows"])
            asked, result = self._kept[said["Result"]]
        except (ValueError, TypeError) as error:
            raise KeyError(token) from error
        if asked != question:
            raise KeyError(token)
        return result, start, size

    def _connection(self) -> "duckdb.DuckDBPyConnection":
        if self._con is None:
            import duckdb_kql

            self._con = duckdb_kql.connect(config={"threads": 1})
            self._con.execute("CREATE SCHEMA estate")
            for table in TABLES:
                self._fill(self._con, table, [])
        return self._con

    def _load(self, con: "duckdb.DuckDBPyConnection", table: str) -> None:
        """Store what the index knows; of a large table only the rows that are others now."""
        if self._loaded.get(table) == self._index.age:
            return
        rows = {row["id"]: row for row in self._index.rows(table)}
        stored = self._stored.get(table, {})
        gone = [key for key, row in stored.items() if rows.get(key) is not row]
        fresh = [row for key, row in rows.items() if stored.get(key) is not row]
        if len(fresh) + len(gone) > len(rows) // 2:
            self._fill(con, table, list(rows.values()))
        else:
            con.execute(f"DELETE FROM estate.{table} WHERE id IN (SELECT unnest($1))", [gone])
            self._insert(con, f"INSERT INTO estate.{table}", fresh)
        self._stored[table] = rows
        self._loaded[table] = self._index.age

    def _fill(self, con: "duckdb.DuckDBPyConnection", table: str, rows: list[Row]) -> None:
        self._insert(con, f"CREATE OR REPLACE TABLE estate.{table} AS", rows)

    def _insert(self, con: "duckdb.DuckDBPyConnection", into: str, rows: list[Row]) -> None:
        lists = [
            [_json(row.get(name)) if name in DYNAMIC else row.get(name) for row in rows]
            for name in COLUMNS
        ]
        chosen = ", ".join(
            f"unnest(${number}::VARCHAR[])::{'JSON' if name in DYNAMIC else 'VARCHAR'} AS {name}"
            for number, name in enumerate(COLUMNS, 1)
        )
        con.execute(f"{into} SELECT {chosen}", lists)

    def _scope(self, con: "duckdb.DuckDBPyConnection", scope: frozenset[str] | None) -> str:
        """Return the schema whose views show only the rows of `scope`."""
        if scope is None:
            return "estate"
        if scope not in self._scopes:
            name = f"scope_{len(self._scopes)}"
            con.execute(f"CREATE SCHEMA {name}")
            inside = ", ".join(f"'{subscription}'" for subscription in sorted(scope))
            for table in TABLES:
                con.execute(
                    f"CREATE VIEW {name}.{table} AS SELECT * FROM estate.{table} "
                    f"WHERE lower(subscriptionId) IN ({inside})"
                )
            self._scopes[scope] = name
        return self._scopes[scope]


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _same(value: Any) -> Any:
    return value


# models graph-times
def _when(value: datetime) -> str:
    return iso(ticks_of(value.replace(tzinfo=value.tzinfo or UTC)))


_TYPES: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "JSON": ("object", json.loads),
    "BIGINT": ("integer", _same),
    "INTEGER": ("integer", _same),
    "HUGEINT": ("integer", _same),
    "DOUBLE": ("number", _same),
    "BOOLEAN": ("boolean", _same),
    "TIMESTAMP": ("datetime", _when),
    "TIMESTAMP WITH TIME ZONE": ("datetime", _when),
    "INTERVAL": ("string", span),
}


def _column(name: str, kind: str) -> Column:
    if kind.startswith("DECIMAL"):
        return Column(name, "number", float)
    if kind.endswith("[]"):
        return Column(name, "object", _same)
    return Column(name, *_TYPES.get(kind, ("string", str)))
