"""
Restores: which are possible, where the data comes from, how long it takes, what a job says.

Recorded: with a target resource group a valid snapshot is used (a minute or two); managed disks
without one come from the vault as unmanaged blobs (half an hour and more, with progress); the
operation's id is the job's id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId
from azsim.http import ArmError
from azsim.recovery import errors
from azsim.recovery.findings import planned
from azsim.recovery.guards import Critical, allow
from azsim.recovery.items import Item, Point, PointTier
from azsim.recovery.jobs import Failure, Job, JobOperation, JobStatus, Operation, Task
from azsim.recovery.pace import Step
from azsim.recovery.pictures import picture_of
from azsim.recovery.targets import fault_of_target
from azsim.recovery.wire import us_time

if TYPE_CHECKING:
    from azsim.vaults import Vault, Vaults


class RestoreKind(Enum):
    DISKS = "RestoreDisks"
    NEW_VM = "AlternateLocation"
    REPLACE = "OriginalLocation"


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore as others may carry it out: the request, its source, and the job that tells."""

    kind: RestoreKind
    item: Item
    point: Point
    tier: PointTier
    request: dict[str, Any]
    job: Job

    @property
    def copied_at(self) -> datetime:
        """When the data is there: disks exist from then on, whatever becomes of the rest."""
        return self.job.tasks[0].ends

    @property
    # models restore-cancelled
    def copies(self) -> bool:
        """Whether the copying ends well: it neither fails nor is cancelled."""
        return self.job.cut_at() > self.copied_at


@dataclass(frozen=True, slots=True)
class PlannedFailure:
    """How a restore will fail; `copied` says that it does so when the disks are there already."""

    failure: Failure
    copied: bool = False


_JOB_TYPES = {
    RestoreKind.DISKS: "Recover disks",
    RestoreKind.NEW_VM: "Recover VM to an alternate location",
    RestoreKind.REPLACE: "Replace disks",
}
_SECOND_TASK = {
    RestoreKind.NEW_VM: ("Create the restored virtual machine", Step.CREATE_VM),
    RestoreKind.REPLACE: ("Update the virtual machine", Step.REPLACE_DISKS),
}
_NEEDED = {
    RestoreKind.DISKS: (),
    RestoreKind.NEW_VM: (
        "targetVirtualMachineId",
        "targetResourceGroupId",
        "virtualNetworkId",
        "subnetId",
    ),
    RestoreKind.REPLACE: (),
}
# models restore-without-snapshot
_NO_SNAPSHOT = Failure(
    "UserErrorInstantRpNotFound",
    "Restore failed because the snapshot of the VM was not found. It has been deleted.",
    400129,
)
# models restore-container-stem
_LONGEST_CONTAINER_STEM = 30  # Guessed: 63 characters less `-` and 32 hex digits.


# models snapshots-age-out
def tiers(vault: "Vault", item: Item, point: Point, now: datetime) -> list[tuple[PointTier, bool]]:
    """
    Return the tiers of a point and whether each is valid.

    A snapshot that has aged out stays listed as deleted; a vault copy is listed once it is there.
    """
    policy = vault.policies.get(item.policy.lower())
    days = policy.snapshot_days if policy else 2
    listed = [(PointTier.INSTANT, now < point.taken + timedelta(days=days))]
    if point.vault_from is not None and point.vault_from <= now:
        listed.append((PointTier.VAULT, True))
    return listed


