"""
Which VMs' backups are to be proven in the coming nights: never-tested first, then the oldest proof.

A pure function of the estate, what was proven so far and the drill plan. It fills more nights than
anybody asked for, taking for granted that each test passes, so that it can say how long it takes
until everything is proven, and refuse a drill plan that cannot keep its own promise.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.domain.drill.caps import read_cap
from vmbackup_core.domain.drill.coverage import Coverage
from vmbackup_core.domain.drill.forecast import Forecast, Slow, forecast, slow_of
from vmbackup_core.domain.drill.nights import Filling
from vmbackup_core.domain.drill.proof_control import can_control
from vmbackup_core.domain.drill.reckoning import Room, Subject
from vmbackup_core.domain.drill.rules import DrillRules, Past
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.drill.turns import Night, NotPlanned, Unplanned
from vmbackup_core.domain.facts import Estate, ItemFacts, ItemState, VmFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.rules import Mode, Rules

UNKNOWN_ROOM = Room()


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """
    The coming nights, why every other VM is in none of them, and what speaks against the plan.

    `vms` is the number of VMs looked at: those in `nights`, each counted once, and `unplanned`.
    A plan with `refusals` cannot keep what its tiers promise. `forecasts` say how long it would
    take to restore whole tiers, as far as anything was measured. `tested` is how many of the VMs
    that tiers take were ever tested, as far as the evidence that was read goes back; `slow` are
    those whose last recovery was notably slower than before. `observing` says that all of them
    are in observe mode, so that nothing of it runs; `uncontrolled` that negative controls are
    wanted, and that no test of any of these VMs could be one.
    """

    at: datetime
    vms: int
    nights: tuple[Night, ...]
    unplanned: tuple[Unplanned, ...]
    coverage: Coverage
    refusals: tuple[str, ...]
    forecasts: tuple[Forecast, ...] = ()
    tested: int = 0
    slow: tuple[tuple[VmFacts, Slow], ...] = ()
    observing: bool = False
    uncontrolled: bool = False

    @property
    def planned(self) -> int:
        """How many VMs are in one of the nights."""
        return len({drill.vm.id for night in self.nights for drill in night.drills})


def plan_drills(
    estate: Estate,
    rules: Rules,
    drills: DrillRules,
    pasts: Mapping[VmId, Past],
    now: datetime,
    nights: int,
    rooms: Mapping[Place, Room] | None = None,
) -> DrillPlan:
    """
    Return the plan of the next `nights` nights, the first that begins at or after `now` on.

    `rooms` says what is known of the sizes and quotas of each place; where a place is not in it,
    neither cost nor quota is reckoned with. VMs in observe mode take nobody's turn; where all are,
    it shows what would be tested. The same whatever order the estate is in. Never plans
    a VM twice within half the maximum age of its tier, more tests than a night or a place has room
    for, or a restore that Azure would refuse for its daily limit. Raises AssertionError where a VM
    was lost on the way.
    """
    items, rooms = estate.items_by_vm(), rooms or {}
    acting = any(_acts(vm, rules) for vm in estate.vms)
    subjects, unplanned = list[Subject](), list[Unplanned]()
    for vm in sorted(estate.vms, key=lambda vm: vm.id):
        match sort_out(vm, items.get(vm.id, ()), rules, drills, pasts.get(vm.id, Past())):
            case Subject() if acting and not _acts(vm, rules):
                unplanned.append(Unplanned(vm, NotPlanned.OBSERVING))
            case Subject() as subject:
                room = rooms.get(subject.place, UNKNOWN_ROOM)
                boots = min(subject.tier.rung, subject.cap.rung or Rung.POINT) >= Rung.BOOT
                vcpus = room.vcpus.get(vm.size.lower()) if boots else 0
                subjects.append(replace(subject, vcpus=vcpus))
            case NotPlanned() as code:
                unplanned.append(Unplanned(vm, code))
    filling = Filling(subjects, drills, drills.next_night(now), nights, rooms)
    plan = DrillPlan(
        now,
        len(estate.vms),
        tuple(filling.nights[:nights]),
        tuple(sorted((*unplanned, *filling.left_out()), key=lambda one: one.vm.id)),
        filling.coverage,
        filling.refusals,
        tuple(_forecasts(subjects, drills)),
        sum(subject.past.known for subject in subjects),
        tuple((one.vm, slow) for one in subjects for slow in slow_of(one.past)),
        observing=bool(subjects) and not acting,
        uncontrolled=_uncontrolled(subjects, drills),
    )
    if plan.planned + len(plan.unplanned) != plan.vms:
        raise AssertionError("the planned and the others do not sum to the number of VMs")
    return plan


def _acts(vm: VmFacts, rules: Rules) -> bool:
    """Whether anything may be done where this VM is."""
    scope = rules.scope
    return scope.mode_of(vm.id.subscription) is Mode.PROTECT and not scope.why_not(vm)


def _uncontrolled(subjects: list[Subject], drills: DrillRules) -> bool:
    able = any(can_control(one.tier.rung, one.cap.rung) for one in subjects)
    return bool(subjects) and drills.control_every is not None and not able


def _forecasts(subjects: list[Subject], drills: DrillRules) -> Iterator[Forecast]:
    for tier in drills.tiers:
        for from_vault in (False, True):
            found = forecast(tier, subjects, drills.at_once, from_vault=from_vault)
            if found is not None:
                yield found


def sort_out(
    vm: VmFacts, items: Iterable[ItemFacts], rules: Rules, drills: DrillRules, past: Past
) -> Subject | NotPlanned:
    """Return the VM as the drill plan takes it, or why it takes it never."""
    if rules.scope.why_not(vm):
        return NotPlanned.OUT_OF_SCOPE
    live = [i for i in items if i.state in (ItemState.PROTECTED, ItemState.ERROR)]
    if not live:
        return NotPlanned.NOT_PROTECTED
    item = min(live, key=lambda i: (i.state is ItemState.ERROR, i.vault))
    if item.last_backup is None:
        return NotPlanned.NO_BACKUP_YET
    tier = drills.tier_of(vm.tags.get(rules.tag_name), item.policy)
    if tier is None:
        return NotPlanned.NO_TIER
    cap = read_cap(vm.tags, drills.cap_tag)
    if cap.rung is None:
        return NotPlanned.TAGGED_NEVER
    past = past.of_machine(vm.machine)
    return Subject(vm, item.vault, tier, past, cap, exclusion=item.exclusion)
