"""An operator's day with the Azure CLI: what nobody here wrote finds in azsim what it expects."""

import json

import pytest

from azsim.machines import Machine
from azsim.vaults import Vault
from tests.long.az_client import REGION, SUBSCRIPTION, Az, Refused

pytestmark = [pytest.mark.long, pytest.mark.enable_socket]


def a_machine(az: Az, group: str, name: str = "web") -> Machine:
    return az.world.machines.create(
        subscription=SUBSCRIPTION,
        group=group,
        name=name,
        location=REGION,
        tags={"backup": "gold"},
        created_by="past",
    )


def a_vault(az: Az, name: str) -> Vault:
    return az.world.vaults.create(SUBSCRIPTION, f"rg-{name}", name, REGION)


def a_protected_machine(az: Az, vault: Vault, group: str, name: str = "web") -> Machine:
    machine = a_machine(az, group, name)
    az.world.vaults.protect(machine.id, vault, "DefaultPolicy")
    return machine


def at(vault: Vault) -> str:
    return f"--resource-group {vault.group} --vault-name {vault.name}"


def of(machine: Machine) -> str:
    return (
        f"--container-name {machine.name} --item-name {machine.name} "
        "--backup-management-type AzureIaasVM"
    )


def shown(machine: Machine) -> str:
    return f"--container-name {machine.name} --name {machine.name}"


def state(az: Az, vault: Vault, machine: Machine) -> dict[str, object]:
    kind = "--backup-management-type AzureIaasVM --workload-type VM"
    said = az(f"backup item show {at(vault)} {shown(machine)} {kind}")
    return dict(said["properties"])


def test_a_service_principal_logs_in_as_well(az: Az) -> None:
    deployer = az.world.identity.add("deployer", managed=False)

    (account,) = az(
        f"login --service-principal --username {deployer.client_id} "
        f"--password {deployer.secret} --tenant {az.world.tenant}"
    )
    az.text("login --identity")

    assert (account["id"], account["name"]) == (SUBSCRIPTION, "Shop")


