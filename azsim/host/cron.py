"""
NCRONTAB, the schedules of timer triggers: six fields, seconds first (five mean second 0).

Rules are NCrontab's: day of month *and* day of week must both match (unlike cron), `n/m` runs from
n to the end of the field, names of months and days are taken, Sunday is 0 and there is no 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a schedule: its name, its range and the names that it takes."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """Return the values that `text` stands for; raises ValueError with the field's name."""
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, part: str) -> range:
        span, _, step = part.partition("/")
        every = self._number(step) if step else 1
        if every < 1:
            raise self._wrong(part)
        if span in ("*", "?"):
            return range(self.low, self.high + 1, every)
        first, dash, last = span.partition("-")
        start = self._value(first)
        stop = self._value(last) if dash else (self.high if step else start)
        if start > stop:
            raise self._wrong(part)
        return range(start, stop + 1, every)

    def _value(self, text: str) -> int:
        named = next((i for i, name in enumerate(self.names) if text.lower()[:3] == name), None)
        value = self._number(text) if named is None else named + self.low
        if not self.low <= value <= self.high:
            raise self._wrong(text)
        return value

    def _number(self, text: str) -> int:
        if not text.isascii() or not text.isdigit():
            raise self._wrong(text)
        return int(text)

    def _wrong(self, text: str) -> ValueError:
        return ValueError(f"'{text}' is not a {self.name} ({self.low} to {self.high})")


# models timer-fields
FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, tuple(MONTHS)),
    Field("day of week", 0, 6, tuple(DAYS)),
)
YEARS_TO_LOOK = 8  # 29 February on a given weekday comes within 28; nobody schedules that.


@dataclass(frozen=True, slots=True)
class Schedule:
    """An NCRONTAB expression, in UTC (the app's default time zone; no other is simulated)."""

    expression: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Parse `expression`; raises ValueError that names the field and what it holds."""
        parts = expression.split()
        if len(parts) == 5:
            parts = ["0", *parts]
        # models timer-no-timespan
        if len(parts) != 6:
            raise ValueError(f"'{expression}' has {len(parts)} fields; NCRONTAB has six")
        return cls(expression, *(field.parse(p) for field, p in zip(FIELDS, parts, strict=True)))

    def after(self, moment: datetime) -> datetime:
        """Return the first occurrence strictly after `moment`; ValueError when there is none."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for day in self._days_from(start):
            for occurrence in self._times_on(day, start):
                return occurrence
        raise ValueError(f"'{self.expression}' never occurs")

    @property
    def more_often_than_each_minute(self) -> bool:
        return len(self.seconds) > 1

    def _days_from(self, start: datetime) -> Iterator[datetime]:
        day = start.replace(hour=0, minute=0, second=0)
        while day.year <= start.year + YEARS_TO_LOOK:
            if day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            # NCrontab counts from Sunday, isoweekday from Monday = 1.
            if day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                yield day
            day += timedelta(days=1)

    def _times_on(self, day: datetime, start: datetime) -> Iterator[datetime]:
        for hour in sorted(self.hours):
            if day.replace(hour=hour, minute=59, second=59) < start:
                continue
            for minute in sorted(self.minutes):
                if day.replace(hour=hour, minute=minute, second=59) < start:
                    continue
                for second in sorted(self.seconds):
                    occurrence = day.replace(hour=hour, minute=minute, second=second)
                    if occurrence >= start:
                        yield occurrence
