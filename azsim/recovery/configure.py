"""
What a PUT or DELETE on a protected item means, and when Azure Backup says no.

One PUT has five meanings: enable, change the policy, resume, stop and keep the data, undelete. What
is wrong with the request itself is said at once; what the service finds out only on the way (agent,
another vault) is a late failure of the operation (AZURE_FACTS 2).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId
from azsim.http import ArmError
from azsim.machines import Machine
from azsim.recovery import errors, guards
from azsim.recovery.findings import found_at_once, late_failure, planned
from azsim.recovery.items import Item, item_key
from azsim.recovery.jobs import Failure, Job, JobOperation, JobStatus, Operation
from azsim.recovery.pace import Step
from azsim.recovery.policies import Policy
from azsim.recovery.protection import enable, remove, stop
from azsim.recovery.wire import container_name, item_id

if TYPE_CHECKING:
    from azsim.vaults import Vault, Vaults


# models one-put-five-meanings
class Meaning(Enum):
    CONFIGURE = "enable, resume or change the policy"
    STOP = "stop protection and keep the data"
    UNDELETE = "take back from soft delete"


_FIELDS = frozenset(
    {
        "protectedItemType",
        "sourceResourceId",
        "policyId",
        "protectionState",
        "isRehydrate",
        "extendedProperties",
        "backupManagementType",
        "workloadType",
        "containerName",
        "virtualMachineId",
        "friendlyName",
        "resourceGuardOperationRequests",
    }
)
_GUARD_REQUESTS = "resourceGuardOperationRequests"
_KINDS = ("microsoft.compute/virtualmachines", "azureiaasvmprotecteditem")
_CONFIDENTIAL = "ConfidentialVM"
MOST_SOFT_DELETE_DAYS = 180


def put_item(vaults: "Vaults", vault: "Vault", key: str, given: dict[str, Any]) -> Operation:
    """Act on a PUT of the item `key`; raises ArmError for what is refused at once."""
    if unknown := set(given) - _FIELDS:
        raise ArmError(501, "NotSimulated", f"azsim lacks the item fields {sorted(unknown)}")
    if str(given.get("protectedItemType", "")).lower() not in _KINDS:
        raise errors.CONTAINER_UNKNOWN.error()
    item = vault.item(key)
    # models one-configure-at-a-time
    if key in vault.pending or (item is not None and item.is_busy(vaults.now)):
        raise errors.CONFIGURE_IN_PROGRESS.error()
    match _meaning(given):
        case Meaning.UNDELETE:
            return _undelete(vaults, vault, _existing(item))
        case Meaning.STOP:
            guards.allow(vault, guards.Critical.STOP_ITEM, given.get(_GUARD_REQUESTS))
            return _stop(vaults, vault, _existing(item))
        case Meaning.CONFIGURE:
            return _configure(vaults, vault, key, item, given)


def _meaning(given: dict[str, Any]) -> Meaning:
    if given.get("isRehydrate"):
        return Meaning.UNDELETE
    state = given.get("protectionState")
    if state == "ProtectionStopped" and not given.get("policyId"):
        return Meaning.STOP
    if state not in (None, "", "Protected", "IRPending", "ProtectionConfigured"):
        raise ArmError(501, "NotSimulated", f"azsim lacks PUT with protectionState {state}")
    return Meaning.CONFIGURE


def _existing(item: Item | None) -> Item:
    if item is None:
        raise errors.ITEM_NOT_FOUND.error()
    return item


def _configure(
    vaults: "Vaults", vault: "Vault", key: str, item: Item | None, given: dict[str, Any]
) -> Operation:
    now = vaults.now
    policy = _policy(vault, given.get("policyId"))
    # models soft-deleted-refuses, soft-deleted-refuses-at-once
    if item is not None and item.is_soft_deleted:
        raise errors.SOFT_DELETED_IN_THE_WAY.error()
    machine = _machine(vaults, vault, key, str(given.get("sourceResourceId") or ""))
    if machine is None and item is None:
        raise errors.CONTAINER_UNKNOWN.error()
    if item is None and vault.room_taken() + len(vault.pending) >= vaults.rules.most_vms:
        raise errors.VAULT_FULL.error(most=vaults.rules.most_vms)
    _check_policy(vaults, vault, item, machine, policy)
    if item is not None and _weakens(vault, item, policy):
        guards.allow(vault, guards.Critical.WEAKEN_ITEM, given.get(_GUARD_REQUESTS))
    vault.configures = [at for at in vault.configures if now - at < timedelta(days=1)]
    if len(vault.configures) >= vaults.rules.configures_a_day:
        raise errors.TOO_MANY_CONFIGURES.error(most=vaults.rules.configures_a_day)
    vault.configures.append(now)
    source = machine.id if machine else (item.vm_id if item else "")
    if refused := found_at_once(vaults, vault, item, source):
        raise refused.error()
    exclusion = (given.get("extendedProperties") or {}).get("diskExclusionProperties")
    # models put-drops-exclusion
    if exclusion is None and item is not None and not vaults.doubts.put_drops_exclusion:
        exclusion = item.exclusion
    # models same-put-makes-job
    if item is not None and not vaults.doubts.same_put_makes_job and _is_as_asked(item, policy):
        started = vaults.just_now()
        enable(vaults, vault, source, policy, exclusion)
        return vault.book.open(Operation(vaults.world.new_id(), started, started))

    # models item-changes-at-the-end
    def take_effect() -> None:
        enable(vaults, vault, source, policy, exclusion)

    def finish() -> Failure | None:
        vault.pending.discard(key)
        if failure := late_failure(vaults, vault, item, source):
            if item is None and (shown := vault.items.get(key)) is not None:
                vault.drop(shown)
                vaults.disown(vault, shown)
            return failure
        _in_effect(vaults, take_effect)
        return None

    if item is None:
        vault.pending.add(key)
        if vaults.doubts.item_shows_at_once:
            take_effect()
    name = machine.name if machine else item.machine if item else ""
    group = machine.group if machine else item.group if item else ""
    job = Job(
        id=vaults.world.new_id(),
        operation=JobOperation.CONFIGURE,
        container=container_name(group, name),
        entity=name,
        started=vaults.just_now(),
        ends=now + vaults.pace.draw(Step.CONFIGURE),
        properties={"VM Name": name, "Policy Name": policy.name},
    )
    return _run(vaults, vault, item, job, finish)


def _is_as_asked(item: Item, policy: Policy) -> bool:
    """Tell whether a PUT would leave the item as it is."""
    return not item.stopped and item.policy.lower() == policy.name.lower()


# models item-seen-at-once
def _in_effect(vaults: "Vaults", effect: Callable[[], None]) -> None:
    """Let `effect` be seen now, or as much later as this world wants."""
    if vaults.doubts.item_lag:
        vaults.world.clock.after(vaults.doubts.item_lag, effect)
    else:
        effect()


def _policy(vault: "Vault", policy_id: object) -> Policy:
    if not isinstance(policy_id, str) or not policy_id:
        raise errors.CONTAINER_UNKNOWN.error()
    vault_id, _, name = policy_id.rpartition("/backupPolicies/")
    if not vault_id:  # ARM compares the literal without case as well.
        vault_id, _, name = policy_id.lower().rpartition("/backuppolicies/")
    policy = vault.policies.get(name.lower())
    if policy is None or vault_id.lower() != vault.id.lower():
        raise errors.POLICY_NOT_FOUND.error(policy=name)
    if not policy.is_for_vms:
        raise errors.CONTAINER_UNKNOWN.error()
    return policy


# models foreign-vm
def _machine(vaults: "Vaults", vault: "Vault", key: str, source: str) -> Machine | None:
    """
    Return the VM that the request names; raises ArmError 400 where it cannot be this vault's.

    VMs of other subscriptions and regions are never discovered into the vault, so they are unknown
    containers (inferred: the service's own code for them is not known).
    """
    try:
        parsed = ArmId.parse(source)
    except ValueError:
        raise errors.CONTAINER_UNKNOWN.error() from None
    if item_key(parsed.group, parsed.name) != key:
        raise errors.CONTAINER_UNKNOWN.error()
    if parsed.subscription.lower() != vault.subscription.lower():
        raise errors.CONTAINER_UNKNOWN.error()
    machine = vaults.world.machines.find(source)
    if machine is None:
        return None
    young = vaults.now - machine.created < vaults.rules.undiscovered_for
    if machine.location.lower() != vault.location.lower() or (
        young and machine not in vaults.discovered(vault)
    ):
        raise errors.CONTAINER_UNKNOWN.error()
    return machine


def _check_policy(
    vaults: "Vaults", vault: "Vault", item: Item | None, machine: Machine | None, policy: Policy
) -> None:
    if policy.is_enhanced:
        return
    # models no-way-back-to-standard
    if item is not None and item.policy and vault.policies[item.policy.lower()].is_enhanced:
        raise errors.NO_WAY_BACK_TO_STANDARD.error()
    # models enhanced-only-vms
    kind = machine.security_type if machine else ""
    trusted = kind == "TrustedLaunch" and not vaults.rules.standard_policy_for_trusted_launch
    if kind == _CONFIDENTIAL or trusted:
        raise errors.NEEDS_ENHANCED_POLICY.error()


def _weakens(vault: "Vault", item: Item, policy: Policy) -> bool:
    """Tell whether the item would keep its daily points for a shorter time than now."""
    present = vault.policies.get(item.policy.lower())
    return present is not None and policy.shortest_days < present.shortest_days


def _stop(vaults: "Vaults", vault: "Vault", item: Item) -> Operation:
    if item.is_soft_deleted:
        raise errors.SOFT_DELETED_IN_THE_WAY.error()
    job = _plain_job(vaults, item, JobOperation.DISABLE, Step.DISABLE, {"Policy Name": ""})

    def put_to_rest() -> None:
        stop(vaults, vault, item)

    return _run(vaults, vault, item, job, _unless_planned(vaults, item, "items.put", put_to_rest))


def _undelete(vaults: "Vaults", vault: "Vault", item: Item) -> Operation:
    if not item.is_soft_deleted:
        raise errors.NOT_SOFT_DELETED.error()
    job = _plain_job(vaults, item, JobOperation.UNDELETE, Step.UNDELETE, {"Undelete flag": "True"})

    def take_back() -> None:
        item.deleted_at = item.purge_at = None
        vaults.changed(item)

    return _run(vaults, vault, item, job, _unless_planned(vaults, item, "items.put", take_back))


# models delete-for-good
def delete_item(vaults: "Vaults", vault: "Vault", item: Item) -> Operation:
    """
    Act on a DELETE: soft delete for the vault's retention, or for good where that is switched off.

    Recorded: about 10 s with soft delete, 110 s without; the deferred delete time is the time at
    which the DELETE came in. The item changes when the operation ends.
    """
    if item.is_busy(vaults.now):
        raise errors.CONFIGURE_IN_PROGRESS.error()
    if item.is_soft_deleted:
        raise errors.SOFT_DELETED_IN_THE_WAY.error()
    guards.allow_deletion(vault, item_id(vault, item), vaults.now)
    points = len(item.usable_points(vaults.now))
    step = Step.SOFT_DELETE if vault.soft_delete else Step.DELETE_DATA
    job = _plain_job(
        vaults,
        item,
        JobOperation.DELETE,
        step,
        {"Number of Recovery Points": str(points)},
    )

    def drop() -> None:
        remove(vaults, vault, item, job)

    return _run(vaults, vault, item, job, _unless_planned(vaults, item, "items.delete", drop))


def _unless_planned(
    vaults: "Vaults", item: Item, route: str, effect: Callable[[], None]
) -> Callable[[], Failure | None]:
    """Return what happens at an operation's end: `effect`, or the failure that is planned."""

    def finish() -> Failure | None:
        if (failure := planned(vaults, route, item.vm_id)) is None:
            effect()
        return failure

    return finish


def _plain_job(
    vaults: "Vaults", item: Item, operation: JobOperation, step: Step, said: dict[str, str]
) -> Job:
    started = vaults.just_now()
    return Job(
        id=vaults.world.new_id(),
        operation=operation,
        container=item.container,
        entity=item.machine,
        started=started,
        ends=started + vaults.pace.draw(step),
        properties={"VM Name": item.machine, **said},
    )


def _run(
    vaults: "Vaults",
    vault: "Vault",
    item: Item | None,
    job: Job,
    finish: Callable[[], Failure | None],
) -> Operation:
    """Open job and operation, and let `finish` take effect when they end."""
    operation = vault.book.open(Operation(vaults.world.new_id(), job.started, job.ends, job.id))
    vault.book.add(job)
    if item is not None:
        item.busy_until = job.ends

    def at_end() -> None:
        if failure := finish():
            job.result, job.failure = JobStatus.FAILED, failure
            # models operation-tells-failure
            if vaults.doubts.operation_tells_failure:
                vault.book.open(replace(operation, failure=failure))
        vaults.changed()

    vaults.world.clock.at(job.ends, at_end)
    vaults.changed()
    return operation
