"""Microsoft.Network/virtualNetworks: networks, their subnets, and what managers apply to them."""

from collections.abc import Mapping
from typing import Any

from azsim import subnets
from azsim.arm_ids import resource_id
from azsim.groups import RESOURCES_DELETE, RESOURCES_WRITE, resource_not_found
from azsim.http import ArmError, Response, json_object
from azsim.network_shapes import etag_of, shown
from azsim.networks import NETWORK, Network, Subnet
from azsim.router import Call, Handler, Route
from azsim.routes.network_async import (
    GROUP,
    PAGE,
    must_be_there,
    network_route,
    only,
    operation_headers,
)
from azsim.routes.paging import page

_APPLIED_PAGE = 20
_READ_ONLY = frozenset({"provisioningState", "resourceGuid"})
_KNOWN = _READ_ONLY | {
    *("addressSpace", "subnets", "dhcpOptions", "virtualNetworkPeerings"),
    *("enableDdosProtection", "enableVmProtection"),
}
_PARTS = ("networkSecurityGroup", "routeTable", "natGateway")
_SUBNET_READ_ONLY = frozenset(
    {"provisioningState", "ipConfigurations", "privateEndpoints", "ipamPoolPrefixAllocations"}
)
_SUBNET_WRITTEN = frozenset(
    {
        *_PARTS,
        *("defaultOutboundAccess", "delegations", "serviceEndpoints"),
        *("privateEndpointNetworkPolicies", "privateLinkServiceNetworkPolicies"),
    }
)


def _id(call: Call) -> str:
    return resource_id(call["subscription"], call["group"], NETWORK, call["network"])


def found(call: Call) -> Network:
    """Return the network that the path names; raises ARM's 404."""
    if (network := call.world.networks.find(_id(call))) is None:
        raise resource_not_found(NETWORK, call["network"], call["group"])
    return network


def _shown(call: Call, network: Network) -> dict[str, Any]:
    return shown(call.world.networks, network, call.world.clock.now())


def _get(call: Call) -> Response:
    return Response(200, _shown(call, found(call)))


def _list(call: Call) -> Response:
    rows = call.world.networks.in_group(call["subscription"], call["group"])
    return page(call, rows, PAGE, lambda network: _shown(call, network))


# models network-put
def _put(call: Call) -> Response:
    """Make or rewrite a network: 201 or 200 with one header to ask by (recorded)."""
    networks, body = call.world.networks, json_object(call.request.json)
    properties = json_object(body.get("properties"))
    only(properties, _KNOWN, "virtual networks")
    if not (location := str(body.get("location", "")).replace(" ", "").lower()):
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    known = networks.find(_id(call))
    network = networks.create(
        call["subscription"],
        call["group"],
        known.name if known else call["network"],
        location,
        prefixes=json_object(properties.get("addressSpace")).get("addressPrefixes") or (),
        subnets=[_subnet(call, given) for given in properties.get("subnets") or ()],
        tags=body.get("tags"),
        dns_servers=json_object(properties.get("dhcpOptions")).get("dnsServers") or (),
        takes=networks.span(),
    )
    network.guarded_from_floods = bool(properties.get("enableDdosProtection"))
    _publish(call, network.id, RESOURCES_WRITE, f"{NETWORK}/write")
    headers = operation_headers(call, network.location, network.settled_at)
    return Response(200 if known else 201, _shown(call, network), headers)


def _subnet(call: Call, given: Mapping[str, Any]) -> Subnet:
    """Read a subnet from a body; what it refers to must be there."""
    properties = json_object(given.get("properties"))
    only(properties, _SUBNET_WRITTEN | _SUBNET_READ_ONLY | {"addressPrefix"}, "subnets")
    for name in _PARTS:
        if reference := json_object(properties.get(name)).get("id"):
            must_be_there(call, call.world.networks.parts.find(reference), reference)
    written = {name: properties[name] for name in _SUBNET_WRITTEN & set(properties)}
    return Subnet(str(given.get("name")), str(properties.get("addressPrefix")), written)


# models network-delete
def _delete(call: Call) -> Response:
    """Delete a network that no machine is in; 204 where there is none."""
    networks = call.world.networks
    if (network := networks.find(_id(call))) is None:
        return Response(204)
    for subnet in network.subnets:
        _must_be_empty(call, network, subnet)
    ends = call.world.clock.now() + networks.span()
    call.world.clock.at(ends, lambda: networks.delete(network))
    _publish(call, network.id, RESOURCES_DELETE, f"{NETWORK}/delete")
    return Response(202, None, operation_headers(call, network.location, ends))


# models subnet-in-use
def _must_be_empty(call: Call, network: Network, subnet: Subnet) -> None:
    for user in subnets.users(call.world.networks, network, subnet):
        raise ArmError(
            400,
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use by {user} and cannot be deleted. In order to delete "
            "the subnet, delete all the resources within it. See aka.ms/deletesubnet.",
        )


