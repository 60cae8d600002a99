"""The system's clock: the only place where the core asks for the time or waits."""

import time
from datetime import UTC, datetime, timedelta

LONGEST_PAUSE = timedelta(seconds=10)


class SystemClock:
    """The port Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def pause(self, duration: timedelta) -> None:
        """Wait; raises ValueError for what is longer than a worker should be kept waiting."""
        if duration > LONGEST_PAUSE:
            raise ValueError(f"a pause of {duration} belongs to a timer")
        time.sleep(max(duration.total_seconds(), 0))
