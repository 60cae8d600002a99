"""
What Azure Backup's error codes mean for whom a mail reaches: root cause, remedy, plain words, link.

A failed job has a number and words; its code's name stands only in the log (AZURE: jobs). So a
failure is known by its name, by its number, or by what Azure says about it, in that order, and each
leads to the same entry. What matches nothing is UNKNOWN, with Azure's own words passed through.
"""

import re
from dataclasses import dataclass
from functools import cache

from vmbackup_core.domain.telling.failure_entries import ENTRIES, LEARN, Entry
from vmbackup_core.domain.telling.root_causes import Remedy, RootCause


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    A failure in plain words.

    `code` is what to search for: the name, else the number. `azure_words` are passed through from
    Azure (and thus from strangers); all other words are ours. `known` is False where only those
    say anything.
    """

    cause: RootCause
    remedy: Remedy
    code: str
    text: str
    fix: str
    link: str
    azure_words: str
    known: bool


_BY_NAME = {name.lower(): entry for entry in ENTRIES for name in entry.names}
_BY_NUMBER = {number: entry for entry in ENTRIES for number in entry.numbers}
_UNKNOWN_FIX = (
    "Read what Azure says below. If it does not help, try a backup by hand, and ask Azure's support"
    " with the job's id."
)


def find_entry(code: str, number: int, words: str) -> Entry | None:
    """Return the entry of a failure, None where there is none."""
    if (entry := _BY_NAME.get(code.strip().lower())) is not None:
        return entry
    if (entry := _BY_NUMBER.get(number)) is not None:
        return entry
    return next((entry for pattern, entry in _patterns() if pattern.search(words)), None)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Entry], ...]:
    """Return the patterns, made at their first use: most starts of the app explain nothing."""
    return tuple(
        (re.compile(entry.words, re.IGNORECASE), entry) for entry in ENTRIES if entry.words
    )


def explain(
    code: str = "", number: int = 0, title: str = "", message: str = "", advice: str = ""
) -> Explanation:
    """Return what a failure means; of one without an entry, Azure's own words are all there is."""
    azure_words = " ".join(dict.fromkeys(part.strip() for part in (title, message, advice) if part))
    shown = code.strip() or (str(number) if number else "")
    entry = find_entry(code, number, azure_words)
    if entry is None:
        return Explanation(
            RootCause.UNKNOWN,
            Remedy.MEND_YOURSELF,
            shown,
            RootCause.UNKNOWN.text,
            _UNKNOWN_FIX,
            f"{LEARN}/backup-azure-vms-troubleshoot",
            azure_words,
            known=False,
        )
    return Explanation(
        entry.cause,
        entry.remedy,
        shown,
        entry.text,
        entry.fix,
        f"{LEARN}/{entry.page}",
        azure_words,
        known=True,
    )
