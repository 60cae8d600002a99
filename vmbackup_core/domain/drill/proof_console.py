"""
A serial log as lines of plain text: what terminals need is taken out, what is too much is left out.

A guest can print anything, so nothing here trusts the text: it is bounded, and only ever compared.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_READ = 512 * 1024  # Characters of a log that are looked at, from its end.
MOST_TOLD = 160  # Characters of one line that are quoted.

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # Titles and the like (OSC).
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # Colours, cursor (CSI).
    r"|\x1b[ -/]+[0-~]|\x1b[0-~]"
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_NEW_LINE = re.compile(r"\r\n|\n|\r")

# Where a system begins anew: the kernel's first line, or Windows' console at each start.
_BEGINNING = re.compile(
    r"^(?:<\d+>)?(?:\[ *0\.0+\](?:\[ *T\d+\])? *)?Linux version \d+\.\d"
    r"|Computer is booting, SAC started and initialized"
)


@dataclass(frozen=True, slots=True)
class Boots:
    """The lines of the last start, and of all before it; a new log has none before."""

    last: tuple[str, ...]
    before: tuple[str, ...] = ()


def lines_of(log: str) -> tuple[str, ...]:
    """
    Return the log's lines, without escapes, control characters and blank ends; empty ones left out.

    Only the last `MOST_READ` characters are looked at, and of these no line that was cut.
    """
    text = log
    if len(log) > MOST_READ:
        text = log[-MOST_READ:].partition("\n")[2]
    plain = _UNSEEN.sub("", _ESCAPES.sub("", text))
    stripped = (line.rstrip() for line in _NEW_LINE.split(plain))
    return tuple(line for line in stripped if line)


def split_boots(lines: Sequence[str]) -> Boots:
    """
    Split the lines at the last start of a system.

    Kernels that write to two consoles say their first lines twice: between the two nothing has
    happened that could be missed.
    """
    at = max((n for n, line in enumerate(lines) if _BEGINNING.search(line)), default=0)
    return Boots(tuple(lines[at:]), tuple(lines[:at]))


def quoted(line: str) -> str:
    """Return a line as it is told: of printable characters, and not for ever long."""
    shown = "".join(char if char.isprintable() else " " for char in line).strip()
    return shown if len(shown) <= MOST_TOLD else f"{shown[: MOST_TOLD - 1]}…"
