"""Isolation read from a network as Azure shows it, and the breaches that are told of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from azsim.extensions import MONITOR
from azsim.fault_kinds import Fault, Kind
from azsim.network_parts import (
    NAT_GATEWAY,
    PRIVATE_ENDPOINT,
    PRIVATE_ZONE,
    ROUTE_TABLE,
    RULE_SET,
)
from azsim.networks import Subnet
from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT, WEST, Desk
from tests.contract.drill_desk import NAME, OURS, DrillDesk
from vmbackup_cli.simulated import SHUT, found_place
from vmbackup_core.adapters.api_versions import NETWORKS
from vmbackup_core.adapters.deed_forms import Identity
from vmbackup_core.adapters.networks import ADMIN_RULES, AzureNetworks
from vmbackup_core.domain.drill.isolation import NetworkFacts, find_breaches, find_copy_breaches
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import Denied, Retryable

PLACE = Place(SUB, WEST)
SLOT = Slot(PLACE, 1)
AGENT: Mapping[str, Any] = SHUT[1] | {
    "name": "agent",
    "priority": 100,
    "access": "Allow",
    "protocol": "Tcp",
    "destinationAddressPrefix": "168.63.129.16",
    "destinationPortRange": None,
    "destinationPortRanges": ["80", "32526"],
}


class NetworkDesk(Desk):
    """A place with two slots that are shut, and the port Networks on it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.network = found_place(world, PLACE, 2)
        self.networks = AzureNetworks(self.arm(Identity.READER), self.clock)

    def observe(self) -> NetworkFacts:
        return self.networks.observe_network(SLOT)

    def breaches(self) -> list[str]:
        return [breach.what for breach in find_breaches(self.observe(), egress=False)]

    def write(self, **properties: Any) -> None:
        """Write properties of the slot's subnet beside those that it has."""
        subnet = self.network.subnets[0]
        self.world.networks.set_subnet(
            self.network, replace(subnet, model={**subnet.model, **properties})
        )

    def guard(self, *rules: Mapping[str, Any]) -> None:
        """Give the slot's security group other rules."""
        self.world.networks.parts.security_group(SUB, PLACE.group, "slot-1", WEST, rules)

    def part(self, kind: str, properties: dict[str, Any] | None = None, name: str = "it") -> Any:
        return self.world.networks.parts.create(SUB, "rg-hub", kind, name, WEST, properties)


@pytest.fixture
def desk(world: World) -> NetworkDesk:
    return NetworkDesk(world)


def test_a_slot_as_it_is_deployed_is_isolated(desk: NetworkDesk) -> None:
    assert desk.breaches() == []


def test_a_slot_is_read_in_five_calls_with_the_reader_s_rights_alone(desk: NetworkDesk) -> None:
    desk.observe()

    assert desk.calls() == [
        "networks.get",
        "security_groups.get",
        "graph.query",
        "networks.admin_rules",
        "networks.connections",
    ]


def test_a_slot_tells_its_guard_and_the_addresses_that_are_left(desk: NetworkDesk) -> None:
    network = desk.observe()

    assert network.network_security_group.endswith("/networkSecurityGroups/slot-1")
    assert (network.prefixes, network.free_addresses) == (("10.255.1.0/28",), 11)


def test_the_agent_s_reports_may_be_let_out(desk: NetworkDesk) -> None:
    desk.guard(*SHUT, AGENT)

    assert desk.breaches() == []


def test_a_place_without_a_network_has_no_subnet(world: World) -> None:
    desk = Desk(world)
    world.groups.create(SUB, PLACE.group, WEST)
    networks = AzureNetworks(desk.arm(Identity.READER), desk.clock)

    network = networks.observe_network(SLOT)

    assert network == NetworkFacts(SLOT.subnet_id)


def test_a_slot_that_was_not_deployed_has_no_subnet(desk: NetworkDesk) -> None:
    network = desk.networks.observe_network(Slot(PLACE, 3))

    assert network.free_addresses is None


def a_neighbour(desk: NetworkDesk) -> None:
    subnet = f"{desk.network.id}/subnets/slot-1"
    desk.world.networks.interfaces.create(SUB, PLACE.group, "stranger", WEST, subnet)


def a_peering(desk: NetworkDesk) -> None:
    hub = desk.world.networks.create(SUB, "rg-hub", "hub", WEST)
    desk.world.networks.peer(desk.network, "to-hub", hub.id, "Disconnected")


def a_route(desk: NetworkDesk) -> None:
    told = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}
    table = desk.part(ROUTE_TABLE, {"routes": [{"name": "all", "properties": told}]})
    desk.write(routeTable={"id": table.id})


def a_private_endpoint(desk: NetworkDesk) -> None:
    desk.part(PRIVATE_ENDPOINT, {"subnet": {"id": f"{desk.network.id}/subnets/slot-1"}})


