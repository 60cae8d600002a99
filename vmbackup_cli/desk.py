"""
Where a command sits: what it reads from, writes to and asks.

Results go to `out`; progress, questions and errors to `err`, so that a pipe sees results only.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.table import Table

from vmbackup_cli.web import Fetch, fetch
from vmbackup_core.adapters.credentials import credential_for
from vmbackup_core.bootstrap import App, current_app
from vmbackup_core.settings import system_environment

WIDE = 110  # Columns from which a table may spread out.
_PIPED_WIDTH = 200  # No terminal, no narrow lines: whoever reads a pipe greps it.


class Exit(IntEnum):
    """What a command's exit code says."""

    FINE = 0
    FAILED = 1
    DIFFERS = 2
    USAGE = 64


class Misused(Exception):
    """The command was called in a way that cannot be answered; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Desk:
    """
    One terminal, or what stands for it.

    `confirm` asks a question that is answered with yes or no; `interactive` says whether anybody is
    there to answer. `secret` asks for what must not be shown. `app` gives the app that the command
    works with, `fetch` calls the deployed one. `credential` is that of whoever is signed in here,
    by the authority that knows them.
    """

    out: Console
    err: Console
    confirm: Callable[[str], bool]
    secret: Callable[[str], str]
    interactive: bool
    app: Callable[[], App]
    fetch: Fetch
    credential: Callable[[str], Any]
    environment: Mapping[str, str]

    def document(self, value: Any) -> None:
        """Write the one JSON document that a machine reads."""
        self.out.file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        self.out.file.flush()

    def table_file(self, csv: str) -> None:
        """Write the one table that a spreadsheet reads."""
        self.out.file.write(csv)
        self.out.file.flush()

    def say(self, *lines: str, style: str = "") -> None:
        """Write lines of text as they are, wrapped to the terminal."""
        for line in lines:
            self.out.print(line, style=style, markup=False, highlight=False)

    def tell(self, *lines: str, style: str = "") -> None:
        """Write lines beside the results: progress and warnings."""
        for line in lines:
            self.err.print(line, style=style, markup=False, highlight=False)

    def table(self, *headings: str, title: str = "") -> Table:
        """Return an empty table in this project's looks."""
        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
        table.header_style, table.title_style = "bold", "bold"
        for heading in headings:
            table.add_column(heading, overflow="fold")
        return table

    @property
    def wide(self) -> bool:
        return self.out.width >= WIDE


def terminal() -> Desk:
    """Return the desk of this process. Rich obeys NO_COLOR, TERM=dumb and COLUMNS."""
    # What the SDKs log is told again, shorter, by the error that follows.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    err = _console(stderr=True)
    return Desk(
        out=_console(stderr=False),
        err=err,
        confirm=lambda question: _yes(err, question),
        secret=lambda question: err.input(question, markup=False, password=True),
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
        app=current_app,
        fetch=fetch,
        credential=lambda authority: credential_for("", authority=authority, on_azure=False),
        environment=system_environment(),
    )


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    piped = not console.is_terminal and "COLUMNS" not in system_environment()
    return Console(stderr=stderr, width=_PIPED_WIDTH) if piped else console


def _yes(err: Console, question: str) -> bool:
    answer = err.input(f"{question} [bold]\\[y/N][/bold] ")
    return answer.strip().lower() in ("y", "yes")
