"""
Networks as Azure writes them: what of a virtual network, and of what guards it, decides isolation.

A subnet's property that stands in none of the lists here counts as unread: nobody has said yet what
it would mean for isolation.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network, ip_network

from vmbackup_core.adapters.wire import Json, at, entries, needed, text
from vmbackup_core.domain.drill.isolation import AdminRule, NetworkFacts, NextHop, Route, Unread
from vmbackup_core.domain.drill.security_rules import Direction, Rule
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Malformed

TAKEN_BY_AZURE = 5  # Of every subnet: its first four addresses and the last (learn: FAQ).
_SLOT = "slot-"
_READ = frozenset(
    {
        *("addressPrefix", "addressPrefixes", "ipConfigurations", "privateEndpoints"),
        *("networkSecurityGroup", "routeTable", "natGateway", "defaultOutboundAccess"),
        *("serviceEndpoints", "delegations", "provisioningState"),
    }
)
_HARMLESS = frozenset(
    {
        *("ipamPoolPrefixAllocations", "purpose", "serviceEndpointPolicies", "sharingScope"),
        *("privateEndpointNetworkPolicies", "privateLinkServiceNetworkPolicies"),
    }
)


def parse_network(body: Json, slot: Slot) -> NetworkFacts:
    """
    Read what a virtual network says of the slot's subnet, and of itself.

    The rules of its security group, its routes and what a manager applies are read elsewhere.
    """
    facts = NetworkFacts(slot.subnet_id)
    mine = slot.subnet_id.rsplit("/", 1)[-1]
    subnets = {text(s, "name").lower(): s for s in entries(body, "properties", "subnets")}
    if (subnet := subnets.get(mine)) is None:
        return facts
    properties = at(subnet, "properties")
    prefixes = tuple(_prefixes(properties))
    addresses = [text(a, "id") for a in entries(properties, "ipConfigurations")]
    return replace(
        facts,
        free_addresses=max(0, _room(prefixes) - len(addresses)),
        network_security_group=text(properties, "networkSecurityGroup", "id"),
        prefixes=prefixes,
        peerings=tuple(
            text(p, "properties", "remoteVirtualNetwork", "id") or needed(p, "name")
            for p in entries(body, "properties", "virtualNetworkPeerings")
        ),
        other_subnets=tuple(text(s, "name") for name, s in subnets.items() if not _is_slot(name)),
        dns_servers=tuple(map(str, entries(body, "properties", "dhcpOptions", "dnsServers"))),
        nat_gateway=text(properties, "natGateway", "id"),
        default_outbound=at(properties, "defaultOutboundAccess") is not False,
        service_endpoints=tuple(
            needed(s, "service") for s in entries(properties, "serviceEndpoints")
        ),
        private_endpoints=tuple(needed(e, "id") for e in entries(properties, "privateEndpoints")),
        delegations=tuple(
            text(d, "properties", "serviceName") or needed(d, "name")
            for d in entries(properties, "delegations")
        ),
        interfaces=tuple(
            address.lower().partition("/ipconfigurations/")[0] for address in addresses
        ),
        unread=tuple(_unread(properties)),
    )


def route_table_of(body: Json, slot: Slot) -> str:
    """Return the id of the slot's subnet's route table, "" where it has none."""
    mine = slot.subnet_id.rsplit("/", 1)[-1]
    for subnet in entries(body, "properties", "subnets"):
        if text(subnet, "name").lower() == mine:
            return text(subnet, "properties", "routeTable", "id")
    return ""


def parse_rules(body: Json) -> tuple[Rule, ...]:
    """Read the rules of a security group that somebody wrote; the default ones are known."""
    _settled(body, "the security group")
    return tuple(_rule(rule) for rule in entries(body, "properties", "securityRules"))


def parse_routes(body: Json) -> tuple[Route, ...]:
    """Read the routes of a table that somebody wrote."""
    _settled(body, "the route table")
    known = {hop.value for hop in NextHop}
    return tuple(
        Route(
            needed(route, "name"),
            needed(route, "properties", "addressPrefix"),
            NextHop(hop if hop in known else "unknown"),
        )
        for route in entries(body, "properties", "routes")
        for hop in [needed(route, "properties", "nextHopType").lower()]
    )


def parse_admin_rules(rows: Iterable[Json]) -> tuple[AdminRule, ...]:
    """Read a network manager's rules, save those that a security group may still refuse."""
    return tuple(
        AdminRule(needed(row, "id").rsplit("/", 1)[-1], _direction(row))
        for row in rows
        if needed(row, "properties", "access").lower() not in ("deny", "allow")
    )


