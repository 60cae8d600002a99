"""
How digests are arranged: first what somebody has to do, then what was, then what is kept as proof.
"""

from collections.abc import Iterable
from datetime import datetime

from vmbackup_core.domain.telling.digests import AliveDigest, Drilled, OwnerDigest, Troubled
from vmbackup_core.domain.telling.incident_sheets import SHOWN, row_of
from vmbackup_core.domain.telling.mail_lines import Line
from vmbackup_core.domain.telling.mail_words import counted, one_line, spell_time
from vmbackup_core.domain.telling.sheets import (
    LONGEST_NAME,
    Block,
    Listing,
    Passage,
    Row,
    Sheet,
    Tile,
    Tone,
    cut_rows,
)

MOST_HEADS = 50  # A cut tail shows only where its head is written.
_EVIDENCE = "`vmbackup evidence verify` has all"
_ELSEWHERE = "`vmbackup alerts list` has all"


def write_owner_sheet(digest: OwnerDigest) -> Sheet:
    """Return the sheet of an owner's digest."""
    troubled = digest.troubled
    tone = Tone.WARN if troubled.lasting or troubled.muted else Tone.GOOD
    return Sheet(
        subject=digest.subject,
        mark="Backup digest",
        tone=tone,
        headline=digest.subject,
        preview=_period(digest.since, digest.until),
        tiles=(
            Tile("Your VMs", f"{digest.vms:,}"),
            *_trouble_tiles(troubled),
        ),
        blocks=_trouble_blocks(troubled, digest.until),
        footer=(
            f"{_period(digest.since, digest.until)}.",
            f"Sent to {digest.owner}, whom a rule or a tag names as the owner of these VMs.",
        ),
    )


def write_alive_sheet(digest: AliveDigest) -> Sheet:
    """Return the sheet of the operators' daily mail."""
    today, count = digest.today, digest.today.count
    waits = today.sources or today.unsent or today.waiting or today.stuck
    asks = bool(waits or digest.troubled.lasting)
    share = f"{digest.coverage:.1%}".replace("%", " %")
    protected = f"{count.protected:,} of {counted(count.in_scope, 'VM')}"
    full = count.protected == count.in_scope
    return Sheet(
        subject=digest.subject,
        mark=f"vmbackup is alive, day {digest.number}",
        tone=Tone.WARN if asks else Tone.GOOD,
        headline=f"{protected} protected; {_drills_said(today.drilled)}",
        preview=_period(digest.since, digest.until),
        tiles=(
            Tile("Protected", share, protected, Tone.GOOD if full else Tone.WARN),
            *_trouble_tiles(digest.troubled),
        ),
        blocks=(
            *_asking(digest),
            *_trouble_blocks(digest.troubled, digest.until),
            *_drill_blocks(today.drilled),
            *_changes(digest),
            *_heads(digest),
        ),
        footer=(
            f"{_period(digest.since, digest.until)}.",
            "This mail comes every day. If it does not come, vmbackup does not run.",
        ),
    )


def _period(since: datetime, until: datetime) -> str:
    return f"From {spell_time(since)} to {spell_time(until)}"


def _trouble_tiles(troubled: Troubled) -> tuple[Tile, ...]:
    lasting, muted = len(troubled.lasting), len(troubled.muted)
    beside = f"and {muted:,} muted" if muted else ""
    healed = f"{troubled.healed:,} more by themselves" if troubled.healed else ""
    return (
        Tile("In trouble", f"{lasting:,}", beside, Tone.BAD if lasting else Tone.GOOD),
        Tile("Recovered", f"{len(troubled.recovered):,}", healed),
    )


def _trouble_blocks(troubled: Troubled, now: datetime) -> tuple[Block, ...]:
    if troubled.calm:
        return (Passage("Incidents", ("None lasts, and none ended since the last digest.",)),)
    lists = (
        ("In trouble", troubled.lasting),
        ("Muted, and still in trouble", troubled.muted),
        ("Recovered since the last digest", troubled.recovered),
    )
    return tuple(_incidents(title, lines, now) for title, lines in lists if lines)


def _incidents(title: str, lines: tuple[Line, ...], now: datetime) -> Listing:
    return _listing(title, (row_of(line, now, why=True) for line in lines))


def _listing(title: str, rows: Iterable[Row], elsewhere: str = _ELSEWHERE) -> Listing:
    return Listing(title, *cut_rows(tuple(rows), SHOWN, elsewhere))


def _asking(digest: AliveDigest) -> tuple[Block, ...]:
    """Return what somebody has to do."""
    today = digest.today
    blocks: list[Block] = []
    if today.sources:
        rows = (Row(source, "not judged while it cannot be read") for source in today.sources)
        blocks.append(_listing("Cannot be read", rows, "`vmbackup alerts list` names them"))
    if today.unsent:
        text = f"{counted(today.unsent, 'mail')} could not be sent yet, and will be tried again."
        blocks.append(Passage("Unsent mails", (text,), tone=Tone.BAD))
    if today.waiting:
        rows = (Row(one.what, value=counted(one.vms, "VM")) for one in today.waiting)
        blocks.append(_listing("Waits for a person", rows, "`vmbackup plan` has all"))
    if today.stuck:
        rows = (Row(one) for one in today.stuck)
        blocks.append(_listing("Workflows of vmbackup that stand still", rows, "the log has all"))
    return tuple(blocks)


def _drills_said(drilled: Drilled | None) -> str:
    if drilled is None:
        return "no restore tests are configured"
    if drilled.failed:
        return f"{counted(drilled.failed, 'restore test')} failed"
    if drilled.passed == 0:
        return "no restore test passed" if drilled.not_run else "no restore test was run"
    return f"{counted(drilled.passed, 'restore test')} passed"


def _drill_blocks(drilled: Drilled | None) -> tuple[Block, ...]:
    if drilled is None:
        return ()
    sums = (
        ("passed", drilled.passed, Tone.GOOD),
        ("failed", drilled.failed, Tone.BAD),
        ("not run", drilled.not_run, Tone.WARN),
        ("left something behind in Azure", drilled.leftovers, Tone.BAD),
    )
    rows = (
        Row(name, value=f"{number:,}", tone=tone if number else Tone.PLAIN)
        for name, number, tone in sums
    )
    return (Listing("Restore tests", tuple(rows)),)


def _changes(digest: AliveDigest) -> tuple[Block, ...]:
    """Return what others changed: who is protected no more, and who is told."""
    today = digest.today
    rerouted = (
        Row(one.vm, f"from {_named(one.before)} to {_named(one.now)}") for one in today.rerouted
    )
    refused = (Row(one.address, one.why) for one in today.refused)
    lists = (
        ("Opted out since the last digest", tuple(Row(vm) for vm in today.opted_out)),
        ("Mails go to other owners", tuple(rerouted)),
        ("Addresses in tags that get no mail", tuple(refused)),
    )
    return tuple(_listing(title, rows, "`vmbackup plan` has all") for title, rows in lists if rows)


def _named(addresses: tuple[str, ...]) -> str:
    if not addresses:
        return "nobody beside the default recipients"
    shown = ", ".join(one_line(one, LONGEST_NAME) for one in addresses[:3])
    return shown if len(addresses) <= 3 else f"{shown} and {len(addresses) - 3:,} more"


def _heads(digest: AliveDigest) -> tuple[Block, ...]:
    rows = tuple(Row(f"{one.chain} no. {one.seq:,}", one.hash) for one in digest.today.heads)
    title = "Heads of the evidence: keep this mail, it shows a cut tail"
    return (Listing(title, *cut_rows(rows, MOST_HEADS, _EVIDENCE)),) if rows else ()
