"""Machines made of restored disks in a slot, through the adapter, on a simulated Azure."""

import json
from datetime import timedelta
from typing import Any

import pytest

from azsim.faults import Fault, Kind
from azsim.guests import Boot, Conduct
from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT
from tests.contract.drill_desk import NAME, OURS, PLACE, SLOT, DrillDesk
from vmbackup_core.domain.drill.facts import (
    AttachedDisk,
    CheckFacts,
    CheckProgress,
    ConsoleFacts,
    CopyFacts,
    GuestCheck,
    Plan,
    Thing,
)
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Denied, Gone, Rejected, Retryable, Stale
from vmbackup_core.domain.facts import Agent, Power, Provisioning, Tags

WEST = PLACE.location
CHECK = GuestCheck("shop-is-up", "Linux", "test -f /srv/shop", timedelta(minutes=5))
NO_SLOT = Slot(PLACE, 9)
GUARD = f"{PLACE.group_id}/providers/microsoft.network/networksecuritygroups/slot-1"


@pytest.fixture
def desk(world: World) -> DrillDesk:
    return DrillDesk(world, data_disks=1, tags={"backup": "gold"})


def spoilt(desk: DrillDesk, conduct: Conduct) -> None:
    desk.world.vaults.spoil_points(desk.vm.id, conduct)
    desk.copied()


def seen(desk: DrillDesk) -> CopyFacts:
    found = desk.copies.observe_copy(SLOT, NAME)
    assert found is not None
    return found


def checked(desk: DrillDesk) -> CheckFacts:
    found = desk.copies.observe_check(SLOT, NAME, CHECK.name)
    assert found is not None
    return found


def sent(desk: DrillDesk, route: str) -> Any:
    (exchange,) = [e for e in desk.world.exchanges if e.route == route]
    return json.loads(exchange.request.body)


def test_restored_disks_are_told_as_they_are(desk: DrillDesk) -> None:
    job = desk.restored()

    data, system = sorted(desk.copies.list_disks(SLOT), key=lambda disk: disk.name)

    assert system.id.startswith(f"{SLOT.id}/providers/microsoft.compute/disks/web01-osdisk-")
    assert (system.os_type, system.generation, system.size_gb) == ("Linux", "V2", 30)
    assert (system.restored_by, data.restored_by) == (job.id, job.id)
    assert (system.security, system.ade, system.attached_to) == ("", False, "")
    assert system.encryption == "EncryptionAtRestWithPlatformKey"
    assert (data.os_type, data.generation) == ("", "")
    assert system.created is not None
    assert system.created >= job.started


def test_a_disk_of_a_trusted_machine_says_so(world: World) -> None:
    desk = DrillDesk(world, security_type="TrustedLaunch")
    desk.restored()

    (system,) = desk.copies.list_disks(SLOT)

    assert system.security == "TrustedLaunch"


def test_a_slot_shows_all_that_lies_in_it(desk: DrillDesk) -> None:
    before = desk.copies.list_things(SLOT)
    desk.copied()

    things = desk.copies.list_things(SLOT)

    assert before == ()
    assert sorted(thing.type for thing in things) == [
        "microsoft.compute/disks",
        "microsoft.compute/disks",
        "microsoft.compute/virtualmachines",
        "microsoft.network/networkinterfaces",
    ]
    assert (
        Thing(
            f"{SLOT.id}/providers/microsoft.compute/virtualmachines/{NAME}",
            "microsoft.compute/virtualmachines",
            OURS,
        )
        in things
    )


@pytest.mark.parametrize("look", ["list_things", "list_disks"])
def test_a_slot_that_is_not_there_is_gone(desk: DrillDesk, look: str) -> None:
    with pytest.raises(Gone):
        getattr(desk.copies, look)(NO_SLOT)


@pytest.mark.parametrize("look", ["list_things", "list_disks"])
def test_a_slot_is_not_taken_for_gone_where_something_else_was_not_found(
    desk: DrillDesk, look: str
) -> None:
    desk.world.faults.add(Fault(Kind.NOT_FOUND))

    with pytest.raises(Retryable):
        getattr(desk.copies, look)(SLOT)


