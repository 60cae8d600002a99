"""Ours is what bears the run's mark or one of its jobs; everything else is left alone."""

import pytest

from tests.builders import HERE, SUB
from vmbackup_core.domain.drill_clean import DISK, INTERFACE, MACHINE, Sorted, sort_things
from vmbackup_core.domain.drill_facts import Thing
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.slots import Place, Slot

SLOT = Slot(Place(SUB, HERE), 1)
MARK = "0123456789"
MARKED = {"vmbackup-run": MARK}
JOB = "6d2a1c1e-0000-4000-8000-000000000001"


def thing(name: str, kind: str = DISK, tags: dict[str, str] | None = None) -> Thing:
    return Thing(f"{SLOT.id}/providers/{kind}/{name}", kind, Tags.of(tags))


COPY = thing(f"drill-{MARK}", MACHINE, MARKED)


def sort(*things: Thing) -> Sorted:
    return sort_things(things, SLOT, MARK, {JOB})


@pytest.mark.parametrize(
    "ours",
    [
        COPY,
        thing("web-osdisk", tags={"RSVaultBackup": JOB.upper()}),
        thing("nic", INTERFACE, MARKED),
        thing("disk", DISK, {"VMBackup-Run": MARK}),
    ],
)
def test_what_bears_the_mark_or_a_job_is_ours(ours: Thing):
    assert sort(ours) == Sorted((ours,))


@pytest.mark.parametrize(
    "foreign",
    [
        thing("somebodys-disk"),
        thing("another-runs", tags={"vmbackup-run": "9876543210"}),
        thing("other-restore", tags={"RSVaultBackup": "6d2a1c1e-0000-4000-8000-000000000002"}),
        thing("no-job", tags={"RSVaultBackup": ""}),
        thing("no-disk", INTERFACE, {"RSVaultBackup": JOB}),
        thing("ours-by-name-only", tags={"vmbackup-made-by": "vmbackup"}),
        thing("a-kind-no-run-makes", "microsoft.recoveryservices/vaults", MARKED),
        thing(f"drill-{MARK}-2", MACHINE),
        Thing(f"{SLOT.id}1/providers/{DISK}/next-door", DISK, Tags.of(MARKED)),
    ],
)
def test_everything_else_is_foreign(foreign: Thing):
    assert sort(COPY, foreign) == Sorted((COPY,), foreign=(foreign,))


def test_what_hangs_on_a_machine_of_ours_goes_with_it():
    agent = Thing(f"{COPY.id.upper()}/extensions/Agent", f"{MACHINE}/extensions")

    assert sort(agent, COPY) == Sorted((COPY,), (agent,))
    assert sort(agent) == Sorted(foreign=(agent,))


def test_a_machine_comes_before_what_it_holds_on_to():
    disk, nic = thing("disk", tags=MARKED), thing("nic", INTERFACE, MARKED)

    assert sort(disk, nic, COPY).ours == (COPY, nic, disk)
