"""Heads of evidence are found in the mail that carries them out of the house."""

from pathlib import Path

from tests.mails import alive
from vmbackup_cli.heads import Head, read_heads


def test_the_operators_daily_mail_is_read_as_it_was_sent(tmp_path: Path) -> None:
    (letter,) = alive()
    kept = tmp_path / "mail.txt"
    kept.write_text(letter.plain)

    assert read_heads(kept) == (
        Head("drill/2030-01", 187, "90ef" * 16),
        Head("sweep/2030-01", 4_312, "ab12" * 16),
    )
