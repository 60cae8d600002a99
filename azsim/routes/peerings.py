"""Microsoft.Network/virtualNetworks/virtualNetworkPeerings: each side of a peering by itself."""

from azsim.http import Response, json_object
from azsim.network_shapes import etag_of, shown_peering
from azsim.networks import NETWORK
from azsim.router import Call, Route
from azsim.routes.network_async import (
    GROUP,
    PAGE,
    must_be_there,
    network_route,
    only,
    operation_headers,
)
from azsim.routes.networks import found
from azsim.routes.paging import page

_PEERING_KNOWN = frozenset(
    {
        *("remoteVirtualNetwork", "allowVirtualNetworkAccess", "allowForwardedTraffic"),
        *("allowGatewayTransit", "useRemoteGateways", "peeringState", "peeringSyncLevel"),
        *("remoteAddressSpace", "provisioningState"),
    }
)


# models peering-put
def _put(call: Call) -> Response:
    """Make one side of a peering; it is connected once the other side is made as well."""
    networks, network, name = call.world.networks, found(call), call["peering"]
    properties = json_object(json_object(call.request.json).get("properties"))
    only(properties, _PEERING_KNOWN, "peerings")
    remote_id = json_object(properties.get("remoteVirtualNetwork")).get("id", "")
    remote = networks.find(remote_id)
    must_be_there(call, remote, remote_id)
    known = name in network.peerings
    mirror = [
        held
        for held in (remote.peerings.values() if remote else ())
        if held["remoteVirtualNetwork"]["id"].lower() == network.id.lower()
    ]
    networks.peer(network, name, remote_id, "Connected" if mirror else "Initiated")
    network.peerings[name] |= {
        k: v for k, v in properties.items() if k.startswith(("allow", "use"))
    }
    for held in mirror:
        held["peeringState"] = "Connected"
    etag, _ = etag_of(network, call.world.clock.now())
    ends = call.world.clock.now() + networks.span()
    headers = operation_headers(call, network.location, ends)
    return Response(200 if known else 201, shown_peering(network, name, etag), headers)


def _list(call: Call) -> Response:
    network = found(call)
    etag, _ = etag_of(network, call.world.clock.now())
    return page(
        call, sorted(network.peerings), PAGE, lambda name: shown_peering(network, name, etag)
    )


def _delete(call: Call) -> Response:
    """Take one side away; the other is then disconnected."""
    networks, network = call.world.networks, found(call)
    if (held := network.peerings.pop(call["peering"], None)) is None:
        return Response(204)
    remote = networks.find(held["remoteVirtualNetwork"]["id"])
    for other in remote.peerings.values() if remote else ():
        if other["remoteVirtualNetwork"]["id"].lower() == network.id.lower():
            other["peeringState"] = "Disconnected"
    networks.changed(network, networks.span())
    return Response(202, None, operation_headers(call, network.location, network.settled_at))


_PEERINGS = f"{GROUP}/{NETWORK}/{{network}}/virtualNetworkPeerings"
_ONE = f"{_PEERINGS}/{{peering}}"
_ACTION = "virtualNetworks/virtualNetworkPeerings"

ROUTES: tuple[Route, ...] = (
    network_route("peerings.put", "PUT", _ONE, _put, f"{_ACTION}/write"),
    network_route("peerings.delete", "DELETE", _ONE, _delete, f"{_ACTION}/delete"),
    network_route("peerings.list", "GET", _PEERINGS, _list, f"{_ACTION}/read"),
)
