"""VM sizes and quotas as Azure writes them: nearly everything is a text."""

from collections.abc import Iterable

from vmbackup_core.adapters.wire import Json, at, entries, place, text
from vmbackup_core.domain.drill.sizes import REGIONAL, SCSI, SizeFacts, Usage

VIRTUAL_MACHINES = "virtualmachines"
# Kinds of confidential computing that make a confidential VM; SGX is another thing.
_CONFIDENTIAL = ("snp", "tdx")


def parse_size(sku: Json, location: str) -> SizeFacts | None:
    """
    Read an entry of the list of SKUs as a size of `location`.

    None for entries of other resource types and those without vCPUs and memory. Of a size with
    constrained vCPUs all are counted.
    """
    if text(sku, "resourceType").lower() != VIRTUAL_MACHINES or not text(sku, "name"):
        return None
    told = {text(one, "name").lower(): text(one, "value") for one in entries(sku, "capabilities")}
    vcpus, memory = _number(told.get("vcpus", "")), _number(told.get("memorygb", ""))
    if not vcpus or not memory:
        return None
    infos = entries(sku, "locationInfo")
    here = next((info for info in infos if place(text(info, "location")) == location), None)
    held = [one for one in entries(sku, "restrictions") if _concerns(one, location)]
    barred = {zone for one in held for zone in _texts(entries(one, "restrictionInfo", "zones"))}
    zones = sorted(set(_texts(entries(here, "zones"))) - barred)
    return SizeFacts(
        name=text(sku, "name"),
        family=text(sku, "family"),
        vcpus=int(vcpus),
        memory_gb=memory,
        max_data_disks=int(_number(told.get("maxdatadiskcount", ""))),
        generations=_listed(told.get("hypervgenerations", "")),
        architecture=told.get("cpuarchitecturetype") or "x64",
        controllers=_listed(told.get("diskcontrollertypes", "")) or (SCSI,),
        premium=_is_true(told.get("premiumio", "")),
        ultra=_is_true(told.get("ultrassdavailable", "")),
        ultra_zones=tuple(zone for zone in zones if zone in _ultra_zones(here)),
        trusted_launch=not _is_true(told.get("trustedlaunchdisabled", "")),
        confidential=told.get("confidentialcomputingtype", "").lower() in _CONFIDENTIAL,
        zones=tuple(zones),
        restricted=_restricted(held),
    )


def parse_usage(line: Json) -> Usage | None:
    """Read a line of the list of usages; None where it is no quota of vCPUs."""
    name = text(line, "name", "value")
    used, limit = at(line, "currentValue"), at(line, "limit")
    counts_vcpus = name == REGIONAL or name.lower().endswith("family")
    if not counts_vcpus or not isinstance(used, int) or not isinstance(limit, int):
        return None
    return Usage(name, used, limit)


def _concerns(restriction: Json, location: str) -> bool:
    told = _texts(entries(restriction, "restrictionInfo", "locations"))
    told = told or _texts(entries(restriction, "values"))
    return not told or location in map(place, told)


def _restricted(held: Iterable[Json]) -> str:
    """Say why the whole location is barred; a restriction of zones alone bars those (learn)."""
    for one in held:
        if text(one, "type").lower() != "zone":
            return f"this subscription may not use it here ({text(one, 'reasonCode')})"
    return ""


def _ultra_zones(here: Json) -> set[str]:
    found = set[str]()
    for detail in entries(here, "zoneDetails"):
        able = {text(one, "name"): text(one, "value") for one in entries(detail, "capabilities")}
        if _is_true(able.get("UltraSSDAvailable", "")):
            found.update(_texts(entries(detail, "Name") or entries(detail, "name")))
    return found


def _texts(found: Iterable[Json]) -> list[str]:
    return [one for one in found if isinstance(one, str)]


def _listed(written: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in written.split(",") if part.strip())


def _is_true(written: str) -> bool:
    return written.lower() == "true"


def _number(written: str) -> float:
    """Return the number that a text says, 0 where it says none."""
    try:
        return float(written)
    except ValueError:
        return 0
