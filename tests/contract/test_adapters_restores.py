"""What can be restored, read as Azure Backup answers it."""

from datetime import timedelta

import pytest

from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT, WEB, WEST, Desk
from vmbackup_core.domain.drill.points import Chosen, Consistency, PointTier, Strategy, choose_point
from vmbackup_core.domain.errors import BackupError

SOME_DAYS = timedelta(days=6)


@pytest.fixture
def desk(world: World) -> Desk:
    """A desk with one VM that has been backed up daily for six days."""
    desk = Desk(world)
    vault = world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
    machine = world.machines.create(subscription=SUB, group="RG-App", name="web", location=WEST)
    desk.wait()
    world.vaults.protect(machine.id, vault)
    desk.wait(SOME_DAYS)
    return desk


def test_each_backup_is_a_point_with_the_tiers_that_it_can_be_restored_from(desk: Desk) -> None:
    points = desk.restores.observe_points(WEB, VAULT)

    assert len(points) >= 5
    assert {point.consistency for point in points} == {Consistency.FILE_SYSTEM}
    assert {frozenset(point.valid) for point in points} >= {
        frozenset({PointTier.VAULT}),
        frozenset({PointTier.SNAPSHOT, PointTier.VAULT}),
    }
    assert desk.calls() == ["points.list"]


@pytest.mark.parametrize("strategy", Strategy)
def test_every_strategy_finds_a_point_that_the_service_has(desk: Desk, strategy: Strategy) -> None:
    points = desk.restores.observe_points(WEB, VAULT)

    choice = choose_point(points, strategy, key=str(WEB), now=desk.clock.now())

    assert isinstance(choice, Chosen)
    assert choice.point in points


def test_a_vm_that_has_no_item_in_the_vault_is_told_as_one_of_our_errors(desk: Desk) -> None:
    with pytest.raises(BackupError):
        desk.restores.observe_points(WEB.__class__(SUB, "rg-app", "other"), VAULT)
