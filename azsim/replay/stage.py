"""
What must have been there for a recording to go as it did: subscriptions, groups, machines.

Recordings begin in the middle of a life: resource groups were made before, machines come out of
deployments that azsim does not play. Each machine appears just before it is first spoken of.
"""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from azsim.arm_ids import ArmId
from azsim.guests import Guest
from azsim.machines import PAST
from azsim.replay import surroundings
from azsim.replay.recording import ARM_HOST, Recorded, texts_in
from azsim.storage_accounts import KIND as STORAGE_ACCOUNT
from azsim.world import World

_MACHINE = re.compile(
    r"/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.compute"
    r"/virtualmachines/([^/?\"]+)",
    re.IGNORECASE,
)
_GROUP = re.compile(r"/subscriptions/([^/]+)/resourcegroups/([^/?\"]+)", re.IGNORECASE)
_FROM_THE_BODY = ("osProfile", "networkProfile", "diagnosticsProfile", "additionalCapabilities")
_DEFAULT_LOCATION = "westeurope"
_AGENT_LATER = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A machine that must be there from exchange `index` on, and what a GET told of it."""

    index: int
    vm_id: str
    body: dict[str, Any]


def others(recording: Sequence[Recorded]) -> frozenset[str]:
    """Return names in lists that belong to machines which the recording itself never touches."""
    touched = {
        match[0].lower()
        for exchange in recording
        for text in (exchange.path, *texts_in(exchange.request))
        for match in _MACHINE.finditer(text)
    }
    names = set()
    for entry in _protectable(recording):
        if str(entry["properties"]["virtualMachineId"]).lower() not in touched:
            names.add(str(entry["name"]))
    return frozenset(names)


def _protectable(recording: Sequence[Recorded]) -> list[dict[str, Any]]:
    return [
        entry
        for exchange in recording
        if exchange.path.endswith("/backupProtectableItems") and exchange.response
        for entry in exchange.response["value"]
    ]


def prepare(world: World, recording: Sequence[Recorded]) -> None:
    """Add the subscriptions and groups that the recording takes for granted."""
    location = _location(recording)
    for exchange in recording:
        if exchange.host != ARM_HOST or exchange.status == 404:
            continue
        for text in (exchange.path, *texts_in(exchange.request)):
            if (subscription := re.match(r"/subscriptions/([^/]+)", text, re.IGNORECASE)) is None:
                continue
            world.groups.add_subscription(subscription[1])
            if group := _GROUP.match(text):
                world.groups.ensure(subscription[1], group[2], location)


def others_acted(world: World, exchange: Recorded, written: Set[str]) -> None:
    """
    Bring in what others did to a group or machine since: policies add tags and change settings.

    Only what a GET shows of things that the recording itself never wrote (`written`, lower case)
    can have come from somebody else.
    """
    body = exchange.response
    path = exchange.path.lower()
    if exchange.method != "GET" or not isinstance(body, dict) or path in written:
        return
    if _GROUP.fullmatch(exchange.path) and "location" in body:
        parsed = ArmId.parse(exchange.path)
        if (group := world.groups.find(parsed.subscription, parsed.group)) is not None:
            group.location, group.tags = body["location"], dict(body.get("tags") or {})
    if f"/{STORAGE_ACCOUNT}/".lower() in path:
        _found_account(world, exchange.path, body)
    surroundings.found(world, path, body)
    machine = world.machines.find(exchange.path) if _MACHINE.fullmatch(exchange.path) else None
    if machine is not None and "properties" in body:
        machine.model |= _model(body["properties"])


def _found_account(world: World, account_id: str, body: dict[str, Any]) -> None:
    parsed = ArmId.parse(account_id)
    if world.storage_accounts.find(account_id) is None and "kind" in body:
        sku, kind = body["sku"]["name"], body["kind"]
        world.storage_accounts.create(
            parsed.subscription, parsed.group, parsed.name, body["location"], sku=sku, kind=kind
        )


def _model(properties: dict[str, Any]) -> dict[str, Any]:
    model = {name: properties[name] for name in _FROM_THE_BODY if name in properties}
    if "imageReference" in (storage := properties.get("storageProfile", {})):
        model["imageReference"] = storage["imageReference"]
    return model


def _location(recording: Sequence[Recorded]) -> str:
    for exchange in recording:
        if isinstance(exchange.request, dict) and isinstance(exchange.request.get("location"), str):
            return str(exchange.request["location"])
    return _DEFAULT_LOCATION


def arrivals(recording: Sequence[Recorded]) -> list[Arrival]:
    """Return the machines in the order in which they must appear."""
    bodies: dict[str, dict[str, Any]] = {}
    first: dict[str, tuple[int, str]] = {}
    made = set()
    for exchange in recording:
        if exchange.status >= 400 or exchange.host != ARM_HOST:
            continue
        whole = _MACHINE.fullmatch(exchange.path)
        if whole and exchange.method == "PUT" and whole[0].lower() not in first:
            made.add(whole[0].lower())
        if whole and isinstance(exchange.response, dict):
            bodies.setdefault(whole[0].lower(), exchange.response)
        texts = [exchange.path]
        if "microsoft.recoveryservices" in exchange.path.lower():
            texts += texts_in(
                (exchange.request or {}).get("properties", {}).get("sourceResourceId")
            )
            texts += texts_in((exchange.request or {}).get("resourceId"))
        for match in (m for text in texts for m in _MACHINE.finditer(text)):
            first.setdefault(match[0].lower(), (exchange.index, match[0]))
    return [
        Arrival(index, vm_id, bodies.get(key, {}))
        for key, (index, vm_id) in first.items()
        if key not in made
    ]


def arrive(world: World, arrival: Arrival, fallback_location: str) -> None:
    """Let the machine be there, as the recording's first GET of it describes it."""
    parsed = ArmId.parse(arrival.vm_id)
    properties = arrival.body.get("properties", {})
    storage = properties.get("storageProfile", {})
    view = properties.get("instanceView", {})
    machine = world.machines.create(
        subscription=parsed.subscription,
        group=parsed.group,
        name=parsed.name,
        location=arrival.body.get("location", fallback_location),
        tags=arrival.body.get("tags"),
        size=properties.get("hardwareProfile", {}).get("vmSize", "Standard_DS1_v2"),
        os_type=storage.get("osDisk", {}).get("osType", "Linux"),
        security_type=properties.get("securityProfile", {}).get("securityType", ""),
        data_disks=len(storage.get("dataDisks", ())),
        zones=tuple(arrival.body.get("zones", ())),
        model=_model(properties),
        created_by=PAST,
        created=_created(properties),
        agent_after=_agent_after(view),
        guest=_guest(view),
        maintenance=view.get("maintenanceRedeployStatus"),
    )
    machine.vm_id = properties.get("vmId", machine.vm_id)
    if disk := storage.get("osDisk", {}).get("managedDisk", {}).get("id"):
        world.machines.disks.rename(machine.os_disk, disk)


