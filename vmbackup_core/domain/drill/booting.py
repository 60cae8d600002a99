"""
Rung 2: looking at a copy until it has booted, or its time is over.

Looks are dear, and counted: they come at growing intervals, spread over the time that there is.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.budget import FOR_LAST_LOOK, FOR_SCRIPT, calls_left
from vmbackup_core.domain.drill.copying import (
    FIRST_LOOK,
    after_copy,
    os_type_of,
    slot_of,
)
from vmbackup_core.domain.drill.facts import (
    ConsoleFacts,
)
from vmbackup_core.domain.drill.proof_boot import heard, judge_boot
from vmbackup_core.domain.drill.proof_canary import read_canary
from vmbackup_core.domain.drill.ready import Absorb
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.drill.scripts import onward, with_agent
from vmbackup_core.domain.drill.state import Drill
from vmbackup_core.domain.drill.steps import (
    ReadConsole,
    ReadCopy,
    Step,
)
from vmbackup_core.domain.facts import Power, Provisioning

SPARE = timedelta(minutes=2)  # Before the copy must be off, so that it is off in time.
FEWEST_LOOKS = 2  # After the first one.


def _with(state: Drill, **changes: Any) -> Drill:
    return replace(state, climbing=replace(state.climbing, **changes))


def look_at_boot(state: Drill, now: datetime) -> Step:
    """
    Return what to read of the copy's start: its console, and itself where that may have changed.

    What a console says is believed only of a copy that was read after it, or at the same look. The
    last look is close, because what comes next would ask for that.
    """
    climbing, slot = state.climbing, slot_of(state)
    last = now >= _boot_by(state)
    closely = climbing.closely is None or climbing.boots is not None or last
    if climbing.seen is None and (closely or _is_windows(state)):
        return ReadCopy(slot, state.copy_name, closely=closely)
    return ReadConsole(slot, state.copy_name)


def _is_windows(state: Drill) -> bool:
    return os_type_of(state).lower() == "windows"


def _boot_by(state: Drill) -> datetime:
    """Return when it must have booted at the latest, so that it is off in time."""
    if state.must_stop is None:
        raise AssertionError("no copy was asked for")
    return state.must_stop - 2 * SPARE


def _after_console(state: Drill, _: ReadConsole, outcome: Any, now: datetime) -> Drill:
    climbing, until = state.climbing, _boot_by(state)
    console = outcome if isinstance(outcome, ConsoleFacts) else ConsoleFacts(None, None)
    if climbing.copy is None or climbing.asked is None:
        raise AssertionError("the console is read of a copy that was never read")
    created = climbing.copy.created or climbing.asked
    taken = state.ready.point.taken if state.ready.point else None
    told = judge_boot(os_type_of(state), climbing.copy, console, created, now, until)
    state = _with(
        state,
        digests={**climbing.digests, **_digests(console)},
        canary=read_canary(console.log or "", taken=taken) or climbing.canary,
        looks=climbing.looks + 1,
    )
    if told is None:
        return _look_again(state, now)
    if told.mark is Mark.PASS and climbing.seen is None:
        return _with(state, boots=told)
    return _booted(state, told, now)


def _booted(state: Drill, told: RungResult, now: datetime) -> Drill:
    if told.mark is Mark.PASS:
        state = _with(state, booted=now)
    return with_agent(onward(state.told(told, now), now), now)


def _look_again(state: Drill, now: datetime) -> Drill:
    state = _with(state, seen=None, boots=None)
    return state.pausing(_next_look(state, now), "the copy boots")


def _digests(console: ConsoleFacts) -> dict[str, str]:
    seen = {"log": (console.log or "").encode(), "screenshot": console.screenshot or b""}
    return {name: hashlib.sha256(content).hexdigest() for name, content in seen.items() if content}


def _next_look(state: Drill, now: datetime) -> datetime:
    """
    Return when to look again: after ever longer, so that the calls of ARM last to the end.

    So a quick start is seen at once, and a slow one costs no more; how long it took is told no
    better than by the looks.
    """
    until = _boot_by(state)
    asked = state.climbing.asked or now
    elapsed, whole = max(now - asked, FIRST_LOOK), until - asked
    scripts = state.order.control or state.wants(Rung.CHECKS)
    left = calls_left(state) - FOR_LAST_LOOK - FOR_SCRIPT * scripts
    looks = max(
        left // (2 if _is_windows(state) else 1), FEWEST_LOOKS + 1 - state.climbing.looks, 1
    )
    ratio: float = max((whole / elapsed) ** (1 / looks), 1.5)
    later = asked + elapsed * ratio
    return max(min(later, until), now + timedelta(minutes=1))


def _after_copy_look(state: Drill, step: ReadCopy, outcome: Any, now: datetime) -> Drill:
    state = after_copy(state, step, outcome, now)
    copy, told = state.climbing.copy, state.climbing.boots
    if state.ending is not None or copy is None or state.climbing.seen is None:
        return state
    if state.climbing.booted is not None:
        return with_agent(state, now)
    if told is not None:
        runs = copy.power is Power.RUNNING and copy.provisioning is Provisioning.SUCCEEDED
        return _booted(state, told, now) if runs else _look_again(state, now)
    silent = not heard(copy, copy.created or now)
    if _is_windows(state) and silent and state.climbing.looks and now < _boot_by(state):
        return _look_again(_with(state, looks=state.climbing.looks + 1), now)
    return state


ABSORB: Mapping[type[Step], Absorb] = {
    ReadCopy: _after_copy_look,
    ReadConsole: _after_console,
}
