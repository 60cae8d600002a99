"""
Everybody's restores, as far as they bear on restore tests: Azure counts them all alike, and where a
person restores a VM now, a test stays away from it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from vmbackup_core.domain.drill.facts import RestoreFacts
from vmbackup_core.domain.drill.rules import Past
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.schedules import DAY

_CONTAINER = "iaasvmcontainerv2"


def with_restores(
    pasts: Mapping[VmId, Past],
    restores: Iterable[RestoreFacts],
    ours: Collection[str],
    now: datetime,
) -> dict[VmId, Past]:
    """
    Return `pasts` with the restores of the last day, and who is restored by a person now.

    `ours` are the ids of the restore jobs of runs that are known here: they count in Azure's daily
    limit and hold nothing back. A restore whose VM cannot be told is passed over.
    """
    ids = {job.lower() for job in ours}
    begun: dict[VmId, list[datetime]] = {}
    people = set[VmId]()
    for restore in restores:
        if (vm := vm_of(restore)) is None:
            continue
        if now - restore.started < DAY:
            begun.setdefault(vm, []).append(restore.started)
        if not restore.progress.ended and restore.id.lower() not in ids:
            people.add(vm)
    found = {vm: replace(past, restores=(), restoring=False) for vm, past in pasts.items()}
    for vm in begun.keys() | people:
        past = found.get(vm, Past())
        when = tuple(sorted(begun.get(vm, ())))
        found[vm] = replace(past, restores=when, restoring=vm in people)
    return found


def vm_of(restore: RestoreFacts) -> VmId | None:
    """Return whose restore it is: a VM and its vault are in one subscription (AZURE: enable)."""
    kind, _, named = restore.container.lower().partition(";")
    group, _, name = named.partition(";")
    if kind != _CONTAINER or restore.vault is None or not (group and name):
        return None
    return VmId(restore.vault.subscription, group, name)
