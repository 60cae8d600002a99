"""
What stood around the machines of a recording: networks, interfaces, addresses that others made.

A deployment made them, or another test did, and azsim plays neither. Each appears when the
recording first shows it, with what it shows of it that no service could work out by itself.
"""

from typing import Any

from azsim.arm_ids import ArmId
from azsim.interfaces import NIC
from azsim.network_parts import PUBLIC_ADDRESS
from azsim.networks import NETWORK, Subnet
from azsim.world import World


def found(world: World, path: str, body: dict[str, Any]) -> None:
    """Let what a GET of `path` answered with be there, where azsim has none of it."""
    if "error" in body:
        return
    kinds = path.lower().split("/providers/")[-1]
    if kinds.startswith(f"{NETWORK}/".lower()) and "/subnets/" in kinds:
        _subnet(world, body)
    elif kinds.startswith(f"{NETWORK}/".lower()):
        _network(world, body)
    elif kinds.endswith(NETWORK.lower()):
        for network in body.get("value", ()):
            _network(world, network)
    elif kinds.startswith(f"{NIC}/".lower()):
        _interface(world, body)
    elif kinds.startswith(f"{PUBLIC_ADDRESS}/".lower()):
        _public_address(world, body)


def _network(world: World, body: dict[str, Any]) -> None:
    parsed, properties = ArmId.parse(body["id"]), body["properties"]
    if world.networks.find(body["id"]) is None:
        world.networks.create(
            parsed.subscription,
            parsed.group,
            parsed.name,
            body["location"],
            prefixes=properties["addressSpace"]["addressPrefixes"],
            subnets=[_read(subnet) for subnet in properties["subnets"]],
            tags=body.get("tags"),
        )


def _subnet(world: World, body: dict[str, Any]) -> None:
    if world.networks.subnet(body["id"]) is not None:
        return
    network_id, prefix = body["id"].partition("/subnets/")[0], body["properties"]["addressPrefix"]
    parsed = ArmId.parse(network_id)
    place = world.groups.get(parsed.subscription, parsed.group)
    world.networks.create(
        parsed.subscription,
        parsed.group,
        parsed.name,
        place.location,
        prefixes=(prefix,),
        subnets=[_read(body)],
    )


def _read(body: dict[str, Any]) -> Subnet:
    told = body["properties"]
    kept = {name: told[name] for name in ("defaultOutboundAccess",) if name in told}
    return Subnet(body["name"], told["addressPrefix"], kept)


def _interface(world: World, body: dict[str, Any]) -> None:
    parsed, properties = ArmId.parse(body["id"]), body["properties"]
    if world.networks.interfaces.find(body["id"]) is not None:
        return
    (address,) = properties["ipConfigurations"]
    nic = world.networks.interfaces.create(
        parsed.subscription,
        parsed.group,
        parsed.name,
        body["location"],
        address["properties"]["subnet"]["id"],
        configuration=address["name"],
        security_group=properties.get("networkSecurityGroup", {}).get("id", ""),
    )
    nic.address = address["properties"]["privateIPAddress"]
    nic.public_address = address["properties"].get("publicIPAddress", {}).get("id", "")
    nic.tags = dict(body.get("tags") or {})
    nic.machine = world.machines.find(properties.get("virtualMachine", {}).get("id", ""))


def _public_address(world: World, body: dict[str, Any]) -> None:
    if world.networks.parts.find(body["id"]) is None:
        held = {k: v for k, v in body["properties"].items() if k == "ipConfiguration"}
        world.networks.parts.put(
            body["id"],
            PUBLIC_ADDRESS,
            body["location"],
            held,
            tags=body.get("tags"),
            sku=body.get("sku"),
        )
