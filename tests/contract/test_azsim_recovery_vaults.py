"""Vaults, policies and the questions per region, with the real SDK clients."""

from datetime import timedelta
from typing import Any

import pytest
from azure.mgmt.recoveryservices import RecoveryServicesClient

from azsim.recovery.rules import Rules
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.operator_desk import REGION, SUBSCRIPTION, VAULT_GROUP, Desk, refused
from tests.credentials import StaticCredential

NEW_VAULT: dict[str, Any] = {
    "location": REGION,
    "sku": {"name": "Standard"},
    "properties": {"publicNetworkAccess": "Enabled"},
    "tags": {"made-by": "test"},
}


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk.open(world)


@pytest.fixture
def provider(world: World) -> RecoveryServicesClient:
    world.groups.create(SUBSCRIPTION, VAULT_GROUP, REGION)
    return RecoveryServicesClient(
        StaticCredential(),
        SUBSCRIPTION,
        base_url="https://management.azure.com",
        transport=SimTransport(world),
        retry_total=0,
    )


def daily(time: str = "2026-03-02T22:00:00Z", days: int = 30, **more: Any) -> dict[str, Any]:
    return {
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "schedulePolicy": {
                "schedulePolicyType": "SimpleSchedulePolicy",
                "scheduleRunFrequency": "Daily",
                "scheduleRunTimes": [time],
            },
            "retentionPolicy": {
                "retentionPolicyType": "LongTermRetentionPolicy",
                "dailySchedule": {
                    "retentionTimes": [time],
                    "retentionDuration": {"count": days, "durationType": "Days"},
                },
            },
            **more,
        }
    }


def test_a_vault_is_made_and_then_shows_its_backup_settings(
    world: World, provider: RecoveryServicesClient
) -> None:
    made = provider.vaults.begin_create_or_update(VAULT_GROUP, "new", NEW_VAULT).result()
    world.clock.advance(timedelta(minutes=3))
    later = provider.vaults.get(VAULT_GROUP, "new").as_dict()

    assert made.properties.provisioning_state == "Succeeded"
    assert later["properties"]["securitySettings"]["softDeleteSettings"]["softDeleteState"] == (
        "AlwaysON"
    )
    assert later["tags"] == {"made-by": "test"}


def test_a_vault_that_is_not_there_is_not_found_in_arms_words(
    provider: RecoveryServicesClient,
) -> None:
    assert refused(lambda: provider.vaults.get(VAULT_GROUP, "nobody")) == (404, "ResourceNotFound")


def test_vaults_are_found_whatever_the_case_of_their_names(
    desk: Desk, provider: RecoveryServicesClient
) -> None:
    assert provider.vaults.get("RG-BACKUP", "VAULT-1").name == "vault-1"


def test_vaults_are_listed_by_group_and_by_subscription(
    desk: Desk, provider: RecoveryServicesClient
) -> None:
    desk.world.vaults.create(SUBSCRIPTION, "rg-other", "vault-2", REGION)

    by_group = [vault.name for vault in provider.vaults.list_by_resource_group(VAULT_GROUP)]
    by_subscription = {vault.name for vault in provider.vaults.list_by_subscription_id()}

    assert by_group == ["vault-1"]
    assert by_subscription == {"vault-1", "vault-2"}


def test_an_empty_vault_is_deleted(desk: Desk, provider: RecoveryServicesClient) -> None:
    provider.vaults.begin_delete(VAULT_GROUP, "vault-1", polling=False)
    desk.later(minutes=5)

    assert list(provider.vaults.list_by_subscription_id()) == []


def test_a_vault_with_items_is_not_deleted(desk: Desk, provider: RecoveryServicesClient) -> None:
    desk.enable(desk.vm())

    assert refused(lambda: provider.vaults.begin_delete(VAULT_GROUP, "vault-1").result()) == (
        400,
        "BMSUserErrorVaultDeletionNotAllowed",
    )


def test_a_vault_is_patched(desk: Desk, provider: RecoveryServicesClient) -> None:
    patch = {
        "properties": {"redundancySettings": {"standardTierStorageRedundancy": "ZoneRedundant"}}
    }

    changed = provider.vaults.begin_update(VAULT_GROUP, "vault-1", patch).result()

    assert changed.properties.redundancy_settings.standard_tier_storage_redundancy == (
        "ZoneRedundant"
    )


def test_soft_delete_cannot_be_switched_off_today(desk: Desk) -> None:
    off = {"properties": {"softDeleteFeatureState": "Disabled"}}

    assert refused(lambda: desk.client.backup_resource_vault_configs.update(*desk.at, off)) == (
        400,
        "BMSUserErrorSoftDeleteStateAlwaysOn",
    )


def test_soft_delete_could_be_switched_off_when_the_recordings_were_made(world: World) -> None:
    world.vaults.rules = Rules(soft_delete_always_on=False)
    desk = Desk.open(world)
    off = {"properties": {"softDeleteFeatureState": "Disabled"}}

    changed = desk.client.backup_resource_vault_configs.update(*desk.at, off)

    assert changed.properties.soft_delete_feature_state == "Disabled"


