"""
When a policy makes backups, in Azure's own words, and the days it may pick of weeks and years.

Times are the wall clock's in the policy's time zone; Azure does not move them for summer time
(AZURE: policies). What is compared is how often and how evenly a schedule makes backups.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from itertools import pairwise

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class Weekday(StrEnum):
    """A day of the week in Azure's own words, from Monday on."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"

    @property
    def offset(self) -> timedelta:
        """How long after the beginning of Monday this day begins."""
        return list(Weekday).index(self) * DAY


class Week(StrEnum):
    """Which one of a month's weeks, in Azure's own words (`weeksOfTheMonth`)."""

    FIRST = "First"
    SECOND = "Second"
    THIRD = "Third"
    FOURTH = "Fourth"
    LAST = "Last"


class Month(StrEnum):
    """A month, in Azure's own words (`monthsOfYear`)."""

    JANUARY = "January"
    FEBRUARY = "February"
    MARCH = "March"
    APRIL = "April"
    MAY = "May"
    JUNE = "June"
    JULY = "July"
    AUGUST = "August"
    SEPTEMBER = "September"
    OCTOBER = "October"
    NOVEMBER = "November"
    DECEMBER = "December"


@dataclass(frozen=True, slots=True, order=True)
class NthWeekday:
    """Such as the first Sunday of a month (`retentionScheduleWeekly`)."""

    week: Week
    day: Weekday

    def __str__(self) -> str:
        return f"the {self.week.lower()} {self.day} of the month"


@dataclass(frozen=True, slots=True, order=True)
class MonthDay:
    """A day of a month by number; 0 is the last one (`retentionScheduleDaily`)."""

    number: int

    def __str__(self) -> str:
        return f"day {self.number} of the month" if self.number else "the last day of the month"


type DayOfMonth = NthWeekday | MonthDay


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """A day of one month of the year."""

    month: Month
    day: DayOfMonth

    def __str__(self) -> str:
        return str(self.day).replace("the month", self.month)


FIRST_SUNDAY = NthWeekday(Week.FIRST, Weekday.SUNDAY)


@dataclass(frozen=True, slots=True)
class Daily:
    """One backup a day; `at` is the wall clock's time in the policy's time zone."""

    at: time

    @property
    def starts(self) -> tuple[timedelta, ...]:
        """When backups start, counted from the beginning of Monday."""
        return tuple(day.offset + _since_midnight(self.at) for day in Weekday)

    @property
    def fewest_starts(self) -> tuple[timedelta, ...]:
        return self.starts

    def __str__(self) -> str:
        return f"daily at {self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class Weekly:
    """One backup on each of `days`, of which there is at least one (else ValueError)."""

    days: frozenset[Weekday]
    at: time

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError("a weekly schedule names no day")

    @property
    def starts(self) -> tuple[timedelta, ...]:
        """When backups start, counted from the beginning of Monday."""
        return tuple(day.offset + _since_midnight(self.at) for day in Weekday if day in self.days)

    @property
    def fewest_starts(self) -> tuple[timedelta, ...]:
        return self.starts

    def __str__(self) -> str:
        return f"weekly on {listed(self.days)} at {self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class Hourly:
    """
    A backup every `every` from `start` on, for as long as `window`; each day anew.

    Neither is shorter than an hour or longer than a day (else ValueError).
    """

    every: timedelta
    start: time
    window: timedelta

    def __post_init__(self) -> None:
        if not (HOUR <= self.every <= DAY and HOUR <= self.window <= DAY):
            raise ValueError("an hourly schedule counts in hours of one day")

    @property
    def starts(self) -> tuple[timedelta, ...]:
        """
        When backups start, counted from the beginning of Monday.

        One that would start just when the window ends counts here and not in `fewest_starts`:
        Azure's pages do not say which, so comparisons look at both.
        """
        return self._starts(min(self.window // self.every + 1, DAY // self.every))

    @property
    def fewest_starts(self) -> tuple[timedelta, ...]:
        return self._starts(min(-(-self.window // self.every), DAY // self.every))

    def _starts(self, times_a_day: int) -> tuple[timedelta, ...]:
        first = _since_midnight(self.start)
        return tuple(
            day.offset + first + n * self.every for day in Weekday for n in range(times_a_day)
        )

    def __str__(self) -> str:
        hours, window = self.every // HOUR, self.window // HOUR
        return f"every {hours} hours from {self.start:%H:%M} for {window} hours"


type Schedule = Daily | Weekly | Hourly


def longest_gap(starts: tuple[timedelta, ...]) -> timedelta:
    """Return the longest time between two starts, in a week that repeats."""
    return max(after - before for before, after in pairwise((*starts, starts[0] + WEEK)))


def listed(days: Iterable[Weekday | DayOfMonth | DayOfYear]) -> str:
    """Write days down, weekdays from Monday on and the rest by name."""
    week = list(Weekday)
    return ", ".join(
        str(day)
        for day in sorted(
            days, key=lambda day: (week.index(day) if isinstance(day, Weekday) else 7, str(day))
        )
    )


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)
