"""
Log Analytics: workspaces, the vaults that write into them, and KQL executed over what has arrived.

Nothing is in a workspace before a diagnostic setting sends it there (log_analytics_feed.py tells
when). The engine (DuckDB) is loaded by the first query.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import resource_id
from azsim.log_analytics_cells import cell, naive, stored, type_of
from azsim.log_analytics_feed import Delays, Feed, Lateness, Setting
from azsim.log_analytics_tables import CATEGORIES, INGESTED, STORED_AS, TABLES

if TYPE_CHECKING:
    import duckdb

    from azsim.vaults import Vault
    from azsim.world import World

KIND = "Microsoft.OperationalInsights/workspaces"
Between = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace: its ARM id, and the GUID that queries and `TenantId` know it by."""

    id: str
    customer_id: str
    location: str

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]


@dataclass(slots=True)
class Doubts:
    """
    What nobody outside Azure knows of this log: each doubt with its likelier answer.

    `generated_when_pushed`: TimeGenerated is the push, else the end of the job (they differ on a
    vault's first day). `rows_repeated`: the share of rows that come twice. `success_code`: what
    JobFailureCode says of a job that did not fail. `tables_before_first_row`: an unused table of
    Azure's is empty, else unknown.
    """

    generated_when_pushed: bool = True
    rows_repeated: float = 0.05
    success_code: str | None = "Success"
    tables_before_first_row: bool = True


# models log-limits
@dataclass(slots=True)
class Limits:
    """Most rows of an answer, and most queries of a caller in 30 seconds (0: no limit)."""

    rows: int = 500_000
    queries: int = 200
    queries_span: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Table:
    """A result: columns as (name, type), rows ready for JSON; `more` where there were too many."""

    columns: tuple[tuple[str, str], ...]
    rows: list[list[Any]]
    more: bool


