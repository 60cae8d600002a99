"""
Clean up after restore tests: whatever a run left, however it ended, is removed or reported.

Never held back by a pause, and never more than cleaning: it makes nothing, and removes nothing that
is not a run's own. It says that nothing is left only after it has looked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.run_restores import RunRestores
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.drill.evidence import LIFTED, QUARANTINED, cleaned_body, slot_body
from vmbackup_core.domain.drill.facts import RestoreFacts, Thing
from vmbackup_core.domain.drill.janitor import (
    LONGEST_RUN,
    UNWRITTEN,
    all_ended,
    outdated,
    why_due,
)
from vmbackup_core.domain.drill.leases import Lease
from vmbackup_core.domain.drill.orders import DrillRecord
from vmbackup_core.domain.drill.ownership import MACHINE, Sorted, sort_things
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import Verdict
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Place, Slot, copy_name, run_mark
from vmbackup_core.domain.errors import BackupError, Gone
from vmbackup_core.domain.ids import derive_key
from vmbackup_core.ports import Clock, Journal
from vmbackup_core.ports_drills import Copies, Restoring, Staging

ROUND = timedelta(hours=6)  # How often what no slot tells of is looked for.
MOST_NAMED = 5  # So many things of a slot are named.


@dataclass(frozen=True, slots=True)
class Tidied:
    """
    What one round did: slots that are free again, those that wait for something, and troubles.

    `again` says that something is being removed just now: a look in a minute may end it.
    """

    freed: tuple[Slot, ...] = ()
    waiting: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    again: bool = False


@dataclass(slots=True)
class _Round:
    """A round under way: one slot's trouble holds back no other."""

    freed: list[Slot]
    waiting: list[str]
    troubles: list[str]
    again: bool = False

    def attempt(self, what: str, do: Callable[[], object]) -> bool:
        try:
            do()
        except BackupError as error:
            self.troubles.append(f"{what}: {error}")
            return False
        return True


