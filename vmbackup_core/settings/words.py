"""
Durations, shares and schedules as people write them: "30 minutes", "20 %", "daily at 22:00".

Each reader raises Unfit with an example of what it takes.
"""

import re
from datetime import date, time, timedelta

from vmbackup_core.domain.drill.rules import Blackout, Dates
from vmbackup_core.domain.schedules import HOUR, Daily, Hourly, Schedule, Weekday, Weekly
from vmbackup_core.domain.spans import UNITS, split_span
from vmbackup_core.settings.faults import Unfit, did_you_mean
from vmbackup_core.settings.time_zones import IANA_ZONES, WINDOWS_ZONES

_TIME = r"(?P<at>\S+)"
_SCHEDULES = (
    "daily at 22:00",
    "weekly on Sunday at 22:00",
    "every 4 hours from 06:00 for 12 hours",
)


def parse_duration(text: str) -> timedelta:
    """Read "30 minutes", "2 hours", "7 days" or "1 week"."""
    if (found := split_span(text)) is None:
        raise Unfit(f'"{text}" is no duration', 'write it like "30 minutes", "2 hours", "7 days"')
    count, unit = found
    if unit not in UNITS:
        hint = did_you_mean(unit, UNITS) or "use minutes, hours, days or weeks"
        raise Unfit(f'"{text}" has an unknown unit', hint)
    return count * UNITS[unit]


def spell_duration(duration: timedelta) -> str:
    """Write a duration in the largest unit that fits it."""
    for unit, length in reversed(UNITS.items()):
        if duration and not duration % length:
            count = duration // length
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{duration // timedelta(minutes=1)} minutes"


def parse_percent(text: str) -> int:
    """Read "20 %" as 20; whole percents from 0 to 100."""
    found = re.fullmatch(r"(\d{1,6})\s*%", text.strip())
    if found is None:
        raise Unfit(f'"{text}" is no share', 'write it like "20 %"')
    if int(found[1]) > 100:
        raise Unfit(f'"{text}" is out of range', "from 0 % to 100 %")
    return int(found[1])


def parse_schedule(text: str) -> Schedule:
    """Read one of the three forms; whether Azure takes such a schedule is checked elsewhere."""
    words = " ".join(text.split())
    if found := re.fullmatch(rf"daily at {_TIME}", words, re.IGNORECASE):
        return Daily(parse_time(found["at"]))
    if found := re.fullmatch(rf"weekly on (?P<days>.+) at {_TIME}", words, re.IGNORECASE):
        days = re.split(r"\s*,\s*(?:and )?|\s+and\s+", found["days"], flags=re.IGNORECASE)
        return Weekly(frozenset(map(parse_weekday, days)), parse_time(found["at"]))
    if found := re.fullmatch(
        rf"every (?P<every>\d+) hours? from {_TIME} for (?P<window>\d+) hours?",
        words,
        re.IGNORECASE,
    ):
        every, window = int(found["every"]), int(found["window"])
        if not (1 <= every <= 24 and 1 <= window <= 24):
            raise Unfit(f'"{text}" does not fit into a day', "count in hours from 1 to 24")
        return Hourly(every * HOUR, parse_time(found["at"]), window * HOUR)
    examples = " or ".join(f'"{example}"' for example in _SCHEDULES)
    raise Unfit(f'"{text}" is no schedule', f"write it like {examples}")


def parse_weekday(text: str) -> Weekday:
    """Read a day of the week in any case."""
    if text.capitalize() not in set(Weekday):
        raise Unfit(f'"{text}" is no day of the week', did_you_mean(text, Weekday))
    return Weekday(text.capitalize())


def parse_time_zone(text: str) -> str:
    """
    Return the Windows name of a time zone given by that name or by an IANA one.

    Azure takes Windows names only (AZURE: policies).
    """
    if text in WINDOWS_ZONES:
        return text
    if text in IANA_ZONES:
        return IANA_ZONES[text]
    raise Unfit(
        f'"{text}" is no time zone that we know',
        did_you_mean(text, (*WINDOWS_ZONES, *IANA_ZONES))
        or 'use a Windows name such as "W. Europe Standard Time", or "UTC"',
    )


def parse_blackout(text: str) -> Blackout:
    """Read a day of the week, a date or two dates with "to" between them."""
    if re.search(r"\d", text) is None:
        return parse_weekday(text)
    first, _, last = (part.strip() for part in text.partition(" to "))
    dates = Dates(_parse_date(first), _parse_date(last or first))
    if dates.last < dates.first:
        raise Unfit(f'"{text}" ends before it begins', "put the earlier date first")
    return dates


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unfit(f'"{text}" is no date', "write it like 2030-12-24") from None


def parse_time(text: str) -> time:
    """Read a time of day."""
    found = re.fullmatch(r"(\d\d):(\d\d)", text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise Unfit(f'"{text}" is no time of day', "write it like 06:00 or 22:30")
    return time(int(found[1]), int(found[2]))