def _created(properties: dict[str, Any]) -> datetime | None:
    """Return when the machine was made; recordings write it with seven digits or fewer."""
    told = properties.get("timeCreated")
    return datetime.fromisoformat(told) if told else None


def _agent_after(view: dict[str, Any]) -> timedelta:
    """Return when the agent comes up: at once, but later where the recording met it asleep."""
    statuses = view.get("vmAgent", {}).get("statuses", [{}])
    return _AGENT_LATER if statuses[0].get("displayStatus") == "Not Ready" else timedelta(0)


def _guest(view: dict[str, Any]) -> Guest | None:
    if "osName" not in view:
        return None
    return Guest(
        view["osName"],
        view["osVersion"],
        view["vmAgent"]["vmAgentVersion"],
        view["hyperVGeneration"],
    )


def strangers(world: World, recording: Sequence[Recorded], foreign: frozenset[str]) -> None:
    """Let other people's machines be there, so that lists have them as the recorded ones do."""
    location = _location(recording)
    for entry in _protectable(recording):
        if entry["name"] in foreign:
            parsed = ArmId.parse(entry["properties"]["virtualMachineId"])
            if world.machines.find(entry["properties"]["virtualMachineId"]) is None:
                world.machines.create(
                    subscription=parsed.subscription,
                    group=parsed.group,
                    name=parsed.name,
                    location=location,
                    created_by=PAST,
                )
