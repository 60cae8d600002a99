"""Restores of the whole estate, read as Resource Graph answers them."""

from datetime import timedelta

import pytest

from azsim.world import World
from tests.contract.azure_desk import Desk as ReaderDesk
from tests.contract.operator_desk import SUBSCRIPTION
from tests.contract.restore_desk import RestoreDesk
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.gate import Identity
from vmbackup_core.adapters.history import AzureRestoreHistory, AzureSlotSurvey
from vmbackup_core.domain.drill.facts import RestoreFacts, RestoreProgress
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.rules import Scope

DAY = timedelta(days=1)
SCOPE = Scope(subscriptions=(SUBSCRIPTION,))
WEB = VmId(SUBSCRIPTION, "rg-web", "web-01")


@pytest.fixture
def desk(world: World) -> RestoreDesk:
    """A desk with a VM that was backed up, in a world whose Resource Graph knows all at once."""
    desk = RestoreDesk.open(world)
    world.graph.lag = timedelta(0)
    return desk


def look(desk: RestoreDesk, since: timedelta = DAY, scope: Scope = SCOPE) -> list[RestoreFacts]:
    reader = ReaderDesk(desk.world)
    reader_arm: Arm = reader.arm(Identity.READER)
    history = AzureRestoreHistory(reader_arm, reader.clock)
    return list(history.observe_all_restores(scope, desk.world.clock.now() - since))


def test_without_a_restore_there_is_none(desk: RestoreDesk) -> None:
    assert look(desk) == []


def test_a_restore_is_told_from_its_first_minute(desk: RestoreDesk) -> None:
    desk.restore()

    (seen,) = look(desk)

    assert seen.concerns(WEB)
    assert seen.progress is RestoreProgress.RUNNING
    assert seen.vault == VaultId(SUBSCRIPTION, "rg-backup", "vault-1")
    assert desk.world.clock.now() - seen.started < timedelta(minutes=5)


def test_one_that_has_ended_is_told_with_its_end(desk: RestoreDesk) -> None:
    desk.restored()

    (seen,) = look(desk)

    assert seen.progress is RestoreProgress.SUCCEEDED
    assert seen.ended is not None


def test_backups_are_no_restores_and_old_ones_are_left_out(desk: RestoreDesk) -> None:
    desk.restored()
    desk.later(days=1)
    desk.restored()

    assert len(look(desk)) == 1
    assert len(look(desk, 2 * DAY)) == 2


def test_the_oldest_comes_first(desk: RestoreDesk) -> None:
    desk.restored()
    desk.later(minutes=10)
    desk.restored()

    first, second = look(desk)

    assert first.started < second.started


def test_another_subscription_has_none_of_them(desk: RestoreDesk) -> None:
    desk.restored()

    other = "22222222-2222-4333-8444-555555555555"
    desk.world.groups.add_subscription(other)

    assert look(desk, scope=Scope(subscriptions=(other,))) == []


def test_the_whole_estate_is_one_question(desk: RestoreDesk) -> None:
    desk.restored()
    before = len(desk.world.exchanges)

    look(desk)

    assert [call.route for call in desk.world.exchanges][before:] == ["graph.query"]


# What lies in slots.


def occupied(world: World) -> tuple[Slot, ...]:
    reader = ReaderDesk(world)
    return AzureSlotSurvey(reader.arm(Identity.READER), reader.clock).observe_occupied(
        Scope(subscriptions=(SUBSCRIPTION,))
    )


def test_slots_with_a_machine_or_a_disk_are_told_once_each(desk: RestoreDesk) -> None:
    place = Place(SUBSCRIPTION, "westeurope")
    world = desk.world
    for group in (f"{place.group}-2", f"{place.group}-10", place.group, "rg-x"):
        world.groups.ensure(SUBSCRIPTION, group, place.location)
        for name in ("one", "two"):
            world.machines.disks.create(
                subscription=SUBSCRIPTION, group=group, name=name, location=place.location, tags={}
            )

    assert occupied(world) == (Slot(place, 2), Slot(place, 10))


def test_without_slots_none_is_occupied(desk: RestoreDesk) -> None:
    assert occupied(desk.world) == ()
