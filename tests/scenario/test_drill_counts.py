"""What a restore test costs in calls: bounded, however long anything takes."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from azsim.guests import Boot, Conduct
from azsim.recovery.pace import Step
from azsim.throttle import Limits
from azsim.world import World
from tests.scenario.drill_stage import DRILLS, HOUR, PLACE, STAGING, NightStage
from tests.scenario.one_drill import OneDrill, one_drill
from tests.scenario.stage import GROUP, SUB, TOML, VAULT_GROUP, WEST, opened
from vmbackup_cli.simulated import found_place

MINUTE = timedelta(minutes=1)
BUDGET, FOR_A_DISK = 30, 4
# What all that wait read together: restores of a vault, sizes and quotas of a place.
SHARED = ("jobs.list", "skus.list", "usages.list")
AN_HOUR_AND_VAULT = 12
READS_AN_HOUR = 150  # Of one action in one subscription: the lowest that Azure was seen to allow.


@pytest.fixture
def drill(world: World) -> Iterator[OneDrill]:
    with one_drill(world) as stage:
        yield stage


def carry_out(stage: OneDrill, **order: Any) -> tuple[Counter[str], list[datetime]]:
    """
    Take the turns of tonight's test and nothing else, so that every call is its own or shared.

    Return its own ARM calls by route, and when the restores of its vault were listed.
    """
    workflows, clock = stage.app.workflows, stage.world.clock
    clock.advance(2 * MINUTE)
    (lane,) = workflows.plan_night()["lanes"]
    given = lane["tests"][0]["given"]
    given["state"]["order"].update(order)
    first = len(stage.world.exchanges)
    while True:
        given = workflows.turn(given)
        if given["until"] is None:
            break
        clock.advance_to(max(clock.now(), datetime.fromisoformat(given["until"])))
    made = [e for e in stage.world.exchanges[first:] if "management.azure" in e.request.host]
    own = Counter(e.route for e in made if e.route not in SHARED)
    lists = [e.at for e in made if e.route == "jobs.list"]
    return own, lists


def busiest_hour(moments: list[datetime]) -> int:
    """Return how many of the moments lie within one hour at most."""
    return max(sum(at <= one < at + HOUR for one in moments) for at in moments)


def slow_restore(stage: OneDrill) -> None:
    hours = (10_800.0, 10_800.0, 10_800.0)
    stage.world.vaults.pace.seconds[Step.RESTORE_SNAPSHOT] = hours


def late_agent(stage: OneDrill) -> None:
    stage.world.vaults.spoil_points(stage.id(), Conduct(agent_late=35 * MINUTE))


def slow_boot(stage: OneDrill) -> None:
    stage.world.vaults.spoil_points(stage.id(), Conduct(boot_takes=40 * MINUTE))


def hangs(stage: OneDrill) -> None:
    stage.world.vaults.spoil_points(stage.id(), Conduct(boot=Boot.HANG))


def mute_scripts(stage: OneDrill) -> None:
    stage.world.vaults.spoil_points(stage.id(), Conduct(answers=False))


def all_is_slow(stage: OneDrill) -> None:
    slow_restore(stage)
    conduct = Conduct(boot_takes=20 * MINUTE, agent_late=20 * MINUTE, answers=False)
    stage.world.vaults.spoil_points(stage.id(), conduct)


def nothing_special(stage: OneDrill) -> None:
    """Leave it as it is."""


@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize(
    "trouble", [nothing_special, slow_restore, late_agent, slow_boot, hangs, mute_scripts]
)
@pytest.mark.parametrize("disks", [0, 1])
def test_a_restore_test_stays_within_its_calls(
    world: World, disks: int, trouble: Any, control: bool
):
    with one_drill(world, data_disks=disks) as drill:
        trouble(drill)

        own, lists = carry_out(drill, control=control)

        assert len(drill.records) == 1
        assert own.total() <= BUDGET + FOR_A_DISK * disks, own
        assert busiest_hour(lists) <= AN_HOUR_AND_VAULT


def test_where_restore_boot_and_agent_are_all_slow_it_costs_some_calls_more(drill: OneDrill):
    """Its looks at network and copy are for safety, and are not saved on."""
    all_is_slow(drill)

    own, lists = carry_out(drill)

    assert own.total() <= BUDGET + 8, own
    assert busiest_hour(lists) <= AN_HOUR_AND_VAULT


def test_a_plain_restore_test_costs_so_many_calls(drill: OneDrill):
    own, lists = carry_out(drill)

    assert own.total() <= 24, own
    assert len(lists) == 1


def test_the_control_is_run_wherever_there_are_calls_for_it(world: World):
    with one_drill(world, data_disks=0) as drill:
        carry_out(drill, control=True)

        assert [record["control"] for record in drill.records] == ["held"]


def test_a_control_that_would_cost_too_much_is_left_to_another_night(world: World):
    with one_drill(world, data_disks=0) as drill:
        slow_boot(drill)

        carry_out(drill, control=True)

        (record,) = drill.records
        assert (record["verdict"], record["control"]) == ("PROVEN", "inconclusive")


def test_what_waits_on_one_vault_reads_it_together(world: World):
    with opened(NightStage(world, TOML + DRILLS.replace("at_once = 1", "at_once = 2"))) as stage:
        slow_restore(stage)  # type: ignore[arg-type]
        stage.prepare("web", "db")  # type: ignore[attr-defined]
        began = world.clock.now()

        stage.run(6 * HOUR)

        lists = [e.at for e in stage.ours if e.route == "jobs.list" and e.at >= began]
        assert len(stage.bodies()) == 2  # type: ignore[attr-defined]
        assert all(sum(at <= one < at + HOUR for one in lists) <= AN_HOUR_AND_VAULT for at in lists)


# A large night.

VAULTS, IN_EACH = 20, 10
LARGE = TOML + DRILLS.replace("at_once = 1", 'at_once = 20\nper_night = 200\ntakes = "30 minutes"')


@pytest.mark.long
def test_a_night_of_200_in_20_vaults_is_never_refused_for_its_pace(world: World):
    lowest = {
        **Limits().recovery_per_hour,
        "microsoft.recoveryservices/vaults/backupjobs/read": 150,
    }
    world.throttle.limits = Limits(recovery_read=READS_AN_HOUR, recovery_per_hour=lowest)
    with opened(NightStage(world, LARGE, watched=False)) as stage:
        found_large_estate(world)
        world.clock.advance(timedelta(days=1, hours=16, minutes=50))

        stage.run(8 * HOUR)

        bodies = stage.bodies()  # type: ignore[attr-defined]
        refused = [e.route for e in stage.ours if e.response.status == 429]
        assert refused == []
        assert Counter(body["verdict"] for body in bodies) == {"PROVEN": VAULTS * IN_EACH}
        assert stage.in_slots() == []  # type: ignore[attr-defined]


def found_large_estate(world: World) -> None:
    """Let 200 protected VMs lie in 20 vaults of one subscription and region, the hardest case."""
    world.groups.ensure(SUB, VAULT_GROUP, WEST)
    for number in range(1, VAULTS + 1):
        vault = world.vaults.create(SUB, VAULT_GROUP, f"rsv-{SUB[:8]}-{WEST}-{number}", WEST)
        world.vaults.set_policy(vault, "gold", vault.policy("EnhancedPolicy").body)
        for n in range(IN_EACH):
            vm = world.machines.create(
                subscription=SUB,
                group=GROUP,
                name=f"web-{number}-{n}",
                location=WEST,
                tags={"backup": "gold"},
            )
            world.vaults.protect(vm.id, vault, "gold")
    for family in ("cores", "standardDSv5Family"):
        world.sizes.quota(SUB, WEST, family, 2_000)
    found_place(world, PLACE, 20, staging=STAGING)
