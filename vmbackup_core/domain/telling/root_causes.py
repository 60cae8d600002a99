"""
Root causes: what is behind a trouble, coarse enough that troubles with one remedy share one.

An incident is known by its subject and its root cause, so a code here never changes its meaning.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, unique


class Remedy(Enum):
    """Who can end it."""

    MEND_YOURSELF = "mend it yourself"
    WAIT = "wait"
    CALL_AZURE = "call Azure"


class Says(IntEnum):
    """How much a cause says."""

    NOTHING = 0  # There is no backup; nobody told of a failure.
    WORDS = 1  # Azure's, which mean nothing to us.
    WHY = 2


@dataclass(frozen=True, slots=True)
class Cause:
    """
    `by_run` says that a good backup ends it; what is not so ended is a state that must change back.

    One that says less gives way to one that says more, of the same backup or of another one before
    any goes through.
    """

    text: str
    by_run: bool = True
    says: Says = Says.WHY


@unique
class RootCause(Enum):
    """What is behind a trouble."""

    # Backups that failed.
    AGENT = Cause("the VM's agent does not answer")
    BUSY = Cause("another operation was in the way")
    CANCELLED = Cause("somebody cancelled the backup")
    DISK = Cause("a disk of the VM cannot be backed up")
    ENCRYPTION = Cause("the keys of the VM's encrypted disks are out of reach")
    EXTENSION = Cause("the backup extension in the VM does not work")
    FILE_SYSTEM = Cause("the file systems in the VM could not be frozen")
    NETWORK = Cause("the VM cannot reach Azure's endpoints")
    POINT_LIMIT = Cause("too many snapshots or recovery points are kept")
    POLICY_DENIES = Cause("an Azure Policy or a lock forbids the snapshot")
    SERVICE = Cause("Azure Backup itself failed")
    VM_LOAD = Cause("the VM or its disks were too busy")
    VM_STATE = Cause("the VM is not in a state that can be backed up")
    VSS = Cause("the Volume Shadow Copy service in the VM does not work")
    UNKNOWN = Cause("a cause that we have no entry for", says=Says.WORDS)

    # Backups that never were.
    MISSED = Cause("the backup never started", says=Says.NOTHING)
    LOST = Cause("the backup began, and no recovery point came of it", says=Says.NOTHING)

    # States of the VM's protection.
    STOPPED = Cause("protection was stopped: no more backups are made", by_run=False)
    SOFT_DELETED = Cause("the backups were deleted, and are kept for some days only", by_run=False)
    ITEM_ERROR = Cause("Azure reports an error of the VM's protection", by_run=False)
    VM_GONE = Cause("the VM is gone, and its backup is still billed", by_run=False)

    # States of a vault or a policy.
    POLICY_WEAKENED = Cause("less is promised than before", by_run=False)
    SOFT_DELETE_OFF = Cause("soft delete of the vault was switched off or shortened", by_run=False)
    IMMUTABILITY_OFF = Cause("immutability of the vault was switched off or loosened", by_run=False)

    # What restore tests found.
    RESTORE_FAILED = Cause("a restore test failed", by_run=False)
    CONTROL_BROKEN = Cause("a check that has to fail has passed", by_run=False)
    ISOLATION_BROKEN = Cause("a running copy became less isolated, and was stopped", by_run=False)
    SLOT_LEFT = Cause("something lies in it that no restore test will remove", by_run=False)

    # Ourselves.
    MAIL_UNDELIVERED = Cause("a mail of ours did not arrive", by_run=False)

    @property
    def text(self) -> str:
        return self.value.text

    @property
    def by_run(self) -> bool:
        return self.value.by_run

    @property
    def says(self) -> Says:
        return self.value.says

    @property
    def vague(self) -> bool:
        return self.says is not Says.WHY


BY_RUN = frozenset(cause for cause in RootCause if cause.by_run)
