"""Protecting machines with the real SDK client: what one PUT can mean, and what Azure refuses."""

from datetime import timedelta

import pytest

from azsim.fault_kinds import Fault, Kind
from azsim.recovery.jobs import Failure
from azsim.recovery.rules import Rules
from azsim.world import World
from tests.contract.operator_desk import REGION, SUBSCRIPTION, VAULT_GROUP, Desk, refused

LOCKED_OUT = (400, "BMSUserErrorInvalidConfigureProtectionRequest")


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk.open(world)


def test_an_enabled_machine_waits_for_its_first_backup(desk: Desk) -> None:
    vm = desk.vm()

    desk.enable(vm)

    item = desk.item(vm)
    assert item["protectionState"] == "IRPending"
    assert item["lastBackupTime"] == "2001-01-01T00:00:00Z"
    assert item["lastBackupStatus"] == ""
    assert item["policyName"] == "DefaultPolicy"
    assert item["vaultId"] == f"https://management.azure.com{desk.vault.id}"
    assert item["containerName"] == "iaasvmcontainerv2;rg-web;web"


def test_the_night_turns_a_pending_item_into_a_protected_one(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)

    desk.later(days=1)

    item = desk.item(vm)
    assert item["protectionState"] == "Protected"
    assert item["lastBackupStatus"] == "Completed"
    assert item["healthDetails"][0]["code"] == 400239
    assert [job["operation"] for job in desk.jobs()] == ["Backup", "ConfigureBackup"]


def test_another_policy_is_another_put(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)

    desk.enable(vm, "EnhancedPolicy")

    assert desk.item(vm)["policyName"] == "EnhancedPolicy"


def test_there_is_no_way_back_from_an_enhanced_policy(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm, "EnhancedPolicy")

    status, _ = refused(lambda: desk.enable(vm))

    assert status == 400
    assert desk.item(vm)["policyName"] == "EnhancedPolicy"


def test_stopping_keeps_every_point(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=3)

    desk.stop(vm)
    desk.later(days=60)

    item = desk.item(vm)
    assert (item["protectionState"], item["policyId"]) == ("ProtectionStopped", "")
    assert len(desk.points(vm)) == 3


