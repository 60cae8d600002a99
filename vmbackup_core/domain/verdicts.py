"""
Verdicts: where each VM stands, one reason each, so that the classes always sum to the VMs.

What a sweep finds and what a report counts; a verdict remembers since when it has held.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vmbackup_core.domain.evidence import digest
from vmbackup_core.domain.facts import Estate, ItemFacts, ItemState, VmFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.plans import Change, Plan, describe
from vmbackup_core.domain.protection import Rulebook, Sight, plan_protection
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.rules import Mode

# What Azure or a brake answered to a workflow, and Resource Graph cannot know: it stands until a
# workflow ends otherwise. Refusals are tried again at intervals, brakes at each sweep.
REFUSALS = frozenset(
    {
        Reason.AGENT_NEVER_READY,
        Reason.GUARDED,
        Reason.IN_ANOTHER_VAULT,
        Reason.LOCKED,
        Reason.NEEDS_ENHANCED,
        Reason.NO_PERMISSION,
        Reason.POLICY_DENIES,
        Reason.RECREATED_IN_THE_WAY,
        Reason.REFUSED,
        Reason.SOFT_DELETED,
        Reason.UNSUPPORTED,
        Reason.VAULT_FULL,
        Reason.VM_FAILED,
    }
)
BRAKES = frozenset({Reason.BUDGET_SPENT, Reason.DAILY_LIMIT, Reason.ENABLE_CAP})
HELD = REFUSALS | BRAKES
REFUSED_AGAIN = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Where one VM stands.

    `protected` says that Azure backs it up now, by whatever policy and whoever set it; `since` is
    when this reason was first seen; `due` that a workflow should look at it now.
    """

    vm: VmId
    name: str
    machine: str
    location: str
    plan: Plan
    reason: Reason
    protected: bool
    vault: str
    policy: str
    since: datetime
    due: bool

    @property
    def in_scope(self) -> bool:
        return self.reason.standing is not Standing.NOT_ASKED

    @property
    def differs(self) -> bool:
        """Whether there is something that we would do, if nothing held us back."""
        return self.plan.reason.standing is Standing.WORK


def judge_vm(sight: Sight, plan: Plan, mode: Mode, at: datetime) -> Verdict:
    """
    Return the verdict of one VM.

    In observe mode what would be done is only reported. Where a workflow was refused for a reason
    that cannot be seen from here, that reason stands until a workflow ends otherwise. A VM with a
    loose end (a write that nobody followed, a resume that somebody else did) is due as well: a
    workflow ties it.
    """
    vm, memory = sight.vm, sight.memory
    reason, due = plan.reason, plan.reason.standing is Standing.WORK
    if due and mode is Mode.OBSERVE:
        reason, due = Reason.OBSERVING, False
    elif due and memory.reason in HELD:
        reason = memory.reason
        waited = memory.reason_at is None or at - memory.reason_at >= REFUSED_AGAIN
        due = reason in BRAKES or waited
    live = [i for i in sight.items if i.state in (ItemState.PROTECTED, ItemState.ERROR)]
    item = min(live, key=lambda i: i.vault, default=None)
    protected = item is not None and item.state is ItemState.PROTECTED
    loose = memory.asked_at is not None or (memory.undeleted and protected)
    return Verdict(
        vm=vm.id,
        name=vm.name,
        machine=vm.machine,
        location=vm.location,
        plan=plan,
        reason=reason,
        protected=protected,
        vault=item.vault.name if item else "",
        policy=item.policy if item else "",
        since=at,
        due=due or (loose and mode is Mode.PROTECT),
    )


def held_by_pause(verdict: Verdict) -> Verdict:
    """Return the verdict as it is while everything is paused: nothing is done, nothing is due."""
    return replace(verdict, reason=Reason.PAUSED, due=False) if verdict.due else verdict


