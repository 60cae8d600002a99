"""
The `$filter` language of Azure Tables, compiled to a test of one entity's properties.

Source: "Querying tables and entities" of the Table service's REST reference: eq ne gt ge lt le,
and or not, parentheses, and literals of the eight property types. A comparison with a property that
an entity lacks, or whose type differs, is false (inferred; the service documents only the types).
"""

import binascii
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

from azsim.http import ArmError

Comparable = str | int | float | bool | bytes | datetime | UUID


class Edm(Enum):
    """The types a property can have."""

    STRING = "Edm.String"
    INT32 = "Edm.Int32"
    INT64 = "Edm.Int64"
    DOUBLE = "Edm.Double"
    BOOLEAN = "Edm.Boolean"
    DATETIME = "Edm.DateTime"
    GUID = "Edm.Guid"
    BINARY = "Edm.Binary"


@dataclass(frozen=True, slots=True)
class Value:
    """One property's value: comparable, with the type that it was written with."""

    edm: Edm
    value: Comparable


Properties = Mapping[str, Value]
Test = Callable[[Properties], bool]

_NUMBERS = frozenset({Edm.INT32, Edm.INT64, Edm.DOUBLE})
_COMPARISONS: Mapping[str, Callable[[Comparable, Comparable], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<typed>(?:datetime|guid|binary|X)'[^']*')
      | (?P<string>'(?:[^']|'')*')
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?L?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>[()])
    )""",
    re.VERBOSE,
)


# models table-filter
def compile_filter(text: str) -> Test:
    """Return the test that `text` states; raises ArmError 400 where it does not parse."""
    parser = _Parser(list(_tokens(text)))
    test = parser.either()
    if parser.rest:
        raise _refused()
    return test


def read_datetime(text: str) -> datetime:
    """Return the instant of an Edm.DateTime; digits beyond microseconds are dropped."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    try:
        parsed = datetime.fromisoformat(f"{whole}.{fraction[:6] or '0'}")
    except ValueError:
        raise _refused() from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _refused() -> ArmError:
    return ArmError(400, "InvalidInput", "One of the request inputs is not valid.")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _refused()
        yield _Token(match.lastgroup, match[match.lastgroup])
        at = match.end()


class _Parser:
    """Recursive descent: or binds weakest, then and, then not."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.rest = tokens

    def either(self) -> Test:
        tests = [self._both()]
        while self._accept("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda entity: any(test(entity) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._accept("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda entity: all(test(entity) for test in tests)

    def _one(self) -> Test:
        if self._accept("not"):
            negated = self._one()
            return lambda entity: not negated(entity)
        if self._accept("("):
            inner = self.either()
            if not self._accept(")"):
                raise _refused()
            return inner
        name = self._take("word")
        if self.rest and self.rest[0].text in _COMPARISONS:
            return _comparison(name, self._take("word"), _literal(self._next()))
        return _comparison(name, "eq", Value(Edm.BOOLEAN, True))

    def _accept(self, text: str) -> bool:
        if self.rest and self.rest[0].kind != "string" and self.rest[0].text == text:
            self.rest.pop(0)
            return True
        return False

    def _next(self) -> _Token:
        if not self.rest:
            raise _refused()
        return self.rest.pop(0)

    def _take(self, kind: str) -> str:
        token = self._next()
        if token.kind != kind:
            raise _refused()
        return token.text


def _comparison(name: str, symbol: str, literal: Value) -> Test:
    compare = _COMPARISONS[symbol]

    def test(entity: Properties) -> bool:
        found = entity.get(name)
        # models table-filter-missing
        if found is None or not _same_kind(found.edm, literal.edm):
            return False
        return compare(found.value, literal.value)

    return test


def _same_kind(one: Edm, other: Edm) -> bool:
    return one is other or (one in _NUMBERS and other in _NUMBERS)


def _literal(token: _Token) -> Value:
    text = token.text
    match token.kind:
        case "string":
            return Value(Edm.STRING, text[1:-1].replace("''", "'"))
        case "number" if text.endswith("L"):
            return Value(Edm.INT64, int(text[:-1]))
        case "number" if text.lstrip("-").isdigit():
            return Value(Edm.INT32, int(text))
        case "number":
            return Value(Edm.DOUBLE, float(text))
        case "word" if text in ("true", "false"):
            return Value(Edm.BOOLEAN, text == "true")
        case "typed":
            prefix, _, quoted = text.partition("'")
            return _typed(prefix, quoted[:-1])
    raise _refused()


def _typed(prefix: str, text: str) -> Value:
    try:
        match prefix:
            case "datetime":
                return Value(Edm.DATETIME, read_datetime(text))
            case "guid":
                return Value(Edm.GUID, UUID(text))
            case _:
                return Value(Edm.BINARY, binascii.unhexlify(text))
    except ValueError:
        raise _refused() from None
