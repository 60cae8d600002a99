"""
Which size a copy gets: the smallest of the configured ones that fits, else its source's.

Whether a size fits is told by the SKU list and by what the copy's disks are; whether there is room
for it by the vCPU quotas, of which a share stays free for the users of the subscription.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from itertools import chain

from vmbackup_core.domain.drill.facts import DiskFacts

REGIONAL = "cores"  # What Azure calls the quota of all vCPUs of a region.
SCSI = "SCSI"  # The controller where a disk or a size says nothing (learn: NVMe FAQ).
_TRUSTED = "trustedlaunch"
_CONFIDENTIAL = "confidentialvm"


@dataclass(frozen=True, slots=True)
class SizeFacts:
    """
    One VM size of a region, as the SKU list has it.

    `zones` are those in which this subscription may use it, `ultra_zones` those with ultra disks
    (`ultra` where no zone is asked for). `restricted` says why the subscription may not use it in
    the region at all, "" where it may.
    """

    name: str
    family: str
    vcpus: int
    memory_gb: float
    max_data_disks: int = 0
    generations: tuple[str, ...] = ("V1", "V2")
    architecture: str = "x64"
    controllers: tuple[str, ...] = (SCSI,)
    premium: bool = True
    ultra: bool = False
    ultra_zones: tuple[str, ...] = ()
    trusted_launch: bool = True
    confidential: bool = False
    zones: tuple[str, ...] = ()
    restricted: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """A vCPU quota: `name` is a family's, or `cores` for the whole region."""

    name: str
    used: int
    limit: int

    def room(self, free_share: float) -> int:
        """Return how many vCPUs more leave `free_share` of the limit free; never below 0."""
        reserve = Decimal(self.limit) * Decimal(str(free_share))
        kept = int(reserve.to_integral_value(ROUND_CEILING))
        return max(0, self.limit - kept - self.used)


@dataclass(frozen=True, slots=True)
class Needs:
    """
    What a copy asks of its size.

    It must boot every one of `generations` and have one of `controllers`. Where these or the
    architecture are empty they are not told, and taken to be those of the source's size.
    """

    generations: tuple[str, ...] = ()
    architecture: str = ""
    security: str = ""
    controllers: tuple[str, ...] = ()
    premium: bool = False
    ultra: bool = False
    data_disks: int = 0
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SizeChoice:
    """
    The size to take; `comparable` says that it is the source's, so that its times tell of it.

    `controller` is the disk controller to ask for, "" where Azure's own choice is right. `passed`
    names each size that was passed over and why.
    """

    name: str
    vcpus: int
    memory_gb: float
    comparable: bool
    controller: str = ""
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoSize:
    """No size; `because` names each and why. `for_quota`: only for want of free vCPUs."""

    because: tuple[str, ...]
    for_quota: bool = False


def needs_of(disks: Iterable[DiskFacts], zones: Sequence[str] = ()) -> Needs:
    """
    Return what a machine made of these disks needs: the OS disk is the one with an `os_type`.

    `zones` is where the machine must be whatever its disks say; a zonal disk asks for its own.
    """
    all_disks = tuple(disks)
    data = [disk for disk in all_disks if not disk.os_type]
    asked = chain(zones, *(disk.zones for disk in all_disks))
    needs = Needs(
        premium=any(disk.sku.lower().startswith("premium") for disk in all_disks),
        ultra=any(disk.sku.lower().startswith("ultra") for disk in all_disks),
        data_disks=len(data),
        zones=tuple(dict.fromkeys(asked)),
    )
    for disk in all_disks:
        if disk.os_type:
            return replace(
                needs,
                generations=(disk.generation,) if disk.generation else (),
                architecture=disk.architecture,
                security=disk.security,
                controllers=disk.controllers,
            )
    return needs


def choose_size(
    wanted: Needs,
    source: str,
    listed: Sequence[str],
    sizes: Iterable[SizeFacts],
    usages: Iterable[Usage],
    *,
    memory_share: float,
    free_quota: float,
) -> SizeChoice | NoSize:
    """
    Return the smallest of the `listed` sizes that fits, else `source` where that one does.

    Smallest is that with the fewest vCPUs, then the least memory. One with less than
    `memory_share` of the source's memory does not fit: a system short of memory fails for another
    reason than its backup. After the choice at least `free_quota` of the regional and the family's
    vCPU quota is free. Both shares are between 0 and 1.
    """
    known = {size.name.lower(): size for size in sizes}
    quotas = {usage.name.lower(): usage for usage in usages}
    own = known.get(source.lower())
    case = _Case(_completed(wanted, own), own, source, memory_share, quotas, free_quota)
    missing = [name for name in listed if name.lower() not in known]
    candidates = [known[name.lower()] for name in listed if name.lower() in known]
    candidates.sort(key=lambda size: (size.vcpus, size.memory_gb))
    if own is None:
        missing.append(source or "the size of the source")
    elif own not in candidates:
        candidates.append(own)
    passed = [f"{name}: is not offered in this region" for name in dict.fromkeys(missing)]
    for_quota = False
    for size in dict.fromkeys(candidates):
        if why := case.misfit(size):
            passed.append(f"{size.name}: {why}")
        elif why := case.no_room(size):
            passed.append(f"{size.name}: {why}")
            for_quota = True
        else:
            return SizeChoice(
                size.name,
                size.vcpus,
                size.memory_gb,
                comparable=size is own,
                controller=case.controller(size),
                passed=tuple(passed),
            )
    return NoSize(tuple(passed), for_quota)


