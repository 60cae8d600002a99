"""
How a vault's log comes into a workspace: late, later still on its first day, and sometimes twice.

A row is pushed when its job has ended, but not before the first push after the diagnostic setting
was made; it is ingested a while later, and found by queries a little after that. What is due is
worked out when somebody asks; only the daily rows, which tell the state of their day, come by the
clock.
"""

import heapq
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.log_analytics_rows import daily_rows, job_row
from azsim.log_analytics_tables import INGESTED

if TYPE_CHECKING:
    from azsim.log_analytics import LogAnalytics, Workspace
    from azsim.recovery.jobs import Job
    from azsim.vaults import Vault

Span = tuple[timedelta, timedelta]
DAY = timedelta(days=1)


@dataclass(slots=True)
class Delays:
    """
    How long things take, shortest and longest; each is drawn evenly, of the vault's randomness.

    `first_push` after the setting was made, `ingestion` after a push, `indexing` from the time that
    `ingestion_time()` tells until queries find the row, `repeat` until a row comes once more.
    """

    # models log-first-push
    first_push: Span = (timedelta(hours=1), timedelta(hours=24))
    # models log-ingestion-delay
    ingestion: Span = (timedelta(minutes=20), timedelta(minutes=30))
    # models log-time-received
    pipeline: Span = (timedelta(seconds=20), timedelta(minutes=3))
    # models log-indexing
    indexing: Span = (timedelta(0), timedelta(seconds=60))
    # models log-rows-repeated
    repeat: Span = (timedelta(minutes=5), timedelta(hours=2))


@dataclass(frozen=True, slots=True)
class Lateness:
    """Rows pushed from `since` until `until` (of one vault, or all) are ingested `by` later."""

    by: timedelta
    since: datetime
    until: datetime
    vault_id: str


@dataclass(slots=True)
class Setting:
    """One diagnostic setting: what of a vault goes to which workspace. `body` is its properties."""

    name: str
    vault: "Vault"
    workspace: "Workspace"
    categories: frozenset[str]
    dedicated: bool
    since: datetime
    first_push: datetime
    body: dict[str, Any]
    ended: datetime | None = None
    jobs_read: int = 0
    read_at: datetime | None = None
    running: list["Job"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row that queries find from `at` on."""

    at: datetime
    workspace: "Workspace"
    table: str
    row: Mapping[str, Any]


class Feed:
    """Everything on its way into the workspaces of one world."""

    def __init__(self, logs: "LogAnalytics") -> None:
        self._logs = logs
        self.delays = Delays()
        self.settings: list[Setting] = []
        self.lateness: list[Lateness] = []
        self._under_way: list[tuple[datetime, int, Arrival]] = []
        self._order = itertools.count()

    def begin(self, setting: Setting) -> None:
        """Follow a vault from now on; jobs that ended before are never told."""
        self.settings.append(setting)
        clock = self._logs.world.clock

        def daily() -> None:
            if self._follows(setting):
                self._push_states(setting, clock.now())
                clock.after(DAY, daily)

        clock.at(setting.first_push, daily)

    def end(self, setting: Setting) -> None:
        """Stop following; what was pushed still arrives."""
        self._read_jobs(setting)
        setting.ended = self._logs.world.clock.now()
        self.settings.remove(setting)

    def arrived(self) -> Iterator[Arrival]:
        """
        Yield, once, what queries find by now and did not before.

        A vault is read only where a job that ended since could have arrived already: it could not
        within the shortest ingestion.
        """
        now = self._logs.world.clock.now()
        for setting in self.settings:
            if setting.read_at is None or now - setting.read_at >= self.delays.ingestion[0]:
                self._read_jobs(setting)
        while self._under_way and self._under_way[0][0] <= now:
            yield heapq.heappop(self._under_way)[2]

    def _follows(self, setting: Setting) -> bool:
        known = self._logs.world.vaults.by_id(setting.vault.id)
        return setting.ended is None and known is setting.vault

    # models log-jobs-when-ended
    def _read_jobs(self, setting: Setting) -> None:
        vault, now = setting.vault, self._logs.world.clock.now()
        if not setting.dedicated or "AddonAzureBackupJobs" not in setting.categories:
            return
        setting.read_at = now
        vault.live_items()
        started = list(vault.book.jobs.values())
        setting.running += started[setting.jobs_read :]
        setting.jobs_read = len(started)
        ended = [job for job in setting.running if job.ended(now) is not None]
        setting.running = [job for job in setting.running if job.ended(now) is None]
        for job in ended:
            self._push_job(setting, job, now)

    # models log-starts-with-setting
    def _push_job(self, setting: Setting, job: "Job", now: datetime) -> None:
        ended = job.ended(now) or now
        if ended < setting.since:
            return
        rng = random.Random(f"{setting.vault.salt}:{job.id}:log")
        pushed = max(ended, setting.first_push)
        row = job_row(setting.vault, job, now, self._logs.doubts)
        # models log-time-generated
        told = pushed if self._logs.doubts.generated_when_pushed else ended
        self._send(setting, "AddonAzureBackupJobs", row, pushed, told, rng)
        if rng.random() < self._logs.doubts.rows_repeated:
            again = pushed + _draw(self.delays.repeat, rng)
            self._send(setting, "AddonAzureBackupJobs", row, again, told + (again - pushed), rng)

    def _push_states(self, setting: Setting, now: datetime) -> None:
        rng = random.Random(f"{setting.vault.salt}:{now.isoformat()}:log")
        for table, row in daily_rows(setting.vault, now):
            if setting.dedicated and table in setting.categories:
                self._send(setting, table, row, now, now, rng)

    def _send(
        self,
        setting: Setting,
        table: str,
        row: Mapping[str, Any],
        pushed: datetime,
        told: datetime,
        rng: random.Random,
    ) -> None:
        late = self._late(setting.vault.id, pushed)
        ingested = pushed + _draw(self.delays.ingestion, rng) + late
        times = {
            "TenantId": setting.workspace.customer_id,
            "TimeGenerated": told,
            "_TimeReceived": max(pushed + late, ingested - _draw(self.delays.pipeline, rng)),
            INGESTED: ingested,
        }
        at = ingested + _draw(self.delays.indexing, rng)
        arrival = Arrival(at, setting.workspace, table, {**row, **times})
        heapq.heappush(self._under_way, (at, next(self._order), arrival))

    def _late(self, vault_id: str, pushed: datetime) -> timedelta:
        by = (
            entry.by
            for entry in self.lateness
            if entry.since <= pushed < entry.until and entry.vault_id in ("", vault_id.lower())
        )
        return sum(by, timedelta())


def _draw(span: Span, rng: random.Random) -> timedelta:
    shortest, longest = span
    return shortest + (longest - shortest) * rng.random()
