import pytest

from tests.blobs import MemoryBlobs
from tests.builders import EXCLUSION, NOW, VAULT, WEB, at, book, item, ours, sight, spec, vm
from tests.clocks import HandClock
from vmbackup_core.app.approvals import Approvals
from vmbackup_core.domain.errors import Rejected
from vmbackup_core.domain.plans import ChangePolicy
from vmbackup_core.domain.protection import Rulebook, Sight, plan_protection
from vmbackup_core.domain.rules import Mode
from vmbackup_core.domain.verdicts import Verdict, judge_vm, plan_hash

BOOK = book(spec("platinum", 90))
CHANGE = ChangePolicy(WEB, VAULT, "platinum", EXCLUSION)


def verdict(given: Sight, rulebook: Rulebook = BOOK) -> Verdict:
    return judge_vm(given, plan_protection(given, rulebook), Mode.PROTECT, NOW)


PLAN = [verdict(sight(vm(tag="platinum"), item(exclusion=EXCLUSION), memory=ours()))]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def approvals(clock: HandClock) -> Approvals:
    return Approvals(MemoryBlobs(), clock)


def test_nothing_is_approved_by_itself(approvals: Approvals) -> None:
    assert not approvals.cover("machine-of-web", CHANGE)
    assert approvals.smallest_scope() is None


def test_an_approval_covers_the_steps_that_were_shown(approvals: Approvals) -> None:
    approvals.give(plan_hash(PLAN), PLAN)

    assert approvals.cover("machine-of-web", CHANGE)
    assert not approvals.cover("another-machine", CHANGE)
    assert not approvals.cover("machine-of-web", ChangePolicy(WEB, VAULT, "gold"))


def test_an_approval_holds_whatever_exclusions_the_step_carries_over(approvals: Approvals) -> None:
    approvals.give(plan_hash(PLAN), PLAN)

    assert approvals.cover("machine-of-web", ChangePolicy(WEB, VAULT, "platinum"))


def test_the_first_digits_of_the_hash_are_enough_in_any_case(approvals: Approvals) -> None:
    approvals.give(plan_hash(PLAN)[:8].upper(), PLAN)

    assert approvals.cover("machine-of-web", CHANGE)


@pytest.mark.parametrize("given", ["", plan_hash(PLAN)[:7], "0" * 64, plan_hash([])])
def test_another_hash_than_that_of_the_plan_of_now_approves_nothing(
    approvals: Approvals, given: str
) -> None:
    with pytest.raises(Rejected):
        approvals.give(given, PLAN)

    assert not approvals.cover("machine-of-web", CHANGE)


def test_an_approval_holds_for_a_day(approvals: Approvals, clock: HandClock) -> None:
    approvals.give(plan_hash(PLAN), PLAN)
    clock.move_to(at(24 * 60 - 1))
    late = approvals.cover("machine-of-web", CHANGE)
    clock.move_to(at(24 * 60 + 1))

    assert late
    assert not approvals.cover("machine-of-web", CHANGE)
    assert approvals.smallest_scope() is None


def test_approving_twice_is_approving_once(approvals: Approvals) -> None:
    approvals.give(plan_hash(PLAN), PLAN)
    again = approvals.give(plan_hash(PLAN), PLAN)

    assert again.in_scope == 1
    assert approvals.cover("machine-of-web", CHANGE)


def test_an_approval_accepts_the_scope_that_was_shown(approvals: Approvals) -> None:
    approvals.give(plan_hash(PLAN), PLAN)

    assert approvals.smallest_scope() == 1