def room_for(usages: Iterable[Usage], free_quota: float, family: str = "") -> int:
    """
    Return how many vCPUs of restore tests fit into a region at once, beside what is there.

    Of `family` where it is given, which the region bounds as well; 0 where the region's own quota
    is not told.
    """
    quotas = {usage.name.lower(): usage.room(free_quota) for usage in usages}
    regional = quotas.get(REGIONAL, 0)
    return min(regional, quotas.get(family.lower(), regional))


@dataclass(frozen=True, slots=True)
class _Case:
    """One copy to find a size for."""

    needs: Needs
    own: SizeFacts | None
    source: str
    memory_share: float
    quotas: Mapping[str, Usage]
    free_quota: float

    def misfit(self, size: SizeFacts) -> str:
        """Return why `size` cannot run the copy, "" where it can."""
        checks = (check(self.needs, size) for check in _CHECKS)
        return next((why for why in checks if why), "") or self._too_small(size)

    def _too_small(self, size: SizeFacts) -> str:
        if size is self.own or not self.memory_share:
            return ""
        if self.own is None:
            return f"the memory of {self.source or 'the source'} is not known to compare with"
        least = self.own.memory_gb * self.memory_share
        if size.memory_gb >= least:
            return ""
        return f"{size.memory_gb:g} GB of memory, of which {least:g} GB are asked for"

    def no_room(self, size: SizeFacts) -> str:
        """Return which quota would not keep its free share, "" where all do."""
        regional = self.quotas.get(REGIONAL)
        if regional is None:
            return "the region's quota of vCPUs is not told"
        family = self.quotas.get(size.family.lower())
        for quota in (regional, family):
            if quota is not None and size.vcpus > quota.room(self.free_quota):
                return (
                    f"{size.vcpus} vCPUs would leave less than {self.free_quota:.0%} of the quota "
                    f"{quota.name} free: {quota.used} of {quota.limit} are used"
                )
        return ""

    def controller(self, size: SizeFacts) -> str:
        """Return what to ask for: nothing where SCSI, Azure's own choice, is what both have."""
        shared = _shared_controllers(self.needs, size)
        return "" if SCSI.lower() in shared else shared[0]


def _completed(wanted: Needs, own: SizeFacts | None) -> Needs:
    """Fill in from the source's size what the disks do not tell: the source ran on it."""
    if own is None:
        return wanted
    return replace(
        wanted,
        generations=wanted.generations or own.generations,
        architecture=wanted.architecture or own.architecture,
        controllers=wanted.controllers or own.controllers,
    )


def _shared_controllers(needs: Needs, size: SizeFacts) -> tuple[str, ...]:
    has = {name.lower(): name for name in size.controllers or (SCSI,)}
    asked = [name.lower() for name in needs.controllers or (SCSI,)]
    both = [name for name in asked if name in has]
    return (SCSI.lower(),) if SCSI.lower() in both else tuple(has[name] for name in both)


def _restriction(_needs: Needs, size: SizeFacts) -> str:
    return size.restricted


def _generation(needs: Needs, size: SizeFacts) -> str:
    lacking = [name for name in needs.generations if name not in size.generations]
    return f"does not boot generation {', '.join(lacking)}" if lacking else ""


def _architecture(needs: Needs, size: SizeFacts) -> str:
    asked = needs.architecture or "x64"
    return "" if asked.lower() == size.architecture.lower() else f"is no {asked} machine"


def _security(needs: Needs, size: SizeFacts) -> str:
    asked = needs.security.lower()
    if asked == _TRUSTED and not size.trusted_launch:
        return "has no trusted launch"
    if asked.startswith(_CONFIDENTIAL) and not size.confidential:
        return "is no confidential VM"
    return ""


def _controllers(needs: Needs, size: SizeFacts) -> str:
    if _shared_controllers(needs, size):
        return ""
    return f"has no disk controller {' or '.join(needs.controllers or (SCSI,))}"


def _premium(needs: Needs, size: SizeFacts) -> str:
    return "takes no premium disks" if needs.premium and not size.premium else ""


def _ultra(needs: Needs, size: SizeFacts) -> str:
    there = set(needs.zones) <= set(size.ultra_zones) if needs.zones else size.ultra
    return "takes no ultra disks here" if needs.ultra and not there else ""


def _data_disks(needs: Needs, size: SizeFacts) -> str:
    if needs.data_disks <= size.max_data_disks:
        return ""
    return f"takes {size.max_data_disks} data disks, of which there are {needs.data_disks}"


def _zones(needs: Needs, size: SizeFacts) -> str:
    lacking = [zone for zone in needs.zones if zone not in size.zones]
    return f"is not offered in zone {', '.join(lacking)}" if lacking else ""


_CHECKS: tuple[Callable[[Needs, SizeFacts], str], ...] = (
    _restriction,
    _generation,
    _architecture,
    _security,
    _controllers,
    _premium,
    _ultra,
    _data_disks,
    _zones,
)
