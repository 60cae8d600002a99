"""Azure's JSON read into facts, and wishes written as Azure's JSON."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from vmbackup_core.adapters.wire import place, time_at
from vmbackup_core.adapters.wire_items import (
    is_vm_item,
    parse_item,
    parse_vault,
    protection_body,
    undelete_body,
    vault_body,
)
from vmbackup_core.adapters.wire_machines import (
    attached_os_disk,
    parse_vm,
    parse_vm_row,
    restored_by,
)
from vmbackup_core.adapters.wire_policies import is_vm_policy, parse_policy, policy_body
from vmbackup_core.adapters.wire_work import jobs_filter, parse_job, parse_operation
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.facts import Agent, DiskExclusion, ItemState, Power, Provisioning
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.operations import OperationFacts, Progress
from vmbackup_core.domain.policies import PolicyKind, PolicySpec, Retention
from vmbackup_core.domain.schedules import (
    Daily,
    DayOfYear,
    Hourly,
    Month,
    MonthDay,
    NthWeekday,
    Week,
    Weekday,
    Weekly,
)

SHARED = Path(__file__).parents[3] / "shared"
BACKUP_EXAMPLES = (
    SHARED / "specs/specification/recoveryservicesbackup/resource-manager"
    "/Microsoft.RecoveryServices/stable/2024-04-01/examples"
)
needs_specs = pytest.mark.skipif(
    not BACKUP_EXAMPLES.exists(), reason="the official specifications are not on this machine"
)
needs_recordings = pytest.mark.skipif(
    not (SHARED / "recorded").exists(), reason="the recorded exchanges are not on this machine"
)

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


@pytest.mark.parametrize(("state", "ready"), [("Succeeded", True), ("Provisioning", False)])
def test_a_vault_is_ready_once_it_is_provisioned(state: str, ready: bool) -> None:
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


# Policies.

KEPT = Retention(
    daily_days=30,
    weekly_weeks=12,
    monthly_months=12,
    yearly_years=3,
    snapshot_days=5,
    weekly_on=frozenset({Weekday.SUNDAY}),
    monthly_on=frozenset({NthWeekday(Week.FIRST, Weekday.SUNDAY)}),
    yearly_on=frozenset({DayOfYear(Month.JANUARY, NthWeekday(Week.FIRST, Weekday.SUNDAY))}),
)
SPECS = [
    pytest.param(
        PolicySpec("daily", PolicyKind.STANDARD, Daily(time(22, 30)), KEPT), id="V1-daily"
    ),
    pytest.param(
        PolicySpec(
            "weekly",
            PolicyKind.STANDARD,
            Weekly(frozenset({Weekday.SUNDAY, Weekday.FRIDAY}), time(22)),
            replace(KEPT, daily_days=0, weekly_on=frozenset({Weekday.SUNDAY, Weekday.FRIDAY})),
            time_zone="W. Europe Standard Time",
        ),
        id="V1-weekly",
    ),
    pytest.param(
        PolicySpec(
            "hourly",
            PolicyKind.ENHANCED,
            Hourly(timedelta(hours=4), time(6), timedelta(hours=12)),
            KEPT,
        ),
        id="V2-hourly",
    ),
    pytest.param(
        PolicySpec("daily2", PolicyKind.ENHANCED, Daily(time(6)), replace(KEPT, snapshot_days=30)),
        id="V2-daily",
    ),
    pytest.param(
        PolicySpec(
            "weekly2",
            PolicyKind.ENHANCED,
            Weekly(frozenset({Weekday.SUNDAY}), time(22)),
            Retention(weekly_weeks=4, snapshot_days=7),
        ),
        id="V2-weekly",
    ),
    pytest.param(
        PolicySpec(
            "by-date",
            PolicyKind.STANDARD,
            Daily(time(22)),
            replace(
                KEPT,
                monthly_on=frozenset({MonthDay(1), MonthDay(0)}),
                yearly_on=frozenset(
                    {DayOfYear(Month.JANUARY, MonthDay(1)), DayOfYear(Month.JULY, MonthDay(1))}
                ),
            ),
        ),
        id="by-date",
    ),
]


@pytest.mark.parametrize("spec", SPECS)
def test_a_policy_that_is_written_reads_back_as_it_was_meant(spec: PolicySpec) -> None:
    assert parse_policy({"name": spec.name, **policy_body(spec)}) == spec.as_facts()


@pytest.mark.parametrize("spec", SPECS)
def test_every_key_of_a_policy_is_one_that_the_sdks_model_knows(spec: PolicySpec) -> None:
    from azure.mgmt.recoveryservicesbackup import models

    written = policy_body(spec)

    model = models.ProtectionPolicyResource(written)

    assert isinstance(model.properties, models.AzureIaaSVMProtectionPolicy)
    assert model.properties.schedule_policy is not None
    assert type(model.properties.schedule_policy) in (
        models.SimpleSchedulePolicy,
        models.SimpleSchedulePolicyV2,
    )
    assert type(model.properties.retention_policy) is models.LongTermRetentionPolicy
    assert unknown_keys(model, written) == []


def unknown_keys(model: Any, written: Any, path: str = "") -> list[str]:
    """Return the keys in `written` that are none of the model's fields, with their paths."""
    if isinstance(written, list):
        pairs = zip(model, written, strict=True)
        return [key for one, other in pairs for key in unknown_keys(one, other, path)]
    if not isinstance(written, dict):
        return []
    known = {field._rest_name: name for name, field in type(model)._attr_to_rest_field.items()}
    strange = [f"{path}.{key}" for key in written if key not in known]
    below = [
        found
        for key in written
        if key in known
        for found in unknown_keys(getattr(model, known[key]), written[key], f"{path}.{key}")
    ]
    return strange + below


