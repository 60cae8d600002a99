"""One subject of a mail or a report in one line of values: how long, how often, how bad."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.domain.drill.rules import Past
from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.mail_words import one_line
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.tellings import State
from vmbackup_core.domain.telling.troubles import SubjectKind

_BESIDE = (RootCause.RESTORE_FAILED, RootCause.POLICY_WEAKENED)


@dataclass(frozen=True, slots=True)
class Background:
    """
    What is known of an incident's subject beside the incident.

    `muted_until` is set while nobody is told of it. `past` is what its restore tests proved.
    """

    incident: Incident
    policy: str = ""
    rpo: timedelta | None = None
    last_good: datetime | None = None
    past: Past | None = None
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """
    One subject in a mail or a report; `left` is the RPO's headroom, below zero where missed.

    `backups` is False where backups are made all the same, and something else is wrong: then no RPO
    tells how bad it is.
    """

    name: str
    id: str
    cause: str
    backups: bool
    state: State
    since: datetime
    failures: int
    policy: str
    last_good: datetime | None
    left: timedelta | None
    proven: datetime | None
    code: str
    job: str
    muted_until: datetime | None

    @property
    def missed(self) -> bool:
        """Whether the RPO is missed."""
        return self.left is not None and self.left <= timedelta(0)


def line_of(one: Background, now: datetime) -> Line:
    """Return an incident's line for a mail or a report."""
    incident = one.incident
    left = None
    if one.rpo is not None and one.last_good is not None:
        left = one.last_good + one.rpo - now
    attempts = incident.attempts if incident.over else incident.current
    return Line(
        name=one_line(incident.subject.name),
        id=one_line(incident.subject.id),
        cause=incident.cause.text,
        backups=incident.subject.kind is SubjectKind.VM and incident.cause not in _BESIDE,
        state=incident.state,
        since=incident.since,
        failures=len(attempts) if incident.cause.by_run else 0,
        policy=one_line(one.policy),
        last_good=one.last_good,
        left=left,
        proven=one.past.proven if one.past else None,
        code=one_line(incident.words.code or str(incident.words.number or "")),
        job=one_line(incident.words.job),
        muted_until=one.muted_until,
    )
