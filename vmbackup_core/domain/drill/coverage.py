"""
Whether a drill plan can keep what it promises: how many tests a night it asks for and has room for.

Long-run arithmetic, in whole fractions: dated blackouts and crowded weeks are seen by filling the
coming nights (drill_choice), not here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

from vmbackup_core.domain.drill.reckoning import Reckoning, Subject
from vmbackup_core.domain.drill.rules import DrillRules
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.schedules import HOUR, Weekday


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


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    How far the proof reaches: of `vms` that tiers take, `proven` have one that is not too old.

    `capped` are not among them: theirs is as young, and went only as far as a cap lets it. `nights`
    is how many of the coming nights it takes until all have one, if every test passes;
    None where that cannot be seen in twice the time that the longest tier allows.
    """

    vms: int
    proven: int
    nights: int | None
    loads: tuple[Load, ...]
    capped: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """
    How much one place has room for in an open night: `lanes`, `after_another` in each of them.

    Where tests differ in length the latter is a mean that no packing can beat.
    """

    lanes: int
    after_another: Fraction
    measured: bool

    @property
    def tests(self) -> Fraction:
        return self.lanes * self.after_another


def find_fits(
    subjects: Iterable[Subject],
    drills: DrillRules,
    lanes: Mapping[Place, int],
    reckoning: Reckoning,
) -> dict[Place, Fit]:
    """Return what each place has room for, by how long its VMs' tests take."""
    by_place = _grouped(subjects)
    found = {}
    for place, group in sorted(by_place.items()):
        means = [reckoning.mean(subject) for subject in group]
        if len(set(means)) == 1:
            fit = Fraction(max(1, drills.lasts // means[0]))
        else:
            # Who is tested more often weighs more.
            shares = [Fraction(1, subject.tier.nights) for subject in group]
            seconds = sum(
                (share * _seconds(mean) for share, mean in zip(shares, means, strict=True)),
                Fraction(),
            )
            fit = max(Fraction(1), _seconds(drills.lasts) * sum(shares) / seconds)
        found[place] = Fit(lanes[place], fit, set(means) != {drills.takes})
    return found


def find_loads(
    subjects: Iterable[Subject], drills: DrillRules, fits: Mapping[Place, Fit]
) -> tuple[Load, ...]:
    """Return the load of all together, and then that of each place."""
    subjects = tuple(subjects)
    if not subjects:
        return ()
    share = Fraction(drills.weekdays, len(Weekday))
    week = "" if share == 1 else f", {drills.weekdays} nights of 7"
    hours = f"{drills.lasts / HOUR:g} hours"
    per_night = f"{drills.per_night} a night{week}"
    loads = [_load(None, subjects, drills.per_night * share, per_night)]
    for place, group in sorted(_grouped(subjects).items()):
        fit = fits[place]
        how = (
            f"{fit.lanes} at once, {float(round(fit.after_another, 1)):g} after one another"
            f" in {hours}{' as measured' if fit.measured else ''}{week}"
        )
        loads.append(_load(place, group, fit.tests * share, how))
    return tuple(loads)


def find_refusals(
    subjects: Iterable[Subject], drills: DrillRules, coverage: Coverage, late: Mapping[VmId, int]
) -> tuple[str, ...]:
    """
    Return in words why the plan cannot keep what its tiers promise; empty where it can.

    `late` has the night, by its date's ordinal, from which on a VM would be without a proof.
    """
    found = [load.words for load in coverage.loads if load.too_much]
    for tier in drills.tiers:
        vms = [s for s in subjects if s.vm.id in late and s.tier == tier]
        if vms:
            first = min(vms, key=lambda s: (late[s.vm.id], s.vm.id))
            found.append(
                f"Tier {tier.name}: {len(vms):,} of its VMs would be without a proof that is"
                f" at most {tier.nights} nights old, the first of them {first.vm.name} on"
                f" {date.fromordinal(late[first.vm.id])}"
            )
    return tuple(found)


def _grouped(subjects: Iterable[Subject]) -> dict[Place, list[Subject]]:
    by_place: dict[Place, list[Subject]] = {}
    for subject in subjects:
        by_place.setdefault(subject.place, []).append(subject)
    return by_place


def _seconds(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), 1_000_000)


def _load(place: Place | None, subjects: Iterable[Subject], room: Fraction, how: str) -> Load:
    count = Counter(subject.tier for subject in subjects)
    demand = sum((Fraction(vms, tier.nights) for tier, vms in count.items()), Fraction())
    asked = " and ".join(
        f"{vms:,} of tier {tier.name} every {tier.nights} nights"
        for tier, vms in sorted(count.items(), key=lambda pair: pair[0].name)
    )
    where = str(place) if place else "All VMs"
    # Rounded apart, so that too much never looks like just enough.
    asks, has = f"{ceil(demand * 10) / 10:g}", f"{floor(room * 10) / 10:g}"
    words = f"{where}: {asked} ask for {asks} a night; there is room for {has} ({how})"
    return Load(place, demand, room, words)
