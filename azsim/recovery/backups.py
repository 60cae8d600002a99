"""
Backups: what the schedule has done since somebody last looked, and backups on demand.

An item is brought up to date when it is read, from randomness of its own, so that ten thousand
items cost nothing while nobody looks and who looks when changes nothing.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from azsim.machines import Machine
from azsim.recovery import errors
from azsim.recovery.findings import planned
from azsim.recovery.items import Item, Point
from azsim.recovery.jobs import (
    Failure,
    Job,
    JobOperation,
    JobStatus,
    Operation,
    Task,
)
from azsim.recovery.known_failures import known_failure
from azsim.recovery.pace import Step
from azsim.recovery.pictures import picture_of
from azsim.recovery.policies import Policy
from azsim.recovery.wire import us_time

if TYPE_CHECKING:
    from azsim.vaults import Vault, Vaults

# models failed-backups
_GONE = known_failure("BCMV2VMNotFound")
_AGENT = known_failure(errors.AGENT_UNAVAILABLE.code)
_PROVISIONING = known_failure("UserErrorVmProvisioningStateFailed")
# models policy-change-applies
_CLEAN_UP = timedelta(hours=24)


def catch_up(vaults: "Vaults", vault: "Vault", item: Item) -> None:
    """Turn the schedule since the last look into jobs and points, and prune what has expired."""
    now = vaults.now
    policy = vault.policies.get(item.policy.lower())
    if item.stopped or policy is None:
        item.scheduled_until = now
        return
    for run in policy.runs_between(item.scheduled_until, now):
        rng = item.rng(f"run {run:%Y-%m-%dT%H:%M}")
        started = run + vaults.pace.draw(Step.SCHEDULE_LAG, rng)
        if started > now:
            break
        item.scheduled_until = run
        if vaults.troubles.halts(vault.id, item.vm_id, run):
            continue
        if not any(job.started <= started and job.cut_at() > started for job in item.backups):
            _take(vaults, vault, item, policy, started, expires=None, scheduled=True)
    _prune(item, policy, now)


def pause_schedule(vaults: "Vaults", vault: "Vault", item: Item) -> None:
    """Close the present schedule's book, before the policy or the protection changes."""
    catch_up(vaults, vault, item)
    item.scheduled_until = vaults.now


# models one-backup-at-a-time
def back_up_now(
    vaults: "Vaults", vault: "Vault", item: Item, expires: datetime | None
) -> Operation:
    """
    Start an on-demand backup; raises ArmError 400 or 409 where Azure Backup would say no.

    Points live 30 days unless `expires` says otherwise (AZURE_FACTS 5).
    """
    now = vaults.now
    if item.is_soft_deleted:
        raise errors.SOFT_DELETED_IN_THE_WAY.error()
    if item.stopped:
        raise errors.NOT_STOPPED_NOR_PROTECTED.error()
    if item.is_busy(now):
        raise errors.ITEM_LOCKED.error()
    if any(job.is_running(now) for job in item.backups):
        raise errors.BACKUP_IN_PROGRESS.error()
    item.backup_tries = [at for at in item.backup_tries if now - at < timedelta(days=1)]
    if len(item.backup_tries) >= vaults.rules.on_demand_a_day:
        raise errors.TOO_MANY_BACKUPS.error(most=vaults.rules.on_demand_a_day)
    item.backup_tries.append(now)
    policy = vault.policies[item.policy.lower()]
    started = vaults.just_now()
    job = _take(
        vaults,
        vault,
        item,
        policy,
        started,
        # models on-demand-expiry
        expires=expires or now + timedelta(days=30),
        scheduled=False,
    )
    ends = started + vaults.pace.draw(Step.TRIGGER)
    vaults.changed()
    return vault.book.open(Operation(vaults.world.new_id(), started, ends, job.id))


