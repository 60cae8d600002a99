"""
What Resource Graph knows, which is what was true a while ago.

A resource that was created, changed or removed within the last `lag` still reads as before: a new
one is missing, a removed one is there, a changed one shows what the index saw last. Rows come from
the world's own state as dicts with the columns of Resource Graph; two more keys tell how old they
are: `_born` (created then) and `_changed` (last written then). What only time changes (a power
state, a backup) is shown as it is now. Lag itself is documented ("eventual consistency"); its
length is guessed.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId

if TYPE_CHECKING:
    from azsim.world import World

Row = dict[str, Any]

COLUMNS = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId"),
    *("managedBy", "sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"),
)
DYNAMIC = frozenset({"sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"})
# models graph-tables
TABLES = frozenset({"resources", "resourcecontainers", "recoveryservicesresources"})
REFRESHED_EVERY = timedelta(seconds=15)
_TABLES = (
    ("microsoft.recoveryservices/vaults/", "recoveryservicesresources"),
    ("microsoft.resources/subscriptions", "resourcecontainers"),
    ("", "resources"),
)


class Index:
    """The rows that queries see; `age` rises whenever they may have changed."""

    def __init__(self, world: "World", lag: timedelta) -> None:
        self._world = world
        self.lag = lag
        self.age = 0
        self._seen_at: tuple[datetime, int, timedelta] | None = None
        self._rows: dict[str, Row] = {}
        self._removed: list[tuple[datetime, Row]] = []

    def removed(self, row: Row) -> None:
        """Take note of the last row of what has just ceased to be."""
        self._removed.append((self._world.clock.now(), row))

    # models graph-lag
    def refresh(self) -> None:
        """Look at the estate again, unless that was done a moment ago."""
        now, version = self._world.clock.now(), self._version()
        if self._seen_at is not None:
            seen_at, seen_version, seen_lag = self._seen_at
            recent = now - seen_at < REFRESHED_EVERY if self.lag else now == seen_at
            if recent and seen_lag == self.lag and (self.lag or version == seen_version):
                return
        self._seen_at = (now, version, self.lag)
        horizon = now - self.lag
        self._removed = [(when, row) for when, row in self._removed if when > horizon]
        shown: dict[str, Row] = {}
        for row in self._estate():
            born, changed = row.pop("_born", None), row.pop("_changed", None)
            before = self._rows.get(row["id"].lower())
            if row == before:
                row = before  # So that who made something of it need not do so again.
            if (changed or born or horizon) <= horizon:
                shown[row["id"].lower()] = row
            elif before is not None:
                shown[row["id"].lower()] = before
            # models graph-lag-unseen
            elif (born or horizon) <= horizon:
                shown[row["id"].lower()] = row
        for _, row in self._removed:
            born = row.get("_born")
            if (born or horizon) <= horizon:
                kept = {name: value for name, value in row.items() if not name.startswith("_")}
                shown.setdefault(row["id"].lower(), kept)
        if shown != self._rows:
            self._rows, self.age = shown, self.age + 1

    def rows(self, table: str) -> list[Row]:
        return [row for row in self._rows.values() if table_of(row["type"]) == table]

    def _estate(self) -> Iterator[Row]:
        yield from self._world.groups.graph_rows()
        yield from self._world.machines.graph_rows()
        yield from self._world.vaults.graph_rows()
        yield from self._world.networks.graph_rows()
        yield from self._world.storage_accounts.graph_rows()

    def _version(self) -> int:
        world = self._world
        kept = (world.groups, world.machines, world.vaults, world.networks, world.storage_accounts)
        return sum(part.version for part in kept)


def row_of(body: Row, tenant: str, born: datetime) -> Row:
    """Make the row of a resource from its body in ARM: names of types and groups in lower case."""
    parsed = ArmId.parse(body["id"])
    columns: Row = dict.fromkeys(COLUMNS) | {"kind": "", "managedBy": ""}
    told = {name: body[name] for name in COLUMNS if body.get(name)}
    return (
        columns
        | told
        | {
            "type": parsed.type.lower(),
            "tenantId": tenant,
            "resourceGroup": parsed.group.lower(),
            "subscriptionId": parsed.subscription,
            "_born": born,
        }
    )


def table_of(kind: str) -> str:
    """Return the table that holds rows of a type."""
    return next(table for start, table in _TABLES if kind.lower().startswith(start))