def test_a_copy_is_made_exactly_so(desk: DrillDesk) -> None:
    desk.restored()
    spec = desk.spec(network_security_group=GUARD, license="RHEL_BYOS", controller="SCSI")

    desk.copies.create_copy(spec)

    (exchange,) = [e for e in desk.world.exchanges if e.route == "machines.put"]
    assert exchange.request.header("if-none-match") == "*"
    assert sent(desk, "machines.put") == {
        "location": WEST,
        "tags": dict(OURS),
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "licenseType": "RHEL_BYOS",
            "storageProfile": {
                "diskControllerType": "SCSI",
                "osDisk": {
                    "createOption": "Attach",
                    "deleteOption": "Delete",
                    "osType": "Linux",
                    "caching": "ReadWrite",
                    "managedDisk": {"id": spec.os_disk.disk_id},
                },
                "dataDisks": [
                    {
                        "lun": 0,
                        "createOption": "Attach",
                        "deleteOption": "Delete",
                        "caching": "None",
                        "managedDisk": {"id": spec.data_disks[0].disk_id},
                    }
                ],
            },
            "networkProfile": {
                "networkApiVersion": "2020-11-01",
                "networkInterfaceConfigurations": [
                    {
                        "name": f"{NAME}-nic",
                        "properties": {
                            "primary": True,
                            "deleteOption": "Delete",
                            "networkSecurityGroup": {"id": GUARD},
                            "ipConfigurations": [
                                {"name": "ip", "properties": {"subnet": {"id": SLOT.subnet_id}}}
                            ],
                        },
                    }
                ],
            },
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        },
    }


def test_a_copy_has_nothing_but_what_it_was_given(desk: DrillDesk) -> None:
    asked = desk.clock.now()
    desk.copied()

    copy = seen(desk)

    assert copy.provisioning is Provisioning.SUCCEEDED
    assert (copy.power, copy.agent) == (Power.RUNNING, Agent.READY)
    assert copy.machine not in ("", desk.vm.vm_id)
    assert (copy.tags, copy.identities, copy.extensions) == (OURS, (), ())
    assert (copy.protected_in, copy.code, copy.message) == ("", "", "")
    assert copy.created is not None
    assert copy.heartbeat is not None
    assert asked < copy.created < copy.heartbeat
    (nic,) = copy.interfaces
    assert (nic.subnet_ids, nic.public, nic.forwards) == ((SLOT.subnet_id,), False, False)


def test_a_copy_that_is_only_waited_for_costs_one_call(desk: DrillDesk) -> None:
    desk.copied()
    before = len(desk.calls())

    copy = desk.copies.observe_copy(SLOT, NAME, closely=False)

    assert desk.calls()[before:] == ["machines.get"]
    assert copy is not None
    assert (copy.agent, copy.interfaces) == (Agent.READY, ())


def test_a_trusted_copy_takes_its_zone_and_plan_along(world: World) -> None:
    desk = DrillDesk(world, security_type="TrustedLaunch")

    desk.copied(
        security="TrustedLaunch", secure_boot=True, zones=("2",), plan=Plan("pub", "prod", "name")
    )

    body = sent(desk, "machines.put")
    assert body["zones"] == ["2"]
    assert body["plan"] == {"publisher": "pub", "product": "prod", "name": "name"}
    assert body["properties"]["securityProfile"] == {
        "securityType": "TrustedLaunch",
        "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
    }


def test_a_copy_that_is_there_is_not_written_over(desk: DrillDesk) -> None:
    desk.copied()

    with pytest.raises(Stale) as stale:
        desk.copies.create_copy(desk.spec())

    assert stale.value.code == "PreconditionFailed"


def test_what_azure_policy_adds_to_a_copy_is_seen(desk: DrillDesk) -> None:
    desk.copied()
    machine = desk.world.machines.find(
        f"{SLOT.id}/providers/Microsoft.Compute/virtualMachines/{NAME}"
    )
    assert machine is not None
    machine.identity = {
        "type": "SystemAssigned, UserAssigned",
        "userAssignedIdentities": {"/Id": {}},
    }
    vault = desk.world.vaults.find(SUB, VAULT.group, VAULT.name)
    assert vault is not None
    desk.world.vaults.protect(machine.id, vault)

    copy = seen(desk)

    assert copy.identities == ("SystemAssigned", "/id")
    assert copy.protected_in == str(VAULT)


