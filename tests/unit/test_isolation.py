"""A slot is isolated where its network's configuration proves it, and in no other case."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from vmbackup_core.domain.drill.facts import CopyFacts, InterfaceFacts
from vmbackup_core.domain.drill.isolation import (
    AdminRule,
    NetworkFacts,
    NextHop,
    Route,
    Unread,
    find_breaches,
    find_copy_breaches,
    find_hindrances,
)
from vmbackup_core.domain.drill.security_rules import Direction, Rule
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags

IN, OUT = Direction.INBOUND, Direction.OUTBOUND
SLOT = Slot(Place("5a0c0000-0000-4000-8000-00000000000a", "westeurope"), 1)
GUARD = f"{SLOT.place.group_id}/providers/microsoft.network/networksecuritygroups/slot-1"
SHUT_IN = Rule("shut-in", IN, 4096, allows=False)
SHUT_OUT = Rule("shut-out", OUT, 4096, allows=False)
SHUT = NetworkFacts(
    SLOT.subnet_id,
    free_addresses=11,
    network_security_group=GUARD,
    prefixes=("10.0.1.0/28",),
    rules=(SHUT_IN, SHUT_OUT),
    default_outbound=False,
)
AGENT = Rule(
    "agent",
    OUT,
    100,
    allows=True,
    protocol="Tcp",
    destinations=("168.63.129.16",),
    destination_ports=("80", "32526"),
)


def whats(network: NetworkFacts, *, egress: bool = False) -> list[str]:
    return [breach.what for breach in find_breaches(network, egress=egress)]


def with_rules(*rules: Rule) -> NetworkFacts:
    return replace(SHUT, rules=rules)


def test_a_subnet_that_is_shut_both_ways_is_isolated() -> None:
    assert find_breaches(SHUT, egress=False) == ()


def test_a_subnet_that_is_not_there_is_one_breach() -> None:
    assert whats(NetworkFacts(SLOT.subnet_id)) == [f"there is no subnet {SLOT.subnet_id}"]


def test_a_subnet_without_a_security_group_is_one_breach() -> None:
    network = replace(SHUT, network_security_group="", rules=())

    assert whats(network) == ["the subnet has no network security group"]


BREACHES: Mapping[str, tuple[dict[str, Any], str]] = {
    "a peering": ({"peerings": ("hub",)}, "the network is peered with hub"),
    "a gateway": (
        {"other_subnets": ("GatewaySubnet",)},
        "the network has a subnet GatewaySubnet, which is no slot",
    ),
    "a route to an appliance": (
        {"routes": (Route("all", "0.0.0.0/0", NextHop.APPLIANCE),)},
        "route all leads 0.0.0.0/0 to virtualappliance",
    ),
    "a route to a gateway": (
        {"routes": (Route("home", "10.0.0.0/8", NextHop.GATEWAY),)},
        "route home leads 10.0.0.0/8 to virtualnetworkgateway",
    ),
    "a route that Azure did not have": (
        {"routes": (Route("new", "10.0.0.0/8", NextHop.UNKNOWN),)},
        "route new leads 10.0.0.0/8 to unknown",
    ),
    "a private endpoint": (
        {"private_endpoints": ("vault",)},
        "private endpoint vault lies in the subnet",
    ),
    "a delegation": (
        {"delegations": ("Microsoft.Web/serverFarms",)},
        "the subnet is delegated to Microsoft.Web/serverFarms",
    ),
    "a private DNS zone": (
        {"names": ("corp.example",)},
        "the network resolves names of corp.example",
    ),
    "a DNS server": (
        {"dns_servers": ("10.9.0.4",)},
        "the network asks a DNS server of its own, 10.9.0.4",
    ),
    "a neighbour": ({"interfaces": ("/x/nic",)}, "interface /x/nic lies in the subnet"),
    "a manager's connection": (
        {"connections": ("mesh",)},
        "a network manager connects the network with others (mesh)",
    ),
    "a manager's rule inwards": (
        {"admin_rules": (AdminRule("patching", IN),)},
        "a network manager always allows traffic inbound (patching), whatever security groups say",
    ),
    "what could not be read": (
        {"unread": (Unread("private DNS zones", "Forbidden"),)},
        "private DNS zones could not be read: Forbidden",
    ),
}
WAYS_OUT: Mapping[str, tuple[dict[str, Any], str]] = {
    "a NAT gateway": ({"nat_gateway": "nat"}, "NAT gateway nat leads out of the subnet"),
    "default outbound access": (
        {"default_outbound": True},
        "Azure's default outbound access is not switched off for the subnet",
    ),
    "a service endpoint": (
        {"service_endpoints": ("Microsoft.Storage",)},
        "a service endpoint leads from the subnet to Microsoft.Storage",
    ),
    "a route to the Internet": (
        {"routes": (Route("out", "0.0.0.0/0", NextHop.INTERNET),)},
        "route out leads 0.0.0.0/0 to internet",
    ),
    "a manager's rule outwards": (
        {"admin_rules": (AdminRule("updates", OUT),)},
        "a network manager always allows traffic outbound (updates), whatever security groups say",
    ),
}


@pytest.mark.parametrize(("facts", "what"), (BREACHES | WAYS_OUT).values(), ids=BREACHES | WAYS_OUT)
def test_each_way_in_or_out_is_a_breach_with_its_mend(facts: dict[str, Any], what: str) -> None:
    (breach,) = find_breaches(replace(SHUT, **facts), egress=False)

    assert breach.what == what
    assert breach.mend != ""


@pytest.mark.parametrize(("facts", "what"), BREACHES.values(), ids=BREACHES)
def test_a_tier_that_may_reach_out_forgives_no_way_in(facts: dict[str, Any], what: str) -> None:
    assert whats(replace(SHUT, **facts), egress=True) == [what]


@pytest.mark.parametrize(("facts", "what"), WAYS_OUT.values(), ids=WAYS_OUT)
def test_a_tier_that_may_reach_out_has_ways_out(facts: dict[str, Any], what: str) -> None:
    assert whats(replace(SHUT, **facts), egress=True) == []


def test_a_tier_that_may_reach_out_needs_no_denial_outwards() -> None:
    network = with_rules(SHUT_IN)

    assert whats(network, egress=True) == []
    assert whats(network) == [
        "no rule denies everything outbound: the default rules let a network talk to itself"
    ]


@pytest.mark.parametrize("hop", [NextHop.NOWHERE, NextHop.NETWORK])
def test_a_route_to_nowhere_or_within_is_no_breach(hop: NextHop) -> None:
    assert whats(replace(SHUT, routes=(Route("r", "0.0.0.0/0", hop),))) == []


def test_every_breach_is_told_at_once() -> None:
    network = replace(SHUT, peerings=("a", "b"), nat_gateway="nat", rules=(), interfaces=("/n",))

    assert len(find_breaches(network, egress=False)) == 6


def test_interfaces_that_the_run_made_are_no_neighbours() -> None:
    network = replace(SHUT, interfaces=("/slot/nic",))

    assert find_breaches(network, egress=False, ours=frozenset({"/slot/nic"})) == ()


# The rules of a security group.


def test_an_allowance_above_the_denial_is_a_breach() -> None:
    ssh = Rule("ssh", IN, 100, allows=True, protocol="Tcp", destination_ports=("22",))

    assert whats(with_rules(SHUT_IN, SHUT_OUT, ssh)) == ["rule ssh allows traffic inbound"]


def test_an_allowance_below_the_denial_is_none() -> None:
    shut = replace(SHUT_IN, priority=100)
    ssh = Rule("ssh", IN, 200, allows=True)

    assert whats(with_rules(ssh, shut, SHUT_OUT)) == []


def test_a_denial_of_one_direction_says_nothing_of_the_other() -> None:
    assert whats(with_rules(SHUT_OUT)) == [
        "no rule denies everything inbound: the default rules let a network talk to itself"
    ]


EVERYTHING: Mapping[str, dict[str, Any]] = {
    "two halves": {"sources": ("0.0.0.0/1", "128.0.0.0/1")},
    "the prefix of all": {"sources": ("0.0.0.0/0",)},
    "the word any": {"sources": ("Any",), "protocol": "Any"},
    "a star in a list": {"sources": ("10.0.0.0/8", "*")},
    "every port in one range": {"destination_ports": ("0-65535",)},
    "every port in pieces": {"destination_ports": ("32768-65535", "0-32767")},
    "into this subnet": {"destinations": ("10.0.1.0/28",)},
    "into a wider range": {"destinations": ("10.0.0.0/16",)},
    "into the network": {"destinations": ("VirtualNetwork",)},
}
NOT_EVERYTHING: Mapping[str, dict[str, Any]] = {
    "one protocol": {"protocol": "Tcp"},
    "half of the addresses": {"sources": ("0.0.0.0/1",)},
    "the Internet": {"sources": ("Internet",)},
    "the network": {"sources": ("VirtualNetwork",)},
    "a group of applications": {"sources": ("/x/applicationsecuritygroups/a",)},
    "nothing": {"sources": ()},
    "all ports but one": {"destination_ports": ("0-21", "23-65535")},
    "high ports": {"source_ports": ("1024-65535",)},
    "no port": {"destination_ports": ("ssh",)},
    "into another subnet": {"destinations": ("10.0.2.0/28",)},
    "into half of the subnet": {"destinations": ("10.0.1.0/29",)},
}


@pytest.mark.parametrize("rule", EVERYTHING.values(), ids=EVERYTHING)
def test_what_is_provably_everything_closes(rule: dict[str, Any]) -> None:
    assert whats(with_rules(replace(SHUT_IN, **rule), SHUT_OUT)) == []


@pytest.mark.parametrize("rule", NOT_EVERYTHING.values(), ids=NOT_EVERYTHING)
def test_what_is_less_than_everything_closes_nothing(rule: dict[str, Any]) -> None:
    assert whats(with_rules(replace(SHUT_IN, **rule), SHUT_OUT)) == [
        "no rule denies everything inbound: the default rules let a network talk to itself"
    ]


def test_ipv4_is_not_everything_where_the_subnet_has_ipv6_as_well() -> None:
    prefixes = ("10.0.1.0/28", "fd00:1::/64")
    narrow = replace(SHUT_IN, sources=("0.0.0.0/0",))
    wide = replace(SHUT_IN, sources=("0.0.0.0/0", "::/0"))

    def breaches(rule: Rule) -> int:
        return len(whats(replace(SHUT, prefixes=prefixes, rules=(rule, SHUT_OUT))))

    assert (breaches(narrow), breaches(wide)) == (1, 0)


def test_the_agent_s_reports_may_be_allowed() -> None:
    assert whats(with_rules(AGENT, SHUT_IN, SHUT_OUT)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"destination_ports": ("80", "443")},
        {"destination_ports": ("*",)},
        {"destinations": ("168.63.129.16", "10.0.0.4")},
        {"destinations": ("*",)},
        {"destination_ports": ()},
    ],
)
def test_more_than_the_agent_s_reports_may_not(more: dict[str, Any]) -> None:
    rules = with_rules(replace(AGENT, **more), SHUT_IN, SHUT_OUT)

    assert whats(rules) == ["rule agent allows traffic outbound"]


def test_a_denial_that_names_the_platform_would_silence_the_agent() -> None:
    network = with_rules(replace(AGENT, allows=False), SHUT_IN, SHUT_OUT)

    assert whats(network) == []
    assert [h.what for h in find_hindrances(network)] == [
        "rule agent denies 168.63.129.16: the agent could not report"
    ]


@pytest.mark.parametrize("ports", [("53",), ("81-32525",)])
def test_a_denial_of_other_ports_of_the_platform_silences_nobody(ports: tuple[str, ...]) -> None:
    rule = replace(AGENT, allows=False, destination_ports=ports)

    assert find_hindrances(with_rules(rule, SHUT_IN, SHUT_OUT)) == ()


def test_a_denial_of_everything_silences_nobody() -> None:
    assert find_hindrances(SHUT) == ()


# The copy.

TAGS = Tags.of({"vmbackup-run": "0123456789", "vmbackup-made-by": "vmbackup"})
NIC = InterfaceFacts(f"{SLOT.id}/providers/n", (SLOT.subnet_id,), False, GUARD)
COPY = CopyFacts(
    f"{SLOT.id}/providers/microsoft.compute/virtualmachines/drill-0123456789",
    "5a0c0000-0000-4000-8000-00000000000b",
    Provisioning.SUCCEEDED,
    Power.RUNNING,
    Agent.READY,
    TAGS,
    interfaces=(NIC,),
)
CHANGES: Mapping[str, tuple[dict[str, Any], str]] = {
    "an identity": ({"identities": ("SystemAssigned",)}, "the copy was given an identity"),
    "an extension": (
        {"extensions": ("AzureMonitorLinuxAgent",)},
        "the copy was given an extension",
    ),
    "a tag": (
        {"tags": Tags.of(dict(TAGS) | {"cost": "1"})},
        "the copy bears a tag that is not ours (cost)",
    ),
    "a tag of ours with another value": (
        {"tags": Tags.of(dict(TAGS) | {"vmbackup-run": "x"})},
        "the copy bears a tag that is not ours (vmbackup-run)",
    ),
    "a public address": (
        {"interfaces": (replace(NIC, public=True),)},
        f"interface {NIC.id} has a public address",
    ),
    "another subnet": (
        {"interfaces": (replace(NIC, subnet_ids=("/other",)),)},
        f"interface {NIC.id} lies in another subnet (/other)",
    ),
    "a subnet that is not said": (
        {"interfaces": (replace(NIC, subnet_ids=()),)},
        f"the subnet of interface {NIC.id} could not be read",
    ),
    "forwarding": (
        {"interfaces": (replace(NIC, forwards=True),)},
        f"interface {NIC.id} forwards what is not meant for it",
    ),
    "another security group": (
        {"interfaces": (replace(NIC, network_security_group="/open"),)},
        f"interface {NIC.id} has not the security group that it was given",
    ),
    "no interface that could be read": (
        {"interfaces": ()},
        "the copy's interfaces could not be read",
    ),
    "native backup": (
        {"protected_in": "rsv-default"},
        "the copy is backed up in rsv-default",
    ),
    "another place": ({"id": "/elsewhere/vm"}, "/elsewhere/vm does not lie in the slot"),
}


def of_copy(copy: CopyFacts) -> list[str]:
    return [b.what for b in find_copy_breaches(copy, SLOT, tags=TAGS, security_group=GUARD)]


def test_a_copy_that_is_as_it_was_made_is_isolated() -> None:
    assert of_copy(COPY) == []


@pytest.mark.parametrize(("change", "what"), CHANGES.values(), ids=CHANGES)
def test_each_change_of_a_copy_is_a_breach(change: dict[str, Any], what: str) -> None:
    (found,) = of_copy(replace(COPY, **change))

    assert found.startswith(what)


def test_a_copy_that_lost_its_tags_is_nobody_s() -> None:
    assert len(of_copy(replace(COPY, tags=Tags()))) == 2


@pytest.mark.parametrize(
    "extension",
    ["Microsoft.CPlat.Core.RunCommandHandlerLinux", "RunCommandHandlerWindows"],
)
def test_the_handler_of_our_own_run_commands_is_no_breach(extension: str) -> None:
    assert of_copy(replace(COPY, extensions=(extension,))) == []


def test_the_handler_of_somebody_s_action_run_command_is_one() -> None:
    copy = replace(COPY, extensions=("Microsoft.CPlat.Core.RunCommandLinux",))

    assert len(of_copy(copy)) == 1