def test_a_stopped_item_is_resumed_by_a_put_with_a_policy(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.stop(vm)

    desk.enable(vm)
    desk.later(days=1)

    assert desk.item(vm)["protectionState"] == "Protected"


def test_a_deleted_item_stays_readable_until_its_soft_delete_runs_out(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)

    desk.delete(vm)

    item = desk.item(vm)
    assert item["protectionState"] == "ProtectionStopped"
    assert item["isScheduledForDeferredDelete"] is True
    assert item["deferredDeleteTimeRemaining"].startswith("13.23:")
    assert item["softDeleteRetentionPeriod"] == 14
    desk.later(days=14)
    assert refused(lambda: desk.item(vm)) == (404, "BMSUserErrorDataSourceObjectNotFound")


def test_a_soft_deleted_item_is_in_the_way_of_protection(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.delete(vm)

    status, _ = refused(lambda: desk.enable(vm))

    assert status == 400


def test_undelete_and_resume_bring_a_soft_deleted_item_back(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.delete(vm)

    desk.undelete(vm)
    assert desk.item(vm)["protectionState"] == "ProtectionStopped"
    desk.enable(vm)

    item = desk.item(vm)
    assert item["protectionState"] == "IRPending"
    assert "isScheduledForDeferredDelete" not in item
    assert [job["operation"] for job in desk.jobs()][:2] == ["ConfigureBackup", "Undelete"]


def test_soft_delete_once_switched_off_lets_data_go_at_once(world: World) -> None:
    world.vaults.rules = Rules(soft_delete_always_on=False)
    desk = Desk.open(world)
    vm = desk.vm()
    desk.enable(vm)
    desk.client.backup_resource_vault_configs.update(
        *desk.at, {"properties": {"softDeleteFeatureState": "Disabled"}}
    )

    desk.delete(vm)

    assert desk.items() == []


def test_a_machine_that_does_not_exist_is_an_unknown_container(desk: Desk) -> None:
    vm = desk.vm()
    desk.world.machines.delete(vm.id)

    assert refused(lambda: desk.enable(vm)) == LOCKED_OUT


def test_a_machine_of_another_region_is_an_unknown_container(desk: Desk) -> None:
    vm = desk.vm(location="northeurope")

    assert refused(lambda: desk.enable(vm)) == LOCKED_OUT


def test_a_machine_of_another_subscription_is_an_unknown_container(desk: Desk) -> None:
    vm = desk.vm(subscription="00000000-0000-0000-0000-00000000000b")

    assert refused(lambda: desk.enable(vm)) == LOCKED_OUT


def test_a_young_machine_may_need_a_refresh_first(desk: Desk) -> None:
    desk.world.vaults.rules.undiscovered_for = timedelta(hours=1)
    vm = desk.vm()
    assert refused(lambda: desk.enable(vm)) == LOCKED_OUT

    desk.client.protection_containers.refresh(*desk.at, "Azure")
    desk.later(minutes=1)
    desk.enable(vm)

    assert desk.item(vm)["protectionState"] == "IRPending"


def test_an_agent_that_is_not_ready_fails_the_operation_late(desk: Desk) -> None:
    vm = desk.vm(agent_after=None)

    status, code = refused(lambda: desk.enable(vm))

    assert (status, code) == (200, "UserErrorGuestAgentStatusUnavailable")
    assert desk.items() == []
    assert [job["status"] for job in desk.jobs()] == ["Failed"]


def test_a_deallocated_machine_is_enabled_all_the_same(desk: Desk) -> None:
    vm = desk.vm(agent_after=None, power="deallocated")

    desk.enable(vm)

    assert desk.item(vm)["protectionState"] == "IRPending"


def test_a_machine_in_another_vault_fails_the_operation_late(desk: Desk) -> None:
    vm = desk.vm()
    other = desk.world.vaults.create(SUBSCRIPTION, VAULT_GROUP, "vault-2", REGION)
    desk.world.vaults.protect(vm.id, other)

    _, code = refused(lambda: desk.enable(vm))

    assert code == "UserErrorVmAlreadyRegisteredWithAnotherVault"
    assert desk.items() == []


def test_an_unknown_policy_is_refused_at_once(desk: Desk) -> None:
    vm = desk.vm()

    status, _ = refused(lambda: desk.enable(vm, "no-such-policy"))

    assert status == 404


def test_a_confidential_machine_needs_an_enhanced_policy(desk: Desk) -> None:
    vm = desk.vm(security_type="ConfidentialVM")
    status, _ = refused(lambda: desk.enable(vm))
    assert status == 400

    desk.enable(vm, "EnhancedPolicy")

    assert desk.item(vm)["policyName"] == "EnhancedPolicy"


def test_a_full_vault_takes_no_more_machines(desk: Desk) -> None:
    desk.world.vaults.rules.most_vms = 1
    desk.enable(desk.vm("first"))

    status, _ = refused(lambda: desk.enable(desk.vm("second")))

    assert status == 400


def test_a_vault_configures_only_so_many_machines_a_day(desk: Desk) -> None:
    desk.world.vaults.rules.configures_a_day = 1
    desk.enable(desk.vm("first"))
    status, _ = refused(lambda: desk.enable(desk.vm("second")))
    assert status == 400

    desk.later(days=1)
    desk.enable(desk.vm("third"))

    assert len(desk.items()) == 2


def test_an_item_takes_one_change_at_a_time(desk: Desk) -> None:
    vm = desk.vm()
    body = {
        "properties": {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": vm.id,
            "policyId": desk.policy_id(),
        }
    }
    desk.client.protected_items.begin_create_or_update(*desk.names(vm), body, polling=False)

    assert refused(lambda: desk.enable(vm)) == (409, "BMSUserErrorConflictingProtectionOperation")


def test_an_operation_may_be_planned_to_fail_late(desk: Desk) -> None:
    vm = desk.vm()
    desk.world.faults.add(Fault(Kind.LATE_FAILURE, route="items.put", code="CloudInternalError"))

    _, code = refused(lambda: desk.enable(vm))

    assert code == "CloudInternalError"
    assert desk.items() == []


def test_a_put_without_its_disk_exclusion_drops_it(desk: Desk) -> None:
    vm = desk.vm(data_disks=2)
    exclusion = {"diskExclusionProperties": {"diskLunList": [1], "isInclusionList": False}}
    desk.enable(vm, extendedProperties=exclusion)
    assert desk.item(vm)["extendedProperties"] == exclusion

    desk.enable(vm)

    assert "extendedProperties" not in desk.item(vm)


def test_a_machine_made_again_meets_the_item_of_the_one_before(desk: Desk) -> None:
    vm = desk.vm(security_type="TrustedLaunch")
    desk.enable(vm, "EnhancedPolicy")
    desk.world.machines.delete(vm.id)
    again = desk.vm(security_type="Standard")

    _, code = refused(lambda: desk.enable(again, "EnhancedPolicy"))

    assert code == "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed"


def test_items_are_listed_two_hundred_a_page(desk: Desk) -> None:
    for number in range(450):
        desk.world.vaults.protect(desk.vm(f"vm-{number}").id, desk.vault)
    before = len(desk.world.exchanges)

    listed = desk.items(filter="backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'")

    assert len({item["name"] for item in listed}) == 450
    assert len(desk.world.exchanges) - before == 3


def test_a_filter_that_azsim_does_not_understand_is_refused(desk: Desk) -> None:
    assert refused(lambda: desk.items(filter="colour eq 'blue'"))[0] == 400


def test_deleting_what_is_not_there_answers_no_content(desk: Desk) -> None:
    vm = desk.vm()

    desk.delete(vm)

    assert desk.world.exchanges[-1].response.status == 204


def test_operation_links_are_long_signed_and_on_the_host_that_was_called(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)

    put = next(e for e in desk.world.exchanges if e.route == "items.put")

    link = put.response.headers["Azure-AsyncOperation"]
    assert link.startswith(f"https://management.azure.com{desk.vault.id}/backupFabrics/Azure/")
    assert len(link) > 1700


def test_a_backup_that_fails_shows_in_item_and_job(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.world.vaults.fail_backups(
        vm.id, Failure("UserErrorFsFreezeFailed", "Freeze failed.", 400120)
    )

    desk.later(days=1)

    item = desk.item(vm)
    assert (item["lastBackupStatus"], item["protectionState"]) == ("Failed", "ProtectionError")
    failed = desk.jobs(filter="status eq 'Failed'")
    assert failed[0]["errorDetails"][0]["errorCode"] == 400120


def test_a_deleted_machine_makes_its_scheduled_backups_fail(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.later(days=1)
    desk.world.machines.delete(vm.id)

    desk.later(days=1)

    assert desk.jobs(filter="status eq 'Failed'")[0]["errorDetails"][0]["errorCode"] == 400094
    assert len(desk.points(vm)) == 1
