"""
Put restore tests together: the part of bootstrap that is loaded only when one is asked for.

So an app that only protects starts as fast as if there were none.
"""

from dataclasses import dataclass
from typing import Any

from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.consoles import Consoles
from vmbackup_core.adapters.copies import AzureCopies
from vmbackup_core.adapters.history import AzureRestoreHistory, AzureSlotSurvey
from vmbackup_core.adapters.networks import AzureNetworks
from vmbackup_core.adapters.restores import AzureRestores
from vmbackup_core.adapters.restoring import AzureRestoring
from vmbackup_core.adapters.sizes import AzureSizes
from vmbackup_core.adapters.staging import AzureStaging
from vmbackup_core.app.drill.acts import DrillActs
from vmbackup_core.app.drill.asking import Asking
from vmbackup_core.app.drill.brakes import DrillBrakes
from vmbackup_core.app.drill.handing_over import HandingOver
from vmbackup_core.app.drill.heartbeat import Heartbeat
from vmbackup_core.app.drill.janitor import Janitor
from vmbackup_core.app.drill.keepsakes import Keepsakes
from vmbackup_core.app.drill.ledger import DrillLedger
from vmbackup_core.app.drill.night import Night
from vmbackup_core.app.drill.night_book import NightBook
from vmbackup_core.app.drill.planning import Drilling
from vmbackup_core.app.drill.prove import ProveRestore
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.restore_tests import Planning, RestoreTests
from vmbackup_core.app.drill.restore_watch import RestoreWatch
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.size_shelf import SizeShelf
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.drill.unknown_slots import UnknownSlots
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
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


def put_together(parts: Parts) -> RestoreTests:
    """Return restore tests for these parts; opens nothing."""
    settings, clock, journal, rows = parts.settings, parts.clock, parts.journal, parts.rows
    reader, restorer, transport = parts.reader, parts.restorer, parts.transport
    cloud = settings.deployment.endpoints
    consoles = Consoles(cloud.storage_suffix, cloud.consoles, transport=transport)
    copies = AzureCopies(reader, restorer, consoles)
    staging = AzureStaging(reader, parts.credential, cloud.storage_suffix, transport=transport)
    restoring = AzureRestoring(reader, restorer, clock)
    shelf = SizeShelf(Snapshots(parts.state, clock), AzureSizes(reader), clock)
    slots, runs = SlotBook(rows, clock), RunBook(rows, clock)
    records = DrillRecords(rows, parts.evidence, parts.state, journal, clock, settings.digest)
    acts = DrillActs(
        restores=AzureRestores(reader),
        restoring=restoring,
        staging=staging,
        copies=copies,
        networks=AzureNetworks(reader, clock),
        shelf=shelf,
        watch=RestoreWatch(Snapshots(parts.state, clock), restoring, clock),
        ledger=DrillLedger(slots, runs),
        records=records,
        keepsakes=Keepsakes(parts.state),
        brakes=DrillBrakes(settings.rules.scope, parts.notebook),
        clock=clock,
    )
    janitor = Janitor(
        slots=slots,
        runs=runs,
        records=records,
        restoring=restoring,
        staging=staging,
        copies=copies,
        notebook=parts.notebook,
        journal=journal,
        clock=clock,
    )
    prove = ProveRestore(acts, journal, clock)
    planning = _planning(parts, slots, runs, records, shelf)
    heartbeat = Heartbeat(rows, clock)
    handing_over = HandingOver(runs, records, journal, clock)
    unknown = UnknownSlots(
        slots=slots,
        survey=AzureSlotSurvey(reader, clock),
        copies=copies,
        records=records,
        notebook=parts.notebook,
        journal=journal,
        clock=clock,
        scope=settings.rules.scope,
    )
    return RestoreTests(
        slots, runs, records, prove, janitor, heartbeat, handing_over, unknown, planning
    )


def _planning(
    parts: Parts, slots: SlotBook, runs: RunBook, records: DrillRecords, shelf: SizeShelf
) -> Planning | None:
    settings, clock, journal = parts.settings, parts.clock, parts.journal
    if settings.drills is None:
        return None
    drilling = Drilling(
        inventory=parts.inventory,
        restores=AzureRestores(parts.reader),
        history=AzureRestoreHistory(parts.reader, clock),
        shelf=shelf,
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
        restores=drilling.restores,
        journal=journal,
        clock=clock,
        rules=settings.rules,
        drills=settings.drills,
    )
    night = Night(drilling, NightBook(parts.rows), records, journal, clock)
    return Planning(drilling, night, asking)
