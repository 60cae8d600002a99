"""A place of restore tests on a simulated Azure, as deployment makes it."""

from collections.abc import Mapping
from typing import Any

from azsim.networks import Network, Subnet
from azsim.world import World
from vmbackup_core.domain.slots import NETWORK, Place, Slot

SHUT: tuple[Mapping[str, Any], ...] = tuple(
    {
        "name": f"deny-{direction.lower()}",
        "priority": 4096,
        "direction": direction,
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    }
    for direction in ("Inbound", "Outbound")
)
AGENT: Mapping[str, Any] = SHUT[1] | {
    "name": "agent",
    "priority": 100,
    "access": "Allow",
    "protocol": "Tcp",
    "destinationAddressPrefix": "168.63.129.16",
    "destinationPortRange": None,
    "destinationPortRanges": ["80", "32526"],
}


def guard_name(slot: Slot) -> str:
    return f"slot-{slot.number}"


def make_place(
    world: World, place: Place, slots: int = 1, *, rules: tuple[Mapping[str, Any], ...] = SHUT
) -> Network:
    """Make the groups, the network and a guard for each slot; no staging account."""
    subnets = []
    for number in range(1, slots + 1):
        slot = Slot(place, number)
        world.groups.ensure(place.subscription, slot.group, place.location)
        guard = world.networks.parts.security_group(
            place.subscription, place.group, guard_name(slot), place.location, rules
        )
        model = {"networkSecurityGroup": {"id": guard.id}, "defaultOutboundAccess": False}
        subnets.append(Subnet(f"slot-{number}", f"10.255.{number}.0/28", model))
    return world.networks.create(
        place.subscription,
        place.group,
        NETWORK,
        place.location,
        prefixes=("10.255.0.0/16",),
        subnets=subnets,
    )
