"""
Which VM sizes a subscription may use where, and how many vCPUs: SKUs, restrictions and quotas.

What is used follows from the machines that exist; what may be used is set per world.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azsim.size_list import FAMILIES, SIZES, Size

if TYPE_CHECKING:
    from azsim.machine import Machine
    from azsim.world import World

REGIONAL = "cores"
# models zones-of-regions
_WITHOUT_ZONES = frozenset({"canadaeast", "northcentralus", "ukwest", "westcentralus", "westus"})
ZONES = ("1", "2", "3")
NOT_FOR_YOU = "NotAvailableForSubscription"
# models quota-defaults
_REGIONAL_LIMIT, _FAMILY_LIMIT = 10_000, 5_000  # Guess: more than any estate of tests uses.
_OTHER_LIMITS = {
    "availabilitySets": ("Availability Sets", 2_500),
    "virtualMachineScaleSets": ("Virtual Machine Scale Sets", 2_500),
    "lowPriorityCores": ("Total Regional Spot vCPUs", 100),
}
_MACHINES = 25_000


@dataclass(frozen=True, slots=True)
class Restriction:
    """Why a size may not be used: in the whole location where `zones` is empty."""

    reason: str
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """One line of the list of usages."""

    name: str
    shown: str
    used: int
    limit: int


class Sizes:
    """The sizes of the world; subscriptions, locations and names compare without case."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self._restrictions: dict[tuple[str, str, str], list[Restriction]] = {}
        self._limits: dict[tuple[str, str, str], int] = {}
        self._sold_out: set[tuple[str, str]] = set()

    def restrict(
        self,
        subscription: str,
        location: str,
        size: str,
        *,
        zones: tuple[str, ...] = (),
        reason: str = NOT_FOR_YOU,
    ) -> None:
        """Keep a subscription from a size in a location, or in some of its zones."""
        key = (subscription.lower(), place(location), size.lower())
        self._restrictions.setdefault(key, []).append(Restriction(reason, zones))

    def sell_out(self, location: str, size: str) -> None:
        """Let Azure have no more machines of this size; no list tells."""
        self._sold_out.add((place(location), size.lower()))

    def is_sold_out(self, location: str, size: str) -> bool:
        return (place(location), size.lower()) in self._sold_out

    def quota(self, subscription: str, location: str, family: str, limit: int) -> None:
        """Set a limit of vCPUs: of a family, or of the region (`cores`)."""
        self._limits[subscription.lower(), place(location), family.lower()] = limit

    def find(self, name: str) -> Size | None:
        return SIZES.get(name.lower())

    def restrictions(self, subscription: str, location: str, size: str) -> list[Restriction]:
        key = (subscription.lower(), place(location), size.lower())
        return self._restrictions.get(key, [])

    def zones(self, location: str) -> tuple[str, ...]:
        return () if place(location) in _WITHOUT_ZONES else ZONES

    # models quota-counts
    def usages(self, subscription: str, location: str) -> list[Quota]:
        """Return every quota of a place: a machine counts from its PUT until it is deleted."""
        here = list(self._machines(subscription, location))
        used = Counter[str]()
        for machine in here:
            if (size := self.find(machine.size)) is not None:
                used[size.family] += size.vcpus

        def limit(name: str, default: int) -> int:
            return self._limits.get((subscription.lower(), place(location), name.lower()), default)

        others = [Quota(name, *what) for name, what in _others().items()]
        return [
            *others,
            Quota("virtualMachines", "Virtual Machines", len(here), _MACHINES),
            Quota(REGIONAL, "Total Regional vCPUs", used.total(), limit(REGIONAL, _REGIONAL_LIMIT)),
            *(
                Quota(name, _shown(name), used[name], limit(name, _FAMILY_LIMIT))
                for name in FAMILIES
            ),
        ]

    def _machines(self, subscription: str, location: str) -> Iterator["Machine"]:
        for machine in self.world.machines.in_subscription(subscription):
            if place(machine.location) == place(location):
                yield machine


def place(location: str) -> str:
    """Write a location as Azure compares it."""
    return location.replace(" ", "").lower()


def _others() -> Mapping[str, tuple[str, int, int]]:
    return {name: (shown, 0, limit) for name, (shown, limit) in _OTHER_LIMITS.items()}


def _shown(family: str) -> str:
    """Spell a family's name for people: `standardDSv5Family` is `Standard DSv5 Family vCPUs`."""
    return f"Standard {family[len('standard') : -len('Family')]} Family vCPUs"


# models sku-shape
def shown_size(size: Size, location: str, zones: tuple[str, ...], held: list[Restriction]) -> Any:
    """Write one size as the list of SKUs does (api-version 2021-07-01)."""
    ultra = [{"name": "UltraSSDAvailable", "value": "True"}]
    details = [{"Name": list(zones), "capabilities": ultra}]
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.removeprefix("Standard_"),
        "family": size.family,
        "locations": [location],
        "locationInfo": [
            {
                "location": location,
                "zones": list(zones),
                "zoneDetails": details if size.ultra_in_zones and zones else [],
            }
        ],
        "capabilities": [{"name": n, "value": v} for n, v in _capabilities(size) if v],
        "restrictions": [_restriction(one, location) for one in held],
    }


def _capabilities(size: Size) -> Iterator[tuple[str, str]]:
    yield "vCPUs", str(size.vcpus)
    yield "HyperVGenerations", size.generations
    yield "MemoryGB", f"{size.memory_gb:g}"
    yield "MaxDataDiskCount", str(size.data_disks)
    yield "CpuArchitectureType", size.architecture
    yield "LowPriorityCapable", "True"
    yield "PremiumIO", str(size.premium)
    yield "VMDeploymentTypes", "IaaS"
    yield "vCPUsAvailable", str(size.vcpus)
    yield "DiskControllerTypes", size.controllers
    yield "TrustedLaunchDisabled", "" if size.trusted_launch else "True"
    yield "ConfidentialComputingType", size.confidential


# models sku-restrictions
def _restriction(held: Restriction, location: str) -> Any:
    told: dict[str, Any] = {"locations": [location]}
    if held.zones:
        told["zones"] = list(held.zones)
    return {
        "type": "Zone" if held.zones else "Location",
        "values": [location],
        "restrictionInfo": told,
        "reasonCode": held.reason,
    }