def start_restore(
    vaults: "Vaults", vault: "Vault", item: Item, point: Point, request: dict[str, Any]
) -> Operation:
    """Start a restore; raises ArmError 400 for what is refused at once, 501 for what is lacking."""
    now = vaults.now
    kind = check_restore(vaults, item, point, request)
    allow(vault, Critical.RESTORE, request.get("resourceGuardOperationRequests"))
    item.restore_tries = [at for at in item.restore_tries if now - at < timedelta(days=1)]
    # models restores-at-most
    if len(item.restore_tries) >= vaults.rules.restores_a_day:
        raise errors.TOO_MANY_RESTORES.error(most=vaults.rules.restores_a_day)
    item.restore_tries.append(now)
    valid = [tier for tier, is_valid in tiers(vault, item, point, now) if is_valid]
    # models restore-sources
    unmanaged = kind is RestoreKind.DISKS and not request.get("targetResourceGroupId")
    to_zone = any(zone != "NoZone" for zone in request.get("zones") or ())
    from_vault = unmanaged or to_zone or PointTier.INSTANT not in valid
    tier = PointTier.VAULT if from_vault else PointTier.INSTANT
    job = _job(vaults, item, point, kind, tier, request)
    to_fail = vaults.planned_restore_failure(item.vm_id)
    if tier not in valid:
        to_fail = PlannedFailure(_NO_SNAPSHOT)
    elif failure := planned(vaults, "points.restore", item.vm_id):
        to_fail = PlannedFailure(failure)
    if to_fail is not None:
        _let_fail(job, to_fail)
    vault.book.add(job)
    operation = vault.book.open(
        # models restore-id-is-job
        Operation(job.id, job.started, job.started + vaults.pace.draw(Step.TRIGGER), job.id)
    )
    restore = Restore(kind, item, point, tier, request, job)

    if kind is RestoreKind.REPLACE:
        _keep_what_was(vaults, vault, item, job)

    def copied() -> None:
        if restore.copies:
            vaults.deliveries.copied(restore)

    def deliver() -> None:
        if job.status(vaults.now) is JobStatus.COMPLETED:
            for carry_out in vaults.on_restored:
                carry_out(restore)
        vaults.changed()

    # models restored-disks-when
    vaults.world.clock.at(restore.copied_at, copied)
    vaults.world.clock.at(job.ends, deliver)
    vaults.changed()
    return operation


# models restore-fails-halfway
def _let_fail(job: Job, planned: PlannedFailure) -> None:
    """Let the job end halfway through its first task, or through what follows it."""
    copied_at = job.tasks[0].ends
    begins, ends = (copied_at, job.ends) if planned.copied else (job.started, copied_at)
    job.result, job.failure = JobStatus.FAILED, planned.failure
    job.ends = begins + (ends - begins) / 2


# models restore-replaces
def _keep_what_was(vaults: "Vaults", vault: "Vault", item: Item, job: Job) -> None:
    """
    Take a point of the VM whose disks are about to be replaced, to be found in the item later.

    Documented (about-azure-vm-restore), and recorded: an item with one point has two after this.
    """
    machine = vaults.world.machines.find(item.vm_id)
    policy = vault.policies.get(item.policy.lower())
    if machine is None or policy is None:
        return
    luns = tuple(disk.lun for disk in machine.disks if disk.lun is not None)
    item.points.append(
        Point(
            id=str(vaults.world.rng.randint(10**13, 10**15)),
            taken=job.later_from,
            usable_from=job.later_from,
            vault_from=job.ends,
            consistency="CrashConsistent",
            policy_kind=policy.kind,
            size=machine.size,
            os_type=machine.os_type,
            security_type=machine.security_type,
            disk_luns=luns,
            first_of_day=False,
            picture=picture_of(machine, luns, job.later_from),
        )
    )


def _kind(request: dict[str, Any]) -> RestoreKind:
    if request.get("objectType") != "IaasVMRestoreRequest":
        raise ArmError(501, "NotSimulated", f"azsim lacks restores of {request.get('objectType')}")
    try:
        return RestoreKind(request.get("recoveryType"))
    except ValueError:
        raise ArmError(
            501, "NotSimulated", f"azsim lacks recoveryType {request.get('recoveryType')}"
        ) from None


def check_restore(
    vaults: "Vaults", item: Item, point: Point, request: dict[str, Any]
) -> RestoreKind:
    """Return the kind of restore; raises ArmError where the request would be refused."""
    kind = _kind(request)
    account = (request.get("identityBasedRestoreDetails") or {}).get("targetStorageAccountId")
    missing = [name for name in _NEEDED[kind] if not request.get(name)]
    if not (request.get("storageAccountId") or account):
        missing.append("storageAccountId")
    if missing:
        raise errors.RESTORE_INVALID.error(why=f"{', '.join(missing)} missing")
    if str(request.get("recoveryPointId", point.id)) != point.id:
        raise errors.RESTORE_INVALID.error(why="recoveryPointId differs from the path")
    if item.is_soft_deleted:
        raise errors.SOFT_DELETED_IN_THE_WAY.error()
    if why := fault_of_target(vaults.world, item, request):
        raise errors.RESTORE_INVALID.error(why=why)
    return kind


