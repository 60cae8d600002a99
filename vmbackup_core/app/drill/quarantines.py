"""
Slots in quarantine: given to nobody while something lies in them that no restore test may remove.

A quarantine ends when the slot was seen empty, and no restore of the run before can fill it again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.run_restores import RunRestores
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.domain.drill.evidence import LIFTED, QUARANTINED, slot_body
from vmbackup_core.domain.drill.facts import Thing
from vmbackup_core.domain.drill.janitor import all_ended
from vmbackup_core.domain.drill.leases import UNREAD, Lease
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.ids import derive_key
from vmbackup_core.ports import Clock, Journal

MOST_NAMED = 5  # So many things of a slot are named.


@dataclass(frozen=True, slots=True)
class Quarantines:
    """`things` lists what lies in a slot."""

    slots: SlotBook
    runs: RunBook
    records: DrillRecords
    restores: RunRestores
    things: Callable[[Slot], tuple[Thing, ...]]
    journal: Journal
    clock: Clock

    def put(self, lease: Lease, why: str, things: tuple[str, ...]) -> None:
        """Take a slot out of use; one that is so already keeps its first reason."""
        if lease.quarantined:
            return
        self.slots.quarantine(lease.slot, lease.run, why)
        key = derive_key("slot", str(lease.slot))
        self.records.follow_up(key, slot_body(QUARANTINED, lease.slot, (why, *things)))
        text = f"{lease.slot.group} is quarantined: {why}"
        self.journal.note("outcome", lease.run, text, done=False)

    def lift(self, slot: Slot) -> str:
        """End a slot's quarantine as a round would; return why not, "" where it has ended."""
        found = next((lease for lease in self.slots.quarantined() if lease.slot == slot), None)
        if found is None:
            return "it is not quarantined"
        if found.run:
            return f"the run {found.run} still has it"
        return self.end(found)

    def end(self, lease: Lease) -> str:
        """End it where the slot is empty and no restore can fill it; else return why not."""
        if lease.unread:
            return f"{UNREAD}: nobody can tell whose it is (docs/operate.md)"
        if things := self.things(lease.slot):
            names = ", ".join(thing.name for thing in things[:MOST_NAMED])
            more = f" and {len(things) - MOST_NAMED} more" if len(things) > MOST_NAMED else ""
            return f"it is not empty: {names}{more}"
        run = self.runs.get(lease.quarantined_by)
        if run is not None:
            run = self.restores.find(run)
            if not all_ended(run, self.restores.read(run), self.clock.now()):
                return f"a restore of {run.order.vm.name} into it still runs"
        self.slots.lift(lease.slot)
        body = slot_body(LIFTED, lease.slot, ("it is empty again", f"was: {lease.quarantined}"))
        self.records.follow_up(derive_key("slot", str(lease.slot)), body)
        self.journal.note("outcome", "janitor", f"{lease.slot.group} is free again", done=True)
        return ""
