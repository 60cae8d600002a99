"""
Fill the coming nights, one after the other, and say whether their number is enough.

Takes for granted that each test passes. A night's number here is its date's ordinal.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from vmbackup_core.domain.drill.coverage import Coverage, find_fits, find_loads, find_refusals
from vmbackup_core.domain.drill.lanes import Lanes
from vmbackup_core.domain.drill.points import strategy_of_turn
from vmbackup_core.domain.drill.reckoning import (
    Reckoning,
    Room,
    Subject,
    fits_alone,
    lanes_of,
)
from vmbackup_core.domain.drill.rules import RESTORES_A_DAY, DrillRules
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.drill.standings import Standings
from vmbackup_core.domain.drill.turns import Drill, Night, NotPlanned, Unplanned, Why
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.schedules import DAY

_RANK = {why: rank for rank, why in enumerate(Why)}


class Filling:
    """
    The nights from `first` on, at least `shown` of them, filled for `subjects`.

    `coverage` and `refusals` do not depend on how many nights are shown.
    """

    def __init__(
        self,
        subjects: list[Subject],
        drills: DrillRules,
        first: date,
        shown: int,
        rooms: Mapping[Place, Room],
    ) -> None:
        self._drills = drills
        self._rooms = rooms
        self._reckoning = Reckoning(subjects, drills)
        self._lanes = lanes_of(subjects, drills, rooms)
        self._fits = find_fits(subjects, drills, self._lanes, self._reckoning)
        self._tests = {place: int(fit.tests) for place, fit in self._fits.items()}
        self._places = {subject.vm.id: subject.place for subject in subjects}
        self._subjects = subjects
        self._first = first.toordinal()
        self._shown = shown
        longest = max((subject.tier.nights for subject in subjects), default=0)
        judged = 2 * longest  # Time for a first proof of each, and for its renewal.
        self._later = self._open_nights(max(shown, judged) + longest + 1)
        self._standings = Standings(subjects, drills, self._first)
        proven = self._standings.proven
        self._lapsed_before = {s.vm.id for s in subjects if not proven(s, self._first)}
        self._turn = dict[VmId, int]()  # The number of the first night a VM is in.
        self._held = dict[VmId, NotPlanned]()  # What kept a VM out of a shown night.
        self._late = dict[VmId, int]()
        ends = self._first + judged
        self.nights = [self._fill(night) for night in range(self._first, ends)]
        self._find_late(ends)
        self.coverage = self._find_coverage()
        self.refusals = find_refusals(subjects, drills, self.coverage, self._late)
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

    def _fill(self, tonight: int) -> Night:
        self._standings.wake(tonight)
        night = date.fromordinal(tonight)
        if shut := self._drills.shut(night):
            return Night(night, blackout=shut)
        begins = self._drills.start_of(night)
        drills, lanes = list[Drill](), Lanes(self._drills.lasts, self._lanes)
        spent = Decimal(0)
        for why, subject in self._wishes(tonight):
            drill = self._held_back(subject, tonight, begins) or self._drill(
                subject, why, begins, lanes, spent, len(drills)
            )
            if isinstance(drill, NotPlanned):
                if tonight < self._first + self._shown:
                    self._held[subject.vm.id] = drill
                continue
            drills.append(drill)
            spent += self._reckoning.charge(drill.cost)
            self._pass(drill, subject, tonight, begins)
        self._standings.settle(tonight)
        return Night(night, tuple(sorted(drills, key=lambda drill: drill.starts)))

    def _wishes(self, tonight: int) -> list[tuple[Why, Subject]]:
        """Return who wants to be tested tonight, who comes first first."""
        wishes = list[tuple[int, int, VmId, Why, Subject]]()

        def wish(why: Why, order: int, subject: Subject) -> None:
            wishes.append((_RANK[why], order, subject.vm.id, why, subject))

        renewals = list[tuple[int, VmId, Subject, int]]()
        standings = self._standings
        for subject in standings.awake:
            vm, lasts, past = subject.vm.id, subject.tier.nights, standings.past(subject)
            if standings.rests(subject, tonight):
                continue
            if (proof := standings.proof(subject)) is not None:
                renewals.append((proof + lasts, vm, subject, tonight - proof))
            elif past.failed is not None:
                wish(Why.FAILED, standings.night(past.failed), subject)
            elif past.tried is not None:
                wish(Why.UNTOLD, standings.night(past.tried), subject)
            else:
                wish(Why.NEVER_TESTED, lasts, subject)
        before_here = Counter[Place]()
        soonest = sorted(renewals, key=lambda one: one[:2])
        for before, (lapses, vm, subject, age) in enumerate(soonest):
            later, place = self._open_between(tonight, lapses), self._places[vm]
            # Those that lapse earlier fill the nights up to then: is there still room for this one?
            if (
                before >= self._drills.per_night * later
                or before_here[place] >= self._tests[place] * later
            ):
                wish(Why.LAPSES, lapses, subject)
            elif 4 * age >= 3 * subject.tier.nights:
                wish(Why.OLDEST_PROOF, lapses, subject)
            before_here[place] += 1
        return [(why, subject) for *_, why, subject in sorted(wishes, key=lambda one: one[:3])]

    def _held_back(self, subject: Subject, tonight: int, begins: datetime) -> NotPlanned | None:
        """Return what keeps a restore of this VM from being tried tonight."""
        past = subject.past
        if not fits_alone(subject, self._rooms):
            return NotPlanned.NO_QUOTA
        if past.restoring and tonight == self._first:
            return NotPlanned.RESTORING
        if sum(begins - at < DAY for at in past.restores) >= RESTORES_A_DAY:
            return NotPlanned.RESTORE_LIMIT
        return None

    def _drill(
        self,
        subject: Subject,
        why: Why,
        begins: datetime,
        lanes: Lanes,
        spent: Decimal,
        before: int,
    ) -> Drill | NotPlanned:
        """Return the VM's test, after `before` others that cost `spent`, or why it must wait."""
        past, drills = self._standings.past(subject), self._drills
        if before == drills.per_night:
            return NotPlanned.NO_ROOM
        turn = past.proofs + past.tries  # A kind of point that there is not must not come for ever.
        strategy = strategy_of_turn(subject.tier.strategies, str(subject.vm.id), turn)
        takes, measured = self._reckoning.takes(subject, strategy)
        cost = self._reckoning.cost(subject, takes)
        budget = drills.cost_per_night
        if budget is not None and spent + self._reckoning.charge(cost) > budget:
            return NotPlanned.NO_BUDGET
        if (found := lanes.take(subject.place, takes)) is None:
            return NotPlanned.NO_ROOM
        after, lane = found
        return Drill(
            subject.vm,
            subject.vault,
            subject.tier,
            strategy,
            why,
            begins + after,
            lane,
            past.proven,
            takes,
            measured,
            subject.cap,
            cost,
            subject.exclusion,
        )

    def _pass(self, drill: Drill, subject: Subject, tonight: int, begins: datetime) -> None:
        vm = subject.vm.id
        self._turn.setdefault(vm, tonight)
        standings = self._standings
        if vm not in self._lapsed_before and not standings.proven(subject, tonight):
            self._late.setdefault(vm, standings.lapses(subject))
        standings.passes(subject, tonight, begins, partly=drill.capped)

    def _find_late(self, end: int) -> None:
        """Note each VM whose proof comes too late: a first one later than its tier's age allows."""
        for subject in self._subjects:
            vm = subject.vm.id
            turn = self._turn.get(vm)
            if vm in self._lapsed_before:
                again = subject.past.failed or subject.past.tried
                allowed = end if again else self._first + subject.tier.nights
                if turn is None or turn >= allowed:
                    self._late[vm] = min(allowed, end)
            elif not self._standings.proven(subject, end - 1):
                self._late.setdefault(vm, self._standings.lapses(subject))

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
            code = self._held.get(vm, otherwise)
            found.append(Unplanned(subject.vm, code, self._because(subject, code)))
        return found

    def _because(self, subject: Subject, code: NotPlanned) -> str:
        """Return what more there is to say of a VM that is left out."""
        if (turn := self._turn.get(subject.vm.id)) is not None:
            return f"planned for {date.fromordinal(turn)}"
        if code is NotPlanned.NO_QUOTA:
            free = self._rooms[subject.place].free
            return f"{subject.vm.size} has {subject.vcpus} vCPUs, and there is room for {free}"
        if code is NotPlanned.NO_BUDGET:
            dearest = self._reckoning.dearest(subject)
            if dearest is None:
                return ""
            words = f"it is estimated at up to {dearest:.2f} alone"
            budget = self._drills.cost_per_night
            if budget is None or dearest <= budget:
                return words
            return f"{words}, more than cost_per_night ({budget:.2f}): no night takes it"
        return ""

    def _find_coverage(self) -> Coverage:
        waiting = self._lapsed_before
        nights = None
        if waiting <= self._turn.keys():
            nights = max((self._turn[vm] - self._first + 1 for vm in waiting), default=0)
        vms = len(self._subjects)
        capped = sum(s.past.partly for s in self._subjects if s.vm.id not in waiting)
        loads = find_loads(self._subjects, self._drills, self._fits)
        return Coverage(vms, vms - len(waiting) - capped, nights, loads, capped)
