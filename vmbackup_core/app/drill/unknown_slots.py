"""
Find slots with things in them that no run of this ledger made: another ledger was lost, or lives.

Nothing of them is removed, because whoever made them may be at work. Their slots are quarantined,
which is told; a copy whose own time is over is stopped, so that it neither runs nor costs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.drill.evidence import QUARANTINED, slot_body
from vmbackup_core.domain.drill.facts import Thing
from vmbackup_core.domain.drill.janitor import is_overdue_copy
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import BackupError, Gone
from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.rules import Scope
from vmbackup_core.ports import Clock, Journal
from vmbackup_core.ports_drills import Copies, SlotSurvey

ROUND = timedelta(hours=1)  # How often it is looked for; Resource Graph answers all at once.
WHY = "things lie in it that no run of this ledger made"
NOBODY = "unknown"  # Who quarantined the slot, where no run did.


@dataclass(frozen=True, slots=True)
class UnknownSlots:
    slots: SlotBook
    survey: SlotSurvey
    copies: Copies
    records: DrillRecords
    notebook: Notebook
    journal: Journal
    clock: Clock
    scope: Scope

    def look(self) -> tuple[Slot, ...]:
        """Look once an hour; return the slots that were quarantined because of it."""
        if not self.notebook.claim("unknown slots", lasting=ROUND):
            return ()
        try:
            occupied = self.survey.observe_occupied(self.scope)
        except BackupError as error:
            self.journal.note("outcome", "janitor", f"slots cannot be listed: {error}", done=False)
            return ()
        known = {lease.slot for lease in self.slots.known() if not lease.free}
        try:
            return tuple(one for one in occupied if one not in known and self._is_unknown(one))
        except BackupError as error:
            self.journal.note("outcome", "janitor", f"a slot cannot be read: {error}", done=False)
            return ()

    def _is_unknown(self, slot: Slot) -> bool:
        """Look at a slot itself, and quarantine it where it is nobody's and not empty."""
        things = self._things(slot)
        if not things or any(lease.slot == slot and lease.run for lease in self.slots.known()):
            return False  # What a run makes is made after its lease is written.
        self.slots.quarantine(slot, NOBODY, WHY)
        key = derive_key("slot", str(slot))
        names = tuple(thing.id for thing in things)
        self.records.follow_up(key, slot_body(QUARANTINED, slot, (WHY, *names)))
        self.journal.note("outcome", "janitor", f"{slot.group} is quarantined: {WHY}", done=False)
        self._stop(slot, things, self.clock.now())
        return True

    def _stop(self, slot: Slot, things: Iterable[Thing], now: datetime) -> None:
        for thing in things:
            if not is_overdue_copy(thing, now):
                continue
            self.journal.note("step", "janitor", f"stop {thing.id}")
            try:
                self.copies.stop_copy(slot, thing.name)
            except BackupError as error:
                self.journal.note("outcome", "janitor", f"{thing.id}: {error}", done=False)

    def _things(self, slot: Slot) -> tuple[Thing, ...]:
        try:
            return self.copies.list_things(slot)
        except Gone:
            return ()
