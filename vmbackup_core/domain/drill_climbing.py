"""
The rungs that need a running copy: whether it boots, what its checks say, whether the canary lives.

Last comes the negative control, where one is ordered: a check that must fail.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill_copying import (
    FIRST_LOOK,
    after_copy,
    next_copying,
    os_type_of,
    read_again,
    slot_of,
)
from vmbackup_core.domain.drill_facts import (
    CheckFacts,
    CheckProgress,
    ConsoleFacts,
    GuestCheck,
)
from vmbackup_core.domain.drill_outcomes import (
    CheckSight,
    Done,
    Lost,
)
from vmbackup_core.domain.drill_ready import Absorb
from vmbackup_core.domain.drill_reasons import Ending, ProofReason
from vmbackup_core.domain.drill_state import Drill, Script
from vmbackup_core.domain.drill_steps import (
    BUDGET,
    Conclude,
    ReadCheck,
    ReadConsole,
    ReadCopy,
    StartCheck,
    Step,
    Wait,
)
from vmbackup_core.domain.proof_boot import heard, judge_boot
from vmbackup_core.domain.proof_canary import Canary, canary_check, judge_canary, read_canary
from vmbackup_core.domain.proof_checks import PATIENCE, checks_for, judge_check, judge_checks
from vmbackup_core.domain.proof_control import control_check, judge_control
from vmbackup_core.domain.rungs import Mark, Rung, RungResult

SPARE = timedelta(minutes=2)  # Before the copy must be off, so that it is off in time.
AGENT_PATIENCE = timedelta(minutes=10)  # An agent is ready within some minutes of the boot.
CHECK_LOOK = timedelta(minutes=1)
LOOK_CALLS = 2  # A look at the boot: the copy, without what belongs to it, and its console.
RESERVE = 11  # Calls for a last look, for a check with what is read back before it, and to clean.

UNREACHABLE = CheckFacts(CheckProgress.UNREACHABLE)


def next_climbing(state: Drill, now: datetime) -> Step | Wait | None:
    """Return what the rungs above the disks need next."""
    if (step := next_copying(state, now)) is not None:
        return step
    climbing, slot = state.climbing, slot_of(state)
    if climbing.script is not None:
        return ReadCheck(slot, state.copy_name, climbing.script.check.name)
    if state.mark_of(Rung.BOOT) is None:
        if climbing.seen is None:
            return ReadCopy(slot, state.copy_name, closely=climbing.closely is None)
        return ReadConsole(slot, state.copy_name)
    script = _next_script(state)
    if script is None:
        return Conclude(Ending.COMPLETED)
    if climbing.copy is None or climbing.seen is None:
        return ReadCopy(slot, state.copy_name, closely=False)
    if (read := read_again(state, now)) is not None:
        return read
    return StartCheck(slot, state.copy_name, state.order.location, script[1])


def out_of_time(state: Drill, now: datetime) -> Conclude | None:
    """Return the end of a copy that has run for as long as it may."""
    if state.must_stop is None or now < state.must_stop - SPARE:
        return None
    rung = next((r for r in Rung if state.wants(r) and state.mark_of(r) is None), None)
    words = (f"a copy may run for {state.order.power_on.total_seconds() / 60:g} minutes",)
    result = RungResult(rung, Mark.NOT_RUN, ProofReason.OUT_OF_TIME, words) if rung else None
    return Conclude(Ending.COMPLETED, result=result)


def _with(state: Drill, **changes: Any) -> Drill:
    return replace(state, climbing=replace(state.climbing, **changes))


# Booting.


def _after_console(state: Drill, _: ReadConsole, outcome: Any, now: datetime) -> Drill:
    climbing, must_stop = state.climbing, state.must_stop
    console = outcome if isinstance(outcome, ConsoleFacts) else ConsoleFacts(None, None)
    if climbing.copy is None or climbing.asked is None or must_stop is None:
        raise AssertionError("the console is read of a copy that was never read")
    created = climbing.copy.created or climbing.asked
    taken = state.ready.point.taken if state.ready.point else None
    until = must_stop - 2 * SPARE
    told = judge_boot(os_type_of(state), climbing.copy, console, created, now, until)
    state = _with(
        state,
        digests={**climbing.digests, **_digests(console)},
        canary=read_canary(console.log or "", taken=taken) or climbing.canary,
        looks=climbing.looks + 1,
        seen=None if told is None else climbing.seen,
    )
    if told is None:
        return state.pausing(_next_look(state, now, until), "the copy boots")
    if told.mark is Mark.PASS:
        state = _with(state, booted=now)
    return _with_agent(_onward(state.told(told, now), now), now)


def _digests(console: ConsoleFacts) -> dict[str, str]:
    seen = {"log": (console.log or "").encode(), "screenshot": console.screenshot or b""}
    return {name: hashlib.sha256(content).hexdigest() for name, content in seen.items() if content}


def _next_look(state: Drill, now: datetime, until: datetime) -> datetime:
    """
    Return when to look again: each time after twice as long, while the calls of ARM last.

    Where they do not, the last look is the one that must answer; a second one there always is.
    """
    asked = state.climbing.asked or now
    later = now + max(FIRST_LOOK, now - asked)
    left = BUDGET - state.calls - RESERVE
    if later > until or (left < LOOK_CALLS and state.climbing.looks > 1):
        return max(until, now + timedelta(minutes=1))
    return later


def _onward(state: Drill, now: datetime) -> Drill:
    """Take in that a rung was told: go on to the next one that can be told, or end."""
    order, climbing = state.order, state.climbing
    passed = all(state.mark_of(rung) is Mark.PASS for rung in Rung if _tried(state, rung))
    if passed and _pending(state, Rung.CHECKS) and not checks_for(order.checks, os_type_of(state)):
        return _onward(state.told(judge_checks(()), now), now)
    if passed and climbing.canary is not None and _pending(state, Rung.CANARY):
        return _onward(_judged_canary(state, None, now), now)
    if _next_script(state) is None:
        return state.ends(Ending.COMPLETED, now)
    return state


def _tried(state: Drill, rung: Rung) -> bool:
    return state.mark_of(rung) is not None


def _pending(state: Drill, rung: Rung) -> bool:
    """Whether `rung` is the next one to be told."""
    below = Rung(rung - 1)
    return state.wants(rung) and not _tried(state, rung) and state.mark_of(below) is Mark.PASS


# What is run inside.


def _next_script(state: Drill) -> tuple[Rung | None, GuestCheck] | None:
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


def _after_copy_look(state: Drill, step: ReadCopy, outcome: Any, now: datetime) -> Drill:
    return _with_agent(after_copy(state, step, outcome, now), now)


def _with_agent(state: Drill, now: datetime) -> Drill:
    """Wait for the copy's agent where a script is next: nothing else carries it inside."""
    climbing = state.climbing
    copy, booted = climbing.copy, climbing.booted
    if state.ending or copy is None or booted is None or climbing.script:
        return state
    if _next_script(state) is None or heard(copy, copy.created or booted):
        return state
    if now - booted < AGENT_PATIENCE:
        wait = max(CHECK_LOOK, (now - booted) / 2)
        return _with(state, seen=None).pausing(now + wait, "the agent of the copy is not ready")
    return _silent(state, now)


