"""
What a storage account keeps for a function app: Durable's task hubs, and the timers' schedules.

It outlives a host: whatever is not here is lost in a crash.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from azsim.host.durable.history import Event


class Status(Enum):
    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TERMINATED = "Terminated"

    @property
    def is_final(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.TERMINATED)


@dataclass(frozen=True, slots=True)
class Parent:
    """The orchestration that waits for this one, and the number of its task."""

    instance: str
    execution: str
    task: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to an instance; `execution` None reaches whichever execution is the current one."""

    event: Event
    execution: str | None = None


@dataclass(slots=True)
class Instance:
    """One orchestration: its current execution, and the letters that it has not read yet."""

    id: str
    name: str
    execution: str
    input: str | None
    created: datetime
    updated: datetime
    parent: Parent | None = None
    status: Status = Status.PENDING
    output: str | None = None
    custom_status: str | None = None
    history: list[Event] = field(default_factory=list)
    inbox: list[Letter] = field(default_factory=list)


@dataclass(slots=True)
class Job:
    """A message in the work item queue: run this activity once it is visible."""

    instance: str
    execution: str
    task: int
    name: str
    input: str
    visible: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """A durable timer's message."""

    instance: str
    execution: str
    timer: int
    fires: datetime


@dataclass(slots=True)
class TaskHub:
    """One task hub; `ready` are the instances with unread letters, in order of arrival."""

    instances: dict[str, Instance] = field(default_factory=dict)
    ready: dict[str, None] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    alarms: set[Alarm] = field(default_factory=set)

    # models durable-no-queue-delay
    def post(self, instance: str, letter: Letter) -> None:
        """Put a letter in an instance's inbox; one to an unknown instance is dropped."""
        if instance in self.instances:
            self.instances[instance].inbox.append(letter)
            self.ready[instance] = None


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """When a timer trigger ran last and runs next, as the schedule monitor stores it."""

    last: datetime | None
    next: datetime
    updated: datetime | None


@dataclass(slots=True)
class DurableStorage:
    """The storage account of a function app: hand the same one to the next host after a crash."""

    hubs: dict[str, TaskHub] = field(default_factory=dict)
    schedules: dict[str, ScheduleStatus] = field(default_factory=dict)

    def hub(self, name: str) -> TaskHub:
        return self.hubs.setdefault(name.lower(), TaskHub())
