"""
Subscriptions and resource groups: what exists, and what ARM says of what does not.

ARM looks at the subscription and the group of a path before any resource provider sees the call
(AZURE_FACTS 2, recorded 404 texts), so `check` stands in front of every route.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import group_id
from azsim.http import ArmError, Request

if TYPE_CHECKING:
    from azsim.world import World

RESOURCES_WRITE = "Microsoft.Resources.ResourceWriteSuccess"
RESOURCES_WRITE_FAILED = "Microsoft.Resources.ResourceWriteFailure"
RESOURCES_DELETE = "Microsoft.Resources.ResourceDeleteSuccess"
RESOURCES_ACTION = "Microsoft.Resources.ResourceActionSuccess"


@dataclass(slots=True)
class Subscription:
    id: str
    name: str
    state: str = "Enabled"


@dataclass(slots=True)
class Group:
    """A resource group; `name` keeps the case of its creation."""

    subscription: str
    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    managed_by: str | None = None
    provisioning: str = "Succeeded"

    @property
    def id(self) -> str:
        return group_id(self.subscription, self.name)


class Groups:
    """
    The containers of the estate. `version` rises with each change, so that readers may keep copies.
    """

    def __init__(self, world: "World") -> None:
        self.world = world
        self.version = 0
        self.subscriptions: dict[str, Subscription] = {}
        self._groups: dict[tuple[str, str], Group] = {}

    def add_subscription(self, id_or_name: str, *, name: str | None = None) -> str:
        """
        Add a subscription and return its id: the text itself where it is a GUID, else a new id
        under that display name. Adding one that exists changes nothing.
        """
        if _is_guid(id_or_name):
            key, shown = id_or_name.lower(), name or f"Subscription {id_or_name[:8]}"
        else:
            known = (s.id for s in self.subscriptions.values() if s.name == id_or_name)
            if (existing := next(known, None)) is not None:
                return existing
            key, shown = self.world.new_id(), name or id_or_name
        if key not in self.subscriptions:
            self.subscriptions[key] = Subscription(key, shown)
            self.version += 1
        return self.subscriptions[key].id

    def create(
        self,
        subscription: str,
        name: str,
        location: str,
        tags: Mapping[str, str] | None = None,
        *,
        managed_by: str | None = None,
    ) -> Group:
        """Create a group, or give an existing one these tags; adds the subscription if it must."""
        subscription = self.add_subscription(subscription)
        key = (subscription, name.lower())
        group = self._groups.setdefault(key, Group(subscription, name, location, {}, managed_by))
        group.tags = dict(tags or {})
        self.version += 1
        return group

    def ensure(self, subscription: str, name: str, location: str) -> Group:
        """Return the group, created when it is missing; never changes one that exists."""
        return self.find(subscription, name) or self.create(subscription, name, location)

    def find(self, subscription: str, name: str) -> Group | None:
        return self._groups.get((subscription.lower(), name.lower()))

    def in_subscription(self, subscription: str) -> list[Group]:
        return [g for (sub, _), g in self._groups.items() if sub == subscription.lower()]

    def get(self, subscription: str, name: str) -> Group:
        """Return the group; raises ARM's 404 where there is none."""
        if (group := self.find(subscription, name)) is None:
            raise group_not_found(name)
        return group

    def delete(self, subscription: str, name: str) -> None:
        """Remove the group and what is in it."""
        group = self._groups.pop((subscription.lower(), name.lower()), None)
        if group is not None:
            self.version += 1
            for kept in (self.world.machines, self.world.networks, self.world.storage_accounts):
                kept.drop_group(group.subscription, group.name)

    # models scope-checked-first
    def check(self, request: Request) -> None:
        """Raise what ARM answers when the path names a subscription or group that is not there."""
        parts = request.path.strip("/").split("/")
        if len(parts) < 2 or parts[0].lower() != "subscriptions":
            return
        if not _is_guid(parts[1]):
            raise ArmError(
                400,
                "InvalidSubscriptionId",
                f"The provided subscription identifier '{parts[1]}' is malformed or invalid.",
            )
        if parts[1].lower() not in self.subscriptions:
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{parts[1]}' could not be found."
            )
        below_group = len(parts) > 4 and parts[2].lower() == "resourcegroups"
        if below_group and self.find(parts[1], parts[3]) is None:
            raise group_not_found(parts[3])

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """Yield Resource Graph's rows of table `resourcecontainers`."""
        for sub in self.subscriptions.values():
            yield self._row(
                f"/subscriptions/{sub.id}",
                sub.name,
                "microsoft.resources/subscriptions",
                sub.id,
                properties={"state": sub.state, "managementGroupAncestorsChain": []},
            )
        for group in self._groups.values():
            yield self._row(
                group.id,
                group.name,
                "microsoft.resources/subscriptions/resourcegroups",
                group.subscription,
                location=group.location,
                group=group.name.lower(),
                tags=group.tags,
                properties={"provisioningState": group.provisioning},
            )

    def _row(
        self,
        row_id: str,
        name: str,
        kind: str,
        subscription: str,
        *,
        properties: dict[str, Any],
        location: str = "",
        group: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return {
            "id": row_id,
            "name": name,
            "type": kind,
            "tenantId": self.world.tenant,
            "kind": "",
            "location": location,
            "resourceGroup": group,
            "subscriptionId": subscription,
            "managedBy": "",
            "sku": None,
            "plan": None,
            "properties": properties,
            "tags": dict(tags) if tags else None,
            "identity": None,
            "zones": None,
        }


def group_not_found(name: str) -> ArmError:
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


# models resource-not-found
def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """Build ARM's 404, word for word as recorded."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def _is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
