"""What the worker told the host about the app's functions, read from its metadata."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azsim.host.protocol import Message

Binding = Mapping[str, Any]

# Function-level retries are the host's for these triggers alone; Event Grid redelivers by itself
# and the host ignores a policy there (learn: functions-bindings-error-pages, "Retries").
# models host-event-grid-no-retries
RETRIED_TRIGGERS = frozenset({"timerTrigger"})
FOREVER = -1


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how late the host repeats a failed invocation; `most` -1 means for ever."""

    most: int
    first: timedelta
    longest: timedelta
    doubling: bool

    @classmethod
    def read(cls, options: Message) -> "RetryPolicy":
        fixed = options.retry_strategy == "fixed_delay"
        first = options.delay_interval if fixed else options.minimum_interval
        longest = first if fixed else options.maximum_interval
        return cls(int(options.max_retry_count), first, longest, doubling=not fixed)

    # models timer-retries, timer-retry-growth
    def delay(self, failures: int) -> timedelta | None:
        """Return the wait after the `failures`-th failure (from 1), None to give up."""
        if self.most != FOREVER and failures > self.most:
            return None
        if not self.doubling:
            return self.first
        return min(self.longest, self.first * (1 << min(failures - 1, 30)))


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app as the worker indexed it."""

    name: str
    id: str
    bindings: tuple[Binding, ...]
    retry: RetryPolicy | None = None

    @property
    def trigger(self) -> Binding:
        return next(b for b in self.bindings if str(b["type"]).endswith("Trigger"))

    @property
    def kind(self) -> str:
        """The trigger's type, such as `timerTrigger`."""
        return str(self.trigger["type"])

    @property
    def client_bindings(self) -> tuple[Binding, ...]:
        return tuple(b for b in self.bindings if b["type"] == "durableClient")

    @property
    def durable_name(self) -> str:
        """The name that Durable calls it by: the decorator's, else the function's own."""
        given = self.trigger.get("orchestration") or self.trigger.get("activity")
        return str(given or self.name)


def read_functions(metadata: Sequence[Message]) -> tuple[Function, ...]:
    """Return the functions of a FunctionMetadataResponse, in the app's order."""
    return tuple(_read(m) for m in metadata)


def _read(metadata: Message) -> Function:
    function = Function(
        metadata.name, metadata.function_id, tuple(json.loads(b) for b in metadata.raw_bindings)
    )
    if metadata.retry_options is None or function.kind not in RETRIED_TRIGGERS:
        return function
    policy = RetryPolicy.read(metadata.retry_options)
    return Function(function.name, function.id, function.bindings, policy)


# models host-settings
def resolve(text: str, settings: Mapping[str, str]) -> str:
    """
    Replace `%NAME%` by the app setting of that name, as the host does in bindings and host.json.

    Raises LookupError where a setting is missing, which keeps the real host from starting it.
    """
    parts = text.split("%")
    if len(parts) % 2 == 0:
        return text
    for index in range(1, len(parts), 2):
        if parts[index] not in settings:
            raise LookupError(f"'%{parts[index]}%' does not resolve to a value.")
        parts[index] = settings[parts[index]]
    return "".join(parts)
