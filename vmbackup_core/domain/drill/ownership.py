"""
Whose a thing in a slot is: what may be removed, by a run or by the janitor after it.

A thing is a run's only when it lies in the slot that the run has leased *and* bears the run's mark.
An interface, which is given no tags, bears it in its name; a disk that the service made bears the
id of one of the run's restore jobs instead (AZURE: a VM from restored disks; inferred). Everything
else is somebody else's: it is reported, and never removed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from vmbackup_core.domain.drill.facts import Thing
from vmbackup_core.domain.drill.slots import RUN_TAG, Slot, copy_name
from vmbackup_core.domain.facts import Tags

RESTORED_TAG = "RSVaultBackup"
MACHINE = "microsoft.compute/virtualmachines"
INTERFACE = "microsoft.network/networkinterfaces"
DISK = "microsoft.compute/disks"
REMOVABLE = (MACHINE, INTERFACE, DISK)  # In this order: each holds on to what comes after it.


@dataclass(frozen=True, slots=True)
class Sorted:
    """
    What lies in a slot, by whose it is.

    `ours` may be removed, in this order. `parts` belong to a machine of ours and go with it: its
    extensions and run commands.
    """

    ours: tuple[Thing, ...] = ()
    parts: tuple[Thing, ...] = ()
    foreign: tuple[Thing, ...] = ()


def sort_things(things: Iterable[Thing], slot: Slot, mark: str, jobs: Collection[str]) -> Sorted:
    """
    Sort what was listed in `slot` by whether it is of the run with this mark and these jobs.

    `jobs` are ids in lower case. A removal must still be preceded by a look at the ledger: the slot
    has to be the run's.
    """
    ours: list[Thing] = []
    rest: list[Thing] = []
    for thing in things:
        (ours if _is_ours(thing, slot, mark, jobs) else rest).append(thing)
    machines = tuple(f"{thing.id.lower()}/" for thing in ours if thing.type == MACHINE)
    parts = tuple(thing for thing in rest if thing.id.lower().startswith(machines))
    return Sorted(
        tuple(sorted(ours, key=lambda thing: (REMOVABLE.index(thing.type), thing.id))),
        parts,
        tuple(thing for thing in rest if thing not in parts),
    )


def without_other_tags(thing: Thing) -> Thing:
    """Return a thing with the tags that tell whose it is alone: a source may bear fifty others."""
    tags = {name: thing.tags.get(name) for name in (RUN_TAG, RESTORED_TAG)}
    return replace(thing, tags=Tags.of({name: value for name, value in tags.items() if value}))


def _is_ours(thing: Thing, slot: Slot, mark: str, jobs: Collection[str]) -> bool:
    if thing.type not in REMOVABLE or not slot.holds(thing.id):
        return False
    if thing.tags.get(RUN_TAG) == mark:
        return True
    if thing.type == INTERFACE:  # Made with its machine, it can be given a name and no tags.
        return thing.name.lower().startswith(f"{copy_name(mark)}-")
    restored_by = thing.tags.get(RESTORED_TAG)
    return thing.type == DISK and restored_by is not None and restored_by.lower() in jobs
