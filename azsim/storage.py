"""
Storage accounts: which exist, and what each holds.

A name without an account does not resolve, so a call to it never arrives; `account` says so.
"""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from azsim.blobs import Container, Containers
from azsim.http import ConnectionLost
from azsim.tables import Table, Tables
from azsim.ticks import Ticks

if TYPE_CHECKING:
    from azsim.world import World


class Account:
    """One storage account with its tables and blob containers."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self._clock = world.clock
        ticks = Ticks(world.clock)
        self.tables = Tables(ticks)
        self.containers = Containers(ticks)

    def create_table(self, name: str) -> Table:
        return self.tables.create(name, self._clock.now())

    def create_container(self, name: str, *, immutable_for: timedelta | None = None) -> Container:
        """Create a container; `immutable_for` is a locked time-based retention policy."""
        return self.containers.create(name, self._clock.now(), immutable_for=immutable_for)


class Storage:
    """The storage accounts of the world; their names are global."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._accounts: dict[str, Account] = {}

    def create_account(self, name: str) -> Account:
        """Create an account of 3 to 24 small letters and digits; a taken name is an error."""
        if not re.fullmatch(r"[a-z0-9]{3,24}", name):
            raise ValueError(f"{name!r} cannot be a storage account's name")
        if name in self._accounts:
            raise ValueError(f"the storage account {name!r} exists")
        return self._accounts.setdefault(name, Account(name, self._world))

    def ensure_account(self, name: str) -> Account:
        """Return the account, made where it is missing."""
        return self._accounts.get(name) or self.create_account(name)

    def has_account(self, name: str) -> bool:
        return name.lower() in self._accounts

    def delete_account(self, name: str) -> None:
        """Remove the account and all that it holds."""
        self._accounts.pop(name.lower(), None)

    # models storage-unknown-account
    def account(self, name: str) -> Account:
        """Return the account; raises ConnectionLost where its name would not resolve."""
        if (found := self._accounts.get(name.lower())) is None:
            raise ConnectionLost(after_effect=False)
        return found
