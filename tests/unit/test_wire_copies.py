"""What is read of copies: machines, interfaces, disks, scripts; as recorded and as specified."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.openapi import SHARED
from vmbackup_core.adapters.wire_copies import parse_check, parse_copy, parse_interface
from vmbackup_core.adapters.wire_disks import parse_disk
from vmbackup_core.domain.drill.facts import CheckProgress, Plan
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.facts import Power, Provisioning

RECORDED = SHARED / "recorded" / "test_run_command_v2.json"
recorded = pytest.mark.skipif(not RECORDED.exists(), reason="no recorded exchanges beside us")
VM = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/Drill-1"
NIC = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/networkInterfaces/N"


def answers(path: str, expand: str) -> list[Any]:
    return [
        e["response"]
        for e in json.loads(RECORDED.read_text())
        if e["method"] == "GET" and e["path"].endswith(path) and e["query"].get("$expand") == expand
    ]


def machine(**more: Any) -> dict[str, Any]:
    view = more.pop("view", {})
    properties = {"vmId": "A", "provisioningState": "Succeeded", "instanceView": view}
    return {"id": VM, "name": "Drill-1", "location": "westeurope", "properties": properties, **more}


@recorded
def test_a_recorded_script_that_failed_has_its_code() -> None:
    (body,) = answers("/runCommands/cmd-000003", "instanceView")

    found = parse_check(body)

    assert (found.progress, found.exit_code) == (CheckProgress.ENDED, 127)
    assert "Write-Host: command not found" in found.error
    assert "exit status=127" in found.message


@recorded
def test_a_recorded_machine_has_its_heartbeat() -> None:
    body = answers("/virtualMachines/vm-000002", "instanceView")[0]

    found = parse_copy(body, (), "")

    assert (found.provisioning, found.power) == (Provisioning.SUCCEEDED, Power.RUNNING)
    assert found.heartbeat is not None
    assert found.created is not None
    assert found.heartbeat > found.created


@pytest.mark.parametrize(
    ("state", "provisioning", "code", "progress"),
    [
        ("Succeeded", "Succeeded", 0, CheckProgress.ENDED),
        ("Failed", "Succeeded", 1, CheckProgress.ENDED),
        ("Failed", "Succeeded", None, CheckProgress.UNREACHABLE),
        ("Succeeded", "Succeeded", None, CheckProgress.UNREACHABLE),
        ("TimedOut", "Succeeded", None, CheckProgress.TIMED_OUT),
        ("TimedOut", "Failed", None, CheckProgress.TIMED_OUT),
        ("Canceled", "Succeeded", None, CheckProgress.UNREACHABLE),
        ("Unknown", "Failed", None, CheckProgress.UNREACHABLE),
        ("", "Failed", None, CheckProgress.UNREACHABLE),
        ("", "Creating", None, CheckProgress.RUNNING),
        ("Unknown", "Creating", None, CheckProgress.RUNNING),
        ("Pending", "Creating", None, CheckProgress.RUNNING),
        ("Running", "Updating", None, CheckProgress.RUNNING),
    ],
)
def test_only_an_exit_code_is_a_result(
    state: str, provisioning: str, code: int | None, progress: CheckProgress
) -> None:
    view = {"executionState": state, "exitCode": code}
    body = {"properties": {"provisioningState": provisioning, "instanceView": view}}

    found = parse_check(body)

    assert (found.progress, found.exit_code) == (progress, code)


@pytest.mark.parametrize(
    ("identity", "found"),
    [
        (None, ()),
        ({"type": "None"}, ()),
        ({"type": "SystemAssigned", "principalId": "p"}, ("SystemAssigned",)),
        ({"type": "UserAssigned", "userAssignedIdentities": {"/A": {}, "/B": {}}}, ("/a", "/b")),
        (
            {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/A": {}}},
            ("SystemAssigned", "/a"),
        ),
        ({"type": "UserAssigned"}, ("UserAssigned",)),
        ({"type": "SomethingNew"}, ("SomethingNew",)),
    ],
)
def test_every_identity_is_seen(identity: Any, found: tuple[str, ...]) -> None:
    assert parse_copy(machine(identity=identity), (), "").identities == found


def test_extensions_are_seen_in_both_places() -> None:
    body = machine(
        resources=[{"name": "AzureMonitor", "id": f"{VM}/extensions/AzureMonitor"}],
        view={"extensions": [{"name": "AzureMonitor"}, {"name": "MDE.Linux"}]},
    )

    assert parse_copy(body, (), "").extensions == ("AzureMonitor", "MDE.Linux")


def test_a_failed_machine_says_why() -> None:
    status = {"code": "ProvisioningState/failed/AllocationFailed", "message": "No room."}

    found = parse_copy(machine(view={"statuses": [status]}), (), "")

    assert (found.code, found.message) == ("AllocationFailed", "No room.")


def test_an_agent_that_is_not_ready_has_no_heartbeat() -> None:
    status = {"displayStatus": "Not Ready", "time": "2026-03-02T10:00:00+00:00"}

    found = parse_copy(machine(view={"vmAgent": {"statuses": [status]}}), (), "")

    assert found.heartbeat is None


def interface(**address: Any) -> dict[str, Any]:
    subnet = {"subnet": {"id": "/S/Subnets/Slot-1"}}
    return {
        "id": NIC,
        "properties": {"ipConfigurations": [{"properties": {**subnet, **address}}]},
    }


def test_an_interface_without_a_way_in_is_not_public() -> None:
    found = parse_interface(interface())

    assert (found.id, found.public, found.forwards) == (NIC.lower(), False, False)
    assert found.subnet_ids == ("/s/subnets/slot-1",)


@pytest.mark.parametrize(
    "way",
    [
        {"publicIPAddress": {"id": "/x"}},
        {"loadBalancerBackendAddressPools": [{"id": "/x"}]},
        {"loadBalancerInboundNatRules": [{"id": "/x"}]},
        {"applicationGatewayBackendAddressPools": [{"id": "/x"}]},
    ],
)
def test_any_way_in_makes_an_interface_public(way: dict[str, Any]) -> None:
    assert parse_interface(interface(**way)).public


def disk(**properties: Any) -> dict[str, Any]:
    return {"id": "/D", "name": "D", "properties": {"diskSizeGB": 30, **properties}}


def test_a_disk_is_read_as_specified() -> None:
    body = disk(
        osType="Windows",
        hyperVGeneration="V2",
        securityProfile={"securityType": "TrustedLaunch"},
        encryption={"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/Set"},
        encryptionSettingsCollection={"enabled": True},
        purchasePlan={"publisher": "p", "product": "o", "name": "n"},
        supportedCapabilities={"architecture": "x64", "diskControllerTypes": "SCSI, NVMe"},
        timeCreated="2026-03-02T10:00:00.1234567+00:00",
    )

    found = parse_disk(
        {
            **body,
            "tags": {"RSVaultBackup": "JOB"},
            "managedBy": "/VM",
            "zones": ["1"],
            "sku": {"name": "Premium_LRS"},
        }
    )

    assert (found.os_type, found.generation, found.security) == ("Windows", "V2", "TrustedLaunch")
    assert (found.encryption_set, found.ade) == ("/set", True)
    assert (found.plan, found.architecture) == (Plan("p", "o", "n"), "x64")
    assert found.controllers == ("SCSI", "NVMe")
    assert (found.restored_by, found.attached_to) == ("job", "/vm")
    assert (found.zones, found.sku) == (("1",), "Premium_LRS")
    assert found.created == datetime(2026, 3, 2, 10, 0, 0, 123456, UTC)


def test_a_plain_data_disk_says_little() -> None:
    found = parse_disk(disk())

    assert (found.os_type, found.security, found.ade, found.plan) == ("", "", False, None)


def test_a_disk_without_a_size_makes_no_sense() -> None:
    with pytest.raises(Malformed):
        parse_disk({"id": "/D", "name": "D", "properties": {}})
