"""
What a value in `vmbackup.toml` may look like: leaves, lists and tables, each of which can be read.

A reader notes every fault it meets and goes on, so that all of them are told at once; what could
not be read becomes FAILED and takes no part in further checks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol

from vmbackup_core.settings.faults import Faults, Unfit, did_you_mean
from vmbackup_core.settings.lines import Path
from vmbackup_core.settings.words import parse_duration, parse_percent, spell_duration

FAILED: Final = object()
MOST: Final = Decimal(1_000_000)  # Of any amount of money.

_KINDS = {
    bool: "a boolean",
    str: "a text",
    int: "a whole number",
    float: "a decimal number",
    list: "a list",
    dict: "a table",
}


class Form(Protocol):
    """Something that a value can be read as; `words` says in words what it takes."""

    @property
    def words(self) -> str: ...

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        """Return what `value` means, or FAILED after noting why it means nothing."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value, read by `parse`, which raises Unfit."""

    words: str
    parse: Callable[[Any], Any]
    kind: type = str

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        try:
            return self.parse(_of_kind(self.kind, value, self.words))
        except Unfit as unfit:
            faults.add(at, unfit.message, unfit.suggestion)
            return FAILED


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money, at least `low`, with or without decimals; read exactly as written."""

    low: Decimal
    unit: str

    @property
    def words(self) -> str:
        return f"{self.unit}, {'0' if not self.low else f'{self.low}'} or more"

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        if type(value) not in (int, float):
            faults.add(at, f"must be a number, not {_kind_of(value)}", f"it takes {self.words}")
            return FAILED
        amount = Decimal(str(value))
        if not amount.is_finite() or amount < self.low or amount > MOST:
            faults.add(at, f"{value} is out of range", f"from {self.low} to {MOST}")
            return FAILED
        return amount


@dataclass(frozen=True, slots=True)
class ListOf:
    """
    A list; `single` allows one value without brackets.

    An empty one is a fault, answered with the hint `if_empty`; or fine where that is None.
    """

    element: Leaf
    single: bool = False
    if_empty: str | None = "name at least one"

    @property
    def words(self) -> str:
        return f"{'one or a list' if self.single else 'a list'} of: {self.element.words}"

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        if self.single and isinstance(value, str):
            read = self.element.read(value, at, faults)
            return FAILED if read is FAILED else (read,)
        if not isinstance(value, list):
            hint = f'write ["{value}"]' if isinstance(value, str) else self.words
            faults.add(at, f"must be a list, not {_kind_of(value)}", hint)
            return FAILED
        if not value and self.if_empty is not None:
            faults.add(at, "is empty", self.if_empty)
            return FAILED
        elements = [self.element.read(element, (*at, n), faults) for n, element in enumerate(value)]
        if len(set(map(repr, elements))) < len(elements) and FAILED not in elements:
            twice = next(e for e in elements if elements.count(e) > 1)
            faults.add(at, f'names "{twice}" twice', "remove one")
            return FAILED
        return FAILED if FAILED in elements else tuple(elements)


@dataclass(frozen=True, slots=True)
class Key:
    """
    One key of a table.

    `default` is what stands in its place, as it would be written; where there is none, `else_`
    says in words what holds ("" means that the key must be there).
    """

    name: str
    form: Form
    default: object = None
    else_: str = ""

    @property
    def required(self) -> bool:
        return self.default is None and not self.else_


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table with known keys, made into a value by `build`.

    `check` and `build` get what was read (None for a key that is left out and has no default), the
    table's place and the faults, to note what concerns several keys. `check` sees FAILED values
    too, so that it can speak beside other faults; `build` returns FAILED after noting one.
    """

    keys: tuple[Key, ...]
    build: Callable[[Mapping[str, Any], Path, Faults], Any]
    check: Callable[[Mapping[str, Any], Path, Faults], None] = lambda found, at, faults: None
    words: str = "a table"

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.add(at, f"must be a table, not {_kind_of(value)}")
            return FAILED
        known = [key.name for key in self.keys]
        for name in value:
            if name not in known:
                faults.add((*at, name), "unknown key", did_you_mean(name, known))
        found = {key.name: self._one(key, value, at, faults) for key in self.keys}
        before = len(faults.found)
        self.check(found, at, faults)
        if len(faults.found) > before or any(part is FAILED for part in found.values()):
            return FAILED
        return self.build(found, at, faults)

    def _one(self, key: Key, table: Mapping[str, object], at: Path, faults: Faults) -> Any:
        place = (*at, key.name)
        if key.name in table:
            return key.form.read(table[key.name], place, faults)
        if key.required:
            faults.add(place, "missing", f"it takes {key.form.words}")
            return FAILED
        return None if key.default is None else key.form.read(key.default, place, faults)


