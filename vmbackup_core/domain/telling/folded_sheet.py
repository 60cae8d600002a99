"""What stands above several mails that left as one: which they are, and why they did."""

from collections.abc import Sequence

from vmbackup_core.domain.telling.mail_words import counted
from vmbackup_core.domain.telling.sheets import Listing, Passage, Row, Sheet, Tone

_WHY = (
    "The mail service takes only so many mails in an hour, and more were to be sent.",
    "What is urgent left first, each in a mail of its own; this is the rest, all of it.",
)


def write_folded_sheet(subjects: Sequence[str]) -> Sheet:
    """Return the sheet above the mails with these subjects."""
    several = f"{counted(len(subjects), 'mail')} in one"
    rows = tuple(Row(f"{number}. {subject}") for number, subject in enumerate(subjects, 1))
    return Sheet(
        subject=f"{several}: {'; '.join(subjects)}",
        mark=several,
        tone=Tone.CALM,
        headline=f"{counted(len(subjects), 'mail')} about backups",
        preview="; ".join(subjects),
        tiles=(),
        blocks=(Listing("In this mail", rows), Passage("Why in one", _WHY)),
        footer=("The mails follow below, in this order.",),
    )
