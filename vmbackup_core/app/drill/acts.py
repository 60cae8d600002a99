"""
Carry out one step of a restore test, and say what came of it.

Whatever is made, is written down in the ledger before it is asked for: a process that dies in
between leaves a trace, and whoever comes after looks for the effect before asking again. Nothing is
removed from a slot that the ledger does not give to this run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never

from vmbackup_core.app.drill.brakes import DrillBrakes
from vmbackup_core.app.drill.keepsakes import Keepsakes
from vmbackup_core.app.drill.ledger import DrillLedger
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.restore_watch import RestoreWatch
from vmbackup_core.app.drill.size_shelf import SizeShelf
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.outcomes import (
    CheckSight,
    DisksSight,
    Done,
    Exists,
    Left,
    Lost,
    Missing,
    NotStarted,
    NotYet,
    Operation,
    Points,
    Refused,
    SizesSight,
    SlotSight,
    Started,
    Unaccounted,
    Unavailable,
)
from vmbackup_core.domain.drill.steps import (
    CREATING,
    AskValidation,
    CancelRestore,
    ChoosePoint,
    ChooseSize,
    Conclude,
    CreateCopy,
    KeepSlot,
    LeaseSlot,
    QuarantineSlot,
    ReadCheck,
    ReadConsole,
    ReadCopy,
    ReadDisks,
    ReadLeft,
    ReadNetwork,
    ReadRestore,
    ReadSlot,
    ReadValidation,
    ReleaseSlot,
    RemoveContainer,
    RemoveThing,
    StartCheck,
    StartRestore,
    Step,
    StopCopy,
    WatchRestores,
    WriteRecord,
)
from vmbackup_core.domain.errors import BackupError, Gone, Retryable, Stale
from vmbackup_core.ports import Clock, Restores
from vmbackup_core.ports_drills import Copies, Networks, Restoring, Staging

SOON = timedelta(seconds=15)  # Somebody else is reading what we need.
_NOT_FOUND = frozenset({404, 410})
_THERE_ALREADY = 412
# A second asking would not be the same as the first: only looking tells what became of it.
_UNREPEATABLE = (CreateCopy, StartCheck)


@dataclass(frozen=True, slots=True)
class DrillActs:
    restores: Restores
    restoring: Restoring
    staging: Staging
    copies: Copies
    networks: Networks
    shelf: SizeShelf
    watch: RestoreWatch
    ledger: DrillLedger
    records: DrillRecords
    keepsakes: Keepsakes
    brakes: DrillBrakes
    clock: Clock

    def do(self, order: DrillOrder, step: Step) -> Any:
        """Return what came of `step`: facts, or why there are none (domain/drill/outcomes.py)."""
        try:
            if isinstance(step, CREATING) and (held := self.brakes.hold(order)) is not None:
                return held
            return self._do(order, step)
        except Retryable as error:
            if error.maybe_done and isinstance(step, _UNREPEATABLE):
                return Lost(self.clock.now(), str(error))
            return Unavailable(str(error), error.after)
        except Stale as error:
            gone = isinstance(error, Gone) or error.status in _NOT_FOUND
            lacks = gone or isinstance(step, ChoosePoint)
            return Missing(str(error)) if lacks else Unavailable(str(error))
        except BackupError as error:
            return Refused(error.code, str(error))

    def _do(self, order: DrillOrder, step: Step) -> Any:
        match step:
            case ChoosePoint():
                return Points(self.restores.observe_points(order.vm, order.vault))
            case LeaseSlot(until):
                return self.ledger.lease(order, until)
            case ReadSlot(slot):
                things = self.copies.list_things(slot)
                return SlotSight(things, self.staging.find_account(slot.place))
            case ReadNetwork(slot, closely):
                return self.networks.observe_network(slot, closely=closely)
            case ChooseSize():
                return self._sizes(step)
            case AskValidation(wanted):
                return Operation(self.restoring.validate_restore(wanted))
            case ReadValidation(operation):
                return self.restoring.observe_validation(operation)
            case StartRestore():
                return self._start(order, step)
            case WatchRestores(vault):
                return self.watch.look(vault)
            case ReadRestore(vault, job):
                facts = self.restoring.observe_restore(vault, job)
                self.ledger.note_job(order, facts)
                return facts
            case CancelRestore(vault, job):
                return self._done(lambda: self.restoring.cancel_restore(vault, job))
            case ReadDisks(slot, account, container, config, template):
                recipe = self.staging.read_recipe(account, container, config, template)
                return DisksSight(self.copies.list_disks(slot), recipe)
            case CreateCopy():
                return self._create(order, step)
            case ReadCopy():
                return self._copy(order, step)
            case ReadConsole(slot, name):
                console = self.copies.observe_console(slot, name)
                self.keepsakes.keep(order.run, console)
                return console
            case StartCheck(slot, name, location, check):
                return self._done(lambda: self.copies.start_check(slot, name, location, check))
            case ReadCheck(slot, name, script):
                return CheckSight(self.copies.observe_check(slot, name, script))
            case StopCopy(slot, name):
                return self._done(lambda: self.copies.stop_copy(slot, name))
            case ReadLeft(slot):
                return Left(self.copies.list_things(slot))
            case RemoveThing():
                return self._remove(order, step)
            case RemoveContainer(account, container):
                return self._done(lambda: self.staging.remove_container(account, container))
            case QuarantineSlot(slot, why):
                return self._done(lambda: self.ledger.quarantine(order, slot, why))
            case KeepSlot(_, until):
                return self._done(lambda: self.ledger.keep(order, until))
            case ReleaseSlot():
                return self._release(order, step)
            case WriteRecord(record):
                self.records.write(record)
                return self._done(lambda: self.ledger.close(record))
            case Conclude():
                return Done(self.clock.now())
            case _:
                assert_never(step)

    def _done(self, act: Callable[[], object]) -> Done:
        act()
        return Done(self.clock.now())

    def _sizes(self, step: ChooseSize) -> SizesSight | NotYet:
        sizes = self.shelf.sizes_in(step.place, step.names)
        usages = self.shelf.usages_in(step.place)
        if sizes is None or usages is None:
            return NotYet(SOON)
        return SizesSight(sizes, usages)

    def _start(self, order: DrillOrder, step: StartRestore) -> Any:
        """
        Ask for the restore, unless the ledger knows of an asking that the state does not.

        Whoever wrote that one may have sent it and died: it is looked for first.
        """
        at = self.clock.now()
        asked = self.ledger.note_asking(order, step.known, at)
        if asked is not None:
            return Unaccounted(asked)
        try:
            job = self.restoring.start_restore(step.order)
        except Retryable as error:
            if error.maybe_done:
                return Lost(at, str(error))
            return NotStarted(at, str(error), error.after)
        except BackupError as error:
            return Refused(error.code, str(error))
        self.ledger.note_job_id(order, job)
        return Started(at, job)

    def _create(self, order: DrillOrder, step: CreateCopy) -> Done | Exists | Lost:
        at = self.ledger.note_copy(order, self.clock.now())
        try:
            self.copies.create_copy(step.spec)
        except Stale as error:
            if error.status != _THERE_ALREADY and error.code != "PreconditionFailed":
                raise
            return Exists(at)
        except Retryable as error:
            if not error.maybe_done:
                raise
            return Lost(at, str(error))
        return Done(at)

    def _copy(self, order: DrillOrder, step: ReadCopy) -> Any:
        copy = self.copies.observe_copy(step.slot, step.name, closely=step.closely)
        if copy is None:
            return Missing(f"there is no machine {step.name}")
        if copy.protected_in:
            self.ledger.note_protection(order, copy.protected_in)
        return copy

    def _release(self, order: DrillOrder, step: ReleaseSlot) -> Done | Unaccounted:
        asked = self.ledger.asked(order)
        if step.clean and len(asked) > step.known:
            return Unaccounted(asked)
        return self._done(lambda: self.ledger.release(order, step.slot, clean=step.clean))

    def _remove(self, order: DrillOrder, step: RemoveThing) -> Done | Refused:
        if not self.ledger.has(order, step.slot):
            words = f"the ledger does not give {step.slot.group} to this run"
            return Refused("NotLeased", words)
        return self._done(lambda: self.copies.remove(step.slot, step.thing))
