"""Each reason is produced by a test's case, or stands here with the test that shows it."""

import pytest

from tests.planner_cases import CASES
from vmbackup_core.domain.failures import _BY_CODE, _BY_TEXT
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.verdicts import BRAKES, HELD, REFUSALS

BY_THE_PLANNER = {case.reason for case in CASES}
BY_A_REFUSAL = {
    answer
    for answer in (*_BY_CODE.values(), *(answer for _, answer in _BY_TEXT))
    if isinstance(answer, Reason)
}
ELSEWHERE = {
    Reason.AGENT_WAIT: "test_enabling: Azure asked to wait for the agent",
    Reason.AGENT_NEVER_READY: "test_enabling: … and it never came",
    Reason.BUSY: "test_enabling: another operation is in progress",
    Reason.BUDGET_SPENT: "test_protect: the hour's changes are spent",
    Reason.ENABLE_CAP: "test_protect: the hour's enablings are used up",
    Reason.DAILY_LIMIT: "test_protect: the vault's day is used up",
    Reason.OBSERVING: "test_protect and test_verdicts: observe mode",
    Reason.PAUSED: "test_protect: a pause between plan and write",
    Reason.THROTTLED: "test_protect: 429",
    Reason.UNREACHABLE: "test_protect: no answer",
    Reason.ORPHANED: "test_verdicts: an item without a VM; told for items, not for VMs",
}


def test_every_reason_has_a_test_case() -> None:
    assert set(Reason) - BY_THE_PLANNER - BY_A_REFUSAL - set(ELSEWHERE) == set()


def test_what_is_listed_as_elsewhere_is_not_here() -> None:
    assert set(ELSEWHERE) & BY_THE_PLANNER == set()


def test_no_two_reasons_are_the_same_one_under_two_names() -> None:
    assert len(list(Reason)) == len(Reason.__members__)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_it_means_and_a_persons_reason_how_to_mend_it(reason: Reason) -> None:
    assert reason.text
    assert reason.mend or reason.standing is not Standing.HUMAN


def test_what_azure_refuses_a_vm_for_is_held_until_it_is_tried_again() -> None:
    passing = {Reason.DAILY_LIMIT, Reason.VM_DELETED}

    assert passing | REFUSALS >= BY_A_REFUSAL


def test_a_brake_is_no_refusal() -> None:
    assert set() == BRAKES & REFUSALS
    assert BRAKES | REFUSALS == HELD
