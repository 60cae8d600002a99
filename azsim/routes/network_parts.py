"""
Microsoft.Network: security groups, route tables and the rest of what networks are told by.

One set of handlers for all of these types; a table says what each type keeps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azsim.arm_ids import resource_id
from azsim.groups import RESOURCES_DELETE, RESOURCES_WRITE, resource_not_found
from azsim.http import ArmError, Response, json_object
from azsim.network_parts import (
    NAT_GATEWAY,
    PRIVATE_ENDPOINT,
    PRIVATE_ZONE,
    PUBLIC_ADDRESS,
    ROUTE_TABLE,
    RULE_SET,
    SECURITY_GROUP,
    Part,
)
from azsim.network_shapes import shown_part
from azsim.router import Call, Route
from azsim.routes.network_async import (
    GROUP,
    PAGE,
    must_be_there,
    network_route,
    only,
    operation_headers,
)
from azsim.routes.paging import page

_READ_ONLY = {"provisioningState", "resourceGuid"}
Check = Callable[[Call, Mapping[str, Any]], None]


def _no_check(_call: Call, _properties: Mapping[str, Any]) -> None:
    """Find nothing wrong."""


# models security-rule-conflict
def _rules(_call: Call, properties: Mapping[str, Any]) -> None:
    """Refuse two rules of one direction with the same priority."""
    taken: dict[tuple[str, int], str] = {}
    for rule in properties.get("securityRules") or ():
        told = json_object(rule.get("properties"))
        place = (str(told.get("direction")).lower(), int(told.get("priority") or 0))
        if (other := taken.setdefault(place, rule["name"])) != rule["name"]:
            raise ArmError(
                400,
                "SecurityRuleConflict",
                f"Security rule {rule['name']} conflicts with rule {other}. Rules cannot have the "
                "same Priority and Direction. To learn more, see aka.ms/nsgrules.",
            )


def _subnet(call: Call, properties: Mapping[str, Any]) -> None:
    reference = json_object(properties.get("subnet")).get("id", "")
    must_be_there(call, call.world.networks.subnet(reference), reference)


def _network(call: Call, properties: Mapping[str, Any]) -> None:
    reference = json_object(properties.get("virtualNetwork")).get("id", "")
    must_be_there(call, call.world.networks.find(reference), reference)


@dataclass(frozen=True, slots=True)
class _Type:
    """
    One type: `word` is how its routes are called; `held_by` the name of it in a subnet that uses
    it, with the code of the refusal to delete it then.
    """

    kind: str
    word: str
    keeps: frozenset[str]
    check: Check = _no_check
    held_by: str = ""
    in_use: str = ""

    @property
    def below(self) -> str:
        return self.kind.partition("/")[2]


_LINKS = frozenset({"virtualNetwork", "registrationEnabled", "resolutionPolicy", "metadata"})
_TYPES = (
    _Type(
        SECURITY_GROUP,
        "security_groups",
        frozenset({"securityRules", "defaultSecurityRules", "flushConnection"}),
        _rules,
        "networkSecurityGroup",
        "InUseNetworkSecurityGroupCannotBeDeleted",
    ),
    _Type(
        ROUTE_TABLE,
        "route_tables",
        frozenset({"routes", "disableBgpRoutePropagation"}),
        held_by="routeTable",
        in_use="InUseRouteTableCannotBeDeleted",
    ),
    _Type(
        NAT_GATEWAY,
        "nat_gateways",
        frozenset({"publicIpAddresses", "publicIpPrefixes", "idleTimeoutInMinutes"}),
        held_by="natGateway",
        in_use="InUseNatGatewayCannotBeDeleted",
    ),
    _Type(
        PUBLIC_ADDRESS,
        "public_addresses",
        frozenset({"publicIPAllocationMethod", "publicIPAddressVersion", "idleTimeoutInMinutes"}),
    ),
    _Type(
        PRIVATE_ENDPOINT,
        "private_endpoints",
        frozenset({"subnet", "privateLinkServiceConnections"}),
        _subnet,
    ),
    _Type(PRIVATE_ZONE, "private_zones", frozenset()),
    _Type(RULE_SET, "rule_sets", frozenset({"dnsResolverOutboundEndpoints"})),
)
_OF = {known.kind: known for known in _TYPES} | {
    f"{kind}/virtualNetworkLinks": _Type(
        f"{kind}/virtualNetworkLinks", f"{word}_links", _LINKS, _network
    )
    for kind, word in ((PRIVATE_ZONE, "private_zones"), (RULE_SET, "rule_sets"))
}


def _place(call: Call, known: _Type) -> str:
    """Return the id that the path names."""
    top = "/".join(known.kind.split("/")[:2])
    parent = resource_id(call["subscription"], call["group"], top, call["part"])
    if "link" in call.params:
        return f"{parent}/virtualNetworkLinks/{call['link']}"
    return parent


def _found(call: Call, known: _Type) -> Part:
    part = call.world.networks.parts.find(_place(call, known))
    if part is None:
        name = "/".join(call[key] for key in ("part", "link") if key in call.params)
        raise resource_not_found(known.kind, name, call["group"])
    return part


# models network-part-put
def _put(call: Call, known: _Type) -> Response:
    parts, body = call.world.networks.parts, json_object(call.request.json)
    properties = json_object(body.get("properties"))
    only(properties, known.keeps | _READ_ONLY, known.below)
    if not (location := str(body.get("location", "")).replace(" ", "").lower()):
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    if "link" in call.params:
        top = "/".join(known.kind.split("/")[:2])
        parent = resource_id(call["subscription"], call["group"], top, call["part"])
        must_be_there(call, parts.find(parent), parent)
    known.check(call, properties)
    there = parts.find(_place(call, known)) is not None
    kept = {name: value for name, value in properties.items() if name in known.keeps}
    part = parts.put(
        _place(call, known), known.kind, location, kept, tags=body.get("tags"), sku=body.get("sku")
    )
    call.world.events.publish(call["subscription"], RESOURCES_WRITE, part.id, f"{known.kind}/write")
    ends = call.world.clock.now() + call.world.networks.span()
    return Response(
        200 if there else 201, shown_part(part), operation_headers(call, location, ends)
    )


def _users(call: Call, known: _Type, part: Part) -> Iterator[str]:
    for network in call.world.networks.in_subscription(call["subscription"]):
        for subnet in network.subnets:
            held = (subnet.model.get(known.held_by) or {}).get("id", "") if known.held_by else ""
            if held.lower() == part.id.lower():
                yield f"{network.id}/subnets/{subnet.name}"


# models network-part-in-use
def _delete(call: Call, known: _Type) -> Response:
    networks = call.world.networks
    if (part := networks.parts.find(_place(call, known))) is None:
        return Response(204)
    for user in _users(call, known, part):
        raise ArmError(
            400,
            known.in_use,
            f"{known.below[0].upper()}{known.below[1:-1]} {part.id} cannot be deleted because it "
            f"is in use by the following resources: {user}.",
        )
    ends = call.world.clock.now() + networks.span()

    def remove() -> None:
        networks.parts.delete(part)
        call.world.events.publish(
            call["subscription"], RESOURCES_DELETE, part.id, f"{known.kind}/delete"
        )

    call.world.clock.at(ends, remove)
    return Response(202, None, operation_headers(call, part.location, ends))


def _list(call: Call, known: _Type) -> Response:
    group = f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}"
    above = group
    if "part" in call.params:
        top = "/".join(known.kind.split("/")[:2])
        above = resource_id(call["subscription"], call["group"], top, call["part"])
    return page(call, call.world.networks.parts.below(above, known.kind), PAGE, shown_part)


def _routes(known: _Type) -> Iterator[Route]:
    top = "/".join(known.kind.split("/")[:2])
    link = "/virtualNetworkLinks" if known.kind != top else ""
    every = f"{GROUP}/{top}/{{part}}{link}" if link else f"{GROUP}/{top}"
    one = f"{every}/{{link}}" if link else f"{every}/{{part}}"
    handlers = (
        ("get", "GET", one, lambda call: Response(200, shown_part(_found(call, known))), "read"),
        ("put", "PUT", one, lambda call: _put(call, known), "write"),
        ("delete", "DELETE", one, lambda call: _delete(call, known), "delete"),
        ("list", "GET", every, lambda call: _list(call, known), "read"),
    )
    for name, method, path, handler, verb in handlers:
        yield network_route(f"{known.word}.{name}", method, path, handler, f"{known.below}/{verb}")


ROUTES: tuple[Route, ...] = tuple(route for known in _OF.values() for route in _routes(known))
