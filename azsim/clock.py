"""
Time in the simulated world: it moves when somebody moves it, and what is due then happens in order.

Nothing runs while nobody moves the clock, so an idle world costs nothing.
"""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Action = Callable[[], None]


@dataclass(slots=True)
class Due:
    """Something that will happen at `when`, unless cancelled."""

    when: datetime
    action: Action
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass(slots=True)
class Clock:
    """
    Virtual time, aware and in UTC.

    An action may schedule others and may itself advance the clock (an SDK that sleeps does), so it
    must be short and must never call back into a client or a function host: those queue their work.
    Actions of one instant run in the order in which they were scheduled.
    """

    _now: datetime
    _heap: list[tuple[datetime, int, Due]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def now(self) -> datetime:
        return self._now

    def at(self, when: datetime, action: Action) -> Due:
        due = Due(max(when, self._now), action)
        heapq.heappush(self._heap, (due.when, next(self._order), due))
        return due

    def after(self, delay: timedelta, action: Action) -> Due:
        return self.at(self._now + delay, action)

    def next_due(self) -> datetime | None:
        """Return when the next thing happens, or None when nothing is planned."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def advance(self, by: timedelta) -> None:
        self.advance_to(self._now + by)

    def advance_to(self, when: datetime) -> None:
        """Move to `when`, running what falls due on the way; never moves back."""
        while (due_at := self.next_due()) is not None and due_at <= when:
            _, _, due = heapq.heappop(self._heap)
            self._now = max(self._now, due.when)
            due.action()
        self._now = max(self._now, when)


@dataclass(slots=True)
class ScaledClock(Clock):
    """Time that follows the wall, `scale` virtual seconds to a real one, caught up on each look."""

    scale: float = 1.0
    _origin: datetime = field(default_factory=lambda: datetime.now(UTC))
    _started: float = field(default_factory=time.monotonic)
    _catching_up: bool = False

    def __post_init__(self) -> None:
        self._origin = self._now

    def now(self) -> datetime:
        if not self._catching_up:
            self._catching_up = True
            try:
                real = timedelta(seconds=(time.monotonic() - self._started) * self.scale)
                self.advance_to(self._origin + real)
            finally:
                self._catching_up = False
        return self._now

    def ahead(self) -> float:
        """Return how many real seconds the wall needs to catch up with what was jumped over."""
        real = (time.monotonic() - self._started) * self.scale
        return max(0.0, ((self._now - self._origin).total_seconds() - real) / self.scale)

    def skip(self, by: timedelta) -> None:
        """Jump ahead for good: the wall need not catch up."""
        self._origin += by
        self.now()
