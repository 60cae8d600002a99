"""What we have seen: values read from Azure, already parsed, saying nothing of what is wanted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.policies import PolicyFacts


@dataclass(frozen=True, slots=True)
class Tags:
    """A resource's tags: names compare without case and keep it, values are as configured."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, tags: Mapping[str, str] | None) -> Self:
        return cls(tuple(sorted((tags or {}).items())))

    def get(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.pairs if key.lower() == wanted), None)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)


class Provisioning(StrEnum):
    """A VM's `provisioningState`."""

    CREATING = "creating"
    UPDATING = "updating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DELETING = "deleting"
    UNKNOWN = "unknown"


class Power(StrEnum):
    """A VM's power state; a deallocated or stopped one can be protected without waiting."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPED = "stopped"
    DEALLOCATED = "deallocated"
    UNKNOWN = "unknown"

    @property
    def off(self) -> bool:
        return self in (Power.STOPPED, Power.DEALLOCATED)


class Agent(StrEnum):
    """What the instance view says of the VM agent; Resource Graph does not say."""

    READY = "ready"
    NOT_READY = "not ready"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VmFacts:
    """
    One VM.

    `machine` is `properties.vmId`: a VM re-created under the same name is another machine.
    `unsupported` and `needs_enhanced` say in words why Azure Backup cannot protect it, or only
    with an Enhanced policy; empty where nothing seen forbids it. `restored_by` is the value of the
    OS disk's `RSVaultBackup` tag, which the service puts on the disks of a restored copy. `size` is
    the name of its size, and `disk_gb` the sum of its disks; None where one does not say how large
    it is.
    """

    id: VmId
    machine: str
    name: str
    location: str
    tags: Tags = Tags()
    provisioning: Provisioning = Provisioning.SUCCEEDED
    power: Power = Power.RUNNING
    agent: Agent = Agent.UNKNOWN
    unsupported: str = ""
    needs_enhanced: str = ""
    restored_by: str = ""
    size: str = ""
    disk_gb: int | None = None


class ItemState(StrEnum):
    """What a protected item is doing, with the service's own words behind it."""

    PROTECTED = "protected"  # Protected, or IRPending before the first backup.
    ERROR = "error"  # ProtectionError: asked for and not working.
    STOPPED = "stopped"  # ProtectionStopped, ProtectionPaused, BackupsSuspended: data kept.
    SOFT_DELETED = "soft-deleted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DiskExclusion:
    """Which data disks (by LUN) a backup takes (`including`) or leaves out."""

    luns: tuple[int, ...]
    including: bool


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One protected item; `policy` is a policy's name in that vault, "" where it has none."""

    vm: VmId
    vault: VaultId
    state: ItemState
    policy: str = ""
    exclusion: DiskExclusion | None = None
    last_backup: datetime | None = None


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """
    One vault with its VM policies.

    `items` counts the VMs that have an item in it, in whatever state; `ready` is False while the
    service still provisions it.
    """

    id: VaultId
    location: str
    policies: tuple[PolicyFacts, ...] = ()
    items: int = 0
    ready: bool = True

    def policy(self, name: str) -> PolicyFacts | None:
        """Return the policy called `name`; policy names compare without case."""
        return next((p for p in self.policies if p.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Estate:
    """
    Everything in scope at one look, from Resource Graph: it lags, so it starts work and never
    justifies a change by itself.
    """

    at: datetime
    vms: tuple[VmFacts, ...]
    items: tuple[ItemFacts, ...]
    vaults: tuple[VaultFacts, ...]
    unreadable: tuple[str, ...] = ()  # Ids of items that made no sense.

    def items_by_vm(self) -> dict[VmId, tuple[ItemFacts, ...]]:
        return _grouped((item.vm, item) for item in self.items)

    def vaults_by_place(self) -> dict[tuple[str, str], tuple[VaultFacts, ...]]:
        """Return the vaults of each (subscription, location)."""
        return _grouped(((v.id.subscription, v.location), v) for v in self.vaults)


def _grouped[K, V](pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}
