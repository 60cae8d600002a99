"""
Network interfaces that somebody made: with a machine, from the configurations in its body, or by a
restore to a new machine. They stand for themselves: one outlives its machine unless its
deleteOption is Delete.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.subnets import FIRST_TAKEN, check_room, free_addresses

if TYPE_CHECKING:
    from azsim.machine import Machine
    from azsim.world import World

NIC = "Microsoft.Network/networkInterfaces"


@dataclass(slots=True)
class MadeInterface:
    """
    One interface; `machine` is None while none holds it.

    `public_address` is the id of one that leads to it, `forwards` says that it takes what is not
    meant for it.
    """

    id: str
    location: str
    subnet_id: str
    address: str
    configuration: str
    created: datetime
    security_group: str = ""
    machine: "Machine | None" = None
    public_address: str = ""
    forwards: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def mac(self) -> str:
        digits = hashlib.sha256(self.id.lower().encode()).hexdigest()[:6].upper()
        return f"60-45-BD-{digits[:2]}-{digits[2:4]}-{digits[4:]}"


class Interfaces:
    """The made interfaces of the world; ids compare without case."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.version = 0
        self._made: dict[str, MadeInterface] = {}

    def create(
        self,
        subscription: str,
        group: str,
        name: str,
        location: str,
        subnet_id: str,
        *,
        configuration: str = "ipconfig",
        security_group: str = "",
    ) -> MadeInterface:
        """Make an interface in a subnet, with the first address that is free there."""
        nic = MadeInterface(
            resource_id(subscription, group, NIC, name),
            location,
            subnet_id,
            self._free_address(subnet_id),
            configuration,
            self.world.clock.now(),
            security_group,
        )
        self._made[nic.id.lower()] = nic
        self.version += 1
        return nic

    def find(self, nic_id: str) -> MadeInterface | None:
        return self._made.get(nic_id.lower())

    def in_subscription(self, subscription: str) -> list[MadeInterface]:
        prefix = f"/subscriptions/{subscription}/".lower()
        return [nic for key, nic in self._made.items() if key.startswith(prefix)]

    def inside(self, place_id: str) -> list[MadeInterface]:
        """Return the interfaces in a subnet, or in any subnet of a network."""
        place = f"{place_id}/".lower()
        return [n for n in self._made.values() if f"{n.subnet_id}/".lower().startswith(place)]

    def take(self, machine: "Machine") -> None:
        """Let the machine hold the interfaces that its network profile names."""
        for reference in named_by(machine):
            if (nic := self.find(str(reference.get("id")))) is not None:
                nic.machine = machine

    def let_go(self, machine: "Machine") -> None:
        """Free the interfaces of a machine that is gone; those that go along are deleted."""
        for reference in named_by(machine):
            nic = self.find(str(reference.get("id")))
            if nic is None or nic.machine is not machine:
                continue
            nic.machine = None
            # models nic-goes-along
            if (reference.get("properties") or {}).get("deleteOption") == "Delete":
                self.delete(nic)

    def delete(self, nic: MadeInterface) -> None:
        self._made.pop(nic.id.lower(), None)
        self.version += 1

    def drop_group(self, subscription: str, group: str) -> None:
        for nic in self.in_subscription(subscription):
            if ArmId.parse(nic.id).group.lower() == group.lower():
                self.delete(nic)

    def every(self) -> Iterator[MadeInterface]:
        yield from self._made.values()

    # models nic-address
    def _free_address(self, subnet_id: str) -> str:
        """Return the first free address of a subnet; of one that is not there, one of a guess."""
        networks = self.world.networks
        if (found := networks.subnet(subnet_id)) is None:
            return f"10.0.0.{FIRST_TAKEN + len(self.inside(subnet_id))}"
        check_room(networks, *found, 1)
        return str(next(free_addresses(networks, *found)))


def named_by(machine: "Machine") -> list[dict[str, Any]]:
    """Return the references to interfaces in a machine's network profile."""
    profile = machine.model.get("networkProfile") or {}
    return list(profile.get("networkInterfaces") or ())
