"""What is wrong with a configuration: every fault at once, with where it stands and what to do."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from vmbackup_core.domain.errors import Malformed
from vmbackup_core.settings.lines import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """
    One fault. `line` counts from 1 and is 0 where there is no line: a missing section, a variable.

    `key` is written as a person would say it: rules count from 1, as they do in verdicts.
    """

    line: int
    key: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{where}{self.key}: {self.message}{hint}"


class SettingsError(Malformed):
    """The configuration does not stand; `faults` has all that is wrong with it, by line."""

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.source = source
        self.faults = tuple(sorted(faults))
        listed = "\n".join(f"  {fault}" for fault in self.faults)
        number = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(f"{source}: {number}\n{listed}")


class Unfit(Exception):
    """One value cannot be used; raised by what reads it, and caught where its place is known."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


class Faults:
    """Collects faults while a document is read; knows the line of each of its keys."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines: dict[Path, int] = {}
        for path, line in lines.items():
            self._lines.setdefault(_lowered(path), line)
        self.found: list[Fault] = []

    def add(self, path: Path, message: str, suggestion: str = "") -> None:
        """Note a fault at `path`; what is not written down stands at the nearest thing that is."""
        known = _lowered(path)
        line = next(
            (self._lines[known[:n]] for n in range(len(path), 0, -1) if known[:n] in self._lines), 0
        )
        self.found.append(Fault(line, spoken(path), message, suggestion))


def spoken(path: Path) -> str:
    """Write a path as `rules[2].tag`: elements count from 1, odd names stand in quotes."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f"[{part + 1}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            words += f".{name}" if words else name
    return words


def _lowered(path: Path) -> Path:
    """Ids are lower-cased when they are read, so places are found without case."""
    return tuple(part.lower() if isinstance(part, str) else part for part in path)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest known word, or else a list of all of them."""
    by_lower = {name.lower(): name for name in known}
    if near := get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6):
        return f'did you mean "{by_lower[near[0]]}"?'
    if not by_lower or len(by_lower) > 12:
        return ""
    return f"known: {', '.join(by_lower.values())}"
