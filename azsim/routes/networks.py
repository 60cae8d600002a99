"""Microsoft.Network: virtual networks, and a look at the interfaces that machines have."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azsim.arm_ids import resource_id
from azsim.groups import RESOURCES_DELETE, RESOURCES_WRITE, resource_not_found
from azsim.http import ArmError, Response, json_object
from azsim.networks import NETWORK, NIC, Interface, Network, Subnet, derived_guid, shown
from azsim.recovery.wire import signed_query
from azsim.router import Call, Handler, Route
from azsim.routes.paging import page

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
_PAGE = 250
_POLL_AFTER = "10"  # Guess: the recorder had removed the header.
_LINK_VERSION = "2022-01-01"  # Recorded, for a PUT of 2024-05-01.
_KNOWN = frozenset({"addressSpace", "subnets", "enableDdosProtection", "enableVmProtection"})
_SUBNET_KNOWN = frozenset(
    {
        "addressPrefix",
        "delegations",
        "privateEndpointNetworkPolicies",
        "privateLinkServiceNetworkPolicies",
        "provisioningState",
    }
)


def _id(call: Call) -> str:
    return resource_id(call["subscription"], call["group"], NETWORK, call["network"])


def _found(call: Call) -> Network:
    if (network := call.world.networks.find(_id(call))) is None:
        raise resource_not_found(NETWORK, call["network"], call["group"])
    return network


def _get(call: Call) -> Response:
    return Response(200, shown(_found(call), call.world.clock.now()))


def _list(call: Call) -> Response:
    rows = call.world.networks.in_group(call["subscription"], call["group"])
    return page(call, rows, _PAGE, lambda network: shown(network, call.world.clock.now()))


# models network-put
def _put(call: Call) -> Response:
    """Make or rewrite a network: 201 or 200 with one header to ask by (recorded)."""
    networks, body = call.world.networks, json_object(call.request.json)
    properties = json_object(body.get("properties"))
    _only(properties, _KNOWN | {"provisioningState", "virtualNetworkPeerings", "resourceGuid"})
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
        subnets=[_subnet(given) for given in properties.get("subnets") or ()],
        tags=body.get("tags"),
        takes=networks.span(),
    )
    network.guarded_from_floods = bool(properties.get("enableDdosProtection"))
    _publish(call, network, RESOURCES_WRITE, "write")
    headers = _operation_headers(call, network.location, network.settled_at)
    return Response(200 if known else 201, shown(network, call.world.clock.now()), headers)


def _subnet(given: Mapping[str, Any]) -> Subnet:
    properties = json_object(given.get("properties"))
    _only(properties, _SUBNET_KNOWN)
    return Subnet(str(given.get("name")), str(properties.get("addressPrefix")))


def _only(given: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := {name for name, value in given.items() if value not in (None, [])} - known:
        raise ArmError(
            501, "FieldNotSimulated", f"azsim has no {sorted(unknown)} of virtual networks"
        )


# models network-delete
def _delete(call: Call) -> Response:
    """Delete a network that no machine is in; 204 where there is none."""
    networks = call.world.networks
    if (network := networks.find(_id(call))) is None:
        return Response(204)
    ends = call.world.clock.now() + networks.span()
    call.world.clock.at(ends, lambda: networks.delete(network))
    _publish(call, network, RESOURCES_DELETE, "delete")
    return Response(202, None, _operation_headers(call, network.location, ends))


def _publish(call: Call, network: Network, kind: str, verb: str) -> None:
    call.world.events.publish(call["subscription"], kind, network.id, f"{NETWORK}/{verb}")


def _operation_headers(call: Call, location: str, ends: datetime) -> dict[str, str]:
    operation = call.world.networks.open(ends)
    path = (
        f"/subscriptions/{call['subscription']}/providers/Microsoft.Network"
        f"/locations/{location}/operations/{operation.id}"
    )
    url = f"{call.request.origin}{path}?api-version={_LINK_VERSION}{signed_query(path)}"
    return {"Azure-AsyncOperation": url, "Retry-After": _POLL_AFTER}


def _operation(call: Call) -> Response:
    """Say how a write goes: a status and nothing more (recorded)."""
    if (operation := call.world.networks.operation(call["operation"])) is None:
        raise ArmError(501, "NotSimulated", "azsim has operations of virtual networks only")
    if call.world.clock.now() < operation.ends:
        return Response(200, {"status": "InProgress"}, {"Retry-After": _POLL_AFTER})
    return Response(200, {"status": "Succeeded"})


def _interface(call: Call) -> Response:
    nic_id = resource_id(call["subscription"], call["group"], NIC, call["nic"])
    if (found := call.world.networks.interface(nic_id)) is not None:
        return Response(200, _shown_interface(found))
    for machine in call.world.machines.in_subscription(call["subscription"]):
        profile = machine.model.get("networkProfile", {})
        if nic_id.lower() in (nic["id"].lower() for nic in profile.get("networkInterfaces", ())):
            raise ArmError(501, "NotSimulated", "azsim lacks interfaces that a client named")
    raise resource_not_found(NIC, call["nic"], call["group"])


# models interface-shape
def _shown_interface(nic: Interface) -> dict[str, Any]:
    """Write an interface as recorded, without public address and security group."""
    etag = f'W/"{derived_guid(nic.id, nic.machine.vm_id)}"'
    name = f"ipconfig{nic.machine.name}"
    zone = derived_guid(nic.subnet_id).replace("-", "")[:26]
    return {
        "name": nic.name,
        "id": nic.id,
        "etag": etag,
        "tags": {},
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": derived_guid(nic.id),
            "ipConfigurations": [
                {
                    "name": name,
                    "id": f"{nic.id}/ipConfigurations/{name}",
                    "etag": etag,
                    "type": f"{NIC}/ipConfigurations",
                    "properties": {
                        "provisioningState": "Succeeded",
                        "privateIPAddress": nic.address,
                        "privateIPAllocationMethod": "Dynamic",
                        "subnet": {"id": nic.subnet_id},
                        "primary": True,
                        "privateIPAddressVersion": "IPv4",
                    },
                }
            ],
            "dnsSettings": {
                "dnsServers": [],
                "appliedDnsServers": [],
                "internalDomainNameSuffix": f"{zone}.ax.internal.cloudapp.net",
            },
            "macAddress": nic.mac,
            "vnetEncryptionSupported": False,
            "enableIPForwarding": False,
            "primary": True,
            "virtualMachine": {"id": nic.machine.id},
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            "allowPort25Out": True,
            "auxiliaryMode": "None",
        },
        "type": NIC,
        "location": nic.machine.location,
        "kind": "Regular",
    }


def _route(name: str, method: str, path: str, handler: Handler, action: str) -> Route:
    return Route(name, method, path, handler, action=f"Microsoft.Network/{action}")


_NETWORK = f"{_GROUP}/{NETWORK}/{{network}}"

ROUTES: tuple[Route, ...] = (
    _route("networks.get", "GET", _NETWORK, _get, "virtualNetworks/read"),
    _route("networks.put", "PUT", _NETWORK, _put, "virtualNetworks/write"),
    _route("networks.delete", "DELETE", _NETWORK, _delete, "virtualNetworks/delete"),
    _route("networks.list", "GET", f"{_GROUP}/{NETWORK}", _list, "virtualNetworks/read"),
    _route(
        "interfaces.get", "GET", f"{_GROUP}/{NIC}/{{nic}}", _interface, "networkInterfaces/read"
    ),
    _route(
        "network_operations.get",
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"
        "/operations/{operation}",
        _operation,
        "locations/operations/read",
    ),
)
