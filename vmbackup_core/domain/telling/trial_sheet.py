"""The mail that somebody sends to see that mails arrive."""

from datetime import datetime

from vmbackup_core.domain.telling.mail_words import spell_time
from vmbackup_core.domain.telling.sheets import Passage, Sheet, Tile, Tone


def write_trial_sheet(now: datetime) -> Sheet:
    """Return the sheet of a test mail."""
    return Sheet(
        subject="Test mail from vmbackup: nothing happened",
        mark="Test mail",
        tone=Tone.CALM,
        headline="Mails of vmbackup reach you",
        preview="Nothing happened, and there is nothing to do",
        tiles=(Tile("Sent", spell_time(now)),),
        blocks=(
            Passage(
                "What it means",
                (
                    "Somebody asked for this mail with `vmbackup alerts send-test`.",
                    "Mails about failed and missing backups will come from the same address. If"
                    " this one was in a folder for unwanted mail, let them through.",
                ),
            ),
        ),
        footer=("Nothing happened, and there is nothing to do.",),
    )