def _job(
    vaults: "Vaults",
    item: Item,
    point: Point,
    kind: RestoreKind,
    tier: PointTier,
    request: dict[str, Any],
) -> Job:
    started = vaults.just_now()
    from_vault = tier is PointTier.VAULT
    copying = vaults.pace.draw(Step.RESTORE_VAULT if from_vault else Step.RESTORE_SNAPSHOT)
    copied = started + copying
    size = point.picture.gigabytes
    tasks = [
        Task(
            "Transfer data from vault",
            started,
            copied,
            timed=False,
            gigabytes=size if from_vault else None,
            # models restore-progress
            told_from=started + copying * 0.3 if from_vault else None,
        )
    ]
    ends = copied + timedelta(seconds=33)
    if second := _SECOND_TASK.get(kind):
        ends = copied + vaults.pace.draw(second[1])
        tasks.append(Task(second[0], copied, ends, timed=False))
    job_id = vaults.world.new_id()
    account = _account_name(request)
    said, finally_said = _bags(vaults, item, point, kind, request, account, job_id)
    return Job(
        id=job_id,
        operation=JobOperation.RESTORE,
        container=item.container,
        entity=item.machine,
        started=started,
        ends=ends,
        tasks=tuple(tasks),
        properties=said,
        later_properties={"Target VM Name": item.machine} if kind is RestoreKind.REPLACE else {},
        later_from=started + (ends - started) * 0.4,
        final_properties=finally_said,
        internal={"restoreLocationType": kind.value},
        cancellable=True,
    )


def _account_name(request: dict[str, Any]) -> str:
    details = request.get("identityBasedRestoreDetails") or {}
    account = str(details.get("targetStorageAccountId") or request.get("storageAccountId"))
    return account.rsplit("/", 1)[-1]


# models restore-bags
def _bags(
    vaults: "Vaults",
    item: Item,
    point: Point,
    kind: RestoreKind,
    request: dict[str, Any],
    account: str,
    job_id: str,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the job says of itself from the start, and what it adds at its end."""
    target = str(request.get("targetResourceGroupId") or "").rsplit("/", 1)[-1]
    names = {
        RestoreKind.DISKS: "vmName",  # Recorded: the service's own placeholder.
        RestoreKind.NEW_VM: str(request.get("targetVirtualMachineId") or "").rsplit("/", 1)[-1],
        RestoreKind.REPLACE: None,  # Recorded: named only when the disks are being replaced.
    }
    said: dict[str, Any] = {
        "Job Type": _JOB_TYPES[kind],
        "Target VM Name": names[kind],
        "Target Storage Account Name": account,
        "Recovery point time ": us_time(point.taken),
    }
    if kind is RestoreKind.NEW_VM:
        network = ArmId.parse(str(request["virtualNetworkId"]))
        said["Original VM Name"] = item.machine
        said["Target VNet Name"] = f"Group {network.group} {network.name}"
    if kind is RestoreKind.REPLACE:
        target = item.group
    if target:
        said["Target resource group"] = target
    if kind is not RestoreKind.DISKS:
        return said, {}
    stem = item.machine.replace("-", "").lower()[:_LONGEST_CONTAINER_STEM]
    container = f"{stem}-{vaults.world.new_id().replace('-', '')}"
    config = f"config-{stem}-{job_id}.json"
    site = f"https://{account}.blob.core.windows.net/{container}"
    return said, {
        "Config Blob Name": config,
        "Config Blob Container Name": container,
        "Config Blob Uri": f"{site}/{config}",
        vaults.rules.template_key: f"{site}/azuredeploy{job_id}.json",
    }
