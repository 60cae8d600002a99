"""
The rungs that need a running copy: it is made, it boots, and what is run inside it is told.
"""

from datetime import datetime

from vmbackup_core.domain.drill.booting import SPARE, look_at_boot
from vmbackup_core.domain.drill.copying import (
    next_copying,
    read_again,
    slot_of,
)
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.drill.scripts import next_script
from vmbackup_core.domain.drill.state import Drill
from vmbackup_core.domain.drill.steps import (
    Conclude,
    ReadCheck,
    ReadCopy,
    StartCheck,
    Step,
    Wait,
)


def next_climbing(state: Drill, now: datetime) -> Step | Wait | None:
    """Return what the rungs above the disks need next."""
    if (step := next_copying(state, now)) is not None:
        return step
    climbing, slot = state.climbing, slot_of(state)
    if climbing.script is not None:
        return ReadCheck(slot, state.copy_name, climbing.script.check.name)
    if state.mark_of(Rung.BOOT) is None:
        return look_at_boot(state, now)
    script = next_script(state)
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
