"""
Protect one VM, a turn at a time: look, decide, apply at most one step, record.

A turn may run twice and may die anywhere. So whoever sends a write notes first that it will, and
whoever finds such a note without knowing what came of it looks for the effect before sending again.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from vmbackup_core.app.brakes import Brakes
from vmbackup_core.app.looking import Looker
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.records import Records
from vmbackup_core.app.sending import Sender
from vmbackup_core.app.shelf import Shelf
from vmbackup_core.domain.enabling import (
    Apply,
    AskOperation,
    Done,
    Enabling,
    Ended,
    Pending,
    Wait,
    after_ended,
    after_look,
    after_refusal,
    after_sent,
    after_trouble,
    after_try,
    agent_wait,
    find_job,
    interval,
    judge,
    next_move,
)
from vmbackup_core.domain.errors import Denied, Gone, Malformed, Rejected, Retryable, Stale
from vmbackup_core.domain.failures import classify_refusal
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.intents import EnsureProtected
from vmbackup_core.domain.operations import OperationFacts
from vmbackup_core.domain.plans import (
    Change,
    ConfirmProtection,
    CreatePolicy,
    CreateVault,
    EnableProtection,
    Plan,
    Step,
    describe,
    name_of,
)
from vmbackup_core.domain.protection import Rulebook, Sight, plan_protection
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.ports import Clock, Inventory, Jobs, Journal

FRESH = timedelta(seconds=60)  # Workflows that wait for the same vault share a read this often.
SURE = timedelta(minutes=1)  # How old a look at vaults may be that justifies more than enabling.
SOON = timedelta(seconds=15)  # Somebody else is reading what we need.
LOST = timedelta(minutes=15)  # A note of a write older than this tells nothing any more.
_TROUBLE = {409: Reason.BUSY, 412: Reason.BUSY, 429: Reason.THROTTLED}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn leaves: the next state, and when to come back or what it ended with."""

    state: Enabling
    then: Wait | Done


