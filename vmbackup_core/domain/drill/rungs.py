"""
The ladder of proof, and what a restore test is worth when it ends.

The verdict is computed from the marks of the rungs, never set; a rung that was skipped is no pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum

from vmbackup_core.domain.drill.reasons import ProofReason


class Rung(IntEnum):
    """How much is proven; each rung stands on those below it."""

    POINT = 0  # A recovery point exists that is fresh enough.
    DISKS = 1  # Its disks are restored and match what the point recorded.
    BOOT = 2  # A machine made of them boots.
    CHECKS = 3  # Its agent is ready and the guest checks succeed.
    CANARY = 4  # What was written before the backup is in it.


class Mark(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class RungResult:
    """What became of one rung; `because` says in words what was seen."""

    rung: Rung
    mark: Mark
    reason: ProofReason
    because: tuple[str, ...] = ()


class Verdict(Enum):
    """What a restore test is worth."""

    PROVEN = "every rung that its tier asks for has passed"
    FAILED = "a rung has failed: this backup may not restore"
    NOT_PROVEN = "it could not be carried far enough to tell: nothing is proven"


class Control(StrEnum):
    """What became of a negative control: a check that must fail was run inside the copy."""

    HELD = "held"  # It failed, and was seen to fail.
    BROKEN = "broken"  # It passed: what checks say is worth nothing until somebody has looked.
    INCONCLUSIVE = "inconclusive"  # It could not be run, so nothing was learned.


def judge_rungs(results: Iterable[RungResult], needed: Rung) -> Verdict:
    """
    Return what the results are worth where every rung up to `needed` is asked for.

    A failed rung fails the whole, also one above `needed`. A rung without a result counts as not
    run; the last result of a rung counts.
    """
    marks = {result.rung: result.mark for result in results}
    if Mark.FAIL in marks.values():
        return Verdict.FAILED
    if all(marks.get(rung) is Mark.PASS for rung in Rung if rung <= needed):
        return Verdict.PROVEN
    return Verdict.NOT_PROVEN


def reached(results: Iterable[RungResult]) -> Rung | None:
    """Return the highest rung with every rung up to it passed, None where not even the first."""
    marks = {result.rung: result.mark for result in results}
    top: Rung | None = None
    for rung in Rung:
        if marks.get(rung) is not Mark.PASS:
            return top
        top = rung
    return top
