"""
Virtual networks, and the interfaces of machines: what restores and lists of machines ask for.

A machine whose creator named no interface has one, in a network that its group has in each region
where it has such machines. Nobody made that network: it is there because the machine is, so that
ten thousand machines cost no networks. Its names and addresses are guesses.
"""

import hashlib
import ipaddress
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.graph_index import row_of

if TYPE_CHECKING:
    from azsim.machine import Machine
    from azsim.world import World

NETWORK = "Microsoft.Network/virtualNetworks"
NIC = "Microsoft.Network/networkInterfaces"
_TAKEN_BY_AZURE = 4  # The first addresses of a subnet (learn: virtual-networks-faq).
# models network-takes
_TAKES = (3, 12)  # Seconds until a network is there; recorded: between two looks 10 s apart.


@dataclass(frozen=True, slots=True)
class Subnet:
    name: str
    prefix: str


@dataclass(slots=True)
class Network:
    """
    One virtual network; `settled_at` is when the last write of it is done.

    `inside` are the addresses that interfaces have in its first subnet.
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
        self.version = 0
        self._made: dict[str, Network] = {}
        self._addresses: dict[str, dict[str, int]] = {}
        self._operations: dict[str, Operation] = {}

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
        )
        self._made[network_id.lower()] = network
        self.version += 1
        return network

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
        """Yield Resource Graph's rows of the networks that somebody made."""
        now = self.world.clock.now()
        for network in self._made.values():
            yield row_of(shown(network, now), self.world.tenant, network.settled_at)

    def delete(self, network: Network) -> None:
        self._made.pop(network.id.lower(), None)
        self.version += 1

    def drop_group(self, subscription: str, group: str) -> None:
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
        number = given.setdefault(owner.vm_id, len(given) + _TAKEN_BY_AZURE)
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


def derived_guid(*parts: object) -> str:
    """Return the GUID that belongs to `parts`: the same ones always have the same."""
    digest = hashlib.sha256("|".join(str(part).lower() for part in parts).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def shown(network: Network, now: datetime) -> dict[str, Any]:
    """Write a network as recorded (api-version 2024-05-01)."""
    settled = now >= network.settled_at
    state = "Succeeded" if settled else "Updating"
    etag = f'W/"{derived_guid(network.id, network.version, state)}"'
    return {
        "name": network.name,
        "id": network.id,
        "etag": etag,
        "type": NETWORK,
        "location": network.location,
        **({"tags": dict(network.tags)} if network.tags else {}),
        "properties": {
            "provisioningState": state,
            "resourceGuid": derived_guid(network.id),
            "addressSpace": {"addressPrefixes": list(network.prefixes)},
            "subnets": [
                _subnet(network, subnet, etag, state, () if number else network.inside)
                for number, subnet in enumerate(network.subnets)
            ],
            "virtualNetworkPeerings": [],
            "enableDdosProtection": network.guarded_from_floods,
        },
    }


def _subnet(
    network: Network, subnet: Subnet, etag: str, state: str, inside: Sequence[str]
) -> dict[str, Any]:
    return {
        "name": subnet.name,
        "id": f"{network.id}/subnets/{subnet.name}",
        "etag": etag,
        "properties": {
            "provisioningState": state,
            "addressPrefix": subnet.prefix,
            **({"ipConfigurations": [{"id": address} for address in inside]} if inside else {}),
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
        },
        "type": f"{NETWORK}/subnets",
    }


# models subnet-addresses
def _address_id(machine: "Machine") -> str:
    """Name an address of a machine as a subnet does: names in capitals (recorded)."""
    group = f"/subscriptions/{machine.subscription}/resourceGroups/{machine.group.upper()}"
    name = machine.name.upper()
    return f"{group}/providers/{NIC}/{name}VMNIC/ipConfigurations/IPCONFIG{name}"


def _sub(network_id: str) -> str:
    return ArmId.parse(network_id).subscription.lower()