def test_a_copy_that_could_not_be_made_says_why(desk: DrillDesk) -> None:
    desk.restored()
    desk.world.faults.add(Fault(Kind.LATE_FAILURE, "machines.put", code="AllocationFailed"))
    desk.copies.create_copy(desk.spec())
    desk.later(minutes=10)

    copy = seen(desk)

    assert copy.provisioning is Provisioning.FAILED
    assert copy.code != ""


def test_a_copy_that_was_never_made_is_not_there(desk: DrillDesk) -> None:
    assert desk.copies.observe_copy(SLOT, NAME) is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"name": "web-01"}, id="another-name"),
        pytest.param({"location": "northeurope"}, id="another-region"),
        pytest.param({"tags": Tags.of({"backup": "gold"})}, id="tags-of-its-source"),
        pytest.param({"tags": Tags.of({**dict(OURS), "backup": "gold"})}, id="more-tags"),
        pytest.param({"slot": Slot(PLACE, 2)}, id="disks-of-another-slot"),
        pytest.param({"os_disk": AttachedDisk("/subscriptions/x", None)}, id="disk-of-elsewhere"),
        pytest.param({"network_security_group": "/subscriptions/x"}, id="guard-of-elsewhere"),
        pytest.param({"security": "ConfidentialVM"}, id="confidential"),
    ],
)
def test_another_machine_than_a_copy_does_not_leave(
    desk: DrillDesk, changes: dict[str, Any]
) -> None:
    desk.restored()
    spec = desk.spec(**changes)

    with pytest.raises(Denied, match="last gate"):
        desk.copies.create_copy(spec)

    assert "machines.put" not in desk.calls()


def test_a_healthy_copy_shows_its_login(desk: DrillDesk) -> None:
    desk.copied()

    console = desk.copies.observe_console(SLOT, NAME)

    assert console.log is not None
    assert console.log.rstrip().endswith("login:")
    assert console.screenshot is not None
    assert console.screenshot.startswith(b"BM")


def test_a_panic_stands_in_the_log(desk: DrillDesk) -> None:
    spoilt(desk, Conduct(boot=Boot.PANIC))

    assert "Kernel panic" in str(desk.copies.observe_console(SLOT, NAME).log)


def test_soon_after_its_start_a_copy_shows_nothing(desk: DrillDesk) -> None:
    desk.copied()
    machine = desk.world.machines.find(
        f"{SLOT.id}/providers/Microsoft.Compute/virtualMachines/{NAME}"
    )
    assert machine is not None
    desk.world.machines.start(machine.id)

    assert desk.copies.observe_console(SLOT, NAME) == ConsoleFacts(None, None)


def test_the_links_to_the_console_get_no_token(desk: DrillDesk) -> None:
    desk.copied()

    desk.copies.observe_console(SLOT, NAME)

    blobs = [e.request for e in desk.world.exchanges if e.route == "boot_blobs.get"]
    assert len(blobs) == 2
    assert [blob.header("authorization") for blob in blobs] == [None, None]


@pytest.mark.parametrize(
    ("conduct", "expected"),
    [
        (Conduct(), (CheckProgress.ENDED, 0)),
        (Conduct(exit_code=3), (CheckProgress.ENDED, 3)),
        (Conduct(answers=False), (CheckProgress.TIMED_OUT, None)),
        (Conduct(boot=Boot.HANG), (CheckProgress.UNREACHABLE, None)),
    ],
)
def test_a_check_ends_with_a_code_or_without(
    desk: DrillDesk, conduct: Conduct, expected: tuple[CheckProgress, int | None]
) -> None:
    spoilt(desk, conduct)

    desk.copies.start_check(SLOT, NAME, WEST, CHECK)
    desk.later(minutes=95)

    assert (checked(desk).progress, checked(desk).exit_code) == expected


def test_a_check_runs_for_a_while(desk: DrillDesk) -> None:
    spoilt(desk, Conduct(answers=False))

    desk.copies.start_check(SLOT, NAME, WEST, CHECK)
    desk.later(minutes=2)

    assert checked(desk).progress is CheckProgress.RUNNING
    assert sent(desk, "run_commands.put")["properties"] == {
        "source": {"script": "test -f /srv/shop"},
        "asyncExecution": False,
        "timeoutInSeconds": 300,
    }


