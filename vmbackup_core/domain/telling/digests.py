"""
What the digests say: an owner's, of his VMs, and the operators' daily one, that we are alive.

The operators' digest comes whatever happened: that it does not come is itself an alarm. It carries
the hashes of the evidence's heads out of the house, so that a cut tail shows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.domain.schedules import WEEK, Daily, Weekly
from vmbackup_core.domain.telling.expectations import expected_runs
from vmbackup_core.domain.telling.mail_lines import Background, Line, line_of
from vmbackup_core.domain.telling.mail_words import counted, one_line, subject_line
from vmbackup_core.domain.telling.routing import Refused, RoutingChange
from vmbackup_core.domain.telling.tellings import State
from vmbackup_core.domain.verdicts import Count


@dataclass(frozen=True, slots=True)
class Troubled:
    """
    The incidents of a digest's time, each in one list.

    `healed` is how many ended by themselves and were told to nobody; they are worth a look where
    they are many.
    """

    lasting: tuple[Line, ...]
    muted: tuple[Line, ...]
    recovered: tuple[Line, ...]
    healed: int

    @property
    def calm(self) -> bool:
        return not (self.lasting or self.muted or self.recovered)


def sort_incidents(about: Iterable[Background], since: datetime, now: datetime) -> Troubled:
    """Return the incidents that last now or ended after `since`, the oldest first."""
    lasting: list[Line] = []
    muted: list[Line] = []
    recovered: list[Line] = []
    healed = 0
    for one in sorted(about, key=lambda one: (one.incident.since, one.incident.id)):
        incident = one.incident
        if not incident.over:
            (muted if one.muted_until is not None else lasting).append(line_of(one, now))
        elif incident.well is not None and incident.well > since:
            if incident.told:
                recovered.append(line_of(one, now))
            else:
                healed += 1
    return Troubled(tuple(lasting), tuple(muted), tuple(recovered), healed)


@dataclass(frozen=True, slots=True)
class OwnerDigest:
    """What one owner's VMs came to since the last digest; `vms` is how many there are."""

    subject: str
    owner: str
    since: datetime
    until: datetime
    vms: int
    troubled: Troubled


def write_owner_digest(
    owner: str, vms: int, about: Iterable[Background], since: datetime, now: datetime
) -> OwnerDigest:
    troubled = sort_incidents(about, since, now)
    lasting = len(troubled.lasting) + len(troubled.muted)
    state = f"{lasting} in trouble" if lasting else "no trouble"
    subject = subject_line(f"Backups of {counted(vms, 'VM')}: {state}")
    return OwnerDigest(subject, one_line(owner), since, now, vms, troubled)


@dataclass(frozen=True, slots=True)
class Drilled:
    """What restore tests came to in a digest's time."""

    passed: int = 0
    failed: int = 0
    not_run: int = 0
    leftovers: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of one chain of evidence."""

    chain: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that only a person can end, and how many VMs it keeps."""

    what: str
    vms: int


@dataclass(frozen=True, slots=True)
class Today:
    """
    Everything that the operators' digest is made of, beside the incidents.

    `opted_out` are VMs whose owner said no since the last digest, `sources` what could not be read
    and since when: while it cannot, nothing of it is judged. `stuck` are workflows of vmbackup that
    should have ended.
    """

    count: Count
    drilled: Drilled | None = None
    opted_out: tuple[str, ...] = ()
    heads: tuple[Head, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    rerouted: tuple[RoutingChange, ...] = ()
    refused: tuple[Refused, ...] = ()
    unsent: int = 0
    sources: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AliveDigest:
    """The values of the operators' daily mail; `number` counts its days, so that gaps show."""

    subject: str
    number: int
    since: datetime
    until: datetime
    coverage: float
    troubled: Troubled
    escalated: int
    today: Today


def write_alive_digest(
    number: int, today: Today, about: Iterable[Background], since: datetime, now: datetime
) -> AliveDigest:
    """
    Return the values of the operators' daily mail.

    Coverage is the share of the VMs in scope that are protected, 1.0 where none is in scope.
    """
    count, troubled = today.count, sort_incidents(about, since, now)
    coverage = count.protected / count.in_scope if count.in_scope else 1.0
    lasting = (*troubled.lasting, *troubled.muted)
    subject = subject_line(
        f"vmbackup is alive, day {number}: {count.protected:,} of {counted(count.in_scope, 'VM')}"
        f" protected, {len(lasting)} in trouble"
    )
    cleaned = Today(
        count,
        today.drilled,
        _lines(today.opted_out),
        today.heads,
        tuple(Waiting(one_line(one.what), one.vms) for one in today.waiting),
        tuple(
            RoutingChange(one_line(one.vm), _lines(one.before), _lines(one.now))
            for one in today.rerouted
        ),
        tuple(Refused(one_line(one.address), one.why) for one in today.refused),
        today.unsent,
        _lines(today.sources),
        _lines(today.stuck),
    )
    escalated = sum(line.state is State.ESCALATED for line in lasting)
    return AliveDigest(subject, number, since, now, coverage, troubled, escalated, cleaned)


def _lines(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(one_line, texts))


def digest_due(schedule: Daily | Weekly, last: datetime | None, now: datetime) -> datetime | None:
    """
    Return the time of the digest that is due and was not sent, None where none is.

    `last` is the time of the one before. Of several that were left out only the newest is due, and
    where none was ever sent, one is due at once. The schedule is in UTC.
    """
    if last is None:
        return now
    since = max(last, now - 2 * WEEK)
    times = expected_runs(schedule, timedelta(0), since, now + timedelta.resolution)
    return max((moment for moment in times if moment > last), default=None)
