"""
Whether a slot's subnet is isolated, told from configuration before anything is powered on; and
whether a copy that runs in it still is as it was made.

What cannot be read counts as a breach: isolation is proven or it is not there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from vmbackup_core.domain.drill.facts import CopyFacts, InterfaceFacts
from vmbackup_core.domain.drill.security_rules import (
    AGENT_PORTS,
    PLATFORM,
    Direction,
    Rule,
    openings,
)
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.facts import Tags


class NextHop(StrEnum):
    """Where a route of somebody's leads; what Azure may call otherwise is UNKNOWN."""

    GATEWAY = "virtualnetworkgateway"
    NETWORK = "vnetlocal"
    INTERNET = "internet"
    APPLIANCE = "virtualappliance"
    NOWHERE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    prefix: str
    next_hop: NextHop


@dataclass(frozen=True, slots=True)
class AdminRule:
    """A rule of a network manager that lets traffic pass whatever security groups say."""

    name: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind of configuration that could not be read, and why."""

    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """
    All that decides whether a slot's subnet is isolated.

    `free_addresses` is None where the subnet is not there, or could not be read. Ids and names are
    as Azure writes them, but `interfaces` are ids in lower case. `other_subnets` are subnets of the
    network that are no slots (a gateway's, for one). `names` are private DNS zones and forwarding
    rule sets that the network is linked to, `connections` what a network manager connects it to.
    `default_outbound` is True where Azure would let the subnet out by itself, which it does unless
    it is told not to.
    """

    subnet_id: str
    free_addresses: int | None = None
    network_security_group: str = ""
    prefixes: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    routes: tuple[Route, ...] = ()
    peerings: tuple[str, ...] = ()
    other_subnets: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    nat_gateway: str = ""
    default_outbound: bool = True
    service_endpoints: tuple[str, ...] = ()
    private_endpoints: tuple[str, ...] = ()
    delegations: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    admin_rules: tuple[AdminRule, ...] = ()
    connections: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Breach:
    """One way out of, or into, the subnet, or something that could not be read."""

    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}" if self.mend else self.what


_SHUT = "let a rule deny everything, from * to *, above the default rules"
_AGAIN = "deploy the drill module again, which makes the subnet as it must be"
_EXEMPT = "exempt the slots' resource groups from the Azure Policy that did it"


def find_breaches(
    network: NetworkFacts, *, egress: bool, ours: frozenset[str] = frozenset()
) -> tuple[Breach, ...]:
    """
    Return every breach of the subnet's isolation; none means that it is proven.

    `egress` is for a tier that lets its copies reach out: ways out are no breaches then, ways in
    still are, and so are networks beside this one. `ours` are the ids (lower case) of interfaces
    that this run has made there.
    """
    if network.free_addresses is None:
        missing = Breach(f"there is no subnet {network.subnet_id}", _AGAIN)
        return tuple(_unread(network)) or (missing,)
    checks = [_unread, _inbound, _beside, _inside, _names, _connected]
    checks += [] if egress else [_outbound, _ways_out]
    found = [breach for check in checks for breach in check(network)]
    return (*found, *_neighbours(network, ours))


def find_hindrances(network: NetworkFacts) -> tuple[Breach, ...]:
    """Return what would keep the agent from reporting: no breach, but a test would tell nothing."""
    ports = " and ".join(str(port) for port, _ in AGENT_PORTS)
    return tuple(
        Breach(
            f"rule {rule.name} denies {PLATFORM}: the agent could not report",
            f"let it deny everything but {PLATFORM} on ports {ports}",
        )
        for rule in network.rules
        if rule.silences_the_agent
    )


def _unread(network: NetworkFacts) -> Iterator[Breach]:
    for unread in network.unread:
        yield Breach(
            f"{unread.kind} could not be read: {unread.why}",
            "let the reader read it: docs/permissions.md",
        )


def _inbound(network: NetworkFacts) -> Iterator[Breach]:
    yield from _direction(network, Direction.INBOUND)


def _outbound(network: NetworkFacts) -> Iterator[Breach]:
    yield from _direction(network, Direction.OUTBOUND)


def _direction(network: NetworkFacts, direction: Direction) -> Iterator[Breach]:
    if not network.network_security_group:
        if direction is Direction.INBOUND:  # Once is enough.
            yield Breach("the subnet has no network security group", _AGAIN)
        return
    rules = openings(network.rules, direction, network.prefixes)
    if rules is None:
        yield Breach(
            f"no rule denies everything {direction}: the default rules let a network talk to "
            "itself",
            _SHUT,
        )
    for rule in rules or ():
        yield Breach(f"rule {rule.name} allows traffic {direction}", "remove the rule")
    for admin in network.admin_rules:
        if admin.direction is direction:
            yield Breach(
                f"a network manager always allows traffic {direction} ({admin.name}), whatever "
                "security groups say",
                "leave the drill networks out of its network groups",
            )


def _beside(network: NetworkFacts) -> Iterator[Breach]:
    for peering in network.peerings:
        yield Breach(f"the network is peered with {peering}", "remove the peering")
    for subnet in network.other_subnets:
        yield Breach(
            f"the network has a subnet {subnet}, which is no slot",
            "keep gateways, firewalls and machines out of the drill network",
        )
    for route in network.routes:
        if route.next_hop in (NextHop.GATEWAY, NextHop.APPLIANCE, NextHop.UNKNOWN):
            yield _route(route)


def _inside(network: NetworkFacts) -> Iterator[Breach]:
    for endpoint in network.private_endpoints:
        yield Breach(f"private endpoint {endpoint} lies in the subnet", "remove it")
    for service in network.delegations:
        yield Breach(f"the subnet is delegated to {service}", _AGAIN)


def _names(network: NetworkFacts) -> Iterator[Breach]:
    for name in network.names:
        yield Breach(f"the network resolves names of {name}", "remove the link to this network")
    for server in network.dns_servers:
        yield Breach(
            f"the network asks a DNS server of its own, {server}",
            "let it ask Azure's, which knows nothing of your networks",
        )


def _connected(network: NetworkFacts) -> Iterator[Breach]:
    for connection in network.connections:
        yield Breach(
            f"a network manager connects the network with others ({connection})",
            "leave the drill networks out of its network groups",
        )


def _neighbours(network: NetworkFacts, ours: frozenset[str]) -> Iterator[Breach]:
    for interface in network.interfaces:
        if interface not in ours:
            yield Breach(
                f"interface {interface} lies in the subnet", "find whose it is, and remove it"
            )


def _ways_out(network: NetworkFacts) -> Iterator[Breach]:
    if network.nat_gateway:
        yield Breach(f"NAT gateway {network.nat_gateway} leads out of the subnet", _AGAIN)
    if network.default_outbound:
        yield Breach(
            "Azure's default outbound access is not switched off for the subnet",
            "set defaultOutboundAccess = false",
        )
    for service in network.service_endpoints:
        yield Breach(f"a service endpoint leads from the subnet to {service}", _AGAIN)
    for route in network.routes:
        if route.next_hop is NextHop.INTERNET:
            yield _route(route)


def _route(route: Route) -> Breach:
    return Breach(
        f"route {route.name} leads {route.prefix} to {route.next_hop}", "remove the route"
    )


# What a managed run command shows in a machine's list of extensions, if it shows anything: the
# handler that carries it out. By name or type, without its publisher.
RUN_COMMAND_HANDLERS = frozenset({"runcommandhandlerlinux", "runcommandhandlerwindows"})


def find_copy_breaches(
    copy: CopyFacts, slot: Slot, *, tags: Tags, security_group: str = ""
) -> tuple[Breach, ...]:
    """
    Return what makes a copy less isolated than it was made; none means that it still is.

    `tags` are those that we gave it: others mean that something else has written it, and one of
    ours missing means that nobody could tell whose it is. `security_group` is that which its
    interfaces were given; "" where they were given none.
    """
    return (
        *_identities(copy),
        *_extensions(copy),
        *_tags(copy, tags),
        *_interfaces(copy, slot, security_group),
        *_protection(copy),
    )


def _identities(copy: CopyFacts) -> Iterator[Breach]:
    for identity in copy.identities:
        yield Breach(f"the copy was given an identity ({identity})", _EXEMPT)


def _extensions(copy: CopyFacts) -> Iterator[Breach]:
    for extension in copy.extensions:
        kind = extension.rsplit("/", 1)[-1].rsplit(".", 1)[-1].lower()
        if kind not in RUN_COMMAND_HANDLERS:
            yield Breach(f"the copy was given an extension ({extension})", _EXEMPT)


def _tags(copy: CopyFacts, ours: Tags) -> Iterator[Breach]:
    for name, value in copy.tags:
        if ours.get(name) != value:
            yield Breach(f"the copy bears a tag that is not ours ({name})", _EXEMPT)
    for name, _ in ours:
        if copy.tags.get(name) is None:
            yield Breach(f"the copy has lost our tag {name}", _EXEMPT)


def _interfaces(copy: CopyFacts, slot: Slot, security_group: str) -> Iterator[Breach]:
    if not slot.holds(copy.id):
        yield Breach(f"{copy.id} does not lie in the slot {slot}")
    if not copy.interfaces:
        yield Breach("the copy's interfaces could not be read")
    for nic in copy.interfaces:
        yield from _interface(nic, slot, security_group)


def _interface(nic: InterfaceFacts, slot: Slot, security_group: str) -> Iterator[Breach]:
    if nic.public:
        yield Breach(f"interface {nic.id} has a public address", _EXEMPT)
    for subnet in nic.subnet_ids:
        if subnet.lower() != slot.subnet_id.lower():
            yield Breach(f"interface {nic.id} lies in another subnet ({subnet})")
    if not nic.subnet_ids:
        yield Breach(f"the subnet of interface {nic.id} could not be read")
    if nic.forwards:
        yield Breach(f"interface {nic.id} forwards what is not meant for it", _EXEMPT)
    if nic.network_security_group.lower() != security_group.lower():
        yield Breach(f"interface {nic.id} has not the security group that it was given", _EXEMPT)


def _protection(copy: CopyFacts) -> Iterator[Breach]:
    if copy.protected_in:
        yield Breach(f"the copy is backed up in {copy.protected_in}", _EXEMPT)
