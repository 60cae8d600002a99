"""The invented estate: repeatable, varied, and big where it has to be."""

from collections import Counter
from datetime import timedelta

from azsim.estate import MOST_PER_VAULT, REGIONS, found_estate
from azsim.world import World


def shape(world: World) -> list[tuple[str, str, str, str]]:
    rows = []
    for machine in world.machines.everywhere():
        owner = world.vaults.item_of(machine.id)
        backup = f"{owner[0].name} {owner[1].policy} {owner[1].stopped}" if owner else ""
        rows.append((machine.id, machine.vm_id, str(machine.tags), backup))
    return rows


def test_the_same_seed_gives_the_same_estate() -> None:
    one, two, other = World(seed=3), World(seed=3), World(seed=3)
    found_estate(one, 60, 7)
    found_estate(two, 60, 7)
    found_estate(other, 60, 8)

    assert shape(one) == shape(two)
    assert shape(one) != shape(other)


def test_every_state_turns_up(world: World) -> None:
    subscriptions = found_estate(world, 1500, 1)
    machines = list(world.machines.everywhere())
    owners = [owner for m in machines if (owner := world.vaults.item_of(m.id))]

    assert len(machines) == 1500
    assert len(subscriptions) >= 2
    assert len({m.location for m in machines} & set(REGIONS)) >= 3
    assert {m.power for m in machines} == {"running", "deallocated", "stopped"}
    assert {m.provisioning for m in machines} == {"Succeeded", "Failed"}
    assert {m.security_type for m in machines} == {"", "TrustedLaunch", "ConfidentialVM"}
    assert {"gold", "standard", "off", "platinum"} <= set(
        Counter(value_of(m.tags) for m in machines)
    )
    assert {item.policy for _, item in owners} >= {"gold", "standard", "DefaultPolicy"}
    assert any(item.stopped and not item.is_soft_deleted for _, item in owners)
    assert any(item.is_soft_deleted for _, item in owners)
    assert any(vault.name.startswith("legacy") for vault, _ in owners)
    assert any("RSVaultBackup" in m.os_disk.tags for m in machines)


def value_of(tags: dict[str, str]) -> str:
    return next((value for name, value in tags.items() if name.lower() == "backup"), "")


def test_no_vault_holds_more_than_azure_allows(world: World) -> None:
    subscriptions = found_estate(world, 3000, 2)
    vaults = [vault for sub in subscriptions for vault in world.vaults.in_subscription(sub)]

    assert max(len(vault.items) for vault in vaults) <= MOST_PER_VAULT


def test_nothing_of_the_past_is_announced_and_backups_are_made(world: World) -> None:
    found_estate(world, 50, 1)
    world.clock.advance(timedelta(days=3))

    protected = [
        item
        for machine in world.machines.everywhere()
        if (owner := world.vaults.item_of(machine.id)) and not (item := owner[1]).stopped
    ]

    assert world.events.published == []
    assert any(item.points for item in protected)
