"""Maintenance windows: planned times in which nobody is told of some VMs' troubles."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from vmbackup_core.domain.drill.rules import Blackout, Dates
from vmbackup_core.domain.schedules import DAY, Weekday
from vmbackup_core.domain.telling.routing import ANY_VM, Selector


@dataclass(frozen=True, slots=True)
class Maintenance:
    """
    A window of quiet for some VMs: on `days`, from `begins` (UTC) for as long as `lasts`.

    It lasts at most a day.
    """

    name: str
    days: tuple[Blackout, ...]
    begins: time
    lasts: timedelta
    selector: Selector = ANY_VM

    def __post_init__(self) -> None:
        if not timedelta(0) < self.lasts <= DAY:
            raise ValueError("a maintenance window lasts up to a day")

    def open_until(self, now: datetime) -> datetime | None:
        """Return when the window that is open at `now` ends, None where none is."""
        today = now.astimezone(UTC).date()
        ends = [
            begin + self.lasts
            for day in (today - DAY, today)
            if self._on(day)
            and (begin := datetime.combine(day, self.begins, UTC)) <= now < begin + self.lasts
        ]
        return max(ends, default=None)

    def _on(self, day: date) -> bool:
        return any(
            one.first <= day <= one.last
            if isinstance(one, Dates)
            else list(Weekday)[day.weekday()] is one
            for one in self.days
        )
