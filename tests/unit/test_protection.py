import pytest

from tests.builders import SECOND_VAULT, VAULT, book, item, sight, vault, vm
from tests.planner_cases import CASES, Case
from vmbackup_core.domain.facts import ItemState, Power
from vmbackup_core.domain.plans import EnableProtection
from vmbackup_core.domain.protection import plan_protection
from vmbackup_core.domain.reasons import Standing


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_a_vm_has_the_steps_and_the_reason_that_its_case_asks_for(case: Case) -> None:
    plan = plan_protection(case.sight, case.book)

    assert (plan.reason, plan.steps) == (case.reason, case.steps)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_a_plan_says_what_decided(case: Case) -> None:
    assert all(plan_protection(case.sight, case.book).because)
    assert plan_protection(case.sight, case.book).because


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_only_a_plan_for_work_has_steps(case: Case) -> None:
    plan = plan_protection(case.sight, case.book)

    assert not plan.steps or plan.reason.standing is Standing.WORK


def test_what_would_weaken_is_named_with_figures() -> None:
    case = next(c for c in CASES if c.about.endswith("the new one keeps less"))

    plan = plan_protection(case.sight, case.book)

    assert "keeps daily backups for 14 instead of 30 days" in plan.because


def test_an_opted_out_vm_says_that_it_is_still_protected() -> None:
    plan = plan_protection(sight(vm(tag="off"), item()), book())

    assert plan.because == ("tag value 'off'", f"still protected in {VAULT.name}")


def test_a_vault_that_refused_for_being_full_is_not_tried_again() -> None:
    two = (vault(items=10), vault(id=SECOND_VAULT))

    plan = plan_protection(sight(vaults=two, full=frozenset({VAULT})), book())

    assert plan.steps == (EnableProtection(vm().id, SECOND_VAULT, "gold"),)


def test_of_several_items_the_live_one_counts() -> None:
    stopped = item(ItemState.STOPPED, vault=SECOND_VAULT)

    assert plan_protection(sight(vm(), stopped, item()), book()).reason.name == "PROTECTED"
    assert plan_protection(sight(vm(), item(), stopped), book()).reason.name == "PROTECTED"


def test_a_vm_that_is_off_counts_as_off() -> None:
    assert [power for power in Power if power.off] == [Power.STOPPED, Power.DEALLOCATED]