def parse_connections(rows: Iterable[Json]) -> tuple[str, ...]:
    """Return the names of what a network manager connects a network by."""
    return tuple(needed(row, "id").rsplit("/", 1)[-1] for row in rows)


def parse_links(rows: Iterable[Json]) -> tuple[str, ...]:
    """Return the names of zones and rule sets from the rows of their links."""
    return tuple(needed(row, "id").split("/")[-3] for row in rows)


def _rule(rule: Json) -> Rule:
    properties = at(rule, "properties")
    priority = at(properties, "priority")
    if not isinstance(priority, int):
        raise Malformed(f"rule {text(rule, 'name')} has no priority")
    return Rule(
        name=needed(rule, "name"),
        direction=_direction(rule),
        priority=priority,
        allows=needed(properties, "access").lower() != "deny",
        protocol=needed(properties, "protocol"),
        sources=_either(properties, "sourceAddressPrefix", "sourceApplicationSecurityGroups"),
        source_ports=_either(properties, "sourcePortRange"),
        destinations=_either(
            properties, "destinationAddressPrefix", "destinationApplicationSecurityGroups"
        ),
        destination_ports=_either(properties, "destinationPortRange"),
    )


def _either(properties: Json, one: str, groups: str = "") -> tuple[str, ...]:
    """Return what a rule says in the one field or in the list of the same name."""
    several = f"{one}es" if one.endswith("x") else f"{one}s"
    named = (text(properties, one), *map(str, entries(properties, several)))
    ids = (text(group, "id") for group in entries(properties, groups)) if groups else ()
    return tuple(place for place in (*named, *ids) if place)


def _direction(row: Json) -> Direction:
    written = needed(row, "properties", "direction").lower()
    if written not in (Direction.INBOUND.value, Direction.OUTBOUND.value):
        raise Malformed(f"a rule of direction {written!r}")
    return Direction(written)


def _prefixes(properties: Json) -> Iterator[str]:
    if one := text(properties, "addressPrefix"):
        yield one
    yield from (str(p) for p in entries(properties, "addressPrefixes") if p != one)


def _room(prefixes: Iterable[str]) -> int:
    """Count the addresses that machines may have; an interface needs one of IPv4."""
    try:
        nets = [ip_network(prefix) for prefix in prefixes]
    except ValueError:
        raise Malformed("a subnet with a prefix that is none") from None
    return sum(n.num_addresses - TAKEN_BY_AZURE for n in nets if isinstance(n, IPv4Network))


def _is_slot(name: str) -> bool:
    return name.startswith(_SLOT) and name.removeprefix(_SLOT).isdigit()


def _unread(properties: Json) -> Iterator[Unread]:
    if (state := text(properties, "provisioningState").lower()) != "succeeded":
        yield Unread("the subnet", f"it is being written to, or that failed ({state})")
    for name, value in sorted((properties or {}).items()):
        if name not in _READ | _HARMLESS and value not in (None, [], {}, ""):
            yield Unread(f"{name} of the subnet", "vmbackup does not know what it means")


def _settled(body: Json, what: str) -> None:
    if (state := text(body, "properties", "provisioningState").lower()) != "succeeded":
        raise Malformed(f"{what} is being written to, or that failed ({state})")
