"""Spans of time as people write them in the configuration and in tags: "30 minutes", "7 days"."""

import re
from datetime import timedelta

UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
_SPAN = re.compile(r"(\d{1,6})\s*([a-z]+?)s?")


def split_span(text: str) -> tuple[int, str] | None:
    """Return number and unit (in the singular), None where the text has no such form."""
    found = _SPAN.fullmatch(text.strip().lower())
    return (int(found[1]), found[2]) if found else None


def read_span(text: str) -> timedelta | None:
    """Return what a text means, None where it means nothing that we know."""
    match split_span(text):
        case (count, unit) if unit in UNITS:
            return count * UNITS[unit]
        case _:
            return None