def test_an_operator_looks_around(az: Az) -> None:
    machine = a_machine(az, "rg-look")

    groups = az("group list")
    group = az("group show --name rg-look")
    exists = az("group exists --name rg-look")
    listed = az("resource list --resource-group rg-look")
    one = az(f"resource show --ids {machine.id}")
    machines = az("vm list --resource-group rg-look")
    detailed = az("vm list --resource-group rg-look --show-details")
    whole = az("vm show --resource-group rg-look --name web")
    view = az("vm get-instance-view --resource-group rg-look --name web")

    assert group in groups
    assert exists is True
    assert {row["type"] for row in listed} == {
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Compute/disks",
    }
    assert one["id"] == machine.id
    assert machines == [whole]
    assert (detailed[0]["powerState"], detailed[0]["privateIps"]) == ("VM running", "10.0.0.4")
    assert whole["vmId"] == machine.vm_id
    assert view["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"


def test_groups_come_and_go(az: Az) -> None:
    made = az(f"group create --name rg-short --location {REGION} --tags owner=ops")
    az.text("group delete --name rg-short --yes")

    assert made["tags"] == {"owner": "ops"}
    assert az("group exists --name rg-short") is False


def test_a_machine_is_stopped_started_and_tagged(az: Az) -> None:
    machine = a_machine(az, "rg-power")
    at_machine = "--resource-group rg-power --name web"

    az.text(f"vm deallocate {at_machine}")
    stopped = machine.power
    az.text(f"vm start {at_machine}")
    az.text(f"vm update {at_machine} --set tags.backup=silver")
    az.text(f"tag update --resource-id {machine.id} --operation merge --tags owner=ops")

    assert (stopped, machine.power) == ("deallocated", "running")
    assert machine.tags == {"backup": "silver", "owner": "ops"}


def test_a_vault_is_made_changed_and_deleted(az: Az) -> None:
    az.world.groups.create(SUBSCRIPTION, "rg-vaults", REGION)
    vault = "--resource-group rg-vaults --name vault-made"

    made = az(f"backup vault create {vault} --location {REGION}")
    changed = az(f"backup vault update {vault} --backup-storage-redundancy LocallyRedundant")
    kept = az(f"backup vault backup-properties set {vault} --soft-delete-duration 30")
    storage, config = az(f"backup vault backup-properties show {vault}")
    listed = az("backup vault list --resource-group rg-vaults")
    again = az(f"backup vault show {vault}")
    az.text(f"backup vault delete {vault} --yes")

    redundancy = changed["properties"]["redundancySettings"]
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert redundancy["standardTierStorageRedundancy"] == "LocallyRedundant"
    assert kept["properties"]["softDeleteRetentionPeriodInDays"] == 30
    assert storage["properties"]["storageModelType"] == "LocallyRedundant"
    assert config["properties"]["softDeleteFeatureState"] == "AlwaysON"
    assert [row["id"] for row in listed] == [again["id"]]
    az.later(minutes=5)
    assert az("backup vault list --resource-group rg-vaults") == []


def test_a_vault_with_machines_is_not_deleted(az: Az) -> None:
    vault = a_vault(az, "vault-full")
    a_protected_machine(az, vault, "rg-full")

    with pytest.raises(Refused, match="there are existing resources within the vault"):
        az(f"backup vault delete --resource-group {vault.group} --name {vault.name} --yes")


def test_policies_are_written_from_those_that_are_shown(az: Az) -> None:
    vault = a_vault(az, "vault-policies")
    policy = az(f"backup policy show {at(vault)} --name DefaultPolicy")
    policy["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 45
    kind = "--backup-management-type AzureIaasVM"

    made = az(
        f"backup policy create {at(vault)} --name gold --policy '{json.dumps(policy)}' {kind}"
    )
    policy["properties"]["instantRpRetentionRangeInDays"] = 5
    changed = az(f"backup policy set {at(vault)} --name gold --policy '{json.dumps(policy)}'")
    names = [row["name"] for row in az(f"backup policy list {at(vault)}")]
    items = az(f"backup policy list-associated-items {at(vault)} --name gold")
    az.text(f"backup policy delete {at(vault)} --name gold")

    daily = made["properties"]["retentionPolicy"]["dailySchedule"]
    assert daily["retentionDuration"]["count"] == 45
    assert changed["properties"]["instantRpRetentionRangeInDays"] == 5
    assert sorted(names) == ["DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup", "gold"]
    assert items == []
    assert "gold" not in vault.policies


def test_a_machine_is_protected_and_given_another_policy(az: Az) -> None:
    vault, machine = a_vault(az, "vault-protect"), a_machine(az, "rg-protect")

    before = az.text(f"backup protection check-vm --vm {machine.id}")
    job = az(
        f"backup protection enable-for-vm {at(vault)} --vm {machine.id} --policy-name DefaultPolicy"
    )
    asked = {exchange.route for exchange in az.world.exchanges}
    after = az(f"backup protection check-vm --vm {machine.id}")
    (container,) = az(f"backup container list {at(vault)} --backup-management-type AzureIaasVM")
    (item,) = az(f"backup item list {at(vault)}")
    az.text(
        f"backup item set-policy {at(vault)} {shown(machine)} --policy-name EnhancedPolicy --yes "
        "--backup-management-type AzureIaasVM"
    )

    assert before.strip() == ""
    assert (job["properties"]["operation"], job["properties"]["status"]) == (
        "ConfigureBackup",
        "Completed",
    )
    assert {"containers.refresh", "containers.operation_results", "operations.get"} <= asked
    assert after == vault.id
    assert container["properties"]["friendlyName"] == "web"
    assert item["properties"]["protectionState"] == "IRPending"
    assert state(az, vault, machine)["policyName"] == "EnhancedPolicy"


def test_a_backup_is_made_and_its_point_is_shown(az: Az) -> None:
    vault = a_vault(az, "vault-now")
    machine = a_protected_machine(az, vault, "rg-now")
    kind = "--backup-management-type AzureIaasVM --workload-type VM"

    started = az(
        f"backup protection backup-now {at(vault)} {of(machine)} --retain-until 30-04-2026"
    )
    running = az(f"backup job list {at(vault)} --operation Backup --status InProgress")
    az.later(hours=12)
    done = az(f"backup job show {at(vault)} --name {started['name']}")
    points = az(
        f"backup recoverypoint list {at(vault)} --container-name web --item-name web {kind}"
    )
    point = az(
        f"backup recoverypoint show {at(vault)} --container-name web --item-name web {kind} "
        f"--name {points[-1]['name']}"
    )

    assert [job["name"] for job in running] == [started["name"]]
    assert done["properties"]["status"] == "Completed"
    assert [tier["type"] for tier in point["properties"]["recoveryPointTierDetails"]] == [
        "InstantRP",
        "HardenedRP",
    ]


def test_disks_and_a_machine_are_restored(az: Az) -> None:
    vault = a_vault(az, "vault-restore")
    machine = a_protected_machine(az, vault, "rg-restore")
    az.world.groups.create(SUBSCRIPTION, "rg-restored", REGION)
    az.text(
        f"storage account create --resource-group {vault.group} --name stagingshop "
        f"--location {REGION} --sku Standard_LRS"
    )
    az.text(
        f"network vnet create --resource-group rg-restored --name vnet-apart --location {REGION} "
        "--address-prefix 10.9.0.0/16 --subnet-name apart --subnet-prefixes 10.9.0.0/24"
    )
    az.later(days=1)
    point = az(
        f"backup recoverypoint list {at(vault)} {of(machine)} --workload-type VM --query [0].name"
    )
    restore = (
        f"backup restore restore-disks {at(vault)} --container-name web --item-name web "
        f"--rp-name {point} --storage-account stagingshop"
    )

    disks = az(f"{restore} --target-resource-group rg-restored")
    done = az(f"backup job wait {at(vault)} --name {disks['name']} --timeout 120")
    copy = az(
        f"{restore} --target-resource-group rg-restored --target-vm-name web-copy "
        "--target-vnet-name vnet-apart --target-vnet-resource-group rg-restored "
        "--target-subnet-name apart"
    )
    slow = az(f"{restore} --restore-as-unmanaged-disks")
    az.text(f"backup job stop {at(vault)} --name {slow['name']}")
    az.later(hours=1)
    jobs = az(f"backup job list {at(vault)} --operation Restore")

    assert done["properties"]["status"] == "Completed"
    assert {job["name"]: job["properties"]["status"] for job in jobs} == {
        disks["name"]: "Completed",
        copy["name"]: "Completed",
        slow["name"]: "Cancelled",
    }


def test_protection_is_stopped_resumed_deleted_and_taken_back(az: Az) -> None:
    vault = a_vault(az, "vault-stop")
    machine = a_protected_machine(az, vault, "rg-stop")
    item = f"{at(vault)} {of(machine)} --workload-type VM"

    az.text(f"backup protection disable {item} --yes")
    stopped = state(az, vault, machine)
    az.text(f"backup protection resume {item} --policy-name DefaultPolicy")
    resumed = state(az, vault, machine)
    az.text(f"backup protection disable {item} --delete-backup-data true --yes")
    deleted = state(az, vault, machine)
    az.text(f"backup protection undelete {item}")
    taken_back = state(az, vault, machine)
    az.text(f"backup protection resume {item} --policy-name DefaultPolicy")

    assert stopped["protectionState"] == "ProtectionStopped"
    assert resumed["policyName"] == "DefaultPolicy"
    assert deleted["isScheduledForDeferredDelete"] is True
    assert "isScheduledForDeferredDelete" not in taken_back
    assert taken_back["protectionState"] == "ProtectionStopped"
    assert state(az, vault, machine)["policyName"] == "DefaultPolicy"


def test_resource_graph_is_asked_with_az_rest(az: Az) -> None:
    vault = a_vault(az, "vault-graph")
    machine = a_protected_machine(az, vault, "rg-graph")
    az.later(minutes=30)
    query = (
        "recoveryservicesresources "
        "| where type =~ 'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers"
        f"/protecteditems' and properties.sourceResourceId =~ '{machine.id}' "
        "| project state = tostring(properties.currentProtectionState)"
    )
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
    body = json.dumps({"query": query}).replace("'", "'\"'\"'")

    answer = az(f"rest --method post --url '{url}' --body '{body}'")

    assert answer["data"] == [{"state": "ProtectionConfigured"}]


def test_a_vault_that_is_not_there_is_told_in_azure_s_words(az: Az) -> None:
    az.world.groups.create(SUBSCRIPTION, "rg-nothing", REGION)

    with pytest.raises(Refused, match=r"\(ResourceNotFound\) The Resource .* was not found"):
        az("backup vault show --resource-group rg-nothing --name nothing")
