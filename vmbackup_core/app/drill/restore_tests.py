"""All of restore tests behind one door: what triggers and commands call."""

import re
from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.app.codec import to_json
from vmbackup_core.app.drill.asking import Asking, Json
from vmbackup_core.app.drill.handing_over import HandingOver
from vmbackup_core.app.drill.heartbeat import Heartbeat
from vmbackup_core.app.drill.janitor import Janitor
from vmbackup_core.app.drill.night import Night
from vmbackup_core.app.drill.planning import Drilling
from vmbackup_core.app.drill.prove import ProveRestore
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.drill.unknown_slots import UnknownSlots
from vmbackup_core.app.workflows import read_state
from vmbackup_core.domain.drill.machine import Ended, phase_of
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.rungs import RungResult
from vmbackup_core.domain.drill.state import SCHEMA, Drill
from vmbackup_core.domain.errors import Malformed

_RUN = re.compile(r"drill-[a-z0-9-]{1,94}")


@dataclass(frozen=True, slots=True)
class Planning:
    """What needs a drill plan: the night, planning ahead, and tests that people ask for."""

    drilling: Drilling
    night: Night
    asking: Asking


@dataclass(frozen=True, slots=True)
class RestoreTests:
    """
    Running, cleaning, and telling; `planning` where a drill plan is configured.

    What runs goes on, and what is left is cleaned, also where the plan has been taken away.
    """

    slots: SlotBook
    runs: RunBook
    records: DrillRecords
    prove: ProveRestore
    janitor: Janitor
    heartbeat: Heartbeat
    handing_over: HandingOver
    unknown: UnknownSlots
    planning: Planning | None

    def begin(self, order: DrillOrder) -> Json:
        """Return the state of a restore test that has done nothing yet, as JSON."""
        begun: Json = to_json(self.prove.begin(order))
        return begun

    def turn(self, state: Json) -> tuple[Json, datetime | None, str, tuple[str, ...]]:
        """
        Take a turn; return the state, when the next is due, and a code with its words.

        While it goes on, the words are what became of each rung so far, and what it waits for.
        """
        try:
            read = read_state(state, Drill, SCHEMA)
        except Malformed as error:
            return state, None, *self.handing_over.end(state, str(error))
        turn = self.prove.turn(read)
        left = to_json(turn.state)
        match turn.then:
            case Ended(record):
                return left, None, record.verdict.name, (record.ending.name, record.outcome)
            case waiting:
                waits = tuple(word for word in waiting.because if word)
                words = (*map(say_rung, turn.state.results), *waits)
                return left, waiting.until, phase_of(turn.state).name, words

    def tidy(self) -> tuple[bool, tuple[str, ...]]:
        """Clean up once; return whether to look again in a moment, and what is waited for."""
        self.unknown.look()
        tidied = self.janitor.tidy()
        self.heartbeat.beat()
        return tidied.again, (*tidied.waiting, *tidied.troubles)

    def tonight(self) -> tuple[tuple[datetime, tuple[DrillOrder, ...]], ...]:
        """Return tonight's lanes: when the first of its tests begins, and all in their order."""
        if self.planning is None:
            return ()
        return tuple((lane.starts, lane.orders) for lane in self.planning.night.plan().lanes)

    def unused(self) -> bool:
        """
        Whether no slot was ever leased, so that there is nothing to clean.

        Where restore tests are planned, slots are looked at for what another ledger left in them.
        """
        if self.planning is not None:
            self.unknown.look()
        return not self.slots.places()

    def status(self, run: str) -> Json | None:
        """
        Return how a run stands, as the ledger and the evidence have it; None for one unknown.

        Tells nothing that evidence does not keep: no output of a guest, no script.
        """
        if _RUN.fullmatch(run) is None:
            return None
        if (body := self.records.body(run)) is not None:
            return {"run": run, "state": "ended", "record": dict(body)}
        found = self.runs.get(run)
        if found is None:
            return None
        return {
            "run": run,
            "state": "ended" if found.ended else "running",
            "vm": str(found.order.vm),
            "slot": str(found.slot),
            "began": found.began.isoformat(),
            "restores_asked": [at.isoformat() for at in found.restores_asked],
            "jobs": list(found.jobs),
            "copy_asked": found.copy_asked.isoformat() if found.copy_asked else None,
            "kept_until": found.kept_until.isoformat() if found.kept_until else None,
        }


def say_rung(result: RungResult) -> str:
    """Say what became of a rung, as in `disks: pass (DISKS_MATCH)`."""
    return f"{result.rung.name.lower()}: {result.mark} ({result.reason.name})"
