"""
Which events an event subscription wants.

Source: "Understand event filtering for Event Grid subscriptions": comparisons ignore case, filters
are joined by AND and a filter's values by OR; at most 25 advanced filters and 25 values in all,
each of at most 512 characters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

# models event-filters
MOST = 25
LONGEST = 512


class Operator(Enum):
    STRING_IN = "StringIn"
    STRING_NOT_IN = "StringNotIn"
    STRING_BEGINS_WITH = "StringBeginsWith"
    STRING_ENDS_WITH = "StringEndsWith"
    STRING_CONTAINS = "StringContains"


_TESTS: Mapping[Operator, Callable[[str, str], bool]] = {
    Operator.STRING_IN: lambda text, value: text == value,
    Operator.STRING_NOT_IN: lambda text, value: text == value,
    Operator.STRING_BEGINS_WITH: lambda text, value: text.startswith(value),
    Operator.STRING_ENDS_WITH: lambda text, value: text.endswith(value),
    Operator.STRING_CONTAINS: lambda text, value: value in text,
}


@dataclass(frozen=True, slots=True)
class AdvancedFilter:
    """One condition on a field such as `data.operationName` of the Event Grid schema."""

    key: str
    operator: Operator
    values: tuple[str, ...]

    def wants(self, event: Mapping[str, Any]) -> bool:
        found: Any = event
        for part in self.key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        text = str(found or "").lower()
        hit = any(_TESTS[self.operator](text, value.lower()) for value in self.values)
        return hit is not (self.operator is Operator.STRING_NOT_IN)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """All conditions of a subscription; raises ValueError beyond the service's limits."""

    event_types: tuple[str, ...] = ()
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    advanced: tuple[AdvancedFilter, ...] = ()

    def __post_init__(self) -> None:
        values = [value for entry in self.advanced for value in entry.values]
        if len(self.advanced) > MOST or len(values) > MOST:
            raise ValueError(f"more than {MOST} advanced filters or values in them")
        if any(len(value) > LONGEST for value in values):
            raise ValueError(f"a filter's value is longer than {LONGEST} characters")

    def wants(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event in the Event Grid schema passes."""
        subject = event["subject"].lower()
        types = {name.lower() for name in self.event_types}
        return (
            (not types or event["eventType"].lower() in types)
            and subject.startswith(self.subject_begins_with.lower())
            and subject.endswith(self.subject_ends_with.lower())
            and all(entry.wants(event) for entry in self.advanced)
        )
