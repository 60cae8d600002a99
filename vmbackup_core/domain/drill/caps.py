"""
How far a VM's tag lets its restore tests go: some copies must not boot, not even in isolation.

Domain controllers, cluster nodes and appliances bound to a licence are what it is for.
"""

from dataclasses import dataclass
from enum import StrEnum

from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.facts import Tags


class CapValue(StrEnum):
    """What the tag may say; anything else is taken for the most careful that still tests."""

    DISKS_ONLY = "disks-only"
    BOOT_ONLY = "boot-only"
    NEVER = "never"


_RUNGS = {CapValue.DISKS_ONLY: Rung.DISKS, CapValue.BOOT_ONLY: Rung.BOOT, CapValue.NEVER: None}


@dataclass(frozen=True, slots=True)
class Cap:
    """
    The highest rung that may be tried, None where nothing may; `by` says in words who says so.

    `odd` is True where the tag's value is none that we know.
    """

    rung: Rung | None = Rung.CANARY
    by: str = ""
    odd: bool = False


NO_CAP = Cap()


def read_cap(tags: Tags, name: str) -> Cap:
    """Return what the tag `name` allows; its value is compared without case and blanks around."""
    written = tags.get(name)
    if written is None:
        return NO_CAP
    value = written.strip().lower()
    if value in set(CapValue):
        return Cap(_RUNGS[CapValue(value)], f"tag {name} = {value}")
    words = f"tag {name} = {written[:60]!r}, which is none of {', '.join(CapValue)}"
    return Cap(Rung.DISKS, f"{words}: taken as {CapValue.DISKS_ONLY}", odd=True)
