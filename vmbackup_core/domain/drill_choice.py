"""
Which VMs' backups are to be proven in the coming nights: never-tested first, then the oldest proof.

A pure function of the estate, what was proven so far and the drill plan. It fills more nights than
anybody asked for, taking for granted that each test passes, so that it can say how long it takes
until everything is proven, and refuse a drill plan that cannot keep its own promise.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from vmbackup_core.domain.drill_coverage import Load, Place, Subject, find_loads
from vmbackup_core.domain.drills import (
    RESTORES_A_DAY,
    Drill,
    DrillRules,
    Night,
    NotPlanned,
    Past,
    Unplanned,
    Why,
)
from vmbackup_core.domain.facts import Estate, ItemFacts, ItemState, VmFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.points import strategy_of_turn
from vmbackup_core.domain.rules import Rules
from vmbackup_core.domain.schedules import DAY

_RANK = {why: rank for rank, why in enumerate(Why)}


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    How far the proof reaches: of `vms` that tiers take, `proven` have one that is not too old.

    `nights` is how many of the coming nights it takes until all have one, if every test passes;
    None where that cannot be seen in the time that the longest tier allows.
    """

    vms: int
    proven: int
    nights: int | None
    loads: tuple[Load, ...]


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """
    The coming nights, why every other VM is in none of them, and what speaks against the plan.

    `vms` is the number of VMs looked at: those in `nights`, each counted once, and `unplanned`.
    A plan with `refusals` cannot keep what its tiers promise.
    """

    at: datetime
    vms: int
    nights: tuple[Night, ...]
    unplanned: tuple[Unplanned, ...]
    coverage: Coverage
    refusals: tuple[str, ...]

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
) -> DrillPlan:
    """
    Return the plan of the next `nights` nights, the first that begins at or after `now` on.

    The same whatever order the estate is in. Never plans a VM twice within half the maximum age of
    its tier, more tests than a night or a place has room for, or a restore that Azure would refuse
    for its daily limit. Raises AssertionError where a VM was lost on the way.
    """
    items = estate.items_by_vm()
    subjects, unplanned = list[Subject](), list[Unplanned]()
    for vm in sorted(estate.vms, key=lambda vm: vm.id):
        match _sort_out(vm, items.get(vm.id, ()), rules, drills, pasts):
            case Subject() as subject:
                subjects.append(subject)
            case NotPlanned() as code:
                unplanned.append(Unplanned(vm, code))
    filling = _Filling(subjects, drills, drills.next_night(now), nights)
    plan = DrillPlan(
        now,
        len(estate.vms),
        tuple(filling.nights[:nights]),
        tuple(sorted((*unplanned, *filling.left_out()), key=lambda one: one.vm.id)),
        filling.coverage(),
        filling.refusals(),
    )
    if plan.planned + len(plan.unplanned) != plan.vms:
        raise AssertionError("the planned and the others do not sum to the number of VMs")
    return plan


