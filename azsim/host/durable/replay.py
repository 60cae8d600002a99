"""
What the Durable extension makes of an orchestrator's answer: decisions, an end, or an error.

The SDK answers each turn with all actions since the start. The extension performs them again, one
after the other, against the history, and that replay - not the SDK's - numbers the tasks, notices
non-determinism and decides what happens next. So its peculiarities are here on purpose: an action
waits for the one before it, `WhenAll` waits for all though one failed, an orchestration ends (or
continues as new) only when no task or timer is open, events are matched last-waiter-first.

Source: azure-functions-durable-extension (OutOfProcOrchestrationShim, DurableOrchestrationContext)
and DurableTask.Core (TaskOrchestrationContext, TaskOrchestrationExecutor, RetryInterceptor).
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azsim.host.durable.decisions import (
    CallActivity,
    CallChild,
    Completed,
    ContinuedAsNew,
    CreateTimer,
    Decision,
    End,
    Failed,
    Known,
    NotSimulated,
    OrchestrationFailure,
    Terminated,
    Turn,
)
from azsim.host.durable.history import Event, Kind

Action = Mapping[str, Any]
ONE_LIST_SCHEMAS = (1, 2)  # All that SDK 1.7 speaks when the extension offers them.
# models durable-custom-status
CUSTOM_STATUS_LIMIT = 16 * 1024  # Bytes of UTF-16.


class Promise:
    """Something awaited: settled once, it then tells whoever waits."""

    __slots__ = ("_waiting", "done", "failed")

    def __init__(self, *, done: bool = False) -> None:
        self.done, self.failed = done, False
        self._waiting: list[Callable[[], None]] = []

    def settle(self, *, failed: bool = False) -> None:
        if not self.done:
            self.done, self.failed = True, failed
            for tell in self._waiting:
                tell()

    def then(self, tell: Callable[[], None]) -> None:
        if self.done:
            tell()
        else:
            self._waiting.append(tell)


# models durable-replay
def replay(name: str, state: Mapping[str, Any], history: Sequence[Event], known: Known) -> Turn:
    """Perform the actions of `state` against `history` (new events included) and decide."""
    if state.get("schemaVersion", 0) not in ONE_LIST_SCHEMAS or len(state["actions"]) != 1:
        raise NotSimulated(f"replay schema {state.get('schemaVersion', 0)} of {name}")
    return _Replay(name, state, known).run(history)


class _Replay:
    def __init__(self, name: str, state: Mapping[str, Any], known: Known) -> None:
        self._name, self._state, self._known = name, state, known
        self._actions: Iterator[Action] = iter(state["actions"][0])
        self._awaited = Promise(done=True)
        self._all_performed = False
        self._next_id = 0
        self._open: dict[int, Promise] = {}
        self._undecided: dict[int, Decision] = {}
        self._waiters: dict[str, list[Promise]] = {}
        self._unclaimed: dict[str, deque[Event]] = {}
        self._now = datetime.min.replace(tzinfo=UTC)
        self._next_input: str | None = None
        self._unread: list[Event] = []
        self._terminated: Terminated | None = None
        self._suspended = False
        self._held: deque[Event] = deque()

    def run(self, history: Sequence[Event]) -> Turn:
        try:
            _check_custom_status(self._state.get("customStatus"))
            for past in history:
                self._take(past)
            end = self._end()
        except OrchestrationFailure as failure:
            # models durable-non-determinism-schedules-nothing
            return Turn((), Failed(str(failure)), suspended=False)
        if self._suspended and end is None:
            return Turn((), None, suspended=True)
        return Turn(tuple(self._undecided.values()), end, suspended=False)

    def _end(self) -> End | None:
        if self._terminated is not None:
            self._undecided.clear()
            return self._terminated
        # models durable-ends-when-closed
        if self._open or not self._all_performed:
            return None
        if error := self._state.get("error"):
            return Failed(f"Orchestrator function '{self._name}' failed: {error}")
        if not self._state["isDone"]:
            return None
        if self._next_input is not None:
            unclaimed = tuple(e for queue in self._unclaimed.values() for e in queue)
            return ContinuedAsNew(self._next_input, tuple(self._unread), unclaimed)
        output = self._state.get("output")
        return Completed(None if output is None else json.dumps(output))

    def _take(self, past: Event) -> None:
        kind = Kind(past["EventType"])
        if self._suspended and kind not in (Kind.EXECUTION_RESUMED, Kind.EXECUTION_TERMINATED):
            if kind is Kind.ORCHESTRATOR_STARTED:
                self._now = _moment(past["Timestamp"])
            elif kind is not Kind.EXECUTION_SUSPENDED:
                self._held.append(past)
            return
        if (handler := _HANDLERS.get(kind)) is not None:
            handler(self, past)

    def _started(self, past: Event) -> None:
        self._now = _moment(past["Timestamp"])

    # models durable-actions-in-turn
    def _perform(self, _past: Event | None = None) -> None:
        """Perform actions until one has to be waited for."""
        while self._awaited.done:
            action = next(self._actions, None)
            if action is None:
                self._all_performed = True
                return
            self._awaited = self._invoke(action)

    def _invoke(self, action: Action) -> Promise:
        kind = action["actionType"]
        if kind not in _INVOKERS:
            raise NotSimulated(f"{self._name} used a Durable action of type {kind}")
        return _INVOKERS[kind](self, action)

    def _schedule(self, decision: Decision) -> Promise:
        self._next_id += 1
        self._undecided[decision.id] = decision
        promise = self._open[decision.id] = Promise()
        return promise

    def _activity(self, action: Action) -> Promise:
        name = action["functionName"]
        self._known.check(name, activity=True)
        return self._schedule(CallActivity(self._next_id, name, action["input"]))

    def _child(self, action: Action) -> Promise:
        name = action["functionName"]
        self._known.check(name, activity=False)
        given = action.get("instanceId") or None
        return self._schedule(CallChild(self._next_id, name, action["input"], given))

    def _timer(self, action: Action) -> Promise:
        decision = CreateTimer(self._next_id, _moment(action["fireAt"]))
        promise = self._schedule(decision)
        if action.get("isCanceled"):
            del self._open[decision.id]
            promise.settle(failed=True)
        return promise

    # models durable-retry-waits-once-more
    def _with_retry(self, call: Callable[["_Replay", Action], Promise], action: Action) -> Promise:
        options = action["retryOptions"]
        most = options["maxNumberOfAttempts"]
        wait = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])
        outcome = Promise()

        def attempt(number: int) -> None:
            if number > most:
                outcome.settle(failed=True)
                return
            task = call(self, action)
            task.then(lambda: after(number, task))

        def after(number: int, task: Promise) -> None:
            if not task.failed:
                outcome.settle()
                return
            # Also after the last attempt: RetryInterceptor waits before it looks at the number.
            timer = self._schedule(CreateTimer(self._next_id, self._now + wait))
            timer.then(lambda: attempt(number + 1))

        attempt(1)
        return outcome

    def _continue_as_new(self, action: Action) -> Promise:
        self._next_input = action["input"]
        return Promise(done=True)

    # models durable-early-events
    def _wait_for_event(self, action: Action) -> Promise:
        name = action["externalEventName"].lower()
        promise = Promise()
        if self._unclaimed.get(name):
            self._unclaimed[name].popleft()
            promise.settle()
        else:
            self._waiters.setdefault(name, []).append(promise)
        return promise

    def _all_of(self, action: Action) -> Promise:
        parts = [self._invoke(part) for part in action["compoundActions"]]
        whole = Promise(done=not parts)

        def look() -> None:
            if all(part.done for part in parts):
                whole.settle(failed=any(part.failed for part in parts))

        for part in parts:
            part.then(look)
        return whole

    def _any_of(self, action: Action) -> Promise:
        parts = [self._invoke(part) for part in action["compoundActions"]]
        whole = Promise()
        for part in parts:
            part.then(whole.settle)
        return whole

    # models durable-non-determinism
    def _scheduled(self, past: Event) -> None:
        number, kind = past["EventId"], Kind(past["EventType"])
        produced = self._undecided.pop(number, None)
        what, name = _SCHEDULED_AS[kind], past.get("Name", "")
        then = f"A previous execution of this orchestration scheduled {what} with sequence number "
        then += f"{number}" + (f" named '{name}'" if name else "")
        if produced is None:
            now = "the current replay execution hasn't (yet?) scheduled this task"
        elif produced.kind is not kind:
            now = "the current orchestration replay instead produced a "
            now += f"{type(produced).__name__} action with this sequence number"
        elif produced.name.lower() != name.lower():
            now = f"the current orchestration replay instead scheduled {what} named "
            now += f"'{produced.name}' with this sequence number"
        else:
            return
        raise OrchestrationFailure(
            f"Non-Deterministic workflow detected: {then}, but {now}. Was a change made to the "
            "orchestrator code after this instance had already started running?"
        )

    def _settled(self, past: Event) -> None:
        number = int(past.get("TaskScheduledId", past.get("TimerId")) or 0)
        promise = self._open.pop(number, None)
        if promise is not None:  # None for a duplicate, which the real one only logs.
            promise.settle(failed=past["EventType"] in (Kind.TASK_FAILED, Kind.CHILD_FAILED))
            self._perform()

    # models durable-events-kept
    def _raised(self, past: Event) -> None:
        name = past["Name"].lower()
        if self._next_input is not None:
            self._unread.append(past)
        elif self._waiters.get(name):
            self._waiters[name].pop().settle()
            self._perform()
        else:
            self._unclaimed.setdefault(name, deque()).append(past)

    # models durable-terminate
    def _terminate(self, past: Event) -> None:
        self._terminated = Terminated(past["Input"])

    # models durable-suspend
    def _suspend(self, _past: Event) -> None:
        self._suspended = True

    def _resume(self, _past: Event) -> None:
        self._suspended = False
        while self._held and not self._suspended:
            self._take(self._held.popleft())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _check_custom_status(status: object) -> None:
    if status and len(json.dumps(status).encode("utf-16-le")) > CUSTOM_STATUS_LIMIT:
        raise OrchestrationFailure(
            "The size of the JSON-serialized payload must not exceed 16 KB of UTF-16 encoded text."
        )


_SCHEDULED_AS = {
    Kind.TASK_SCHEDULED: "an activity task",
    Kind.CHILD_CREATED: "a sub-orchestration task",
    Kind.TIMER_CREATED: "a timer task",
}

_HANDLERS: dict[Kind, Callable[[_Replay, Event], None]] = {
    Kind.ORCHESTRATOR_STARTED: _Replay._started,
    Kind.EXECUTION_STARTED: _Replay._perform,
    Kind.TASK_SCHEDULED: _Replay._scheduled,
    Kind.CHILD_CREATED: _Replay._scheduled,
    Kind.TIMER_CREATED: _Replay._scheduled,
    Kind.TASK_COMPLETED: _Replay._settled,
    Kind.TASK_FAILED: _Replay._settled,
    Kind.CHILD_COMPLETED: _Replay._settled,
    Kind.CHILD_FAILED: _Replay._settled,
    Kind.TIMER_FIRED: _Replay._settled,
    Kind.EVENT_RAISED: _Replay._raised,
    Kind.EXECUTION_TERMINATED: _Replay._terminate,
    Kind.EXECUTION_SUSPENDED: _Replay._suspend,
    Kind.EXECUTION_RESUMED: _Replay._resume,
}

_INVOKERS: dict[int, Callable[[_Replay, Action], Promise]] = {
    0: _Replay._activity,
    1: lambda self, action: self._with_retry(_Replay._activity, action),
    2: _Replay._child,
    3: lambda self, action: self._with_retry(_Replay._child, action),
    4: _Replay._continue_as_new,
    5: _Replay._timer,
    6: _Replay._wait_for_event,
    11: _Replay._any_of,
    12: _Replay._all_of,
}
