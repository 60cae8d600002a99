"""
Backup jobs, as any source tells them: one value for each job, however many sources know of it.

Hides that the log, Resource Graph and a vault's job list each tell another part: only the log has
an error's name, only the vault has its number and words, and the log knows no job that still runs
(AZURE: jobs; Log Analytics and Resource Graph).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmbackup_core.domain.ids import VaultId, VmId

BACKUP = "backup"  # The one operation that feeds incidents; restores feed restore tests' verdicts.


class Source(StrEnum):
    """Who tells of a job."""

    LOG = "log"  # AddonAzureBackupJobs in a workspace.
    GRAPH = "graph"  # recoveryservicesresources in Resource Graph, of the last 14 days.
    VAULT = "vault"  # The vault's own list of jobs.


class RunStatus(StrEnum):
    """How a job stands, in the service's own words; later ones outweigh earlier ones."""

    UNKNOWN = "Unknown"
    RUNNING = "InProgress"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"
    COMPLETED = "Completed"
    WARNED = "CompletedWithWarnings"
    FAILED = "Failed"

    @classmethod
    def parse(cls, word: str) -> "RunStatus":
        """Read the service's word in any case; UNKNOWN for one that it never had before."""
        return next((one for one in cls if one.value.lower() == word.strip().lower()), cls.UNKNOWN)


_RANK = {status: rank for rank, status in enumerate(RunStatus)}
_ENDED = frozenset({RunStatus.CANCELLED, RunStatus.COMPLETED, RunStatus.WARNED, RunStatus.FAILED})


@dataclass(frozen=True, slots=True)
class BackupRun:
    """
    One job.

    `id` is the job's GUID in lower case. `code` is an error's name ("" where the source has none),
    `number` its number (0 likewise), `title`, `message` and `advice` Azure's own words. `ingested`
    is when the log took it in: it may be a day after the job ended.
    """

    id: str
    vm: VmId
    vault: VaultId
    operation: str
    status: RunStatus
    started: datetime
    ended: datetime | None = None
    code: str = ""
    number: int = 0
    title: str = ""
    message: str = ""
    advice: str = ""
    ingested: datetime | None = None
    sources: frozenset[Source] = frozenset()

    @property
    def is_backup(self) -> bool:
        return self.operation.lower() == BACKUP

    @property
    def running(self) -> bool:
        return self.status in (RunStatus.RUNNING, RunStatus.CANCELLING)

    @property
    def worked(self) -> bool:
        """Whether it made a recovery point; one with warnings did (AZURE: jobs)."""
        return self.status in (RunStatus.COMPLETED, RunStatus.WARNED)

    @property
    def failed(self) -> bool:
        """Whether it ended without a recovery point; a cancelled one did."""
        return self.status in (RunStatus.FAILED, RunStatus.CANCELLED)

    @property
    def took(self) -> timedelta | None:
        """How long it took; None while it runs, and where no source tells its end."""
        return None if self.ended is None else self.ended - self.started


def merge_runs(*sources: Iterable[BackupRun]) -> tuple[BackupRun, ...]:
    """
    Return each job once, oldest first, with the most that any source tells of it.

    The order of the sources does not matter, nor does a job that comes twice: an end outweighs a
    beginning, words outweigh none, the longer ones the shorter.
    """
    merged: dict[tuple[VaultId, str], BackupRun] = {}
    for source in sources:
        for run in source:
            key = (run.vault, run.id)
            known = merged.get(key)
            merged[key] = run if known is None else _merge(known, run)
    return tuple(sorted(merged.values(), key=lambda run: (run.started, run.vault, run.id)))


def _merge(one: BackupRun, other: BackupRun) -> BackupRun:
    status = max(one.status, other.status, key=_RANK.__getitem__)
    ends = [run.ended for run in (one, other) if run.ended and run.status in _ENDED]
    taken = [run.ingested for run in (one, other) if run.ingested]
    return BackupRun(
        id=one.id,
        vm=min(one.vm, other.vm),
        vault=one.vault,
        operation=_longer(one.operation, other.operation),
        status=status,
        started=min(one.started, other.started),
        ended=max(ends, default=None),
        code=_longer(one.code, other.code),
        number=max(one.number, other.number),
        title=_longer(one.title, other.title),
        message=_longer(one.message, other.message),
        advice=_longer(one.advice, other.advice),
        ingested=min(taken, default=None),
        sources=one.sources | other.sources,
    )


def _longer(one: str, other: str) -> str:
    return max(one, other, key=lambda words: (len(words), words))