def policy(**changes: Any) -> Any:
    body = policy_body(PolicySpec("daily", PolicyKind.STANDARD, Daily(time(22)), KEPT))
    return {"name": "daily", "properties": {**body["properties"], **changes}}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"policyType": "V3"}, id="another-kind"),
        pytest.param({"policyType": "V2"}, id="a-V1-schedule-in-a-V2-policy"),
        pytest.param({"schedulePolicy": None}, id="no-schedule"),
        pytest.param(
            {"schedulePolicy": {"schedulePolicyType": "LogSchedulePolicy"}}, id="another-schedule"
        ),
        pytest.param({"retentionPolicy": None}, id="no-retention"),
        pytest.param(
            {"retentionPolicy": {"retentionPolicyType": "SimpleRetentionPolicy"}},
            id="another-retention",
        ),
        pytest.param({"instantRpRetentionRangeInDays": None}, id="snapshots-unknown"),
        pytest.param({"tieringPolicy": {"ArchivedRP": {"tieringMode": "TierAfter"}}}, id="archive"),
        pytest.param(
            {
                "schedulePolicy": {
                    "schedulePolicyType": "SimpleSchedulePolicy",
                    "scheduleRunFrequency": "Daily",
                    "scheduleRunTimes": ["2024-01-01T01:00:00Z", "2024-01-01T02:00:00Z"],
                }
            },
            id="two-times",
        ),
        pytest.param(
            {
                "schedulePolicy": {
                    "schedulePolicyType": "SimpleSchedulePolicy",
                    "scheduleRunFrequency": "Weekly",
                    "scheduleRunDays": ["Caturday"],
                    "scheduleRunTimes": ["2024-01-01T01:00:00Z"],
                }
            },
            id="a-strange-day",
        ),
    ],
)
def test_a_policy_with_a_part_that_we_do_not_know_compares_with_nothing(changes: Any) -> None:
    assert parse_policy(policy(**changes)).schedule is None


def test_a_policy_that_does_not_tier_is_understood() -> None:
    untiered = {"ArchivedRP": {"tieringMode": "DoNotTier", "duration": 0}}

    assert parse_policy(policy(tieringPolicy=untiered)).schedule == Daily(time(22))


def test_days_that_azure_cannot_express_are_a_bug_and_not_a_guess() -> None:
    uneven = frozenset(
        {NthWeekday(Week.FIRST, Weekday.SUNDAY), NthWeekday(Week.LAST, Weekday.FRIDAY)}
    )
    spec = PolicySpec(
        "uneven", PolicyKind.STANDARD, Daily(time(22)), replace(KEPT, monthly_on=uneven)
    )

    with pytest.raises(ValueError, match="the same weekdays"):
        policy_body(spec)


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


# Against what Azure has really said and promised.


def examples(*names: str) -> Iterator[Any]:
    for name in names:
        yield json.loads((BACKUP_EXAMPLES / name).read_text())


