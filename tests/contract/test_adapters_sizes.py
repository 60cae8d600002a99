"""Sizes and quotas as the adapter reads them, from the list of SKUs to a choice."""

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.world import World
from tests.blobs import MemoryBlobs
from tests.contract.azure_desk import SUB, WEST, Desk
from tests.contract.drill_desk import SLOT, DrillDesk
from vmbackup_core.adapters.gate import Identity
from vmbackup_core.adapters.sizes import AzureSizes
from vmbackup_core.app.drill.size_shelf import SizeShelf
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.drill.sizes import (
    Needs,
    NoSize,
    SizeChoice,
    SizeFacts,
    Usage,
    choose_size,
    needs_of,
)
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.errors import Denied, Rejected

HERE = Place(SUB, WEST)
ZONES = ("1", "2", "3")


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture
def sizes(desk: Desk) -> AzureSizes:
    return AzureSizes(desk.arm(Identity.READER))


def named(sizes: AzureSizes, name: str, place: Place = HERE) -> SizeFacts:
    return next(size for size in sizes.observe_sizes(place) if size.name == name)


def test_a_size_is_read_with_all_that_distinguishes_it(sizes: AzureSizes) -> None:
    assert named(sizes, "Standard_D2s_v5") == SizeFacts(
        "Standard_D2s_v5",
        "standardDSv5Family",
        2,
        8,
        4,
        ultra_zones=ZONES,
        zones=ZONES,
    )
    assert named(sizes, "Standard_D2_v2") == SizeFacts(
        "Standard_D2_v2",
        "standardDv2Family",
        2,
        7,
        8,
        ("V1",),
        premium=False,
        trusted_launch=False,
        zones=ZONES,
    )
    assert named(sizes, "Standard_D4s_v6").controllers == ("NVMe",)
    assert named(sizes, "Standard_D2ps_v5").architecture == "Arm64"
    assert named(sizes, "Standard_DC2as_v5").confidential


def test_disks_are_no_sizes(sizes: AzureSizes) -> None:
    names = {size.name for size in sizes.observe_sizes(HERE)}

    assert "Premium_LRS" not in names


def test_what_the_subscription_may_not_use_says_why(desk: Desk, sizes: AzureSizes) -> None:
    desk.world.sizes.restrict(SUB, WEST, "Standard_B2s")
    desk.world.sizes.restrict(SUB, WEST, "Standard_D2s_v5", zones=("1", "3"))

    barred, partly = named(sizes, "Standard_B2s"), named(sizes, "Standard_D2s_v5")

    assert (
        barred.restricted == "this subscription may not use it here (NotAvailableForSubscription)"
    )
    assert (partly.restricted, partly.zones, partly.ultra_zones) == ("", ("2",), ("2",))


def test_a_region_without_zones_has_none(sizes: AzureSizes) -> None:
    assert named(sizes, "Standard_D2s_v5", Place(SUB, "westus")).zones == ()


def test_quotas_are_those_of_vcpus(desk: Desk, sizes: AzureSizes) -> None:
    desk.world.machines.create(subscription=SUB, group="rg-app", name="web", location=WEST)
    desk.world.sizes.quota(SUB, WEST, "cores", 20)

    usages = {usage.name: usage for usage in sizes.observe_usages(HERE)}

    assert usages["cores"] == Usage("cores", 2, 20)
    assert usages["standardDSv5Family"].used == 2
    assert "virtualMachines" not in usages
    assert "lowPriorityCores" not in usages


def test_each_list_is_one_call(desk: Desk, sizes: AzureSizes) -> None:
    sizes.observe_sizes(HERE)
    sizes.observe_usages(HERE)

    assert desk.calls() == ["skus.list", "usages.list"]


def test_a_reader_without_the_right_is_denied(desk: Desk, sizes: AzureSizes) -> None:
    desk.world.faults.add(Fault(Kind.FORBIDDEN, "skus.list"))

    with pytest.raises(Denied):
        sizes.observe_sizes(HERE)


def test_a_night_costs_one_list_of_sizes_and_few_of_usages(desk: Desk, sizes: AzureSizes) -> None:
    shelf = SizeShelf(Snapshots(MemoryBlobs(), desk.clock), sizes, desk.clock)
    first = shelf.sizes_in(HERE, ["STANDARD_b2s", "Standard_Gone"])
    shelf.usages_in(HERE)
    desk.later(minutes=9)
    shelf.usages_in(HERE)
    desk.later(minutes=2)
    shelf.usages_in(HERE)
    desk.later(hours=8)

    second = shelf.sizes_in(HERE, ["Standard_B2s"])

    assert first == second == (named(sizes, "Standard_B2s"),)
    assert desk.calls()[:-1] == ["skus.list", "usages.list", "usages.list"]


def test_a_copy_with_an_ultra_disk_is_made_to_allow_it(world: World) -> None:
    desk = DrillDesk(world, data_disks=1)
    desk.restored()
    data = desk.spec().data_disks[0].disk_id
    restored = world.machines.disks.find(data)
    assert restored is not None
    restored.sku = "UltraSSD_LRS"

    with pytest.raises(Rejected, match="ultraSSDEnabled"):
        desk.copies.create_copy(desk.spec())
    desk.copies.create_copy(desk.spec(ultra=True))

    assert needs_of(desk.copies.list_disks(SLOT)).ultra


def choose(sizes: AzureSizes, needs: Needs) -> SizeChoice | NoSize:
    return choose_size(
        needs,
        "Standard_E8s_v5",
        ("Standard_B2s", "Standard_D2s_v5", "Standard_D2s_v6", "Standard_D8s_v5"),
        sizes.observe_sizes(HERE),
        sizes.observe_usages(HERE),
        memory_share=0.1,
        free_quota=0.2,
    )


def test_what_is_chosen_is_what_azure_makes(desk: Desk, sizes: AzureSizes) -> None:
    desk.world.sizes.restrict(SUB, WEST, "Standard_B2s")
    desk.world.sizes.quota(SUB, WEST, "standardDSv5Family", 2)

    choice = choose(sizes, Needs(("V1",), data_disks=4))
    newer = choose(sizes, Needs(("V2",), controllers=("SCSI", "NVMe"), data_disks=4))

    assert isinstance(choice, SizeChoice)
    assert (choice.name, choice.comparable) == ("Standard_E8s_v5", True)
    assert [line.partition(":")[0] for line in choice.passed] == [
        "Standard_B2s",
        "Standard_D2s_v5",
        "Standard_D2s_v6",
        "Standard_D8s_v5",
    ]
    assert isinstance(newer, SizeChoice)
    assert (newer.name, newer.controller) == ("Standard_D2s_v6", "NVMe")


def test_without_quota_there_is_no_size(desk: Desk, sizes: AzureSizes) -> None:
    desk.world.sizes.quota(SUB, WEST, "cores", 2)

    choice = choose(sizes, Needs())

    assert isinstance(choice, NoSize)
    assert choice.for_quota
