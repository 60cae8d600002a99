"""
Rung 3: what the scripts say that were run inside the copy.

Only an exit code tells. Where none came, nothing is known of the script: that is never a failure,
because an isolated machine may be unable to answer (AZURE: VM verification).
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

from vmbackup_core.domain.drill.facts import CheckFacts, CheckProgress, GuestCheck
from vmbackup_core.domain.drill.proof_console import lines_of, quoted
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult

PATIENCE = timedelta(minutes=10)  # For the answer, beyond what the script itself may take.
LINES_TOLD = 5

_result = partial(RungResult, Rung.CHECKS)


def checks_for(checks: Iterable[GuestCheck], os_type: str) -> tuple[GuestCheck, ...]:
    """Return the checks that are written for this system."""
    return tuple(check for check in checks if check.os_type.lower() == os_type.lower())


def judge_check(
    check: GuestCheck, facts: CheckFacts | None, waited: timedelta
) -> RungResult | None:
    """
    Return what one check says, None to look again later; `waited` counts from when it was started.

    A script that did not end in its time has failed; one of which no answer came was not run.
    """
    if facts is None or facts.progress is CheckProgress.RUNNING:
        if waited < check.timeout + PATIENCE:
            return None
        words = f"{check.name}: no answer within {_minutes(check.timeout + PATIENCE)}"
        return _result(Mark.NOT_RUN, ProofReason.CHECK_UNREACHABLE, (words,))
    said = tuple(f"  {quoted(line)}" for line in _last_lines(facts))
    if facts.progress is CheckProgress.TIMED_OUT:
        words = f"{check.name}: did not end within {_minutes(check.timeout)}"
        return _result(Mark.FAIL, ProofReason.CHECK_FAILED, (words, *said))
    if facts.progress is CheckProgress.UNREACHABLE or facts.exit_code is None:
        told = f": {quoted(facts.message)}" if facts.message else ""
        return _result(
            Mark.NOT_RUN, ProofReason.CHECK_UNREACHABLE, (f"{check.name}: no exit code{told}",)
        )
    if facts.exit_code == 0:
        return _result(Mark.PASS, ProofReason.CHECKS_PASSED, (f"{check.name}: exit code 0",))
    words = f"{check.name}: exit code {facts.exit_code}"
    return _result(Mark.FAIL, ProofReason.CHECK_FAILED, (words, *said))


def judge_checks(results: Sequence[RungResult], *, agent: bool = True) -> RungResult:
    """
    Return what all checks say together; `agent` is False where the agent never reported.

    One that failed fails them all, one that was not run leaves them all not run, and where there
    is none, nothing is proven.
    """
    if not agent:
        return _result(Mark.NOT_RUN, ProofReason.AGENT_SILENT)
    if not results:
        return _result(Mark.NOT_RUN, ProofReason.NO_CHECKS)
    worst = next(
        (one for mark in (Mark.FAIL, Mark.NOT_RUN) for one in results if one.mark is mark),
        results[0],
    )
    ordered = sorted(results, key=lambda one: one.mark is not worst.mark)
    return _result(worst.mark, worst.reason, tuple(w for one in ordered for w in one.because))


def _last_lines(facts: CheckFacts) -> tuple[str, ...]:
    """Return the last lines of what the script complained of, else of what it said."""
    return (lines_of(facts.error) or lines_of(facts.output) or lines_of(facts.message))[
        -LINES_TOLD:
    ]


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g} minutes"
