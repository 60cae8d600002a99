"""
What networks are told by: security groups, route tables, gateways out, endpoints, zones of names.

azsim keeps them as they were written and shows them again; none of them moves a packet, for there
are no packets here. What they would do is for those who read them to judge.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id

if TYPE_CHECKING:
    from azsim.world import World

SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
ROUTE_TABLE = "Microsoft.Network/routeTables"
NAT_GATEWAY = "Microsoft.Network/natGateways"
PUBLIC_ADDRESS = "Microsoft.Network/publicIPAddresses"
PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
PRIVATE_ZONE = "Microsoft.Network/privateDnsZones"
RULE_SET = "Microsoft.Network/dnsForwardingRulesets"
ZONE_LINK = f"{PRIVATE_ZONE}/virtualNetworkLinks"
RULE_SET_LINK = f"{RULE_SET}/virtualNetworkLinks"


@dataclass(slots=True)
class Part:
    """
    One resource that is kept as it was written; `kind` is its whole type. `tags` are None where
    nobody wrote any, not even none (recorded: an empty object is shown again).

    A link is a resource below another: its id says which.
    """

    id: str
    kind: str
    location: str
    properties: dict[str, Any]
    created: datetime
    tags: dict[str, str] | None = None
    sku: dict[str, Any] | None = None
    version: int = 1

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]


class Parts:
    """Every such resource of the world; ids compare without case."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.version = 0
        self._known: dict[str, Part] = {}

    def put(
        self,
        part_id: str,
        kind: str,
        location: str,
        properties: Mapping[str, Any],
        *,
        tags: Mapping[str, str] | None = None,
        sku: Mapping[str, Any] | None = None,
    ) -> Part:
        """Make or rewrite one; its group must be there."""
        known = self._known.get(part_id.lower())
        part = Part(
            known.id if known else part_id,
            kind,
            location,
            dict(properties),
            known.created if known else self.world.clock.now(),
            None if tags is None else dict(tags),
            None if sku is None else dict(sku),
            known.version + 1 if known else 1,
        )
        self._known[part_id.lower()] = part
        self.version += 1
        return part

    def create(
        self,
        subscription: str,
        group: str,
        kind: str,
        name: str,
        location: str,
        properties: Mapping[str, Any] | None = None,
    ) -> Part:
        """Make one for a story, with its group where that is missing."""
        place = self.world.groups.ensure(subscription, group, location)
        return self.put(
            resource_id(place.subscription, place.name, kind, name),
            kind,
            location,
            properties or {},
        )

    def security_group(
        self,
        subscription: str,
        group: str,
        name: str,
        location: str,
        rules: Sequence[Mapping[str, Any]],
    ) -> Part:
        """Make a security group of rules, each with its name and its properties in one mapping."""
        shaped = [
            {"name": rule["name"], "properties": {k: v for k, v in rule.items() if k != "name"}}
            for rule in rules
        ]
        properties = {"securityRules": shaped}
        return self.create(subscription, group, SECURITY_GROUP, name, location, properties)

    def link(self, zone: Part, network_id: str, name: str = "link") -> Part:
        """Let a network resolve the names of a zone, or by the rules of a rule set."""
        return self.put(
            f"{zone.id}/virtualNetworkLinks/{name}",
            f"{zone.kind}/virtualNetworkLinks",
            zone.location,
            {"virtualNetwork": {"id": network_id}},
        )

    def find(self, part_id: str) -> Part | None:
        return self._known.get(part_id.lower())

    def below(self, parent_id: str, kind: str) -> list[Part]:
        """Return those of a kind in a group, or below a zone or rule set."""
        place = f"{parent_id}/".lower()
        return [
            part for key, part in self._known.items() if key.startswith(place) and part.kind == kind
        ]

    def of_kind(self, kind: str) -> Iterator[Part]:
        return (part for part in self._known.values() if part.kind == kind)

    def every(self) -> Iterator[Part]:
        yield from self._known.values()

    def in_subscription(self, subscription: str) -> list[Part]:
        place = f"/subscriptions/{subscription}/".lower()
        return [part for key, part in self._known.items() if key.startswith(place)]

    def delete(self, part: Part) -> None:
        """Remove one, and what lies below it."""
        for key in list(self._known):
            if f"{key}/".startswith(f"{part.id}/".lower()):
                del self._known[key]
        self.version += 1

    def drop_group(self, subscription: str, group: str) -> None:
        for part in self.in_subscription(subscription):
            if ArmId.parse(part.id).group.lower() == group.lower():
                self._known.pop(part.id.lower(), None)
        self.version += 1
