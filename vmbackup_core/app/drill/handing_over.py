"""
End a restore test whose state another version of vmbackup wrote: nothing is proven, all is cleaned.

Guessing at such a state could make or remove the wrong thing. What the run has asked of Azure
stands in the ledger, so the janitor can do the rest.
"""

from dataclasses import dataclass
from typing import Any

from vmbackup_core.app.codec import from_json
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.domain.drill.orders import DrillOrder, DrillRecord
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import Verdict
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.ports import Clock, Journal


@dataclass(frozen=True, slots=True)
class HandingOver:
    runs: RunBook
    records: DrillRecords
    journal: Journal
    clock: Clock

    def end(self, state: dict[str, Any], why: str) -> tuple[str, tuple[str, ...]]:
        """
        Hand a run to the janitor and record that it proved nothing; return a code with its words.

        Of the state only the order is read. A run whose order cannot be read either, and that never
        had a slot, leaves a line in the log and nothing else: the next night plans its VM anew.
        """
        key = str(state["order"]["run"])
        run = self.runs.get(key)
        order, slot, job = self._order(state), "", ""
        if run is not None:
            order, slot, job = run.order, str(run.slot), run.jobs[-1] if run.jobs else ""
            if run.kept_until is None:  # A copy that a person looks at is left until then.
                self.runs.take_over(key)
        if order is None:
            self.journal.note("outcome", key, f"ends without a record: {why}", done=False)
        else:
            self.records.write(
                DrillRecord(
                    order=order,
                    ended=self.clock.now(),
                    ending=Ending.OTHER_VERSION,
                    verdict=Verdict.NOT_PROVEN,
                    results=(),
                    job=job,
                    slot=slot,
                    clean=run is None or run.clean,
                    kept_until=run.kept_until if run is not None else None,
                    because=(why,),
                )
            )
        return Verdict.NOT_PROVEN.name, (Ending.OTHER_VERSION.name, Ending.OTHER_VERSION.text, why)

    def _order(self, state: dict[str, Any]) -> DrillOrder | None:
        try:
            return from_json(state["order"], DrillOrder)
        except Malformed:
            return None
