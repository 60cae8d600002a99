"""What the service says of work under way: operations and jobs, as far as protecting needs them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vmbackup_core.domain.ids import VmId


class Progress(StrEnum):
    """How far an operation or a job is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """One asynchronous operation; `code` and `message` are the service's own when it failed."""

    progress: Progress
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class JobFacts:
    """
    One backup job, as a vault's job list has it.

    `container` is `iaasvmcontainerv2;{group};{vm}` in lower case, which joins a job to its VM.
    `title` and `message` are what a failed job says of it: no field of a job is known to hold the
    symbolic code, so the operation is asked first, and these count where it says nothing.
    """

    id: str
    container: str
    operation: str
    progress: Progress
    started: datetime
    title: str = ""
    message: str = ""

    def concerns(self, vm: VmId) -> bool:
        return self.container == f"iaasvmcontainerv2;{vm.group};{vm.name}"
