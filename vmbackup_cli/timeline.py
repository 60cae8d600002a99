"""The timeline: every decision as it is made, on the screen and in timeline.jsonl."""

import json
from datetime import datetime
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console
from rich.text import Text

from vmbackup_core.domain.ids import VmId

_STYLES = {
    "event": "cyan",
    "intent": "blue",
    "facts": "dim",
    "plan": "yellow",
    "step": "bold magenta",
    "outcome": "white",
    "evidence": "green",
}


class Now(Protocol):
    def now(self) -> datetime: ...


class Timeline:
    """A journal that writes each line to a file, and to the console where one is given."""

    def __init__(self, path: Path, clock: Now, console: Console | None) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8")
        self._clock, self._console = clock, console
        self.lines = 0

    def close(self) -> None:
        self._file.close()

    def note(
        self, kind: str, key: str, text: str, *, vm: VmId | None = None, **more: object
    ) -> None:
        """Write one line; see ports.Journal."""
        at = self._clock.now()
        line = {
            "at": at.isoformat(),
            "kind": kind,
            "key": key,
            "vm": str(vm) if vm else "",
            "text": text,
            **more,
        }
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.lines += 1
        if self._console is not None:
            name = vm.name if vm else "sweep" if key == "sweep" else ""
            self._console.print(
                Text.assemble(
                    (f"{at:%H:%M:%S} ", "dim"),
                    (f"{kind:<9}", _STYLES.get(kind, "white")),
                    (f"{name:<16}", "bold"),
                    text,
                ),
                no_wrap=True,
                overflow="ellipsis",
                crop=True,
            )
