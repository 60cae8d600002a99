"""What the restorer's operations say that they need is what they use."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT, WEST
from tests.contract.drill_desk import NAME, PLACE, SLOT, DrillDesk
from vmbackup_core.adapters import copies, restoring, staging
from vmbackup_core.domain.drill.facts import GuestCheck, Thing

ACTIONS = {**restoring.ACTIONS, **staging.ACTIONS, **copies.ACTIONS}
CHECK = GuestCheck("shop", "Linux", "true", timedelta(minutes=5))
# What Azure asks besides: of who restores, and of who makes a machine of disks with an interface.
BESIDES = {
    "start_restore": ACTIONS["start_restore"][1:],
    "create_copy": ACTIONS["create_copy"][1:],
    "observe_copy": ("Microsoft.Compute/virtualMachines/instanceView/read",),
}


def nothing(desk: DrillDesk) -> None:
    """Prepare nothing."""


def left(desk: DrillDesk) -> list[Thing]:
    """Leave disks and an interface in the slot, and name a machine that is gone."""
    desk.restored()
    desk.world.networks.interfaces.create(SUB, SLOT.group, "left", WEST, SLOT.subnet_id)
    machine = f"{SLOT.id}/providers/microsoft.compute/virtualmachines/{NAME}"
    gone = Thing(machine, "microsoft.compute/virtualmachines")
    return [*desk.copies.list_things(SLOT), gone]


def checked(desk: DrillDesk) -> None:
    desk.copied()
    desk.copies.start_check(SLOT, NAME, WEST, CHECK)


def spec(desk: DrillDesk) -> Any:
    desk.restored()
    return desk.spec()


# What comes before, and the operation itself on what that returned.
OPERATIONS: Mapping[str, tuple[Callable[[DrillDesk], Any], Callable[[DrillDesk, Any], Any]]] = {
    "validate_restore": (DrillDesk.order, lambda d, order: d.restoring.validate_restore(order)),
    "observe_validation": (
        lambda desk: desk.restoring.validate_restore(desk.order()),
        lambda desk, operation: desk.restoring.observe_validation(operation),
    ),
    "start_restore": (DrillDesk.order, lambda desk, order: desk.restoring.start_restore(order)),
    "observe_restores": (
        nothing,
        lambda desk, _: desk.restoring.observe_restores(VAULT, desk.clock.now()),
    ),
    "observe_restore": (
        DrillDesk.restored,
        lambda desk, job: desk.restoring.observe_restore(VAULT, job.id),
    ),
    "cancel_restore": (
        lambda desk: desk.restoring.start_restore(desk.order()),
        lambda desk, job: desk.restoring.cancel_restore(VAULT, job),
    ),
    "find_account": (nothing, lambda desk, _: desk.staging.find_account(PLACE)),
    "list_things": (nothing, lambda desk, _: desk.copies.list_things(SLOT)),
    "list_disks": (nothing, lambda desk, _: desk.copies.list_disks(SLOT)),
    "create_copy": (spec, lambda desk, asked: desk.copies.create_copy(asked)),
    "observe_copy": (DrillDesk.copied, lambda desk, _: desk.copies.observe_copy(SLOT, NAME)),
    "observe_console": (DrillDesk.copied, lambda d, _: d.copies.observe_console(SLOT, NAME)),
    "start_check": (
        DrillDesk.copied,
        lambda desk, _: desk.copies.start_check(SLOT, NAME, WEST, CHECK),
    ),
    "observe_check": (
        checked,
        lambda desk, _: desk.copies.observe_check(SLOT, NAME, CHECK.name),
    ),
    "stop_copy": (DrillDesk.copied, lambda desk, _: desk.copies.stop_copy(SLOT, NAME)),
    "remove": (left, lambda desk, things: [desk.copies.remove(SLOT, thing) for thing in things]),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_an_operation_uses_on_arm_is_what_it_says(world: World, operation: str) -> None:
    desk = DrillDesk(world)
    prepare, act = OPERATIONS[operation]
    prepared = prepare(desk)
    before = len(desk.calls())

    act(desk, prepared)

    routes = {route.name: route.action.lower() for route in world.router.routes}
    used = {routes[name] for name in desk.calls()[before:]} - {""}  # "" is charged to nobody.
    said = {action.lower() for action in ACTIONS[operation]}
    besides = {action.lower() for action in BESIDES.get(operation, ())}
    assert used | besides == said


def test_the_operations_on_blobs_are_the_others() -> None:
    assert set(ACTIONS) - set(OPERATIONS) == {
        "read_recipe",
        "list_containers",
        "remove_container",
    }
