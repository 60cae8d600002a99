"""
One question to an orchestrator function, and what its answer means.

The whole history goes out each time and the function replays it; source of the form:
OrchestrationTriggerAttributeBindingProvider, OutOfProcExceptionHelpers.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from azsim.host.durable.decisions import Failed, Known, Turn, unknown_function
from azsim.host.durable.history import Event
from azsim.host.durable.replay import replay
from azsim.host.durable.storage import Instance
from azsim.host.functions import Function
from azsim.host.protocol import TypedData
from azsim.host.worker import Outcome

OUT_OF_PROC = "$OutOfProcData$:"

# The extension offers schema V4 (3) to an SDK that takes V3 (2) at most.
# models durable-long-timers
OFFER = {
    "upperSchemaVersion": 1,
    "upperSchemaVersionNew": 3,
    "longRunningTimerIntervalDuration": "3.00:00:00",
    "maximumShortTimerDuration": "6.00:00:00",
    "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
}

Invoke = Callable[[Function, Mapping[str, TypedData]], Outcome]


class Asking:
    """Knows the orchestrator functions by name and speaks their protocol."""

    def __init__(self, functions: Mapping[str, Function], known: Known, invoke: Invoke) -> None:
        self._functions, self._known, self._invoke = functions, known, invoke

    def ask(self, instance: Instance, new: Sequence[Event]) -> Outcome:
        """Invoke the orchestrator with its history and the events that are new in this turn."""
        function = self._functions.get(instance.name.lower())
        if function is None:
            return Outcome(error=unknown_orchestrator(instance.name, self._known))
        context = {
            "history": [*instance.history, *new],
            # One layer of JSON comes off here: start_new puts on two.
            "input": None if instance.input is None else json.loads(instance.input),
            "instanceId": instance.id,
            "isReplaying": bool(instance.history),
            "parentInstanceId": instance.parent.instance if instance.parent else None,
            **OFFER,
        }
        name = function.trigger["name"]
        return self._invoke(function, {name: TypedData(json=json.dumps(context))})

    def understand(
        self, instance: Instance, new: Sequence[Event], outcome: Outcome
    ) -> tuple[Turn, object]:
        """Return what follows from the answer, and the custom status that came with it."""
        if (state := _state(outcome)) is not None:
            turn = replay(instance.name, state, [*instance.history, *new], self._known)
            return turn, state.get("customStatus")
        known = instance.name.lower() in self._functions
        reason = outcome.report if known else outcome.error
        # models durable-orchestrator-failure
        failed = Failed(f"Orchestrator function '{instance.name}' failed: {reason}")
        return Turn((), failed, suspended=False), None


def unknown_orchestrator(name: str, known: Known) -> str:
    return unknown_function(name, "orchestrator", known.orchestrators)


def _state(outcome: Outcome) -> dict[str, Any] | None:
    """Return the orchestrator's state; None where the function failed without leaving one."""
    if outcome.succeeded:
        state: dict[str, Any] = json.loads(outcome.value.json) if outcome.value else {}
        return state or None
    _, label, rest = (outcome.error or "").partition(OUT_OF_PROC)
    return json.JSONDecoder().raw_decode(rest.lstrip())[0] if label else None
