"""What a turn of an orchestrator can lead to: new work, an end, a refusal."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from azsim.host.durable.history import Event, Kind


class NotSimulated(Exception):
    """The orchestrator used something that this double lacks; it is never guessed."""


class OrchestrationFailure(Exception):
    """The orchestration fails with this text as its output."""


@dataclass(frozen=True, slots=True)
class CallActivity:
    id: int
    name: str
    input: str
    kind = Kind.TASK_SCHEDULED


@dataclass(frozen=True, slots=True)
class CallChild:
    id: int
    name: str
    input: str
    instance: str | None
    kind = Kind.CHILD_CREATED


@dataclass(frozen=True, slots=True)
class CreateTimer:
    id: int
    fires: datetime
    name: str = ""
    kind = Kind.TIMER_CREATED


Decision = CallActivity | CallChild | CreateTimer


@dataclass(frozen=True, slots=True)
class Completed:
    output: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    reason: str


@dataclass(frozen=True, slots=True)
class Terminated:
    reason: str


@dataclass(frozen=True, slots=True)
class ContinuedAsNew:
    """`unread` were raised after the call, `unclaimed` before it with nobody waiting for them."""

    input: str
    unread: tuple[Event, ...]
    unclaimed: tuple[Event, ...]


End = Completed | Failed | Terminated | ContinuedAsNew


@dataclass(frozen=True, slots=True)
class Turn:
    """What follows from one turn: new work, and the end if it is the last one."""

    decisions: tuple[Decision, ...]
    end: End | None
    suspended: bool


@dataclass(frozen=True, slots=True)
class Known:
    """The functions that the extension knows by name (in lower case)."""

    activities: Collection[str]
    orchestrators: Collection[str]

    def check(self, name: str, *, activity: bool) -> None:
        names, what = (
            (self.activities, "activity") if activity else (self.orchestrators, "orchestrator")
        )
        if name.lower() not in names:
            raise OrchestrationFailure(unknown_function(name, what, names))


# models durable-unknown-functions
def unknown_function(name: str, what: str, names: Collection[str]) -> str:
    known = (
        f"The following are the known {what} functions: '{"', '".join(sorted(names))}'."
        if names
        else f"No {what} functions are currently registered!"
    )
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not an {what} function. "
        f"Additional info: {known}"
    )
