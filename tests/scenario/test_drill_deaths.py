"""A restore test on a simulated Azure, whose process dies at any one call, and is started again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from azsim.transport import SimTransport
from azsim.world import World
from tests.drill_runs import order
from tests.scenario.stage import GROUP, SUB, TOML, VAULT, VAULT_GROUP, WEST
from tests.small_drill import Silent
from vmbackup_cli.simulated import CLIENT, build_app, found_place
from vmbackup_core.domain.drill.evidence import DRILL
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.ids import VaultId, VmId

PLACE = Place(SUB, WEST)
LATER = timedelta(seconds=40)  # Until the engine delivers a turn again.
MANY = 200
CALLS = 125  # Of a whole restore test, its ledger and evidence among them.


class Killed(BaseException):
    """The process is gone: nothing but the test catches this."""


class MortalTransport(SimTransport):
    """Lets the process die at one call, before it is sent or after it was answered."""

    def __init__(self, world: World) -> None:
        super().__init__(world, client=CLIENT)
        self.calls = 0
        self.dies_at: tuple[int, str] = (0, "")

    def send(self, request: Any, **kwargs: Any) -> Any:
        self.calls += 1
        nth, when = self.dies_at
        if self.calls == nth and when == "before":
            raise Killed
        answer = super().send(request, **kwargs)
        if self.calls == nth and when == "after":
            raise Killed
        return answer


@dataclass
class Night:
    """One VM with a backup of last night, a place, and one restore test of it."""

    world: World

    def __post_init__(self) -> None:
        world = self.world
        world.groups.add_subscription(SUB)
        for group in (GROUP, VAULT_GROUP):
            world.groups.create(SUB, group, WEST)
        vault = world.vaults.create(SUB, VAULT_GROUP, VAULT, WEST)
        self.vm = world.machines.create(
            subscription=SUB, group=GROUP, name="web", location=WEST, data_disks=1
        )
        found_place(world, PLACE, 1, staging="stdrill")
        world.clock.advance(timedelta(minutes=5))
        world.vaults.protect(self.vm.id, vault)
        world.clock.advance(timedelta(days=1))
        self.transport = MortalTransport(world)
        app = build_app(world, TOML, journal=Silent(), transport=self.transport)
        self.tests = app.restore_tests()
        now = world.clock.now()
        self.order = order(
            VmId.parse(self.vm.id),
            asked=now,
            by=now + timedelta(hours=4),
            vault=VaultId(SUB, VAULT_GROUP, VAULT),
            location=WEST,
            needed=Rung.BOOT,
        )
        self.before = self.things()

    def things(self) -> set[str]:
        """Return all that there is in the subscription, but the storage of the app itself."""
        world = self.world
        found = (
            *world.machines.in_subscription(SUB),
            *world.machines.disks.in_subscription(SUB),
            *world.networks.interfaces.in_subscription(SUB),
        )
        return {thing.id.lower() for thing in found}

    def run(self) -> str:
        """Take turns until the end, one again where the process died, and return the verdict."""
        state = self.tests.begin(self.order)
        for _ in range(MANY):
            try:
                state, until, code, _because = self.tests.turn(state)
            except Killed:
                self.world.clock.advance(LATER)
                continue
            if until is None:
                self.transport.dies_at = (0, "")
                return code
            self.world.clock.advance(max(until - self.world.clock.now(), timedelta(0)))
        raise AssertionError("it does not end")

    def sent(self, route: str) -> int:
        return sum(1 for exchange in self.world.exchanges if exchange.route == route)

    def records(self) -> list[Any]:
        chain = self.tests.records.evidence.chain("drill/")
        return [one["body"] for _, one in chain if one["body"]["what"] == DRILL]


def assert_proven_and_clean(night: Night, verdict: str) -> None:
    (record,) = {str(body["run"]): body for body in night.records()}.values()
    assert (verdict, record["verdict"], record["clean"]) == ("PROVEN", "PROVEN", True)
    assert night.sent("points.restore") == 1
    assert night.things() == night.before
    assert night.tests.slots.leases() == ()
    assert night.tests.runs.get(night.order.run).clean


def test_the_range_of_calls_covers_a_whole_restore_test(world: World):
    night = Night(world)

    assert_proven_and_clean(night, night.run())

    assert CALLS - 25 <= night.transport.calls <= CALLS


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, CALLS))
def test_it_is_proven_and_clean_wherever_the_process_dies(world: World, nth: int, when: str):
    night = Night(world)
    night.transport.dies_at = (nth, when)

    assert_proven_and_clean(night, night.run())
