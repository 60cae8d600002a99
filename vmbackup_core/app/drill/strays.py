"""What no slot tells of: records that nobody wrote, and staging containers that nobody needs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.drill.janitor import LONGEST_RUN, UNWRITTEN, outdated, overdue
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.ports import Clock, Journal
from vmbackup_core.ports_drills import Staging

ROUND = timedelta(hours=6)  # How often it is looked for.


@dataclass(frozen=True, slots=True)
class Strays:
    slots: SlotBook
    runs: RunBook
    records: DrillRecords
    staging: Staging
    notebook: Notebook
    journal: Journal
    clock: Clock

    def record_unwritten(self, unread: Callable[[str], None]) -> None:
        """Write the record of each run that freed its slot and then died; tell of `unread` rows."""
        if not self.notebook.claim("unwritten records", lasting=ROUND):
            return
        now = self.clock.now()
        leased = {lease.run for lease in self.slots.leases()}
        for run in self.runs.changed_since(now - LONGEST_RUN - ROUND, unread):
            key = run.order.run
            if run.ended and now - run.ended >= UNWRITTEN and key not in leased:
                self.records.write(overdue(run, (), clean=run.clean, at=now))

    def empty_staging(self, place: Place) -> None:
        """
        Remove the containers that no run can need any more.

        Where a run's row cannot be read, nobody knows which it needs: then none is removed.
        """
        if not self.notebook.claim("staging", str(place), lasting=ROUND):
            return
        if (account := self.staging.find_account(place)) is None:
            return
        here = (lease for lease in self.slots.leases() if lease.slot.place == place)
        running = [self.runs.get(lease.run) for lease in here]
        in_use = {name for run in running if run is not None for name in run.containers}
        containers = self.staging.list_containers(account)
        for one in outdated(containers, in_use, self.clock.now()):
            self.journal.note("step", "janitor", f"remove container {one.name}")
            self.staging.remove_container(account, one.name)
