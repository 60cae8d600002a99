"""What is seen of a restore test while it runs: values read from Azure, already parsed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags
from vmbackup_core.domain.ids import VaultId, VmId

NO_TAGS = Tags()


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """A restore of the disks of one recovery point into a slot, as it is asked of Azure."""

    vm: VmId
    vault: VaultId
    point: str
    location: str
    slot: Slot
    staging: str  # The ARM id of the staging account.


class RestoreProgress(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self is not RestoreProgress.RUNNING


@dataclass(frozen=True, slots=True)
class RestoreFacts:
    """
    One restore job; `container` is `iaasvmcontainerv2;{group};{vm}` in lower case.

    What follows `ended` is told by a look at the one job only, never by the list: the resource
    group that it restores to (a name, in lower case), the staging container with its blobs, and
    the error of a failed one. `template` is "" where the job names none. `vault` is told where jobs
    of several vaults are read at once.
    """

    id: str
    container: str
    progress: RestoreProgress
    started: datetime
    ended: datetime | None = None
    target_group: str = ""
    staging_container: str = ""
    config: str = ""
    template: str = ""
    percent: float | None = None
    code: str = ""
    message: str = ""
    vault: VaultId | None = None

    def concerns(self, vm: VmId) -> bool:
        return self.container == f"iaasvmcontainerv2;{vm.group};{vm.name}"


@dataclass(frozen=True, slots=True)
class ValidationFacts:
    """What a validation of a restore says; `faults` are its results that are no success."""

    running: bool
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecipeDisk:
    """A data disk of the machine as the recovery point recorded it."""

    lun: int
    size_gb: int | None = None
    caching: str = ""
    disk_id: str = ""  # The restored disk that takes its place, in lower case, where it is said.
    name: str = ""
    encryption_set: str = ""  # In lower case, as `DiskFacts.encryption_set` is.


@dataclass(frozen=True, slots=True)
class Plan:
    """A marketplace plan."""

    publisher: str
    product: str
    name: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    The machine at the recovery point, from the blobs that the restore leaves.

    What they do not say is empty; `os_disk_id` is that of the restored disk, in lower case.
    `disks_told` is False where neither tells which data disks there were: then none are not "no
    data disks".
    """

    size: str = ""
    os_type: str = ""
    os_caching: str = ""
    os_disk_id: str = ""
    os_size_gb: int | None = None
    os_encryption_set: str = ""
    disks: tuple[RecipeDisk, ...] = ()
    generation: str = ""
    security: str = ""
    license: str = ""
    plan: Plan | None = None
    zones: tuple[str, ...] = ()
    disks_told: bool = True
    secure_boot: bool | None = None  # Of a TrustedLaunch machine; None where it is not said.


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """
    One managed disk in a slot.

    `os_type` is "" for a data disk; `generation` `V1`, `V2` or ""; `security` `TrustedLaunch`,
    a confidential kind or ""; `encryption` the kind of key; `ade` says that Azure Disk Encryption
    is on; `restored_by` is the restore job that its `RSVaultBackup` tag names, in lower case.
    """

    id: str
    name: str
    size_gb: int
    tags: Tags = NO_TAGS
    os_type: str = ""
    generation: str = ""
    security: str = ""
    encryption: str = ""
    encryption_set: str = ""
    ade: bool = False
    plan: Plan | None = None
    architecture: str = ""
    controllers: tuple[str, ...] = ()
    sku: str = ""
    zones: tuple[str, ...] = ()
    restored_by: str = ""
    created: datetime | None = None
    attached_to: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """Any resource in a slot, as the group's list has it; `type` in lower case."""

    id: str
    type: str
    tags: Tags = NO_TAGS

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class AttachedDisk:
    disk_id: str
    lun: int | None  # None for the OS disk.
    caching: str = ""


@dataclass(frozen=True, slots=True)
class CopySpec:
    """The machine that a restore test makes of restored disks: never with an identity or a name
    inside, never with a public address or an extension."""

    slot: Slot
    name: str
    location: str
    size: str
    os_type: str
    os_disk: AttachedDisk
    data_disks: tuple[AttachedDisk, ...]
    tags: Tags
    security: str = ""
    license: str = ""
    plan: Plan | None = None
    zones: tuple[str, ...] = ()
    controller: str = ""
    network_security_group: str = ""  # The ARM id of the subnet's, for the interface as well.
    ultra: bool = False  # One of the disks is an ultra disk, which a machine has to allow.
    secure_boot: bool = False  # Without it boots also what boots with it, and not the reverse.


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    id: str
    subnet_ids: tuple[str, ...]  # In lower case.
    public: bool
    network_security_group: str = ""
    forwards: bool = False


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """
    The machine of a restore test, read back; `protected_in` is the vault that backs it up, ""
    where none does. `heartbeat` is when its agent last said that it is ready.
    """

    id: str
    machine: str
    provisioning: Provisioning
    power: Power
    agent: Agent
    tags: Tags
    created: datetime | None = None
    heartbeat: datetime | None = None
    identities: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    interfaces: tuple[InterfaceFacts, ...] = ()
    protected_in: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleFacts:
    """The serial log and the screenshot; None where there is none yet."""

    log: str | None
    screenshot: bytes | None


class CheckProgress(StrEnum):
    RUNNING = "running"
    ENDED = "ended"  # The script ended, and its exit code is known.
    TIMED_OUT = "timed out"  # The script was stopped at its limit.
    UNREACHABLE = "unreachable"  # No result came: nothing can be said of the script.


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What became of one script inside the guest; the output as Azure keeps it."""

    progress: CheckProgress
    exit_code: int | None = None
    output: str = ""
    error: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class GuestCheck:
    """A script that must end with exit code 0 inside the copy."""

    name: str
    os_type: str
    script: str
    timeout: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class StagingContainer:
    """A container of a staging account."""

    name: str
    changed: datetime
