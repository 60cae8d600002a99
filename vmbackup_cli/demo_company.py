"""The demo's small company: which machines there are, what has happened to them, and what will."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from azsim.guests import Conduct, Guest, guest_of
from azsim.vaults import Vault
from azsim.world import World
from vmbackup_cli.demo_canary import canary_line
from vmbackup_cli.demo_post import ERP_TEAM, JANE
from vmbackup_cli.simulated import found_place
from vmbackup_core.domain.drill.slots import Place

PRODUCTION = "5a0c0000-0000-4000-8000-00000000000a"
LABORATORY = "5b0c0000-0000-4000-8000-00000000000b"
WEST, NORTH, EAST = "westeurope", "northeurope", "eastus2"
HISTORY = timedelta(days=5)  # For so long the finance department has made backups of its own.
SLOTS = 2  # In each region, for restore tests.
LINUX, WINDOWS = "Linux", "Windows"
ERP = (WINDOWS, LINUX, LINUX, LINUX, LINUX)
GOLD = {"backup": "gold"}
OWNER = "backup-owner"  # As [mail] has it: who is told of a VM.
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """
    Something that happens `after` the beginning, told in a few words.

    `asks` names a VM that was there before and asks for backup from now on.
    """

    after: timedelta
    told: str
    happens: Callable[[], object]
    asks: str = ""


def found_company(world: World) -> None:
    """
    Let the company be as it was this morning, before anything watched it.

    It begins HISTORY before now, and ends when that has passed.
    """
    for subscription in (PRODUCTION, LABORATORY):
        world.groups.add_subscription(subscription)
    for location in (WEST, NORTH, EAST):
        place = Place(PRODUCTION, location)
        found_place(world, place, SLOTS, staging=f"stdrill{location}")
    ours = _found_finance(world)
    world.clock.advance(HISTORY)
    for group, location in (("rg-web", WEST), ("rg-erp-core", NORTH), ("rg-data", EAST)):
        world.groups.create(PRODUCTION, group, location)
    world.groups.create(PRODUCTION, "rg-play-sandbox", WEST)
    world.groups.create(LABORATORY, "rg-lab", WEST)

    old = [_vm(world, "rg-web", WEST, f"web-old-{n}", {"backup": "standard"}) for n in range(1, 5)]
    gone = _vm(world, "rg-web", WEST, "web-undead", {"backup": "gold"})
    world.vaults.protect(gone, ours)
    world.vaults.soft_delete(gone)
    stopped = _vm(world, "rg-web", WEST, "web-stopped", {"Backup": "gold"})
    world.vaults.protect(stopped, ours)
    world.vaults.stop(stopped)

    for n in range(1, 6):
        tags = {"env": "prod", OWNER: ERP_TEAM}
        _vm(world, "rg-erp-core", NORTH, f"erp-{n}", tags, system=ERP[n - 1])
    _vm(world, "rg-data", EAST, "data-off", {"backup": "off"})
    _vm(world, "rg-data", EAST, "data-quiet", {"env": "test", OWNER: JANE})
    _vm(world, "rg-data", EAST, "data-secret", {"backup": "standard"}, "ConfidentialVM")
    _vm(world, "rg-play-sandbox", WEST, "play-1", {"backup": "gold"})
    for n in range(1, 5):
        world.machines.create(
            subscription=LABORATORY,
            group="rg-lab",
            name=f"lab-{n}",
            location=WEST,
            tags={"backup": "gold"} if n != 4 else {},
        )
    world.machines.deallocate(old[3])


def _found_finance(world: World) -> Vault:
    """Let two machines be backed up by what is older than this app; return our one vault."""
    world.groups.create(PRODUCTION, "rg-backup-westeurope", WEST)
    ours = world.vaults.create(
        PRODUCTION, "rg-backup-westeurope", f"rsv-{PRODUCTION[:8]}-{WEST}-1", WEST
    )
    world.groups.create(PRODUCTION, "rg-finance", WEST)
    theirs = world.vaults.create(PRODUCTION, "rg-finance", "finance-vault", WEST)
    elsewhere = _vm(world, "rg-web", WEST, "web-finance", {"backup": "gold"})
    world.vaults.protect(elsewhere, theirs)
    untagged = _vm(world, "rg-web", WEST, "web-untagged-kept", {})
    world.vaults.protect(untagged, ours)
    return ours


def _vm(
    world: World,
    group: str,
    location: str,
    name: str,
    tags: dict[str, str],
    security_type: str = "",
    system: str = LINUX,
) -> str:
    made = world.machines.create(
        subscription=PRODUCTION,
        group=group,
        name=name,
        location=location,
        tags=tags,
        security_type=security_type,
        os_type=system,
    )
    return made.id


def _with_canary() -> Guest:
    """Return a Linux whose owner has installed the canary in it (docs/canary.md)."""
    return replace(guest_of("Linux", None), conduct=Conduct(recalls=canary_line))


def scenes(world: World) -> list[Scene]:
    """Return what happens in the demo's hour, in order."""

    def create(
        name: str,
        tags: dict[str, str],
        *,
        group: str = "rg-web",
        location: str = WEST,
        agent: timedelta | None = MINUTE,
        lose: bool = False,
        system: str = LINUX,
    ) -> Callable[[], object]:
        def happens() -> object:
            if lose:
                world.events.lose_next(f"/{name}")
            return world.machines.create(
                subscription=PRODUCTION,
                group=group,
                name=name,
                location=location,
                tags=tags,
                agent_after=agent,
                provisioning_takes=timedelta(seconds=50),
                os_type=system,
                guest=_with_canary() if tags == GOLD else None,
            )

        return happens

    def vm(name: str, group: str = "rg-web") -> str:
        path = f"/subscriptions/{PRODUCTION}/resourceGroups/{group}/providers"
        return f"{path}/Microsoft.Compute/virtualMachines/{name}"

    told = [
        Scene(
            (3 + 2 * n) * MINUTE,
            f"web-{n} is created with backup=gold",
            create(f"web-{n}", GOLD),
        )
        for n in range(1, 9)
    ]
    told += [
        Scene((4 + 3 * n) * MINUTE, f"data-{n} is created in {EAST}", create(
            f"data-{n}", {"BACKUP": "standard"}, group="rg-data", location=EAST,
            system=WINDOWS if n == 3 else LINUX,
        ))
        for n in range(1, 5)
    ]  # fmt: skip
    told += [
        Scene(6 * MINUTE, "web-slow is created, its agent takes 14 minutes",
              create("web-slow", GOLD, agent=14 * MINUTE)),
        Scene(7 * MINUTE, "web-mute is created, its agent never comes up",
              create("web-mute", GOLD, agent=None)),
        Scene(8 * MINUTE, "web-unseen is created, and its event is lost",
              create("web-unseen", GOLD, lose=True)),
        Scene(9 * MINUTE, "web-unseen-2 is created, and its event is lost",
              create("web-unseen-2", GOLD, lose=True)),
        Scene(10 * MINUTE, "web-plain is created without a tag",
              create("web-plain", {"env": "test"})),
        Scene(12 * MINUTE, "web-brief is created",
              create("web-brief", GOLD)),
        Scene(13 * MINUTE, "web-brief is deleted while it is looked at",
              lambda: world.machines.delete(vm("web-brief"))),
        Scene(16 * MINUTE, "web-plain gets its tag through the tags API",
              lambda: world.machines.tag(vm("web-plain"), GOLD, by_tags_api=True), "web-plain"),
        Scene(20 * MINUTE, "web-old-1 loses its tag",
              lambda: world.machines.tag(vm("web-old-1"), {})),
        Scene(24 * MINUTE, "data-quiet gets a value that only the last rule knows",
              lambda: world.machines.tag(
                  vm("data-quiet", "rg-data"), {"backup": "silver", OWNER: JANE}),
              "data-quiet"),
    ]  # fmt: skip
    return sorted(told, key=lambda scene: scene.after)
