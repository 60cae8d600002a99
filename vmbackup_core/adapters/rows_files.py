"""
The ledger in a local directory: one file per row, changed under a lock that all processes respect.

For the demo, for tests and for work from a laptop. POSIX only, for the lock.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmbackup_core.adapters.files import write_whole
from vmbackup_core.adapters.row_rules import check_key, check_row
from vmbackup_core.domain.errors import Stale
from vmbackup_core.ports import Row

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock


class FileRows:
    """The port Rows; a row's etag is a number that only rises."""

    def __init__(self, directory: Path, clock: "Clock") -> None:
        self._directory = directory
        self._clock = clock

    def get(self, partition: str, key: str) -> Row | None:
        found = self._read(self._path(partition, key))
        return None if found is None else _row(partition, key, found)

    def put(self, row: Row) -> Row:
        check_row(row)
        path = self._path(row.partition, row.key)
        with self._locked(row.partition):
            there = self._read(path)
            if (str(there["version"]) if there else "") != row.etag:
                raise Stale(f"row {row.partition}/{row.key} was changed by somebody else")
            now = {
                "version": int(row.etag or "0") + 1,
                "written": self._clock.now().isoformat(),
                "values": dict(row.values),
            }
            write_whole(path, json.dumps(now, indent=1).encode())
        return _row(row.partition, row.key, now)

    def list(self, partition: str, *, changed_since: datetime | None = None) -> Iterator[Row]:
        check_key(partition)
        for path in sorted((self._directory / partition).glob("*.json")):
            found = self._read(path)
            if found is None:
                continue
            if changed_since is None or datetime.fromisoformat(found["written"]) >= changed_since:
                yield _row(partition, path.stem, found)

    def _path(self, partition: str, key: str) -> Path:
        check_key(partition)
        check_key(key)
        return self._directory / partition / f"{key}.json"

    def _read(self, path: Path) -> Any:
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError:
            return None

    @contextmanager
    def _locked(self, partition: str) -> Iterator[None]:
        folder = self._directory / partition
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _row(partition: str, key: str, found: Any) -> Row:
    return Row(partition, key, found["values"], str(found["version"]))
