"""
Mails laid out: a sheet becomes HTML, plain text and a letter to send.

Nothing that goes into a template is trusted: each value becomes one line of visible characters, is
bounded in length, and is escaped in HTML; a link that leads anywhere but to Azure's portals or
Microsoft's pages is no link. A name that a template uses and nobody gave is an error. Jinja2 is
imported at the first mail: most starts of the app send none (docs/adr/0023).
"""

import re
import textwrap
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.telling.digest_sheets import write_alive_sheet, write_owner_sheet
from vmbackup_core.domain.telling.digests import AliveDigest, OwnerDigest
from vmbackup_core.domain.telling.folded_sheet import write_folded_sheet
from vmbackup_core.domain.telling.incident_sheets import write_incident_sheet
from vmbackup_core.domain.telling.letters import CSV, Attachment, Letter, address_letters
from vmbackup_core.domain.telling.mail_content import IncidentMail
from vmbackup_core.domain.telling.mail_words import LONGEST_WORDS, PORTALS, one_line, subject_line
from vmbackup_core.domain.telling.sheets import Sheet
from vmbackup_core.domain.telling.tellings import Telling
from vmbackup_core.domain.telling.trial_sheet import write_trial_sheet

if TYPE_CHECKING:
    from jinja2 import Environment

# Around the middle of each page: Outlook's own table. What strangers write is escaped.
CARD, CARD_END = "<tr><td><![endif]-->", "<!--[if mso]></td></tr></table><![endif]-->"
RULE = "=" * 60
WIDTH = 76  # Columns of the plain text, as mail programs without wrapping show it.
_TEMPLATES = Path(__file__).parent / "letters"
_PLACES = "|".join(map(re.escape, (*PORTALS.values(), "https://learn.microsoft.com")))
_SAFE_LINK = re.compile(rf"(?:{_PLACES})/[!-~]*")
_URGENT = (Telling.OPENED, Telling.ESCALATED)


def render_incident(
    mail: IncidentMail, *, key: str, about: str, now: datetime
) -> tuple[Letter, ...]:
    """
    Return the letters that tell of an incident or group, one for each fifty recipients.

    `key` is its notice's, `about` the id of the incident or group. The whole list is attached where
    the mail has a table.
    """
    sheet = write_incident_sheet(mail, about, now)
    tables = (Attachment("vms.csv", CSV, _csv(mail.table)),) if mail.table else ()
    urgent = mail.telling in _URGENT
    return _letters(sheet, key, mail.told, tables, urgent=urgent)


def render_owner_digest(digest: OwnerDigest, *, key: str) -> tuple[Letter, ...]:
    """Return the letter to one owner."""
    return _letters(write_owner_sheet(digest), key, (digest.owner,))


def render_alive_digest(
    digest: AliveDigest, *, key: str, to: tuple[str, ...]
) -> tuple[Letter, ...]:
    """Return the operators' daily letters: never late or within another, as that would alarm."""
    return _letters(write_alive_sheet(digest), key, to, urgent=True)


def render_trial(to: tuple[str, ...], *, key: str, now: datetime) -> tuple[Letter, ...]:
    """Return the letters by which somebody sees that mails arrive."""
    return _letters(write_trial_sheet(now), key, to, urgent=True)


def render_folded(letters: tuple[Letter, ...]) -> Letter:
    """
    Return one letter that says what these say, in their order, after a list of them.

    All go to the same people; their files go with it, numbered as the letters are. The order of
    the letters does not change its key.
    """
    sheet = write_folded_sheet([one.subject for one in letters])
    parts = [
        "\n".join((RULE, *_wrap(f"{number}. {one.subject}"), "", one.plain))
        for number, one in enumerate(letters, 1)
    ]
    files = tuple(
        Attachment(f"{number}-{file.name}", file.kind, file.content)
        for number, one in enumerate(letters, 1)
        for file in one.attachments
    )
    first = letters[0]
    return Letter(
        derive_key("letter", "folded", *sorted(one.key for one in letters)),
        first.to,
        first.copy,
        subject_line(sheet.subject),
        "\n".join((render_plain(sheet), *parts)),
        _with_cards(render_html(sheet), [_card(one) for one in letters]),
        files,
    )


def _card(letter: Letter) -> str:
    """Return what a letter's page has in its middle, or its text where that cannot be told."""
    card = letter.html.partition(CARD)[2].partition(CARD_END)[0]
    return card or f'<pre style="white-space:pre-wrap">{escape(letter.plain)}</pre>'


def _with_cards(page: str, cards: Iterable[str]) -> str:
    """Return the page with more cards below its own."""
    before, end, after = page.partition(CARD_END)
    gap = '<div style="font-size:16px;line-height:16px">&nbsp;</div>'
    return "".join((before, *(f"{gap}{card}" for card in cards), end, after))


def _letters(
    sheet: Sheet,
    key: str,
    to: tuple[str, ...],
    attachments: tuple[Attachment, ...] = (),
    *,
    urgent: bool = False,
) -> tuple[Letter, ...]:
    plain, html = render_plain(sheet), render_html(sheet)
    return address_letters(
        Letter(key, to, (), subject_line(sheet.subject), plain, html, attachments, urgent)
    )


def _csv(table: str) -> bytes:
    """Return a table as spreadsheets read it: without a mark they take UTF-8 for something else."""
    return table.encode("utf-8-sig")


def render_html(sheet: Sheet) -> str:
    """Return the HTML body; it loads nothing from anywhere."""
    return _templates().get_template("mail.html.j2").render(sheet=sheet)


def render_plain(sheet: Sheet) -> str:
    """Return the plain text body, which says what the HTML says."""
    text = _templates().get_template("mail.txt.j2").render(sheet=sheet)
    return "\n".join(line for raw in text.splitlines() for line in _wrap(raw)) + "\n"


def _wrap(line: str) -> Iterable[str]:
    """Yield a line in lines of WIDTH columns, indented alike; addresses and ids stay whole."""
    text = line.lstrip()
    indent = " " * (len(line) - len(text))
    wrapped = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped or [""]


def is_safe_link(url: str) -> bool:
    """Tell whether a mail may lead there: over https to Azure's portals or Microsoft's pages."""
    return len(url) <= LONGEST_WORDS and _SAFE_LINK.fullmatch(url) is not None


def _clean(value: Any) -> Any:
    """Return what goes into a template: one line, whoever wrote it and however long it is."""
    return one_line(value) if isinstance(value, str) else value


@cache
def _templates() -> "Environment":
    """Return the templates, loaded at the first mail of this process."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        finalize=_clean,
        loader=FileSystemLoader(_TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    templates.tests["safe_link"] = is_safe_link
    return templates
