"""
The `$filter` of Recovery Services lists: `name eq 'value' and …`, nothing else.

Names compare without case, and so do values. Times have the 12-hour form
`yyyy-MM-dd hh:mm:ss tt`, in UTC (spec ListJobsWithAllSupportedFilters and the Azure CLI).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from azsim.http import ArmError

_CLAUSE = re.compile(r"\s*(\w+)\s+eq\s+(?:'([^']*)'|([\w.:-]+))\s*", re.IGNORECASE)
_AND = re.compile(r"and\s", re.IGNORECASE)
_TIMES = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%dT%H:%M:%SZ")


def parse_filter(text: str | None, allowed: frozenset[str]) -> dict[str, str]:
    """
    Return the clauses by lower-cased name.

    Raises ArmError 400 for a filter that does not parse or names something that is not `allowed`
    (lower case): a filter must never be ignored.
    """
    clauses: dict[str, str] = {}
    position = 0
    text = text or ""
    while position < len(text):
        if (clause := _CLAUSE.match(text, position)) is None:
            raise _refused(text)
        name = clause[1].lower()
        if name not in allowed or name in clauses:
            raise _refused(text)
        clauses[name] = clause[2] if clause[2] is not None else clause[3]
        position = clause.end()
        if position < len(text):
            if (joint := _AND.match(text, position)) is None:
                raise _refused(text)
            position = joint.end()
    return clauses


# models job-filter
def parse_time(text: str) -> datetime:
    """Read a time of a filter; 12-hour texts with hour 0 are read as midnight, as recorded."""
    text = re.sub(r" 00(:\d\d:\d\d) ([AP]M)$", r" 12\1 \2", text, flags=re.IGNORECASE)
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _refused(text)


def same(clauses: Mapping[str, str], name: str, value: str) -> bool:
    """Tell whether the clause `name` is absent or equals `value` without case."""
    wanted = clauses.get(name)
    return wanted is None or wanted.lower() == value.lower()


def _refused(text: str) -> ArmError:
    return ArmError(
        400,
        "BMSUserErrorInvalidInput",
        f"Input provided for the call is invalid. The filter '{text}' is not supported.",
    )
