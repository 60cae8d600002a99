"""What is known of vaults, their items and jobs, through snapshots that all workflows share."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.snapshots import Snapshots
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
        content = self.snapshots.read(
            f"vaults/{subscription}/{location}",
            max_age=VAULTS_AGE,
            after=after,
            take=lambda: to_json(self.vaults.observe_vaults(subscription, location)),
        )
        return None if content is None else from_json(content, tuple[VaultFacts, ...])

    def items_in(self, vault: VaultId) -> tuple[ItemFacts, ...] | None:
        """Return the items of a vault, listed at most once a minute; None: come back soon."""
        content = self.snapshots.read(
            f"items/{derive_key('vault', str(vault))}",
            max_age=ITEMS_AGE,
            after=None,
            take=lambda: to_json(self.vaults.list_items(vault)),
        )
        return None if content is None else from_json(content, tuple[ItemFacts, ...])

    def jobs_of(self, vault: VaultId, since: datetime) -> tuple[JobFacts, ...]:
        """
        Return the vault's configuration jobs, read at most once a minute for all who ask.

        Empty also while somebody else reads them: nothing seen is nothing known.
        """
        begin = min(since, self.clock.now() - JOBS_BACK)
        content = self.snapshots.read(
            f"jobs/{derive_key('vault', str(vault))}",
            max_age=JOBS_AGE,
            after=None,
            take=lambda: to_json(self.jobs.observe_jobs(vault, begin)),
        )
        return () if content is None else from_json(content, tuple[JobFacts, ...])
