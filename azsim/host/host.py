"""
A double of the Azure Functions host: it runs a function app on a clock that is handed in.

The app is loaded, indexed and invoked by Microsoft's worker library; this module plays what is
around it. Nothing runs of itself: what the clock and the webhooks bring is queued, and `run_*`
works it off, one thing after the other, then lets time pass until the next thing is due.
"""

import asyncio
import contextlib
import json
import random
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azsim.clock import Clock, ScaledClock
from azsim.host.cron import Schedule
from azsim.host.durable.client import Client, Orchestration, encoded
from azsim.host.durable.engine import Engine
from azsim.host.durable.rpc import DurableApi
from azsim.host.durable.settings import DurableSettings
from azsim.host.durable.storage import DurableStorage
from azsim.host.faults import HostFaults
from azsim.host.front import Answer, Front
from azsim.host.functions import Function, resolve
from azsim.host.loopback import Loopback
from azsim.host.protocol import TypedData
from azsim.host.timers import TimerListener
from azsim.host.waiting import Jump, Waiting, WaitReally
from azsim.host.worker import Outcome, Worker
from azsim.http import Request, Response

Endpoint = Callable[[Request, Answer], None]


class HostStuck(Exception):
    """So much happened in one instant that time will never pass: an orchestrator spins."""


class InvocationStatus(Enum):
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    KILLED = "Killed"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One line of the host's log; `exception` is what the worker reported of a failure."""

    id: str
    function: str
    started: datetime
    ended: datetime
    status: InvocationStatus
    exception: str | None = None


