"""
What the incident book forgets, so that it stays one document that can be read at every look.

Only what is over, and never a group without all its members. The letters about what is forgotten
stay where they are, and so does the evidence of restore tests.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from vmbackup_core.domain.telling.incident_groups import Book
from vmbackup_core.domain.telling.incidents import Incident

REMEMBERED = timedelta(days=60)
MOST_OVER = 5_000  # Incidents that are over; of more, those that ended first are forgotten.
# A backup may be told of for so long after it went wrong: then its incident has to know it.
TOLD_LATE = timedelta(days=9)
MOST_ATTEMPTS = 3  # Of what has been over for longer than that.


def prune(book: Book, now: datetime, most: int = MOST_OVER) -> Book:
    """Return the book without what ended long ago, or longest ago where more than `most` have."""
    ended = sorted((at for one in book.incidents if (at := _ended(one))), reverse=True)
    since = now - REMEMBERED
    if len(ended) > most:
        since = max(since, ended[most])
    old = {one.id for one in book.incidents if (at := _ended(one)) is not None and at <= since}
    groups = tuple(group for group in book.groups if not set(group.members) <= old)
    kept = {member for group in groups for member in group.members}
    incidents = tuple(_shortened(book, old - kept, now))
    return Book(incidents, groups)


def _ended(incident: Incident) -> datetime | None:
    return incident.well if incident.over else None


def _shortened(book: Book, gone: set[str], now: datetime) -> Iterator[Incident]:
    for one in book.incidents:
        if one.id in gone:
            continue
        ended = _ended(one)
        long_over = ended is not None and now - ended > TOLD_LATE
        if long_over and len(one.attempts) > MOST_ATTEMPTS:
            yield replace(one, attempts=one.attempts[-MOST_ATTEMPTS:])
        else:
            yield one
