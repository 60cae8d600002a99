"""
What finding troubles and telling of them need from the world, beside ports.py.

The same obligations hold: each method raises only the errors of domain/errors.py, reads never
change anything, and a write sends one request and never repeats it by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vmbackup_core.domain.backup_runs import BackupRun
from vmbackup_core.domain.facts import ItemState, Tags
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.letters import Letter
from vmbackup_core.domain.promises import VaultPromise
from vmbackup_core.domain.rules import Scope


@dataclass(frozen=True, slots=True)
class ProtectedVm:
    """
    One protected item with the VM that it is for.

    `machine` is the VM's `vmId`, "" where no VM of that id is there now; `name` and `tags` are the
    VM's, or the item's own name and nothing. `policy` is a policy's name in `vault`. `last_point`
    is when its newest recovery point was taken, None where there is none.
    """

    vm: VmId
    name: str
    machine: str
    tags: Tags
    vault: VaultId
    state: ItemState
    policy: str
    last_point: datetime | None

    @property
    def there(self) -> bool:
        return bool(self.machine)


@dataclass(frozen=True, slots=True)
class Backups:
    """All protected items in scope at one look, with what their vaults promise."""

    at: datetime
    items: tuple[ProtectedVm, ...]
    vaults: tuple[VaultPromise, ...]
    unreadable: tuple[str, ...] = ()  # Ids of items that made no sense.


class BackupEstate(Protocol):
    def observe_backups(self, scope: Scope) -> Backups:
        """
        Return all protected items in scope, and their vaults.

        Complete or not at all: a short page raises Retryable, so that a missing row never reads as
        a missing item.
        """

    def observe_unfinished(self, scope: Scope, since: datetime) -> tuple[BackupRun, ...]:
        """
        Return the backups that began at or after `since` and did not go well, or not yet.

        Those that run are told once they have run for longer than YOUNG: a night has thousands.
        """

    def observe_failure(self, run: BackupRun) -> BackupRun:
        """Return the job with Azure's own words; raises Rejected where the vault knows it no more."""


class JobLog(Protocol):
    def observe_ingested(self, since: datetime) -> tuple[BackupRun, ...]:
        """
        Return the backups that the log took in after `since`, those that ended well too.

        One may come twice, and none is left out that the log can show now: where there are more
        than one answer holds, the ones that were taken in first.
        """


class Mailer(Protocol):
    def send(self, letter: Letter, operation: str) -> None:
        """
        Hand `letter` to the mail service under this operation id.

        Accepted is not delivered. Raises Retryable (with `after`) where the service has no room.
        """

    def knows(self, operation: str) -> bool:
        """Tell whether the service has accepted this operation: a look, which its limits count."""
