"""
Operations and jobs: what an asynchronous call leaves to be asked about, as a function of the clock.

Nothing here ticks: an operation knows when it ends, a job when each of its tasks begins and ends,
and both tell their state for any instant. (Recorded: an operation's endTime equals its startTime;
a restore's operation id is its job's id, others are not; tasks that wait have year 1.)
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

FOREVER = datetime.max.replace(tzinfo=UTC)


class JobOperation(Enum):
    CONFIGURE = "ConfigureBackup"
    BACKUP = "Backup"
    RESTORE = "Restore"
    DISABLE = "DisableBackup"
    DELETE = "DeleteBackupData"
    UNDELETE = "Undelete"


class JobStatus(Enum):
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    WARNINGS = "CompletedWithWarnings"
    CANCELLED = "Cancelled"
    CANCELLING = "Cancelling"


class OperationStatus(Enum):
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed: the symbolic code, its number in jobs, the text, what to do."""

    code: str
    text: str
    number: int = 400001
    recommendations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A part of a job; `shown_from` is when the service says that it began, later than it does."""

    name: str
    started: datetime
    ends: datetime
    shown_from: datetime | None = None
    timed: bool = True  # Tasks of restores show neither start nor end.
    gigabytes: int | None = None  # A transfer that tells its progress, from `told_from` on.
    told_from: datetime | None = None

    def status(self, now: datetime, stopped: JobStatus | None = None) -> str:
        if now >= self.ends:
            return "Completed"
        if now < (self.shown_from or self.started):
            return "NotStarted"
        return stopped.value if stopped else "InProgress"

    def fraction(self, now: datetime) -> float:
        """How much of the task is done, 0 to 1."""
        if now >= self.ends:
            return 1.0
        return max(0.0, (now - self.started) / (self.ends - self.started))


@dataclass(slots=True)
class Job:
    """One job of a vault; what it says depends on when it is asked."""

    id: str
    operation: JobOperation
    container: str
    entity: str
    started: datetime
    ends: datetime
    tasks: tuple[Task, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    later_properties: dict[str, str] = field(default_factory=dict)
    later_from: datetime = FOREVER
    final_properties: dict[str, str] = field(default_factory=dict)
    internal: dict[str, str] = field(default_factory=dict)
    result: JobStatus = JobStatus.COMPLETED
    failure: Failure | None = None
    cancellable: bool = False
    scheduled: bool = False
    cancel_asked: datetime = FOREVER
    cancelled: datetime = FOREVER

    def status(self, now: datetime) -> JobStatus:
        if now >= self.cancelled:
            return JobStatus.CANCELLED
        if now >= self.cancel_asked:
            return JobStatus.CANCELLING
        return self.result if now >= self.ends else JobStatus.IN_PROGRESS

    def ended(self, now: datetime) -> datetime | None:
        end = min(self.ends, self.cancelled)
        return end if now >= end else None

    def is_running(self, now: datetime) -> bool:
        return self.ended(now) is None

    def duration(self, now: datetime) -> timedelta:
        return (self.ended(now) or now) - self.started

    def cancel(self, now: datetime, takes: timedelta) -> None:
        self.cancel_asked, self.cancelled = now, now + takes

    def cut_at(self) -> datetime:
        """When the job stopped working: its end, or when somebody asked to cancel it."""
        return min(self.ends, self.cancel_asked)

    @property
    def activity_id(self) -> str:
        """A time-based GUID, as the service's own are."""
        ticks = int((self.started - datetime(1582, 10, 15, tzinfo=UTC)) / timedelta(microseconds=1))
        ticks *= 10
        low, middle, high = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF
        node = uuid.UUID(self.id).int
        fields = (low, middle, high | 0x1000, node >> 8 & 0x3F | 0x80, node & 0xFF, node >> 16)
        return str(uuid.UUID(fields=(*fields[:5], fields[5] & 0xFFFFFFFFFFFF)))


@dataclass(frozen=True, slots=True)
class Operation:
    """What an asynchronous call is asked about; `job_id` is empty where there is no job."""

    id: str
    started: datetime
    ends: datetime
    job_id: str = ""
    failure: Failure | None = None
    results: tuple[dict[str, Any], ...] | None = None  # What a validation found.

    def status(self, now: datetime) -> OperationStatus:
        if now < self.ends:
            return OperationStatus.IN_PROGRESS
        return OperationStatus.FAILED if self.failure else OperationStatus.SUCCEEDED


class JobBook:
    """
    The jobs and operations of one vault, newest jobs first when listed.

    `rows` are those of ended jobs in Resource Graph, by id and by how their errors are told.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, bool], dict[str, Any]] = {}
        self.jobs: dict[str, Job] = {}
        self.operations: dict[str, Operation] = {}

    def add(self, job: Job) -> Job:
        self.jobs[job.id.lower()] = job
        return job

    def open(self, operation: Operation) -> Operation:
        self.operations[operation.id.lower()] = operation
        return operation

    def close_early(self, operation: Operation, ends: datetime) -> None:
        self.open(replace(operation, ends=ends))

    def newest_first(self) -> Iterator[Job]:
        yield from sorted(self.jobs.values(), key=lambda job: job.started, reverse=True)

    def running(self, container: str, operation: JobOperation, now: datetime) -> Job | None:
        return next(
            (
                job
                for job in self.jobs.values()
                if job.container == container
                and job.operation is operation
                and job.started <= now
                and job.is_running(now)
            ),
            None,
        )
