"""
One restore test that meets trouble, behind its triggers, and a picture of all that there is.

It begins on the eve of its night, with what deployment and Azure made before: no sweep has run, so
a case of it costs little. Beside the VM stands what must never be touched.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azsim.host import ProcessKilled
from azsim.transport import SimTransport
from azsim.world import Exchange, World
from tests.scenario.drill_stage import DRILLS, HOUR, PLACE, STAGING, NightStage
from tests.scenario.stage import GROUP, SUB, TOML, WEST, opened
from vmbackup_cli.simulated import CLIENT, found_place
from vmbackup_core.domain.drill.evidence import DRILL
from vmbackup_core.domain.drill.slots import RUN_TAG

TO_CHECKS = (
    TOML
    + DRILLS.replace('rung = "boot"', 'rung = "checks"')
    + """
[[drills.checks]]
name = "root"
os = "linux"
script = "test -d /"
"""
)
PATIENCE = 2 * HOUR
MOST = 34  # Hours: the janitor tries for a day, and looks for the rest every six hours.
# A policy's count of items and an item's last backup are time's work; jobs are Azure's diary.
_OF_TIME = ("backupjobs",)
_OF_AN_ITEM = ("policyId", "protectionState", "sourceResourceId", "isScheduledForDeferredDelete")

Picture = Mapping[str, Any]


def picture(world: World) -> Picture:
    """
    Return every resource of the world with its body, and every blob that is not the app's own.

    Left out is what time alone changes: jobs, and when an item was backed up last.
    """
    seen: dict[str, Any] = {}
    for rows in (
        world.groups,
        world.machines,
        world.vaults,
        world.networks,
        world.storage_accounts,
    ):
        for row in rows.graph_rows():
            if not row["type"].endswith(_OF_TIME):
                seen[row["id"].lower()] = _without_time(row)
    for part in world.networks.parts.every():
        seen[part.id.lower()] = (part.location, part.properties, part.tags)
    for nic in world.networks.interfaces.every():
        seen[nic.id.lower()] = (nic.subnet_id, nic.address, nic.security_group, nic.tags)
    for account in world.storage_accounts.in_subscription(SUB):
        for container in world.storage.account(account.name).containers:
            name = f"{account.name}/{container.name}"
            seen[name] = {blob.name: hashlib.sha256(blob.content).hexdigest() for blob in container}
    return {name: json.dumps(body, default=str, sort_keys=True) for name, body in seen.items()}


def _without_time(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if not name.startswith("_")}
    if row["type"].endswith("protecteditems"):
        kept["properties"] = {name: row["properties"].get(name) for name in _OF_AN_ITEM}
    return kept


class MortalTransport(SimTransport):
    """Kills the process before or after the nth call, once there is something to kill."""

    def __init__(self, world: World) -> None:
        super().__init__(world, client=CLIENT)
        self.calls = 0
        self.dies_at: tuple[int, str] = (0, "")

    def send(self, request: Any, **kwargs: Any) -> Any:
        self.calls += 1
        nth, when = self.dies_at
        if self.calls == nth and when == "before":
            raise ProcessKilled
        answer = super().send(request, **kwargs)
        if self.calls == nth and when == "after":
            raise ProcessKilled
        return answer


@dataclass
class OneDrill(NightStage):
    """A VM with a data disk and a backup, two minutes before the night that tests it."""

    data_disks: int = 1

    def begin(self) -> None:
        world = self.world
        vault = self.create_vault()
        world.vaults.set_policy(vault, "gold", vault.policy("EnhancedPolicy").body)
        vm = self.create_vm(data_disks=self.data_disks)
        found_place(world, PLACE, 1, staging=STAGING)
        self._stand_beside()
        world.clock.advance(timedelta(minutes=10))
        world.vaults.protect(vm.id, vault, "gold")
        world.clock.advance_to(world.clock.now().replace(hour=0, minute=58) + timedelta(days=2))
        self.before = picture(world)
        super().begin()

    def _stand_beside(self) -> None:
        """Make what looks like ours, and is not: it does not lie in a slot."""
        world = self.world
        bystander = self.create_vm("bystander", tag=None)
        bystander.tags[RUN_TAG] = "0123456789"
        world.machines.disks.create(
            subscription=SUB,
            group=GROUP,
            name="restored",
            location=WEST,
            tags={"RSVaultBackup": "somebodys-job"},
        )
        container = world.storage.account(STAGING).create_container("somebodys")
        container.write("notes", b"keep", world.clock.now())

    # How it goes.

    def run_night(self) -> None:
        """Let it run for as long as a test without trouble takes."""
        self.run(HOUR)
        self.transport.dies_at = (0, "")  # type: ignore[union-attr]  # What follows is the test's.

    def endure(self) -> None:
        """Let trouble that lasts go on for longer than a restore test waits; nobody looks."""
        self.run(PATIENCE)

    def mend(self) -> None:
        """
        Let nothing go wrong any more, and the janitor come until there is nothing left.

        A container of which Azure once said that it was gone is found again a day later.
        """
        self.world.faults.clear()
        for _ in range(MOST):
            if self.records and not self._left():
                return
            self.run(HOUR)

    def _left(self) -> bool:
        leases = self.app.restore_tests().slots.leases()
        return bool(leases or differences(self.before, picture(self.world)))

    # What came of it.

    @property
    def records(self) -> list[Any]:
        """Return the bodies of the records of restore tests, each run's once."""
        bodies = [body for body in self.bodies() if body["what"] == DRILL]
        return list({body["run"]: body for body in bodies}.values())

    def sent(self, route: str) -> list[Exchange]:
        return [one for one in self.ours if one.route == route]


def differences(before: Picture, after: Picture) -> dict[str, tuple[Any, Any]]:
    """Return what is not as it was: its body before and after, None where there was none."""
    names = before.keys() | after.keys()
    return {
        name: (before.get(name), after.get(name))
        for name in sorted(names)
        if before.get(name) != after.get(name)
    }


def routes_of(exchanges: list[Exchange]) -> Counter[str]:
    return Counter(one.route for one in exchanges)


@contextmanager
def one_drill(world: World, data_disks: int = 1) -> Iterator[OneDrill]:
    transport = MortalTransport(world)
    with opened(OneDrill(world, TO_CHECKS, transport=transport, data_disks=data_disks)) as stage:
        yield stage  # type: ignore[misc]