@dataclass(frozen=True, slots=True)
class ProtectVm:
    inventory: Inventory
    looker: Looker
    jobs: Jobs
    shelf: Shelf
    notebook: Notebook
    brakes: Brakes
    sender: Sender
    records: Records
    journal: Journal
    clock: Clock
    book: Rulebook

    def begin(self, vm: VmId) -> Enabling:
        """Return the state of a workflow that has not looked yet."""
        return Enabling(vm, self.clock.now())

    def turn(self, state: Enabling) -> Turn:
        """
        Take one turn. Never waits, sends at most one write, and may be repeated.

        Ends only where no hint has come since it began to look.
        """
        try:
            state = replace(state, hint=self.notebook.hint(state.vm))
            turn = self._end(self._go(state))
        except (Retryable, Stale) as error:
            turn = self._end(self._come_back(state, error))
        self._note_outcome(turn)
        return turn

    def _go(self, state: Enabling) -> Turn:
        try:
            return self._look_at_pending(state) if state.pending else self._move(state)
        except Gone:
            return Turn(state, Done(Reason.VM_DELETED))
        except (Denied, Rejected, Malformed) as error:
            return self._refused(state, None, error.code, str(error))

    def _refused(self, state: Enabling, vault: VaultId | None, code: str, message: str) -> Turn:
        """Take in a refusal; a vault whose day is full is left alone for some hours."""
        now = self.clock.now()
        state, then = after_refusal(state, vault, code, message, now)
        if vault is not None and isinstance(then, Done) and then.reason is Reason.DAILY_LIMIT:
            self.brakes.full_today(vault)
        return Turn(state, then)

    def _end(self, turn: Turn) -> Turn:
        """End the workflow, unless a hint came while it looked."""
        if not isinstance(turn.then, Done):
            return turn
        if self.notebook.hint(turn.state.vm) != turn.state.hint:
            again = Wait(self.clock.now(), turn.then.reason, ("a hint came meanwhile",))
            return Turn(turn.state, again)
        self.records.verdict(turn.state, turn.then)
        return turn

    def _note_outcome(self, turn: Turn) -> None:
        then, vm = turn.then, turn.state.vm
        until = f", again at {then.until:%H:%M:%S}" if isinstance(then, Wait) else ""
        words = "; ".join(then.because)
        text = f"{then.reason.name}{until}" + (f" ({words})" if words else "")
        key = EnsureProtected(vm).key
        self.journal.note("outcome", key, text, vm=vm, reason=then.reason.name, done=not until)

    def _come_back(self, state: Enabling, error: Retryable | Stale) -> Turn:
        after = error.after if isinstance(error, Retryable) else None
        reason = _TROUBLE.get(error.status, Reason.UNREACHABLE)
        now = self.clock.now()
        if isinstance(error, Stale):  # Perhaps a vault or policy that we knew is gone.
            state = replace(state, vaults_after=now)
        return Turn(*after_trouble(state, reason, str(error), after, now))

    # A write is under way.

    def _look_at_pending(self, state: Enabling) -> Turn:
        now = self.clock.now()
        pending = state.pending
        if pending is None:
            raise AssertionError("nothing is pending")
        job = (
            find_job(state, self.shelf.jobs_of(pending.vault, pending.since))
            if pending.job
            else None
        )
        judged = judge(state, job, None, now)
        if isinstance(judged, AskOperation):
            try:
                judged = judge(state, job, self.jobs.observe_operation(pending.operation), now)
            except Stale:
                judged = Ended()  # Azure has forgotten it: what is there now tells.
        match judged:
            case Wait():
                return Turn(after_look(state), judged)
            case Done():
                return Turn(state, judged)
            case OperationFacts(code=code, message=message):
                state = after_ended(state, job).noting(now, f"{pending.step} failed: {code}")
                self.records.refused(state.vm, pending.step)
                return self._refused(state, pending.vault, code, message)
            case _:
                state = after_ended(state, job).noting(now, f"{pending.step} ended")
                state = replace(state, agent_since=None)
                return self._move(state, ended=pending)

    # Nothing is under way, as far as we know.

    def _move(self, state: Enabling, ended: Pending | None = None) -> Turn:
        """Look at the whole and do what the plan says; `ended` is the write that has just ended."""
        now = self.clock.now()
        vm = self.inventory.observe_vm(state.vm)
        if self.looker.wanted(vm):
            waiting = agent_wait(state, vm, now, self.brakes.limits.agent_wait)
            if waiting is not None:
                return Turn(after_look(state), waiting)
        sight = self.looker.look(vm, vaults_after=state.vaults_after, full=frozenset(state.full))
        if sight is None:
            return Turn(state, Wait(now + SOON, Reason.CREATING, ("vaults are being read",)))
        if ended is not None and ended.step == ConfirmProtection.__name__:
            sight = replace(sight, memory=self.records.machine(sight))
        plan = plan_protection(sight, self.book)
        if plan.steps and isinstance(plan.steps[0], CreateVault | CreatePolicy | Change):
            # Nothing is written over, and nothing weakened, on the word of an old snapshot.
            place = self.shelf.vaults_in(vm.id.subscription, vm.location, now - SURE)
            if place is None:
                return Turn(state, Wait(now + SOON, Reason.CREATING, ("vaults are being read",)))
            sight = replace(sight, vaults=place)
            plan = plan_protection(sight, self.book)
        if plan.steps and (unknown := self._unfinished(sight, state, ended)) is not None:
            return unknown
        if ended is not None:
            if plan.steps and name_of(plan.steps[0]) == ended.step:  # Reads lag behind the effect.
                not_yet = (f"{ended.step} is not visible yet",)
                return Turn(after_look(state), Wait(now + interval(0), plan.reason, not_yet))
            self.records.ended(sight)
        self._note_plan(sight, plan)
        move = next_move(state, plan, now)
        match move:
            case Apply(step):
                return self._apply(state, sight, plan, step)
            case Wait():
                return self._wait_for_vaults(state, move)
            case Done():
                if move.reason is Reason.PROTECTED:
                    self.records.machine(sight)
                self.records.ended(sight)
                return Turn(state, move)

    def _wait_for_vaults(self, state: Enabling, then: Wait) -> Turn:
        """Wait for what is being created: the next look wants to see the vaults as they are."""
        return Turn(replace(after_look(state), vaults_after=then.until - FRESH), then)

    def _note_plan(self, sight: Sight, plan: Plan) -> None:
        vm, key = sight.vm, EnsureProtected(sight.vm.id).key
        items = ", ".join(f"{i.state} in {i.vault.name}" for i in sight.items) or "no item"
        seen = f"{vm.location}, {vm.provisioning}, {vm.power}, agent {vm.agent}, {items}"
        self.journal.note("facts", key, seen, vm=vm.id, machine=vm.machine)
        steps = ", then ".join(describe(step) for step in plan.steps) or "nothing to do"
        text = f"{plan.reason.name}: {steps}"
        self.journal.note(
            "plan", key, text, vm=vm.id, reason=plan.reason.name, because=list(plan.because)
        )

    def _unfinished(self, sight: Sight, state: Enabling, ended: Pending | None) -> Turn | None:
        """
        Return a turn that looks for the effect of a write of which only the note is known.

        A note newer than the write that has just ended is that of a turn like this one, which died.
        """
        asked = sight.memory.asked_at
        now = self.clock.now()
        if asked is None or now - asked > LOST or (ended is not None and asked <= ended.since):
            return None
        vault = VaultId.parse(sight.memory.vault)
        pending = Pending("an earlier write", "ConfigureBackup", vault, "", asked)
        waiting = Wait(now + interval(0), Reason.TO_PROTECT, (f"asked at {asked:%H:%M:%S} UTC",))
        return Turn(replace(state, pending=pending, looks=0), waiting)

    def _apply(self, state: Enabling, sight: Sight, plan: Plan, step: Step) -> Turn:
        match self.brakes.hold(state, sight, plan, step):
            case Done() as done:
                return Turn(state, done)
            case Wait() as waiting:
                return self._wait_for_vaults(state, waiting)
        now = self.clock.now()
        if isinstance(step, EnableProtection | Change):
            self.records.before_asking(sight, step, now)
        key = EnsureProtected(state.vm).key
        self.journal.note("step", key, describe(step), vm=state.vm, step=name_of(step))
        try:
            pending = self.sender.send(step, now)
        except Retryable as error:
            if not error.maybe_done:
                self.records.refused(state.vm, name_of(step))
                return self._come_back(state, error)
            state = state.noting(now, f"{name_of(step)}: the answer was lost")
            pending = self.sender.pending(step, "", now)
        except (Denied, Rejected, Stale) as error:
            self.records.refused(state.vm, name_of(step))
            if isinstance(error, Stale) and not _says_why(error):
                raise
            state = after_try(state).noting(
                now, f"{name_of(step)} refused: {error.code or error.status}"
            )
            return self._refused(state, step.vault, error.code, str(error))
        else:
            state = state.noting(now, f"{name_of(step)} sent")
        return Turn(*after_sent(state, pending, now))


def _says_why(error: Stale) -> bool:
    """Whether a conflict says more than that: whose fault it is, or what would mend it."""
    said = classify_refusal(error.code, str(error))
    return error.status == 409 and said is not Reason.REFUSED
