"""
What the plan of the nights reckons with for each VM: how long its test takes, its size, its cost.

What was measured goes before what is configured: of the VM itself, else of its tier, each for a
restore from a snapshot and for one from the vault, which are worlds apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate

from vmbackup_core.domain.drill.caps import NO_CAP, Cap
from vmbackup_core.domain.drill.cost import estimate
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import DrillRules, Measure, Past, Tier
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.facts import DiskExclusion, VmFacts
from vmbackup_core.domain.ids import VaultId

# Which of the strategies mostly find a point with a snapshot; the others mostly read the vault.
_FROM_SNAPSHOT = frozenset({Strategy.LATEST, Strategy.LATEST_WITHIN_RPO})


@dataclass(frozen=True, slots=True)
class Room:
    """
    What is known of one place: `vcpus` of each size (in lower case), and how many vCPUs of tests
    leave the share of the quotas free that is to stay free; None where that was not read.
    """

    vcpus: Mapping[str, int] = field(default_factory=dict)
    free: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A VM that the drill plan takes, with what was proven of it."""

    vm: VmFacts
    vault: VaultId
    tier: Tier
    past: Past
    cap: Cap = NO_CAP
    vcpus: int | None = None
    exclusion: DiskExclusion | None = None

    @property
    def place(self) -> Place:
        return Place(self.vm.id.subscription, self.vm.location)


class Reckoning:
    """How long each test takes and what it costs, as far as that can be known before it."""

    def __init__(self, subjects: Sequence[Subject], drills: DrillRules) -> None:
        self._drills = drills
        of_tiers: dict[tuple[str, bool], list[Measure]] = {}
        for subject in subjects:
            for one in subject.past.measured:
                of_tiers.setdefault((subject.tier.name, one.from_vault), []).append(one)
        self._of_tiers = {key: _median(found) for key, found in of_tiers.items()}
        costs = (self.dearest(subject) for subject in subjects)
        self._dearest = max((cost for cost in costs if cost is not None), default=None)

    def takes(self, subject: Subject, strategy: Strategy) -> tuple[timedelta, bool]:
        """Return how long a test takes, and whether that was measured."""
        from_vault = strategy not in _FROM_SNAPSHOT
        own = [one for one in subject.past.measured if one.from_vault is from_vault]
        if own:
            return _median(own), True
        if (found := self._of_tiers.get((subject.tier.name, from_vault))) is not None:
            return found, True
        return self._drills.takes, False

    def mean(self, subject: Subject) -> timedelta:
        """Return how long a VM's tests take in the mean over the strategies of its tier."""
        each = [self.takes(subject, strategy)[0] for strategy in subject.tier.strategies]
        return sum(each, timedelta(0)) / len(each)

    def cost(self, subject: Subject, takes: timedelta) -> Decimal | None:
        """Return what a test is estimated to cost, None where that is not known."""
        vcpus, gigabytes = subject.vcpus, subject.vm.disk_gb
        if vcpus is None or gigabytes is None:
            return None
        return estimate(vcpus, takes, gigabytes, self._drills.prices)

    def dearest(self, subject: Subject) -> Decimal | None:
        """Return what the dearest of a VM's tests is estimated to cost."""
        each = (
            self.cost(subject, self.takes(subject, strategy)[0])
            for strategy in subject.tier.strategies
        )
        return max((cost for cost in each if cost is not None), default=None)

    def charge(self, cost: Decimal | None) -> Decimal:
        """
        Return what a test counts for in the night's budget, 0 where there is no budget.

        One whose cost is not known counts as the dearest that is; where none is, as a whole night.
        """
        budget = self._drills.cost_per_night
        if budget is None:
            return Decimal(0)
        known = cost if cost is not None else self._dearest
        return budget if known is None else known


def lanes_of(
    subjects: Iterable[Subject], drills: DrillRules, rooms: Mapping[Place, Room]
) -> dict[Place, int]:
    """
    Return how many tests each place can run side by side, whichever of its VMs they are for.

    At most `at_once`; where the free vCPUs are known, so many that even the largest that fit at all
    may meet. At least one, for those that fit alone.
    """
    sizes: dict[Place, list[int]] = {}
    for subject in subjects:
        found = sizes.setdefault(subject.place, [])
        if fits_alone(subject, rooms):
            found.append(subject.vcpus or 0)
    return {
        place: max(1, _lanes(sorted(vcpus, reverse=True), drills.at_once, rooms.get(place)))
        for place, vcpus in sizes.items()
    }


def fits_alone(subject: Subject, rooms: Mapping[Place, Room]) -> bool:
    """Whether the vCPU quota has room for the VM's copy, as far as that is known."""
    room = rooms.get(subject.place)
    free = None if room is None else room.free
    return free is None or (subject.vcpus or 0) <= free


def _lanes(largest: list[int], at_once: int, room: Room | None) -> int:
    if room is None or room.free is None:
        return at_once
    sums = accumulate(largest[:at_once])
    few = sum(used <= room.free for used in sums)
    return at_once if few == len(largest) else few


def _median(measures: list[Measure]) -> timedelta:
    """Return the middle one; of two in the middle the longer, to be on the safe side."""
    return sorted(one.took for one in measures)[len(measures) // 2]