def judge_estate(
    estate: Estate, memories: Mapping[VmId, Memory], book: Rulebook
) -> tuple[Verdict, ...]:
    """Return one verdict for each VM of the estate, in the order of their ids."""
    items, vaults = estate.items_by_vm(), estate.vaults_by_place()

    def one(vm: VmFacts) -> Verdict:
        sight = Sight(
            vm,
            items.get(vm.id, ()),
            vaults.get((vm.id.subscription, vm.location), ()),
            memories.get(vm.id, Memory()),
        )
        mode = book.rules.scope.mode_of(vm.id.subscription)
        return judge_vm(sight, plan_protection(sight, book), mode, estate.at)

    return tuple(one(vm) for vm in sorted(estate.vms, key=lambda vm: vm.id))


def orphans(estate: Estate) -> tuple[ItemFacts, ...]:
    """Return the items whose VM is gone or moved: kept, billed, and nobody's any more."""
    known = {vm.id for vm in estate.vms}
    return tuple(
        item
        for item in estate.items
        if item.vm not in known and item.state is not ItemState.SOFT_DELETED
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sweep before this one said of a VM."""

    machine: str
    reason: Reason
    since: datetime
    protected: bool = False


def lasting(verdicts: Iterable[Verdict], before: Mapping[VmId, Seen]) -> tuple[Verdict, ...]:
    """Return the verdicts with the `since` of an earlier one that said the same of the same VM."""

    def one(verdict: Verdict) -> Verdict:
        old = before.get(verdict.vm)
        same = old and (old.reason, old.machine) == (verdict.reason, verdict.machine)
        return replace(verdict, since=old.since) if old and same else verdict

    return tuple(one(verdict) for verdict in verdicts)


@dataclass(frozen=True, slots=True)
class Count:
    """The sums over all verdicts, as `summary.json` and the sweep's evidence show them."""

    vms: int
    in_scope: int
    protected: int
    unprotected: Mapping[str, int]
    reasons: Mapping[str, int]


def count(verdicts: Iterable[Verdict]) -> Count:
    """
    Count the verdicts.

    `in_scope` = `protected` + the sum of `unprotected`, and `reasons` sums to `vms`; raises
    AssertionError where they do not, because then a VM was missed.
    """
    verdicts = tuple(verdicts)
    scope = [v for v in verdicts if v.in_scope]
    bare = Counter(v.reason.name for v in scope if not v.protected)
    reasons = Counter(v.reason.name for v in verdicts)
    protected = sum(v.protected for v in scope)
    if len({v.vm for v in verdicts}) != len(verdicts) or sum(reasons.values()) != len(verdicts):
        raise AssertionError("the classes do not sum to the number of VMs")
    if len(scope) != protected + sum(bare.values()):
        raise AssertionError("protected and unprotected do not sum to what is in scope")
    return Count(
        len(verdicts),
        len(scope),
        protected,
        dict(sorted(bare.items())),
        dict(sorted(reasons.items())),
    )


@dataclass(frozen=True, slots=True)
class Shrunk:
    """So much less is in scope than before that it looks like a mistake, not like a change."""

    before: int
    now: int


def find_shrinking(before: int, now: int, limit: float) -> Shrunk | None:
    """
    Return Shrunk where the number of VMs in scope fell by more than `limit` (0 to 1).

    Fewer than ten VMs never count as an avalanche.
    """
    lost = before - now
    return Shrunk(before, now) if lost >= 10 and lost > before * limit else None


def plan_hash(verdicts: Iterable[Verdict]) -> str:
    """Return the hash of everything that would be done: what a person approves."""
    work = [
        [str(v.vm), v.machine, v.plan.reason.name, [describe(step) for step in v.plan.steps]]
        for v in verdicts
        if v.differs
    ]
    return digest(work)


def changes(verdicts: Iterable[Verdict]) -> tuple[Change, ...]:
    """Return the steps that touch items which are protected already."""
    return tuple(
        step for v in verdicts if v.differs for step in v.plan.steps if isinstance(step, Change)
    )
