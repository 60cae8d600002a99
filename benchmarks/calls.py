"""
What things cost in calls to Azure, counted on the simulated one: exact, so ratios need no clock.

Prints the calls of one new VM, of a burst of VMs into one vault, of a sweep with nothing to do, and
of one restore test: its own, and those that all restore tests share.
"""

from collections import Counter
from datetime import datetime, timedelta

from azsim.world import World
from vmbackup_cli.simulated import CLIENT, build_app, found_place, start_host, watch
from vmbackup_core import bootstrap
from vmbackup_core.domain.drill.slots import Place

SUB = "5a0c0000-0000-4000-8000-00000000000a"
TOML = f"""
[scope]
subscriptions = ["{SUB}"]
mode = "protect"

[[rules]]
tag = "*"
policy = "standard"

[policies.standard]
schedule = "daily at 22:00"
keep = {{ daily = 14 }}

[vaults]
create = true
"""
DRILLS = """
[drills]
begins = "01:00"
control_every = "never"

[[drills.tiers]]
name = "all"
max_age = "30 days"
strategies = ["latest"]
rung = "checks"

[[drills.checks]]
name = "root"
os = "linux"
script = "test -d /"
"""
SHARED = ("jobs.list", "skus.list", "usages.list")  # Read once for all that wait.
MINUTE = timedelta(minutes=1)
BURST = 100


def arm_calls(world: World, since: int) -> Counter[str]:
    """Count the app's ARM calls since the exchange with this number."""
    return Counter(
        e.route
        for e in world.exchanges[since:]
        if e.request.client == CLIENT and e.request.host.startswith("management.")
    )


def show(what: str, calls: Counter[str]) -> None:
    listed = ", ".join(f"{route} {n}" for route, n in sorted(calls.items()))
    print(f"{what}: {calls.total()} ARM calls ({listed})")


def restore_test() -> None:
    """Show what one restore test of a VM without data disks costs, its night's planning apart."""
    world = World(seed=1)
    world.groups.add_subscription(SUB)
    world.groups.create(SUB, "rg", "westeurope")
    found_place(world, Place(SUB, "westeurope"), 1, staging="stdrill")
    vault = world.vaults.create(SUB, "rg", "vault", "westeurope")
    vm = world.machines.create(subscription=SUB, group="rg", name="web", location="westeurope")
    vm.tags["backup"] = "standard"
    world.clock.advance(10 * MINUTE)
    world.vaults.protect(vm.id, vault)
    world.clock.advance_to(world.clock.now().replace(hour=1) + timedelta(days=2))
    workflows = build_app(world, TOML + DRILLS).workflows
    given = workflows.plan_night()["lanes"][0]["tests"][0]["given"]
    before = len(world.exchanges)
    while given.get("until", "") is not None:
        given = workflows.turn(given)
        if given["until"] is not None:
            due = datetime.fromisoformat(given["until"])
            world.clock.advance_to(max(world.clock.now(), due))
    calls = arm_calls(world, before)
    shared = Counter({route: calls.pop(route) for route in SHARED if route in calls})
    show("a restore test to its checks, of its own", calls)
    show("  shared with all that wait", shared)


def main() -> None:
    restore_test()
    world = World(seed=1)
    world.groups.add_subscription(SUB)
    world.groups.create(SUB, "rg", "westeurope")
    bootstrap.use(build_app(world, TOML))
    with start_host(world) as host:
        watch(world, host, [SUB])

        def create(names: list[str], minutes: int) -> Counter[str]:
            before = len(world.exchanges)
            for name in names:
                world.machines.create(
                    subscription=SUB,
                    group="rg",
                    name=name,
                    location="westeurope",
                    tags={"backup": "standard"},
                )
            host.run_for(minutes * MINUTE)
            return arm_calls(world, before)

        show("the first VM of a region (vault and policy are made)", create(["first"], 12))
        show("one more VM", create(["second"], 12))
        burst = create([f"web-{n}" for n in range(BURST)], 5)
        burst.pop("graph.query", None)
        show(f"a burst of {BURST} VMs", burst)
        print(f"  that is {burst.total() / BURST:.1f} calls for each")
        host.run_for(timedelta(hours=1))
        before = len(world.exchanges)
        host.run_for(timedelta(minutes=30))
        show("a sweep with nothing to do", arm_calls(world, before))


if __name__ == "__main__":
    main()
