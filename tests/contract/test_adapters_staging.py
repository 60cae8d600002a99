"""The staging account of a place and its blobs, on a simulated Azure."""

import pytest

from azsim.world import World
from tests.contract.azure_desk import SUB, WEST
from tests.contract.drill_desk import PLACE, DrillDesk
from vmbackup_core.domain.drill.facts import Recipe, RestoreFacts
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.errors import Denied, Rejected

NOWHERE = Place(SUB, "northeurope")
TERMS = {"subscription": SUB, "group": NOWHERE.group, "name": "other", "location": "northeurope"}


@pytest.fixture
def desk(world: World) -> DrillDesk:
    return DrillDesk(world, data_disks=2)


@pytest.fixture
def job(desk: DrillDesk) -> RestoreFacts:
    return desk.restored()


def test_the_only_account_of_a_place_is_its_staging_account(desk: DrillDesk) -> None:
    assert desk.staging.find_account(PLACE) == desk.account.lower()


def test_a_place_without_a_group_has_no_staging_account(desk: DrillDesk) -> None:
    assert desk.staging.find_account(NOWHERE) is None


def test_a_place_without_an_account_has_no_staging_account(desk: DrillDesk) -> None:
    desk.world.groups.create(SUB, NOWHERE.group, "northeurope")

    assert desk.staging.find_account(NOWHERE) is None


def test_two_accounts_are_one_too_many(desk: DrillDesk) -> None:
    desk.world.storage_accounts.create(SUB, PLACE.group, "another", WEST)

    with pytest.raises(Rejected, match="2 storage accounts"):
        desk.staging.find_account(PLACE)


@pytest.mark.parametrize(
    ("unfit", "words"),
    [
        ({"location": "westeurope"}, "lies in westeurope"),
        ({"sku": "Standard_ZRS"}, "zone-redundant"),
        ({"sku": "Standard_RAGZRS"}, "zone-redundant"),
        ({"sku": "Premium_LRS"}, "premium"),
        ({"kind": "BlobStorage"}, "of kind BlobStorage"),
    ],
)
def test_an_account_that_azure_cannot_restore_through_is_told(
    desk: DrillDesk, unfit: dict[str, str], words: str
) -> None:
    desk.world.storage_accounts.create(**{**TERMS, **unfit})

    with pytest.raises(Rejected, match=words):
        desk.staging.find_account(NOWHERE)


def test_a_restore_leaves_the_recipe_of_its_machine(desk: DrillDesk, job: RestoreFacts) -> None:
    found = desk.staging.read_recipe(desk.account, job.staging_container, job.config, job.template)

    assert (found.size, found.os_type, found.os_size_gb) == ("Standard_D2s_v5", "Linux", 30)
    assert [disk.lun for disk in found.disks] == [0, 1]
    assert found.os_disk_id.startswith(f"{PLACE.group_id}-1/providers/microsoft.compute/disks/")


def test_the_template_alone_will_do(desk: DrillDesk, job: RestoreFacts) -> None:
    held = desk.world.storage.account("stage").containers.get(job.staging_container)
    held.delete(job.config, desk.clock.now())

    found = desk.staging.read_recipe(desk.account, job.staging_container, job.config, job.template)

    assert (found.size, len(found.disks)) == ("Standard_D2s_v5", 2)


@pytest.mark.parametrize(("container", "blob"), [("none", "config.json"), ("", ""), ("none", "")])
def test_where_no_blob_is_there_is_no_recipe(desk: DrillDesk, container: str, blob: str) -> None:
    assert desk.staging.read_recipe(desk.account, container, blob, blob) == Recipe(disks_told=False)


def test_what_restores_left_is_listed_with_its_time(desk: DrillDesk, job: RestoreFacts) -> None:
    (listed,) = desk.staging.list_containers(desk.account)

    assert listed.name == job.staging_container
    assert job.started <= listed.changed <= desk.clock.now()


def test_what_no_restore_left_is_not_listed(desk: DrillDesk) -> None:
    desk.world.storage.account("stage").create_container("insights-logs")

    assert desk.staging.list_containers(desk.account) == ()


def test_a_container_is_removed_once_or_twice(desk: DrillDesk, job: RestoreFacts) -> None:
    desk.staging.remove_container(desk.account, job.staging_container)
    desk.staging.remove_container(desk.account, job.staging_container)

    assert desk.staging.list_containers(desk.account) == ()


def test_a_container_that_no_restore_made_is_not_removed(desk: DrillDesk) -> None:
    desk.world.storage.account("stage").create_container("insights-logs")

    with pytest.raises(Denied, match="last gate"):
        desk.staging.remove_container(desk.account, "insights-logs")


@pytest.mark.parametrize(
    "account",
    [
        f"/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/a1b",
        f"{PLACE.group_id}-1/providers/Microsoft.Storage/storageAccounts/a1b",
        f"{PLACE.group_id}/providers/Microsoft.Storage/storageAccounts/evil.example/x",
        "stage",
    ],
)
def test_no_other_account_is_touched(desk: DrillDesk, account: str) -> None:
    before = len(desk.world.exchanges)

    with pytest.raises(Denied, match="no staging account"):
        desk.staging.remove_container(account, "0" * 32)

    assert len(desk.world.exchanges) == before
