"""
What is run inside a copy that has booted: the checks, the canary's own, and last the control.

Scripts reach the copy through its agent alone; what never answers was not run, and has not failed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.budget import FOR_RUN, FOR_SCRIPT, calls_left
from vmbackup_core.domain.drill.copying import (
    os_type_of,
    read_again,
)
from vmbackup_core.domain.drill.facts import (
    CheckFacts,
    CheckProgress,
    GuestCheck,
)
from vmbackup_core.domain.drill.outcomes import (
    CheckSight,
    Done,
    Lost,
)
from vmbackup_core.domain.drill.proof_boot import heard
from vmbackup_core.domain.drill.proof_canary import Canary, canary_check, judge_canary, read_canary
from vmbackup_core.domain.drill.proof_checks import PATIENCE, checks_for, judge_check, judge_checks
from vmbackup_core.domain.drill.proof_control import control_check, judge_control
from vmbackup_core.domain.drill.ready import Absorb
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung
from vmbackup_core.domain.drill.state import Drill, Script
from vmbackup_core.domain.drill.steps import (
    ReadCheck,
    StartCheck,
    Step,
    calls_of,
)

AGENT_LOOK = timedelta(minutes=2)
AGENT_PATIENCE = timedelta(minutes=10)  # An agent is ready within some minutes of the boot.
CHECK_LOOK = timedelta(minutes=1)

UNREACHABLE = CheckFacts(CheckProgress.UNREACHABLE)


def _with(state: Drill, **changes: Any) -> Drill:
    return replace(state, climbing=replace(state.climbing, **changes))


def onward(state: Drill, now: datetime) -> Drill:
    """Take in that a rung was told: go on to the next one that can be told, or end."""
    order, climbing = state.order, state.climbing
    passed = all(state.mark_of(rung) is Mark.PASS for rung in Rung if _tried(state, rung))
    if passed and _pending(state, Rung.CHECKS) and not checks_for(order.checks, os_type_of(state)):
        return onward(state.told(judge_checks(()), now), now)
    if passed and climbing.canary is not None and _pending(state, Rung.CANARY):
        return onward(_judged_canary(state, None, now), now)
    script = next_script(state)
    if script is not None and script[0] is None and calls_left(state) < _control_takes(state, now):
        words = "the control is left to another night: this test has used up its calls"
        return onward(_with(state, control=Control.INCONCLUSIVE).noting(now, words), now)
    return state.ends(Ending.COMPLETED, now) if script is None else state


def _control_takes(state: Drill, now: datetime) -> int:
    """Return how many calls the control takes at least, with the looks that must come before."""
    looks = {read_again(state, now), read_again(state, now, copy=False)}
    return FOR_RUN + sum(calls_of(look) for look in looks if look is not None)


def _tried(state: Drill, rung: Rung) -> bool:
    return state.mark_of(rung) is not None


def _pending(state: Drill, rung: Rung) -> bool:
    """Whether `rung` is the next one to be told."""
    below = Rung(rung - 1)
    return state.wants(rung) and not _tried(state, rung) and state.mark_of(below) is Mark.PASS


def next_script(state: Drill) -> tuple[Rung | None, GuestCheck] | None:
    """Return the script to run next and for which rung (None: the control), None for no more."""
    order, climbing, os_type = state.order, state.climbing, os_type_of(state)
    if state.mark_of(Rung.BOOT) is not Mark.PASS:
        return None
    if _pending(state, Rung.CHECKS):
        left = checks_for(order.checks, os_type)[len(climbing.checked) :]
        return (Rung.CHECKS, left[0]) if left else None
    if _pending(state, Rung.CANARY):
        return Rung.CANARY, canary_check(os_type)
    if order.control and climbing.control is None:
        return None, control_check(os_type)
    return None


def with_agent(state: Drill, now: datetime) -> Drill:
    """Wait for the copy's agent where a script is next: nothing else carries it inside."""
    climbing = state.climbing
    copy, booted = climbing.copy, climbing.booted
    if state.ending or copy is None or booted is None or climbing.script:
        return state
    if next_script(state) is None or heard(copy, copy.created or booted):
        return state
    if now - booted < AGENT_PATIENCE:
        scarce = calls_left(state) <= FOR_SCRIPT
        wait = AGENT_PATIENCE - (now - booted) if scarce else max(AGENT_LOOK, now - booted)
        return _with(state, seen=None).pausing(now + wait, "the agent of the copy is not ready")
    return _silent(state, now)


