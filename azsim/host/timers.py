"""Timer triggers: when they run, late and again, and what the function is told about it."""

import json
from datetime import UTC, datetime

from azsim.clock import Clock, Due
from azsim.host.cron import Schedule
from azsim.host.durable.storage import ScheduleStatus
from azsim.host.functions import Function
from azsim.host.protocol import TypedData
from azsim.host.runner import Runner

NEVER = "0001-01-01T00:00:00+00:00"  # .NET's default DateTime: a timer that has not run yet.


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
        self._repeating = False

    @property
    def next(self) -> datetime | None:
        """When it occurs next, None while an invocation is queued, under way or to be repeated."""
        return self._due.when if self._due is not None and not self._repeating else None

    # models timer-monitor
    def start(self) -> None:
        """Set the clock, or run at once what was missed or is to run on startup."""
        stored = self._statuses.get(self.function.name) if self._monitored else None
        late = stored is not None and stored.next <= self._clock.now()
        if stored is not None:
            self._status = stored
        # models timer-on-startup
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

    def _run(self, *, past_due: bool, attempt: int = 0, began: datetime | None = None) -> None:
        began = began or self._clock.now()
        outcome = self._runner.invoke(
            self.function, {self.function.trigger["name"]: self._input(past_due)}, attempt=attempt
        )
        self._repeating = not outcome.succeeded and self._comes_again(past_due, attempt, began)
        if self._repeating:
            return
        # Counted from when it began: after a long run the next occurrence follows at once.
        self._status = ScheduleStatus(began, self.schedule.after(began), began)
        if self._monitored:
            self._statuses[self.function.name] = self._status
        self._set()

    # models timer-retries-in-memory
    def _comes_again(self, past_due: bool, attempt: int, began: datetime) -> bool:
        policy = self.function.retry
        delay = policy.delay(attempt + 1) if policy else None
        if delay is None:
            return False

        def ring() -> None:
            self._due = None
            self._runner.enqueue(
                lambda: self._run(past_due=past_due, attempt=attempt + 1, began=began)
            )

        self._due = self._clock.after(delay, ring)
        return True

    # models timer-input
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