@dataclass(frozen=True, slots=True)
class Janitor:
    slots: SlotBook
    runs: RunBook
    records: DrillRecords
    restoring: Restoring
    staging: Staging
    copies: Copies
    notebook: Notebook
    journal: Journal
    clock: Clock

    def tidy(self) -> Tidied:
        """Look after every slot that is leased or quarantined, once; may be repeated."""
        done = _Round([], [], [])
        for lease in self.slots.leases():
            done.attempt(f"slot {lease.slot.group}", partial(self._tidy, lease, done))
        for lease in self.slots.quarantined():
            if not lease.run:
                done.attempt(f"slot {lease.slot.group}", partial(self._lift, lease))
        for place in self.slots.places():
            done.attempt(f"staging in {place}", partial(self._empty_staging, place))
        done.attempt("records", self._record_unwritten)
        for trouble in done.troubles:
            self.journal.note("outcome", "janitor", trouble, done=False)
        return Tidied(tuple(done.freed), tuple(done.waiting), tuple(done.troubles), done.again)

    # A slot that a run has.

    def _tidy(self, lease: Lease, done: _Round) -> None:
        run = self.runs.get(lease.run)
        why = why_due(lease, run, self.clock.now())
        if not why:
            return
        if run is None or run.slot != lease.slot:
            self._free_unused(lease, done)
            return
        self.journal.note("plan", lease.run, f"cleaning {lease.slot.group}: {why}")
        run, jobs = self._restores(self.runs.take_over(lease.run), done)
        found = self._look(run)
        if found.ours or found.parts:
            what = f"the copy in {lease.slot.group}"
            seen = done.attempt(what, partial(self._see_protection, run, found))
            self._remove(run, found, done, stop_only=not seen)
            self._report_late(lease, run, found)
            return
        if jobs is None or not all_ended(run, jobs, self.clock.now()):
            name = run.order.vm.name
            done.waiting.append(f"{lease.slot.group}: a restore of {name} runs, or may")
            self._report_late(lease, run, found)
            return
        self._remove_containers(run, jobs)
        self._attest(lease, run, found)
        done.freed.append(lease.slot)

    def _restores(self, run: Run, done: _Round) -> tuple[Run, tuple[RestoreFacts, ...] | None]:
        """Return the run with its restores, None where they cannot be read just now."""
        try:
            run = self._of_runs.find(run)
            return run, self._of_runs.stop(run)
        except BackupError as error:
            done.troubles.append(f"slot {run.slot.group}: its restores: {error}")
            return run, None

    @property
    def _of_runs(self) -> RunRestores:
        return RunRestores(self.runs, self.restoring, self.journal)

    def _look(self, run: Run) -> Sorted:
        jobs = frozenset(job.lower() for job in run.jobs)
        return sort_things(self._things(run.slot), run.slot, run_mark(run.order.run), jobs)

    def _things(self, slot: Slot) -> tuple[Thing, ...]:
        try:
            return self.copies.list_things(slot)
        except Gone:  # Somebody removed the group, and with it all that lay in it.
            return ()

    def _see_protection(self, run: Run, found: Sorted) -> None:
        """Note a backup of the copy, while it can still be seen."""
        name = copy_name(run.order.run)
        if not any(thing.type == MACHINE and thing.name == name for thing in found.ours):
            return
        copy = self.copies.observe_copy(run.slot, name)
        if copy is not None and copy.protected_in:
            vault = copy.protected_in
            self.runs.amend(run.order.run, lambda now: replace(now, protected_in=vault))

    def _remove(self, run: Run, found: Sorted, done: _Round, *, stop_only: bool) -> None:
        """
        Ask for the removal of what can be removed now: machines first, they hold the rest.

        A machine that cannot be removed, or not yet, shall at least not run.
        """
        machines = tuple(thing for thing in found.ours if thing.type == MACHINE)
        for thing in machines or found.ours:
            if stop_only:
                self._stop(run, thing, done)
                continue
            self.journal.note("step", run.order.run, f"remove {thing.id}", vm=run.order.vm)
            if done.attempt(f"removing {thing.id}", partial(self.copies.remove, run.slot, thing)):
                self.runs.amend(run.order.run, partial(_having_removed, thing.id))
                done.again = True
            else:
                self._stop(run, thing, done)
        done.waiting.append(f"{run.slot.group}: {len(found.ours)} things are being removed")

    def _stop(self, run: Run, thing: Thing, done: _Round) -> None:
        if thing.type == MACHINE:
            stop = partial(self.copies.stop_copy, run.slot, thing.name)
            done.attempt(f"stopping {thing.id}", stop)

    def _report_late(self, lease: Lease, run: Run, found: Sorted) -> None:
        """Record what cannot be removed for a day, and go on trying."""
        if run.taken is None or self.clock.now() - run.taken < LONGEST_RUN:
            return
        left = tuple(thing.id for thing in (*found.ours, *found.foreign))
        self._quarantine(lease, "it cannot be emptied for a day", left)
        self.records.write(_overdue(run, left, clean=False, at=self.clock.now()))

    def _remove_containers(self, run: Run, jobs: tuple[RestoreFacts, ...]) -> None:
        names = {*run.containers, *(job.staging_container for job in jobs)} - {""}
        if names and (account := self.staging.find_account(run.slot.place)) is not None:
            for name in sorted(names):
                self.staging.remove_container(account, name)

    def _attest(self, lease: Lease, run: Run, found: Sorted) -> None:
        """Record that nothing of the run is left, and free its slot for the next one."""
        key, now = run.order.run, self.clock.now()
        left = tuple(thing.id for thing in found.foreign)
        clean = not left and not run.protected_in
        if left:
            self._quarantine(lease, f"{len(left)} things in it are not of the run {key}", left)
        if not self.records.written(key):
            self.records.write(_overdue(run, left, clean=clean, at=now))
        elif not run.clean:
            self.records.follow_up(key, cleaned_body(run, left, clean=clean))
        self.runs.close(key, clean=clean)
        self.slots.release(lease.slot, key)
        text = f"{lease.slot.group} is free, {len(left)} things of others are left in it"
        self.journal.note("outcome", key, text, vm=run.order.vm, done=True)

    def _free_unused(self, lease: Lease, done: _Round) -> None:
        """Free a slot whose run never began: whatever lies in it is not that run's."""
        if things := self._things(lease.slot):
            why = f"it was not empty, and the run {lease.run} never began"
            self._quarantine(lease, why, tuple(thing.id for thing in things))
        self.slots.release(lease.slot, lease.run)
        done.freed.append(lease.slot)

    # A slot with things of others.

    def _quarantine(self, lease: Lease, why: str, things: tuple[str, ...]) -> None:
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
        return self._lift(found)

    def _lift(self, lease: Lease) -> str:
        """End the quarantine of a slot that is empty, and that no restore of its run fills."""
        if things := self._things(lease.slot):
            names = ", ".join(thing.name for thing in things[:MOST_NAMED])
            more = f" and {len(things) - MOST_NAMED} more" if len(things) > MOST_NAMED else ""
            return f"it is not empty: {names}{more}"
        run = self.runs.get(lease.quarantined_by)
        if run is not None:
            run = self._of_runs.find(run)
            if not all_ended(run, self._of_runs.read(run), self.clock.now()):
                return f"a restore of {run.order.vm.name} into it still runs"
        self.slots.lift(lease.slot)
        body = slot_body(LIFTED, lease.slot, ("it is empty again", f"was: {lease.quarantined}"))
        self.records.follow_up(derive_key("slot", str(lease.slot)), body)
        self.journal.note("outcome", "janitor", f"{lease.slot.group} is free again", done=True)
        return ""

    # What no slot tells of.

    def _record_unwritten(self) -> None:
        """Write the record of each run that freed its slot and then died."""
        if not self.notebook.claim("unwritten records", lasting=ROUND):
            return
        now = self.clock.now()
        leased = {lease.run for lease in self.slots.leases()}
        for run in self.runs.changed_since(now - LONGEST_RUN - ROUND):
            key = run.order.run
            if run.ended and now - run.ended >= UNWRITTEN and key not in leased:
                self.records.write(_overdue(run, (), clean=run.clean, at=now))

    def _empty_staging(self, place: Place) -> None:
        """Remove the containers that no run can need any more."""
        if not self.notebook.claim("staging", str(place), lasting=ROUND):
            return
        if (account := self.staging.find_account(place)) is None:
            return
        running = [self.runs.get(lease.run) for lease in self.slots.leases()]
        in_use = {name for run in running if run is not None for name in run.containers}
        containers = self.staging.list_containers(account)
        for one in outdated(containers, in_use, self.clock.now()):
            self.journal.note("step", "janitor", f"remove container {one.name}")
            self.staging.remove_container(account, one.name)


def _having_removed(thing: str, run: Run) -> Run:
    if thing in run.removed:
        return run
    return replace(run, removed=(*run.removed, thing))


def _overdue(run: Run, left: tuple[str, ...], *, clean: bool, at: datetime) -> DrillRecord:
    because = ["the janitor cleaned up after it"]
    if run.protected_in:
        because.append(f"the copy was backed up in {run.protected_in}")
    return DrillRecord(
        order=run.order,
        ended=at,
        ending=Ending.OVERDUE,
        verdict=Verdict.NOT_PROVEN,
        results=(),
        job=run.jobs[-1] if run.jobs else "",
        slot=str(run.slot),
        left=left,
        clean=clean,
        because=tuple(because),
    )
