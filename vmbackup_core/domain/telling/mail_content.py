"""
What a mail about an incident says: values and sentences that one can act on, without any layout.

One shape for one VM, for many and for a vault. Everything that strangers wrote has become one
harmless line here (see mail_words); layout, HTML and sending are others' business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.domain.telling.failure_codes import Explanation, explain
from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.mail_lines import Background, Line, line_of
from vmbackup_core.domain.telling.mail_table import write_table
from vmbackup_core.domain.telling.mail_words import (
    counted,
    jobs_link,
    one_line,
    portal_link,
    spell_span,
    spell_time,
    subject_line,
)
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.state_words import STATE_WORDS
from vmbackup_core.domain.telling.tellings import Telling, Told
from vmbackup_core.domain.telling.troubles import Ending, SubjectKind

LONGEST_CODE = 80
MANY = 10  # From this many on, the list is attached as a table.


@dataclass(frozen=True, slots=True)
class Link:
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class IncidentMail:
    """
    The values of one mail.

    `headline` says it in one sentence and `meaning` what it means, sentence by sentence. `azure`
    are Azure's own words and `seen` ours of what was seen, "" where there are none. `told` are all
    recipients. `table` is the whole list as CSV where many are concerned, "" otherwise.
    """

    subject: str
    telling: Telling
    number: int
    headline: str
    lines: tuple[Line, ...]
    meaning: tuple[str, ...]
    cause: str
    remedy: str
    fix: str
    code: str
    azure: str
    seen: str
    links: tuple[Link, ...]
    told: tuple[str, ...]
    table: str


def write_incident_mail(
    told: Told, about: Sequence[Background], recipients: tuple[str, ...], portal: str, now: datetime
) -> IncidentMail:
    """
    Return the values of the mail that tells of one incident, or of many of one cause.

    `about` has at least one; those that last come first in the mail.
    """
    about = sorted(about, key=lambda one: (one.incident.over, one.incident.subject.name.lower()))
    first = about[0].incident
    lines = tuple(line_of(one, now) for one in about)
    headline = _headline(told, about, now)
    text, remedy, fix, link = _explained(first)
    ours = not first.cause.by_run
    return IncidentMail(
        subject=subject_line(f"{_MARKS[told.telling]}: {headline}"),
        telling=told.telling,
        number=told.number,
        headline=headline,
        lines=lines,
        meaning=_meaning(about, now),
        cause=text,
        remedy=remedy,
        fix=fix,
        code=lines[0].code,
        azure="" if ours else one_line(_told(first).azure_words),
        seen=one_line(first.words.message) if ours else "",
        links=_links(about, link, portal),
        told=recipients,
        table=write_table(lines) if len(lines) >= MANY else "",
    )


_MARKS = {
    Telling.OPENED: "Backup trouble",
    Telling.REMINDER: "Still",
    Telling.ESCALATED: "Escalated",
    Telling.RECOVERED: "Over",
}
_ENDINGS = {
    Ending.BACKED_UP: "is backed up again",
    Ending.MENDED: "is as it should be again",
    Ending.PROVEN: "was restored in a test that passed",
    Ending.NOT_EXPECTED: "is not backed up any more, so its failures have ended",
}


def _headline(told: Told, about: Sequence[Background], now: datetime) -> str:
    first = about[0].incident
    name = one_line(first.subject.name)
    lasting = [one for one in about if not one.incident.over]
    if told.telling is Telling.RECOVERED:
        if len(about) > 1:
            return f"all {len(about)} VMs are well ({_cause_said(first)})"
        ending = _ENDINGS[first.ending or Ending.MENDED]
        return f"{name} {ending}, after {spell_span((first.well or now) - first.first)}"
    if len(about) > 1:
        of_all = f" of {len(about)}" if len(lasting) < len(about) else ""
        return f"{len(lasting)}{of_all} VMs in {one_line(first.location)}: {_cause_said(first)}"
    since = "" if told.telling is Telling.OPENED else f", since {spell_time(first.since)}"
    return f"{name}: {_cause_said(first)}{since}"


def _cause_said(incident: Incident) -> str:
    """Say the cause, or of one that nobody knows what can be searched for."""
    if incident.cause is not RootCause.UNKNOWN:
        return incident.cause.text
    code = one_line(incident.words.code or str(incident.words.number or ""), LONGEST_CODE)
    return f"the backup failed with {code}" if code else "the backup failed"


def _explained(incident: Incident) -> tuple[str, str, str, str]:
    """Return cause, remedy, fix and link: of the failure where one was, else of the state."""
    words, state = incident.words, STATE_WORDS.get(incident.cause)
    if state is not None and not incident.cause.by_run:
        fix = f"{one_line(words.advice)} {state.fix}".strip()
        return state.text, state.remedy.value, fix, state.link
    if state is not None and not words.code and not words.number:
        return state.text, state.remedy.value, state.fix, state.link
    told = _told(incident)
    return told.text, told.remedy.value, told.fix, told.link


def _told(incident: Incident) -> Explanation:
    words = incident.words
    return explain(words.code, words.number, words.title, words.message, words.advice)


def _meaning(about: Sequence[Background], now: datetime) -> tuple[str, ...]:
    if len(about) > 1:
        return _meaning_of_many(about, now)
    (one,) = about
    if one.incident.subject.kind is not SubjectKind.VM:
        return ()
    line = line_of(one, now)
    if one.incident.cause is RootCause.RESTORE_FAILED:
        return _meaning_of_test(line, one, now)
    said = []
    if line.failures > 1:
        said.append(f"{line.failures} backups in a row went wrong.")
    if line.last_good is None:
        said.append("There is no good backup of it that we know of.")
    else:
        ago = spell_span(now - line.last_good)
        said.append(f"Its last good backup is of {spell_time(line.last_good)}, {ago} ago.")
    if line.left is not None:
        said.append(
            f"It may be {spell_span(line.left)} older before the RPO is missed."
            if line.left > timedelta(0)
            else f"The RPO has been missed by {spell_span(line.left)}."
        )
    if one.past is not None:
        said.append(_proven(line))
    return tuple(said)


def _meaning_of_test(line: Line, one: Background, now: datetime) -> tuple[str, ...]:
    if one.incident.over:
        return (_proven(line),)
    made = (
        f"Backups of it are still made, the last {spell_span(now - line.last_good)} ago: whether"
        " they restore is not known."
        if line.last_good is not None
        else "There is no good backup of it that we know of."
    )
    return made, _proven(line)


def _proven(line: Line) -> str:
    if line.proven is None:
        return "No restore of it was ever proven."
    return f"A restore of it was last proven at {spell_time(line.proven)}."


def _meaning_of_many(about: Sequence[Background], now: datetime) -> tuple[str, ...]:
    lines = [line_of(one, now) for one in about if not one.incident.over]
    missed = sum(line.backups and line.missed for line in lines)
    never = sum(line.backups and line.last_good is None for line in lines)
    muted = sum(line.muted_until is not None for line in lines)
    said = (
        (missed, "of which the RPO has been missed"),
        (never, "without any good backup that we know of"),
        (muted, "muted at present"),
    )
    return tuple(f"{counted(number, 'VM')} {words}." for number, words in said if number)


def _links(about: Sequence[Background], page: str, portal: str) -> tuple[Link, ...]:
    first = about[0].incident
    links = []
    if len(about) == 1 and first.subject.kind is SubjectKind.VM:
        links.append(Link("The VM in the portal", portal_link(portal, first.subject.id)))
    if first.subject.kind is SubjectKind.SLOT:
        links.append(Link("The slot in the portal", portal_link(portal, first.subject.id)))
    vaults = sorted({one.incident.vault for one in about if one.incident.vault})
    for vault in vaults[:MANY]:
        name = one_line(vault.rpartition("/")[2])
        links.append(Link(f"The vault {name} in the portal", portal_link(portal, vault)))
        if first.words.job and len(vaults) == 1:
            links.append(Link("Its backup jobs", jobs_link(portal, vault)))
    return (*links, Link("What Azure's pages say", page)) if page else tuple(links)
