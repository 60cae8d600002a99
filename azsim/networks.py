"""
Virtual networks, and the interfaces of machines: what restores and lists of machines ask for.

A machine whose creator named no interface has one, in a network that its group has in each region
where it has such machines. Nobody made that network: it is there because the machine is, so that
ten thousand machines cost no networks. Its names and addresses are guesses.
"""

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.graph_index import row_of
from azsim.interfaces import NIC, Interfaces, MadeInterface
from azsim.network_parts import PUBLIC_ADDRESS, Parts
from azsim.network_shapes import NETWORK, shown, shown_part
from azsim.subnets import FIRST_TAKEN, Subnet

if TYPE_CHECKING:
    from azsim.machine import Machine
    from azsim.world import World

# models network-takes
_TAKES = (3, 12)  # Seconds until a network is there; recorded: between two looks 10 s apart.


@dataclass(slots=True)
class Network:
    """
    One virtual network; `settled_at` is when the last write of it is done.

    `inside` are the addresses in its first subnet of machines whose creator named no interface.
    `peerings` are written as ARM does, by name. `admin_rules` and `connections` are what a network
    manager has applied to it, as its own lists write them.
    """

    id: str
    location: str
    prefixes: tuple[str, ...]
    subnets: tuple[Subnet, ...]
    created: datetime
    settled_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    guarded_from_floods: bool = False
    version: int = 1
    inside: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    peerings: dict[str, dict[str, Any]] = field(default_factory=dict)
    admin_rules: list[dict[str, Any]] = field(default_factory=list)
    connections: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True)
class Interface:
    """The network interface of a machine that asked for none of its own."""

    id: str
    machine: "Machine"
    subnet_id: str
    address: str

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def location(self) -> str:
        return self.machine.location

    @property
    def mac(self) -> str:
        digits = hashlib.sha256(self.machine.vm_id.encode()).hexdigest()[:6].upper()
        return f"60-45-BD-{digits[:2]}-{digits[2:4]}-{digits[4:]}"


@dataclass(frozen=True, slots=True)
class Operation:
    """A write that goes on until `ends`."""

    id: str
    ends: datetime


