"""
Whatever goes wrong with one call of the enabling flow, the VM ends protected, and once.

Every call that a clean run makes (by route, and by how often) meets every kind of trouble; after at
most one sweep the VM has the right policy in the right vault, and nothing else was written.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.host import ProcessKilled
from azsim.transport import SimTransport
from azsim.world import World
from tests.scenario.stage import VAULT, Stage, opened
from vmbackup_cli.simulated import CLIENT

MINUTES = timedelta(minutes=1)
ONE_SWEEP = 62 * MINUTES  # The next sweep and what it starts, wherever in the half hour we are.
RETRY_AFTER = timedelta(seconds=300)

# The calls of a clean run: a vault is there, its policy is not. The first test keeps this true.
ARM_CALLS = {
    "machines.get": 3,
    "vaults.list_all": 3,
    "policies.list": 3,
    "usage_summaries.list": 3,
    "backup_status.get": 3,
    "items.get": 3,
    "policies.get": 1,
    "policies.put": 1,
    "items.put": 1,
    "jobs.list": 2,
}
STORAGE_ROUTES = ("tables.read", "tables.insert", "tables.replace", "blobs.get", "blobs.put")

TROUBLE = {
    "429 for 300 s": lambda route: Fault(Kind.ARM_THROTTLED, route, retry_after=RETRY_AFTER),
    "500": lambda route: Fault(Kind.INTERNAL, route),
    "the answer is lost after success": lambda route: Fault(Kind.RESET_AFTER, route),
    "503 after success": lambda route: Fault(Kind.UNAVAILABLE, route, after_effect=True),
    "the connection is reset before": lambda route: Fault(Kind.RESET_BEFORE, route),
    "404": lambda route: Fault(Kind.NOT_FOUND, route),
    "409 busy": lambda route: Fault(Kind.BUSY, route),
    "a truncated body": lambda route: Fault(Kind.TRUNCATED, route),
}


class MortalTransport(SimTransport):
    """Kills the process before or after the nth call of the app."""

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


@contextmanager
def mortal(world: World) -> Iterator[Stage]:
    with opened(Stage(world, transport=MortalTransport(world))) as stage:
        stage.create_vault()
        yield stage


def struck(routes: dict[str, int]) -> list[Any]:
    return [
        pytest.param(route, nth, trouble, id=f"{route}-{nth}-{trouble}")
        for route, times in routes.items()
        for nth in range(1, times + 1)
        for trouble in TROUBLE
    ]


def assert_protected_once(stage: Stage) -> None:
    assert (stage.vault_of(), stage.policy_of()) == (VAULT, "gold"), "\n".join(stage.journal.lines)
    assert stage.effective_enables() == 1
    assert set(stage.arm_writes()) <= {"items.put", "policies.put"}


def test_the_list_of_calls_is_that_of_a_clean_run(stage: Stage):
    stage.create_vault()
    began = stage.world.clock.now()
    stage.create_vm()

    stage.run(10 * MINUTES)

    assert stage.arm_calls(began) == Counter(ARM_CALLS)
    assert_protected_once(stage)


@pytest.mark.parametrize(("route", "nth", "trouble"), struck(ARM_CALLS))
def test_a_vm_is_protected_once_whatever_happens_to_one_call(
    stage: Stage, route: str, nth: int, trouble: str
):
    stage.create_vault()
    fault = TROUBLE[trouble](route)
    stage.world.faults.add(Fault(**{**_fields(fault), "nth": nth}))
    stage.create_vm()

    stage.run(ONE_SWEEP)

    assert stage.world.faults.unused() == []
    assert_protected_once(stage)


def _fields(fault: Fault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in fault.__dataclass_fields__}


@pytest.mark.long
@pytest.mark.parametrize(
    "trouble", ["500", "the answer is lost after success", "503 after success"]
)
@pytest.mark.parametrize("nth", range(1, 15))
@pytest.mark.parametrize("route", STORAGE_ROUTES)
def test_a_vm_is_protected_once_whatever_happens_to_one_call_of_our_storage(
    stage: Stage, route: str, nth: int, trouble: str
):
    stage.create_vault()
    stage.world.faults.add(Fault(**{**_fields(TROUBLE[trouble](route)), "nth": nth}))
    stage.create_vm()

    stage.run(ONE_SWEEP)

    assert_protected_once(stage)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 75))
def test_a_vm_is_protected_once_wherever_the_process_dies(world: World, nth: int, when: str):
    with mortal(world) as stage:
        stage.transport.dies_at = (nth, when)
        stage.create_vm()

        stage.run(ONE_SWEEP)

        assert_protected_once(stage)