def _publish(call: Call, resource: str, kind: str, operation: str) -> None:
    call.world.events.publish(call["subscription"], kind, resource, operation)


# models subnet-put
def _put_subnet(call: Call) -> Response:
    """Make or rewrite one subnet; its link bears the api-version of the request (recorded)."""
    networks, network = call.world.networks, found(call)
    known = networks.subnet(f"{network.id}/subnets/{call['subnet']}")
    body = json_object(call.request.json)
    name = known[1].name if known else call["subnet"]
    subnet = _subnet(call, {"name": name, "properties": body.get("properties")})
    networks.set_subnet(network, subnet, networks.span())
    _publish(call, f"{network.id}/subnets/{name}", RESOURCES_WRITE, f"{subnets.KIND}/write")
    version = call.request.query["api-version"]
    headers = operation_headers(call, network.location, network.settled_at, version)
    return Response(200 if known else 201, _one(call, network, subnet, capitals=False), headers)


def _get_subnet(call: Call) -> Response:
    network, subnet = _found_subnet(call)
    return Response(200, _one(call, network, subnet))


def _found_subnet(call: Call) -> tuple[Network, Subnet]:
    network = found(call)
    there = call.world.networks.subnet(f"{network.id}/subnets/{call['subnet']}")
    # models subnet-not-found
    if there is None:
        raise ArmError(
            404,
            "NotFound",
            f"Resource {network.id}/subnets/{call['subnet']} not found.",
        )
    return there


def _one(call: Call, network: Network, subnet: Subnet, *, capitals: bool = True) -> dict[str, Any]:
    """Write a subnet by itself, which says a little more than inline (recorded)."""
    etag, state = etag_of(network, call.world.clock.now())
    shaped = subnets.shown(call.world.networks, network, subnet, etag, state, capitals=capitals)
    return shaped | {"properties": {**shaped["properties"], "ipamPoolPrefixAllocations": []}}


def _subnets(call: Call) -> Response:
    network = found(call)
    return page(call, list(network.subnets), PAGE, lambda subnet: _one(call, network, subnet))


def _delete_subnet(call: Call) -> Response:
    networks, network = call.world.networks, found(call)
    there = networks.subnet(f"{network.id}/subnets/{call['subnet']}")
    if there is None:
        return Response(204)
    _must_be_empty(call, *there)
    network.subnets = tuple(subnet for subnet in network.subnets if subnet is not there[1])
    networks.changed(network, networks.span())
    return Response(202, None, operation_headers(call, network.location, network.settled_at))


# models manager-effective, manager-pages
def _applied(field: str) -> Handler:
    """Answer with what a network manager applies to the network; nothing where there is none."""

    def handler(call: Call) -> Response:
        rows = list(getattr(found(call), field))
        token = str(json_object(call.request.json).get("skipToken") or "0")
        if not token.isdigit():
            raise ArmError(400, "InvalidSkipToken", "The skip token is not valid.")
        end = int(token) + _APPLIED_PAGE
        more = str(end) if end < len(rows) else ""
        return Response(200, {"value": rows[int(token) : end], "skipToken": more})

    return handler


_NETWORK = f"{GROUP}/{NETWORK}/{{network}}"
_SUBNET = f"{_NETWORK}/subnets/{{subnet}}"
_RULES = "listNetworkManagerEffectiveSecurityAdminRules"
_CONNECTIONS = "listNetworkManagerEffectiveConnectivityConfigurations"


def _route(
    name: str, method: str, path: str, handler: Handler, verb: str, below: str = ""
) -> Route:
    return network_route(name, method, path, handler, f"virtualNetworks{below}/{verb}")


ROUTES: tuple[Route, ...] = (
    _route("networks.get", "GET", _NETWORK, _get, "read"),
    _route("networks.put", "PUT", _NETWORK, _put, "write"),
    _route("networks.delete", "DELETE", _NETWORK, _delete, "delete"),
    _route("networks.list", "GET", f"{GROUP}/{NETWORK}", _list, "read"),
    _route("subnets.get", "GET", _SUBNET, _get_subnet, "read", "/subnets"),
    _route("subnets.put", "PUT", _SUBNET, _put_subnet, "write", "/subnets"),
    _route("subnets.delete", "DELETE", _SUBNET, _delete_subnet, "delete", "/subnets"),
    _route("subnets.list", "GET", f"{_NETWORK}/subnets", _subnets, "read", "/subnets"),
    _route(
        "networks.admin_rules",
        "POST",
        f"{_NETWORK}/{_RULES}",
        _applied("admin_rules"),
        f"{_RULES}/action",
    ),
    _route(
        "networks.connections",
        "POST",
        f"{_NETWORK}/{_CONNECTIONS}",
        _applied("connections"),
        f"{_CONNECTIONS}/action",
    ),
)
