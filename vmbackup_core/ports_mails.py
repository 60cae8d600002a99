"""
What finding troubles and telling of them need from the world, beside ports.py.

The same obligations hold: each method raises only the errors of domain/errors.py, reads never
change anything, and a write sends one request and never repeats it by itself.
"""

from datetime import datetime
from typing import Protocol

from vmbackup_core.domain.backups import Backups
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.telling.backup_runs import BackupRun
from vmbackup_core.domain.telling.letters import Letter


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
        """Return the job with Azure's own words; raises Rejected where it is not known any more."""


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
