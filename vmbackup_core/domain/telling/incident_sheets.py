"""
How an incident's mail is arranged: what failed, since when, how bad and what to do, in this order.

For somebody who is woken by it: three numbers, then the advice, then the reasons. What ended asks
nobody to do a thing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from vmbackup_core.domain.telling.mail_content import IncidentMail
from vmbackup_core.domain.telling.mail_lines import Line
from vmbackup_core.domain.telling.mail_words import counted, one_line, spell_span, spell_time
from vmbackup_core.domain.telling.root_causes import Remedy
from vmbackup_core.domain.telling.sheets import (
    Advice,
    Block,
    Button,
    Buttons,
    Listing,
    Passage,
    Row,
    Sheet,
    Tile,
    Tone,
    cut_rows,
)
from vmbackup_core.domain.telling.tellings import State, Telling

SHOWN = 15  # Rows in a mail; the table beside it has all.
LONGEST_HEADLINE = 200
NEAR = timedelta(hours=12)  # An RPO that is missed so soon is a warning.

_MARKS = {
    Telling.OPENED: ("Backup trouble", Tone.BAD),
    Telling.REMINDER: ("Still in trouble", Tone.WARN),
    Telling.ESCALATED: ("Escalated", Tone.BAD),
    Telling.RECOVERED: ("It is over", Tone.GOOD),
}
_QUIET = "No mails about it for a while:"
_REMEDIES = {
    Remedy.MEND_YOURSELF.value: "you can mend it",
    Remedy.WAIT.value: "it should pass by itself",
    Remedy.CALL_AZURE.value: "Azure's support has to help",
}


def write_incident_sheet(mail: IncidentMail, about: str, now: datetime) -> Sheet:
    """Return the sheet of the mail that tells of the incident or group with the id `about`."""
    mark, tone = _MARKS[mail.telling]
    if mail.telling is Telling.REMINDER:
        mark = f"{mark}, reminder {mail.number}"
    over = mail.telling is Telling.RECOVERED
    lasting = tuple(line for line in mail.lines if line.state is not State.RECOVERED)
    tiles = _tiles(mail.lines, lasting, now, over=over)
    return Sheet(
        subject=mail.subject,
        mark=mark,
        tone=tone,
        headline=one_line(mail.headline, LONGEST_HEADLINE),
        preview=" · ".join(f"{tile.label}: {tile.value}" for tile in tiles) or mail.cause,
        tiles=tiles,
        blocks=_blocks(mail, now, over=over),
        footer=_footer(mail, about, over=over),
    )


def _sentence(text: str) -> str:
    """Return one of our own phrases as a sentence; names are not ours, "web" is not "Web"."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _tiles(
    lines: Sequence[Line], lasting: Sequence[Line], now: datetime, *, over: bool
) -> tuple[Tile, ...]:
    if len(lines) > 1:
        return _tiles_of_many(lines, lasting, now, over=over)
    (line,) = lines
    if over and not line.backups:
        return (_began("Began", line.since, now),)
    if over:
        return (_began("Began", line.since, now), *_failed(line), *_last_good(line, now))
    label = "Failing for" if line.failures else "For"
    since = f"since {spell_time(line.since)}"
    began = Tile(label, spell_span(now - line.since), since, Tone.BAD)
    if not line.backups:
        return (began,)
    return (began, *_last_good(line, now), *_headroom(line))


def _began(label: str, since: datetime, now: datetime) -> Tile:
    return Tile(label, f"{spell_span(now - since)} ago", spell_time(since))


def _failed(line: Line) -> tuple[Tile, ...]:
    return (Tile("Failed", counted(line.failures, "time")),) if line.failures else ()


def _last_good(line: Line, now: datetime) -> tuple[Tile, ...]:
    if line.last_good is None:
        known = line.policy or line.failures
        return (Tile("Last good backup", "none", "that we know of", Tone.BAD),) if known else ()
    ago = f"{spell_span(now - line.last_good)} ago"
    return (Tile("Last good backup", ago, spell_time(line.last_good)),)


def _headroom(line: Line) -> tuple[Tile, ...]:
    if line.left is None:
        return ()
    if line.left <= timedelta(0):
        return (Tile("RPO", "missed", _by(line.left), Tone.BAD),)
    tone = Tone.WARN if line.left <= NEAR else Tone.PLAIN
    return (Tile("RPO", f"{spell_span(line.left)} left", "until it is missed", tone),)


