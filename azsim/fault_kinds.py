"""The vocabulary of faults: what can go wrong, where it strikes, and the record that it did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class Kind(Enum):
    """What can go wrong. The value is the name that the control surface takes."""

    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    POLICY_DENIED = "policy-denied"
    NOT_FOUND = "not-found"
    EXISTS = "exists"
    BUSY = "busy"
    LOCKED = "locked"
    PRECONDITION = "precondition"
    ARM_THROTTLED = "arm-throttled"
    PROVIDER_THROTTLED = "provider-throttled"
    COMPUTE_THROTTLED = "compute-throttled"
    GRAPH_THROTTLED = "graph-throttled"
    INTERNAL = "internal"
    BAD_GATEWAY = "bad-gateway"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway-timeout"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    TRUNCATED = "truncated"
    SLOW = "slow"
    STALE = "stale"
    LATE_FAILURE = "late-failure"
    AGENT_NEVER_READY = "agent-never-ready"


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that goes wrong.

    `route` is a route name or pattern (`items.*`). Of the calls that match, the `nth` is the first
    to be struck and `times` are (None: all from there on). `resource` is a part of the path and
    `principal` an object id, to narrow it further. `after_effect` lets an error answer come after
    the service has acted. `status`, `code` and `message` replace what the kind would say;
    `retry_after` is sent with any error, `takes` is how long a slow answer needs.
    """

    kind: Kind
    route: str = "*"
    nth: int = 1
    times: int | None = 1
    resource: str = ""
    principal: str = ""
    after_effect: bool = False
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: timedelta | None = None
    takes: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if self.nth < 1 or (self.times is not None and self.times < 1):
            raise ValueError("nth and times count from 1")


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that struck: when, which, and what call or resource it hit."""

    at: datetime
    fault: Fault
    route: str
    target: str
