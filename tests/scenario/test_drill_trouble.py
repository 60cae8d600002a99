"""
Whatever goes wrong with any call of a restore test: it ends, is recorded, and leaves nothing.

Every call of a clean run is met by every kind of trouble: the process dies before it or after it,
its answer is lost, it fails for good. Each time there is a verdict or a stated lack of one, the
backup is never blamed, and once the janitor has come every resource is as it was before.
"""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.world import World
from tests.scenario.one_drill import OneDrill, differences, one_drill, picture, routes_of

# The calls of a clean run, two sweeps and three of the janitor's rounds among them: the first test
# keeps this true. Those of the ledger and of documents are at most so many.
CALLS = 195
ROUTES = {
    "graph.query": 9,
    "resources.list_by_group": 3,
    "machines.get": 1,
    "boot_blobs.get": 2,
    "storage_accounts.list": 2,
    "skus.list": 1,
    "usages.list": 1,
    "points.list": 1,
    "networks.get": 1,
    "security_groups.get": 1,
    "networks.admin_rules": 1,
    "networks.connections": 1,
    "validations.trigger": 1,
    "validations.operation_status": 1,
    "jobs.list": 1,
    "points.restore": 1,
    "jobs.get": 1,
    "disks.list": 1,
    "machines.put": 1,
    "interfaces.get": 1,
    "backup_status.get": 1,
    "machines.boot_diagnostics": 1,
    "run_commands.put": 1,
    "run_commands.get": 1,
    "machines.delete": 1,
    "blobs.delete_container": 1,
    "blobs.list_containers": 1,
}
STORAGE = {
    "tables.read": 102,
    "tables.insert": 9,
    "tables.replace": 16,
    "blobs.get": 20,
    "blobs.put": 16,
    "blobs.list": 1,
}
SETTING_UP = {"tables.create", "blobs.create_container"}
FOR_GOOD: dict[str, Any] = {"times": None}
TROUBLE = {
    "lost after": Fault(Kind.RESET_AFTER),
    "lost before": Fault(Kind.RESET_BEFORE),
    "503 after": Fault(Kind.UNAVAILABLE, after_effect=True),
    "truncated": Fault(Kind.TRUNCATED),
    "429 for 300 s": Fault(Kind.ARM_THROTTLED, retry_after=timedelta(seconds=300)),
    "409 busy": Fault(Kind.BUSY),
    "403 for good": Fault(Kind.FORBIDDEN, **FOR_GOOD),
    "500 for good": Fault(Kind.INTERNAL, **FOR_GOOD),
    "404 for good": Fault(Kind.NOT_FOUND, **FOR_GOOD),
    "lost for good": Fault(Kind.RESET_AFTER, **FOR_GOOD),
}


def struck(routes: dict[str, int], one_in: int = 1) -> list[Any]:
    cases = [
        pytest.param(route, nth, trouble, id=f"{route}-{nth}-{trouble}")
        for route, times in routes.items()
        for nth in range(1, times + 1)
        for trouble in TROUBLE
    ]
    return cases[::one_in]


def deaths(one_in: int = 1) -> list[Any]:
    cases = [
        pytest.param(nth, when, id=f"{when} call {nth}")
        for nth in range(1, CALLS + 1)
        for when in ("before", "after")
    ]
    return cases[::one_in]


def assert_ended_well(stage: OneDrill) -> None:
    """Assert that the test is told of once, blames no backup, and that all is as before."""
    told = "\n".join(stage.journal.lines)
    record = stage.records[0]
    assert record["verdict"] in ("PROVEN", "NOT_PROVEN"), told
    assert record["ending"], told
    assert differences(stage.before, picture(stage.world)) == {}, told
    assert stage.app.restore_tests().slots.leases() == (), told
    begun = [one for one in stage.sent("points.restore") if one.response.status == 202]
    # Where the janitor comes for a rest a day later, the next night has tested the VM again.
    assert all(times == 1 for times in Counter(one.at.date() for one in begun).values()), told


def test_the_list_of_calls_is_that_of_a_clean_run(world: World):
    with one_drill(world) as stage:
        stage.run_night()

        made = routes_of(stage.ours)
        assert {route: n for route, n in made.items() if route in ROUTES} == ROUTES
        assert made.keys() - ROUTES.keys() - STORAGE.keys() == SETTING_UP
        assert CALLS - 30 <= made.total() <= CALLS
        assert [one["verdict"] for one in stage.records] == ["PROVEN"]
        assert_ended_well(stage)


def meet(world: World, route: str, nth: int, trouble: str) -> None:
    with one_drill(world) as stage:
        stage.world.faults.add(replace(TROUBLE[trouble], route=route, nth=nth))
        stage.run_night()
        stage.endure()
        assert route in STORAGE or stage.world.faults.unused() == []
        stage.mend()

        assert_ended_well(stage)


def die(world: World, nth: int, when: str) -> None:
    with one_drill(world) as stage:
        stage.transport.dies_at = (nth, when)
        stage.run_night()
        stage.mend()

        assert [one["verdict"] for one in stage.records] == ["PROVEN"]
        assert_ended_well(stage)


@pytest.mark.parametrize(("route", "nth", "trouble"), struck(ROUTES, one_in=17))
def test_it_ends_and_leaves_nothing_whatever_happens_to_a_call(
    world: World, route: str, nth: int, trouble: str
):
    meet(world, route, nth, trouble)


@pytest.mark.parametrize(("nth", "when"), deaths(one_in=41))
def test_it_is_proven_and_leaves_nothing_wherever_the_process_dies(
    world: World, nth: int, when: str
):
    die(world, nth, when)


@pytest.mark.long
@pytest.mark.parametrize(("route", "nth", "trouble"), struck(ROUTES | STORAGE))
def test_it_ends_and_leaves_nothing_whatever_happens_to_any_call(
    world: World, route: str, nth: int, trouble: str
):
    meet(world, route, nth, trouble)


@pytest.mark.long
@pytest.mark.parametrize(("nth", "when"), deaths())
def test_it_is_proven_and_leaves_nothing_at_every_death(world: World, nth: int, when: str):
    die(world, nth, when)
