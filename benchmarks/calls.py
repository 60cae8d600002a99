"""
What things cost in calls to Azure, counted on the simulated one: exact, so ratios need no clock.

Prints the calls of one new VM, of a burst of VMs into one vault, and of a sweep with nothing to do.
"""

from collections import Counter
from datetime import timedelta

from azsim.world import World
from vmbackup_cli.simulated import CLIENT, build_app, start_host, watch
from vmbackup_core import bootstrap

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
MINUTE = timedelta(minutes=1)
BURST = 100


def arm_calls(world: World, since: int) -> Counter[str]:
    """Count the app's ARM calls since the exchange with this number."""
    return Counter(
        e.route
        for e in world.exchanges[since:]
        if e.request.client == CLIENT and ".core.windows.net" not in e.request.host
    )


def show(what: str, calls: Counter[str]) -> None:
    listed = ", ".join(f"{route} {n}" for route, n in sorted(calls.items()))
    print(f"{what}: {calls.total()} ARM calls ({listed})")


def main() -> None:
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
