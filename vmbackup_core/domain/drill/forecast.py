"""
What the measured restore tests say of recoveries to come: which was slow, and how long it would
take to restore a whole tier. The latter is an estimate, and says what it rests on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from heapq import heapreplace

from vmbackup_core.domain.drill.reckoning import Subject
from vmbackup_core.domain.drill.rules import Measure, Past, Tier
from vmbackup_core.domain.drill.slots import Place

OF_LAST = 5  # So many measurements one is compared with.
SLOWER = 1.3  # Times the median of those before it.
FEWEST = 3  # With fewer measurements before it, nothing is called slow.


@dataclass(frozen=True, slots=True)
class Slow:
    """A recovery that took notably longer than the VM's recoveries of its kind before it."""

    rto: timedelta
    median: timedelta
    of: int

    def __str__(self) -> str:
        times = self.rto / self.median
        return f"{times:.1f} times the median of the last {self.of} ({self.median})"


@dataclass(frozen=True, slots=True)
class Spread:
    """How recovery times lie: the median and the longest, over `of` of them."""

    p50: timedelta
    longest: timedelta
    of: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """
    How long a mass restore of one tier would take, either from snapshots or from the vault.

    Of `vms`, `measured` have a measurement of their own; the others are taken for the tier's
    median. `at_once` are restored side by side in each subscription and region, and all places at
    the same time. It takes at least `least`, however the order is chosen, and `reckoned` where the
    longest go first. Neither knows whether Azure is as fast when more is restored than ever was in
    a test, what people need to decide and to connect again, or quotas.
    """

    tier: str
    from_vault: bool
    vms: int
    measured: int
    at_once: int
    least: timedelta
    reckoned: timedelta
    spread: Spread

    @property
    def words(self) -> str:
        kind = "the vault" if self.from_vault else "snapshots"
        return (
            f"Tier {self.tier} from {kind}: about {_spoken(self.reckoned)} for"
            f" {_vms(self.vms)}, {self.at_once} at once in each subscription and region (not under"
            f" {_spoken(self.least)}). Estimated from {_vms(self.measured)} measured (median"
            f" {_spoken(self.spread.p50)}, longest {_spoken(self.spread.longest)}); whether Azure"
            " restores as fast when more is restored at once is not known."
        )


def find_slow(measure: Measure, before: Past) -> Slow | None:
    """
    Return how much slower a recovery was than the median of the last OF_LAST; None where it was
    not, or where too few came before it to tell.

    Compared are recoveries of the same kind (snapshot or vault) on the source's own size.
    """
    if measure.rto is None or not measure.comparable:
        return None
    rtos = _rtos(before.measured, from_vault=measure.from_vault)[-OF_LAST:]
    if len(rtos) < FEWEST:
        return None
    median = _median(rtos)
    return Slow(measure.rto, median, len(rtos)) if measure.rto > SLOWER * median else None


def slow_of(past: Past) -> tuple[Slow, ...]:
    """Return whether the last recovery of each kind was slow, by those before it."""
    found = []
    for from_vault in (False, True):
        alike = [one for one in past.measured if one.from_vault is from_vault]
        if alike and (slow := find_slow(alike[-1], replace(past, measured=tuple(alike[:-1])))):
            found.append(slow)
    return tuple(found)


def find_spread(rtos: Iterable[timedelta]) -> Spread | None:
    """Return how recovery times lie, None where there are none."""
    found = sorted(rtos)
    return Spread(_median(found), found[-1], len(found)) if found else None


def forecast(
    tier: Tier, subjects: Iterable[Subject], at_once: int, *, from_vault: bool
) -> Forecast | None:
    """
    Return how long it would take to restore all VMs of `tier`; None where nothing was measured.

    Each VM counts with the median of its own recoveries. A place with n VMs and k at once takes at
    least the larger of its longest recovery and the sum of all by k.
    """
    group = [subject for subject in subjects if subject.tier.name == tier.name]
    own = {
        subject.vm.id: _median(rtos)
        for subject in group
        if (rtos := _rtos(subject.past.measured, from_vault=from_vault))
    }
    spread = find_spread(own.values())
    if spread is None:
        return None
    by_place: dict[Place, list[timedelta]] = {}
    for subject in group:
        rto = own.get(subject.vm.id, spread.p50)
        by_place.setdefault(subject.place, []).append(rto)
    return Forecast(
        tier.name,
        from_vault,
        len(group),
        len(own),
        at_once,
        max(max(max(rtos), sum(rtos, timedelta(0)) / at_once) for rtos in by_place.values()),
        max(_longest_first(rtos, at_once) for rtos in by_place.values()),
        spread,
    )


def _longest_first(rtos: list[timedelta], at_once: int) -> timedelta:
    """Return when the last one ends, if each free lane takes the longest that is left."""
    lanes = [timedelta(0)] * at_once
    for rto in sorted(rtos, reverse=True):
        heapreplace(lanes, lanes[0] + rto)
    return max(lanes)


def _rtos(measures: Iterable[Measure], *, from_vault: bool) -> list[timedelta]:
    return [
        one.rto
        for one in measures
        if one.rto is not None and one.comparable and one.from_vault is from_vault
    ]


def _median(rtos: Iterable[timedelta]) -> timedelta:
    """Return the middle one; of two in the middle the longer, to be on the safe side."""
    found = sorted(rtos)
    return found[len(found) // 2]


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count:,} VMs"


def _spoken(span: timedelta) -> str:
    minutes = -(-span // timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
