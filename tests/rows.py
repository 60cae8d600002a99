"""Rows in memory, with the races that a test asks for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.blobs import nothing
from vmbackup_core.domain.errors import Stale
from vmbackup_core.ports import Clock, Row


@dataclass(slots=True)
class MemoryRows:
    """
    `before_write` runs before each write, and may raise: a crash, or somebody else's write.

    `before_read` runs before each read of one row.
    """

    clock: Clock
    rows: dict[tuple[str, str], tuple[Row, datetime]] = field(default_factory=dict)
    before_write: Callable[[], None] = nothing
    before_read: Callable[[], None] = nothing
    writes: int = 0

    def get(self, partition: str, key: str) -> Row | None:
        self.before_read()
        found = self.rows.get((partition, key))
        return found[0] if found else None

    def put(self, row: Row) -> Row:
        self.before_write()
        present = self.get(row.partition, row.key)
        if row.etag != (present.etag if present else ""):
            raise Stale(f"{row.partition}/{row.key} has changed")
        self.writes += 1
        written = replace(row, values=dict(row.values), etag=str(self.writes))
        self.rows[row.partition, row.key] = (written, self.clock.now())
        return written

    def list(self, partition: str, *, changed_since: datetime | None = None) -> Iterator[Row]:
        for (place, _), (row, written) in sorted(self.rows.items()):
            if place == partition and (changed_since is None or written >= changed_since):
                yield row