class Networks:
    """The networks of the world; names compare without case."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.interfaces = Interfaces(world)
        self.parts = Parts(world)
        self._version = 0
        self._made: dict[str, Network] = {}
        self._addresses: dict[str, dict[str, int]] = {}
        self._operations: dict[str, Operation] = {}

    @property
    def version(self) -> int:
        """Rises with each change of what Resource Graph shows of networks."""
        return self._version + self.parts.version

    def changed(self, network: Network, takes: timedelta = timedelta()) -> None:
        """Record that a network, or something of it, was written to."""
        network.version += 1
        network.settled_at = self.world.clock.now() + takes
        self._version += 1

    def create(
        self,
        subscription: str,
        group: str,
        name: str,
        location: str,
        *,
        prefixes: Sequence[str] = ("10.0.0.0/16",),
        subnets: Sequence[Subnet] = (Subnet("default", "10.0.0.0/24"),),
        tags: Mapping[str, str] | None = None,
        dns_servers: Sequence[str] = (),
        takes: timedelta = timedelta(),
    ) -> Network:
        """Make or rewrite a network, and its group where that is missing."""
        place = self.world.groups.ensure(subscription, group, location)
        network_id = resource_id(place.subscription, place.name, NETWORK, name)
        settled = self.world.clock.now() + takes
        known = self._made.get(network_id.lower())
        network = Network(
            known.id if known else network_id,
            location,
            tuple(prefixes),
            tuple(subnets),
            known.created if known else self.world.clock.now(),
            settled,
            dict(tags or {}),
            version=known.version + 1 if known else 1,
            dns_servers=tuple(dns_servers),
        )
        if known is not None:
            network.admin_rules, network.connections = known.admin_rules, known.connections
            network.peerings = known.peerings
        self._made[network_id.lower()] = network
        self._version += 1
        return network

    def subnet(self, subnet_id: str) -> tuple[Network, Subnet] | None:
        """Return a subnet with its network; None where it is not there."""
        network_id, _, name = subnet_id.partition("/subnets/")
        network = self.find(network_id) if name else None
        there = network.subnets if network else ()
        found = next((s for s in there if s.name.lower() == name.lower()), None)
        return (network, found) if network is not None and found is not None else None

    def set_subnet(self, network: Network, subnet: Subnet, takes: timedelta = timedelta()) -> None:
        """Add a subnet to a network that somebody made, or rewrite it."""
        kept = [s for s in network.subnets if s.name.lower() != subnet.name.lower()]
        place = next(
            (n for n, s in enumerate(network.subnets) if s.name.lower() == subnet.name.lower()),
            len(kept),
        )
        network.subnets = (*kept[:place], subnet, *kept[place:])
        self.changed(network, takes)

    def peer(self, network: Network, name: str, remote_id: str, state: str = "Connected") -> None:
        """Let a network be peered with another, as its own side has it."""
        network.peerings[name] = {
            "remoteVirtualNetwork": {"id": remote_id},
            "peeringState": state,
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": False,
            "allowGatewayTransit": False,
            "useRemoteGateways": False,
        }
        self.changed(network)

    def expose(self, nic: MadeInterface) -> None:
        """Give an interface a public address of its own."""
        parsed = ArmId.parse(nic.id)
        name = f"{nic.name}-public"
        address = self.parts.create(
            parsed.subscription, parsed.group, PUBLIC_ADDRESS, name, nic.location
        )
        address.sku = {"name": "Standard", "tier": "Regional"}
        address.properties["ipConfiguration"] = {
            "id": f"{nic.id}/ipConfigurations/{nic.configuration}"
        }
        nic.public_address = address.id

    def span(self) -> timedelta:
        """Draw how long a write takes."""
        low, high = _TAKES
        return timedelta(milliseconds=self.world.rng.randint(low * 1000, high * 1000))

    def open(self, ends: datetime) -> Operation:
        operation = Operation(self.world.new_id(), ends)
        self._operations[operation.id] = operation
        return operation

    def operation(self, operation_id: str) -> Operation | None:
        return self._operations.get(operation_id.lower())

    def find(self, network_id: str) -> Network | None:
        """Return the network with this id; None where there is none."""
        if (made := self._made.get(network_id.lower())) is not None:
            return made
        parsed = ArmId.parse(network_id)
        there = self._implied(parsed.subscription, parsed.group)
        return next((n for n in there if n.name.lower() == parsed.name.lower()), None)

    def in_subscription(self, subscription: str) -> list[Network]:
        """Return the networks that somebody made."""
        return [n for n in self._made.values() if _sub(n.id) == subscription.lower()]

    def in_group(self, subscription: str, group: str) -> list[Network]:
        """Return every network of a group."""
        made = [
            network
            for network in self.in_subscription(subscription)
            if ArmId.parse(network.id).group.lower() == group.lower()
        ]
        return made + self._implied(subscription, group)

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """Yield Resource Graph's rows of what somebody made."""
        now = self.world.clock.now()
        for network in self._made.values():
            yield row_of(shown(self, network, now), self.world.tenant, network.settled_at)
        # models graph-network-parts
        for part in self.parts.every():
            yield row_of(shown_part(part), self.world.tenant, part.created)

    def delete(self, network: Network) -> None:
        self._made.pop(network.id.lower(), None)
        self._version += 1

    def drop_group(self, subscription: str, group: str) -> None:
        self.interfaces.drop_group(subscription, group)
        self.parts.drop_group(subscription, group)
        for network in self.in_group(subscription, group):
            self.delete(network)

    def interface(self, nic_id: str) -> Interface | None:
        """Return the interface with this id, where it belongs to a machine that named none."""
        parsed = ArmId.parse(nic_id)
        owner = next(
            (
                machine
                for machine in self._plain_machines(parsed.subscription, parsed.group)
                if own_interface(machine).lower() == nic_id.lower()
            ),
            None,
        )
        if owner is None:
            return None
        network = self._implied_id(owner)
        given = self._addresses.setdefault(network.lower(), {})
        number = given.setdefault(owner.vm_id, len(given) + FIRST_TAKEN)
        address = ipaddress.IPv4Address("10.0.0.0") + number
        return Interface(own_interface(owner), owner, f"{network}/subnets/default", str(address))

    # models interface-implied
    def _plain_machines(self, subscription: str, group: str) -> list["Machine"]:
        return [
            machine
            for machine in self.world.machines.in_subscription(subscription)
            if machine.group.lower() == group.lower() and "networkProfile" not in machine.model
        ]

    def _implied_id(self, machine: "Machine") -> str:
        name = f"vnet-{machine.location}"
        return resource_id(machine.subscription, machine.group, NETWORK, name)

    def _implied(self, subscription: str, group: str) -> list[Network]:
        regions: dict[str, list[Machine]] = {}
        for machine in self._plain_machines(subscription, group):
            regions.setdefault(self._implied_id(machine), []).append(machine)
        return [
            Network(
                network_id,
                machines[0].location,
                ("10.0.0.0/16",),
                (Subnet("default", "10.0.0.0/16"),),
                machines[0].created,
                machines[0].created,
                inside=tuple(map(_address_id, machines)),
            )
            for network_id, machines in regions.items()
            if network_id.lower() not in self._made
        ]


def own_interface(machine: "Machine") -> str:
    """Return the id of the interface that a machine has whose creator named none."""
    return resource_id(machine.subscription, machine.group, NIC, f"{machine.name}VMNic")


def _address_id(machine: "Machine") -> str:
    """Return the id of the one address of an implied interface."""
    return f"{own_interface(machine)}/ipConfigurations/ipconfig{machine.name}"


def _sub(network_id: str) -> str:
    return ArmId.parse(network_id).subscription.lower()


__all__ = ["NETWORK", "Interface", "Network", "Networks", "Operation", "Subnet", "own_interface"]
