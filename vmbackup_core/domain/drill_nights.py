"""
Fill the coming nights, one after the other, and say whether their number is enough.

Takes for granted that each test passes. A night's number here is its date's ordinal.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from vmbackup_core.domain.drill_coverage import Load, Place, Subject, find_loads
from vmbackup_core.domain.drills import (
    RESTORES_A_DAY,
    Drill,
    DrillRules,
    Night,
    NotPlanned,
    Unplanned,
    Why,
)
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.points import strategy_of_turn
from vmbackup_core.domain.schedules import DAY

_RANK = {why: rank for rank, why in enumerate(Why)}


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    How far the proof reaches: of `vms` that tiers take, `proven` have one that is not too old.

    `nights` is how many of the coming nights it takes until all have one, if every test passes;
    None where that cannot be seen in twice the time that the longest tier allows.
    """

    vms: int
    proven: int
    nights: int | None
    loads: tuple[Load, ...]


class Filling:
    """
    The nights from `first` on, at least `shown` of them, filled for `subjects`.

    `coverage` and `refusals` do not depend on how many nights are shown.
    """

    def __init__(
        self, subjects: list[Subject], drills: DrillRules, first: date, shown: int
    ) -> None:
        self._drills = drills
        self._subjects = subjects
        self._first = first.toordinal()
        self._shown = shown
        longest = max((subject.tier.nights for subject in subjects), default=0)
        judged = 2 * longest  # Time for a first proof of each, and for its renewal.
        self._later = self._open_nights(max(shown, judged) + longest + 1)
        self._pasts = {subject.vm.id: subject.past for subject in subjects}
        self._proofs = {  # The night of each proof that no failure has undone.
            subject.vm.id: self._night(subject.past.proven)
            for subject in subjects
            if subject.past.proven and not subject.past.failed
        }
        self._lapsed_before = {s.vm.id for s in subjects if not self._proven(s, self._first)}
        self._turn = dict[VmId, int]()  # The number of the first night a VM is in.
        self._held = dict[VmId, NotPlanned]()  # What kept a VM out of a shown night.
        self._late = dict[VmId, int]()
        self._awake = list[Subject]()
        self._asleep = dict[int, list[Subject]]()
        for subject in subjects:
            self._put_to_sleep(subject)
        ends = self._first + judged
        self.nights = [self._fill(night) for night in range(self._first, ends)]
        self._find_late(ends)
        self.coverage = self._find_coverage()
        self.refusals = self._find_refusals()
        self.nights += [self._fill(night) for night in range(ends, self._first + shown)]

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
        return night < self._lapses(subject)

    def _lapses(self, subject: Subject) -> int:
        """Return the first night for which the VM's proof is too old; 0 without a proof."""
        proof = self._proofs.get(subject.vm.id)
        return 0 if proof is None else proof + subject.tier.nights + 1

    def _put_to_sleep(self, subject: Subject) -> None:
        """Let a VM be until half of its tier's maximum age is over; it could not be due before."""
        proof = self._proofs.get(subject.vm.id)
        if proof is None:
            self._awake.append(subject)
            return
        wakes = proof + -(-subject.tier.nights // 2)
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
        self._awake = [s for s in self._awake if self._proofs.get(s.vm.id) != tonight]
        return Night(night, tuple(sorted(drills, key=lambda drill: drill.starts)))

    def _wishes(self, tonight: int) -> list[tuple[Why, Subject]]:
        """Return who wants to be tested tonight, who comes first first."""
        wishes = list[tuple[int, int, VmId, Why, Subject]]()

        def wish(why: Why, order: int, subject: Subject) -> None:
            wishes.append((_RANK[why], order, subject.vm.id, why, subject))

        renewals = list[tuple[int, VmId, Subject, int]]()
        for subject in self._awake:
            vm, lasts = subject.vm.id, subject.tier.nights
            if (proof := self._proofs.get(vm)) is not None:
                renewals.append((proof + lasts, vm, subject, tonight - proof))
            elif subject.past.failed is None:
                wish(Why.NEVER_TESTED, lasts, subject)
            elif tonight >= (failed := self._night(subject.past.failed)) + self._rest(subject):
                wish(Why.FAILED, failed, subject)
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

    def _rest(self, subject: Subject) -> int:
        """
        Return how many nights a failed VM waits: longer after each failure in a row.

        So that VMs which always fail leave room for the others; at most half the maximum age.
        """
        first = max(1, self._drills.failed_again // DAY)
        longer = first << min(max(0, subject.past.failures - 1), 16)
        return min(longer, max(1, subject.tier.nights // 2))

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
            subject.vault,
            subject.tier,
            strategy_of_turn(subject.tier.strategies, str(subject.vm.id), past.proofs),
            why,
            begins + wave * self._drills.takes,
            number % self._drills.at_once + 1,
            past.proven,
        )

    def _pass(self, subject: Subject, tonight: int, begins: datetime) -> None:
        vm = subject.vm.id
        self._turn.setdefault(vm, tonight)
        if vm not in self._lapsed_before and not self._proven(subject, tonight):
            self._late.setdefault(vm, self._lapses(subject))
        self._pasts[vm] = self._pasts[vm].passed(begins)
        self._proofs[vm] = tonight
        self._put_to_sleep(subject)

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
                self._late.setdefault(vm, self._lapses(subject))

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

    def _find_coverage(self) -> Coverage:
        waiting = self._lapsed_before
        nights = None
        if waiting <= self._turn.keys():
            nights = max((self._turn[vm] - self._first + 1 for vm in waiting), default=0)
        vms = len(self._subjects)
        return Coverage(vms, vms - len(waiting), nights, find_loads(self._subjects, self._drills))

    def _find_refusals(self) -> tuple[str, ...]:
        """Return in words why the plan cannot keep what its tiers promise; empty where it can."""
        too_much = [load.words for load in self.coverage.loads if load.too_much]
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
