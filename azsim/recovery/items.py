"""
Protected items: one VM in one vault, what state its protection is in, and its recovery points.

An item outlives its VM. Deleting it puts it into soft delete, where it stays readable for the
vault's retention; a VM re-created under the same name meets the old item (AZURE_FACTS 1, 2).
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from azsim.recovery.jobs import Failure, Job
from azsim.recovery.wire import container_name


class Protection(Enum):
    PENDING = "IRPending"
    PROTECTED = "Protected"
    FAILED = "ProtectionError"
    STOPPED = "ProtectionStopped"


class PointTier(Enum):
    INSTANT = "InstantRP"
    VAULT = "HardenedRP"


@dataclass(slots=True)
class Point:
    """
    A recovery point. `snapshot_until` and `vault_from` say when each tier can be restored from;
    a point whose vault transfer was cut off has `vault_from` None.
    """

    id: str
    taken: datetime
    usable_from: datetime
    vault_from: datetime | None
    consistency: str
    policy_kind: str
    size: str
    os_type: str
    security_type: str
    disk_luns: tuple[int, ...]
    first_of_day: bool
    excluded_luns: tuple[int, ...] = ()
    expires: datetime | None = None  # Set for on-demand points; scheduled ones follow the policy.


@dataclass(slots=True)
class Item:
    """One protected VM. `id` of the VM keeps the case in which it was protected."""

    vm_id: str
    vm_guid: str
    group: str
    machine: str
    location: str
    salt: int
    policy: str  # Empty when protection is stopped.
    protected_since: datetime
    scheduled_until: datetime  # Schedules up to here have been turned into jobs and points.
    stopped: bool = False
    trusted_launch: bool = False
    deleted_at: datetime | None = None
    purge_at: datetime | None = None
    registration: str = "Registered"
    exclusion: dict[str, Any] | None = None
    points: list[Point] = field(default_factory=list)
    backups: list[Job] = field(default_factory=list)
    backup_tries: list[datetime] = field(default_factory=list)
    restore_tries: list[datetime] = field(default_factory=list)
    busy_until: datetime | None = None
    changed_at: datetime | None = None

    @property
    def key(self) -> str:
        return item_key(self.group, self.machine)

    @property
    def container(self) -> str:
        return container_name(self.group, self.machine)

    @property
    def data_id(self) -> str:
        """The number that the service calls protectedItemDataId."""
        return str(10**13 + self.salt % (9 * 10**14))

    @property
    def is_soft_deleted(self) -> bool:
        return self.deleted_at is not None

    def is_busy(self, now: datetime) -> bool:
        return self.busy_until is not None and now < self.busy_until

    def rng(self, purpose: str) -> random.Random:
        """Return randomness of its own for one purpose, so that who looks when changes nothing."""
        return random.Random(f"{self.salt}:{purpose}")

    def last_backup(self, now: datetime) -> Job | None:
        """Return the newest backup that has ended."""
        ended = [job for job in self.backups if job.ended(now)]
        return max(ended, key=lambda job: job.started, default=None)

    def usable_points(self, now: datetime) -> list[Point]:
        """Return the points that can be seen, newest first."""
        seen = [point for point in self.points if point.usable_from <= now]
        return sorted(seen, key=lambda point: point.taken, reverse=True)

    # models item-states
    def protection(self, now: datetime, *, failure_counts: bool = True) -> Protection:
        """Return the state; `failure_counts` says whether a failed backup makes it an error."""
        if self.stopped:
            return Protection.STOPPED
        last = self.last_backup(now)
        if failure_counts and last is not None and last.failure is not None:
            return Protection.FAILED
        if last is None and not self.usable_points(now):
            return Protection.PENDING
        return Protection.PROTECTED

    def last_failure(self, now: datetime) -> Failure | None:
        last = self.last_backup(now)
        return last.failure if last else None

    # models soft-delete
    def soft_delete(self, now: datetime, keep: timedelta) -> None:
        self.deleted_at, self.purge_at = now, now + keep
        self.stopped, self.policy = True, ""
        self.registration = "SoftDeleted"


# models recreated-vm-meets-item
def item_key(group: str, machine: str) -> str:
    return f"{group};{machine}".lower()


def item_key_of(name: str) -> str | None:
    """Return the key in an item's or container's name, None for names of another kind."""
    parts = name.lower().split(";")
    if parts[0] in ("vm", "iaasvmcontainer"):
        parts = parts[1:]
    if len(parts) == 3 and parts[0] == "iaasvmcontainerv2":
        return ";".join(parts[1:])
    return None
