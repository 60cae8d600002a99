"""
Whether a drill plan can keep what it promises: how many tests a night it asks for and has room for.

Long-run arithmetic, in whole fractions: dated blackouts and crowded weeks are seen by filling the
coming nights (drill_choice), not here.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from vmbackup_core.domain.drills import DrillRules, Past, Tier
from vmbackup_core.domain.facts import VmFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.schedules import HOUR, Weekday

type Place = tuple[str, str]  # Subscription and location: where tests share their lanes.


@dataclass(frozen=True, slots=True)
class Subject:
    """A VM that the drill plan takes, with what was proven of it."""

    vm: VmFacts
    vault: VaultId
    tier: Tier
    past: Past

    @property
    def place(self) -> Place:
        return self.vm.id.subscription, self.vm.location


@dataclass(frozen=True, slots=True)
class Load:
    """
    What one place, or all together (`place` is None), asks for and has room for in one night.

    Both are means over the weeks.
    """

    place: Place | None
    demand: Fraction
    room: Fraction
    words: str

    @property
    def too_much(self) -> bool:
        return self.demand > self.room


def find_loads(subjects: Iterable[Subject], drills: DrillRules) -> tuple[Load, ...]:
    """Return the load of all together, and then that of each place."""
    subjects = tuple(subjects)
    if not subjects:
        return ()
    share = Fraction(drills.weekdays, len(Weekday))
    fit = drills.lasts // drills.takes
    week = "" if share == 1 else f", {drills.weekdays} nights of 7"
    hours = f"{drills.lasts / HOUR:g} hours"
    lanes = f"{drills.at_once} at once, {fit} after one another in {hours}{week}"
    per_night = f"{drills.per_night} a night{week}"
    all_in_all = _load(None, subjects, drills.per_night * share, per_night)
    by_place: dict[Place, list[Subject]] = {}
    for subject in subjects:
        by_place.setdefault(subject.place, []).append(subject)
    of_places = (
        _load(place, found, drills.at_once * fit * share, lanes)
        for place, found in sorted(by_place.items())
    )
    return (all_in_all, *of_places)


def _load(place: Place | None, subjects: Iterable[Subject], room: Fraction, how: str) -> Load:
    count = Counter(subject.tier for subject in subjects)
    demand = sum((Fraction(vms, tier.nights) for tier, vms in count.items()), Fraction())
    asked = " and ".join(
        f"{vms:,} of tier {tier.name} every {tier.nights} nights"
        for tier, vms in sorted(count.items(), key=lambda pair: pair[0].name)
    )
    where = f"{place[1]} of subscription {place[0]}" if place else "All VMs"
    # Rounded apart, so that too much never looks like just enough.
    asks, has = f"{ceil(demand * 10) / 10:g}", f"{floor(room * 10) / 10:g}"
    words = f"{where}: {asked} ask for {asks} a night; there is room for {has} ({how})"
    return Load(place, demand, room, words)