@dataclass(frozen=True, slots=True)
class Named:
    """A table of things by name; gives pairs. `alike` tells when two names mean the same."""

    name: Leaf
    thing: Form
    alike: Callable[[str], str] = str.lower

    @property
    def words(self) -> str:
        return f"{self.name.words} = {self.thing.words}"

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.add(at, f"must be a table, not {_kind_of(value)}")
            return FAILED
        pairs, before = [], dict[str, str]()
        for name, thing in value.items():
            place = (*at, name)
            read = self.name.read(name, place, faults)
            pairs.append((read, self.thing.read(thing, place, faults)))
            if (twin := before.setdefault(self.alike(name), name)) != name:
                faults.add(place, f'means the same as "{twin}"', "remove or rename one")
        return FAILED if any(FAILED in pair for pair in pairs) else tuple(pairs)


@dataclass(frozen=True, slots=True)
class Many:
    """
    An array of tables (`[[…]]`), one or more of them where it is written at all.

    `check` sees all elements, FAILED ones among them, to note what concerns several.
    """

    thing: Table
    empty: str
    check: Callable[[list[Any], Path, Faults], None]

    @property
    def words(self) -> str:
        return "one or more tables"

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            faults.add(at, f"must be written as [[{at[-1]}]], not as {_kind_of(value)}")
            return FAILED
        if not value:
            faults.add(at, self.empty)
            return FAILED
        things = [self.thing.read(one, (*at, n), faults) for n, one in enumerate(value)]
        self.check(things, at, faults)
        return FAILED if FAILED in things else tuple(things)


@dataclass(frozen=True, slots=True)
class Made:
    """What `form` reads, made into something else by `build`, as in Table."""

    form: Form
    build: Callable[[Any, Path, Faults], Any]

    @property
    def words(self) -> str:
        return self.form.words

    def read(self, value: object, at: Path, faults: Faults) -> Any:
        read = self.form.read(value, at, faults)
        return FAILED if read is FAILED else self.build(read, at, faults)


def flag() -> Leaf:
    return Leaf("true or false", bool, bool)


def number(low: int, high: int, unit: str) -> Leaf:
    words = f"a whole number of {unit} from {low} to {high}"

    def parse(value: int) -> int:
        if low <= value <= high:
            return value
        raise Unfit(f"{value} is out of range", f"from {low} to {high} {unit}")

    return Leaf(words, parse, int)


def choice(options: type[Enum]) -> Leaf:
    words = " or ".join(f'"{option.value}"' for option in options)

    def parse(value: str) -> Enum:
        try:
            return options(value)
        except ValueError:
            known = [str(option.value) for option in options]
            raise Unfit(f'"{value}" is not one of {words}', did_you_mean(value, known)) from None

    return Leaf(words, parse)


def duration(low: timedelta, high: timedelta) -> Leaf:
    ends = f"from {spell_duration(low)} to {spell_duration(high)}"

    def parse(value: str) -> timedelta:
        if low <= (read := parse_duration(value)) <= high:
            return read
        raise Unfit(f'"{value}" is out of range', ends)

    return Leaf(f"a duration {ends}", parse)


def duration_or_never(low: timedelta, high: timedelta) -> Leaf:
    """Like `duration`, and None for "never"."""
    span = duration(low, high)
    return Leaf(f'{span.words}, or "never"', lambda v: None if v == "never" else span.parse(v))


def percent() -> Leaf:
    return Leaf('a share from "0 %" to "100 %"', parse_percent)


def _of_kind(kind: type, value: object, words: str) -> object:
    """Return `value` if it is of that very kind: a boolean is no number, a number is no text."""
    if type(value) is kind:
        return value
    raise Unfit(f"must be {_KINDS[kind]}, not {_kind_of(value)}", f"it takes {words}")


def _kind_of(value: object) -> str:
    return _KINDS.get(type(value), "a date or time")
