"""Azure's JSON of machines, items, vaults and work, read into facts."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from vmbackup_core.adapters.wire import place, time_at
from vmbackup_core.adapters.wire_items import (
    is_vm_item,
    parse_item,
    parse_vault,
    protected_vms,
    protection_body,
    vault_body,
)
from vmbackup_core.adapters.wire_machines import (
    attached_os_disk,
    parse_vm,
    parse_vm_row,
    restored_by,
)
from vmbackup_core.adapters.wire_work import jobs_filter, parse_job, parse_operation
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.facts import Agent, DiskExclusion, ItemState, Power, Provisioning
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.operations import OperationFacts, Progress

SUB = "11111111-2222-3333-4444-555555555555"
WEB = VmId(SUB, "rg-app", "web")
VAULT = VaultId(SUB, "rg-backup", "rsv-1")
WEB_ID = (
    f"/subscriptions/{SUB}/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/Web"
)
VAULT_ID = (
    f"/subscriptions/{SUB}/resourceGroups/rg-backup"
    "/providers/Microsoft.RecoveryServices/vaults/rsv-1"
)
ITEM_ID = (
    f"{VAULT_ID}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app"
    ";web/protectedItems/VM;iaasvmcontainerv2;rg-app;web"
)


def vm_body(*, statuses: tuple[str, ...] = (), agent: str = "", **properties: Any) -> Any:
    view: dict[str, Any] = {"statuses": [{"code": code} for code in statuses]}
    if agent:
        view["vmAgent"] = {"statuses": [{"displayStatus": agent}]}
    return {
        "id": WEB_ID,
        "name": "Web",
        "location": "West Europe",
        "tags": {"Backup": "gold"},
        "properties": {
            "vmId": "96D5E920-0744-4DD2-A33E-EB891EFAAE21",
            "provisioningState": "Succeeded",
            "instanceView": view,
            **properties,
        },
    }


def storage(os_disk: dict[str, Any] | None = None, *data: dict[str, Any]) -> dict[str, Any]:
    return {"osDisk": {"name": "os", **(os_disk or {})}, "dataDisks": list(data)}


# What all answers have in common.


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-04-28T06:35:59.3632277+00:00", datetime(2024, 4, 28, 6, 35, 59, 363227, UTC)),
        ("2024-04-28T06:35:59Z", datetime(2024, 4, 28, 6, 35, 59, tzinfo=UTC)),
        ("2024-04-28T08:35:59+02:00", datetime(2024, 4, 28, 6, 35, 59, tzinfo=UTC)),
        ("2024-04-28T06:35:59", datetime(2024, 4, 28, 6, 35, 59, tzinfo=UTC)),
        ("2001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_read_in_utc_and_never_is_no_time(
    written: str | None, moment: datetime | None
) -> None:
    assert time_at({"at": written}, "at") == moment


def test_what_is_no_time_is_malformed() -> None:
    with pytest.raises(Malformed, match=r"at is no time: 'soon'"):
        time_at({"at": "soon"}, "at")


def test_a_location_is_compared_as_arm_does() -> None:
    assert place("West Europe") == place("westeurope") == "westeurope"


# Machines.


def test_a_machine_is_read_with_its_instance_view() -> None:
    body = vm_body(statuses=("ProvisioningState/succeeded", "PowerState/running"), agent="Ready")

    vm = parse_vm(body)

    assert vm.id == WEB
    assert vm.machine == "96d5e920-0744-4dd2-a33e-eb891efaae21"
    assert (vm.name, vm.location) == ("Web", "westeurope")
    assert vm.tags.get("backup") == "gold"
    assert vm.provisioning is Provisioning.SUCCEEDED
    assert vm.power is Power.RUNNING
    assert vm.agent is Agent.READY
    assert (vm.unsupported, vm.needs_enhanced, vm.restored_by) == ("", "", "")


@pytest.mark.parametrize(
    ("code", "power", "off"),
    [
        ("PowerState/running", Power.RUNNING, False),
        ("PowerState/starting", Power.STARTING, False),
        ("PowerState/stopped", Power.STOPPED, True),
        ("PowerState/deallocated", Power.DEALLOCATED, True),
        ("PowerState/deallocating", Power.RUNNING, False),
        ("PowerState/unheard-of", Power.UNKNOWN, False),
        ("OSState/generalized", Power.UNKNOWN, False),
    ],
)
def test_the_power_state_is_among_the_statuses(code: str, power: Power, off: bool) -> None:
    vm = parse_vm(vm_body(statuses=("ProvisioningState/succeeded", code)))

    assert vm.power is power
    assert vm.power.off is off


@pytest.mark.parametrize(
    ("shown", "agent"),
    [("Ready", Agent.READY), ("Not Ready", Agent.NOT_READY), ("", Agent.UNKNOWN)],
)
def test_the_agent_is_ready_when_azure_says_so(shown: str, agent: Agent) -> None:
    assert parse_vm(vm_body(agent=shown)).agent is agent


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("Creating", Provisioning.CREATING),
        ("Updating", Provisioning.UPDATING),
        ("Failed", Provisioning.FAILED),
        ("Deleting", Provisioning.DELETING),
        ("Migrating", Provisioning.UNKNOWN),
    ],
)
def test_the_provisioning_state_is_read(written: str, state: Provisioning) -> None:
    assert parse_vm(vm_body(provisioningState=written)).provisioning is state


@pytest.mark.parametrize(
    ("disks", "because"),
    [
        pytest.param(storage(), "", id="plain"),
        pytest.param(
            storage({"diffDiskSettings": {"option": "Local"}}),
            "its OS disk is ephemeral",
            id="ephemeral",
        ),
        pytest.param(
            storage(None, *({"lun": n} for n in range(33))),
            "it has 33 data disks, of which Azure Backup takes 32",
            id="33-disks",
        ),
        pytest.param(storage(None, *({"lun": n} for n in range(32))), "", id="32-disks"),
        pytest.param(
            storage(None, {"name": "d1", "diskSizeGB": 65_536}),
            "disk d1 has 65536 GB, of which Azure Backup takes 32 TB",
            id="too-large",
        ),
        pytest.param(storage(None, {"name": "d1", "diskSizeGB": 32_767}), "", id="largest"),
    ],
)
def test_what_azure_backup_cannot_do_is_said_in_words(disks: Any, because: str) -> None:
    assert parse_vm(vm_body(storageProfile=disks)).unsupported == because


@pytest.mark.parametrize(
    ("properties", "because"),
    [
        ({"securityProfile": {"securityType": "ConfidentialVM"}}, "it is a confidential VM"),
        ({"securityProfile": {"securityType": "TrustedLaunch"}}, ""),
        (
            {
                "storageProfile": storage(
                    None,
                    {"name": "d1", "managedDisk": {"storageAccountType": "UltraSSD_LRS"}},
                )
            },
            "it has an Ultra disk (d1)",
        ),
        (
            {
                "storageProfile": storage(
                    None,
                    {"name": "d1", "managedDisk": {"storageAccountType": "PremiumV2_LRS"}},
                )
            },
            "it has a Premium SSD v2 disk (d1)",
        ),
    ],
)
def test_what_needs_an_enhanced_policy_is_said_in_words(properties: Any, because: str) -> None:
    assert parse_vm(vm_body(**properties)).needs_enhanced == because


def test_only_an_attached_os_disk_may_come_from_a_restore() -> None:
    disk = {"createOption": "Attach", "managedDisk": {"id": "/disks/os"}}
    attached, made = (
        vm_body(storageProfile=storage(disk)),
        vm_body(storageProfile=storage({**disk, "createOption": "FromImage"})),
    )

    assert (attached_os_disk(attached), attached_os_disk(made)) == ("/disks/os", "")


@pytest.mark.parametrize(
    ("tags", "job"), [({"rsvaultbackup": "job-1"}, "job-1"), ({"x": "y"}, ""), (None, "")]
)
def test_a_restored_disk_names_its_restore_job(tags: Any, job: str) -> None:
    assert restored_by({"tags": tags}) == job


def test_a_row_of_resource_graph_is_the_same_machine_without_its_agent() -> None:
    powered = {"extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}}}

    row = parse_vm_row(vm_body(instanceView=None, **powered))

    direct = parse_vm(vm_body(statuses=("PowerState/running",), agent="Ready"))
    assert row == replace(direct, agent=Agent.UNKNOWN)


@pytest.mark.parametrize("missing", ["id", "name", "location"])
def test_a_machine_without_its_name_or_place_is_malformed(missing: str) -> None:
    body = vm_body()
    del body[missing]

    with pytest.raises(Malformed, match=missing):
        parse_vm(body)


# Items.


def item_body(**properties: Any) -> Any:
    return {
        "id": ITEM_ID,
        "name": "VM;iaasvmcontainerv2;rg-app;web",
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "protectionState": "Protected",
            "sourceResourceId": WEB_ID,
            "policyName": "gold",
            "lastBackupTime": "2024-04-28T06:35:59Z",
            **properties,
        },
    }


def test_an_item_is_read_with_its_vault_and_its_vm() -> None:
    item = parse_item(item_body(vaultId=f"https://management.azure.com{VAULT_ID}"))

    assert (item.vm, item.vault) == (WEB, VAULT)
    assert (item.state, item.policy) == (ItemState.PROTECTED, "gold")
    assert item.exclusion is None
    assert item.last_backup == datetime(2024, 4, 28, 6, 35, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ({"protectionState": "Protected"}, ItemState.PROTECTED),
        ({"protectionState": "IRPending"}, ItemState.PROTECTED),
        ({"protectionState": "ProtectionError"}, ItemState.ERROR),
        ({"protectionState": "ProtectionStopped"}, ItemState.STOPPED),
        ({"protectionState": "ProtectionPaused"}, ItemState.STOPPED),
        ({"protectionState": "BackupsSuspended"}, ItemState.STOPPED),
        ({"protectionState": "Invalid"}, ItemState.UNKNOWN),
        ({"protectionState": "SomethingNew"}, ItemState.UNKNOWN),
        (
            {"protectionState": "ProtectionStopped", "isScheduledForDeferredDelete": True},
            ItemState.SOFT_DELETED,
        ),
        ({"currentProtectionState": "ProtectionConfigured"}, ItemState.PROTECTED),
        ({"currentProtectionState": "ConfiguringProtectionFailed"}, ItemState.ERROR),
        ({"currentProtectionState": "ProtectionStopped"}, ItemState.STOPPED),
        ({"currentProtectionState": "SoftDeleted"}, ItemState.SOFT_DELETED),
    ],
)
def test_the_state_of_an_item_is_read(properties: Any, state: ItemState) -> None:
    assert parse_item(item_body(**properties)).state is state


def test_an_item_that_was_never_backed_up_has_no_last_backup() -> None:
    assert parse_item(item_body(lastBackupTime="2001-01-01T00:00:00Z")).last_backup is None


def test_the_policys_name_is_in_its_id_where_it_is_not_named() -> None:
    named = item_body(policyName=None, policyId=f"{VAULT_ID}/backupPolicies/Silver")

    assert parse_item(named).policy == "Silver"
    assert parse_item(item_body(policyName=None, policyId="")).policy == ""


def test_the_disks_that_a_backup_leaves_out_are_read() -> None:
    excluded = {"diskExclusionProperties": {"diskLunList": [1, 2], "isInclusionList": False}}

    item = parse_item(item_body(extendedProperties=excluded))

    assert item.exclusion == DiskExclusion((1, 2), including=False)


@pytest.mark.parametrize("source", [None, "", "/subscriptions/s/resourceGroups/providers/x"])
def test_an_item_whose_source_cannot_be_read_is_known_by_its_name(source: Any) -> None:
    assert parse_item(item_body(sourceResourceId=source)).vm == WEB


@pytest.mark.parametrize(
    ("properties", "ours"),
    [
        ({}, True),
        ({"backupManagementType": "AzureWorkload"}, False),
        ({"protectedItemType": "Microsoft.ClassicCompute/virtualMachines"}, False),
        ({"protectedItemType": "Microsoft.Compute/virtualMachines"}, True),
    ],
)
def test_an_item_of_another_kind_is_told_apart(properties: Any, ours: bool) -> None:
    assert is_vm_item(item_body(**properties)) is ours


@pytest.mark.parametrize(
    ("state", "ready"),
    [("Succeeded", True), ("Provisioning", False), ("Deleting", False), ("Failed", True)],
)
def test_a_vault_is_ready_unless_it_is_on_its_way(state: str, ready: bool) -> None:
    body = {
        "id": VAULT_ID,
        "location": "West Europe",
        "properties": {"provisioningState": state},
    }

    vault = parse_vault(body, items=7)

    assert (vault.id, vault.location) == (VAULT, "westeurope")
    assert (vault.items, vault.ready) == (7, ready)


def test_protecting_carries_back_the_disks_that_are_left_out() -> None:
    body = protection_body(WEB, VAULT, "gold", DiskExclusion((1,), including=True))

    assert body["properties"] == {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "sourceResourceId": str(WEB),
        "policyId": f"{VAULT}/backuppolicies/gold",
        "extendedProperties": {
            "diskExclusionProperties": {"diskLunList": [1], "isInclusionList": True}
        },
    }


def test_a_new_vault_is_redundant_as_asked_and_says_who_made_it() -> None:
    body = vault_body("westeurope", "ZoneRedundant")

    redundancy = body["properties"]["redundancySettings"]
    assert redundancy == {"standardTierStorageRedundancy": "ZoneRedundant"}
    assert body["tags"] == {"vmbackup-made-by": "vmbackup"}


# Work.


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        ("InProgress", Progress.RUNNING),
        ("Cancelling", Progress.RUNNING),
        ("Completed", Progress.SUCCEEDED),
        ("CompletedWithWarnings", Progress.SUCCEEDED),
        ("Failed", Progress.FAILED),
        ("Cancelled", Progress.FAILED),
        ("SomethingNew", Progress.RUNNING),
    ],
)
def test_a_job_is_joined_to_its_vm_by_its_container(status: str, progress: Progress) -> None:
    job = parse_job(
        {
            "name": "DB580642-065C-4748-8E9B-7FA0D87DD1BB",
            "properties": {
                "operation": "ConfigureBackup",
                "status": status,
                "startTime": "2024-04-28T06:41:54.0788714Z",
                "containerName": "iaasvmcontainerv2;RG-App;Web",
            },
        }
    )

    assert job.concerns(WEB)
    assert job.progress is progress
    assert job.id == "db580642-065c-4748-8e9b-7fa0d87dd1bb"


def test_a_job_filter_has_twelve_hour_times_and_both_ends() -> None:
    since, until = datetime(2026, 3, 2, 20, 5, tzinfo=UTC), datetime(2026, 3, 3, 0, 5, tzinfo=UTC)

    written = jobs_filter(since, until)

    assert "startTime eq '2026-03-02 08:05:00 PM'" in written
    assert "endTime eq '2026-03-03 12:05:00 AM'" in written
    assert "operation eq 'ConfigureBackup'" in written


@pytest.mark.parametrize(
    ("status", "body", "facts"),
    [
        (200, {"status": "InProgress"}, OperationFacts(Progress.RUNNING)),
        (200, {"status": "Succeeded"}, OperationFacts(Progress.SUCCEEDED)),
        (
            200,
            {"status": "Failed", "error": {"code": "UserErrorX", "message": "no"}},
            OperationFacts(Progress.FAILED, "UserErrorX", "no"),
        ),
        (200, {"status": "Canceled"}, OperationFacts(Progress.FAILED, "Canceled", "")),
        (202, None, OperationFacts(Progress.RUNNING)),
        (204, None, OperationFacts(Progress.SUCCEEDED)),
        (200, {"id": "a resource"}, OperationFacts(Progress.SUCCEEDED)),
    ],
)
def test_an_operation_says_how_far_it_is_in_two_ways(
    status: int, body: Any, facts: OperationFacts
) -> None:
    assert parse_operation(status, body) == facts


@pytest.mark.parametrize(
    ("name", "count", "vms"), [("AzureIaasVM", 7, 7), ("MAB", 3, 0), ("AzureIaasVM", None, 0)]
)
def test_a_vaults_summary_counts_its_vms(name: str, count: Any, vms: int) -> None:
    assert protected_vms({"name": {"value": name}, "currentValue": count}) == vms


def test_a_vm_without_a_machine_id_yet_is_read_all_the_same() -> None:
    body = vm_body()
    del body["properties"]["vmId"]

    assert parse_vm(body).machine == ""
