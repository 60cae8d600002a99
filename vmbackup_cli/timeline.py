"""The timeline: every decision as it is made, on the screen and in timeline.jsonl."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console
from rich.text import Text

from vmbackup_core.domain.drill.slots import PREFIX
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

# How keys of what concerns no VM alone begin, and what the screen calls it.
_NAMES = {
    "sweep": "sweep",
    "night": "night",
    "janitor": "janitor",
    "watch": "watch",
    "letter-": "mail",
}

# The turns of a restore test are many: on the screen stand those that change something, in words.
_TOLD = {
    "StartRestore": "restore its disks into a slot",
    "CreateCopy": "make a VM of the disks, in the slot's isolated network",
    "StartCheck": "run a check inside the copy",
    "StopCopy": "stop the copy",
    "KeepSlot": "keep the stopped copy for a person",
    "QuarantineSlot": "quarantine the slot",
    "ReleaseSlot": "free the slot",
}
_DRILL = "drill-"  # How the keys of restore tests begin.
_ID = re.compile(r"/subscriptions/\S+/([^/\s]+/[^/\s]+)")


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

    @contextmanager
    def off_screen(self) -> Iterator[None]:
        """Write to the file alone for a while."""
        console, self._console = self._console, None
        try:
            yield
        finally:
            self._console = console

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
        shown = _on_screen(kind, key, text, vm)
        if self._console is not None and shown:
            name = vm.name if vm else _name_of(key)
            self._console.print(
                Text.assemble(
                    (f"{at:%H:%M:%S} ", "dim"),
                    (f"{kind:<9}", _STYLES.get(kind, "white")),
                    (f"{name:<17} ", "bold"),
                    shown,
                ),
                no_wrap=True,
                overflow="ellipsis",
                crop=True,
            )


def _name_of(key: str) -> str:
    return next((name for begin, name in _NAMES.items() if key.startswith(begin)), "")


def _on_screen(kind: str, key: str, text: str, vm: VmId | None) -> str:
    """Return what the screen shows of a line, "" where nothing."""
    if vm is not None and vm.group.lower().startswith(PREFIX):
        return ""  # An event of a copy, which concerns nobody.
    if key == "watch" and text.endswith(" 0 to tell"):
        return ""
    if not key.startswith(_DRILL):
        return text
    match kind:
        case "step":
            return _TOLD.get(text, "") if text.isalpha() else _ID.sub(r"\1", text)
        case "outcome":
            return ""  # How each turn went: the record at the end says what matters.
    return text


def announce(console: Console, clock: Now, text: str, form: str = "%H:%M:%S") -> None:
    """Say on the screen what happens in the story; `form` is that of the time."""
    console.print(f"[dim]{clock.now():{form}}[/] [bold white on blue] {text} [/]")


def rank(ranked: Sequence[float], share: float) -> float:
    """Return the value below or at which that share of sorted values lies; 0 where none is."""
    return round(ranked[max(0, math.ceil(share * len(ranked)) - 1)], 1) if ranked else 0.0
