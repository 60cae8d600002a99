"""Machines and disks as the real compute client sees them."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient

from azsim.arm_ids import ArmId
from azsim.run_commands import Ran
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.arm_calls import GROUP, SUBSCRIPTION, VM, ask, code

LINUX: dict[str, Any] = {
    "location": "westeurope",
    "tags": {"backup": "gold"},
    "properties": {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {
            "imageReference": {
                "publisher": "Canonical",
                "offer": "ubuntu-24_04-lts",
                "sku": "server",
                "version": "latest",
            },
            "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"},
            "dataDisks": [{"lun": 3, "createOption": "Empty", "diskSizeGB": 10}],
        },
        "osProfile": {"computerName": "web", "adminUsername": "u", "adminPassword": "secret"},
        "networkProfile": {"networkInterfaces": [{"id": f"{GROUP}/nic"}]},
    },
}


@pytest.fixture
def azure(world: World) -> World:
    world.groups.add_subscription(SUBSCRIPTION)
    world.groups.create(SUBSCRIPTION, "rg", "westeurope")
    return world


@pytest.fixture
def compute(azure: World, credential: TokenCredential) -> ComputeManagementClient:
    return ComputeManagementClient(
        credential,
        SUBSCRIPTION,
        base_url="https://management.azure.com",
        transport=SimTransport(azure),
    )


def place(azure: World, name: str = "web", **more: Any) -> str:
    return azure.machines.create(
        subscription=SUBSCRIPTION, group="rg", name=name, location="westeurope", **more
    ).id


def test_a_machine_is_created_over_time(azure: World, compute: ComputeManagementClient) -> None:
    before = azure.clock.now()

    machine = compute.virtual_machines.begin_create_or_update("rg", "web", LINUX).result()

    assert machine.provisioning_state == "Succeeded"
    assert azure.clock.now() - before >= timedelta(seconds=20)
    assert ArmId.parse(machine.id).name == "web"


def test_the_answer_to_a_creation_is_201_with_one_async_header(azure: World) -> None:
    answer = ask(azure, "PUT", VM, LINUX)

    assert answer.status == 201
    assert (
        "/providers/Microsoft.Compute/locations/westeurope/operations/"
        in (answer.headers["Azure-AsyncOperation"])
    )
    assert "Location" not in answer.headers
    assert answer.body["properties"]["provisioningState"] == "Creating"


def test_a_password_is_never_shown_again(azure: World) -> None:
    ask(azure, "PUT", VM, LINUX)

    assert "adminPassword" not in str(ask(azure, "GET", VM).body)


def test_the_agent_becomes_ready_after_the_machine(
    azure: World, compute: ComputeManagementClient
) -> None:
    compute.virtual_machines.begin_create_or_update("rg", "web", LINUX).result()

    early = compute.virtual_machines.instance_view("rg", "web").vm_agent.statuses[0]
    azure.clock.advance(timedelta(minutes=1))
    later = compute.virtual_machines.instance_view("rg", "web").vm_agent.statuses[0]

    assert (early.display_status, later.display_status) == ("Not Ready", "Ready")


def test_an_agent_that_never_comes_up_never_does(azure: World) -> None:
    vm_id = place(azure, agent_after=None)

    azure.clock.advance(timedelta(days=30))

    assert azure.machines.find(vm_id).agent_ready is False  # type: ignore[union-attr]


def test_a_machine_is_found_without_regard_to_case(azure: World) -> None:
    place(azure)

    assert azure.machines.find(VM.upper()) is azure.machines.find(VM.lower())


def test_a_stopped_machine_has_no_agent_status_and_a_power_state(
    azure: World, compute: ComputeManagementClient
) -> None:
    place(azure)

    compute.virtual_machines.begin_deallocate("rg", "web").result()
    view = compute.virtual_machines.get("rg", "web", expand="instanceView").instance_view

    assert view.vm_agent is None
    assert [status.code for status in view.statuses] == [
        "ProvisioningState/succeeded",
        "PowerState/deallocated",
    ]


def test_a_started_machine_needs_its_agent_s_time_again(
    azure: World, compute: ComputeManagementClient
) -> None:
    vm_id = place(azure, agent_after=timedelta(minutes=5))
    azure.clock.advance(timedelta(hours=1))
    compute.virtual_machines.begin_deallocate("rg", "web").result()

    compute.virtual_machines.begin_start("rg", "web").result()

    machine = azure.machines.find(vm_id)
    assert machine is not None
    assert (machine.power, machine.agent_ready) == ("running", False)


def test_a_patch_replaces_the_tags(azure: World, compute: ComputeManagementClient) -> None:
    place(azure, tags={"a": "1"})

    machine = compute.virtual_machines.begin_update("rg", "web", {"tags": {"b": "2"}}).result()

    assert machine.tags == {"b": "2"}


def test_a_deleted_machine_leaves_the_disks_that_are_not_to_be_deleted(
    azure: World, compute: ComputeManagementClient
) -> None:
    compute.virtual_machines.begin_create_or_update("rg", "web", LINUX).result()

    compute.virtual_machines.begin_delete("rg", "web").result()

    with pytest.raises(ResourceNotFoundError):
        compute.virtual_machines.get("rg", "web")
    assert [disk.disk_state for disk in compute.disks.list()] == ["Unattached"]


def test_deleting_what_is_not_there_is_no_error(azure: World) -> None:
    assert ask(azure, "DELETE", VM).status == 204


def test_a_machine_re_created_under_its_name_is_another_machine(azure: World) -> None:
    place(azure)
    first = azure.machines.find(VM).vm_id  # type: ignore[union-attr]
    azure.machines.delete(VM)

    place(azure)

    assert azure.machines.find(VM).vm_id != first  # type: ignore[union-attr]


def test_a_moved_machine_keeps_its_vm_id_under_another_arm_id(azure: World) -> None:
    place(azure)
    before = azure.machines.find(VM).vm_id  # type: ignore[union-attr]

    moved = azure.machines.move(VM, "other")

    assert azure.machines.find(VM) is None
    assert (moved.vm_id, moved.group) == (before, "other")
    assert moved.os_disk.group == "other"


def test_a_list_comes_in_pages_with_links(azure: World, compute: ComputeManagementClient) -> None:
    for number in range(120):
        place(azure, f"vm{number:03d}", created_by="past")

    names = [machine.name for machine in compute.virtual_machines.list_all()]

    assert names == [f"vm{number:03d}" for number in range(120)]
    assert len(azure.exchanges) == 3


def test_if_none_match_keeps_a_machine_from_being_overwritten(azure: World) -> None:
    place(azure)

    answer = ask(azure, "PUT", VM, LINUX, if_none_match="*")

    assert (answer.status, code(answer)) == (412, "PreconditionFailed")


@pytest.mark.asks_in_vain
def test_a_property_that_azsim_does_not_know_is_no_guess(azure: World) -> None:
    body = {**LINUX, "properties": {**LINUX["properties"], "newThing": 1}}

    answer = ask(azure, "PUT", VM, body)

    assert answer.status == 501


def test_a_machine_is_made_from_a_restored_disk(
    azure: World, compute: ComputeManagementClient
) -> None:
    disk = azure.machines.disks.create(
        subscription=SUBSCRIPTION,
        group="rg",
        name="web-osdisk",
        location="westeurope",
        tags={"RSVaultBackup": "job"},
        os_type="Linux",
        create_option="Restore",
    )
    body = {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {
                    "createOption": "Attach",
                    "osType": "Linux",
                    "deleteOption": "Delete",
                    "managedDisk": {"id": disk.id},
                }
            },
            "networkProfile": {
                "networkApiVersion": "2020-11-01",
                "networkInterfaceConfigurations": [
                    {
                        "name": "nic",
                        "properties": {
                            "primary": True,
                            "deleteOption": "Delete",
                            "ipConfigurations": [{"name": "ip"}],
                        },
                    }
                ],
            },
        },
    }

    machine = compute.virtual_machines.begin_create_or_update("rg", "copy", body).result()

    assert machine.storage_profile.os_disk.managed_disk.id == disk.id
    assert machine.os_profile is None
    assert machine.network_profile.network_interfaces[0].delete_option == "Delete"


def test_a_disk_in_use_is_not_deleted(azure: World, compute: ComputeManagementClient) -> None:
    place(azure)
    name = next(iter(compute.disks.list())).name

    with pytest.raises(HttpResponseError, match="is attached to VM"):
        compute.disks.begin_delete("rg", name)


def test_a_script_reports_its_exit_code_though_the_command_succeeded(
    azure: World, compute: ComputeManagementClient
) -> None:
    place(azure)
    azure.machines.run_commands.interpreter = lambda machine, name, script: Ran(3, "out", "err")
    body = {"location": "westeurope", "properties": {"source": {"script": "exit 3"}}}

    command = compute.virtual_machine_run_commands.begin_create_or_update(
        "rg", "web", "check", body
    ).result()
    view = compute.virtual_machine_run_commands.get_by_virtual_machine(
        "rg", "web", "check", expand="instanceView"
    ).instance_view

    assert command.provisioning_state == "Succeeded"
    assert (view.execution_state, view.exit_code, view.output) == ("Failed", 3, "out")


def test_boot_diagnostics_answer_with_two_links(azure: World) -> None:
    place(azure, model={"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}})

    answer = ask(azure, "POST", f"{VM}/retrieveBootDiagnosticsData")

    assert set(answer.body) == {"consoleScreenshotBlobUri", "serialConsoleLogBlobUri"}


def test_the_graph_s_row_of_a_machine_has_its_power_state_and_vm_id(azure: World) -> None:
    place(azure, tags={"backup": "gold"}, power="deallocated")

    row = next(azure.machines.graph_rows())

    assert row["type"] == "microsoft.compute/virtualmachines"
    assert row["properties"]["extended"]["instanceView"]["powerState"] == {
        "code": "PowerState/deallocated",
        "level": "Info",
        "displayStatus": "VM deallocated",
    }
    assert row["properties"]["vmId"] == azure.machines.find(VM).vm_id  # type: ignore[union-attr]


def test_a_creation_that_fails_late_leaves_a_failed_machine(azure: World) -> None:
    from azsim.faults import Fault, Kind

    azure.faults.add(Fault(Kind.LATE_FAILURE, "machines.put", code="AllocationFailed", message="x"))

    started = ask(azure, "PUT", VM, LINUX)
    azure.clock.advance(timedelta(minutes=5))
    operation = ask(azure, "GET", started.headers["Azure-AsyncOperation"])

    assert operation.body["error"]["code"] == "AllocationFailed"
    assert ask(azure, "GET", VM).body["properties"]["provisioningState"] == "Failed"


def test_ten_thousand_machines_need_no_timers(azure: World) -> None:
    for number in range(10_000):
        place(azure, f"vm{number}", created_by="past")

    assert azure.clock.next_due() is None
    assert len(azure.machines.in_subscription(SUBSCRIPTION)) == 10_000
