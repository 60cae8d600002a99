"""Whatever rules a security group has: what is called isolated lets no packet of any kind pass."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from vmbackup_core.domain.drill.isolation import NetworkFacts, find_breaches
from vmbackup_core.domain.drill.security_rules import AGENT_PORTS, PLATFORM, Direction, Rule

SUBNET = ("10.0.1.0/28",)
INSIDE = "10.0.1.5"
PLACES = ("*", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.0.1.0/28", PLATFORM)
PORTS = ("*", "0-65535", "80", "32526", "0-1023", "1024-65535")
PROTOCOLS = ("*", "Tcp", "Udp")
REMOTES = ("10.0.1.6", "10.0.2.4", "52.1.2.3", "203.0.113.9", PLATFORM)
PACKET_PORTS = (22, 80, 443, 32526, 60000)
AGENT_REPORTS = {(PLATFORM, low) for low, _ in AGENT_PORTS}

some = st.lists(st.sampled_from(PLACES), max_size=2).map(tuple)
ports = st.lists(st.sampled_from(PORTS), max_size=2).map(tuple)
rules = st.builds(
    Rule,
    name=st.just("r"),
    direction=st.sampled_from(Direction),
    priority=st.just(0),
    allows=st.booleans(),
    protocol=st.sampled_from(PROTOCOLS),
    sources=some,
    source_ports=ports,
    destinations=some,
    destination_ports=ports,
)
shut = st.sampled_from([Rule(f"shut-{way}", way, 0, allows=False) for way in Direction])
rule_lists = st.lists(rules | shut, max_size=6).map(
    lambda made: tuple(replace(rule, priority=100 + n) for n, rule in enumerate(made))
)


def network(made: tuple[Rule, ...]) -> NetworkFacts:
    return NetworkFacts("/s", 11, "/nsg", SUBNET, made, default_outbound=False)


def fits(place: str, address: str) -> bool:
    return place == "*" or ip_address(address) in ip_network(place)


def in_ports(written: tuple[str, ...], port: int) -> bool:
    pairs = (text.partition("-") for text in written if text != "*")
    return "*" in written or any(int(a) <= port <= int(b or a) for a, _, b in pairs)


def passes(made: tuple[Rule, ...], direction: Direction, remote: str, port: int, how: str) -> bool:
    """Decide for one packet as Azure does: the first rule that fits, else the default rules."""
    inward = direction is Direction.INBOUND
    source, destination = (remote, INSIDE) if inward else (INSIDE, remote)
    for rule in made:
        if (
            rule.direction is direction
            and rule.protocol in ("*", how)
            and any(fits(place, source) for place in rule.sources)
            and any(fits(place, destination) for place in rule.destinations)
            and in_ports(rule.source_ports, 50000)
            and in_ports(rule.destination_ports, port)
        ):
            return rule.allows
    return remote.startswith("10.0.") or not inward


@given(rule_lists, st.sampled_from(REMOTES), st.sampled_from(PACKET_PORTS))
def test_no_packet_passes_where_isolation_is_proven(
    made: tuple[Rule, ...], remote: str, port: int
) -> None:
    proven = find_breaches(network(made), egress=False) == ()
    let_in = passes(made, Direction.INBOUND, remote, port, "Tcp")
    let_out = passes(made, Direction.OUTBOUND, remote, port, "Tcp")
    reports = (remote, port) in AGENT_REPORTS

    assert not (proven and let_in)
    assert not (proven and let_out and not reports)


@given(rule_lists, st.sampled_from(REMOTES), st.sampled_from(PACKET_PORTS))
def test_a_tier_that_may_reach_out_is_never_reached(
    made: tuple[Rule, ...], remote: str, port: int
) -> None:
    proven = find_breaches(network(made), egress=True) == ()

    assert not (proven and passes(made, Direction.INBOUND, remote, port, "Udp"))


@given(rule_lists)
def test_what_is_isolated_for_all_is_isolated_for_who_may_reach_out(made: tuple[Rule, ...]) -> None:
    strict = set(find_breaches(network(made), egress=False))

    assert set(find_breaches(network(made), egress=True)) <= strict


@given(rule_lists)
def test_a_denial_of_everything_in_front_closes_whatever_follows(made: tuple[Rule, ...]) -> None:
    front = tuple(Rule(f"shut-{way}", way, 1, allows=False) for way in Direction)

    assert find_breaches(network((*front, *made)), egress=False) == ()
