"""What scripts inside the copy say; and the one that must fail."""

from datetime import timedelta
from typing import Any

import pytest

from vmbackup_core.domain.drill.facts import CheckFacts, CheckProgress, GuestCheck
from vmbackup_core.domain.drill.proof_checks import (
    LINES_TOLD,
    PATIENCE,
    checks_for,
    judge_check,
    judge_checks,
)
from vmbackup_core.domain.drill.proof_control import EXIT_CODE, control_check, judge_control
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, RungResult

CHECK = GuestCheck("services", "Linux", "true")
NO_TIME = timedelta(0)
AN_AGE = timedelta(hours=2)


def ended(exit_code: int | None = 0, **more: Any) -> CheckFacts:
    return CheckFacts(CheckProgress.ENDED, exit_code, **more)


def judged(facts: CheckFacts | None, waited: timedelta = NO_TIME) -> RungResult:
    result = judge_check(CHECK, facts, waited)
    assert result is not None
    assert result.rung is Rung.CHECKS
    return result


def told(result: RungResult) -> tuple[Mark, ProofReason]:
    return result.mark, result.reason


PASSED = (Mark.PASS, ProofReason.CHECKS_PASSED)
FAILED = (Mark.FAIL, ProofReason.CHECK_FAILED)
UNREACHABLE = (Mark.NOT_RUN, ProofReason.CHECK_UNREACHABLE)


def test_an_exit_code_of_0_passes() -> None:
    assert told(judged(ended(output="all up"))) == PASSED


@pytest.mark.parametrize("code", [1, 42, 127, -1])
def test_any_other_exit_code_fails(code: int) -> None:
    assert told(judged(ended(code))) == FAILED


def test_a_failure_says_the_code_and_the_last_lines() -> None:
    output = "\n".join(f"line {number}" for number in range(20))

    because = judged(ended(3, output=output)).because

    assert because[0] == "services: exit code 3"
    assert because[1:] == tuple(f"  line {20 - LINES_TOLD + n}" for n in range(LINES_TOLD))


def test_what_it_complained_of_is_told_rather_than_what_it_said() -> None:
    assert judged(ended(1, output="fine", error="not fine")).because[-1] == "  not fine"


def test_a_script_that_did_not_end_in_its_time_has_failed() -> None:
    assert told(judged(CheckFacts(CheckProgress.TIMED_OUT))) == FAILED


@pytest.mark.parametrize(
    "facts", [CheckFacts(CheckProgress.UNREACHABLE, message="no"), ended(None)]
)
def test_without_an_exit_code_nothing_is_known(facts: CheckFacts) -> None:
    assert told(judged(facts)) == UNREACHABLE


@pytest.mark.parametrize("facts", [None, CheckFacts(CheckProgress.RUNNING)])
def test_an_answer_is_waited_for_and_then_given_up(facts: CheckFacts | None) -> None:
    enough = CHECK.timeout + PATIENCE

    assert judge_check(CHECK, facts, enough - timedelta(seconds=1)) is None
    assert told(judged(facts, enough)) == UNREACHABLE


def test_an_answer_that_came_late_counts() -> None:
    assert told(judged(ended(), AN_AGE)) == PASSED


def test_checks_are_run_on_the_system_they_are_written_for() -> None:
    both = (CHECK, GuestCheck("services", "windows", "exit 0"))

    assert checks_for(both, "linux") == (CHECK,)


# All together.

GOOD, BAD = judged(ended()), judged(ended(1))
UNKNOWN = judged(None, AN_AGE)


@pytest.mark.parametrize(
    ("results", "answer"),
    [
        ((GOOD, GOOD), PASSED),
        ((GOOD, BAD), FAILED),
        ((UNKNOWN, BAD, GOOD), FAILED),
        ((GOOD, UNKNOWN), UNREACHABLE),
        ((), (Mark.NOT_RUN, ProofReason.NO_CHECKS)),
    ],
)
def test_the_worst_check_decides(
    results: tuple[RungResult, ...], answer: tuple[Mark, ProofReason]
) -> None:
    assert told(judge_checks(results)) == answer


def test_what_decided_is_said_first() -> None:
    assert judge_checks((GOOD, BAD)).because[:1] == BAD.because[:1]


def test_an_agent_that_never_reported_leaves_the_checks_not_run() -> None:
    assert told(judge_checks((), agent=False)) == (Mark.NOT_RUN, ProofReason.AGENT_SILENT)


# The check that must fail.


@pytest.mark.parametrize(
    ("facts", "became"),
    [
        (ended(EXIT_CODE), Control.HELD),
        (ended(0), Control.BROKEN),
        (ended(1), Control.INCONCLUSIVE),
        (ended(127), Control.INCONCLUSIVE),
        (ended(None), Control.INCONCLUSIVE),
        (CheckFacts(CheckProgress.TIMED_OUT), Control.INCONCLUSIVE),
        (CheckFacts(CheckProgress.UNREACHABLE), Control.INCONCLUSIVE),
        (CheckFacts(CheckProgress.RUNNING), Control.INCONCLUSIVE),
        (None, Control.INCONCLUSIVE),
    ],
)
def test_the_control_holds_only_with_its_own_exit_code(
    facts: CheckFacts | None, became: Control
) -> None:
    assert judge_control(facts) is became


@pytest.mark.parametrize("os_type", ["Linux", "Windows"])
def test_the_control_is_a_check_that_fails(os_type: str) -> None:
    assert f"exit {EXIT_CODE}" in control_check(os_type).script
    assert told(judged(ended(EXIT_CODE))) == FAILED
