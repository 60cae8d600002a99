"""What a restore test writes down of itself: its slot, and what it asks of Azure before it asks."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.domain.drill.facts import RestoreFacts
from vmbackup_core.domain.drill.orders import DrillOrder, DrillRecord
from vmbackup_core.domain.drill.outcomes import Leased, NoSlot, Refused
from vmbackup_core.domain.drill.ready import LEASE
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Retryable, Stale


@dataclass(frozen=True, slots=True)
class DrillLedger:
    slots: SlotBook
    runs: RunBook

    def lease(self, order: DrillOrder, until: datetime) -> Leased | NoSlot | Refused:
        """Lease a slot for the run, or the one that it has; a run that has ended gets none."""
        known = self.runs.get(order.run)
        if known is not None and (known.ended or known.taken):
            return Refused("AlreadyRun", "this run has ended before")
        slot = self.slots.lease(order.place, order.slots, order.run, until)
        return NoSlot() if slot is None else Leased(self.runs.open(order, slot))

    def prolong(self, order: DrillOrder, until: datetime) -> None:
        """Show that the run is alive, and will be heard of again by `until`."""
        known = self.runs.get(order.run)
        if known is not None:
            self.slots.prolong(known.slot, order.run, until + LEASE)

    def has(self, order: DrillOrder, slot: Slot) -> bool:
        """Whether the slot is the run's, and the run its own: nobody has taken it over."""
        known = self.runs.get(order.run)
        if known is None or known.taken is not None or known.slot != slot:
            return False
        return any(one.slot == slot and one.run == order.run for one in self.slots.leases())

    def taken_over(self, order: DrillOrder) -> bool:
        """Whether the janitor has taken the run over: it makes and removes nothing any more."""
        known = self.runs.get(order.run)
        return known is not None and known.taken is not None

    def asked(self, order: DrillOrder) -> tuple[datetime, ...]:
        """Return when a restore was, or may have been, asked for, by whichever turn."""
        known = self.runs.get(order.run)
        return known.restores_asked if known is not None else ()

    def note_asking(
        self, order: DrillOrder, known: int, at: datetime
    ) -> tuple[datetime, ...] | None:
        """
        Write down that a restore will be asked for at `at`.

        Returns all askings instead, and writes nothing, where there are others than the `known`.
        """
        wrote = False

        def asking(run: Run) -> Run:
            nonlocal wrote
            wrote = len(run.restores_asked) == known
            return replace(run, restores_asked=(*run.restores_asked, at)) if wrote else run

        run = self.runs.note(order.run, asking)
        return None if wrote else run.restores_asked

    def note_job_id(self, order: DrillOrder, job: str) -> None:
        """
        Write down the job that Azure named.

        Where that fails the restore is under way all the same: it is found again by looking.
        """
        with suppress(Retryable, Stale):
            self.runs.note(order.run, lambda run: _having(run, job, ""))

    def note_job(self, order: DrillOrder, facts: RestoreFacts) -> None:
        """Write down a job that restores into this run's slot, and where it leaves its blobs."""

        def found(run: Run) -> Run:
            ours = facts.target_group.lower() == run.slot.group
            return _having(run, facts.id, facts.staging_container) if ours else run

        self.runs.note(order.run, found)

    def note_copy(self, order: DrillOrder, at: datetime) -> datetime:
        """Write down that a copy will be asked for; return when one was asked for first."""
        run = self.runs.note(order.run, lambda run: replace(run, copy_asked=run.copy_asked or at))
        return run.copy_asked or at

    def note_protection(self, order: DrillOrder, vault: str) -> None:
        self.runs.note(order.run, lambda run: replace(run, protected_in=vault))

    def quarantine(self, order: DrillOrder, slot: Slot, why: str) -> None:
        self.slots.quarantine(slot, order.run, why)

    def keep(self, order: DrillOrder, until: datetime) -> None:
        """Leave slot and copy to a person until then, and to the janitor after."""
        self.runs.note(order.run, lambda run: replace(run, kept_until=until))
        self.prolong(order, until)

    def release(self, order: DrillOrder, slot: Slot, *, clean: bool) -> None:
        self.runs.close(order.run, clean=clean)
        self.slots.release(slot, order.run)

    def close(self, record: DrillRecord) -> None:
        """Note that the run will do nothing more, so that the janitor takes over what it left."""
        if record.slot and record.kept_until is None and self.runs.get(record.order.run):
            self.runs.close(record.order.run, clean=record.clean)


def _having(run: Run, job: str, container: str) -> Run:
    jobs = run.jobs if job in run.jobs else (*run.jobs, job)
    known = not container or container in run.containers
    return replace(
        run, jobs=jobs, containers=run.containers if known else (*run.containers, container)
    )