def _sort_out(
    vm: VmFacts,
    items: Iterable[ItemFacts],
    rules: Rules,
    drills: DrillRules,
    pasts: Mapping[VmId, Past],
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
    return Subject(vm, tier, pasts.get(vm.id, Past()).of_machine(vm.machine))


class _Filling:
    """Fills night after night; a night's number is its date's ordinal."""

    def __init__(
        self, subjects: list[Subject], drills: DrillRules, first: date, shown: int
    ) -> None:
        self._drills = drills
        self._subjects = subjects
        self._first = first.toordinal()
        self._shown = shown
        longest = max((subject.tier.nights for subject in subjects), default=0)
        count = max(shown, longest)
        self._later = self._open_nights(count + longest + 1)
        self._pasts = {subject.vm.id: subject.past for subject in subjects}
        self._lapsed_before = {s.vm.id for s in subjects if not self._proven(s, self._first)}
        self._turn = dict[VmId, int]()  # The number of the first night a VM is in.
        self._held = dict[VmId, NotPlanned]()  # What kept a VM out of a shown night.
        self._late = dict[VmId, int]()
        self._awake = list[Subject]()
        self._asleep = dict[int, list[Subject]]()
        for subject in subjects:
            self._put_to_sleep(subject)
        self.nights = [self._fill(night) for night in range(self._first, self._first + count)]
        self._find_late(self._first + count)
        self._loads = find_loads(subjects, drills)

    def _open_nights(self, count: int) -> list[int]:
        """Return how many of the first 0, 1, 2 … nights are not blacked out."""
        sums = [0]
        for night in range(self._first, self._first + count):
            sums.append(sums[-1] + (not self._drills.shut(date.fromordinal(night))))
        return sums

    def _open_between(self, tonight: int, last: int) -> int:
        """Return how many nights after `tonight` and up to `last` are open."""
        if last <= tonight:
            return 0
        end = min(last - self._first + 1, len(self._later) - 1)
        return self._later[end] - self._later[tonight - self._first + 1]

    def _night(self, moment: datetime) -> int:
        return self._drills.night_of(moment).toordinal()

    def _proven(self, subject: Subject, night: int) -> bool:
        """Whether the VM has a proof that still holds in `night`."""
        past = self._pasts[subject.vm.id]
        if past.proven is None or past.failed is not None:
            return False
        return self._night(past.proven) + subject.tier.nights >= night

    def _put_to_sleep(self, subject: Subject) -> None:
        """Let a VM be until half of its tier's maximum age is over; it could not be due before."""
        past = self._pasts[subject.vm.id]
        if past.proven is None or past.failed is not None:
            self._awake.append(subject)
            return
        wakes = self._night(past.proven) + -(-subject.tier.nights // 2)
        self._asleep.setdefault(max(wakes, self._first), []).append(subject)

    def _fill(self, tonight: int) -> Night:
        self._awake += self._asleep.pop(tonight, [])
        night = date.fromordinal(tonight)
        if shut := self._drills.shut(night):
            return Night(night, blackout=shut)
        begins = self._drills.start_of(night)
        drills, used = list[Drill](), Counter[Place]()
        for why, subject in self._wishes(tonight):
            vm = subject.vm.id
            if (held := self._held_back(subject, tonight, begins)) is None and (
                len(drills) == self._drills.per_night
                or used[subject.place] == self._drills.per_place
            ):
                held = NotPlanned.NO_ROOM
            if held is not None:
                if tonight < self._first + self._shown:
                    self._held[vm] = held
                continue
            drills.append(self._drill(subject, why, begins, used[subject.place]))
            used[subject.place] += 1
            self._pass(subject, tonight, begins)
        self._awake = [s for s in self._awake if not self._passed_in(s, tonight)]
        return Night(night, tuple(sorted(drills, key=lambda drill: drill.starts)))

    def _wishes(self, tonight: int) -> list[tuple[Why, Subject]]:
        """Return who wants to be tested tonight, who comes first first."""
        wishes = list[tuple[int, int, VmId, Why, Subject]]()

        def wish(why: Why, order: int, subject: Subject) -> None:
            wishes.append((_RANK[why], order, subject.vm.id, why, subject))

        renewals = list[tuple[int, VmId, Subject, int]]()
        for subject in self._awake:
            past, lasts = self._pasts[subject.vm.id], subject.tier.nights
            if past.failed is not None:
                failed = self._night(past.failed)
                if tonight >= failed + self._rest(past, lasts):
                    wish(Why.FAILED, failed, subject)
            elif past.proven is None:
                wish(Why.NEVER_TESTED, lasts, subject)
            else:
                proven = self._night(past.proven)
                renewals.append((proven + lasts, subject.vm.id, subject, tonight - proven))
        before = Counter[Place | None]()
        for lapses, _, subject, age in sorted(renewals, key=lambda one: one[:2]):
            later = self._open_between(tonight, lapses)
            # Those that lapse earlier fill the nights up to then: is there still room for this one?
            if (
                before[None] >= self._drills.per_night * later
                or before[subject.place] >= self._drills.per_place * later
            ):
                wish(Why.LAPSES, lapses, subject)
            elif 4 * age >= 3 * subject.tier.nights:
                wish(Why.OLDEST_PROOF, lapses, subject)
            before.update((None, subject.place))
        return [(why, subject) for *_, why, subject in sorted(wishes, key=lambda one: one[:3])]

    def _rest(self, past: Past, lasts: int) -> int:
        """
        Return how many nights a failed VM waits: longer after each failure in a row.

        So that VMs which always fail leave room for the others; at most half the maximum age.
        """
        first = max(1, self._drills.failed_again // DAY)
        return min(first << min(past.failures - 1, 16), max(1, lasts // 2))

    def _held_back(self, subject: Subject, tonight: int, begins: datetime) -> NotPlanned | None:
        """Return what keeps a restore of this VM from being tried tonight."""
        past = subject.past
        if past.restoring and tonight == self._first:
            return NotPlanned.RESTORING
        if sum(begins - at < DAY for at in past.restores) >= RESTORES_A_DAY:
            return NotPlanned.RESTORE_LIMIT
        return None

    def _drill(self, subject: Subject, why: Why, begins: datetime, number: int) -> Drill:
        past, wave = self._pasts[subject.vm.id], number // self._drills.at_once
        return Drill(
            subject.vm,
            subject.tier,
            strategy_of_turn(subject.tier.strategies, str(subject.vm.id), past.proofs),
            why,
            begins + wave * self._drills.takes,
            number % self._drills.at_once + 1,
            past.proven,
        )

    def _pass(self, subject: Subject, tonight: int, begins: datetime) -> None:
        vm, lasts = subject.vm.id, subject.tier.nights
        if vm not in self._turn:
            self._turn[vm] = tonight
        if vm not in self._lapsed_before and not self._proven(subject, tonight):
            self._late.setdefault(vm, tonight)
        self._pasts[vm] = self._pasts[vm].passed(begins)
        self._asleep.setdefault(tonight + -(-lasts // 2), []).append(subject)

    def _passed_in(self, subject: Subject, tonight: int) -> bool:
        proven = self._pasts[subject.vm.id].proven
        return proven is not None and self._night(proven) == tonight

    def _find_late(self, end: int) -> None:
        """Note each VM whose proof comes too late: a first one later than its tier's age allows."""
        for subject in self._subjects:
            vm = subject.vm.id
            turn = self._turn.get(vm)
            if vm in self._lapsed_before:
                allowed = end if subject.past.failed else self._first + subject.tier.nights
                if turn is None or turn >= allowed:
                    self._late[vm] = min(allowed, end)
            elif not self._proven(subject, end - 1):
                self._late.setdefault(vm, end - 1)

    def left_out(self) -> list[Unplanned]:
        """Return the VMs that are in none of the nights that were asked for."""
        shown = self.nights[: self._shown]
        there = {drill.vm.id for night in shown for drill in night.drills}
        all_shut = all(night.blackout for night in shown)
        found = []
        for subject in self._subjects:
            vm = subject.vm.id
            if vm in there:
                continue
            otherwise = NotPlanned.BLACKOUT if all_shut else NotPlanned.NOT_DUE
            turn = self._turn.get(vm)
            because = f"planned for {date.fromordinal(turn)}" if turn else ""
            found.append(Unplanned(subject.vm, self._held.get(vm, otherwise), because))
        return found

    def coverage(self) -> Coverage:
        waiting = self._lapsed_before
        nights = None
        if waiting <= self._turn.keys():
            nights = max((self._turn[vm] - self._first + 1 for vm in waiting), default=0)
        vms = len(self._subjects)
        return Coverage(vms, vms - len(waiting), nights, self._loads)

    def refusals(self) -> tuple[str, ...]:
        """Return in words why the plan cannot keep what its tiers promise; empty where it can."""
        too_much = [load.words for load in self._loads if load.too_much]
        late = []
        for tier in self._drills.tiers:
            vms = [s for s in self._subjects if s.vm.id in self._late and s.tier == tier]
            if vms:
                first = min(vms, key=lambda s: (self._late[s.vm.id], s.vm.id))
                late.append(
                    f"Tier {tier.name}: {len(vms):,} of its VMs would be without a proof that is"
                    f" at most {tier.nights} nights old, the first of them {first.vm.name} on"
                    f" {date.fromordinal(self._late[first.vm.id])}"
                )
        return (*too_much, *late)
