"""The table beside a mail about many VMs, as spreadsheets take it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from vmbackup_core.domain.telling.mail_lines import Line
from vmbackup_core.domain.telling.mail_words import csv_text

HEADER = (
    "name", "state", "since", "failures", "policy", "last good backup", "RPO left (hours)",
    "last proven restore", "code", "job", "muted until", "id",
)  # fmt: skip


def write_table(lines: Sequence[Line]) -> str:
    """Return lines as CSV; times in UTC, empty where unknown."""
    return csv_text(
        HEADER,
        (
            (
                line.name,
                str(line.state),
                _iso(line.since),
                str(line.failures),
                line.policy,
                _iso(line.last_good),
                "" if line.left is None else f"{line.left / timedelta(hours=1):.1f}",
                _iso(line.proven),
                line.code,
                line.job,
                _iso(line.muted_until),
                line.id,
            )
            for line in lines
        ),
    )


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%MZ}"