def _take(
    vaults: "Vaults",
    vault: "Vault",
    item: Item,
    policy: Policy,
    started: datetime,
    *,
    expires: datetime | None,
    scheduled: bool,
) -> Job:
    rng = item.rng(f"backup {started.isoformat()}")
    machine = vaults.world.machines.find(item.vm_id)
    failure = None if scheduled else planned(vaults, "items.backup", item.vm_id)
    failure = failure or _failure(vaults, vault, item, machine, started)
    properties = {"VM Name": item.machine}
    if expires is not None:
        properties["Recovery Point Expiry Time in UTC"] = us_time(expires)
    snapped = started + vaults.pace.draw(Step.SNAPSHOT, rng)
    first = not any(point.taken.date() == started.date() for point in item.points)
    # models first-point-moves
    moves = not scheduled or first  # Of several points a day only the first goes to the vault.
    # models snapshot-then-transfer
    tasks = [Task("Take Snapshot", started + timedelta(seconds=1), snapped)]
    ends = snapped + timedelta(seconds=1)
    if moves:
        queued = snapped + vaults.pace.draw(Step.QUEUE, rng)
        begins = snapped + timedelta(milliseconds=200)
        done = max(snapped + vaults.pace.draw(Step.TRANSFER, rng), queued)
        tasks.append(Task("Transfer data to vault", begins, done, shown_from=queued))
        ends = done + timedelta(milliseconds=670)
    job = Job(
        id=vaults.id_from(rng),
        operation=JobOperation.BACKUP,
        container=item.container,
        entity=item.machine,
        started=started,
        ends=ends if failure is None else started + vaults.pace.draw(Step.SNAPSHOT, rng) / 4,
        tasks=tuple(tasks),
        properties=properties,
        final_properties={} if failure else {"Backup Size": f"{rng.randint(4000, 90000)} MB"},
        internal={"IsInstantRpJob": "True"},
        result=JobStatus.FAILED if failure else JobStatus.COMPLETED,
        failure=failure,
        cancellable=True,
        scheduled=scheduled,
    )
    vault.book.add(job)
    item.backups.append(job)
    if failure is None and machine is not None:
        luns = _luns(item, machine)
        attached = tuple(disk.lun for disk in machine.disks if disk.lun is not None)
        name = str(rng.randint(10**13, 10**15))
        taken = started + timedelta(seconds=rng.uniform(3, 8))
        item.points.append(
            Point(
                id=name,
                taken=taken,
                usable_from=snapped,
                vault_from=tasks[-1].ends if moves else None,
                consistency=_consistency(machine),
                policy_kind=policy.kind,
                size=machine.size,
                os_type=machine.os_type,
                security_type=machine.security_type,
                disk_luns=luns,
                excluded_luns=tuple(lun for lun in attached if lun not in luns),
                first_of_day=first,
                picture=picture_of(machine, luns, taken),
                expires=expires,
            )
        )
    return job


def _failure(
    vaults: "Vaults", vault: "Vault", item: Item, machine: Machine | None, started: datetime
) -> Failure | None:
    if machine is None:
        return _GONE
    if asked_for := vaults.troubles.of_backup(vault.id, item.vm_id, started):
        return asked_for
    if machine.provisioning == "Failed":
        return _PROVISIONING
    if machine.power == "running" and (machine.agent_from > started or not machine.agent_ready):
        return _AGENT
    return None


# models point-consistency
def _consistency(machine: Machine) -> str:
    if machine.power != "running":
        return "CrashConsistent"
    return "AppConsistent" if machine.os_type == "Windows" else "FileSystemConsistent"


def _luns(item: Item, machine: Machine) -> tuple[int, ...]:
    luns = tuple(disk.lun for disk in machine.disks if disk.lun is not None)
    if item.exclusion is None:
        return luns
    listed = set(item.exclusion.get("diskLunList", ()))
    wanted = bool(item.exclusion.get("isInclusionList"))
    return tuple(lun for lun in luns if (lun in listed) is wanted)


def _prune(item: Item, policy: Policy, now: datetime) -> None:
    """Drop expired points; a point without vault copy lives as long as its snapshot."""

    def lives(point: Point) -> bool:
        kept = point.expires or policy.keeps_until(point.taken, first_of_day=point.first_of_day)
        if point.vault_from is None:
            kept = min(kept, point.taken + timedelta(days=policy.snapshot_days))
        return now < kept + _CLEAN_UP

    item.points = [point for point in item.points if lives(point)]


def cut_short(item: Item, job: Job) -> None:
    """Drop what a cancelled backup would have left: its point, or that point's vault copy."""
    for point in [p for p in item.points if job.started <= p.taken <= job.ends]:
        if job.cut_at() < point.usable_from:
            item.points.remove(point)
        elif point.vault_from is not None and job.cut_at() < point.vault_from:
            point.vault_from = None
