"""A machine made from restored disks: it boots or does not, answers or does not, and goes."""

from datetime import timedelta

import pytest

from azsim.guests import Boot, Conduct
from azsim.world import World
from tests.contract.operator_desk import SUBSCRIPTION, refused
from tests.contract.restore_desk import TARGET, RestoreDesk


@pytest.fixture
def desk(world: World) -> RestoreDesk:
    return RestoreDesk.open(world, data_disks=1, tags={"backup": "gold"})


def spoilt(desk: RestoreDesk, conduct: Conduct) -> None:
    """Let the copy of the machine behave so, restore it and start it."""
    desk.world.vaults.spoil_points(desk.vm.id, conduct)
    desk.restored()
    desk.copy()
    desk.later(minutes=5)


def agent(desk: RestoreDesk) -> str:
    view = desk.compute.virtual_machines.instance_view(TARGET, "copy")
    return str(view.vm_agent.statuses[0].display_status)


def test_a_copy_is_made_of_restored_disks_and_runs(desk: RestoreDesk) -> None:
    desk.restored()

    copy = desk.copy()

    view = desk.compute.virtual_machines.instance_view(TARGET, "copy")
    assert [status.code for status in view.statuses] == [
        "ProvisioningState/succeeded",
        "PowerState/running",
    ]
    assert copy.properties.vm_id != desk.vm.vm_id
    assert copy.tags is None or copy.tags == {}
    assert desk.disks()[0].managed_by == copy.id
    assert desk.disks()[0].properties.creation_data.create_option == "Restore"


def test_a_healthy_copy_reaches_its_login_and_its_agent_is_ready(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(says=("canary 2026-03-02 abc",)))

    assert "web login:" not in desk.console()
    assert desk.console().rstrip().endswith("copy login:")
    assert "canary 2026-03-02 abc" in desk.console()
    assert agent(desk) == "Ready"


def test_the_serial_log_is_not_there_at_once(desk: RestoreDesk) -> None:
    desk.restored()
    desk.copy()
    machine = desk.world.machines.find(
        f"{desk.group_id}/providers/Microsoft.Compute/virtualMachines/copy"
    )
    assert machine is not None
    desk.world.machines.start(machine.id)
    links = desk.compute.virtual_machines.retrieve_boot_diagnostics_data(TARGET, "copy")

    answer = desk.ask("GET", links.serial_console_log_blob_uri)

    assert (answer.status, answer.headers["x-ms-error-code"]) == (404, "BlobNotFound")


def test_a_link_to_the_log_runs_out(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct())
    links = desk.compute.virtual_machines.retrieve_boot_diagnostics_data(
        TARGET, "copy", sas_uri_expiration_time_in_minutes=10
    )
    desk.later(minutes=11)

    assert desk.ask("GET", links.serial_console_log_blob_uri).status == 403


@pytest.mark.parametrize(
    ("boot", "text"),
    [
        (Boot.PANIC, "Kernel panic - not syncing"),
        (Boot.EMERGENCY, "You are in emergency mode"),
        (Boot.HANG, "storvsc"),
    ],
)
def test_a_copy_that_does_not_boot_says_so_and_provisions_all_the_same(
    desk: RestoreDesk, boot: Boot, text: str
) -> None:
    spoilt(desk, Conduct(boot=boot))

    found = desk.compute.virtual_machines.get(TARGET, "copy")
    assert found.properties.provisioning_state == "Succeeded"
    assert text in desk.console()
    assert "login:" not in desk.console()
    assert agent(desk) == "Not Ready"


