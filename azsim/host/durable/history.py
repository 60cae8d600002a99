"""
Durable's history events, in the JSON form that the extension hands to out-of-process SDKs.

Source: azure-functions-durable 1.7.0 (HistoryEvent, HistoryEventType) and DurableTask.Core.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

Event = dict[str, Any]
NO_ID = -1  # The EventId of events that the orchestrator did not schedule.


class Kind(IntEnum):
    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    CHILD_CREATED = 7
    CHILD_COMPLETED = 8
    CHILD_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_RAISED = 15
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20


PUBLIC_NAMES = {
    Kind.EXECUTION_STARTED: "ExecutionStarted",
    Kind.EXECUTION_COMPLETED: "ExecutionCompleted",
    Kind.EXECUTION_TERMINATED: "ExecutionTerminated",
    Kind.TASK_COMPLETED: "TaskCompleted",
    Kind.TASK_FAILED: "TaskFailed",
    Kind.CHILD_COMPLETED: "SubOrchestrationInstanceCompleted",
    Kind.CHILD_FAILED: "SubOrchestrationInstanceFailed",
    Kind.TIMER_FIRED: "TimerFired",
    Kind.EVENT_RAISED: "EventRaised",
    Kind.EXECUTION_SUSPENDED: "ExecutionSuspended",
    Kind.EXECUTION_RESUMED: "ExecutionResumed",
}


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event(kind: Kind, at: datetime, event_id: int = NO_ID, **fields: Any) -> Event:
    """Return a new, not yet played event of `kind`."""
    return {
        "EventType": int(kind),
        "EventId": event_id,
        "IsPlayed": False,
        "Timestamp": stamp(at),
        **fields,
    }


def parsed(text: str | None) -> Any:
    """Return what a payload means: its JSON, or the text itself where it is none (a reason)."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def public_history(history: Sequence[Event], *, with_output: bool) -> list[Event]:
    """
    Return the history as the management API shows it (`showHistory`).

    Scheduling events are folded into their outcomes, bookkeeping is left out (learn:
    durable-functions-http-api, "Get instance status").
    """
    scheduled = {
        e["EventId"]: e
        for e in history
        if e["EventType"] in (Kind.TASK_SCHEDULED, Kind.CHILD_CREATED, Kind.TIMER_CREATED)
    }
    shown = []
    for past in history:
        kind = Kind(past["EventType"])
        if kind not in PUBLIC_NAMES:
            continue
        line: Event = {"EventType": PUBLIC_NAMES[kind], "Timestamp": past["Timestamp"]}
        source = scheduled.get(past.get("TaskScheduledId", past.get("TimerId")))
        if source is not None:
            line["ScheduledTime"] = source["Timestamp"]
            line["FunctionName"] = source.get("Name")
        elif kind is Kind.EXECUTION_STARTED:
            line["FunctionName"] = past["Name"]
        for name in ("Name", "FireAt", "Reason", "OrchestrationStatus"):
            if name in past and kind is not Kind.EXECUTION_STARTED:
                line[name] = past[name]
        for name in ("Result", "Input"):
            if with_output and name in past:
                line[name] = parsed(past[name])
        shown.append(line)
    return shown
