"""
Rung 1: whether the restored disks are those that the recovery point recorded, and which goes where.

What was recorded comes from the blobs that the restore leaves, and from the point itself; what is
not recorded is not compared, and that is said.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from vmbackup_core.domain.drill.facts import AttachedDisk, DiskFacts, Recipe, RecipeDisk
from vmbackup_core.domain.drill.points import PointFacts
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.facts import DiskExclusion

# The service's names for restored data disks (inferred: AZURE: a VM from restored disks). Public
# exports show 000 and 001 at LUNs 0 and 1, and 002 and 003 at LUNs 6 and 7 of one machine: counted
# up in the order of LUNs, as it seems.
_NUMBERED = re.compile(r"-datadisk-(\d{3})-\d{8}-\d{6}$", re.I)

_result = partial(RungResult, Rung.DISKS)


@dataclass(frozen=True, slots=True)
class Attachment:
    """Which disk is the system, and which data disk goes to which LUN; `told_by` says how known."""

    os_disk: AttachedDisk
    data_disks: tuple[AttachedDisk, ...]
    told_by: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """A place of the machine with the disk that takes it."""

    place: str
    recorded_gb: int | None
    recorded_set: str
    disk: DiskFacts


@dataclass(frozen=True, slots=True)
class _Matched:
    system: DiskFacts
    data: tuple[tuple[RecipeDisk, DiskFacts], ...]
    left_out: tuple[RecipeDisk, ...]
    told_by: str


type Untold = tuple[str, ...]


def recorded(recipe: Recipe) -> bool:
    """Tell whether the recipe says anything of the machine's disks."""
    return bool(recipe.os_type or recipe.os_disk_id or recipe.os_size_gb or recipe.disks)


def plan_attachment(
    recipe: Recipe, disks: tuple[DiskFacts, ...], *, exclusion: DiskExclusion | None = None
) -> Attachment | Untold:
    """
    Return which disk goes to which LUN with which caching, or in words why that is not known.

    `disks` are those that the restore made; `exclusion` is what the backup leaves out. A disk is
    known by its id in the recipe, else by the service's own names; never by a guess.
    """
    matched = _match(recipe, disks, exclusion)
    if not isinstance(matched, _Matched):
        return matched
    return Attachment(
        AttachedDisk(matched.system.id, None, recipe.os_caching),
        tuple(AttachedDisk(disk.id, kept.lun, kept.caching) for kept, disk in matched.data),
        matched.told_by,
    )


def judge_disks(
    recipe: Recipe,
    disks: tuple[DiskFacts, ...],
    *,
    exclusion: DiskExclusion | None = None,
    point: PointFacts | None = None,
) -> RungResult:
    """
    Compare the restored disks with what the recovery point recorded; every difference is named.

    Never passes where nothing was recorded, or where it is not known which disk is which.
    """
    if not recorded(recipe):
        return _result(Mark.NOT_RUN, ProofReason.NO_RECIPE)
    if not recipe.disks_told and len(disks) > 1:
        words = f"what was recorded does not tell of data disks, and {len(disks) - 1} were restored"
        return _result(Mark.NOT_RUN, ProofReason.DISKS_UNTOLD, (words,))
    if wrong := _wrong_number(recipe, disks, exclusion):
        return _result(Mark.FAIL, ProofReason.DISKS_DIFFER, wrong)
    matched = _match(recipe, disks, exclusion)
    if not isinstance(matched, _Matched):
        return _result(Mark.NOT_RUN, ProofReason.DISKS_UNTOLD, matched)
    pairs = [_Pair("OS disk", recipe.os_size_gb, recipe.os_encryption_set, matched.system)]
    pairs += [
        _Pair(f"LUN {kept.lun}", kept.size_gb, kept.encryption_set, disk)
        for kept, disk in matched.data
    ]
    compared = (
        {"number": _missing(matched, _expected(recipe, exclusion)) if recipe.disks_told else None}
        | _compare_system(recipe, point, matched.system)
        | _compare_pairs(pairs)
    )
    if differ := tuple(words for found in compared.values() for words in found or ()):
        return _result(Mark.FAIL, ProofReason.DISKS_DIFFER, differ)
    return _result(Mark.PASS, ProofReason.DISKS_MATCH, _told(matched, compared))


def _match(
    recipe: Recipe, disks: tuple[DiskFacts, ...], exclusion: DiskExclusion | None
) -> _Matched | Untold:
    system = _system_disk(recipe, disks)
    if system is None:
        return ("which disk is the OS disk is not known",)
    luns = [kept.lun for kept in recipe.disks]
    if len(set(luns)) < len(luns):
        return ("what was recorded names a LUN twice",)
    data = tuple(disk for disk in disks if disk.id.lower() != system.id.lower())
    by_id = {disk.id.lower(): disk for disk in data}
    named = [(kept, by_id[kept.disk_id.lower()]) for kept in recipe.disks if kept.disk_id in by_id]
    if len({disk.id for _, disk in named}) == len(named) == len(data):
        taken = {kept.lun for kept, _ in named}
        rest = tuple(kept for kept in recipe.disks if kept.lun not in taken)
        return _Matched(system, _by_lun(named), rest, "their ids")
    if named:
        return ("only some of the restored disks are named in what was recorded",)
    return _match_by_names(recipe, system, data, exclusion)


