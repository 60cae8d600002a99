"""
Clean up after restore tests: whatever a run left, however it ended, is removed or reported.

Never held back by a pause, and never more than cleaning: it makes nothing, and removes nothing that
is not a run's own. It says that nothing is left only after it has looked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from vmbackup_core.app.drill.quarantines import Quarantines
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.run_restores import RunRestores
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.drill.strays import Strays
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.drill.evidence import cleaned_body
from vmbackup_core.domain.drill.facts import RestoreFacts, Thing
from vmbackup_core.domain.drill.janitor import LONGEST_RUN, all_ended, overdue, why_due
from vmbackup_core.domain.drill.leases import UNREAD, Lease
from vmbackup_core.domain.drill.ownership import MACHINE, Sorted, sort_things
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Slot, copy_name, run_mark
from vmbackup_core.domain.errors import BackupError, Gone
from vmbackup_core.ports import Clock, Journal
from vmbackup_core.ports_drills import Copies, Restoring, Staging

UNSEEN = "nobody could look into it for a day"


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
            slot = f"slot {lease.slot.group}"
            if not done.attempt(slot, partial(self._tidy, lease, done)):
                done.attempt(slot, partial(self._report_unseen, lease))
        for lease in self.slots.quarantined():
            if lease.unread:
                done.troubles.append(f"slot {lease.slot.group}: {UNREAD}")
            elif not lease.run:
                done.attempt(f"slot {lease.slot.group}", partial(self._quarantines.end, lease))
        for place in self.slots.places():
            done.attempt(f"staging in {place}", partial(self._strays.empty_staging, place))
        done.attempt("records", partial(self._strays.record_unwritten, done.troubles.append))
        for trouble in done.troubles:
            self.journal.note("outcome", "janitor", trouble, done=False)
        return Tidied(tuple(done.freed), tuple(done.waiting), tuple(done.troubles), done.again)

    def lift(self, slot: Slot) -> str:
        """End a slot's quarantine as a round would; return why not, "" where it has ended."""
        return self._quarantines.lift(slot)

    @property
    def _quarantines(self) -> Quarantines:
        return Quarantines(
            self.slots,
            self.runs,
            self.records,
            self._of_runs,
            self._things,
            self.journal,
            self.clock,
        )

    @property
    def _strays(self) -> Strays:
        return Strays(
            self.slots,
            self.runs,
            self.records,
            self.staging,
            self.notebook,
            self.journal,
            self.clock,
        )

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
        run = self._remove_containers(run, jobs)
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
                goes = (thing.id, *_taken_along(thing, found))
                self.runs.amend(run.order.run, partial(_having_removed, goes))
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
        self._quarantines.put(lease, "it cannot be emptied for a day", left)
        self.records.write(overdue(run, left, clean=False, at=self.clock.now()))

    def _report_unseen(self, lease: Lease) -> None:
        """Take a slot out of use, and record its run, where nobody could look into it for a day."""
        if lease.until is None or self.clock.now() - lease.until < LONGEST_RUN:
            return
        self._quarantines.put(lease, UNSEEN, ())
        run = self.runs.glance(lease.run)
        if run is not None and run.slot == lease.slot:
            left = (str(lease.slot),)
            self.records.write(overdue(run, left, clean=False, at=self.clock.now()))

    def _remove_containers(self, run: Run, jobs: tuple[RestoreFacts, ...]) -> Run:
        """Remove what its restores left in the staging account; return the run with that noted."""
        names = {*run.containers, *(job.staging_container for job in jobs)} - {""}
        if not names or (account := self.staging.find_account(run.slot.place)) is None:
            return run
        for name in sorted(names):
            self.staging.remove_container(account, name)
        gone = tuple(f"{account}/blobservices/default/containers/{name}" for name in sorted(names))
        return self.runs.amend(run.order.run, partial(_having_removed, gone))

    def _attest(self, lease: Lease, run: Run, found: Sorted) -> None:
        """Record that nothing of the run is left, and free its slot for the next one."""
        key, now = run.order.run, self.clock.now()
        left = tuple(thing.id for thing in found.foreign)
        clean = not left and not run.protected_in
        if left:
            self._quarantines.put(lease, f"{len(left)} things in it are not of the run {key}", left)
        if not self.records.written(key):
            self.records.write(overdue(run, left, clean=clean, at=now))
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
            self._quarantines.put(lease, why, tuple(thing.id for thing in things))
        self.slots.release(lease.slot, lease.run)
        done.freed.append(lease.slot)


def _taken_along(thing: Thing, found: Sorted) -> tuple[str, ...]:
    """Return what goes with a machine: its interfaces and disks, which it holds, and its parts."""
    if thing.type != MACHINE:
        return ()
    held = (one for one in found.ours if one.type != MACHINE)
    parts = (one for one in found.parts if one.id.lower().startswith(f"{thing.id.lower()}/"))
    return tuple(one.id for one in (*held, *parts))


def _having_removed(things: tuple[str, ...], run: Run) -> Run:
    return replace(run, removed=tuple(dict.fromkeys((*run.removed, *things))))
