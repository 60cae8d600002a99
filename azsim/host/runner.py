"""What a trigger's listener may ask of the host."""

from collections.abc import Callable, Mapping
from typing import Protocol

from azsim.host.functions import Function
from azsim.host.protocol import TypedData
from azsim.host.worker import Outcome


class Runner(Protocol):
    """The host as its listeners see it: it alone runs function code, in its own loop."""

    def enqueue(self, work: Callable[[], None]) -> None:
        """Run `work` in the host's loop, after what is queued already."""

    def invoke(
        self, function: Function, inputs: Mapping[str, TypedData], *, attempt: int = 0
    ) -> Outcome:
        """Invoke `function` now; only from within the host's loop."""