def test_the_screen_of_a_broken_copy_differs_from_a_healthy_one(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(boot=Boot.PANIC))
    machines = desk.compute.virtual_machines
    broken = machines.retrieve_boot_diagnostics_data(TARGET, "copy").console_screenshot_blob_uri
    desk.world.machines.create(
        subscription=SUBSCRIPTION,
        group=TARGET,
        name="well",
        location="westeurope",
        model={"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}},
    )
    desk.later(minutes=5)
    well = machines.retrieve_boot_diagnostics_data(TARGET, "well").console_screenshot_blob_uri

    pictures = [desk.ask("GET", link).body for link in (broken, well)]

    assert pictures[0] != pictures[1]
    assert all(isinstance(picture, bytes) and picture[:2] == b"BM" for picture in pictures)


def test_the_source_is_not_touched_by_what_its_copies_do(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(boot=Boot.PANIC))

    assert desk.vm.agent_ready


def test_an_agent_may_be_late(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(agent_late=timedelta(minutes=20)))

    early = agent(desk)
    desk.later(minutes=20)

    assert (early, agent(desk)) == ("Not Ready", "Ready")


def test_a_script_succeeds_on_a_healthy_copy(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct())

    desk.run()
    desk.later(minutes=1)

    assert (desk.ran().execution_state, desk.ran().exit_code) == ("Succeeded", 0)


def test_a_script_fails_where_the_guest_is_wrong(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(exit_code=3))

    desk.run()
    desk.later(minutes=1)

    assert (desk.ran().execution_state, desk.ran().exit_code) == ("Failed", 3)


def test_a_script_ends_with_the_code_that_its_last_line_says(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct())

    desk.run("echo must fail\nexit 42\n")
    desk.later(minutes=1)

    assert (desk.ran().execution_state, desk.ran().exit_code) == ("Failed", 42)


def test_a_script_without_a_result_times_out(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(answers=False))

    desk.run(timeoutInSeconds=300)
    desk.later(minutes=3)
    running = desk.ran().execution_state
    desk.later(minutes=5)

    assert (running, desk.ran().execution_state) == ("Running", "TimedOut")


def test_a_script_on_a_copy_without_agent_is_given_up(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(boot=Boot.HANG))

    desk.run()
    desk.later(minutes=95)

    found = desk.compute.virtual_machine_run_commands.get_by_virtual_machine(
        TARGET, "copy", "check"
    )
    assert found.properties.provisioning_state == "Failed"


def test_a_script_waits_for_a_late_agent(desk: RestoreDesk) -> None:
    spoilt(desk, Conduct(agent_late=timedelta(minutes=20)))

    desk.run()
    desk.later(minutes=1)
    waiting = desk.ran().execution_state
    desk.later(minutes=25)

    assert (waiting, desk.ran().execution_state) == ("Pending", "Succeeded")


def test_a_disk_that_is_attached_is_not_deleted(desk: RestoreDesk) -> None:
    desk.restored()
    desk.copy()
    name = desk.disks()[0].name

    status, code = refused(lambda: desk.compute.disks.begin_delete(TARGET, name))

    assert (status, code) == (409, "OperationNotAllowed")


def test_an_attached_disk_goes_to_no_other_machine(desk: RestoreDesk) -> None:
    desk.restored()
    desk.copy()

    status, _ = refused(lambda: desk.copy("second"))

    assert status == 409


def test_a_copy_takes_disks_and_interface_along_when_it_goes(desk: RestoreDesk) -> None:
    desk.restored()
    desk.copy()
    before = desk.left()

    desk.compute.virtual_machines.begin_delete(TARGET, "copy").result()

    assert before == ["disks", "disks", "networkInterfaces", "virtualMachines", "virtualNetworks"]
    assert desk.left() == ["virtualNetworks"]


def test_an_interface_that_is_used_is_not_deleted(desk: RestoreDesk) -> None:
    desk.restored()
    copy = desk.copy()
    nic = copy.properties.network_profile.network_interfaces[0].id

    answer = desk.ask("DELETE", nic)

    assert answer.status == 400
    assert answer.body["error"]["code"] == "NicInUse"  # type: ignore[index,call-overload]


def test_an_interface_that_stays_is_deleted_by_itself(desk: RestoreDesk) -> None:
    desk.restore_to("web-02")
    desk.later(minutes=15)
    copy = desk.compute.virtual_machines.get(TARGET, "web-02")
    nic = copy.properties.network_profile.network_interfaces[0].id
    desk.compute.virtual_machines.begin_delete(TARGET, "web-02").result()
    left = desk.left()

    answer = desk.ask("DELETE", nic)
    desk.later(minutes=1)

    assert left == ["disks", "disks", "networkInterfaces", "virtualNetworks"]
    assert answer.status == 202
    assert desk.ask("GET", nic).status == 404


def test_a_network_with_a_machine_in_it_is_not_deleted(desk: RestoreDesk) -> None:
    desk.restored()
    desk.copy()

    answer = desk.ask("DELETE", desk.network.id)

    assert answer.body["error"]["code"] == "InUseSubnetCannotBeDeleted"  # type: ignore[index,call-overload]


def test_a_copy_with_a_profile_of_its_own_is_refused(desk: RestoreDesk) -> None:
    desk.restored()

    answer = refused(lambda: desk.copy(osProfile={"computerName": "copy"}))

    assert answer == (400, "InvalidParameter")


def test_a_copy_in_a_subnet_that_is_not_there_is_refused(desk: RestoreDesk) -> None:
    desk.restored()

    nics = desk.nics(f"{desk.network.id}/subnets/none")

    assert refused(lambda: desk.copy(networkProfile=nics)) == (400, "InvalidResourceReference")


def test_a_copy_of_another_security_type_than_its_disk_is_refused(world: World) -> None:
    desk = RestoreDesk.open(world, security_type="TrustedLaunch")
    desk.restored()

    assert refused(desk.copy)[0] == 400


def test_a_second_copy_of_the_same_name_is_refused(desk: RestoreDesk) -> None:
    desk.restored()
    desk.copy()

    assert refused(desk.copy) == (412, "PreconditionFailed")
