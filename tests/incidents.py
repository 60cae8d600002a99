"""Sightings and looks for tests of incidents: name only what the test is about."""

from datetime import datetime, timedelta

from tests.builders import HERE, SUB, VAULT, at
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.telling.incident_groups import Book, advance
from vmbackup_core.domain.telling.root_causes import BY_RUN, RootCause
from vmbackup_core.domain.telling.tellings import Folding, Rhythm
from vmbackup_core.domain.telling.troubles import Ending, Sighting, Subject, Wellness, Words

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RHYTHM = Rhythm(DAY, 3 * DAY)
ALONE = Folding(at_least=5, gather=timedelta(0))


def subject(name: str = "web") -> Subject:
    return Subject.of_vm(VmId(SUB, "rg-app", name))


def hour(hours: float) -> datetime:
    """Return the time `hours` after the beginning of the test."""
    return at(60 * hours)


def bad(
    hours: float,
    cause: RootCause = RootCause.AGENT,
    *,
    name: str = "web",
    quiet: float = 0,
    attempt: str = "",
    code: str = "",
) -> Sighting:
    """Return a backup that failed; the next one may heal it for `quiet` hours."""
    return Sighting(
        subject(name),
        cause,
        hour(hours),
        hour(hours + quiet),
        attempt or f"job-{hours}",
        str(VAULT),
        HERE,
        Words(code=code, job=f"job-{hours}"),
    )


def held(hours: float, cause: RootCause = RootCause.STOPPED, *, name: str = "web") -> Sighting:
    """Return a state, seen."""
    return Sighting(subject(name), cause, hour(hours), hour(hours), location=HERE)


def good(hours: float, *, name: str = "web") -> Wellness:
    return Wellness(subject(name), hour(hours), Ending.BACKED_UP, BY_RUN)


def mended(hours: float, cause: RootCause, *, name: str = "web") -> Wellness:
    return Wellness(subject(name), hour(hours), Ending.MENDED, frozenset({cause}))


class Looks:
    """A book and what was told of it, one look after the other."""

    def __init__(self, rhythm: Rhythm = RHYTHM, folding: Folding = ALONE) -> None:
        self.book, self.rhythm, self.folding = Book(), rhythm, folding
        self.notices: list[tuple[float, str, int, int]] = []
        self.muted: set[str] = set()

    def look(self, hours: float, *seen: Sighting | Wellness) -> "Looks":
        self.book, notices = advance(
            self.book,
            seen,
            hour(hours),
            rhythm=self.rhythm,
            folding=self.folding,
            muted=lambda incident: incident.subject.name in self.muted,
        )
        self.notices += [
            (hours, str(one.told.telling), one.told.number, len(one.members)) for one in notices
        ]
        return self
