"""
Put restore tests together: the part of bootstrap that is loaded only when one is asked for.

So an app that only protects starts as fast as if there were none.
"""

from dataclasses import dataclass
from typing import Any

from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.consoles import Consoles
from vmbackup_core.adapters.copies import AzureCopies
from vmbackup_core.adapters.history import AzureRestoreHistory
from vmbackup_core.adapters.restores import AzureRestores
from vmbackup_core.adapters.restoring import AzureRestoring
from vmbackup_core.adapters.sizes import AzureSizes
from vmbackup_core.adapters.staging import AzureStaging
from vmbackup_core.app.asking import Asking
from vmbackup_core.app.drill_records import DrillRecords
from vmbackup_core.app.drilling import Drilling
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.janitor import Janitor
from vmbackup_core.app.night import Night
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.run_book import RunBook
from vmbackup_core.app.size_shelf import SizeShelf
from vmbackup_core.app.slot_book import SlotBook
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.ports import Blobs, Clock, Inventory, Journal, Rows, Vaults
from vmbackup_core.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What restore tests share with the rest of the app; `credential` is the restorer's."""

    settings: Settings
    reader: Arm
    restorer: Arm
    credential: Any
    transport: Any
    rows: Rows
    state: Blobs
    evidence: EvidenceLog
    notebook: Notebook
    inventory: Inventory
    vaults: Vaults
    journal: Journal
    clock: Clock


@dataclass(frozen=True, slots=True)
class Planning:
    """What needs a drill plan: the night, planning ahead, and tests that people ask for."""

    drilling: Drilling
    night: Night
    asking: Asking


@dataclass(frozen=True, slots=True)
class RestoreTests:
    """
    All that a trigger or a command calls; `planning` where a drill plan is configured.

    What runs goes on, and what is left is cleaned, also where the plan has been taken away.
    """

    slots: SlotBook
    runs: RunBook
    records: DrillRecords
    janitor: Janitor
    planning: Planning | None


def put_together(parts: Parts) -> RestoreTests:
    """Return restore tests for these parts; opens nothing."""
    settings, clock, journal, rows = parts.settings, parts.clock, parts.journal, parts.rows
    reader, restorer, transport = parts.reader, parts.restorer, parts.transport
    suffix = settings.deployment.endpoints.storage_suffix
    copies = AzureCopies(reader, restorer, Consoles(suffix, transport=transport))
    staging = AzureStaging(reader, parts.credential, suffix, transport=transport)
    slots, runs = SlotBook(rows, clock), RunBook(rows, clock)
    records = DrillRecords(rows, parts.evidence, parts.state, journal, clock, settings.digest)
    janitor = Janitor(
        slots=slots,
        runs=runs,
        records=records,
        restoring=AzureRestoring(reader, restorer, clock),
        staging=staging,
        copies=copies,
        notebook=parts.notebook,
        journal=journal,
        clock=clock,
    )
    return RestoreTests(slots, runs, records, janitor, _planning(parts, slots, runs, records))


def _planning(
    parts: Parts, slots: SlotBook, runs: RunBook, records: DrillRecords
) -> Planning | None:
    settings, clock, journal = parts.settings, parts.clock, parts.journal
    if settings.drills is None:
        return None
    drilling = Drilling(
        inventory=parts.inventory,
        restores=AzureRestores(parts.reader),
        history=AzureRestoreHistory(parts.reader, clock),
        shelf=SizeShelf(Snapshots(parts.state, clock), AzureSizes(parts.reader), clock),
        slots=slots,
        runs=runs,
        records=records,
        clock=clock,
        rules=settings.rules,
        drills=settings.drills,
    )
    asking = Asking(
        inventory=parts.inventory,
        vaults=parts.vaults,
        runs=runs,
        records=records,
        journal=journal,
        clock=clock,
        rules=settings.rules,
        drills=settings.drills,
    )
    return Planning(drilling, Night(drilling, records, journal, clock), asking)
