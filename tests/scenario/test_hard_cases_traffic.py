"""Hard cases of the way to Azure: throttled, lagging, short of rows, and events that get lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from azsim.clock import Clock
from azsim.fault_kinds import Fault, Kind
from azsim.http import Request, Response
from azsim.machines import PAST
from azsim.transport import SimTransport
from azsim.world import World
from tests.scenario.people import (
    HOURS,
    MINUTES,
    SECONDS,
    WITH_SILVER,
    calls_at,
    item_puts,
    protected_by_us,
    stocked_vault,
)
from tests.scenario.stage import SUB, VAULT, VAULT_GROUP, Stage, opened
from vmbackup_cli.simulated import CLIENT

ROUTES = [
    (Kind.ARM_THROTTLED, "machines.get"),
    (Kind.ARM_THROTTLED, "vaults.list_all"),
    (Kind.ARM_THROTTLED, "items.put"),
    (Kind.PROVIDER_THROTTLED, "backup_status.get"),
    (Kind.PROVIDER_THROTTLED, "items.get"),
    (Kind.PROVIDER_THROTTLED, "items.put"),
    (Kind.PROVIDER_THROTTLED, "policies.list"),
    (Kind.PROVIDER_THROTTLED, "policies.put"),
    (Kind.PROVIDER_THROTTLED, "jobs.list"),
    (Kind.COMPUTE_THROTTLED, "machines.get"),
]
WAITS = [1 * SECONDS, 1 * HOURS]


def throttle(stage: Stage, kind: Kind, route: str, wait: timedelta) -> None:
    stage.world.faults.add(Fault(kind, route, retry_after=wait))


def quiet_after_refusal(stage: Stage, route: str) -> timedelta:
    """Return how long the app left a route alone after it was told to; it may do so for good."""
    struck = stage.world.faults.struck[0].at
    later = (at - struck for at in calls_at(stage, route) if at > struck)
    return min(later, default=timedelta.max)


@pytest.mark.parametrize("wait", WAITS, ids=["a second", "an hour"])
@pytest.mark.parametrize(("kind", "route"), ROUTES)
def test_a_throttled_call_is_made_again_no_sooner_than_told(
    stage: Stage, kind: Kind, route: str, wait: timedelta
):
    stage.create_vault()
    throttle(stage, kind, route, wait)
    stage.create_vm("web")

    stage.run(2 * HOURS)

    assert quiet_after_refusal(stage, route) >= wait
    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")
    assert stage.effective_enables() == 1


@pytest.mark.parametrize("wait", WAITS, ids=["a second", "an hour"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_throttled_sweep_asks_resource_graph_again_no_sooner_than_told(
    stage: Stage, wait: timedelta, nth: int
):
    stage.create_vault()
    stage.world.faults.add(Fault(Kind.GRAPH_THROTTLED, "graph.query", nth=nth, retry_after=wait))
    stage.create_vm("web", created_by=PAST)

    stage.run(2 * HOURS)

    assert quiet_after_refusal(stage, "graph.query") >= wait
    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


@pytest.mark.parametrize(("kind", "route"), ROUTES)
def test_what_is_told_to_one_workflow_holds_for_all(stage: Stage, kind: Kind, route: str):
    stage.create_vault()
    throttle(stage, kind, route, 1 * HOURS)
    for number in range(5):
        stage.create_vm(f"web-{number}")

    stage.run(3 * HOURS)

    assert quiet_after_refusal(stage, route) >= 1 * HOURS
    assert {stage.policy_of(f"web-{n}") for n in range(5)} == {"gold"}


def test_a_throttled_vm_says_so_meanwhile(stage: Stage):
    stage.create_vault()
    throttle(stage, Kind.PROVIDER_THROTTLED, "items.put", 1 * HOURS)
    stage.create_vm("web")

    stage.run(5 * MINUTES)

    assert "THROTTLED" in stage.journal.lines[-1]


# Resource Graph lags.


def test_a_stale_row_without_protection_changes_nothing(stage: Stage):
    stage.world.graph.lag = 20 * MINUTES
    vault = stocked_vault(stage)
    machine = stage.create_vm("web", tag="standard", created_by=PAST)
    stage.run(28 * MINUTES)

    stage.world.vaults.protect(machine.id, vault, "standard")
    stage.run(10 * MINUTES)

    assert sweeps_saw(stage) == ["TO_PROTECT"]
    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "standard")
    assert stage.arm_writes() == []


def test_a_stale_row_with_the_tag_of_before_changes_nothing(stage: Stage):
    stage.world.graph.lag = 20 * MINUTES
    stocked_vault(stage)
    machine = stage.create_vm("web", created_by=PAST)
    stage.run(21 * MINUTES)
    stage.verdict("web")

    stage.world.events.lose_next("/web")
    stage.world.machines.tag(machine.id, {"backup": "off"})
    stage.run(10 * MINUTES)

    assert sweeps_saw(stage) == ["TO_PROTECT"]
    assert stage.ended() == "OPTED_OUT"
    assert stage.arm_writes() == []


def test_a_stale_row_of_a_vm_that_is_gone_changes_nothing(stage: Stage):
    stage.world.graph.lag = 20 * MINUTES
    stocked_vault(stage)
    machine = stage.create_vm("web", created_by=PAST)
    stage.run(28 * MINUTES)

    stage.world.events.lose_next("/web")
    stage.world.machines.delete(machine.id)
    stage.run(10 * MINUTES)

    assert sweeps_saw(stage) == ["TO_PROTECT"]
    assert stage.ended() == "VM_DELETED"
    assert stage.arm_writes() == []
    assert stage.failures() == []


def test_a_stale_row_with_the_policy_of_before_changes_nothing(stage: Stage):
    stage.configure(WITH_SILVER)
    machine = protected_by_us(stage, tag="standard")
    stage.world.events.lose_next("/web")
    stage.world.machines.tag(machine.id, {"backup": "silver"})
    stage.world.graph.lag = 10 * MINUTES
    stage.run(15 * MINUTES)
    stage.verdict("web")
    before = stage.arm_writes()

    vault = stage.world.vaults.find(SUB, VAULT_GROUP, VAULT)
    stage.world.vaults.protect(machine.id, vault, "DefaultPolicy")
    stage.run(10 * MINUTES)

    assert sweeps_saw(stage) == ["TO_CHANGE_POLICY"]
    assert stage.ended() == "OTHER_POLICY"
    assert stage.arm_writes() == before


def sweeps_saw(stage: Stage, name: str = "web") -> list[str]:
    """Return the reasons that the sweeps so far recorded for a VM, each once."""
    records = [record["body"] for _, record in stage.app.evidence.chain("sweep/")]
    changes = [change for body in records for change in body["changed"]]
    return [c["reason"] for c in changes if c["vm"] == stage.id(name).lower()]


# Resource Graph is short of rows.


def without_rows(body: Any) -> Any:
    return body | {"data": body["data"][:-1], "count": body["count"] - 1}


def miscounted(body: Any) -> Any:
    return body | {"data": body["data"][:-1]}


def truncated(body: Any) -> Any:
    return body | {"resultTruncated": "true"}


def without_total(body: Any) -> Any:
    return {key: value for key, value in body.items() if key != "totalRecords"}


def without_items(body: Any) -> Any:
    """An identity that has lost its right to read vaults sees whole answers, without them."""
    kept = [row for row in body["data"] if "recoveryservices" not in row["type"]]
    return body | {"data": kept, "count": len(kept), "totalRecords": len(kept)}


@dataclass
class ShortOfRows:
    """A world whose Resource Graph does not give all rows, as long as `cut` says how."""

    world: World
    cut: Callable[[Any], Any] | None = None

    @property
    def clock(self) -> Clock:
        return self.world.clock

    def handle(self, request: Request) -> Response:
        response = self.world.handle(request)
        if self.cut is None or "ResourceGraph" not in request.path:
            return response
        return replace(response, body=self.cut(response.body))


@pytest.fixture
def short(world: World) -> ShortOfRows:
    return ShortOfRows(world)


@pytest.fixture
def short_stage(short: ShortOfRows) -> Iterator[Stage]:
    transport = SimTransport(short, client=CLIENT)  # type: ignore[arg-type]
    with opened(Stage(short.world, transport=transport)) as stage:
        yield stage


@pytest.mark.parametrize("cut", [without_rows, miscounted, truncated, without_total])
def test_a_short_answer_ends_the_sweep_and_no_vm_reads_as_gone(
    short_stage: Stage, short: ShortOfRows, cut: Callable[[Any], Any]
):
    stage = short_stage
    protected_by_us(stage)
    stage.create_vm("waiting", tag=None, created_by=PAST)
    stage.sweep()
    stage.world.machines.find(stage.id("waiting")).tags = {"backup": "gold"}
    writes, records = stage.arm_writes(), sweep_records(stage)

    short.cut = cut
    stage.run(45 * MINUTES)

    assert sweep_records(stage) == records
    assert stage.arm_writes() == writes
    assert ["sweep" in failure for failure in stage.failures()] == [True]


def test_a_right_that_is_lost_in_resource_graph_lets_no_vm_be_enabled_twice(
    short_stage: Stage, short: ShortOfRows
):
    stage = short_stage
    protected_by_us(stage)
    before = stage.arm_writes()

    short.cut = without_items
    stage.run(40 * MINUTES)

    assert sweeps_saw(stage) == ["TO_PROTECT"]
    assert stage.ended() == "PROTECTED"
    assert stage.arm_writes() == before


def test_the_sweep_after_a_short_answer_goes_on_as_if_nothing_had_been(
    short_stage: Stage, short: ShortOfRows
):
    stage = short_stage
    protected_by_us(stage)
    stage.sweep()
    short.cut = without_rows
    stage.sweep()
    short.cut = None

    stage.sweep()

    assert sweep_records(stage)[-1]["gone"] == []
    assert stage.reason() == "PROTECTED"


def test_an_answer_that_breaks_off_ends_the_sweep(stage: Stage):
    protected_by_us(stage)
    stage.sweep()
    records = sweep_records(stage)

    stage.world.faults.add(Fault(Kind.TRUNCATED, "graph.query", nth=2))
    stage.sweep()

    assert sweep_records(stage) == records
    assert len(stage.failures()) == 1


def sweep_records(stage: Stage) -> list[Any]:
    return [record["body"] for _, record in stage.app.evidence.chain("sweep/")]


# Events that get lost, doubled and shuffled.

FLEET = {f"web-{n}": ("gold", "standard")[n % 2] for n in range(30)}
TWELVE = [f"web-{n}" for n in range(12)]


@pytest.mark.parametrize("world", [1, 2, 3], indirect=True)
def test_a_fleet_is_protected_once_whatever_happens_to_its_events(world: World, stage: Stage):
    stage.create_vault()
    world.events.disturb(lost=0.3, doubled=0.3, shuffled=True, noise=0.3)
    for name, tag in FLEET.items():
        stage.create_vm(name, tag=tag, agent_after=1 * MINUTES, provisioning_takes=1 * MINUTES)
        stage.run(45 * SECONDS)

    stage.sweep()
    stage.run(5 * MINUTES)

    assert {name: stage.policy_of(name) for name in FLEET} == FLEET
    assert {stage.vault_of(name) for name in FLEET} == {VAULT}
    assert {stage.effective_enables(name) for name in FLEET} == {1}
    assert set(stage.arm_writes()) == {"policies.put", "items.put"}
    assert world.events.counts.lost > 0
    assert stage.failures() == []


@pytest.mark.parametrize("world", [1, 2, 3], indirect=True)
def test_tags_that_change_while_their_events_are_shuffled_end_as_they_were_written_last(
    world: World, stage: Stage
):
    stage.configure(WITH_SILVER)
    stage.create_vault()
    world.events.disturb(lost=0.3, doubled=0.3, shuffled=True)
    for name in TWELVE:
        stage.create_vm(name, tag="standard")
    stage.run(10 * MINUTES)
    for name in TWELVE:
        world.machines.tag(stage.id(name), {"backup": "silver"})

    stage.run(70 * MINUTES)

    assert {stage.policy_of(name) for name in TWELVE} == {"silver"}
    assert {len(item_puts(stage, name)) for name in TWELVE} <= {1, 2}
