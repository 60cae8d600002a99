"""An app that is reached through private endpoints, and the open one beside it."""

from functools import cache
from typing import Any

import pytest

from tests.infra.bicep import Resource, deploy
from tests.infra.estate import GIVEN, INFRA, estate, of_kind

PEOPLE = "192.0.2.0/24"
ACCOUNT = "Microsoft.Storage/storageAccounts"
ENDPOINT = "Microsoft.Network/privateEndpoints"
NETWORK = "Microsoft.Network/virtualNetworks"
SITE = "Microsoft.Web/sites"
ZONE = "Microsoft.Network/privateDnsZones"
OWN = {"appSubnetId": "/nets/hub/subnets/app", "endpointSubnetId": "/nets/hub/subnets/ends"}


@cache
def private(*, own: bool = False, separate: bool = True) -> list[Resource]:
    given = {**GIVEN, **(OWN if own else {}), "separateDrills": separate}
    addresses = [PEOPLE, "198.51.100.7"]
    return deploy(INFRA / "main.bicep", **given, isPrivate=True, allowedAddresses=addresses)


def ours(resources: list[Resource], kind: str) -> list[Resource]:
    return [one for one in of_kind(resources, kind) if "/rg-vmbackup-test/" in one.id]


def app_network() -> Any:
    [found] = ours(private(), NETWORK)
    return found.body["properties"]


def test_every_account_of_the_app_denies_whom_it_does_not_know() -> None:
    rules = [one.body["properties"]["networkAcls"] for one in ours(private(), ACCOUNT)]

    assert len(rules) == 3
    assert {one["defaultAction"] for one in rules} == {"Deny"}


def test_each_service_that_the_app_uses_has_an_endpoint_in_the_network() -> None:
    reached = {
        (connection["privateLinkServiceId"].rsplit("/", 1)[-1][:11], *connection["groupIds"])
        for one in of_kind(private(), ENDPOINT)
        for entry in one.body["properties"]["privateLinkServiceConnections"]
        for connection in [entry["properties"]]
    }

    assert reached == {
        ("stvmbackups", "blob"),
        ("stvmbackups", "table"),
        *(("stvmbackuph", service) for service in ("blob", "queue", "table")),
        *(("stvmbackupr", service) for service in ("blob", "queue", "table")),
        ("func-vmback", "sites"),
    }


def test_each_endpoint_has_its_name_in_the_zone_of_its_service() -> None:
    zones = {
        one.id.split("/")[-3]: one.body["properties"]["privateDnsZoneConfigs"]
        for one in of_kind(private(), f"{ENDPOINT}/privateDnsZoneGroups")
    }

    assert len(zones) == len(of_kind(private(), ENDPOINT))
    assert all(
        name.rsplit("-", 1)[-1].replace("sites", "azurewebsites")
        in entry["properties"]["privateDnsZoneId"]
        for name, [entry] in zones.items()
    )


def test_the_zones_are_linked_with_the_network_that_is_made() -> None:
    [network] = ours(private(), NETWORK)
    links = of_kind(private(), f"{ZONE}/virtualNetworkLinks")

    assert len(links) == len(of_kind(private(), ZONE)) == 4
    assert {one.body["properties"]["virtualNetwork"]["id"] for one in links} == {network.id}


def test_the_app_s_subnet_is_its_own_and_leads_out_by_a_gateway() -> None:
    app, endpoints = app_network()["subnets"]

    assert app["properties"]["addressPrefix"] == "10.254.0.0/26"
    assert endpoints["properties"]["addressPrefix"] == "10.254.0.64/26"
    assert app["properties"]["defaultOutboundAccess"] is False
    assert "natGateways" in app["properties"]["natGateway"]["id"]
    assert app["properties"]["delegations"][0]["properties"] == {
        "serviceName": "Microsoft.App/environments"
    }


@pytest.mark.parametrize("number", [0, 1])
def test_the_app_lets_in_event_grid_and_people_and_nobody_else(number: int) -> None:
    config = of_kind(private(), SITE)[number].body["properties"]["siteConfig"]
    allowed = [one["ipAddress"] for one in config["ipSecurityRestrictions"]]
    publishing = [one["ipAddress"] for one in config["scmIpSecurityRestrictions"]]

    assert allowed == ["AzureEventGrid", PEOPLE, "198.51.100.7/32"]
    assert publishing == [PEOPLE, "198.51.100.7/32"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Deny"
    assert config["scmIpSecurityRestrictionsDefaultAction"] == "Deny"


def test_a_network_that_is_there_is_used_and_no_zone_is_made() -> None:
    resources = private(own=True)
    subnets = {one.body["properties"]["subnet"]["id"] for one in of_kind(resources, ENDPOINT)}
    [site, _] = of_kind(resources, SITE)

    assert ours(resources, NETWORK) == []
    assert of_kind(resources, ZONE) == []
    assert of_kind(resources, f"{ENDPOINT}/privateDnsZoneGroups") == []
    assert subnets == {OWN["endpointSubnetId"]}
    assert site.body["properties"]["virtualNetworkSubnetId"] == OWN["appSubnetId"]


def test_an_open_app_has_no_network_and_no_rules() -> None:
    [site] = of_kind(estate(), SITE)

    assert of_kind(estate(), ENDPOINT) == ours(estate(), NETWORK) == of_kind(estate(), ZONE) == []
    assert site.body["properties"]["virtualNetworkSubnetId"] is None
    assert site.body["properties"]["siteConfig"]["ipSecurityRestrictions"] == []
    assert site.body["properties"]["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Allow"


def test_names_of_endpoints_are_not_too_long() -> None:
    assert max(len(one.name) for one in of_kind(private(), ENDPOINT)) <= 64