def recorded(kind: str) -> list[Any]:
    """Return every recorded resource of one type, alone or in a list."""
    found = []
    for path in sorted((SHARED / "recorded").glob("*.json")):
        for exchange in json.loads(path.read_text()):
            body = exchange["response"]
            listed = body.get("value", [body]) if isinstance(body, dict) else []
            found += [
                one
                for one in listed
                if isinstance(one, dict) and str(one.get("type", "")).lower().endswith(kind)
            ]
    return found


@needs_specs
@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("AzureIaasVm/V2Policy/IaaS_v2_daily.json", Daily(time(10))),
        (
            "AzureIaasVm/V2Policy/IaaS_v2_hourly.json",
            Hourly(timedelta(hours=4), time(8), timedelta(hours=16)),
        ),
        ("AzureIaasVm/V2Policy/v2-Get-Policy.json", Daily(time(10))),
    ],
)
def test_the_specifications_examples_of_policies_are_read(name: str, schedule: Any) -> None:
    (example,) = examples(name)

    read = parse_policy(example["responses"]["200"]["body"])

    assert (read.kind, read.schedule) == (PolicyKind.ENHANCED, schedule)
    assert read.crash_consistent


@needs_specs
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("AzureIaasVm/Compute_ProtectedItem_Get.json", ItemState.PROTECTED),
        ("AzureIaasVm/ConfigureProtection.json", ItemState.PROTECTED),
        ("AzureIaasVm/StopProtection.json", ItemState.STOPPED),
    ],
)
def test_the_specifications_examples_of_items_are_read(name: str, state: ItemState) -> None:
    (example,) = examples(name)

    item = parse_item(example["responses"]["200"]["body"])

    assert (item.state, item.policy) == (state, "testPolicy1")


@needs_specs
def test_the_specifications_examples_of_jobs_are_read() -> None:
    (example,) = examples("Common/ListJobs.json")

    jobs = [parse_job(body) for body in example["responses"]["200"]["body"]["value"]]

    assert [(j.operation, j.progress) for j in jobs] == [
        ("Backup", Progress.RUNNING),
        ("ConfigureBackup", Progress.SUCCEEDED),
    ]


@needs_specs
def test_protecting_is_written_as_the_specifications_example_has_it() -> None:
    (example,) = examples("AzureIaasVm/ConfigureProtection.json")
    written = protection_body(WEB, VAULT, "gold", None)["properties"]

    assert set(written) == set(example["parameters"]["parameters"]["properties"])


@needs_recordings
def test_every_recorded_policy_for_vms_is_read() -> None:
    found = [parse_policy(body) for body in recorded("/backuppolicies") if is_vm_policy(body)]
    unread = {policy.name for policy in found if policy.schedule is None}

    assert len(found) > 30
    assert unread == {"clitest-policy000009"}  # It moves its points to the archive.


@needs_recordings
def test_every_recorded_item_is_read() -> None:
    found = [parse_item(body) for body in recorded("/protecteditems")]

    assert {item.state for item in found} == {
        ItemState.PROTECTED,
        ItemState.STOPPED,
        ItemState.SOFT_DELETED,
    }


@needs_recordings
def test_every_recorded_machine_is_read() -> None:
    found = [parse_vm(body) for body in recorded("microsoft.compute/virtualmachines")]

    assert len(found) > 20
    assert {vm.agent for vm in found} == set(Agent)


@needs_recordings
def test_every_recorded_job_is_read() -> None:
    found = [parse_job(body) for body in recorded("/backupjobs")]

    assert {"ConfigureBackup", "Undelete", "Backup"} <= {job.operation for job in found}
    assert {job.progress for job in found} == {Progress.RUNNING, Progress.SUCCEEDED}


@needs_recordings
def test_an_undelete_is_written_as_it_was_recorded() -> None:
    exchanges = json.loads((SHARED / "recorded" / "test_backup_softdelete.json").read_text())
    sent = [e["request"] for e in exchanges if e["method"] == "PUT" and e["request"]]
    (recorded_undelete,) = [body for body in sent if "isRehydrate" in body["properties"]]

    ours, theirs = undelete_body(WEB)["properties"], recorded_undelete["properties"]

    assert {**ours, "sourceResourceId": ""} == {**theirs, "sourceResourceId": ""}
