"""What is known of vaults, their items and jobs, through snapshots that all workflows share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.facts import ItemFacts, VaultFacts
from vmbackup_core.domain.ids import VaultId, derive_key
from vmbackup_core.domain.operations import JobFacts
from vmbackup_core.ports import Clock, Jobs, Vaults

VAULTS_AGE = timedelta(minutes=10)
ITEMS_AGE = timedelta(seconds=60)
JOBS_AGE = timedelta(seconds=60)
JOBS_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shelf:
    snapshots: Snapshots
    vaults: Vaults
    jobs: Jobs
    clock: Clock

    def vaults_in(
        self, subscription: str, location: str, after: datetime | None
    ) -> tuple[VaultFacts, ...] | None:
        """Return the vaults of a place as seen after `after`; None: come back in some seconds."""
        return self._read(
            f"vaults/{subscription}/{location}",
            tuple[VaultFacts, ...],
            VAULTS_AGE,
            lambda: to_json(self.vaults.observe_vaults(subscription, location)),
            after,
        )

    def items_in(self, vault: VaultId) -> tuple[ItemFacts, ...] | None:
        """Return the items of a vault, listed at most once a minute; None: come back soon."""
        return self._read(
            f"items/{derive_key('vault', str(vault))}",
            tuple[ItemFacts, ...],
            ITEMS_AGE,
            lambda: to_json(self.vaults.list_items(vault)),
        )

    def jobs_of(self, vault: VaultId, since: datetime) -> tuple[JobFacts, ...]:
        """
        Return the vault's configuration jobs, read at most once a minute for all who ask.

        Empty also while somebody else reads them: nothing seen is nothing known.
        """
        begin = min(since, self.clock.now() - JOBS_BACK)
        found = self._read(
            f"jobs/{derive_key('vault', str(vault))}",
            tuple[JobFacts, ...],
            JOBS_AGE,
            lambda: to_json(self.jobs.observe_jobs(vault, begin)),
        )
        return found or ()

    def _read[T](
        self,
        name: str,
        as_type: type[T],
        max_age: timedelta,
        take: Callable[[], Any],
        after: datetime | None = None,
    ) -> T | None:
        """Return a snapshot; one that another version of us wrote is taken anew."""
        content = self.snapshots.read(name, max_age=max_age, after=after, take=take)
        if content is None:
            return None
        try:
            return from_json(content, as_type)
        except Malformed:
            now = self.clock.now()
            content = self.snapshots.read(name, max_age=max_age, after=now, take=take)
            return None if content is None else from_json(content, as_type)
