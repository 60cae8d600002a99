"""
Durable Functions' dispatcher: who takes a turn next, what a turn leaves in storage.

A turn is all or nothing: a process that dies in it leaves the letters unread. Activities run at
least once: a lost result brings the message back when its lease ends. Within one instant the
activities run first (so many at a time), then each instance with letters takes one turn with all
of them: completions of one instant share an episode. The order of equals is drawn from a seed.
"""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from azsim.clock import Clock
from azsim.host.durable.asking import Asking, Invoke
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
    Terminated,
    Turn,
)
from azsim.host.durable.history import Event, Kind, event, stamp
from azsim.host.durable.settings import DurableSettings
from azsim.host.durable.storage import Alarm, Instance, Job, Letter, Parent, Status, TaskHub
from azsim.host.faults import HostFaults, Mishap
from azsim.host.functions import Function
from azsim.host.protocol import TypedData
from azsim.host.worker import Outcome

# models durable-activities-at-least-once
LEASE = timedelta(minutes=5)  # Both queues' default visibility timeout (Azure Storage provider).


class Engine:
    """The dispatcher of one task hub, for the life of one host."""

    def __init__(
        self,
        hub: TaskHub,
        functions: tuple[Function, ...],
        invoke: Invoke,
        clock: Clock,
        faults: HostFaults,
        rng: random.Random,
        settings: DurableSettings,
    ) -> None:
        self.hub, self.settings = hub, settings
        self._invoke, self._clock, self._faults, self._rng = invoke, clock, faults, rng
        self._activities = _named(functions, "activityTrigger")
        orchestrators = _named(functions, "orchestrationTrigger")
        self.known = Known(tuple(self._activities), tuple(orchestrators))
        self._asking = Asking(orchestrators, self.known, invoke)
        self._take_up()

    def _take_up(self) -> None:
        """Go on where the last host stopped: its alarms, its jobs, the letters nobody read."""
        for alarm in sorted(self.hub.alarms, key=lambda a: (a.fires, a.instance, a.timer)):
            self._set(alarm)
        for job in self.hub.jobs:
            self._wake_at(job.visible)
        for instance in self.hub.instances.values():
            if instance.inbox:
                self.hub.ready[instance.id] = None

    def new_id(self) -> str:
        return uuid.UUID(int=self._rng.getrandbits(128), version=4).hex

    @property
    def unfinished(self) -> bool:
        """Whether some orchestration has not ended or some message is still to be delivered."""
        return bool(self.hub.jobs or self.hub.ready) or any(
            not instance.status.is_final for instance in self.hub.instances.values()
        )

    def create(
        self, instance_id: str, name: str, given: str | None, parent: Parent | None = None
    ) -> Instance:
        """Start a new execution of `name`; what the id stood for before is replaced."""
        now = self._clock.now()
        instance = Instance(instance_id, name, self.new_id(), given, now, now, parent)
        self._forget_alarms(instance_id)
        self.hub.instances.pop(instance_id, None)  # So that it comes last in the order of creation.
        self.hub.instances[instance_id] = instance
        self.hub.post(instance_id, Letter(_started(instance, now), instance.execution))
        return instance

    # models durable-order
    def step(self) -> bool:
        """Do what can be done now: one batch of activities, one turn for each; False if nothing."""
        now = self._clock.now()
        jobs = [job for job in self.hub.jobs if job.visible <= now]
        self._rng.shuffle(jobs)
        for job in jobs[: self.settings.most_activities]:
            self._run(job)
        ready = list(self.hub.ready)
        self._rng.shuffle(ready)
        for instance_id in ready:
            self.hub.ready.pop(instance_id, None)
            if (instance := self.hub.instances.get(instance_id)) is not None:
                self._take_turn(instance)
        return bool(jobs or ready)

    def _run(self, job: Job) -> None:
        instance = self.hub.instances.get(job.instance)
        mishap = self._faults.on_delivery(job.name)
        if mishap is Mishap.KILLED_BEFORE:
            self._deliver_later(job)
            return
        function = self._activities[job.name.lower()]
        inputs = {function.trigger["name"]: TypedData(string=job.input)}
        outcome = self._invoke(function, inputs)
        if mishap is Mishap.TWICE:
            self._invoke(function, inputs)
        if outcome.killed or mishap is Mishap.KILLED_AFTER:
            self._deliver_later(job)
            return
        if mishap is Mishap.TWICE_LATE:
            self._deliver_later(job)
        elif job in self.hub.jobs:
            self.hub.jobs.remove(job)
        if instance is not None and not self._is_answered(instance, job):
            self.hub.post(job.instance, Letter(self._result(job, outcome), job.execution))

    def _result(self, job: Job, outcome: Outcome) -> Event:
        now = self._clock.now()
        if outcome.succeeded:
            result = None if outcome.value is None else outcome.value.json
            return event(Kind.TASK_COMPLETED, now, TaskScheduledId=job.task, Result=result)
        # models durable-activity-failure
        reason = f"Activity function '{job.name}' failed: {outcome.report}"
        return event(
            Kind.TASK_FAILED, now, TaskScheduledId=job.task, Reason=reason, Details=outcome.error
        )

    def _is_answered(self, instance: Instance, job: Job) -> bool:
        past = [*instance.history, *(letter.event for letter in instance.inbox)]
        return instance.execution == job.execution and any(
            e.get("TaskScheduledId") == job.task for e in past
        )

    def _deliver_later(self, job: Job) -> None:
        job.visible = self._clock.now() + LEASE
        self._wake_at(job.visible)

    def _wake_at(self, when: datetime) -> None:
        """Make the clock stop at `when`, so that the host's loop looks again."""
        self._clock.at(when, lambda: None)

    # models durable-turn-is-atomic
    def _take_turn(self, instance: Instance) -> None:
        letters, instance.inbox = instance.inbox, []
        current = [x.event for x in letters if x.execution in (None, instance.execution)]
        if not current or instance.status.is_final:
            return
        now = self._clock.now()
        new = [event(Kind.ORCHESTRATOR_STARTED, now), *current]
        outcome = self._asking.ask(instance, new)
        if outcome.killed:
            instance.inbox = [*letters, *instance.inbox]
            self._clock.after(LEASE, lambda: self.hub.ready.setdefault(instance.id))
            return
        turn, custom_status = self._asking.understand(instance, new, outcome)
        instance.history += new
        if custom_status:
            instance.custom_status = json.dumps(custom_status)
        self._commit(instance, turn)

    def _commit(self, instance: Instance, turn: Turn) -> None:
        now = self._clock.now()
        instance.updated = now
        instance.status = Status.SUSPENDED if turn.suspended else Status.RUNNING
        for decision in turn.decisions:
            instance.history.append(_DECIDERS[type(decision)](self, instance, decision))
        if turn.end is not None:
            self._finish(instance, turn.end)
        if not isinstance(turn.end, ContinuedAsNew):
            instance.history.append(event(Kind.ORCHESTRATOR_COMPLETED, now))
        for past in instance.history:
            past["IsPlayed"] = True

    def _call_activity(self, instance: Instance, decision: CallActivity) -> Event:
        now = self._clock.now()
        self.hub.jobs.append(
            Job(instance.id, instance.execution, decision.id, decision.name, decision.input, now)
        )
        return event(
            Kind.TASK_SCHEDULED, now, decision.id, Name=decision.name, Input=decision.input
        )

    def _call_child(self, instance: Instance, decision: CallChild) -> Event:
        # models durable-child-id
        child_id = decision.instance or f"{instance.execution}:{decision.id}"
        parent = Parent(instance.id, instance.execution, decision.id)
        existing = self.hub.instances.get(child_id)
        if existing is None or existing.status.is_final:
            self.create(child_id, decision.name, json.dumps(decision.input), parent)
        # models durable-child-of-running-id
        else:  # Guessed: Azure's own behaviour here is not documented.
            reason = already_exists(existing)
            self._tell_parent(parent, Failed(reason))
        return event(
            Kind.CHILD_CREATED,
            self._clock.now(),
            decision.id,
            Name=decision.name,
            InstanceId=child_id,
            Input=decision.input,
        )

    def _create_timer(self, instance: Instance, decision: CreateTimer) -> Event:
        alarm = Alarm(instance.id, instance.execution, decision.id, decision.fires)
        self.hub.alarms.add(alarm)
        self._set(alarm)
        return event(
            Kind.TIMER_CREATED, self._clock.now(), decision.id, FireAt=stamp(decision.fires)
        )

    def _set(self, alarm: Alarm) -> None:
        """Have the storage deliver `alarm` when it is due, whether or not this host still lives."""

        def ring() -> None:
            if alarm in self.hub.alarms:
                self.hub.alarms.discard(alarm)
                fired = event(
                    Kind.TIMER_FIRED,
                    self._clock.now(),
                    TimerId=alarm.timer,
                    FireAt=stamp(alarm.fires),
                )
                self.hub.post(alarm.instance, Letter(fired, alarm.execution))

        self._clock.at(alarm.fires, ring)

    def _forget_alarms(self, instance_id: str) -> None:
        self.hub.alarms -= {a for a in self.hub.alarms if a.instance == instance_id}

    def _finish(self, instance: Instance, end: End) -> None:
        self._forget_alarms(instance.id)
        match end:
            case ContinuedAsNew():
                self._continue_as_new(instance, end)
                return
            case Completed(output):
                instance.status, instance.output = Status.COMPLETED, output
            case Failed(reason):
                instance.status, instance.output = Status.FAILED, reason
            case Terminated(reason):
                instance.status, instance.output = Status.TERMINATED, reason
        instance.history.append(
            event(
                Kind.EXECUTION_COMPLETED,
                self._clock.now(),
                OrchestrationStatus=instance.status.value,
                Result=instance.output,
            )
        )
        if instance.parent is not None:
            self._tell_parent(instance.parent, end)

    def _continue_as_new(self, instance: Instance, end: ContinuedAsNew) -> None:
        now = self._clock.now()
        instance.execution, instance.input = self.new_id(), json.dumps(end.input)
        instance.history = []
        # models durable-created-anew
        instance.created = now
        # models durable-continue-as-new-drops
        kept = [*end.unread, *(end.unclaimed if self.settings.keeps_unclaimed_events else ())]
        carried = [Letter({**raised, "IsPlayed": False}) for raised in kept]
        waiting, instance.inbox = instance.inbox, []
        self.hub.post(instance.id, Letter(_started(instance, now), instance.execution))
        for letter in [*carried, *waiting]:
            self.hub.post(instance.id, letter)

    def _tell_parent(self, parent: Parent, end: End) -> None:
        now = self._clock.now()
        match end:
            case Completed(output):
                told = event(Kind.CHILD_COMPLETED, now, TaskScheduledId=parent.task, Result=output)
            case Failed(reason) | Terminated(reason):
                told = event(
                    Kind.CHILD_FAILED, now, TaskScheduledId=parent.task, Reason=reason, Details=None
                )
            case ContinuedAsNew():
                return
        self.hub.post(parent.instance, Letter(told, parent.execution))


def already_exists(instance: Instance) -> str:
    return f"An Orchestration instance with the status {instance.status.value} already exists."


def _named(functions: tuple[Function, ...], kind: str) -> dict[str, Function]:
    return {f.durable_name.lower(): f for f in functions if f.kind == kind}


def _started(instance: Instance, now: datetime) -> Event:
    return event(
        Kind.EXECUTION_STARTED,
        now,
        Name=instance.name,
        Version="",
        Input=instance.input,
        OrchestrationInstance={"InstanceId": instance.id, "ExecutionId": instance.execution},
        ParentInstance=asdict(instance.parent) if instance.parent else None,
        Tags=None,
    )


_DECIDERS: dict[type[Decision], Callable[[Engine, Instance, Any], Event]] = {
    CallActivity: Engine._call_activity,
    CallChild: Engine._call_child,
    CreateTimer: Engine._create_timer,
}
