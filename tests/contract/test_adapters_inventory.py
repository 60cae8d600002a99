"""What there is, read from ARM and Resource Graph as they really answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.http import Response
from azsim.throttle import Limits
from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT, WEB, WEST, Desk
from vmbackup_core.domain.errors import Denied, Gone, Retryable
from vmbackup_core.domain.facts import Agent, ItemState, Power, Provisioning
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.policies import PolicyKind
from vmbackup_core.domain.rules import Scope

SCOPE = Scope(subscriptions=(SUB,))
OTHER = "22222222-2222-4333-8444-555555555555"


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def create(desk: Desk, name: str = "web", **more: Any) -> Any:
    place = {"subscription": SUB, "group": "RG-App", "name": name, "location": WEST}
    return desk.world.machines.create(**{**place, **more})


# One VM.


def test_a_vm_is_read_in_one_call(desk: Desk) -> None:
    machine = create(desk, tags={"Backup": "gold"})

    vm = desk.inventory.observe_vm(WEB)

    assert (vm.id, vm.machine) == (WEB, machine.vm_id)
    assert (vm.location, vm.tags.get("backup")) == (WEST, "gold")
    assert (vm.provisioning, vm.power, vm.agent) == (
        Provisioning.SUCCEEDED,
        Power.RUNNING,
        Agent.READY,
    )
    assert desk.calls() == ["machines.get"]


def test_an_agent_that_is_not_up_yet_is_not_ready(desk: Desk) -> None:
    create(desk, agent_after=timedelta(minutes=5))

    assert desk.inventory.observe_vm(WEB).agent is Agent.NOT_READY
    desk.wait()
    assert desk.inventory.observe_vm(WEB).agent is Agent.READY


def test_a_deallocated_vm_is_off(desk: Desk) -> None:
    create(desk, power="deallocated")

    vm = desk.inventory.observe_vm(WEB)

    assert vm.power.off
    assert vm.agent is Agent.UNKNOWN


def test_a_vm_that_is_being_created_says_so(desk: Desk) -> None:
    create(desk, provisioning_takes=timedelta(minutes=1))

    assert desk.inventory.observe_vm(WEB).provisioning is Provisioning.CREATING


def test_a_vm_re_created_under_its_name_is_another_machine(desk: Desk) -> None:
    first = create(desk)
    desk.world.machines.delete(first.id)
    create(desk)

    assert desk.inventory.observe_vm(WEB).machine != first.vm_id


def test_a_vm_that_is_not_there_is_gone(desk: Desk) -> None:
    create(desk, "db")

    with pytest.raises(Gone):
        desk.inventory.observe_vm(WEB)


def test_a_vm_whose_group_is_not_there_is_gone(desk: Desk) -> None:
    with pytest.raises(Gone):
        desk.inventory.observe_vm(VmId(SUB, "no-such-group", "web"))


def test_a_subscription_that_we_cannot_see_is_for_a_person(desk: Desk) -> None:
    with pytest.raises(Denied, match="could not be found"):
        desk.inventory.observe_vm(VmId(OTHER, "rg", "web"))


def attached(machine: Any) -> None:
    machine.os_disk.create_option = "Attach"


def test_a_restored_copy_is_told_by_its_os_disk(desk: Desk) -> None:
    attached(create(desk, os_disk_tags={"RSVaultBackup": "job-1"}))

    assert desk.inventory.observe_vm(WEB).restored_by == "job-1"
    assert desk.calls() == ["machines.get", "disks.get"]


def test_a_vm_made_from_a_plain_disk_is_no_copy(desk: Desk) -> None:
    attached(create(desk))

    assert desk.inventory.observe_vm(WEB).restored_by == ""


@pytest.mark.parametrize(
    ("kind", "calls"),
    [(Kind.INTERNAL, 2), (Kind.RESET_BEFORE, 2), (Kind.RESET_AFTER, 2), (Kind.TRUNCATED, 2)],
)
def test_a_read_is_tried_again_within_seconds(desk: Desk, kind: Kind, calls: int) -> None:
    create(desk)
    desk.world.faults.add(Fault(kind, "machines.get"))
    began = desk.clock.now()

    desk.inventory.observe_vm(WEB)

    assert len(desk.calls()) == calls
    assert desk.clock.now() - began <= timedelta(seconds=2)
    assert desk.world.faults.unused() == []


def test_a_read_that_keeps_failing_is_left_to_a_timer(desk: Desk) -> None:
    create(desk)
    desk.world.faults.add(Fault(Kind.UNAVAILABLE, "machines.get", times=None))

    with pytest.raises(Retryable) as caught:
        desk.inventory.observe_vm(WEB)

    assert caught.value.status == 503
    assert not caught.value.maybe_done
    assert len(desk.calls()) == 3


@pytest.mark.parametrize("kind", [Kind.ARM_THROTTLED, Kind.COMPUTE_THROTTLED])
def test_a_long_wait_is_raised_and_not_slept_out(desk: Desk, kind: Kind) -> None:
    create(desk)
    asked = timedelta(minutes=5)
    desk.world.faults.add(Fault(kind, "machines.get", retry_after=asked))
    began = desk.clock.now()

    with pytest.raises(Retryable) as caught:
        desk.inventory.observe_vm(WEB)

    assert caught.value.after == asked
    assert desk.clock.now() == began
    assert len(desk.calls()) == 1


def test_a_short_wait_is_waited(desk: Desk) -> None:
    create(desk)
    asked = timedelta(seconds=4)
    desk.world.faults.add(Fault(Kind.ARM_THROTTLED, "machines.get", retry_after=asked))
    began = desk.clock.now()

    desk.inventory.observe_vm(WEB)

    assert desk.clock.now() - began >= asked


def test_a_reader_without_rights_needs_a_person(desk: Desk) -> None:
    create(desk)
    desk.world.faults.add(Fault(Kind.FORBIDDEN, "machines.get"))

    with pytest.raises(Denied) as caught:
        desk.inventory.observe_vm(WEB)

    assert caught.value.code == "AuthorizationFailed"
    assert len(desk.calls()) == 1


# The whole estate.


def test_the_estate_is_all_vms_with_their_items_vaults_and_policies(desk: Desk) -> None:
    web, _ = create(desk, tags={"backup": "gold"}), create(desk, "db")
    vault = desk.world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
    desk.world.vaults.protect(web.id, vault)
    desk.wait()

    estate = desk.inventory.observe_estate(SCOPE)

    assert {vm.name for vm in estate.vms} == {"web", "db"}
    assert estate.at == desk.clock.now()
    (item,) = estate.items
    assert (item.vm, item.vault, item.policy) == (WEB, VAULT, "DefaultPolicy")
    assert item.state is ItemState.PROTECTED
    (found,) = estate.vaults
    assert (found.id, found.location, found.items, found.ready) == (VAULT, WEST, 1, True)
    enhanced = found.policy("EnhancedPolicy")
    assert enhanced is not None
    assert enhanced.kind is PolicyKind.ENHANCED
    assert enhanced.schedule is not None


def test_resource_graph_and_arm_tell_the_same_of_a_vm(desk: Desk) -> None:
    create(desk, tags={"Backup": "gold"}, security_type="TrustedLaunch", data_disks=2)
    create(desk, "copy", os_disk_tags={"RSVaultBackup": "job-1"})
    attached(desk.world.machines.find(str(VmId(SUB, "rg-app", "copy"))))
    desk.wait()

    seen = desk.inventory.observe_estate(SCOPE).vms

    direct = [replace(desk.inventory.observe_vm(vm.id), agent=Agent.UNKNOWN) for vm in seen]
    assert list(seen) == direct


def test_resource_graph_and_arm_tell_the_same_of_items_and_vaults(desk: Desk) -> None:
    names = ("web", "stopped", "deleted")
    vault = desk.world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
    for name in names:
        desk.world.vaults.protect(create(desk, name).id, vault)
    desk.wait()
    desk.world.vaults.stop(str(VmId(SUB, "rg-app", "stopped")))
    desk.world.vaults.soft_delete(str(VmId(SUB, "rg-app", "deleted")))
    desk.wait()

    estate = desk.inventory.observe_estate(SCOPE)

    direct = [desk.vaults.observe_items(item.vm, WEST, VAULT)[0] for item in estate.items]
    assert [(i.state, i.policy) for i in estate.items] == [(i.state, i.policy) for i in direct]
    assert {item.state for item in estate.items} == {
        ItemState.PROTECTED,
        ItemState.STOPPED,
        ItemState.SOFT_DELETED,
    }
    (direct_vault,) = desk.vaults.observe_vaults(SUB, WEST)
    assert set(estate.vaults[0].policies) == set(direct_vault.policies)


def test_an_estate_of_nothing_is_empty(desk: Desk) -> None:
    estate = desk.inventory.observe_estate(SCOPE)

    assert (estate.vms, estate.items, estate.vaults) == ((), (), ())


def test_what_is_not_in_scope_is_not_seen(desk: Desk) -> None:
    create(desk)
    create(desk, "far", subscription=OTHER)

    assert {vm.name for vm in desk.inventory.observe_estate(SCOPE).vms} == {"web"}


def test_without_a_list_everything_that_can_be_read_is_in_scope(desk: Desk) -> None:
    create(desk)
    create(desk, "far", subscription=OTHER)

    assert {vm.name for vm in desk.inventory.observe_estate(Scope()).vms} == {"web", "far"}


def test_many_subscriptions_are_asked_for_in_groups(desk: Desk) -> None:
    create(desk)
    others = tuple(f"{n:08x}-0000-4000-8000-000000000000" for n in range(400))
    for other in others:
        desk.world.groups.add_subscription(other)

    estate = desk.inventory.observe_estate(Scope(subscriptions=(*others, SUB)))

    assert [vm.name for vm in estate.vms] == ["web"]
    asked = [json.loads(e.request.body)["subscriptions"] for e in desk.world.exchanges]
    assert [len(some) for some in asked] == [300, 101, 300, 101]


def test_ten_thousand_vms_and_items_cost_twenty_two_calls_under_the_quota(desk: Desk) -> None:
    for number in range(10):
        vault = desk.world.vaults.create(SUB, VAULT.group, f"rsv-{number}", WEST)
        for vm in range(1_000):
            made = create(desk, f"vm-{number}-{vm:04}", created_by="past")
            desk.world.vaults.protect(made.id, vault)
    desk.wait()
    began = desk.clock.now()

    estate = desk.inventory.observe_estate(SCOPE)

    assert len(estate.vms) == len(estate.items) == 10_000
    assert {vault.items for vault in estate.vaults} == {1_000}
    assert desk.calls() == ["graph.query"] * 22
    assert {exchange.response.status for exchange in desk.world.exchanges} == {200}
    assert timedelta(0) < desk.clock.now() - began <= timedelta(seconds=10)


def test_being_too_fast_for_resource_graph_is_waited_out(desk: Desk) -> None:
    create(desk)
    desk.wait()
    asked = timedelta(seconds=3)
    throttled = Fault(Kind.GRAPH_THROTTLED, "graph.query", times=2, retry_after=asked)
    desk.world.faults.add(throttled)

    assert len(desk.inventory.observe_estate(SCOPE).vms) == 1
    assert desk.clock.paused == 2 * asked


def test_a_long_wait_for_resource_graph_is_raised(desk: Desk) -> None:
    asked = timedelta(minutes=1)
    desk.world.faults.add(Fault(Kind.GRAPH_THROTTLED, "graph.query", retry_after=asked))

    with pytest.raises(Retryable) as caught:
        desk.inventory.observe_estate(SCOPE)

    assert caught.value.after == asked
    assert desk.clock.paused == timedelta(0)


# A short answer never reads as a VM that is gone.


@pytest.fixture
def estate_of_2500(desk: Desk) -> Desk:
    desk.world.throttle.limits = Limits.none()
    for number in range(2_500):
        create(desk, f"vm-{number:04}", created_by="past")
    desk.wait()
    return desk


class Tampering:
    """Stands before the world and changes what Resource Graph answers."""

    def __init__(self, world: World, change: Callable[[Any], None], *, page: int) -> None:
        self._handle, self._change, self._page = world.handle, change, page
        self._asked = 0

    def handle(self, request: Any) -> Response:
        answer = self._handle(request)
        self._asked += 1
        if self._asked == self._page:
            self._change(answer.body)
        return answer


def lose_a_row(body: Any) -> None:
    del body["data"][500]
    body["count"] -= 1


def lose_a_row_unnoticed(body: Any) -> None:
    del body["data"][500]


def end_early(body: Any) -> None:
    del body["$skipToken"]


def cut_off(body: Any) -> None:
    del body["$skipToken"]
    body["resultTruncated"] = "true"
    body["totalRecords"] = len(body["data"])


def lose_everything(body: Any) -> None:
    body["data"], body["count"] = [], 0


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize(
    "change", [lose_a_row, lose_a_row_unnoticed, end_early, cut_off, lose_everything]
)
def test_a_page_that_lacks_rows_is_an_error(
    estate_of_2500: Desk, monkeypatch: pytest.MonkeyPatch, change: Any, page: int
) -> None:
    world = estate_of_2500.world
    monkeypatch.setattr(world, "handle", Tampering(world, change, page=page).handle)

    with pytest.raises(Retryable):
        estate_of_2500.inventory.observe_estate(SCOPE)


def repeat_a_row(body: Any) -> None:
    body["data"].append(body["data"][0])
    body["count"] += 1


def test_a_row_that_comes_twice_counts_once(
    estate_of_2500: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = estate_of_2500.world
    monkeypatch.setattr(world, "handle", Tampering(world, repeat_a_row, page=2).handle)

    assert len(estate_of_2500.inventory.observe_estate(SCOPE).vms) == 2_500


def test_pages_that_go_in_a_circle_are_an_error(
    estate_of_2500: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, handle = estate_of_2500.world, estate_of_2500.world.handle

    first: list[Response] = []

    def circle(request: Any) -> Response:
        first[:] = first or [handle(request)]
        return first[0]

    monkeypatch.setattr(world, "handle", circle)

    with pytest.raises(Retryable):
        estate_of_2500.inventory.observe_estate(SCOPE)


@pytest.mark.parametrize("kind", [Kind.RESET_AFTER, Kind.TRUNCATED, Kind.INTERNAL])
def test_a_broken_page_is_an_error(estate_of_2500: Desk, kind: Kind) -> None:
    estate_of_2500.world.faults.add(Fault(kind, "graph.query", nth=2))

    with pytest.raises(Retryable):
        estate_of_2500.inventory.observe_estate(SCOPE)
