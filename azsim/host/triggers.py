"""
The trigger side of the host: when timers are due, what Event Grid's webhook and HTTP routes mean.

Each listener turns what happened into invocations through a `Runner`; none calls function code
from a clock action.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from azsim.clock import Clock, Due
from azsim.host.cron import Schedule
from azsim.host.durable.history import stamp
from azsim.host.durable.storage import ScheduleStatus
from azsim.host.functions import Function
from azsim.host.protocol import Message, TypedData
from azsim.host.worker import Outcome
from azsim.http import Request, Response

NEVER = "0001-01-01T00:00:00+00:00"  # .NET's default DateTime: a timer that has not run yet.
PUBLIC_ORIGIN = "eventgrid.azure.net"


class Runner(Protocol):
    """What a listener may ask of the host."""

    def enqueue(self, work: Callable[[], None]) -> None:
        """Run `work` in the host's loop."""

    def invoke(
        self, function: Function, inputs: Mapping[str, TypedData], *, attempt: int = 0
    ) -> Outcome:
        """Invoke `function` now."""


class TimerListener:
    """
    One timer trigger: runs on its schedule, late ones at start (IsPastDue), failed ones again.

    A schedule is monitored (its status survives the host) unless told otherwise or it recurs more
    often than once a minute. Occurrences do not overlap: the next is set when one is through.
    Source: azure-webjobs-sdk-extensions, TimerListener.
    """

    def __init__(
        self,
        function: Function,
        schedule: Schedule,
        clock: Clock,
        runner: Runner,
        statuses: dict[str, ScheduleStatus],
    ) -> None:
        self.function, self.schedule = function, schedule
        self._clock, self._runner, self._statuses = clock, runner, statuses
        monitored = function.trigger.get("useMonitor", True)
        self._monitored = bool(monitored) and not schedule.more_often_than_each_minute
        self._status = ScheduleStatus(None, schedule.after(clock.now()), None)
        self._due: Due | None = None

    @property
    def next(self) -> datetime | None:
        """When the clock will run it, None while an invocation is waiting or under way."""
        return self._due.when if self._due is not None else None

    def start(self) -> None:
        """Set the clock, or run at once what was missed or is to run on startup."""
        stored = self._statuses.get(self.function.name) if self._monitored else None
        late = stored is not None and stored.next <= self._clock.now()
        if stored is not None:
            self._status = stored
        if late or self.function.trigger.get("runOnStartup"):
            self._runner.enqueue(lambda: self._run(past_due=late))
        else:
            self._set()

    def stop(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = None

    def _set(self) -> None:
        def ring() -> None:
            self._due = None
            self._runner.enqueue(lambda: self._run(past_due=False))

        self._due = self._clock.at(self._status.next, ring)

    def _run(self, *, past_due: bool, attempt: int = 0) -> None:
        began = self._clock.now()
        outcome = self._runner.invoke(
            self.function, {self.function.trigger["name"]: self._input(past_due)}, attempt=attempt
        )
        if not outcome.succeeded and self._comes_again(past_due, attempt):
            return
        last = began
        if self._status.next > began and not past_due and attempt == 0 and self._due is not None:
            last = self._status.next
        self._status = ScheduleStatus(last, self.schedule.after(self._clock.now()), last)
        if self._monitored and not outcome.killed:
            self._statuses[self.function.name] = self._status
        self._set()

    def _comes_again(self, past_due: bool, attempt: int) -> bool:
        policy = self.function.retry
        delay = policy.delay(attempt + 1) if policy else None
        if delay is None:
            return False

        def ring() -> None:
            self._due = None
            self._runner.enqueue(lambda: self._run(past_due=past_due, attempt=attempt + 1))

        self._due = self._clock.after(delay, ring)
        return True

    def _input(self, past_due: bool) -> TypedData:
        status = self._status if self._monitored else None
        return TypedData(
            json=json.dumps(
                {
                    "Schedule": {"AdjustForDST": True},
                    "ScheduleStatus": status
                    and {
                        "Last": _iso(status.last),
                        "LastUpdated": _iso(status.updated),
                        "Next": _iso(status.next),
                    },
                    "IsPastDue": past_due,
                }
            )
        )


def _iso(moment: datetime | None) -> str:
    return NEVER if moment is None else moment.astimezone(UTC).isoformat()


class EventGridListener:
    """
    The webhook `/runtime/webhooks/EventGrid?functionName=…` of one function.

    Handshakes run no function and are answered at once; a notification is answered when its
    events' invocations are through: 202, or 500 if one failed, and Event Grid sends all again.
    Source: the Event Grid extension (HttpRequestProcessor, EventGridExtensionConfigProvider).
    """

    def __init__(self, function: Function, runner: Runner) -> None:
        self.function, self._runner = function, runner

    def __call__(self, request: Request, answer: Callable[[Response], None]) -> None:
        kind = (request.header("aeg-event-type") or "").lower()
        if request.method == "OPTIONS":
            answer(Response(200, None, {"Webhook-Allowed-Origin": PUBLIC_ORIGIN}))
        elif kind == "subscriptionvalidation":
            answer(_handshake(request))
        elif kind == "notification":
            self._runner.enqueue(lambda: answer(self._deliver(request)))
        elif kind == "unsubscribe":
            answer(Response(202))
        else:
            answer(Response(400))

    def _deliver(self, request: Request) -> Response:
        try:
            events = json.loads(request.body)
        except ValueError as error:
            return Response(500, f"The request content is not JSON: {error}")
        if isinstance(events, dict):
            events = [events]
        if not isinstance(events, list):
            return Response(500, "The request content should be a JSON object or array.")
        outcomes = [self._invoke(event) for event in events]
        failed = next((o for o in outcomes if not o.succeeded), None)
        if failed is None:
            return Response(202)
        return Response(502 if failed.killed else 500, failed.error)

    def _invoke(self, event: Any) -> Outcome:
        inputs = {self.function.trigger["name"]: TypedData(json=json.dumps(event))}
        return self._runner.invoke(self.function, inputs)


def _handshake(request: Request) -> Response:
    events = json.loads(request.body)
    first = events[0] if isinstance(events, list) else events
    content = first["data"]
    if isinstance(content, str):  # Doubly encoded in the CloudEvents form.
        content = json.loads(content)
    return Response(200, {"validationResponse": content["validationCode"]})


CONSTRAINTS = {"int": r"-?\d+", "guid": r"[0-9a-fA-F-]{36}", "alpha": r"[A-Za-z]+"}


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One HTTP function: which requests are its own and who may call it."""

    function: Function
    pattern: "re.Pattern[str]"
    methods: frozenset[str]
    level: str

    @classmethod
    def of(cls, function: Function, prefix: str) -> "HttpRoute":
        trigger = function.trigger
        template = trigger.get("route") or function.name
        path = "/".join(part for part in (prefix.strip("/"), template.strip("/")) if part)
        methods = frozenset(str(m).upper() for m in trigger.get("methods") or ())
        level = str(trigger.get("authLevel", "FUNCTION")).lower()
        return cls(function, _template(path), methods, level)

    def match(self, request: Request) -> dict[str, str] | None:
        """Return the route's parameters where `request` is for this function."""
        if self.methods and request.method.upper() not in self.methods:
            return None
        found = self.pattern.fullmatch(request.path.strip("/"))
        return found and {k: v for k, v in found.groupdict().items() if v is not None}

    def run(self, request: Request, params: Mapping[str, str], runner: Runner) -> Response:
        """Invoke the function and make its answer an HTTP response."""
        http = Message(
            method=request.method,
            url=request.url,
            headers=dict(request.headers),
            params=dict(params),
            query={k: v for k, v in _query(request).items() if k != "code"},
            body=TypedData(bytes=request.body),
        )
        outcome = runner.invoke(
            self.function, {self.function.trigger["name"]: TypedData(http=http)}
        )
        if not outcome.succeeded:
            return Response(502 if outcome.killed else 500)
        return _response(outcome.value)


def _query(request: Request) -> dict[str, str]:
    from urllib.parse import parse_qsl, urlsplit

    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))