class Host:
    """
    One life of the Functions host for one app; use it as a context manager.

    `environment` are the app settings (variables of the process while it lives). `durable` is the
    storage account: give the one of a crashed host to the next. `waiting` says how time passes:
    jumps by default, real waiting for a ScaledClock. The same seed and input repeat every order.
    `keeps_unclaimed_events` tries the other answer to a question about continue_as_new (docs).
    """

    def __init__(
        self,
        app_dir: Path,
        clock: Clock,
        *,
        environment: Mapping[str, str] | None = None,
        faults: HostFaults | None = None,
        durable: DurableStorage | None = None,
        waiting: Waiting | None = None,
        seed: int = 0,
        keeps_unclaimed_events: bool = False,
        most_steps_of_an_instant: int = 10_000,
    ) -> None:
        self.clock = clock
        self._most_steps = most_steps_of_an_instant
        self.durable = durable if durable is not None else DurableStorage()
        self.faults = faults if faults is not None else HostFaults()
        self.invocations: list[Invocation] = []
        self._waiting = waiting or (
            WaitReally(clock) if isinstance(clock, ScaledClock) else Jump(clock)
        )
        self._rng = random.Random(seed)
        self._settings = dict(environment or {})
        self._queue: deque[Callable[[], None]] = deque()
        self._loopback: Loopback | None = None
        self._alive = True
        self.function_key, self.master_key = self._new_id(), self._new_id()
        self._configuration = _host_json(app_dir)
        self._worker = Worker(app_dir, self._settings)
        self.functions = self._worker.functions
        self._arrived = asyncio.Event()
        try:
            self._start(keeps_unclaimed_events)
        except BaseException:
            self._worker.close()
            raise

    def _start(self, keeps_unclaimed_events: bool) -> None:
        extensions = self._configuration.get("extensions", {})
        settings = DurableSettings.read(extensions.get("durableTask", {}), self._resolve)
        settings = replace(settings, keeps_unclaimed_events=keeps_unclaimed_events)
        self._engine = Engine(
            self.durable.hub(settings.hub),
            self.functions,
            self.invoke,
            self.clock,
            self.faults,
            self._rng,
            settings,
        )
        self._client = Client(self._engine, self.clock)
        self._api = DurableApi(self._client, settings.hub, self.function_key)
        prefix = extensions.get("http", {}).get("routePrefix", "api")
        keys = (self.function_key, self.master_key)
        self._front = Front(self.functions, prefix, self._api, self, keys)
        self._timers = [
            TimerListener(
                f,
                Schedule.parse(self._resolve(f.trigger["schedule"])),
                self.clock,
                self,
                self.durable.schedules,
            )
            for f in self.functions
            if f.kind == "timerTrigger"
        ]
        for timer in self._timers:
            timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop for good; storage keeps what a host's storage keeps. Repeating it does nothing."""
        if not self._alive:
            return
        self._alive = False
        for timer in self._timers:
            timer.stop()
        self._queue.clear()
        self._front.close()
        if self._loopback is not None:
            self._worker.run(self._loopback.close())
        self._worker.close()

    def crash(self) -> None:
        """Die as a process does: memory is lost, `durable` is left for the next host."""
        self.close()

    # What a test or the demo drives it by.

    def run_until(self, when: datetime) -> None:
        """Work and let time pass until `when`, the work that is due at that moment included."""
        while True:
            self._work()
            now, due = self.clock.now(), self.clock.next_due()
            if now >= when and not self._queue and (due is None or due > now):
                return
            self._waiting.until(when if due is None else min(when, due), self._pause)

    def run_for(self, span: timedelta) -> None:
        self.run_until(self.clock.now() + span)

    def run_until_idle(self, limit: timedelta) -> bool:
        """
        Work until nothing is under way, at most `limit` of time; return whether that was reached.

        Idle means: no queued work, no unfinished orchestration, no message to redeliver, no retry
        to come, and nothing on the clock before the next occurrence of a timer trigger. An
        orchestration that waits for a far timer or for an event keeps the host busy.
        """
        deadline = self.clock.now() + limit
        while True:
            self._work()
            due = self.clock.next_due()
            if not self._engine.unfinished and self._only_timers_from(due):
                return True
            if due is None or due > deadline:
                self.run_until(deadline)
                return False
            self._waiting.until(due, self._pause)

    def _only_timers_from(self, due: datetime | None) -> bool:
        """Whether nothing is due before the next occurrence of a timer trigger."""
        nexts = [timer.next for timer in self._timers]
        occurrences = [moment for moment in nexts if moment is not None]
        if due is None or len(occurrences) < len(nexts):
            return due is None
        return bool(occurrences) and due >= min(occurrences)

    @property
    def instances(self) -> dict[str, Orchestration]:
        """The orchestrations of the hub by id, oldest first."""
        return {i.id: Orchestration.of(i) for i in self._client.query()}

    def start(self, orchestrator: str, *, instance_id: str | None = None, input: Any = None) -> str:
        """Start an orchestration as a client would; raises Refused where the real one refuses."""
        return self._client.start(orchestrator, instance_id, encoded(input)).id

    def raise_event(self, instance_id: str, name: str, payload: Any = None) -> None:
        """Raise an event as a POST of `payload` to sendEventPostUri does (encoded once)."""
        self._client.raise_event(instance_id, name, json.dumps(payload))

    def terminate(self, instance_id: str, reason: str = "") -> None:
        self._client.terminate(instance_id, reason)

    def suspend(self, instance_id: str, reason: str = "") -> None:
        self._client.suspend(instance_id, reason)

    def resume(self, instance_id: str, reason: str = "") -> None:
        self._client.resume(instance_id, reason)

    def purge(self, *instance_ids: str) -> int:
        """Delete ended instances, all of them when none is named; return how many."""
        ended = [i.id for i in self._client.query() if i.status.is_final]
        return self._client.purge(instance_ids or ended)

    def event_grid(self, function_name: str) -> Endpoint:
        """Return the webhook of an Event Grid function, as an Event Grid subscription calls it."""

        return partial(self._front.webhook, function_name)

    def http(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        """Call an HTTP function now; what it starts is left to `run_*`."""
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        url = f"http://localhost/{path.lstrip('/')}"
        answers: list[Response] = []
        self._front.call(Request(method.upper(), url, lowered, body), answers.append)
        while not answers:
            self._queue.popleft()()
        return answers[0]

    def listen(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 and return the base URL; requests are served while `run_*` runs."""
        if self._loopback is None:
            self._loopback = Loopback(self._front.answer)
            self._worker.run(self._loopback.open(port))
            self._api.base_url = self._loopback.url
        return self._loopback.url

    # What listeners and the dispatcher ask.

    def enqueue(self, work: Callable[[], None]) -> None:
        self._queue.append(work)
        if self._worker.loop.is_running():
            self._worker.loop.call_soon_threadsafe(self._arrived.set)

    def invoke(
        self, function: Function, inputs: Mapping[str, TypedData], *, attempt: int = 0
    ) -> Outcome:
        """Invoke `function` now, its Durable client bindings filled in, and log it."""
        bound = dict(inputs)
        for binding in function.client_bindings:
            self.listen()
            bound[binding["name"]] = TypedData(string=self._api.binding())
        invocation_id, started = self._new_id(), self.clock.now()
        most = function.retry.most if function.retry else 0
        outcome = self._worker.invoke(
            function, invocation_id, bound, attempt=attempt, most_attempts=most
        )
        status = InvocationStatus.SUCCEEDED if outcome.succeeded else InvocationStatus.FAILED
        self.invocations.append(
            Invocation(
                invocation_id,
                function.name,
                started,
                self.clock.now(),
                InvocationStatus.KILLED if outcome.killed else status,
                outcome.error,
            )
        )
        return outcome

    # models host-one-at-a-time
    def _work(self) -> None:
        instant, steps = self.clock.now(), 0
        while True:
            if self._queue:
                self._queue.popleft()()
            elif not self._engine.step():
                return
            if self.clock.now() != instant:
                instant, steps = self.clock.now(), 0
            steps += 1
            if steps > self._most_steps:
                raise HostStuck(f"more than {steps - 1} steps at {instant.isoformat()}")

    def _pause(self, seconds: float) -> None:
        """Listen for so long, or until work arrives."""

        async def arrival() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            self._arrived.clear()

        self._worker.run(arrival())

    def _resolve(self, text: str) -> str:
        return resolve(text, self._settings)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def _host_json(app_dir: Path) -> Mapping[str, Any]:
    path = app_dir / "host.json"
    configuration: Mapping[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return configuration