def _tiles_of_many(
    lines: Sequence[Line], lasting: Sequence[Line], now: datetime, *, over: bool
) -> tuple[Tile, ...]:
    first = min(line.since for line in lasting or lines)
    if over:
        return (
            _began("Began", first, now),
            Tile("VMs", f"{len(lines):,}", "all well", Tone.GOOD),
        )
    healed = len(lines) - len(lasting)
    well = f"{healed:,} of {len(lines):,} are well again" if healed else "one cause, one mail"
    tiles = (
        Tile("VMs in trouble", f"{len(lasting):,}", well, Tone.BAD),
        Tile("For", spell_span(now - first), f"since {spell_time(first)}"),
    )
    if not any(line.backups for line in lasting):
        return tiles
    missed = sum(line.missed for line in lasting)
    never = sum(line.last_good is None for line in lasting)
    return (
        *tiles,
        Tile(
            "RPO missed",
            counted(missed, "VM") if missed else "none",
            f"{never:,} without any good backup" if never else "",
            Tone.BAD if missed or never else Tone.PLAIN,
        ),
    )


def _blocks(mail: IncidentMail, now: datetime, *, over: bool) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if mail.fix and not over:
        blocks.append(Advice("What to do", _REMEDIES[mail.remedy], mail.fix))
    said = f"Azure says: {mail.azure}" if mail.azure else ""
    said = f"Seen: {mail.seen}" if mail.seen else said
    why = "What it was" if over else "Why"
    blocks.append(Passage(why, (_sentence(mail.cause),), mail.code, said))
    if mail.links:
        links = tuple(Button(link.words, link.url) for link in mail.links)
        blocks.append(Buttons("Look there", links))
    if mail.meaning:
        blocks.append(Passage("What it means", mail.meaning))
    if len(mail.lines) > 1:
        blocks.append(_listing(mail, now))
    return tuple(blocks)


def _listing(mail: IncidentMail, now: datetime) -> Listing:
    """Return the VMs, the most urgent first."""
    rows = tuple(row_of(line, now) for line in sorted(mail.lines, key=_urgency))
    elsewhere = "the attached table has all" if mail.table else "`vmbackup alerts show` has all"
    return Listing("The VMs", *cut_rows(rows, SHOWN, elsewhere))


def _urgency(line: Line) -> tuple[bool, bool, timedelta, str]:
    over, never = line.state is State.RECOVERED, line.last_good is None
    left = timedelta.max if line.left is None else line.left
    return (over, not never, left, line.name.lower())


def row_of(line: Line, now: datetime, *, why: bool = False) -> Row:
    """
    Return the row of one subject in a list, with what is worst of it as the value.

    `why` says its cause as well, for lists in which each may have another.
    """
    name = line.name
    over = line.state is State.RECOVERED
    parts = [line.cause] if why else []
    parts.append(f"{'began' if over else 'since'} {spell_time(line.since)}")
    if line.failures > 1:
        parts.append(f"{line.failures} failures")
    if line.backups and line.last_good is not None:
        parts.append(f"last good {spell_span(now - line.last_good)} ago")
    if line.muted_until is not None:
        parts.append(f"muted until {spell_time(line.muted_until)}")
    detail = ", ".join(parts)
    if over:
        return Row(name, detail, "well again", Tone.GOOD)
    if line.backups and line.last_good is None:
        return Row(name, detail, "no good backup", Tone.BAD)
    if not line.backups or line.left is None:
        return Row(name, detail)
    if line.missed:
        return Row(name, detail, f"RPO missed {_by(line.left)}", Tone.BAD)
    tone = Tone.WARN if line.left <= NEAR else Tone.PLAIN
    return Row(name, detail, f"RPO: {spell_span(line.left)} left", tone)


def _by(left: timedelta) -> str:
    return "just now" if left > -timedelta(minutes=1) else f"by {spell_span(left)}"


def _footer(mail: IncidentMail, about: str, *, over: bool) -> tuple[str, ...]:
    told = f"Told: {', '.join(mail.told[:SHOWN])}"
    if len(mail.told) > SHOWN:
        told += f" and {len(mail.told) - SHOWN:,} more"
    if over:
        return (f"{told}.", f"Incident {about}. There will be no more mails about it.")
    return (f"{told}.", _QUIET, mute_command(about))


def mute_command(about: str) -> str:
    """
    Return the command that silences the incident or group for a day, to be copied as it is.

    Enough of the id to be the only one, so that the line is not wrapped.
    """
    kind, _, digits = about.partition("-")
    return f'vmbackup alerts mute {kind}-{digits[:12]} --for 24h --why "being mended"'
