"""
Where restore tests run: places, and in them slots; and what each is called.

The names are fixed, because the last gate, the janitor and the scope all have to know them without
being told: what bears another name is never touched. Deployment makes them; the app never does.
"""

import re
from dataclasses import dataclass
from typing import Self

from vmbackup_core.domain.errors import Malformed

PREFIX = "vmbackup-drill"
NETWORK = "vmbackup-drill"  # The one virtual network of a place, with one subnet for each slot.
MOST_SLOTS = 99
_GROUP = re.compile(rf"{PREFIX}-([a-z0-9]+)-([1-9]\d?)")

RUN_TAG = "vmbackup-run"  # The run (see run_mark) that made a thing.
EXPIRES_TAG = "vmbackup-expires"  # UTC, ISO 8601: the janitor removes what is older.
MADE_BY_TAG = "vmbackup-made-by"
MADE_BY = "vmbackup"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """
    One subscription and region with what its slots share: a network and a staging account.

    They lie in a resource group of their own, in which the app creates nothing.
    """

    subscription: str
    location: str

    @property
    def group(self) -> str:
        return f"{PREFIX}-{self.location}"

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourcegroups/{self.group}"

    @property
    def network_id(self) -> str:
        return f"{self.group_id}/providers/microsoft.network/virtualnetworks/{NETWORK}"

    def __str__(self) -> str:
        return f"{self.location} of subscription {self.subscription}"


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One resource group, empty but for the one restore test that has leased it."""

    place: Place
    number: int

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read the ARM id of a slot's group, in any case; raises Malformed for anything else."""
        found = re.fullmatch(r"/subscriptions/([^/]+)/resourcegroups/([^/]+)", raw.strip().lower())
        named = _GROUP.fullmatch(found[2]) if found else None
        if found is None or named is None:
            raise Malformed(f"not a slot of restore tests: {raw!r}")
        return cls(Place(found[1], named[1]), int(named[2]))

    @property
    def group(self) -> str:
        return f"{self.place.group}-{self.number}"

    @property
    def id(self) -> str:
        return f"/subscriptions/{self.place.subscription}/resourcegroups/{self.group}"

    @property
    def subnet_id(self) -> str:
        return f"{self.place.network_id}/subnets/slot-{self.number}"

    def __str__(self) -> str:
        return self.id

    def holds(self, resource_id: str) -> bool:
        """Tell whether a resource lies in this slot."""
        return resource_id.lower().startswith(f"{self.id}/")


def run_mark(run: str) -> str:
    """Return the ten hex digits of a run's key that its resources' names and tags bear."""
    return run.rsplit("-", 1)[-1][:10]


def copy_name(run: str) -> str:
    """Return the name of the machine that a run makes; never that of its source."""
    return f"drill-{run_mark(run)}"