def a_nat_gateway(desk: NetworkDesk) -> None:
    desk.write(natGateway={"id": desk.part(NAT_GATEWAY).id})


def a_zone(desk: NetworkDesk) -> None:
    desk.world.networks.parts.link(desk.part(PRIVATE_ZONE, name="corp.example"), desk.network.id)


def a_rule_set(desk: NetworkDesk) -> None:
    desk.world.networks.parts.link(desk.part(RULE_SET, name="to-home"), desk.network.id)


def a_manager_s_rule(desk: NetworkDesk) -> None:
    told = {"access": "AlwaysAllow", "direction": "Inbound", "priority": 1, "protocol": "Tcp"}
    rule = {"id": "/managers/m/rules/patching", "kind": "Custom", "properties": told}
    desk.network.admin_rules.append(rule)


def a_manager_s_mesh(desk: NetworkDesk) -> None:
    told = {"connectivityTopology": "Mesh"}
    desk.network.connections.append({"id": "managers/m/configurations/mesh", "properties": told})


def another_subnet(desk: NetworkDesk) -> None:
    desk.world.networks.set_subnet(desk.network, Subnet("GatewaySubnet", "10.255.0.0/27"))


def no_guard(desk: NetworkDesk) -> None:
    desk.write(networkSecurityGroup=None)


def an_open_guard(desk: NetworkDesk) -> None:
    desk.guard(*SHUT, {**AGENT, "name": "web", "destinationPortRanges": ["443"]})


def a_guard_by_application(desk: NetworkDesk) -> None:
    groups = {"sourceApplicationSecurityGroups": [{"id": "/asg"}], "sourceAddressPrefix": None}
    desk.guard(SHUT[0] | groups, SHUT[1])


def a_guard_of_default_rules(desk: NetworkDesk) -> None:
    desk.guard()


BREACHES: Mapping[Callable[[NetworkDesk], None], tuple[str, ...]] = {
    a_neighbour: ("interface /subscriptions/",),
    a_peering: ("the network is peered with /subscriptions/",),
    a_route: ("route all leads 0.0.0.0/0 to virtualappliance",),
    a_private_endpoint: ("private endpoint /subscriptions/", "interface /subscriptions/"),
    a_nat_gateway: ("NAT gateway /subscriptions/",),
    a_zone: ("the network resolves names of corp.example",),
    a_rule_set: ("the network resolves names of to-home",),
    a_manager_s_rule: ("a network manager always allows traffic inbound (patching)",),
    a_manager_s_mesh: ("a network manager connects the network with others (mesh)",),
    another_subnet: ("the network has a subnet GatewaySubnet, which is no slot",),
    no_guard: ("the subnet has no network security group",),
    an_open_guard: ("rule web allows traffic outbound",),
    a_guard_by_application: ("no rule denies everything inbound",),
    a_guard_of_default_rules: (
        "no rule denies everything inbound",
        "no rule denies everything outbound",
    ),
}
WRITTEN: Mapping[str, tuple[dict[str, Any], str]] = {
    "a service endpoint": (
        {"serviceEndpoints": [{"service": "Microsoft.Storage"}]},
        "a service endpoint leads from the subnet to Microsoft.Storage",
    ),
    "a delegation": (
        {"delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/farms"}}]},
        "the subnet is delegated to Microsoft.Web/farms",
    ),
    "default outbound access": (
        {"defaultOutboundAccess": True},
        "Azure's default outbound access is not switched off for the subnet",
    ),
    "outbound access that is not told": (
        {"defaultOutboundAccess": None},
        "Azure's default outbound access is not switched off for the subnet",
    ),
    "what nobody knows": (
        {"applicationGatewayIPConfigurations": [{"id": "/gw"}]},
        "applicationGatewayIPConfigurations of the subnet could not be read: vmbackup does not "
        "know what it means",
    ),
}


@pytest.mark.parametrize(
    ("breach", "told"), BREACHES.items(), ids=lambda it: getattr(it, "__name__", "")
)
def test_a_breach_is_seen_on_the_wire(
    desk: NetworkDesk, breach: Callable[[NetworkDesk], None], told: tuple[str, ...]
) -> None:
    breach(desk)

    found = desk.breaches()

    assert [what.startswith(start) for what, start in zip(found, told, strict=True)] == [
        True for _ in told
    ]