def test_a_check_that_was_never_started_is_not_there(desk: DrillDesk) -> None:
    desk.copied()

    assert desk.copies.observe_check(SLOT, NAME, CHECK.name) is None


@pytest.mark.parametrize("name", ["a b", "../x", "a/b", "a?b", "", "\u212a"])
def test_a_check_with_an_odd_name_does_not_leave(desk: DrillDesk, name: str) -> None:
    with pytest.raises(Denied, match="last gate"):
        desk.copies.start_check(SLOT, NAME, WEST, GuestCheck(name, "Linux", "true"))


def test_a_copy_is_stopped_once_or_twice_and_keeps_its_disks(desk: DrillDesk) -> None:
    desk.copied()

    desk.copies.stop_copy(SLOT, NAME)
    desk.later(minutes=5)
    desk.copies.stop_copy(SLOT, NAME)
    desk.later(minutes=5)

    assert seen(desk).power is Power.DEALLOCATED
    assert len(desk.copies.list_disks(SLOT)) == 2


def test_a_copy_that_is_gone_is_stopped(desk: DrillDesk) -> None:
    desk.copies.stop_copy(SLOT, NAME)

    assert desk.calls()[-1] == "machines.deallocate"


def test_a_copy_goes_with_all_that_is_its_own(desk: DrillDesk) -> None:
    desk.copied()
    (copy,) = [t for t in desk.copies.list_things(SLOT) if t.name == NAME]

    desk.copies.remove(SLOT, copy)
    desk.later(minutes=10)
    desk.copies.remove(SLOT, copy)

    assert desk.copies.list_things(SLOT) == ()


def test_disks_are_removed_one_by_one(desk: DrillDesk) -> None:
    desk.restored()
    first, second = desk.copies.list_things(SLOT)

    desk.copies.remove(SLOT, first)
    desk.copies.remove(SLOT, second)
    desk.later(minutes=5)

    assert desk.copies.list_things(SLOT) == ()


def test_a_disk_that_is_attached_stays(desk: DrillDesk) -> None:
    desk.copied()
    disk = next(t for t in desk.copies.list_things(SLOT) if t.type.endswith("/disks"))

    with pytest.raises(Rejected):
        desk.copies.remove(SLOT, disk)


def test_an_interface_that_stayed_is_removed(desk: DrillDesk) -> None:
    network = f"{PLACE.network_id}/subnets/slot-1"
    made = desk.world.networks.interfaces.create(SUB, SLOT.group, "left", WEST, network)
    (nic,) = desk.copies.list_things(SLOT)

    desk.copies.remove(SLOT, nic)
    desk.later(minutes=5)

    assert nic.id == made.id.lower()
    assert desk.copies.list_things(SLOT) == ()


def thing(group: str, kind: str, name: str = "x") -> Thing:
    return Thing(f"/subscriptions/{SUB}/resourcegroups/{group}/providers/{kind}/{name}", kind)


@pytest.mark.parametrize(
    "other",
    [
        thing("rg-app", "microsoft.compute/virtualmachines", "web-01"),
        thing(f"{SLOT.group}1", "microsoft.compute/disks"),
        thing(f"{PLACE.group}-2", "microsoft.compute/disks"),
        thing(PLACE.group, "microsoft.compute/disks"),
        thing(SLOT.group, "microsoft.network/virtualnetworks"),
        thing(SLOT.group, "microsoft.storage/storageaccounts"),
        thing(SLOT.group, "microsoft.compute/virtualmachines/extensions"),
        thing(SLOT.group, "microsoft.compute/disks", "x/../../../rg-app"),
        Thing(thing("rg-app", "microsoft.compute/disks").id, "microsoft.compute/disks"),
        Thing(thing(SLOT.group, "microsoft.network/virtualnetworks").id, "microsoft.compute/disks"),
    ],
)
def test_nothing_else_is_removed(desk: DrillDesk, other: Thing) -> None:
    before = len(desk.world.exchanges)

    with pytest.raises(Denied):
        desk.copies.remove(SLOT, other)

    assert len(desk.world.exchanges) == before
