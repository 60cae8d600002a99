"""
Subnets: what is written about one, which addresses are in it, and how it is shown.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azsim.http import ArmError
from azsim.network_parts import PRIVATE_ENDPOINT

if TYPE_CHECKING:
    from azsim.networks import Network, Networks

KIND = "Microsoft.Network/virtualNetworks/subnets"
FIRST_TAKEN = 4  # Azure's own, with the last one (learn "Virtual network FAQ").
_PROTOTYPE: Mapping[str, Any] = {
    "delegations": [],
    "privateEndpointNetworkPolicies": "Disabled",
    "privateLinkServiceNetworkPolicies": "Enabled",
}


@dataclass(frozen=True, slots=True)
class Subnet:
    """
    A subnet; `model` is what was written of its properties besides the prefix.

    References are written as ARM does: `{"networkSecurityGroup": {"id": …}}`.
    """

    name: str
    prefix: str
    model: Mapping[str, Any] = field(default_factory=dict)


def users(networks: "Networks", network: "Network", subnet: Subnet) -> Iterator[str]:
    """Yield the ids of the addresses in a subnet: interfaces', private endpoints'."""
    subnet_id = f"{network.id}/subnets/{subnet.name}"
    if network.subnets and network.subnets[0] is subnet:
        yield from network.inside
    for nic in networks.interfaces.inside(subnet_id):
        yield f"{nic.id}/ipConfigurations/{nic.configuration}"
    # models private-endpoint-address
    for endpoint in endpoints(networks, subnet_id):
        yield (
            f"{endpoint}.nic/ipConfigurations/privateEndpointIpConfig".replace(
                PRIVATE_ENDPOINT, "Microsoft.Network/networkInterfaces"
            )
        )


def endpoints(networks: "Networks", subnet_id: str) -> Iterator[str]:
    """Yield the ids of the private endpoints in a subnet."""
    for endpoint in networks.parts.of_kind(PRIVATE_ENDPOINT):
        where = (endpoint.properties.get("subnet") or {}).get("id", "")
        if where.lower() == subnet_id.lower():
            yield endpoint.id


def free_addresses(
    networks: "Networks", network: "Network", subnet: Subnet
) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Yield the addresses that nobody has; as many are kept for those whose address is unknown."""
    prefix = ipaddress.ip_network(subnet.prefix)
    held = {
        nic.address for nic in networks.interfaces.inside(f"{network.id}/subnets/{subnet.name}")
    }
    hidden = sum(1 for _ in users(networks, network, subnet)) - len(held)
    hosts = range(FIRST_TAKEN + hidden, prefix.num_addresses - 1)
    return (prefix[number] for number in hosts if str(prefix[number]) not in held)


# models subnet-full
def check_room(networks: "Networks", network: "Network", subnet: Subnet, wanted: int) -> None:
    """Refuse more addresses than there are left."""
    left = free_addresses(networks, network, subnet)
    if sum(1 for _, _ in zip(range(wanted), left, strict=False)) < wanted:
        raise ArmError(
            400,
            "SubnetIsFull",
            f"Subnet {subnet.name} with address prefix {subnet.prefix} does not have enough "
            f"capacity for {wanted} IP addresses.",
        )


# models subnet-shape
def shown(
    networks: "Networks",
    network: "Network",
    subnet: Subnet,
    etag: str,
    state: str,
    *,
    capitals: bool = True,
) -> dict[str, Any]:
    """Write a subnet as recorded: who has an address is named in capitals, save after a PUT."""
    subnet_id = f"{network.id}/subnets/{subnet.name}"
    inside = [
        {"id": _in_capitals(user) if capitals else user}
        for user in users(networks, network, subnet)
    ]
    at_endpoints = [{"id": found} for found in endpoints(networks, subnet_id)]
    services = [
        {"provisioningState": state, "locations": ["*"], **service}
        for service in subnet.model.get("serviceEndpoints") or ()
    ]
    written = {k: v for k, v in subnet.model.items() if v is not None and k != "serviceEndpoints"}
    return {
        "name": subnet.name,
        "id": subnet_id,
        "etag": etag,
        "properties": {
            "provisioningState": state,
            "addressPrefix": subnet.prefix,
            **({"ipConfigurations": inside} if inside else {}),
            **({"privateEndpoints": at_endpoints} if at_endpoints else {}),
            **({"serviceEndpoints": services} if services else {}),
            **_PROTOTYPE,
            **written,
        },
        "type": KIND,
    }


# models subnet-addresses
def _in_capitals(address_id: str) -> str:
    """Name an address as a subnet does: names in capitals (recorded)."""
    parts = address_id.split("/")
    for number in (4, 8, 10):
        parts[number] = parts[number].upper()
    return "/".join(parts)
