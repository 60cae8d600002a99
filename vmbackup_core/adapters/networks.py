"""
Whether a slot's subnet is isolated, as far as Azure can tell: the port Networks on ARM.

Read from configuration alone, since Azure computes effective rules and routes only for a machine
that runs. Nothing is tried, nothing is written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vmbackup_core.adapters.api_versions import NETWORKS
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.graph import Graph
from vmbackup_core.adapters.wire import Json, at, text
from vmbackup_core.adapters.wire_networks import (
    parse_admin_rules,
    parse_connections,
    parse_links,
    parse_network,
    parse_routes,
    parse_rules,
    route_table_of,
)
from vmbackup_core.domain.drill.isolation import NetworkFacts, Route, Unread
from vmbackup_core.domain.drill.security_rules import Rule
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Denied, Malformed, Rejected, Stale
from vmbackup_core.domain.rules import Scope

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_network": (
        "Microsoft.Network/virtualNetworks/read",
        "Microsoft.Network/networkSecurityGroups/read",
        "Microsoft.Network/routeTables/read",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read",
        "Microsoft.Network/dnsForwardingRulesets/virtualNetworkLinks/read",
        "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveSecurityAdminRules/action",
        "Microsoft.Network/virtualNetworks"
        "/listNetworkManagerEffectiveConnectivityConfigurations/action",
    ),
}

ADMIN_RULES = "listNetworkManagerEffectiveSecurityAdminRules"
CONNECTIONS = "listNetworkManagerEffectiveConnectivityConfigurations"
_LINKS = (
    "microsoft.network/privatednszones/virtualnetworklinks",
    "microsoft.network/dnsforwardingrulesets/virtualnetworklinks",
)


class AzureNetworks:
    """
    The port Networks: five calls for a slot, six where its subnet has a route table.

    A second look is two, or three.
    """

    def __init__(self, reader: Arm, clock: "Clock") -> None:
        self._reader = reader
        self._graph = Graph(reader, clock)

    def observe_network(self, slot: Slot, *, closely: bool = True) -> NetworkFacts:
        """
        Read the slot's network and what guards it.

        What Azure refuses to show, or shows in a form that makes no sense, is told as unread; a
        failure that time heals is raised. Links of names are found by Resource Graph, which shows
        those that the reader may read, and a new one only after a while.
        """
        look = _Look()
        path = slot.place.network_id
        body = look.at(
            "the virtual network",
            lambda: self._reader.find(path, NETWORKS, "reading the network of restore tests"),
            None,
        )
        network = NetworkFacts(slot.subnet_id)
        if body is not None:
            network = look.at("the subnet", lambda: parse_network(body, slot), network)
        if network.free_addresses is None:
            return replace(network, unread=tuple(look.unread))
        seen = replace(
            network,
            rules=look.at("the security group", lambda: self._rules(network), ()),
            routes=look.at("the route table", lambda: self._routes(body, slot), ()),
        )
        if closely:
            seen = self._surroundings(seen, path, look)
        return replace(seen, unread=(*network.unread, *look.unread))

    def _surroundings(self, network: NetworkFacts, path: str, look: "_Look") -> NetworkFacts:
        return replace(
            network,
            names=look.at("links to names", lambda: parse_links(self._links(path)), ()),
            admin_rules=look.at(
                "a network manager's rules",
                lambda: parse_admin_rules(self._applied(path, ADMIN_RULES)),
                (),
            ),
            connections=look.at(
                "a network manager's connections",
                lambda: parse_connections(self._applied(path, CONNECTIONS)),
                (),
            ),
        )

    def _rules(self, network: NetworkFacts) -> tuple[Rule, ...]:
        group = network.network_security_group
        return parse_rules(self._part(group)) if group else ()

    def _routes(self, body: Json, slot: Slot) -> tuple[Route, ...]:
        table = route_table_of(body, slot)
        return parse_routes(self._part(table)) if table else ()

    def _part(self, path: str) -> Json:
        return self._reader.get(path, NETWORKS, f"reading {path.rsplit('/', 1)[-1]}")

    def _links(self, network: str) -> list[Json]:
        """Ask Resource Graph, in all that the reader sees, who lets the network resolve names."""
        kinds = " or ".join(f"type =~ '{kind}'" for kind in _LINKS)
        query = (
            f"resources | where {kinds}"
            f" | where tolower(tostring(properties.virtualNetwork.id)) == '{network}'"
            " | project id, name, type | order by id asc"
        )
        return self._graph.rows(query, Scope(), "looking for names that a network resolves")

    def _applied(self, network: str, what: str) -> list[Json]:
        """Return every page of what a network manager applies to the network."""
        found: list[Json] = []
        question: dict[str, Json] = {}
        tokens = {""}
        while True:
            doing = "reading what a network manager applies"
            page = self._reader.post(f"{network}/{what}", NETWORKS, doing, question).body
            rows = at(page, "value")
            if not isinstance(rows, list):
                raise Malformed(f"{doing}: a list without its entries")
            found += rows
            if (token := text(page, "skipToken")) in tokens:
                return found
            tokens.add(token)
            question = {"skipToken": token}


@dataclass(slots=True)
class _Look:
    """Keeps what could not be read while the rest is."""

    unread: list[Unread] = field(default_factory=list)

    def at[T](self, kind: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except (Denied, Rejected, Stale, Malformed) as error:
            self.unread.append(Unread(kind, str(error)))
            return otherwise