def _silent(state: Drill, now: datetime) -> Drill:
    rung = (next_script(state) or (None,))[0]
    if rung is Rung.CHECKS:
        return onward(state.told(judge_checks((), agent=False), now), now)
    if rung is Rung.CANARY:
        return onward(_judged_canary(state, None, now), now)
    return onward(_with(state, control=judge_control(None)), now)


def _after_script_start(state: Drill, step: StartCheck, outcome: Any, now: datetime) -> Drill:
    script = next_script(state)
    if script is None:
        raise AssertionError("a script was started that nothing asks for")
    running = Script(step.check, script[0], now, lost=isinstance(outcome, Lost))
    state = _with(state, script=running)
    if isinstance(outcome, Done | Lost):
        return state.noting(now, f"script {step.check.name} started").pausing(
            now + CHECK_LOOK, f"{step.check.name} runs"
        )
    message = getattr(outcome, "words", "")
    return _told_script(state, running, replace(UNREACHABLE, message=message), now)


def _after_script_look(state: Drill, _: ReadCheck, outcome: Any, now: datetime) -> Drill:
    running = state.climbing.script
    if running is None:
        raise AssertionError("a script is read that was not started")
    match outcome:
        case CheckSight(None) if running.lost:
            return _with(state, script=None)  # It never arrived: it is started again.
        case CheckSight(facts):
            return _told_script(state, running, facts, now)
        case _:
            message = getattr(outcome, "words", "")
            return _told_script(state, running, replace(UNREACHABLE, message=message), now)


def _told_script(state: Drill, script: Script, facts: CheckFacts | None, now: datetime) -> Drill:
    waited = now - script.started
    told = judge_check(script.check, facts, waited)
    if told is None:
        left = script.check.timeout + PATIENCE - waited
        again = left if calls_left(state) <= FOR_SCRIPT else min(waited, left)
        return state.pausing(now + max(CHECK_LOOK, again), f"{script.check.name} runs")
    state = _with(state, script=None)
    if script.rung is None:
        control = judge_control(facts)
        return onward(_with(state, control=control).noting(now, f"control {control}"), now)
    if script.rung is Rung.CANARY:
        ended = facts is not None and facts.progress is CheckProgress.ENDED
        return onward(_judged_canary(state, facts.output if ended and facts else None, now), now)
    checked = (*state.climbing.checked, told)
    state = _with(state, checked=checked).noting(now, f"check {script.check.name}: {told.mark}")
    if len(checked) < len(checks_for(state.order.checks, os_type_of(state))):
        return state
    state = _with(state, checks_ended=now)
    return onward(state.told(judge_checks(checked), now), now)


def _judged_canary(state: Drill, output: str | None, now: datetime) -> Drill:
    point = state.ready.point
    if point is None:
        raise AssertionError("a canary is judged of no point")
    canary = state.climbing.canary or read_canary(output or "", taken=point.taken)
    told = judge_canary(
        canary, output, point_taken=point.taken, rpo_target=state.order.targets.rpo, now=now
    )
    return _with(state, canary=canary).told(told, now)


def _canary_in(state: Drill, text: str) -> Canary | None:
    point = state.ready.point
    return read_canary(text, taken=point.taken if point else None)


ABSORB: Mapping[type[Step], Absorb] = {
    StartCheck: _after_script_start,
    ReadCheck: _after_script_look,
}
