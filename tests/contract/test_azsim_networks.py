"""Networks, what guards and connects them, and what policies do, as ARM shows them."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from azsim.extensions import MONITOR
from azsim.http import Response
from azsim.machines import Machine
from azsim.networks import Subnet
from azsim.world import World
from tests.contract.arm_calls import GROUP, SUBSCRIPTION, ask, code
from tests.contract.operator_desk import SUBSCRIPTION as THEIRS
from tests.contract.restore_desk import TARGET, RestoreDesk

NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/apart"
BELOW = f"{GROUP}/providers/Microsoft.Network"
GUARD = f"{BELOW}/networkSecurityGroups/shut"
VERSION = "2024-05-01"
A_RULE = {
    "name": "deny-in",
    "properties": {
        "priority": 4096,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    },
}


@pytest.fixture
def rg(world: World) -> World:
    world.groups.create(SUBSCRIPTION, "rg", "westeurope")
    return world


def call(world: World, method: str, path: str, body: Any = None) -> Response:
    return ask(world, method, path, body, version=VERSION)


def put(world: World, path: str, properties: Any, **more: Any) -> Response:
    body = {"location": "westeurope", "properties": properties, **more}
    answer = call(world, "PUT", path, body)
    world.clock.advance(timedelta(seconds=15))
    return answer


def got(world: World, path: str) -> Any:
    return call(world, "GET", path).body


def network(world: World, **subnet: Any) -> Response:
    inside = {"name": "slot", "properties": {"addressPrefix": "10.1.0.0/29", **subnet}}
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    return put(world, NETWORK, {**space, "subnets": [inside]})


def nic(world: World, name: str) -> Any:
    return world.networks.interfaces.create(
        SUBSCRIPTION, "rg", name, "westeurope", f"{NETWORK}/subnets/slot"
    )


# Networks and subnets.


def test_a_subnet_shows_what_it_was_told(rg: World) -> None:
    put(rg, GUARD, {"securityRules": [A_RULE]})

    network(rg, networkSecurityGroup={"id": GUARD}, defaultOutboundAccess=False)

    alone = got(rg, f"{NETWORK}/subnets/SLOT")["properties"]
    (inline,) = got(rg, NETWORK)["properties"]["subnets"]
    assert alone["networkSecurityGroup"] == {"id": GUARD}
    assert alone["defaultOutboundAccess"] is False
    assert alone == inline["properties"] | {"ipamPoolPrefixAllocations": []}


def test_a_subnet_is_rewritten_as_recorded(rg: World) -> None:
    network(rg)

    answer = put(rg, f"{NETWORK}/subnets/slot", {"addressPrefix": "10.1.0.0/28"})

    assert answer.status == 200
    assert f"api-version={VERSION}" in answer.headers["Azure-AsyncOperation"]
    assert got(rg, f"{NETWORK}/subnets/slot")["properties"]["addressPrefix"] == "10.1.0.0/28"


def test_a_subnet_is_added_and_taken_away(rg: World) -> None:
    network(rg)

    added = put(rg, f"{NETWORK}/subnets/more", {"addressPrefix": "10.1.1.0/28"})
    names = [subnet["name"] for subnet in got(rg, f"{NETWORK}/subnets")["value"]]
    gone = call(rg, "DELETE", f"{NETWORK}/subnets/more")

    assert (added.status, names, gone.status) == (201, ["slot", "more"], 202)
    assert call(rg, "GET", f"{NETWORK}/subnets/more").status == 404


def test_a_subnet_with_an_interface_is_not_taken_away(rg: World) -> None:
    network(rg)
    nic(rg, "nic-1")

    assert code(call(rg, "DELETE", f"{NETWORK}/subnets/slot")) == "InUseSubnetCannotBeDeleted"


def test_a_subnet_names_who_has_an_address_in_capitals(rg: World) -> None:
    network(rg)
    nic(rg, "nic-1")

    (user,) = got(rg, f"{NETWORK}/subnets/slot")["properties"]["ipConfigurations"]

    assert user["id"].endswith("/networkInterfaces/NIC-1/ipConfigurations/IPCONFIG")


def test_a_guard_that_is_not_there_is_refused(rg: World) -> None:
    assert code(network(rg, networkSecurityGroup={"id": GUARD})) == "InvalidResourceReference"


@pytest.mark.asks_in_vain
def test_what_azsim_lacks_of_a_subnet_is_refused(rg: World) -> None:
    assert network(rg, serviceGateway={"id": "x"}).status == 501


def test_a_peering_needs_both_sides(rg: World) -> None:
    network(rg)
    hub = rg.networks.create(SUBSCRIPTION, "rg", "hub", "westeurope")
    there = {"remoteVirtualNetwork": {"id": hub.id}, "allowForwardedTraffic": True}
    back = {"remoteVirtualNetwork": {"id": NETWORK}}

    put(rg, f"{NETWORK}/virtualNetworkPeerings/out", there)
    (first,) = got(rg, NETWORK)["properties"]["virtualNetworkPeerings"]
    put(rg, f"{hub.id}/virtualNetworkPeerings/back", back)
    (second,) = got(rg, f"{NETWORK}/virtualNetworkPeerings")["value"]
    call(rg, "DELETE", f"{hub.id}/virtualNetworkPeerings/back")
    (third,) = got(rg, NETWORK)["properties"]["virtualNetworkPeerings"]

    assert [side["properties"]["peeringState"] for side in (first, second, third)] == [
        "Initiated",
        "Connected",
        "Disconnected",
    ]
    assert second["properties"]["allowForwardedTraffic"] is True


def test_a_network_manager_applies_nothing_unless_somebody_said_so(rg: World) -> None:
    network(rg)

    answers = [
        call(rg, "POST", f"{NETWORK}/listNetworkManagerEffective{what}", {}).body
        for what in ("SecurityAdminRules", "ConnectivityConfigurations")
    ]

    assert answers == [{"value": [], "skipToken": ""}] * 2


# What networks are told by.


def test_a_security_group_shows_its_rules_above_the_default_ones(rg: World) -> None:
    put(rg, GUARD, {"securityRules": [A_RULE]})

    shown = got(rg, GUARD)["properties"]

    assert shown["securityRules"][0]["id"] == f"{GUARD}/securityRules/deny-in"
    assert shown["securityRules"][0]["properties"]["priority"] == 4096
    assert sorted(rule["properties"]["priority"] for rule in shown["defaultSecurityRules"]) == [
        *(65000, 65000, 65001, 65001, 65500, 65500)
    ]


def test_two_rules_of_one_priority_are_refused(rg: World) -> None:
    answer = put(rg, GUARD, {"securityRules": [A_RULE, A_RULE | {"name": "other"}]})

    assert code(answer) == "SecurityRuleConflict"


def test_a_guard_that_a_subnet_has_is_not_removed(rg: World) -> None:
    put(rg, GUARD, {"securityRules": []})
    network(rg, networkSecurityGroup={"id": GUARD})

    refused = call(rg, "DELETE", GUARD)
    put(rg, f"{NETWORK}/subnets/slot", {"addressPrefix": "10.1.0.0/29"})
    accepted = call(rg, "DELETE", GUARD)
    rg.clock.advance(timedelta(seconds=15))

    assert code(refused) == "InUseNetworkSecurityGroupCannotBeDeleted"
    assert (accepted.status, call(rg, "GET", GUARD).status) == (202, 404)


PARTS = {
    "routeTables": {
        "routes": [
            {"name": "r", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}
        ]
    },
    "natGateways": {"idleTimeoutInMinutes": 5},
    "publicIPAddresses": {"publicIPAllocationMethod": "Static"},
    "privateDnsZones": {},
    "dnsForwardingRulesets": {},
}


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_is_made_listed_and_removed(rg: World, kind: str) -> None:
    made = put(rg, f"{BELOW}/{kind}/it", PARTS[kind])
    again = put(rg, f"{BELOW}/{kind}/IT", PARTS[kind])
    listed = got(rg, f"{BELOW}/{kind}")["value"]
    call(rg, "DELETE", f"{BELOW}/{kind}/it")
    rg.clock.advance(timedelta(seconds=15))

    assert (made.status, again.status) == (201, 200)
    assert [row["id"] for row in listed] == [f"{BELOW}/{kind}/it"]
    assert got(rg, f"{BELOW}/{kind}")["value"] == []
    assert call(rg, "DELETE", f"{BELOW}/{kind}/it").status == 204


@pytest.mark.parametrize("kind", ["privateDnsZones", "dnsForwardingRulesets"])
def test_a_link_belongs_to_its_zone_and_is_known_to_resource_graph(rg: World, kind: str) -> None:
    network(rg)
    put(rg, f"{BELOW}/{kind}/corp.example", {})
    link = f"{BELOW}/{kind}/corp.example/virtualNetworkLinks/l"
    put(rg, link, {"virtualNetwork": {"id": NETWORK}})
    rg.graph.lag = timedelta(0)
    query = "resources | where type endswith 'virtualnetworklinks' | project id"

    rows = call(
        rg,
        "POST",
        "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
        {"query": query, "options": {"resultFormat": "objectArray"}},
    ).body["data"]  # type: ignore[index, call-overload]

    assert [row["id"] for row in rows] == [link]
    assert [row["id"] for row in got(rg, link.removesuffix("/l"))["value"]] == [link]


def test_a_private_endpoint_lies_in_its_subnet(rg: World) -> None:
    network(rg)

    put(rg, f"{BELOW}/privateEndpoints/pe", {"subnet": {"id": f"{NETWORK}/subnets/slot"}})

    subnet = got(rg, f"{NETWORK}/subnets/slot")["properties"]
    assert subnet["privateEndpoints"] == [{"id": f"{BELOW}/privateEndpoints/pe"}]
    assert len(subnet["ipConfigurations"]) == 1


def test_a_deleted_group_takes_its_parts_along(rg: World) -> None:
    put(rg, GUARD, {"securityRules": []})

    rg.groups.delete(SUBSCRIPTION, "rg")
    rg.groups.create(SUBSCRIPTION, "rg", "westeurope")

    assert call(rg, "GET", GUARD).status == 404


# Addresses.


def test_a_subnet_of_eight_addresses_has_room_for_three(rg: World) -> None:
    network(rg)

    addresses = [nic(rg, f"nic-{number}").address for number in range(3)]

    assert addresses == ["10.1.0.4", "10.1.0.5", "10.1.0.6"]


def test_a_copy_in_a_full_subnet_is_refused(world: World) -> None:
    desk = RestoreDesk.open(world)
    desk.restored()
    small = Subnet("default", "10.0.0.0/29")
    world.networks.set_subnet(desk.network, small)
    for number in range(3):
        world.networks.interfaces.create(THEIRS, TARGET, f"n{number}", "westeurope", desk.subnet_id)

    with pytest.raises(HttpResponseError, match="does not have enough capacity for 1 IP addresses"):
        desk.copy()

    assert "virtualMachines" not in desk.left()


# Policies.


@pytest.fixture
def desk(world: World) -> RestoreDesk:
    desk = RestoreDesk.open(world)
    desk.restored()
    return desk


def copy_of(desk: RestoreDesk) -> Machine:
    desk.copy()
    found = desk.world.machines.find(
        f"{desk.group_id}/providers/Microsoft.Compute/virtualMachines/copy"
    )
    assert found is not None
    return found


def shown(desk: RestoreDesk) -> Any:
    return desk.compute.virtual_machines.get(TARGET, "copy", expand="instanceView").as_dict()


def test_a_machine_that_a_policy_denies_is_refused_with_its_name(desk: RestoreDesk) -> None:
    desk.world.policies.deny(desk.group_id, "no-machines")
    body = {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": "x"}}}

    answer = call(
        desk.world,
        "PUT",
        f"{desk.group_id}/providers/Microsoft.Compute/virtualMachines/copy?api-version=2024-07-01",
        body,
    )

    error: Any = answer.body["error"]  # type: ignore[index, call-overload]
    assert (answer.status, error["code"]) == (403, "RequestDisallowedByPolicy")
    assert error["target"] == "copy"
    assert '"name":"no-machines"' in error["message"]
    assert error["additionalInfo"][0]["type"] == "PolicyViolation"
    assert error["additionalInfo"][0]["info"]["policyDefinitionEffect"] == "deny"


def test_a_policy_that_modifies_acts_in_the_request(desk: RestoreDesk) -> None:
    desk.world.policies.modify(desk.group_id, tags={"cost": "1"}, identity=True)

    copy = desk.copy()

    assert copy.tags == {"cost": "1"}
    assert copy.identity.type == "SystemAssigned"


def test_a_policy_that_deploys_acts_later(desk: RestoreDesk) -> None:
    desk.world.policies.deploy(desk.group_id, identity=True, extension=MONITOR)
    desk.copy()

    before = shown(desk)
    desk.later(minutes=11)
    after = shown(desk)

    assert "identity" not in before
    assert "resources" not in before
    assert after["identity"]["type"] == "SystemAssigned"
    assert [row["name"] for row in after["resources"]] == ["AzureMonitorLinuxAgent"]
    handlers = after["properties"]["instanceView"]["vmAgent"]["extensionHandlers"]
    assert [row["type"] for row in handlers] == ["Microsoft.Azure.Monitor.AzureMonitorLinuxAgent"]


def test_extensions_can_be_looked_at_one_by_one(desk: RestoreDesk) -> None:
    desk.world.policies.deploy(desk.group_id, extension=MONITOR, after=timedelta(0))
    desk.copy()
    desk.later(minutes=2)
    extensions = desk.compute.virtual_machine_extensions

    listed = extensions.list(TARGET, "copy").as_dict()["value"]

    assert [row["name"] for row in listed] == ["AzureMonitorLinuxAgent"]
    assert extensions.get(TARGET, "copy", "azuremonitorlinuxagent").name == listed[0]["name"]


def test_a_policy_may_protect_a_copy(desk: RestoreDesk) -> None:
    desk.world.policies.deploy(desk.group_id, vault=desk.desk.vault)
    copy = copy_of(desk)

    before = desk.world.vaults.item_of(copy.id)
    desk.later(minutes=11)

    assert before is None
    assert desk.world.vaults.item_of(copy.id) is not None


def test_a_policy_may_give_a_public_address(desk: RestoreDesk) -> None:
    desk.world.policies.deploy(desk.group_id, public_address=True)
    copy = desk.copy()
    desk.later(minutes=11)
    interface = copy.properties.network_profile.network_interfaces[0].id

    (address,) = got(desk.world, interface)["properties"]["ipConfigurations"]
    public = got(desk.world, address["properties"]["publicIPAddress"]["id"])

    assert public["properties"]["ipAddress"].startswith("52.176.")


def test_an_exempt_group_is_left_alone(desk: RestoreDesk) -> None:
    world = desk.world
    policy = world.policies.modify(f"/subscriptions/{THEIRS}", tags={"cost": "1"})
    policy.exempt.add(desk.group_id)

    desk.copy()

    assert shown(desk)["tags"] == {}


def test_a_machine_that_is_gone_is_given_nothing(desk: RestoreDesk) -> None:
    desk.world.policies.deploy(desk.group_id, identity=True)
    desk.copy()
    desk.compute.virtual_machines.begin_delete(TARGET, "copy").result()

    desk.later(minutes=11)

    assert "virtualMachines" not in desk.left()


def test_a_run_command_shows_its_handler_and_no_extension(desk: RestoreDesk) -> None:
    desk.copy()
    desk.later(minutes=5)

    desk.run()
    desk.later(minutes=1)

    copy = shown(desk)
    handlers = copy["properties"]["instanceView"]["vmAgent"]["extensionHandlers"]
    assert [row["type"] for row in handlers] == ["Microsoft.CPlat.Core.RunCommandHandlerLinux"]
    assert "resources" not in copy
