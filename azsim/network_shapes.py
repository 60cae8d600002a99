"""How networks and what belongs to them look on the wire."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azsim import subnets
from azsim.network_parts import (
    NAT_GATEWAY,
    PRIVATE_ENDPOINT,
    PUBLIC_ADDRESS,
    ROUTE_TABLE,
    SECURITY_GROUP,
    Part,
)

if TYPE_CHECKING:
    from azsim.networks import Network, Networks

NETWORK = "Microsoft.Network/virtualNetworks"


def derived_guid(*parts: object) -> str:
    """Return the GUID that belongs to `parts`: the same ones always have the same."""
    digest = hashlib.sha256("|".join(str(part).lower() for part in parts).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def etag_of(network: "Network", now: datetime) -> tuple[str, str]:
    """Return a network's etag, which its subnets share, and its provisioning state."""
    state = "Succeeded" if now >= network.settled_at else "Updating"
    return f'W/"{derived_guid(network.id, network.version, state)}"', state


def shown(networks: "Networks", network: "Network", now: datetime) -> dict[str, Any]:
    """Write a network as recorded (api-version 2024-05-01)."""
    etag, state = etag_of(network, now)
    servers = {"dhcpOptions": {"dnsServers": list(network.dns_servers)}}
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
            **(servers if network.dns_servers else {}),
            "subnets": [
                subnets.shown(networks, network, subnet, etag, state) for subnet in network.subnets
            ],
            "virtualNetworkPeerings": [
                shown_peering(network, name, etag) for name in network.peerings
            ],
            "enableDdosProtection": network.guarded_from_floods,
        },
    }


# models peering-shape
def shown_peering(network: "Network", name: str, etag: str) -> dict[str, Any]:
    """Write one side of a peering."""
    return {
        "name": name,
        "id": f"{network.id}/virtualNetworkPeerings/{name}",
        "etag": etag,
        "properties": {
            "provisioningState": "Succeeded",
            "peeringSyncLevel": "FullyInSync",
            **network.peerings[name],
        },
        "type": f"{NETWORK}/virtualNetworkPeerings",
    }


# models network-part-shape
def shown_part(part: Part) -> dict[str, Any]:
    """Write a part with what its service adds to what was written."""
    etag = f'W/"{derived_guid(part.id, part.version)}"'
    add = _ADDED.get(part.kind)
    shaped: dict[str, Any] = {
        "name": part.name,
        "id": part.id,
        "etag": etag,
        "type": part.kind,
        "location": part.location,
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": derived_guid(part.id),
            **part.properties,
            **(add(part, etag) if add else {}),
        },
    }
    if part.tags is not None:
        shaped["tags"] = dict(part.tags)
    return shaped | ({"sku": part.sku} if part.sku else {})


def _below(part: Part, kind: str, entries: Any, etag: str) -> list[dict[str, Any]]:
    """Write the rules or routes inside a part, each a resource below it."""
    return [
        {
            "name": entry["name"],
            "id": f"{part.id}/{kind}/{entry['name']}",
            "etag": etag,
            "type": f"{part.kind}/{kind}",
            "properties": {"provisioningState": "Succeeded", **entry["properties"]},
        }
        for entry in entries or ()
    ]


# models security-group-defaults
_DEFAULTS = (
    ("AllowVnetInBound", "Inbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", "Inbound", 65001, "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", "Inbound", 65500, "Deny", "*", "*"),
    ("AllowVnetOutBound", "Outbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", "Outbound", 65001, "Allow", "*", "Internet"),
    ("DenyAllOutBound", "Outbound", 65500, "Deny", "*", "*"),
)
_DESCRIPTIONS = {
    "AllowVnetInBound": "Allow inbound traffic from all VMs in VNET",
    "AllowAzureLoadBalancerInBound": "Allow inbound traffic from azure load balancer",
    "DenyAllInBound": "Deny all inbound traffic",
    "AllowVnetOutBound": "Allow outbound traffic from all VMs to all VMs in VNET",
    "AllowInternetOutBound": "Allow outbound traffic from all VMs to Internet",
    "DenyAllOutBound": "Deny all outbound traffic",
}
_LISTS = (
    "sourcePortRanges",
    "destinationPortRanges",
    "sourceAddressPrefixes",
    "destinationAddressPrefixes",
)


def _security_group(part: Part, etag: str) -> dict[str, Any]:
    written = _below(part, "securityRules", part.properties.get("securityRules"), etag)
    for rule in written:
        rule["properties"] |= {name: rule["properties"].get(name) or [] for name in _LISTS}
    defaults: list[Mapping[str, Any]] = [
        {
            "name": name,
            "properties": {
                "description": _DESCRIPTIONS[name],
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
                **{listed: [] for listed in _LISTS},
            },
        }
        for name, direction, priority, access, source, destination in _DEFAULTS
    ]
    return {
        "securityRules": written,
        "defaultSecurityRules": _below(part, "defaultSecurityRules", defaults, etag),
    }


def _route_table(part: Part, etag: str) -> dict[str, Any]:
    return {
        "disableBgpRoutePropagation": bool(part.properties.get("disableBgpRoutePropagation")),
        "routes": _below(part, "routes", part.properties.get("routes"), etag),
    }


# models public-address-shape
def _public_address(part: Part, _etag: str) -> dict[str, Any]:
    number = int(derived_guid(part.id)[:4], 16)
    return {
        "ipAddress": f"52.176.{number >> 8}.{number & 255}",
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
    }


def _endpoint(part: Part, _etag: str) -> dict[str, Any]:
    return {"manualPrivateLinkServiceConnections": [], "customDnsConfigs": []}


def _nat_gateway(part: Part, _etag: str) -> dict[str, Any]:
    return {"idleTimeoutInMinutes": part.properties.get("idleTimeoutInMinutes", 4)}


_ADDED: Mapping[str, Callable[[Part, str], dict[str, Any]]] = {
    SECURITY_GROUP: _security_group,
    ROUTE_TABLE: _route_table,
    NAT_GATEWAY: _nat_gateway,
    PUBLIC_ADDRESS: _public_address,
    PRIVATE_ENDPOINT: _endpoint,
}
