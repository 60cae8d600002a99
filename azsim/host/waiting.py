"""How a host lets time pass: by moving a virtual clock, or by waiting for a real one."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from azsim.clock import Clock, ScaledClock

Pause = Callable[[float], None]
LONGEST_PAUSE = 0.2  # Seconds; others may put something on the clock meanwhile.


class Waiting(Protocol):
    def until(self, when: datetime, pause: Pause) -> None:
        """Let time pass towards `when`; may return early. `pause` listens for so many seconds."""


class Jump:
    """Virtual time: it is `when` at once, and what fell due on the way has happened."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def until(self, when: datetime, pause: Pause) -> None:
        self._clock.advance_to(when)


class WaitReally:
    """Scaled or real time: listens, in short spells, until the clock has got there."""

    def __init__(self, clock: ScaledClock) -> None:
        self._clock = clock

    def until(self, when: datetime, pause: Pause) -> None:
        left = (when - self._clock.now()).total_seconds() / self._clock.scale
        if left > 0:
            pause(min(left, LONGEST_PAUSE))
