"""Networks in odd forms: nothing that makes no sense is taken for isolation."""

from typing import Any

import pytest

from vmbackup_core.adapters.wire_networks import (
    parse_admin_rules,
    parse_links,
    parse_network,
    parse_routes,
    parse_rules,
    route_table_of,
)
from vmbackup_core.domain.drill.isolation import AdminRule, NextHop
from vmbackup_core.domain.drill.security_rules import Direction
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import Malformed

SLOT = Slot(Place("5a0c0000-0000-4000-8000-00000000000a", "westeurope"), 1)
DONE = {"provisioningState": "Succeeded"}
RULE = {"access": "Deny", "direction": "Inbound", "priority": 100, "protocol": "*"}


def network(**subnet: Any) -> dict[str, Any]:
    told = {**DONE, "addressPrefix": "10.0.0.0/28", "defaultOutboundAccess": False, **subnet}
    return {"properties": {"subnets": [{"name": "Slot-1", "properties": told}]}}


def group(**rule: Any) -> dict[str, Any]:
    return {"properties": {**DONE, "securityRules": [{"name": "r", "properties": RULE | rule}]}}


def test_names_of_subnets_compare_without_case() -> None:
    assert parse_network(network(), SLOT).free_addresses == 11
    assert route_table_of(network(routeTable={"id": "/rt"}), SLOT) == "/rt"


def test_a_network_without_subnets_has_not_the_slot_s() -> None:
    assert parse_network({"properties": {}}, SLOT).free_addresses is None
    assert route_table_of({}, SLOT) == ""


def test_addresses_of_every_prefix_count_and_those_of_ipv6_do_not() -> None:
    prefixes = ["10.0.0.0/28", "10.0.1.0/28", "fd00::/64"]

    facts = parse_network(network(addressPrefixes=prefixes), SLOT)

    assert facts.prefixes == tuple(prefixes)
    assert facts.free_addresses == 22


def test_a_subnet_with_more_users_than_addresses_has_none_left() -> None:
    users = [{"id": f"/nics/{n}/ipConfigurations/ip"} for n in range(20)]

    assert parse_network(network(ipConfigurations=users), SLOT).free_addresses == 0


def test_a_user_that_is_no_interface_is_a_neighbour_as_well() -> None:
    user = {"id": "/x/bastionHosts/B/bastionHostIpConfigurations/c"}

    facts = parse_network(network(ipConfigurations=[user]), SLOT)

    assert facts.interfaces == ("/x/bastionhosts/b/bastionhostipconfigurations/c",)


@pytest.mark.parametrize("state", ["Updating", "Failed", ""])
def test_a_subnet_that_is_not_settled_is_unread(state: str) -> None:
    (unread,) = parse_network(network(provisioningState=state), SLOT).unread

    assert unread.kind == "the subnet"


def test_a_property_without_a_value_says_nothing() -> None:
    assert (
        parse_network(network(serviceAssociationLinks=[], serviceGateway=None), SLOT).unread == ()
    )


def test_a_prefix_that_is_none_makes_no_sense() -> None:
    with pytest.raises(Malformed, match="prefix"):
        parse_network(network(addressPrefix="everything"), SLOT)


@pytest.mark.parametrize("outbound", [True, None, "false"])
def test_only_a_plain_no_switches_default_outbound_access_off(outbound: Any) -> None:
    assert parse_network(network(defaultOutboundAccess=outbound), SLOT).default_outbound


def test_a_rule_holds_what_stands_in_one_field_or_in_the_list() -> None:
    (rule,) = parse_rules(
        group(
            sourceAddressPrefixes=["10.0.0.0/8", "VirtualNetwork"],
            sourceApplicationSecurityGroups=[{"id": "/asg"}],
            destinationAddressPrefix="*",
            destinationPortRanges=["80", "443"],
            sourcePortRange="*",
        )
    )

    assert rule.sources == ("10.0.0.0/8", "VirtualNetwork", "/asg")
    assert (rule.destinations, rule.source_ports) == (("*",), ("*",))
    assert rule.destination_ports == ("80", "443")


def test_an_access_that_is_unknown_allows() -> None:
    (rule,) = parse_rules(group(access="AlwaysAllow"))

    assert rule.allows


@pytest.mark.parametrize(
    "odd", [{"direction": "Sideways"}, {"priority": None}, {"access": ""}, {"protocol": None}]
)
def test_a_rule_that_makes_no_sense_is_no_rule(odd: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        parse_rules(group(**odd))


def test_rules_and_routes_that_are_being_written_prove_nothing() -> None:
    with pytest.raises(Malformed, match="the security group"):
        parse_rules({"properties": {"provisioningState": "Updating"}})
    with pytest.raises(Malformed, match="the route table"):
        parse_routes({"properties": {}})


@pytest.mark.parametrize(
    ("hop", "known"),
    [
        ("None", NextHop.NOWHERE),
        ("VnetLocal", NextHop.NETWORK),
        ("VirtualApplianceEcmp", NextHop.UNKNOWN),
    ],
)
def test_a_route_leads_where_it_says(hop: str, known: NextHop) -> None:
    told = {"addressPrefix": "10.0.0.0/8", "nextHopType": hop}

    (route,) = parse_routes({"properties": {**DONE, "routes": [{"name": "r", "properties": told}]}})

    assert route.next_hop is known


def test_of_a_manager_s_rules_those_count_that_beat_a_security_group() -> None:
    rows = [
        {"id": f"/rules/{access}", "properties": {"access": access, "direction": "Outbound"}}
        for access in ("Allow", "Deny", "AlwaysAllow", "Whatever")
    ]

    assert parse_admin_rules(rows) == (
        AdminRule("AlwaysAllow", Direction.OUTBOUND),
        AdminRule("Whatever", Direction.OUTBOUND),
    )


def test_a_link_is_called_by_its_zone() -> None:
    link = (
        "/subscriptions/s/resourceGroups/g/providers/p/privateDnsZones/corp/virtualNetworkLinks/l"
    )

    assert parse_links([{"id": link}]) == ("corp",)
