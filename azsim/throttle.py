"""
Who may call how often: ARM's token buckets, the providers' windows, and what a refusal looks like.

Sources are in docs/azsim/arm.md; every number can be set per world, `Limits.none()` lifts all.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from azsim import throttled
from azsim.router import Call

if TYPE_CHECKING:
    from azsim.world import World

GRAPH_ACTION = "microsoft.resourcegraph/resources/read"
RECOVERY_PREFIX = "microsoft.recoveryservices/"
_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
# models recovery-budgets
_PER_HOUR = {
    "microsoft.recoveryservices/vaults/backupjobs/read": 450,
    "microsoft.recoveryservices/vaults/write": 300,
    "microsoft.recoveryservices/vaults/delete": 50,
    # Recorded answers bear no provider header for these: only ARM counts them.
    "microsoft.recoveryservices/vaults/read": 0,
    "microsoft.recoveryservices/locations/read": 0,
}
_COMPUTE_GROUPS = {
    ("machines", "GET"): "LowCostGet",
    ("machines", "LIST"): "HighCostGet",
    ("machines", "PUT"): "PutVM",
    ("machines", "PATCH"): "UpdateVM",
    ("machines", "POST"): "UpdateVM",
    ("machines", "DELETE"): "DeleteVM",
}
# models compute-budgets
_COMPUTE_LIMITS = {
    "LowCostGet": (4000, 32000),
    # models compute-high-cost-get
    "HighCostGet": (160, 800),
    "PutVM": (240, 1200),
    "UpdateVM": (240, 1200),
    "DeleteVM": (240, 1200),
}
_COMPUTE_SPANS = (("3Min", timedelta(minutes=3)), ("30Min", timedelta(minutes=30)))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: `size` calls at once, `per_second` new ones."""

    size: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a world allows. 0 stands for no limit.

    `recovery_per_hour` overrides single actions (lower case), `recovery_read` is the rest of the
    reads: 150 in some regions, 300 in others (recorded both).
    """

    # models arm-buckets
    reads: Bucket = Bucket(250, 25)
    writes: Bucket = Bucket(200, 10)
    deletes: Bucket = Bucket(200, 10)
    over_all_principals: int = 15
    recovery_read: int = 300
    recovery_per_hour: Mapping[str, int] = field(default_factory=lambda: dict(_PER_HOUR))
    graph_queries: int = 15
    graph_span: timedelta = timedelta(seconds=5)
    compute: Mapping[str, tuple[int, int]] = field(default_factory=lambda: dict(_COMPUTE_LIMITS))

    @classmethod
    def none(cls) -> "Limits":
        """Lift every limit (for a test that is about something else)."""
        free = Bucket(0, 0)
        return cls(free, free, free, 0, 0, {}, 0, timedelta(seconds=5), {})


@dataclass(slots=True)
class _Level:
    """How full a bucket is."""

    tokens: float
    at: datetime

    def refill(self, bucket: Bucket, now: datetime) -> float:
        gained = (now - self.at).total_seconds() * bucket.per_second
        self.tokens, self.at = min(float(bucket.size), self.tokens + gained), now
        return self.tokens


@dataclass(slots=True)
class _Window:
    """How many calls a fixed span of time has seen."""

    started: datetime
    used: int = 0


class Throttle:
    """Counts calls and refuses those beyond the world's `limits`, which may be replaced at will."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.limits = Limits()
        self._levels: dict[tuple[str, str, str], _Level] = {}
        self._windows: dict[tuple[str, str], _Window] = {}

    def admit(self, call: Call) -> Mapping[str, str]:
        """
        Charge the call and return its rate-limit headers; raise ArmError 429 where spent.

        ARM counts first, then the provider; a refused call is not charged by the one that refused.
        """
        if not self.world.front_door.guards(call):
            return {}
        principal = self.world.identity.principal_of(call.request)
        action = call.route.action.lower()
        # models graph-not-charged
        if action == GRAPH_ACTION:
            return self._graph(principal)
        headers = self._arm(call, principal)
        if action.startswith(RECOVERY_PREFIX):
            headers |= self._recovery(call, action)
        elif (group := _compute_group(call)) is not None:
            headers |= self._compute(call, group)
        return headers

    def spend(self, key: tuple[str, str], limit: int, span: timedelta) -> timedelta | None:
        """
        Count a call against a limit of a service that is not ARM's; return how long to wait.

        None where the call is let through; 0 is no limit; a refused call is not counted.
        """
        window = self._window(key, span)
        if limit and window.used >= limit:
            return window.started + span - self.world.clock.now()
        window.used += 1
        return None

    def _arm(self, call: Call, principal: str) -> dict[str, str]:
        kind = _KINDS.get(call.request.method, "writes")
        bucket: Bucket = getattr(self.limits, kind)
        if not bucket.size:
            return {}
        subscription = _subscription(call)
        scope = "subscription" if subscription else "tenant"
        factor = self.limits.over_all_principals
        shared = Bucket(bucket.size * factor, bucket.per_second * factor)
        # models arm-buckets-regionless
        mine = self._level(("mine", f"{subscription}/{principal}", kind), bucket)
        everybody = self._level(("all", subscription, kind), shared)
        for level, rate in ((mine, bucket), (everybody, shared)):
            if rate.size and level.tokens < 1:
                wait = timedelta(seconds=math.ceil((1 - level.tokens) / rate.per_second))
                raise throttled.by_arm(kind, subscription, principal, wait)
        mine.tokens -= 1
        everybody.tokens -= 1
        # models arm-remaining
        headers = {f"x-ms-ratelimit-remaining-{scope}-{kind}": str(int(mine.tokens))}
        if subscription and shared.size:
            name = f"x-ms-ratelimit-remaining-subscription-global-{kind}"
            headers[name] = str(int(everybody.tokens))
        return headers

    def _recovery(self, call: Call, action: str) -> dict[str, str]:
        default = self.limits.recovery_read if action.endswith("/read") else 0
        limit = self.limits.recovery_per_hour.get(action, default)
        if not limit:
            return {}
        # models recovery-window
        window = self._window((_subscription(call), action), timedelta(hours=1))
        if window.used >= limit:
            wait = window.started + timedelta(hours=1) - self.world.clock.now()
            raise throttled.by_provider(call.route.action, limit, wait)
        window.used += 1
        name = "x-ms-ratelimit-remaining-subscription-resource-requests"
        return {name: str(limit - window.used)}

    def _graph(self, principal: str) -> dict[str, str]:
        if not (limit := self.limits.graph_queries):
            return {}
        span = self.limits.graph_span
        window = self._window((principal, GRAPH_ACTION), span)
        wait = window.started + span - self.world.clock.now()
        if window.used >= limit:
            raise throttled.by_graph(self.world.clock.now(), self.world.front_door.new_id(), wait)
        window.used += 1
        left = limit - window.used
        return {
            **throttled.graph_quota(left, wait),
            "x-ms-ratelimit-remaining-tenant-resource-requests": str(left),
        }

    def _compute(self, call: Call, group: str) -> dict[str, str]:
        if group not in self.limits.compute:
            return {}
        now = self.world.clock.now()
        windows = []
        for (suffix, span), limit in zip(_COMPUTE_SPANS, self.limits.compute[group], strict=True):
            window = self._window((_subscription(call), f"compute {group}{suffix}"), span)
            if window.used >= limit:
                raise throttled.by_compute(f"{group}{suffix}", limit, window.started, span, now)
            windows.append((suffix, limit, window))
        for _, _, window in windows:
            window.used += 1
        left = (f"Microsoft.Compute/{group}{s};{limit - w.used}" for s, limit, w in windows)
        return {"x-ms-ratelimit-remaining-resource": ",".join(left)}

    def _level(self, key: tuple[str, str, str], bucket: Bucket) -> _Level:
        now = self.world.clock.now()
        level = self._levels.setdefault(key, _Level(float(bucket.size), now))
        level.refill(bucket, now)
        return level

    def _window(self, key: tuple[str, str], span: timedelta) -> _Window:
        now = self.world.clock.now()
        window = self._windows.get(key)
        if window is None or now >= window.started + span:
            window = self._windows[key] = _Window(now)
        return window


def _subscription(call: Call) -> str:
    parts = call.request.path.split("/")
    return parts[2].lower() if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def _compute_group(call: Call) -> str | None:
    resource, _, verb = call.route.name.partition(".")
    listing = verb.startswith("list")
    return _COMPUTE_GROUPS.get((resource, "LIST" if listing else call.request.method))
