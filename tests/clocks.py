"""A clock that is moved by hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class HandClock:
    """Time stands until a test moves it; a pause moves it too."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def pause(self, duration: timedelta) -> None:
        self.time += duration

    def move_to(self, time: datetime) -> None:
        self.time = max(self.time, time)
