"""
Follow a configuration that may change: use the newest version that stands.

A version with faults, or one that cannot be read for a while, is reported and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from vmbackup_core.domain.errors import BackupError, Malformed
from vmbackup_core.ports import Clock

Read = Callable[[str], tuple[bytes, str] | None]


@dataclass(slots=True)
class Follower[T]:
    """
    What is made of the newest good configuration.

    `read` takes the ETag that is known and returns content and ETag, or None where it is the same;
    `make` raises Malformed for content with faults. `period` is how often to ask; None: once.
    """

    read: Read
    make: Callable[[bytes], T]
    report: Callable[[T, str], None]
    clock: Clock
    period: timedelta | None = None
    _present: T | None = None
    _etag: str = ""
    _asked_at: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    def present(self) -> T:
        """
        Return what the newest good version makes, asking for a newer one where that is due.

        The first version must stand: its faults are raised. Threads that come at once wait for one.
        """
        with self._lock:
            if self._present is None:
                self._present = self._first()
            elif self._due():
                self._present = self._newer(self._present)
            return self._present

    def _due(self) -> bool:
        if self.period is None or self._asked_at is None:
            return False
        return self.clock.now() - self._asked_at >= self.period

    def _first(self) -> T:
        found = self.read("")
        if found is None:
            raise AssertionError("without a known ETag there is always something to read")
        content, self._etag = found
        self._asked_at = self.clock.now()
        return self.make(content)

    def _newer(self, present: T) -> T:
        self._asked_at = self.clock.now()
        try:
            found = self.read(self._etag)
        except BackupError as error:
            self.report(present, f"unreadable, the last good one stays: {error}")
            return present
        if found is None:
            return present
        content, self._etag = found  # A version with faults is reported once, not each time.
        try:
            return self.make(content)
        except Malformed as error:
            self.report(present, f"refused, the last good one stays: {error}")
            return present