class LogAnalytics:
    """The workspaces of the world. `delays`, `doubts` and `limits` may be changed at any time."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.doubts = Doubts()
        self.limits = Limits()
        self._feed = Feed(self)
        self._workspaces: dict[str, Workspace] = {}
        self._con: duckdb.DuckDBPyConnection | None = None
        self._filled: set[tuple[str, str]] = set()

    @property
    def delays(self) -> Delays:
        return self._feed.delays

    def add_workspace(
        self, subscription: str, group: str, name: str, location: str = "westeurope"
    ) -> Workspace:
        """Create an empty workspace; its GUID comes from the world's randomness."""
        made = Workspace(
            resource_id(subscription, group, KIND, name), self.world.new_id(), location
        )
        self._workspaces[made.customer_id] = made
        return made

    # models log-workspace-names
    def find(self, name: str) -> Workspace | None:
        """Return the workspace with this GUID, ARM id or name, None where there is none."""
        wanted = name.lower()
        return next(
            (w for w in self._workspaces.values() if wanted in (w.customer_id, w.id.lower())), None
        ) or next((w for w in self._workspaces.values() if wanted == w.name.lower()), None)

    def workspaces(self) -> list[Workspace]:
        return list(self._workspaces.values())

    def connect(
        self,
        vault: "Vault",
        workspace: Workspace,
        *,
        name: str = "to-log-analytics",
        categories: Iterable[str] = CATEGORIES,
        dedicated: bool = True,
        first_push: timedelta | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Setting:
        """
        Let the vault write into the workspace from now on, as a diagnostic setting does.

        Replaces the setting of that name. `dedicated` is the resource-specific mode; without it the
        rows go to AzureDiagnostics, which is not modelled. `first_push` (after now) is drawn where
        not given.
        """
        self.disconnect(vault, name)
        now, wait = self.world.clock.now(), self.delays.first_push
        drawn = wait[0] + (wait[1] - wait[0]) * self.world.rng.random()
        made = Setting(
            name=name,
            vault=vault,
            workspace=workspace,
            categories=frozenset(categories),
            dedicated=dedicated,
            since=now,
            first_push=now + (drawn if first_push is None else first_push),
            body=dict(body or _body_of(workspace, categories, dedicated)),
        )
        self._feed.begin(made)
        return made

    def disconnect(self, vault: "Vault", name: str) -> bool:
        """Remove a setting; False where there is none of that name."""
        if (found := self.setting(vault, name)) is None:
            return False
        self._feed.end(found)
        return True

    def setting(self, vault: "Vault", name: str) -> Setting | None:
        named = (s for s in self.settings_of(vault) if s.name.lower() == name.lower())
        return next(named, None)

    def settings_of(self, vault: "Vault") -> list[Setting]:
        return [setting for setting in self._feed.settings if setting.vault is vault]

    def delay(
        self, by: timedelta, *, since: datetime, until: datetime, vault: "Vault | None" = None
    ) -> None:
        """Let all that is pushed between two times be ingested `by` later than usual."""
        vault_id = vault.id.lower() if vault else ""
        self._feed.lateness.append(Lateness(by, since, until, vault_id))

    def query(
        self,
        text: str,
        workspaces: Sequence[Workspace],
        between: Between = (None, None),
        resource: str = "",
    ) -> Table:
        """
        Return the rows of a query over what has arrived in these workspaces.

        `between` bounds TimeGenerated (from, before), besides what the query itself says;
        `resource` keeps the rows of one resource. Raises Refused as the service does, NotModelled
        where only azsim is at a loss.
        """
        import duckdb

        from azsim.log_analytics_language import missing_column, translate

        translated = translate(text)
        con = self._connection()
        self._store(con)
        self._check_used(text, translated.tables, workspaces)
        for table in sorted(translated.tables):
            self._show(con, table, workspaces, between, resource)
        now = naive(self.world.clock.now())
        try:
            cursor = con.execute(translated.sql, dict.fromkeys(translated.clock_slots, now))
        except duckdb.BinderException as error:
            if refused := missing_column(text, str(error)):
                raise refused from error
            raise
        shown = [
            (number, column[0], str(column[1]))
            for number, column in enumerate(cursor.description or ())
            if column[0] != INGESTED
        ]
        rows = cursor.fetchmany(self.limits.rows + 1)
        return Table(
            columns=tuple((name, type_of(kind)) for _, name, kind in shown),
            rows=[
                [cell(kind, row[number]) for number, _, kind in shown]
                for row in rows[: self.limits.rows]
            ],
            more=len(rows) > self.limits.rows,
        )

    def _connection(self) -> "duckdb.DuckDBPyConnection":
        if self._con is None:
            import duckdb_kql

            self._con = duckdb_kql.connect(config={"threads": 1})
            self._con.execute("SET TimeZone = 'UTC'")
            self._con.execute("CREATE SCHEMA asked")
            self._con.execute("SET search_path = 'asked'")
            self._con.execute("CREATE SCHEMA stored")
            for name, columns in TABLES.items():
                typed = ", ".join(f'"{c}" {STORED_AS[kind]}' for c, kind in columns.items())
                self._con.execute(f'CREATE TABLE stored."{name}" ({typed})')
        return self._con

    def _store(self, con: "duckdb.DuckDBPyConnection") -> None:
        """Load what has arrived since the last query."""
        fresh: dict[str, list[Mapping[str, Any]]] = {}
        for arrival in self._feed.arrived():
            fresh.setdefault(arrival.table, []).append(arrival.row)
            self._filled.add((arrival.workspace.customer_id, arrival.table))
        for table, rows in fresh.items():
            columns = TABLES[table]
            lists = [
                [stored(row.get(name), kind) for row in rows] for name, kind in columns.items()
            ]
            chosen = ", ".join(
                f"unnest(${number}::VARCHAR[])::{STORED_AS[kind]}"
                for number, kind in enumerate(columns.values(), 1)
            )
            con.execute(f'INSERT INTO stored."{table}" SELECT {chosen}', lists)

    # models log-empty-tables
    def _check_used(
        self, text: str, tables: Iterable[str], workspaces: Sequence[Workspace]
    ) -> None:
        if self.doubts.tables_before_first_row:
            return
        from azsim.log_analytics_refusals import unresolved

        for table in sorted(tables):
            if not any((w.customer_id, table) in self._filled for w in workspaces):
                raise unresolved("", "table or column", table)

    # models log-timespan
    def _show(
        self,
        con: "duckdb.DuckDBPyConnection",
        table: str,
        workspaces: Sequence[Workspace],
        between: Between,
        resource: str,
    ) -> None:
        """Let the query see one table's rows of these workspaces, this resource and this time."""
        inside = ", ".join(f"'{w.customer_id}'" for w in workspaces)
        conditions = [f"TenantId IN ({inside})"]
        for bound, operator in zip(between, (">=", "<"), strict=True):
            if bound is not None:
                when = naive(bound).isoformat(sep=" ")
                conditions.append(f"TimeGenerated {operator} TIMESTAMP '{when}'")
        if resource:
            quoted = resource.lower().replace("'", "''")
            conditions.append(f"_ResourceId = '{quoted}'")
        con.execute(
            f'CREATE OR REPLACE VIEW asked."{table}" AS '
            f'SELECT * FROM stored."{table}" WHERE {" AND ".join(conditions)}'
        )


def _body_of(workspace: Workspace, categories: Iterable[str], dedicated: bool) -> dict[str, Any]:
    return {
        "workspaceId": workspace.id,
        "logAnalyticsDestinationType": "Dedicated" if dedicated else None,
        "logs": [{"category": name, "enabled": True} for name in categories],
        "metrics": [],
    }