def _silent(state: Drill, now: datetime) -> Drill:
    rung = (_next_script(state) or (None,))[0]
    if rung is Rung.CHECKS:
        return _onward(state.told(judge_checks((), agent=False), now), now)
    if rung is Rung.CANARY:
        return _onward(_judged_canary(state, None, now), now)
    return _onward(_with(state, control=judge_control(None)), now)


def _after_script_start(state: Drill, step: StartCheck, outcome: Any, now: datetime) -> Drill:
    script = _next_script(state)
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
        again = max(CHECK_LOOK, min(waited, script.check.timeout + PATIENCE - waited))
        return state.pausing(now + again, f"{script.check.name} runs")
    state = _with(state, script=None)
    if script.rung is None:
        control = judge_control(facts)
        return _onward(_with(state, control=control).noting(now, f"control {control}"), now)
    if script.rung is Rung.CANARY:
        ended = facts is not None and facts.progress is CheckProgress.ENDED
        return _onward(_judged_canary(state, facts.output if ended and facts else None, now), now)
    checked = (*state.climbing.checked, told)
    state = _with(state, checked=checked).noting(now, f"check {script.check.name}: {told.mark}")
    if len(checked) < len(checks_for(state.order.checks, os_type_of(state))):
        return state
    state = _with(state, checks_ended=now)
    return _onward(state.told(judge_checks(checked), now), now)


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
    ReadCopy: _after_copy_look,
    ReadConsole: _after_console,
    StartCheck: _after_script_start,
    ReadCheck: _after_script_look,
}
