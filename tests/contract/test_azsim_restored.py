"""What restores leave in Azure, seen with the real SDK clients."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from azsim.recovery.jobs import Failure
from azsim.world import World
from tests.contract.operator_desk import REGION, SUBSCRIPTION, refused
from tests.contract.restore_desk import ACCOUNT, TARGET, RestoreDesk

NO_CORES = Failure("UserErrorCoreCountSubscriptionQuotaReached", "No cores are left.", 400170)
REFUSED = (400, "BMSUserErrorInvalidRestoreRequest")


@pytest.fixture
def desk(world: World) -> RestoreDesk:
    return RestoreDesk.open(world, data_disks=2, tags={"backup": "gold"})


def test_restored_disks_are_named_for_the_machine_and_the_time(desk: RestoreDesk) -> None:
    desk.restored()

    at = desk.job()["startTime"]
    stamp = f"{at[:10].replace('-', '')}-{at[11:19].replace(':', '')}"
    assert [disk.name for disk in desk.disks()] == [
        f"web01-datadisk-000-{stamp}",
        f"web01-datadisk-001-{stamp}",
        f"web01-osdisk-{stamp}",
    ]


def test_restored_disks_bear_the_job_and_the_tags_of_their_sources(desk: RestoreDesk) -> None:
    desk.vm.os_disk.tags = {"owner": "shop"}
    desk.desk.back_up(desk.vm)
    desk.later(hours=1)

    desk.restored()

    assert desk.disks()[-1].tags == {"owner": "shop", "RSVaultBackup": desk.job()["name"]}


def test_restored_disks_are_as_the_point_saw_them(desk: RestoreDesk) -> None:
    desk.world.vaults.settle(desk.vm.id)
    desk.vm.os_disk.size_gb = 999

    desk.restored()

    system = desk.disks()[-1]
    assert (system.properties.disk_size_gb, system.properties.os_type) == (30, "Linux")
    assert system.properties.hyper_v_generation == "V2"
    assert system.properties.creation_data.create_option == "Restore"
    assert "/restorePointCollections/AzureBackup_" in (
        system.properties.creation_data.source_resource_id
    )
    assert system.properties.disk_state == "Unattached"


def test_restored_disks_keep_security_type_and_encryption(world: World) -> None:
    key = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/x/des"}
    desk = RestoreDesk.open(world, security_type="TrustedLaunch")
    desk.vm.os_disk.model["encryption"] = key
    desk.desk.back_up(desk.vm)
    desk.later(hours=1)

    desk.restored()

    (system,) = desk.disks()
    assert system.properties.security_profile.security_type == "TrustedLaunch"
    assert system.properties.encryption.disk_encryption_set_id == "/x/des"


@pytest.mark.parametrize(("luns", "kept"), [([], 1), ([1], 2), ([0, 1], 3), (None, 3)])
def test_only_the_disks_that_are_asked_for_are_restored(
    desk: RestoreDesk, luns: list[int] | None, kept: int
) -> None:
    desk.restored(restoreDiskLunList=luns)

    assert len(desk.disks()) == kept


def test_disks_go_to_the_zone_that_is_asked_for(desk: RestoreDesk) -> None:
    desk.restore(zones=["2"])
    desk.later(hours=3)

    assert [disk.zones for disk in desk.disks()] == [["2"]] * 3
    assert desk.disks()[0].properties.creation_data.create_option == "Import"


def test_no_disk_is_there_while_data_is_copied(desk: RestoreDesk) -> None:
    desk.restore(zones=["1"])
    desk.later(minutes=20)

    assert desk.disks() == []


def test_a_restore_that_is_cancelled_leaves_no_disks(desk: RestoreDesk) -> None:
    desk.restore(zones=["1"])
    desk.desk.client.job_cancellations.trigger(*desk.desk.at, desk.job()["name"])
    desk.later(hours=3)

    assert desk.disks() == []


def test_a_restore_that_fails_while_copying_leaves_nothing(desk: RestoreDesk) -> None:
    desk.world.vaults.fail_restores(desk.vm.id, NO_CORES)

    desk.restored()

    job = desk.job()
    assert job["status"] == "Failed"
    assert job["errorDetails"][0]["errorTitle"] == NO_CORES.code
    assert job["extendedInfo"]["tasksList"][0]["status"] == "Failed"
    assert desk.disks() == []


def test_a_machine_that_is_gone_is_restored_all_the_same(desk: RestoreDesk) -> None:
    desk.world.machines.delete(desk.vm.id)

    desk.restored()

    assert len(desk.disks()) == 3


def test_configuration_and_template_lie_where_the_job_says(desk: RestoreDesk) -> None:
    desk.restored()

    bag = desk.job()["extendedInfo"]["propertyBag"]
    held = desk.world.storage.account(ACCOUNT).containers.get(bag["Config Blob Container Name"])
    config = json.loads(held.get(bag["Config Blob Name"]).content.decode("utf-16").rstrip("\0"))
    template = json.loads(held.get(bag["Create VM Template Blob Uri"].rsplit("/", 1)[1]).content)
    assert config["properties.hardwareProfile"] == {"vmSize": "Standard_D2s_v5"}
    assert [disk["lun"] for disk in config["properties.storageProfile"]["dataDisks"]] == [0, 1]
    assert "virtualMachineName" in template["parameters"]
    assert desk.ask("HEAD", bag["Config Blob Uri"]).headers["Content-Type"] == (
        "application/octet-stream"
    )


def test_without_a_group_the_disks_are_blobs_of_the_account(desk: RestoreDesk) -> None:
    desk.restore(group=False)
    desk.later(hours=3)

    bag = desk.job()["extendedInfo"]["propertyBag"]
    held = desk.world.storage.account(ACCOUNT).containers.get(bag["Config Blob Container Name"])
    assert sum(blob.name.endswith(".vhd") for blob in held) == 3
    assert desk.disks() == []


def test_a_new_machine_runs_with_the_tags_of_its_source(desk: RestoreDesk) -> None:
    desk.restore_to("web-02")
    desk.later(minutes=15)

    copy = desk.compute.virtual_machines.get(TARGET, "web-02", expand="instanceView")
    assert copy.tags == {"backup": "gold"}
    assert copy.properties.vm_id != desk.vm.vm_id
    assert copy.properties.instance_view.statuses[1].code == "PowerState/running"
    assert copy.properties.os_profile is None
    assert [disk.lun for disk in copy.properties.storage_profile.data_disks] == [0, 1]


def test_a_new_machine_has_disks_and_an_interface_named_for_it(desk: RestoreDesk) -> None:
    desk.restore_to("web-02")
    desk.later(minutes=15)

    copy = desk.compute.virtual_machines.get(TARGET, "web-02")
    nic = desk.ask("GET", copy.properties.network_profile.network_interfaces[0].id).body
    (address,) = nic["properties"]["ipConfigurations"]  # type: ignore[index,call-overload]
    assert copy.properties.storage_profile.os_disk.name.startswith("web02-osdisk-")
    assert nic["name"].startswith("web-02-nic-")  # type: ignore[index,call-overload]
    assert address["properties"]["subnet"]["id"] == desk.subnet_id
    assert address["properties"]["privateIPAddress"] == "10.0.0.4"


def test_the_disks_stay_when_the_machine_cannot_be_made(desk: RestoreDesk) -> None:
    desk.world.vaults.fail_restores(desk.vm.id, NO_CORES, copied=True)

    desk.restore_to("web-02")
    desk.later(minutes=15)

    tasks = desk.job()["extendedInfo"]["tasksList"]
    assert [task["status"] for task in tasks] == ["Completed", "Failed"]
    assert len(desk.disks()) == 3
    assert desk.left() == ["disks", "disks", "disks", "virtualNetworks"]


def away(desk: RestoreDesk) -> dict[str, Any]:
    network = desk.world.networks.create(SUBSCRIPTION, TARGET, "away", "northeurope")
    return {"virtualNetworkId": network.id}


WRONG: dict[str, Callable[[RestoreDesk], dict[str, Any]]] = {
    "network": lambda desk: {"virtualNetworkId": f"{desk.network.id}x"},
    "network of another region": away,
    "subnet": lambda desk: {"subnetId": f"{desk.network.id}/subnets/none"},
    "region": lambda _: {"region": "northeurope"},
    "group": lambda desk: {"targetResourceGroupId": f"{desk.group_id}x"},
    "name that exists": lambda desk: {"targetVirtualMachineId": desk.vm.id},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_restore_to_a_wrong_place_is_refused(desk: RestoreDesk, wrong: str) -> None:
    changed = WRONG[wrong](desk)

    assert refused(lambda: desk.restore_to("web-02", **changed)) == REFUSED


@pytest.mark.parametrize(
    "account", [{"location": "northeurope"}, {"location": REGION, "sku": "Standard_ZRS"}]
)
def test_an_unfit_staging_account_is_refused(desk: RestoreDesk, account: dict[str, str]) -> None:
    made = desk.world.storage_accounts.create(SUBSCRIPTION, TARGET, "unfit", **account)

    assert refused(lambda: desk.restore(storageAccountId=made.id)) == REFUSED


def test_a_group_that_goes_away_fails_the_restore(desk: RestoreDesk) -> None:
    desk.restore(zones=["1"])
    desk.world.groups.delete(SUBSCRIPTION, TARGET)
    desk.later(hours=3)

    assert desk.job()["status"] == "Failed"


def test_a_name_that_is_taken_meanwhile_keeps_its_machine(desk: RestoreDesk) -> None:
    desk.restore_to("web-02", zones=["1"])
    there = desk.world.machines.create(
        subscription=SUBSCRIPTION, group=TARGET, name="web-02", location=REGION
    )
    desk.later(hours=3)

    assert desk.job()["status"] == "Failed"
    assert desk.world.machines.find(there.id) is there
