"""Restores that anybody ran, and what lies in slots: RestoreHistory and SlotSurvey on the graph."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.graph import Graph
from vmbackup_core.adapters.wire import Json, text
from vmbackup_core.adapters.wire_items import vault_of
from vmbackup_core.adapters.wire_restores import parse_restore
from vmbackup_core.domain.drill.facts import RestoreFacts
from vmbackup_core.domain.drill.slots import PREFIX, Slot
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.rules import Scope

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_all_restores": ("Microsoft.RecoveryServices/vaults/backupJobs/read",),
    "observe_occupied": (
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/disks/read",
    ),
}

JOB = "microsoft.recoveryservices/vaults/backupjobs"
OCCUPYING = (
    "resources"
    " | where type =~ 'microsoft.compute/virtualmachines' or type =~ 'microsoft.compute/disks'"
    f" | where id contains '/resourcegroups/{PREFIX}-'"
    " | project id, type"
    " | order by id asc"
)


class AzureSlotSurvey:
    """One question to Resource Graph, whatever the number of slots."""

    def __init__(self, reader: Arm, clock: "Clock") -> None:
        self._graph = Graph(reader, clock)

    def observe_occupied(self, scope: Scope) -> tuple[Slot, ...]:
        """Return the slots with a machine or a disk; what lies beside slots is none of ours."""
        rows = self._graph.rows(OCCUPYING, scope, "reading what lies in slots")
        found: set[Slot] = set()
        for row in rows:
            with suppress(Malformed):
                found.add(Slot.parse(text(row, "id").lower().partition("/providers/")[0]))
        return tuple(sorted(found))


class AzureRestoreHistory:
    """One question to Resource Graph, whatever the number of vaults."""

    def __init__(self, reader: Arm, clock: "Clock") -> None:
        self._graph = Graph(reader, clock)

    def observe_all_restores(self, scope: Scope, since: datetime) -> tuple[RestoreFacts, ...]:
        """Return the restores of VMs, the oldest first; one odd row does not hide the others."""
        rows = self._graph.rows(_question(since), scope, "reading the estate's restores")
        found = [restore for row in rows if (restore := _parse(row)) is not None]
        return tuple(sorted(found, key=lambda restore: (restore.started, restore.id)))


def _question(since: datetime) -> str:
    """
    Ordered by id, as paging needs it; no limit, sample or take, which would end the paging.

    A restore into another region (CrossRegionRestore) is an operation of its own, and not asked
    for: whether it counts in a VM's daily limit is not known.
    """
    return (
        "recoveryservicesresources"
        f" | where type =~ '{JOB}'"
        " | where properties.operation =~ 'Restore'"
        " and properties.backupManagementType =~ 'AzureIaasVM'"
        " | where todatetime(properties.startTime)"
        f" >= datetime({since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})"
        " | project id, name, type, properties"
        " | order by id asc"
    )


def _parse(row: Json) -> RestoreFacts | None:
    try:
        return replace(parse_restore(row), vault=vault_of(text(row, "id")))
    except Malformed:
        return None
