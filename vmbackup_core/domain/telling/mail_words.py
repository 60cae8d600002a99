"""
Words that go into mails: what strangers wrote made harmless, and our own for times and spans.

Names, tags and error texts come from strangers. What they write is one line of plain characters
when it leaves here; whoever makes HTML of it escapes it as well.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

LONGEST_SUBJECT = 150
LONGEST_WORDS = 2_000
# Azure's portals, by the cloud's name in VMBACKUP_CLOUD.
PORTALS = {
    "public": "https://portal.azure.com",
    "usgov": "https://portal.azure.us",
    "china": "https://portal.azure.cn",
}
# Control, format (direction marks among them), surrogate, private and unassigned characters, and
# the separators of lines and paragraphs.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# Full-width signs begin formulas too where a spreadsheet is set for East Asia.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def one_line(text: str, most: int = LONGEST_WORDS) -> str:
    """Return a stranger's text as one line of visible characters, cut with "…" beyond `most`."""
    seen = "".join(" " if unicodedata.category(sign) in _UNSEEN else sign for sign in text)
    line = " ".join(seen.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def subject_line(text: str) -> str:
    """Return a mail's subject: one line, so that nothing in it becomes a header."""
    return one_line(text, LONGEST_SUBJECT)


def spell_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def spell_span(span: timedelta) -> str:
    """Write a span roughly, as people do: "3 days", "5 hours", "10 minutes"."""
    span = abs(span)
    for unit, length, least in (("day", 1440, 2880), ("hour", 60, 120), ("minute", 1, 0)):
        minutes = span // timedelta(minutes=1)
        if minutes >= least:
            return counted(minutes // length, unit)
    return ""


def counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def portal_link(portal: str, resource_id: str) -> str:
    """Return the address of a resource's page in the portal at `portal`."""
    return f"{portal}/#resource{quote(resource_id, safe='/')}/overview"


def jobs_link(portal: str, vault_id: str) -> str:
    """
    Return the address of a vault's list of jobs.

    The page's name is taken from portal addresses that people share; no page of Azure's promises
    it. Where it is wrong, the portal shows the vault.
    """
    return f"{portal}/#resource{quote(vault_id, safe='/')}/backupJobs"


def csv_text(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """
    Return a table that spreadsheets open, with nothing in it that they would run.

    A cell that begins like a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(text: str) -> str:
    line = one_line(text)
    return f"'{line}" if line.startswith(_FORMULA) else line
