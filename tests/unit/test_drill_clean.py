"""Whose a thing in a slot is."""

import pytest

from tests.builders import HERE, SUB
from vmbackup_core.domain.drill.facts import Thing
from vmbackup_core.domain.drill.ownership import DISK, INTERFACE, MACHINE, sort_things
from vmbackup_core.domain.drill.slots import RUN_TAG, Place, Slot
from vmbackup_core.domain.facts import Tags

SLOT = Slot(Place(SUB, HERE), 1)
OTHER = Slot(Place(SUB, HERE), 2)
MARK, JOBS = "0123456789", frozenset({"job-1"})
OURS = {RUN_TAG: MARK}


def thing(kind, name, tags=None, *, slot=SLOT):
    return Thing(f"{slot.id}/providers/{kind}/{name}", kind, Tags.of(tags or {}))


def sort(*things):
    return sort_things(things, SLOT, MARK, JOBS)


def test_a_machine_that_bears_the_mark_is_removed_before_interface_and_disk():
    machine, nic = thing(MACHINE, "copy", OURS), thing(INTERFACE, "nic", OURS)
    disk = thing(DISK, "disk", {"RSVaultBackup": "JOB-1"})

    assert sort(disk, nic, machine).ours == (machine, nic, disk)


def test_an_interface_that_outlived_its_machine_is_known_by_its_name():
    nic = thing(INTERFACE, f"drill-{MARK}-nic")

    assert sort(nic).ours == (nic,)


@pytest.mark.parametrize(
    "foreign",
    [
        thing(MACHINE, "copy"),
        thing(MACHINE, "copy", {RUN_TAG: "9876543210"}),
        thing(MACHINE, "copy", {"RSVaultBackup": "job-1"}),
        thing(INTERFACE, "drill-9876543210-nic"),
        thing(INTERFACE, f"drill-{MARK}"),
        thing(INTERFACE, f"drill-{MARK}-nic", slot=OTHER),
        thing(DISK, f"drill-{MARK}-disk"),
        thing(DISK, "disk", {"RSVaultBackup": "job-2"}),
        thing(MACHINE, "copy", OURS, slot=OTHER),
        thing(DISK, "disk", {"RSVaultBackup": "job-1"}, slot=OTHER),
        thing("microsoft.network/publicipaddresses", "address", OURS),
    ],
    ids=str,
)
def test_whatever_lacks_mark_or_place_or_kind_is_somebody_elses(foreign):
    found = sort(foreign)

    assert found.ours == ()
    assert found.foreign == (foreign,)


def test_what_lies_below_a_machine_of_ours_goes_with_it():
    machine = thing(MACHINE, "copy", OURS)
    extension = Thing(f"{machine.id}/extensions/agent", f"{MACHINE}/extensions")

    found = sort(extension, machine)

    assert found.parts == (extension,)
    assert found.foreign == ()


def test_what_lies_below_somebody_elses_machine_does_not():
    machine = thing(MACHINE, "theirs")
    extension = Thing(f"{machine.id}/extensions/agent", f"{MACHINE}/extensions")

    assert sort(extension, machine).foreign == (extension, machine)
