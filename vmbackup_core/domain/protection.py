"""
Decide how one VM's protection should change: the planner behind every trigger.

A pure function of what was seen. The event, the sweep, `vmbackup plan` and `vmbackup protect` all
ask here, so that a lost or doubled event changes only when something happens, never what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vmbackup_core.domain.facts import ItemFacts, ItemState, Provisioning, VaultFacts, VmFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.plans import (
    ChangePolicy,
    ConfirmProtection,
    CreatePolicy,
    CreateVault,
    EnableProtection,
    Plan,
    ResumeProtection,
    Step,
    Undelete,
)
from vmbackup_core.domain.policies import (
    PolicyFacts,
    PolicyKind,
    PolicySpec,
    downgrades,
    weakenings,
)
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.rules import (
    NotAsked,
    OnSoftDeleted,
    OnStopped,
    OptedOut,
    OutOfScope,
    Rules,
    Wanted,
    ask,
)
from vmbackup_core.domain.vaults import Make, NoVault, Use, VaultNaming, choose_vault


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What is wanted, for all VMs: rules, the policies they name, and where vaults are."""

    rules: Rules
    policies: Mapping[str, PolicySpec]
    vaults: VaultNaming


@dataclass(frozen=True, slots=True)
class Sight:
    """
    Everything that decides about one VM, seen at one look.

    `items` are its protected items in all vaults that were looked at; `vaults` those of its
    subscription and location; `full` the vaults that refused it for being full.
    """

    vm: VmFacts
    items: tuple[ItemFacts, ...] = ()
    vaults: tuple[VaultFacts, ...] = ()
    memory: Memory = field(default_factory=Memory)
    full: frozenset[VaultId] = frozenset()


# Of several items of one VM the one that counts: a live one first.
_WEIGHT = {
    ItemState.PROTECTED: 0,
    ItemState.ERROR: 1,
    ItemState.STOPPED: 2,
    ItemState.UNKNOWN: 3,
    ItemState.SOFT_DELETED: 4,
}


def plan_protection(sight: Sight, book: Rulebook) -> Plan:
    """
    Return the steps that bring one VM to the state that its tag asks for, and the reason.

    Never plans to stop or delete, and never to weaken: losing a tag must not lose a backup, and a
    policy is replaced only where we set it and the new one keeps at least as much.
    """
    vm = sight.vm
    item = min(sight.items, key=lambda i: (_WEIGHT[i.state], i.vault), default=None)
    live = item is not None and item.state in (ItemState.PROTECTED, ItemState.ERROR)
    match ask(vm, book.rules):
        case OutOfScope(why):
            return Plan((), Reason.EXCLUDED, (why,))
        case OptedOut(value):
            still = (f"still protected in {item.vault.name}",) if item and live else ()
            return Plan((), Reason.OPTED_OUT, (f"tag value {value!r}", *still))
        case NotAsked(why):
            if item and live:
                where = f"policy {item.policy} in {item.vault.name}"
                return Plan((), Reason.TAG_LOST, (why, where))
            return Plan((), Reason.NOT_ASKED, (why,))
        case Wanted() as wanted:
            pass
    if vm.provisioning is Provisioning.DELETING:
        return Plan((), Reason.VM_DELETED, ("provisioningState is Deleting",))
    if item is not None and item.state is not ItemState.SOFT_DELETED:
        return _plan_for_item(item, sight, wanted, book)
    if vm.restored_by and not wanted.restored_copies:
        return Plan((), Reason.RESTORED_COPY, (f"OS disk made by restore job {vm.restored_by}",))
    if vm.provisioning is Provisioning.CREATING:
        return Plan((), Reason.CREATING, ("provisioningState is Creating",))
    if vm.unsupported:
        return Plan((), Reason.UNSUPPORTED, (vm.unsupported,))
    if item is not None and _in_the_way(item, sight, book):
        return _plan_for_item(item, sight, wanted, book)
    return _plan_to_enable(sight, wanted, book)


def _in_the_way(item: ItemFacts, sight: Sight, book: Rulebook) -> bool:
    """Whether a soft-deleted item blocks us: only in the very vault that we would choose."""
    vm = sight.vm
    choice = choose_vault(vm.id.subscription, vm.location, sight.vaults, book.vaults, sight.full)
    return isinstance(choice, Use) and choice.vault.id == item.vault


def _plan_for_item(item: ItemFacts, sight: Sight, wanted: Wanted, book: Rulebook) -> Plan:
    """Plan for a VM that has an item already."""
    vm, rules = sight.vm, book.rules
    here = f"{item.state} in {item.vault.name}"
    if not book.vaults.ours(item.vault, vm.location):
        return Plan((), Reason.IN_ANOTHER_VAULT, (here, f"policy {item.policy or 'none'}"))
    match item.state:
        case ItemState.PROTECTED:
            return _plan_for_protected(item, sight, wanted, book)
        case ItemState.ERROR if _never_worked(item, wanted):
            again = ConfirmProtection(vm.id, item.vault, item.policy, item.exclusion)
            return Plan((again,), Reason.TO_PROTECT, (here, "without a backup so far"))
        case ItemState.ERROR | ItemState.UNKNOWN:
            return Plan((), Reason.ITEM_ERROR, (here,))
        case ItemState.STOPPED:
            if rules.on_stopped is not OnStopped.RESUME and not sight.memory.undeleted:
                return Plan((), Reason.PROTECTION_STOPPED, (here,))
            return _plan_to_resume(item, sight, Reason.TO_RESUME, (here,), wanted, book)
        case ItemState.SOFT_DELETED:
            if rules.on_soft_deleted is not OnSoftDeleted.UNDELETE:
                return Plan((), Reason.SOFT_DELETED, (here,))
            undelete = Undelete(vm.id, item.vault, item.exclusion)
            plan = _plan_to_resume(item, sight, Reason.TO_UNDELETE, (here,), wanted, book)
            return Plan((undelete, *plan.steps), plan.reason, plan.because) if plan.steps else plan