@pytest.mark.parametrize(("written", "told"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_of_a_subnet_is_judged(
    desk: NetworkDesk, written: dict[str, Any], told: str
) -> None:
    desk.write(**written)

    assert desk.breaches() == [told]


def test_custom_dns_servers_are_told(desk: NetworkDesk) -> None:
    desk.network.dns_servers = ("10.9.0.4",)

    assert desk.breaches() == ["the network asks a DNS server of its own, 10.9.0.4"]


def test_what_is_beside_the_slot_does_not_count(desk: NetworkDesk) -> None:
    other = f"{desk.network.id}/subnets/slot-2"
    desk.world.networks.interfaces.create(SUB, PLACE.group, "theirs", WEST, other)
    elsewhere = desk.world.networks.create(SUB, "rg-hub", "hub", WEST)
    desk.world.networks.parts.link(desk.part(PRIVATE_ZONE), elsewhere.id)

    assert desk.breaches() == []


def test_a_copy_s_own_interface_takes_an_address_and_is_no_breach(desk: NetworkDesk) -> None:
    subnet = f"{desk.network.id}/subnets/slot-1"
    nic = desk.world.networks.interfaces.create(SUB, SLOT.group, "nic-1", WEST, subnet)

    network = desk.observe()

    assert network.free_addresses == 10
    assert find_breaches(network, egress=False, ours=frozenset({nic.id.lower()})) == ()


READS = {
    "networks.get": "the virtual network",
    "security_groups.get": "the security group",
    "graph.query": "links to names",
    "networks.admin_rules": "a network manager's rules",
    "networks.connections": "a network manager's connections",
}


@pytest.mark.parametrize(("route", "kind"), READS.items())
def test_what_may_not_be_read_is_a_breach_that_says_why(
    desk: NetworkDesk, route: str, kind: str
) -> None:
    desk.world.faults.add(Fault(Kind.FORBIDDEN, route))

    (what,) = [what for what in desk.breaches() if "could not be read" in what]

    assert what.startswith(f"{kind} could not be read: ")


@pytest.mark.parametrize("route", READS)
def test_what_time_heals_is_not_taken_for_unread(desk: NetworkDesk, route: str) -> None:
    desk.world.faults.add(Fault(Kind.UNAVAILABLE, route, times=9))

    with pytest.raises(Retryable):
        desk.observe()


def test_a_guard_that_is_gone_is_a_breach(desk: NetworkDesk) -> None:
    desk.write(
        networkSecurityGroup={
            "id": f"{PLACE.group_id}/providers/Microsoft.Network/networkSecurityGroups/x"
        }
    )

    assert desk.breaches()[0].startswith("the security group could not be read: ")


def test_a_network_that_is_being_written_to_proves_nothing(desk: NetworkDesk) -> None:
    desk.world.networks.changed(desk.network, desk.world.networks.span())

    assert desk.breaches() == [
        "the subnet could not be read: it is being written to, or that failed (updating)"
    ]


def test_what_a_manager_applies_is_asked_of_drill_networks_alone(desk: NetworkDesk) -> None:
    hub = desk.world.networks.create(SUB, "rg-hub", "hub", WEST)
    reader = desk.arm(Identity.READER)

    with pytest.raises(Denied):
        reader.post(f"{hub.id}/{ADMIN_RULES}", NETWORKS, "asking beside the slots", {})

    assert desk.calls() == []


def test_every_page_of_what_a_manager_applies_is_read(desk: NetworkDesk) -> None:
    a_manager_s_rule(desk)
    for number in range(30):
        rule = desk.network.admin_rules[0]
        desk.network.admin_rules.append(rule | {"id": f"/managers/m/rules/{number}"})

    assert len(desk.observe().admin_rules) == 31


# The copy.


def test_what_policies_add_to_a_copy_is_seen_and_judged(world: World) -> None:
    desk = DrillDesk(world)
    (vault,) = world.vaults.in_subscription(SUB)
    world.policies.deploy(
        SLOT.id,
        tags={"cost": "1"},
        identity=True,
        extension=MONITOR,
        vault=vault,
        public_address=True,
        after=timedelta(minutes=20),
    )
    guard = f"{PLACE.group_id}/providers/microsoft.network/networksecuritygroups/slot-1"
    desk.copied(network_security_group=guard)

    def breaches() -> list[str]:
        copy = desk.copies.observe_copy(SLOT, NAME)
        assert copy is not None
        found = find_copy_breaches(copy, SLOT, tags=OURS, security_group=guard)
        return [breach.what.partition(" (")[0] for breach in found]

    before = breaches()
    desk.later(minutes=25)

    assert before == []
    assert [what for what in breaches() if not what.startswith("interface /subscriptions/")] == [
        "the copy was given an identity",
        "the copy was given an extension",
        "the copy bears a tag that is not ours",
        f"the copy is backed up in {VAULT}",
    ]
    assert len(breaches()) == 5


def test_exempt_slots_are_left_as_they_were_made(world: World) -> None:
    desk = DrillDesk(world)
    policy = world.policies.modify(f"/subscriptions/{SUB}", identity=True, tags={"cost": "1"})
    policy.exempt.add(SLOT.id)
    desk.copied()

    copy = desk.copies.observe_copy(SLOT, NAME)

    assert copy is not None
    assert (copy.identities, copy.tags) == ((), OURS)
