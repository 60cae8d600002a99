"""What the templates make for restore tests is isolated, and called as the code calls it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import Resource, deploy
from tests.infra.estate import INFRA, OTHER, WEST, of_kind
from vmbackup_core.adapters.staging import _unfit
from vmbackup_core.adapters.wire_networks import parse_network, parse_rules, route_table_of
from vmbackup_core.domain.drill.isolation import NetworkFacts, find_breaches, find_hindrances
from vmbackup_core.domain.drill.slots import Place, Slot

PLACE = Place(OTHER, WEST)
SLOTS = (1, 2, 99)
FITS = {
    "environmentName": "test",
    "location": WEST,
    "slots": 99,
    "restorerPrincipalId": "restorer",
    "vaultPrincipalIds": [],
    "tags": {},
}


# What somebody could do to the template, and what the app would say of it.
WEAKENED = {
    "the denial inwards is lost": ("      everythingIn\n", "", "no rule denies everything inbound"),
    "the denial outwards is lost": (
        "      everythingOut\n",
        "",
        "no rule denies everything outbound",
    ),
    "the subnet reaches out by itself": (
        "defaultOutboundAccess: false",
        "defaultOutboundAccess: true",
        "Azure's default outbound access",
    ),
    "a rule allows more than reports": ("'32526'", "'443'", "rule agent allows traffic outbound"),
    "nothing guards the subnet": (
        "        networkSecurityGroup: {\n          id: guards[n - 1].id\n        }\n",
        "",
        "the subnet has no network security group",
    ),
    "an endpoint leads to storage": (
        "        defaultOutboundAccess: false\n",
        "        defaultOutboundAccess: false\n"
        "        serviceEndpoints: [{ service: 'Microsoft.Storage' }]\n",
        "a service endpoint leads",
    ),
    "names are asked of another server": (
        "    addressSpace: {\n",
        "    dhcpOptions: { dnsServers: ['10.0.0.4'] }\n    addressSpace: {\n",
        "DNS server of its own",
    ),
}


def place(*, deny_platform: bool = False, infra: Path = INFRA) -> list[Resource]:
    path = infra / "modules" / "drill_place.bicep"
    return deploy(path, f"/subscriptions/{OTHER}", **FITS, denyPlatform=deny_platform)


def answered(resource: Resource) -> dict[str, Any]:
    """Return a resource as Azure would show it once it is made."""
    properties = {**resource.body["properties"], "provisioningState": "Succeeded"}
    return {**resource.body, "id": resource.id, "properties": properties}


def network_of(resources: list[Resource]) -> dict[str, Any]:
    [network] = of_kind(resources, "Microsoft.Network/virtualNetworks")
    body = answered(network)
    subnets = body["properties"]["subnets"]
    settled = [_settled(subnet) for subnet in subnets]
    return {**body, "properties": {**body["properties"], "subnets": settled}}


def _settled(subnet: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**subnet["properties"], "provisioningState": "Succeeded"}
    return {**subnet, "properties": properties}


def look(resources: list[Resource], slot: Slot) -> NetworkFacts:
    """Return what the app's own reader would see of a slot's network."""
    network = network_of(resources)
    facts = parse_network(network, slot)
    guards = [one for one in resources if one.id == facts.network_security_group]
    assert route_table_of(network, slot) == ""
    return NetworkFacts(
        **{name: getattr(facts, name) for name in facts.__slots__ if name != "rules"},
        rules=tuple(rule for guard in guards for rule in parse_rules(answered(guard))),
    )


@pytest.mark.parametrize("number", SLOTS)
@pytest.mark.parametrize("deny_platform", [False, True])
def test_a_slot_is_isolated_as_the_app_judges_it(number: int, deny_platform: bool) -> None:
    facts = look(place(deny_platform=deny_platform), Slot(PLACE, number))

    assert find_breaches(facts, egress=False) == ()
    assert find_hindrances(facts) == ()


@pytest.mark.parametrize("how", WEAKENED)
def test_a_place_that_was_weakened_is_not_isolated(how: str, tmp_path: Path) -> None:
    right, wrong, said = WEAKENED[how]
    shutil.copytree(INFRA, tmp_path / "infra")
    module = tmp_path / "infra" / "modules" / "drill_network.bicep"
    module.write_text(module.read_text().replace(right, wrong))

    facts = look(place(infra=tmp_path / "infra"), Slot(PLACE, 1))

    assert [breach for breach in find_breaches(facts, egress=False) if said in breach.what]


@pytest.mark.parametrize("number", SLOTS)
def test_a_slot_has_room_for_a_copy(number: int) -> None:
    free = look(place(), Slot(PLACE, number)).free_addresses

    assert free == 11


def test_each_slot_is_a_group_with_the_name_that_the_code_knows() -> None:
    groups = {one.id.lower() for one in of_kind(place(), "Microsoft.Resources/resourceGroups")}

    assert groups == {PLACE.group_id, *(Slot(PLACE, n).id for n in range(1, 100))}


def test_the_network_has_the_name_that_the_code_knows() -> None:
    [network] = of_kind(place(), "Microsoft.Network/virtualNetworks")

    assert network.id.lower() == PLACE.network_id


def test_the_network_leads_nowhere() -> None:
    [network] = of_kind(place(), "Microsoft.Network/virtualNetworks")

    assert set(network.body["properties"]) == {"addressSpace", "subnets"}


def test_the_place_has_one_staging_account_through_which_azure_can_restore() -> None:
    [account] = of_kind(place(), "Microsoft.Storage/storageAccounts")

    assert account.id.lower().startswith(f"{PLACE.group_id}/")
    assert _unfit(dict(account.body), WEST) == ""


def test_nothing_is_deployed_into_a_slot_but_the_right_to_work_there() -> None:
    inside = [
        one.kind
        for one in place()
        for n in SLOTS
        if one.id.lower().startswith(Slot(PLACE, n).id + "/")
    ]

    assert set(inside) == {"Microsoft.Authorization/roleAssignments"}
    assert len(inside) == len(SLOTS)