def _never_worked(item: ItemFacts, wanted: Wanted) -> bool:
    """Whether protecting was asked for as it should be and failed: asking again is the way on."""
    return item.last_backup is None and item.policy.lower() == wanted.policy.lower()


def _plan_to_resume(
    item: ItemFacts,
    sight: Sight,
    reason: Reason,
    because: tuple[str, ...],
    wanted: Wanted,
    book: Rulebook,
) -> Plan:
    """
    Plan the resume of an item whose points were kept.

    Azure forgets a stopped item's policy (recorded: an empty policyId), so the one that we set
    stands for it: a policy that keeps less would prune those points.
    """
    vault = next((v for v in sight.vaults if v.id == item.vault), None)
    before = vault.policy(item.policy or _policy_of_ours(item, sight)) if vault else None
    asked = _policy_in(vault, wanted, book)
    if before and asked and before != asked:
        was = f"was under {before.name}, asked for {asked.name}"
        if downgrades(before, asked):
            return Plan((), Reason.ENHANCED_TO_STANDARD, (*because, was))
        if worse := weakenings(before, asked):
            return Plan((), Reason.WOULD_WEAKEN, (*because, was, *worse))
    step = ResumeProtection(sight.vm.id, item.vault, wanted.policy, item.exclusion)
    return _with_policy(item.vault, step, reason, because, sight, wanted, book)


def _policy_of_ours(item: ItemFacts, sight: Sight) -> str:
    """Return the policy that we set last in the item's vault, "" where we set none there."""
    return sight.memory.policy if sight.memory.vault == str(item.vault) else ""


def _plan_for_protected(item: ItemFacts, sight: Sight, wanted: Wanted, book: Rulebook) -> Plan:
    vm, memory = sight.vm, sight.memory
    if memory.machine and vm.machine and memory.machine != vm.machine:
        because = (f"vmId was {memory.machine}, is {vm.machine}",)
        confirm = ConfirmProtection(vm.id, item.vault, item.policy, item.exclusion)
        return Plan((confirm,), Reason.TO_CONFIRM, because)
    if item.policy.lower() == wanted.policy.lower():
        return Plan((), Reason.PROTECTED, (f"policy {item.policy} in {item.vault.name}",))
    change = f"policy {item.policy} in {item.vault.name}, asked for {wanted.policy}"
    if _policy_of_ours(item, sight).lower() != item.policy.lower():
        return Plan((), Reason.OTHER_POLICY, (change,))
    vault = next((v for v in sight.vaults if v.id == item.vault), None)
    present = vault.policy(item.policy) if vault else None
    asked = _policy_in(vault, wanted, book)
    if present is None or asked is None:
        return Plan((), Reason.WOULD_WEAKEN, (change, "cannot tell: a policy cannot be read"))
    if downgrades(present, asked):
        return Plan((), Reason.ENHANCED_TO_STANDARD, (change,))
    if worse := weakenings(present, asked):
        return Plan((), Reason.WOULD_WEAKEN, (change, *worse))
    step = ChangePolicy(vm.id, item.vault, wanted.policy, item.exclusion)
    return _with_policy(item.vault, step, Reason.TO_CHANGE_POLICY, (change,), sight, wanted, book)


def _plan_to_enable(sight: Sight, wanted: Wanted, book: Rulebook) -> Plan:
    """Plan for a VM without an item in the way."""
    vm = sight.vm
    choice = choose_vault(vm.id.subscription, vm.location, sight.vaults, book.vaults, sight.full)
    first: tuple[Step, ...] = ()
    match choice:
        case NoVault(reason, why):
            return Plan((), reason, (why,))
        case Use(vault) if not vault.ready:
            return Plan((), Reason.CREATING, (f"vault {vault.id.name} is being created",))
        case Use(vault):
            target = vault.id
        case Make(target):
            first = (CreateVault(target, vm.location, book.vaults.redundancy),)
    enable = EnableProtection(vm.id, target, wanted.policy)
    because = (f"rule {wanted.rule} asks for {wanted.policy}", f"vault {target.name}")
    plan = _with_policy(target, enable, Reason.TO_PROTECT, because, sight, wanted, book)
    return Plan((*first, *plan.steps), plan.reason, plan.because) if plan.steps else plan


def _with_policy(
    target: VaultId,
    step: Step,
    reason: Reason,
    because: tuple[str, ...],
    sight: Sight,
    wanted: Wanted,
    book: Rulebook,
) -> Plan:
    """Return a plan for `step`, creating the policy first where the vault lacks it."""
    vault = next((v for v in sight.vaults if v.id == target), None)
    policy = _policy_in(vault, wanted, book)
    if policy is None:
        return Plan((), Reason.REFUSED, (*because, f"policy {wanted.policy} is not configured"))
    if sight.vm.needs_enhanced and policy.kind is not PolicyKind.ENHANCED:
        return Plan((), Reason.NEEDS_ENHANCED, (sight.vm.needs_enhanced, *because))
    if vault is not None and vault.policy(wanted.policy) is not None:
        return Plan((step,), reason, because)
    return Plan((CreatePolicy(target, book.policies[wanted.policy]), step), reason, because)


def _policy_in(vault: VaultFacts | None, wanted: Wanted, book: Rulebook) -> PolicyFacts | None:
    """Return the asked policy as the vault has it or, where missing, as it would be created."""
    if vault is not None and (there := vault.policy(wanted.policy)) is not None:
        return there
    spec = book.policies.get(wanted.policy)
    return spec.as_facts() if spec else None
