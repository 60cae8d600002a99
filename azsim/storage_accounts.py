"""
Storage accounts as resources of a group; what they hold is the data plane's (storage.py).

Their names are one name space in the world, taken also by accounts that are nobody's resource here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.graph_index import row_of
from azsim.recovery.wire import stamp

if TYPE_CHECKING:
    from azsim.world import World

KIND = "Microsoft.Storage/storageAccounts"
NAME = re.compile(r"[a-z0-9]{3,24}")
_SERVICES = ("blob", "queue", "table", "file")


@dataclass(slots=True)
class StorageAccount:
    """
    One account; `operation` is the id of the write that made it, done at `ready_at`.

    `settings` are properties that azsim stores and shows but does not act on.
    """

    id: str
    location: str
    sku: str
    kind: str
    created: datetime
    ready_at: datetime
    operation: str
    tags: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def group(self) -> str:
        return ArmId.parse(self.id).group


class StorageAccounts:
    """The accounts of every group; `version` rises with each change."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.version = 0
        self._accounts: dict[str, StorageAccount] = {}

    def create(
        self,
        subscription: str,
        group: str,
        name: str,
        location: str,
        *,
        sku: str = "Standard_LRS",
        kind: str = "StorageV2",
        tags: Mapping[str, str] | None = None,
        takes: timedelta = timedelta(),
    ) -> StorageAccount:
        """Make an account, its data plane, and its group where that is missing."""
        world = self.world
        place = world.groups.ensure(subscription, group, location)
        world.storage.create_account(name)
        account = StorageAccount(
            resource_id(place.subscription, place.name, KIND, name),
            location,
            sku,
            kind,
            world.clock.now(),
            world.clock.now() + takes,
            world.new_id(),
            dict(tags or {}),
        )
        self._accounts[account.id.lower()] = account
        self.version += 1
        return account

    def taken(self, name: str) -> bool:
        return self.world.storage.has_account(name)

    def find(self, account_id: str) -> StorageAccount | None:
        """Return the account with this id once it is there."""
        account = self._accounts.get(account_id.lower())
        ready = account is not None and self.world.clock.now() >= account.ready_at
        return account if ready else None

    def made_by(self, operation: str) -> StorageAccount | None:
        found = (a for a in self._accounts.values() if a.operation == operation.lower())
        return next(found, None)

    def in_subscription(self, subscription: str) -> list[StorageAccount]:
        return [
            account
            for account in self._accounts.values()
            if ArmId.parse(account.id).subscription == subscription.lower()
            and self.find(account.id) is not None
        ]

    # models storage-account-planes
    def delete(self, account: StorageAccount) -> None:
        self._accounts.pop(account.id.lower(), None)
        self.world.storage.delete_account(account.name)
        self.version += 1

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """Yield Resource Graph's rows."""
        for account in self._accounts.values():
            yield row_of(shown(account), self.world.tenant, account.ready_at)

    def drop_group(self, subscription: str, group: str) -> None:
        for account in self.in_subscription(subscription):
            if account.group.lower() == group.lower():
                self.delete(account)


# models storage-account-shape
def shown(account: StorageAccount) -> dict[str, Any]:
    """Write an account as recorded (api-version 2016-01-01); later versions say more."""
    born = stamp(account.created)
    return {
        "sku": {"name": account.sku, "tier": account.sku.split("_")[0]},
        "kind": account.kind,
        "id": account.id,
        "name": account.name,
        "type": KIND,
        "location": account.location,
        "tags": dict(account.tags),
        "properties": {
            "encryption": {
                "services": {"blob": {"enabled": True, "lastEnabledTime": born}},
                "keySource": "Microsoft.Storage",
            },
            "provisioningState": "Succeeded",
            "creationTime": born,
            "primaryEndpoints": {
                service: f"https://{account.name}.{service}.core.windows.net/"
                for service in _SERVICES
            },
            "primaryLocation": account.location,
            "statusOfPrimary": "available",
            **account.settings,
        },
    }