def _template(path: str) -> "re.Pattern[str]":
    """Compile an ASP.NET route template; raises ValueError on a constraint that is unknown."""
    parts = []
    for segment in path.split("/"):
        found = re.fullmatch(r"\{(\*{0,2})(\w+)(?::(\w+))?(\?)?\}", segment)
        if found is None:
            parts.append("/" + re.escape(segment))
            continue
        star, name, constraint, optional = found.groups()
        if constraint is not None and constraint not in CONSTRAINTS:
            raise ValueError(f"route constraint '{constraint}' is not simulated")
        body = ".*" if star else CONSTRAINTS.get(constraint or "", "[^/]+")
        group = f"/(?P<{name}>{body})"
        parts.append(f"(?:{group})?" if optional or star else group)
    return re.compile("".join(parts).removeprefix("/"), re.IGNORECASE)


def _response(value: TypedData | None) -> Response:
    if value is None:
        return Response(204)
    if (http := value.http) is None:
        return Response(200, value.string, {"Content-Type": "text/plain; charset=utf-8"})
    headers = dict(http.headers or {})
    for cookie in http.cookies or ():
        headers["Set-Cookie"] = f"{cookie.name}={cookie.value}"
    body = http.body.bytes if http.body is not None else None
    return Response(int(http.status_code), body or None, headers)


__all__ = ["EventGridListener", "HttpRoute", "Runner", "TimerListener", "stamp", "timedelta"]
