"""
The storage service's notion of when: .NET ticks of 100 ns, which also are its ETags.

Two writes of one virtual instant still get different ticks, as two writes of one real service do.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

from azsim.clock import Clock

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_PER_SECOND = 10_000_000


class Ticks:
    """Hands out strictly rising ticks that follow a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, ticks_of(self._clock.now()))
        return self._last


def ticks_of(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(microseconds=1) * 10


def when_of(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks // 10)


def iso(ticks: int) -> str:
    """Return the form of tables and of events: seven digits after the point."""
    return f"{when_of(ticks):%Y-%m-%dT%H:%M:%S}.{ticks % _PER_SECOND:07d}Z"


def http_date(when: datetime) -> str:
    return format_datetime(when, usegmt=True)


# models blob-etag
def blob_etag(ticks: int) -> str:
    return f'"0x{ticks:X}"'


# models table-etag
def entity_etag(ticks: int) -> str:
    return f"W/\"datetime'{quote(iso(ticks), safe='')}'\""
