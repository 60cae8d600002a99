"""
Compute's long-running operations: started by a write, asked by URL until they are done.

Their times follow the recordings where there are some: creating a Linux machine took 25 s, a
Windows one 142 s, an update a few seconds; the other spans are guesses.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azsim.world import World

# models vm-create-takes
TAKES = {
    "create Linux": (20, 60),
    "create Windows": (120, 240),
    # models agent-comes-late
    "agent": (8, 30),
    "update": (2, 8),
    # models vm-actions-take
    "delete": (20, 60),
    "start": (20, 45),
    "deallocate": (30, 90),
    "powerOff": (10, 40),
    "restart": (20, 60),
    "delete disk": (1, 4),
    "run command": (8, 20),
}


@dataclass(frozen=True, slots=True)
class ComputeOperation:
    """One operation; `error` is (code, message) where it ends badly."""

    id: str
    subscription: str
    location: str
    started: datetime
    ends: datetime
    error: tuple[str, str] | None = None


class ComputeOperations:
    """Every operation of Compute in the world, by id."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self._known: dict[str, ComputeOperation] = {}

    def span(self, what: str) -> timedelta:
        """Draw how long something takes, in whole milliseconds."""
        low, high = TAKES[what]
        return timedelta(milliseconds=self.world.rng.randint(low * 1000, high * 1000))

    def start(
        self,
        subscription: str,
        location: str,
        ends: datetime,
        *,
        error: tuple[str, str] | None = None,
    ) -> ComputeOperation:
        operation = ComputeOperation(
            self.world.new_id(), subscription, location, self.world.clock.now(), ends, error
        )
        self._known[operation.id] = operation
        return operation

    def find(self, operation_id: str) -> ComputeOperation | None:
        return self._known.get(operation_id.lower())
