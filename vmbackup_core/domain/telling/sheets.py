"""
A mail's contents in order: what stands at the top, and blocks of words, numbers and lists below.

Both bodies of a mail, HTML and plain text, are made of one sheet, so that they say the same.
Whoever lays it out makes every text one line and escapes it; nothing here is trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from vmbackup_core.domain.telling.mail_words import one_line

LONGEST_NAME = 80  # Azure's own limit for a VM is 64.
LONGEST_DETAIL = 240


class Tone(StrEnum):
    """How a text is coloured; never the only sign of what it says."""

    PLAIN = "plain"
    CALM = "calm"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Tile:
    """One number or span that is read at a glance, what it is of, and a detail beneath it."""

    label: str
    value: str
    detail: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do; `who` says who can."""

    shape: ClassVar[str] = "advice"
    title: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """
    Sentences under a title.

    `mark` is a word for machines (a code, an id), `quote` is somebody else's text; "" for none.
    """

    shape: ClassVar[str] = "passage"
    title: str
    sentences: tuple[str, ...]
    mark: str = ""
    quote: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    detail: str = ""
    value: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under a title; `more` says what is not shown, and where it is."""

    shape: ClassVar[str] = "listing"
    title: str
    rows: tuple[Row, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """Links; the first is the one to follow."""

    shape: ClassVar[str] = "buttons"
    title: str
    links: tuple[Button, ...]


type Block = Advice | Passage | Listing | Buttons


@dataclass(frozen=True, slots=True)
class Sheet:
    """
    One mail.

    `mark` says in a word or two what kind of mail it is, `preview` is what an inbox shows beside
    the subject.
    """

    subject: str
    mark: str
    tone: Tone
    headline: str
    preview: str
    tiles: tuple[Tile, ...]
    blocks: tuple[Block, ...]
    footer: tuple[str, ...]


def cut_rows(rows: Sequence[Row], most: int, elsewhere: str) -> tuple[tuple[Row, ...], str]:
    """
    Return the first rows, and how many more there are and where, "" where none are.

    What strangers named is cut as well: a list is to be looked over.
    """
    shown = tuple(
        replace(
            row, name=one_line(row.name, LONGEST_NAME), detail=one_line(row.detail, LONGEST_DETAIL)
        )
        for row in rows[:most]
    )
    rest = len(rows) - most
    return shown, f"and {rest:,} more: {elsewhere}" if rest > 0 else ""
