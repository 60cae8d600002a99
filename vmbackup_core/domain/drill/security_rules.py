"""
What the rules of a network security group let through, judged on the safe side.

Azure takes the first rule, by priority, that fits a packet. So a direction is closed where a rule
denies everything and no rule before it allows anything. That is proven of the rules alone, packet
by packet nothing is tried: a rule that this module cannot prove to deny everything is taken to
deny nothing, one that allows the least is taken to allow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

PLATFORM = "168.63.129.16"  # The host's own address, where the agent reports (learn: its page).
AGENT_PORTS = ((80, 80), (32526, 32526))
_ANY = frozenset({"*", "any"})
_LAST_PORT = 65535
_WHOLE = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}
_NETWORK_TAG = "virtualnetwork"

type _Net = IPv4Network | IPv6Network


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule that somebody wrote; the default rules are below all of these.

    Addresses are prefixes, service tags, ids of application security groups, or `*`; ports are
    numbers, ranges such as `80-90`, or `*`. An empty tuple stands for nothing at all.
    """

    name: str
    direction: Direction
    priority: int
    allows: bool
    protocol: str = "*"
    sources: tuple[str, ...] = ("*",)
    source_ports: tuple[str, ...] = ("*",)
    destinations: tuple[str, ...] = ("*",)
    destination_ports: tuple[str, ...] = ("*",)

    def denies_everything(self, subnet: tuple[str, ...]) -> bool:
        """
        Tell whether no packet between the subnet (its prefixes) and anything else gets past it.

        On the subnet's own side it is enough that the rule holds for the subnet.
        """
        inward = self.direction is Direction.INBOUND
        remote, local = self.sources, self.destinations
        if not inward:
            remote, local = local, remote
        families: set[int] = {net.version for net in _networks(subnet)} or {4, 6}
        return (
            not self.allows
            and self.protocol.lower() in _ANY
            and _all_ports(self.source_ports)
            and _all_ports(self.destination_ports)
            and _all_addresses(remote, families)
            and (_all_addresses(local, families) or _holds_for(local, subnet))
        )

    @property
    def only_lets_the_agent_report(self) -> bool:
        """Whether it allows no more than the agent's reports to the platform."""
        ports = _ranges(self.destination_ports)
        return (
            self.direction is Direction.OUTBOUND
            and {place.removesuffix("/32") for place in self.destinations} == {PLATFORM}
            and ports is not None
            and bool(ports)
            and all(port in AGENT_PORTS for port in ports)
        )

    @property
    def silences_the_agent(self) -> bool:
        """
        Whether it is a denial that names the platform's address, on a port of the agent's.

        A denial of everything does not reach these ports (learn "What is IP address
        168.63.129.16"); whether one that names the address does is not known.
        """
        ports = _ranges(self.destination_ports)
        hits = ports is None or any(
            low <= port <= high for low, high in ports for port, _ in AGENT_PORTS
        )
        return (
            self.direction is Direction.OUTBOUND
            and not self.allows
            and PLATFORM in {place.removesuffix("/32") for place in self.destinations}
            and hits
        )


def openings(
    rules: Iterable[Rule], direction: Direction, subnet: tuple[str, ...]
) -> tuple[Rule, ...] | None:
    """
    Return the rules that open a direction: those that allow, before the one that denies the rest.

    Nothing opens it where the result is empty; None says that no rule denies the rest, so that
    Azure's default rules decide, which let a network talk to itself and to the Internet.
    """
    allowing: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if rule.direction is not direction:
            continue
        if rule.denies_everything(subnet):
            return tuple(allowing)
        if rule.allows and not rule.only_lets_the_agent_report:
            allowing.append(rule)
    return None


def _all_ports(ports: tuple[str, ...]) -> bool:
    """Tell whether the ports are all that there are, be it in pieces."""
    ranges = _ranges(ports)
    if ranges is None:
        return True
    free = 0
    for low, high in sorted(ranges):
        if low > free:
            break
        free = max(free, high + 1)
    return free > _LAST_PORT


def _ranges(ports: tuple[str, ...]) -> list[tuple[int, int]] | None:
    """Return the ranges that are named, None where every port is; what is no port is left out."""
    if any(port.strip().lower() in _ANY for port in ports):
        return None
    pairs = (port.strip().partition("-") for port in ports)
    return [
        (int(low), int(high or low))
        for low, _, high in pairs
        if low.isdigit() and (not high or high.isdigit())
    ]


def _all_addresses(places: tuple[str, ...], families: set[int]) -> bool:
    if any(place.strip().lower() in _ANY for place in places):
        return True
    joined = set(_joined(_networks(places)))
    return all(_WHOLE[family] in joined for family in families)


def _holds_for(places: tuple[str, ...], subnet: tuple[str, ...]) -> bool:
    """Tell whether the places hold the whole subnet; a network's tag holds its own subnets."""
    if any(place.strip().lower() == _NETWORK_TAG for place in places):
        return True
    joined = list(_joined(_networks(places)))
    wanted = list(_networks(subnet))
    return bool(wanted) and all(_inside(net, joined) for net in wanted)


def _inside(net: _Net, others: Iterable[_Net]) -> bool:
    for other in others:
        if isinstance(net, IPv4Network) and isinstance(other, IPv4Network):
            if net.subnet_of(other):
                return True
        elif (
            isinstance(net, IPv6Network) and isinstance(other, IPv6Network) and net.subnet_of(other)
        ):
            return True
    return False


def _networks(places: Iterable[str]) -> Iterator[_Net]:
    """Yield what is a prefix; tags and groups of applications are none."""
    for place in places:
        try:
            yield ip_network(place.strip(), strict=False)
        except ValueError:
            continue


def _joined(nets: Iterable[_Net]) -> Iterator[_Net]:
    known = list(nets)
    yield from collapse_addresses(net for net in known if isinstance(net, IPv4Network))
    yield from collapse_addresses(net for net in known if isinstance(net, IPv6Network))