def _match_by_names(
    recipe: Recipe,
    system: DiskFacts,
    data: tuple[DiskFacts, ...],
    exclusion: DiskExclusion | None,
) -> _Matched | Untold:
    """
    Match by the numbers in the disks' names.

    Sound whether the service counts LUNs or places in its list, as long as the list is in the order
    of LUNs.
    """
    numbers = {int(found[1]): disk for disk in data if (found := _NUMBERED.search(disk.name))}
    if len(numbers) < len(data):
        return ("the names of the restored disks do not tell which is which",)
    kept = _expected(recipe, exclusion)
    kept = kept if len(kept) == len(data) else recipe.disks
    if any(one.lun > other.lun for one, other in pairwise(recipe.disks)):
        return ("the disks were recorded in another order than that of their LUNs",)
    if len(kept) != len(data):
        return (f"{len(recipe.disks)} data disks were recorded, and {len(data)} restored",)
    ordered = [numbers[number] for number in sorted(numbers)]
    left_out = tuple(one for one in recipe.disks if one not in kept)
    return _Matched(system, tuple(zip(kept, ordered, strict=True)), left_out, "their names")


def _system_disk(recipe: Recipe, disks: tuple[DiskFacts, ...]) -> DiskFacts | None:
    """Return the disk that the recipe names, else the only one that has a system on it."""
    named = [disk for disk in disks if disk.id.lower() == recipe.os_disk_id.lower()]
    with_system = named or [disk for disk in disks if disk.os_type]
    return with_system[0] if len(with_system) == 1 else None


def _expected(recipe: Recipe, exclusion: DiskExclusion | None) -> tuple[RecipeDisk, ...]:
    """Return the recorded data disks that the backup takes."""
    if exclusion is None:
        return recipe.disks
    return tuple(d for d in recipe.disks if (d.lun in exclusion.luns) is exclusion.including)


def _wrong_number(
    recipe: Recipe, disks: tuple[DiskFacts, ...], exclusion: DiskExclusion | None
) -> tuple[str, ...]:
    """
    Say what is wrong with how many disks there are.

    A disk that is excluded today may have been in the backup when the point was taken.
    """
    if not disks:
        return ("no disk was restored",)
    least, most = len(_expected(recipe, exclusion)), len(recipe.disks)
    restored = len(disks) - 1  # One is the OS disk.
    if least <= restored <= most:
        return ()
    excluded = f", of which {most - least} are left out of the backup" if most > least else ""
    return (f"{most} data disks were recorded{excluded}, and {restored} restored",)


type Found = tuple[str, ...] | None  # The differences; None where nothing was recorded.


def _missing(matched: _Matched, expected: tuple[RecipeDisk, ...]) -> Found:
    """Say which disks were not restored though the backup takes them."""
    return tuple(
        f"LUN {kept.lun}: recorded, and not restored"
        for kept in matched.left_out
        if kept in expected
    )


def _compare_system(
    recipe: Recipe, point: PointFacts | None, system: DiskFacts
) -> dict[str, Found]:
    os_type = recipe.os_type or (point.os_type if point else "")
    security = recipe.security or (point.security if point else "")
    return {
        "OS type": _compare("OS type", os_type, system.os_type, str.lower),
        "generation": _compare("generation", recipe.generation, system.generation, str.lower),
        "security type": _compare("security type", security, system.security, _security),
    }


def _compare_pairs(pairs: Iterable[_Pair]) -> dict[str, Found]:
    pairs = tuple(pairs)
    sizes = tuple(
        f"{pair.place}: {pair.recorded_gb} GB were recorded, and {pair.disk.size_gb} restored"
        for pair in pairs
        if pair.recorded_gb not in (None, pair.disk.size_gb)
    )
    keys = tuple(
        words
        for pair in pairs
        for words in _compare(
            f"{pair.place}: encryption set", pair.recorded_set, pair.disk.encryption_set, str.lower
        )
        or ()
    )
    return {
        "sizes": None if any(pair.recorded_gb is None for pair in pairs) and not sizes else sizes,
        "encryption": keys if any(pair.recorded_set for pair in pairs) else None,
    }


def _compare(what: str, was: str, now: str, form: Callable[[str], str]) -> Found:
    if not was:
        return None
    return () if form(was) == form(now) else (f"{what}: {was} was recorded, and {now or '-'} is",)


def _security(raw: str) -> str:
    """Return a security type in one form: machines and disks spell the confidential one apart."""
    low = raw.lower()
    if low.startswith("confidentialvm"):
        return "confidentialvm"
    return "" if low in ("standard", "none") else low


def _by_lun(
    pairs: Iterable[tuple[RecipeDisk, DiskFacts]],
) -> tuple[tuple[RecipeDisk, DiskFacts], ...]:
    return tuple(sorted(pairs, key=lambda pair: pair[0].lun))


def _told(matched: _Matched, compared: dict[str, Found]) -> tuple[str, ...]:
    """Say what was compared, and what could not be."""
    alike = [what for what, found in compared.items() if found is not None]
    unsaid = [what for what, found in compared.items() if found is None]
    luns = ", ".join(str(kept.lun) for kept, _ in matched.data) or "none"
    words = [
        f"1 OS disk and {len(matched.data)} data disks (LUNs: {luns}), told by {matched.told_by}",
        f"alike: {', '.join(alike) or 'nothing else'}",
    ]
    if unsaid:
        words.append(f"not recorded, so not compared: {', '.join(unsaid)}")
    if matched.left_out:
        left = ", ".join(str(disk.lun) for disk in matched.left_out)
        words.append(f"left out of the backup: LUN {left}")
    return tuple(words)
