"""
Carry one restore test on, a turn at a time: decide, do, take in what came of it.

A turn may run twice and may die anywhere; it ends after each step that changes anything, so that
the step is remembered. What it decides by is pure (domain/drill/machine.py).
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from vmbackup_core.app.drill.acts import DrillActs
from vmbackup_core.domain.drill.cleaning import given_over
from vmbackup_core.domain.drill.machine import Ended, advance, next_step, phase_of
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.outcomes import Done
from vmbackup_core.domain.drill.state import Drill
from vmbackup_core.domain.drill.steps import EFFECTS, QuarantineSlot, Wait
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.ports import Clock, Journal

LEDGER_AGAIN = timedelta(minutes=1)
MOST_STEPS = 20  # Of one turn: more that only read are a loop of ours.


@dataclass(frozen=True, slots=True)
class DrillTurn:
    """What one turn leaves: the next state, and when to come back or what it ended with."""

    state: Drill
    then: Wait | Ended


@dataclass(frozen=True, slots=True)
class ProveRestore:
    acts: DrillActs
    journal: Journal
    clock: Clock

    def begin(self, order: DrillOrder) -> Drill:
        """Return the state of a restore test that has done nothing yet."""
        return Drill(order, self.clock.now())

    def turn(self, state: Drill) -> DrillTurn:
        """Take one turn. Never waits, changes at most one thing, and may be repeated."""
        try:
            if self._has_slot(state) and self.acts.ledger.taken_over(state.order):
                state = given_over(state, self.clock.now())
        except Retryable as error:  # Nothing is done on a guess about whose the slot is.
            return DrillTurn(state, Wait(self.clock.now() + LEDGER_AGAIN, (str(error),)))
        turn = self._go(state)
        if isinstance(turn.then, Wait) and self._has_slot(turn.state):
            with suppress(Retryable):  # It was prolonged by the turns before, for an hour.
                self.acts.ledger.prolong(state.order, turn.then.until)
        self._note(turn)
        return turn

    def _has_slot(self, state: Drill) -> bool:
        return state.ready.slot is not None and not state.cleaning.released

    def _go(self, state: Drill) -> DrillTurn:
        """
        Take steps that read, and then at most one that changes anything.

        What was told in this turn is remembered before anything is done about it: a copy that was
        removed cannot be asked again.
        """
        told = (state.results, state.ending)
        for _ in range(MOST_STEPS):
            move = next_step(state, self.clock.now())
            if isinstance(move, Wait | Ended):
                return DrillTurn(state, move)
            if isinstance(move, EFFECTS) and (state.results, state.ending) != told:
                break
            key, vm = state.order.run, state.order.vm
            self.journal.note("step", key, type(move).__name__, vm=vm)
            outcome = self.acts.do(state.order, move)
            if isinstance(move, QuarantineSlot) and isinstance(outcome, Done):
                text = f"{move.slot.group} is quarantined: {move.why}"
                self.journal.note("outcome", key, text, vm=vm, done=False)
            state = advance(state, move, outcome, self.clock.now())
            if isinstance(move, EFFECTS):
                break
        now = self.clock.now()
        then = next_step(state, now)
        return DrillTurn(state, then if isinstance(then, Wait | Ended) else Wait(now))

    def _note(self, turn: DrillTurn) -> None:
        state, then = turn.state, turn.then
        if isinstance(then, Ended):
            text = f"{then.record.verdict.name}: {then.record.outcome}"
        else:
            words = "; ".join(word for word in then.because if word)
            text = f"{phase_of(state)}, again at {then.until:%H:%M:%S}" + (
                f" ({words})" if words else ""
            )
        self.journal.note(
            "outcome", state.order.run, text, vm=state.order.vm, done=isinstance(then, Ended)
        )