def test_every_vault_is_born_with_three_policies(desk: Desk) -> None:
    every = {policy.name for policy in desk.client.backup_policies.list(*desk.at)}
    for_vms = {
        policy.name
        for policy in desk.client.backup_policies.list(
            *desk.at, filter="backupManagementType eq 'AzureIaasVM'"
        )
    }

    assert every == {"HourlyLogBackup", "DefaultPolicy", "EnhancedPolicy"}
    assert for_vms == {"DefaultPolicy", "EnhancedPolicy"}


def test_a_policy_comes_back_as_the_service_writes_it(desk: Desk) -> None:
    made = desk.client.protection_policies.create_or_update(
        *desk.at, "gold", daily("2026-03-02T22:00:00.000Z")
    )

    body = made.as_dict()["properties"]
    assert body["schedulePolicy"]["scheduleRunTimes"] == ["2026-03-02T22:00:00Z"]
    assert body["instantRpRetentionRangeInDays"] == 2
    assert body["protectedItemsCount"] == 0


@pytest.mark.parametrize(
    "body",
    [
        daily(days=6),
        daily(instantRpRetentionRangeInDays=6),
        daily(schedulePolicy=None),
        daily(policyType="V2"),
        daily(retentionPolicy={"retentionPolicyType": "LongTermRetentionPolicy"}),
    ],
    ids=["too short", "snapshots too long", "no schedule", "V1 schedule in V2", "keeps nothing"],
)
def test_a_policy_that_makes_no_sense_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    assert (
        refused(lambda: desk.client.protection_policies.create_or_update(*desk.at, "bad", body))[0]
        == 400
    )


def test_a_policy_in_use_is_not_deleted(desk: Desk) -> None:
    desk.enable(desk.vm())

    assert refused(
        lambda: desk.client.protection_policies.begin_delete(*desk.at, "DefaultPolicy").result()
    ) == (400, "BMSUserErrorPolicyObjectInUse")


def test_a_policy_nobody_uses_is_deleted(desk: Desk) -> None:
    desk.client.protection_policies.begin_delete(*desk.at, "EnhancedPolicy").result()

    assert "enhancedpolicy" not in desk.vault.policies


def test_policies_can_be_edited_fifty_times_a_day(desk: Desk) -> None:
    for _ in range(50):
        desk.client.protection_policies.create_or_update(*desk.at, "gold", daily())

    assert (
        refused(
            lambda: desk.client.protection_policies.create_or_update(*desk.at, "gold", daily())
        )[0]
        == 400
    )


def test_a_machine_is_protectable_once_discovered(desk: Desk) -> None:
    desk.vm("found")
    desk.vm("elsewhere", location="northeurope")
    desk.client.protection_containers.refresh(*desk.at, "Azure")
    desk.later(minutes=1)

    listed = [
        item.as_dict()["properties"]["friendlyName"]
        for item in desk.client.backup_protectable_items.list(
            *desk.at, filter="backupManagementType eq 'AzureIaasVM'"
        )
    ]

    assert listed == ["found"]


def test_backup_status_finds_the_vault_of_a_machine(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    ask = {"resourceType": "VM", "resourceId": vm.id}

    here = desk.client.backup_status.get(REGION, ask).as_dict()
    elsewhere = desk.client.backup_status.get("northeurope", ask).as_dict()

    assert here["protectionStatus"] == "Protected"
    assert here["vaultId"] == desk.vault.id
    assert here["containerName"] == "iaasvmcontainer;iaasvmcontainerv2;rg-web;web"
    assert elsewhere["protectionStatus"] == "NotProtected"


def test_pre_validation_says_why_a_machine_cannot_be_protected(desk: Desk) -> None:
    vm = desk.vm()
    ask = {"resourceType": "VM", "resourceId": vm.id, "vaultId": desk.vault.id, "properties": ""}
    before = desk.client.protection_intent.validate(REGION, ask).as_dict()
    desk.enable(vm)

    after = desk.client.protection_intent.validate(REGION, ask).as_dict()

    assert before["status"] == "Succeeded"
    assert (after["status"], after["errorCode"]) == ("Failed", "VirtualMachineAlreadyProtected")


def test_graph_rows_show_an_item_in_resource_graphs_words(desk: Desk) -> None:
    vm = desk.vm()
    desk.enable(vm)
    desk.delete(vm)

    rows = {row["type"]: row for row in desk.world.vaults.graph_rows()}

    item = rows[
        "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
    ]
    assert item["properties"]["currentProtectionState"] == "SoftDeleted"
    assert item["properties"]["dataSourceInfo"]["resourceID"] == vm.id
    assert item["properties"]["vaultId"] == desk.vault.id
    assert item["resourceGroup"] == VAULT_GROUP
