"""Microsoft.Network/networkInterfaces: a look at the interfaces that machines have."""

from typing import Any

from azsim.arm_ids import resource_id
from azsim.groups import RESOURCES_DELETE, resource_not_found
from azsim.http import ArmError, Response
from azsim.interfaces import NIC, MadeInterface
from azsim.network_shapes import derived_guid
from azsim.networks import Interface
from azsim.router import Call, Route
from azsim.routes.network_async import GROUP, PAGE, network_route, operation_headers
from azsim.routes.paging import page


def _nic_id(call: Call) -> str:
    return resource_id(call["subscription"], call["group"], NIC, call["nic"])


def _interface(call: Call) -> Response:
    nic_id = _nic_id(call)
    if (made := call.world.networks.interfaces.find(nic_id)) is not None:
        return Response(200, _shown_interface(made))
    if (found := call.world.networks.interface(nic_id)) is not None:
        return Response(200, _shown_interface(found))
    for machine in call.world.machines.in_subscription(call["subscription"]):
        profile = machine.model.get("networkProfile", {})
        if nic_id.lower() in (nic["id"].lower() for nic in profile.get("networkInterfaces", ())):
            raise ArmError(501, "NotSimulated", "azsim lacks interfaces that a client named")
    raise resource_not_found(NIC, call["nic"], call["group"])


def _interfaces(call: Call) -> Response:
    """List the interfaces that were made; those that azsim only implies are not in lists."""
    made = call.world.networks.interfaces.in_subscription(call["subscription"])
    rows = [nic for nic in made if f"/{call['group']}/".lower() in nic.id.lower()]
    return page(call, rows, PAGE, _shown_interface)


def _delete_interface(call: Call) -> Response:
    """Delete an interface that no machine holds; 204 where there is none."""
    networks = call.world.networks
    if (nic := networks.interfaces.find(_nic_id(call))) is None:
        return Response(204)
    # models nic-in-use
    if nic.machine is not None:
        raise ArmError(
            400,
            "NicInUse",
            f"Network Interface {nic.id} is used by existing resource {nic.machine.id}. In order "
            "to delete the network interface, it must be dissociated from the resource. To learn "
            "more, see aka.ms/deletenic.",
        )
    ends = call.world.clock.now() + networks.span()

    def remove() -> None:
        networks.interfaces.delete(nic)
        call.world.events.publish(call["subscription"], RESOURCES_DELETE, nic.id, f"{NIC}/delete")

    call.world.clock.at(ends, remove)
    return Response(202, None, operation_headers(call, nic.location, ends))


# models interface-shape
def _shown_interface(nic: Interface | MadeInterface) -> dict[str, Any]:
    """Write an interface as recorded; one that azsim only implies has no guard and no address."""
    made = nic if isinstance(nic, MadeInterface) else None
    guard = made.security_group if made else ""
    public = (
        {"publicIPAddress": {"id": made.public_address}} if made and made.public_address else {}
    )
    holder = nic.machine
    etag = f'W/"{derived_guid(nic.id, holder.vm_id if holder else "")}"'
    name = made.configuration if made else f"ipconfig{holder.name if holder else nic.name}"
    zone = derived_guid(nic.subnet_id).replace("-", "")[:26]
    return {
        "name": nic.name,
        "id": nic.id,
        "etag": etag,
        "tags": dict(made.tags) if made else {},
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
                        **public,
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
            "enableIPForwarding": made.forwards if made else False,
            "primary": True,
            **({"networkSecurityGroup": {"id": guard}} if guard else {}),
            **({"virtualMachine": {"id": holder.id}} if holder else {}),
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            "allowPort25Out": True,
            "auxiliaryMode": "None",
        },
        "type": NIC,
        "location": nic.location,
        "kind": "Regular",
    }


_NICS = f"{GROUP}/{NIC}"

ROUTES: tuple[Route, ...] = (
    network_route(
        "interfaces.get", "GET", f"{_NICS}/{{nic}}", _interface, "networkInterfaces/read"
    ),
    network_route("interfaces.list", "GET", _NICS, _interfaces, "networkInterfaces/read"),
    network_route(
        "interfaces.delete",
        "DELETE",
        f"{_NICS}/{{nic}}",
        _delete_interface,
        "networkInterfaces/delete",
    ),
)
