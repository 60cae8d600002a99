"""One restore test on a tiny Azure, with all of its ledgers, driven as a durable engine would."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.blobs import MemoryBlobs
from tests.builders import NOW, scope
from tests.clocks import HandClock
from tests.drill_runs import order as drill_order
from tests.rows import MemoryRows
from tests.tiny_drills import Death, TinyDrills, point
from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.drill.acts import DrillActs
from vmbackup_core.app.drill.brakes import DrillBrakes
from vmbackup_core.app.drill.keepsakes import Keepsakes
from vmbackup_core.app.drill.ledger import DrillLedger
from vmbackup_core.app.drill.prove import DrillTurn, ProveRestore
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.restore_watch import RestoreWatch
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.size_shelf import SizeShelf
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.drill.machine import Ended
from vmbackup_core.domain.drill.orders import DrillOrder, DrillRecord
from vmbackup_core.domain.drill.rungs import Rung, RungResult
from vmbackup_core.domain.drill.state import Drill
from vmbackup_core.domain.rules import Mode

MANY = 2_000  # Turns: whatever takes more does not end.


class Silent:
    """A journal that nobody reads."""

    def note(self, kind: str, key: str, text: str, **more: Any) -> None:
        """Take the line and forget it."""


@dataclass(slots=True)
class SmallDrill:
    order: DrillOrder
    azure: TinyDrills
    clock: HandClock
    rows: MemoryRows
    blobs: MemoryBlobs
    notebook: Notebook
    slots: SlotBook
    runs: RunBook
    records: DrillRecords
    prove: ProveRestore
    state: Drill
    turns: int = 0
    deaths: int = 0
    waits: list[str] = field(default_factory=list)

    def turn(self) -> DrillTurn | None:
        """Take a turn as the engine does: from JSON to JSON; None where the process died."""
        self.turns += 1
        try:
            turn = self.prove.turn(from_json(to_json(self.state), Drill))
        except Death:
            self.deaths += 1
            self.clock.pause(timedelta(seconds=30))
            return None
        self.state = turn.state
        return turn

    def run(self) -> DrillRecord:
        """Take turns until the end, and return the record."""
        while self.turns < MANY:
            turn = self.turn()
            if turn is None:
                continue
            if isinstance(turn.then, Ended):
                return turn.then.record
            self.waits.extend(turn.then.because)
            self.clock.move_to(turn.then.until)
        raise AssertionError(f"no end after {MANY} turns: {self.state}")

    def until(self, word: str) -> None:
        """Take turns until an effect whose name begins so was seen."""
        while not any(what.startswith(word) for _, what in self.azure.did):
            turn = self.turn()
            if turn is not None and isinstance(turn.then, Ended):
                raise AssertionError(f"it ended before {word}: {turn.then.record}")
            if turn is not None:
                self.clock.move_to(turn.then.until)


def small_drill(*, mode: Mode = Mode.PROTECT, **more: Any) -> SmallDrill:
    """Return a restore test of `web` that has not begun; `more` is of its order."""
    clock = HandClock(NOW)
    azure = TinyDrills(clock, points=[point()])
    rows, blobs = MemoryRows(clock), MemoryBlobs()
    snapshots, notebook = Snapshots(blobs, clock), Notebook(rows, clock)
    slots, runs = SlotBook(rows, clock), RunBook(rows, clock)
    evidence = EvidenceLog(MemoryBlobs(), clock)
    records = DrillRecords(rows, evidence, blobs, Silent(), clock, "digest")
    acts = DrillActs(
        restores=azure,
        restoring=azure,
        staging=azure,
        copies=azure,
        networks=azure,
        shelf=SizeShelf(snapshots, azure, clock),
        watch=RestoreWatch(snapshots, azure, clock),
        ledger=DrillLedger(slots, runs),
        records=records,
        keepsakes=Keepsakes(blobs),
        brakes=DrillBrakes(scope(mode), notebook),
        clock=clock,
    )
    prove = ProveRestore(acts, Silent(), clock)
    more.setdefault("by", NOW + timedelta(hours=4))
    order = drill_order(**more)
    return SmallDrill(
        order,
        azure,
        clock,
        rows,
        blobs,
        notebook,
        slots,
        runs,
        records,
        prove,
        prove.begin(order),
    )


def result(record: DrillRecord, rung: Rung) -> RungResult:
    return next(one for one in record.results if one.rung is rung)


def with_order(drill: SmallDrill, **changes: Any) -> None:
    """Change what was ordered, before it has begun."""
    drill.order = replace(drill.order, **changes)
    drill.state = drill.prove.begin(drill.order)
