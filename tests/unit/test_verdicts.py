import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import (
    FOREIGN_VAULT,
    NOW,
    VAULT,
    WEB,
    at,
    book,
    estate,
    item,
    ours,
    sight,
    spec,
    vm,
)
from tests.planner_cases import CASES
from vmbackup_core.domain.facts import ItemState
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.plans import ChangePolicy
from vmbackup_core.domain.protection import Rulebook, Sight, plan_protection
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.rules import Mode
from vmbackup_core.domain.verdicts import (
    BRAKES,
    REFUSALS,
    REFUSED_AGAIN,
    Seen,
    Verdict,
    changes,
    count,
    find_shrinking,
    judge_estate,
    judge_vm,
    lasting,
    orphans,
    plan_hash,
)


def judge(given: Sight, rulebook: Rulebook | None = None, *, mode: Mode = Mode.PROTECT) -> Verdict:
    return judge_vm(given, plan_protection(given, rulebook or book()), mode, NOW)


def test_what_differs_is_due_for_a_workflow() -> None:
    verdict = judge(sight())

    assert (verdict.reason, verdict.due, verdict.differs) == (Reason.TO_PROTECT, True, True)


def test_in_observe_mode_what_would_be_done_is_only_reported() -> None:
    verdict = judge(sight(), mode=Mode.OBSERVE)

    assert (verdict.reason, verdict.due, verdict.differs) == (Reason.OBSERVING, False, True)


def test_in_observe_mode_a_protected_vm_is_protected() -> None:
    assert judge(sight(vm(), item()), mode=Mode.OBSERVE).reason is Reason.PROTECTED


@pytest.mark.parametrize("reason", sorted(REFUSALS, key=lambda r: r.name))
def test_a_refusal_stands_and_is_tried_again_only_after_a_while(reason: Reason) -> None:
    fresh = judge(sight(memory=Memory(reason=reason, reason_at=at(-1))))
    old = judge(sight(memory=Memory(reason=reason, reason_at=NOW - REFUSED_AGAIN)))

    assert (fresh.reason, fresh.due) == (reason, False)
    assert (old.reason, old.due) == (reason, True)


@pytest.mark.parametrize("reason", sorted(BRAKES, key=lambda r: r.name))
def test_a_brake_is_told_and_tried_at_each_sweep(reason: Reason) -> None:
    verdict = judge(sight(memory=Memory(reason=reason, reason_at=at(-1))))

    assert (verdict.reason, verdict.due) == (reason, True)


@pytest.mark.parametrize("reason", [Reason.ENABLE_CAP, Reason.DAILY_LIMIT])
def test_a_cap_is_a_brake(reason: Reason) -> None:
    assert reason in BRAKES


def test_a_refusal_of_old_says_nothing_once_the_vm_is_protected() -> None:
    memory = Memory(reason=Reason.NO_PERMISSION, reason_at=at(-1))

    assert judge(sight(vm(), item(), memory=memory)).reason is Reason.PROTECTED


def test_a_vm_whose_write_was_never_followed_to_its_end_is_due() -> None:
    # Else nobody would learn that the policy in force is ours.
    unfinished = Memory(asked="gold", asked_at=at(-60))

    assert judge(sight(vm(), item(), memory=unfinished)).due
    assert not judge(sight(vm(), item(), memory=unfinished), mode=Mode.OBSERVE).due


def test_a_protected_vm_that_we_still_owe_a_resume_is_due() -> None:
    # Else a stop that somebody means would be taken for ours, later.
    assert judge(sight(vm(), item(), memory=Memory(undeleted=True))).due


def test_protected_says_what_azure_does_whatever_we_think_of_it() -> None:
    other = judge(sight(vm(tag="silver"), item()), book(spec("silver")))
    broken = judge(sight(vm(), item(ItemState.ERROR)))
    stopped = judge(sight(vm(), item(ItemState.STOPPED)))
    foreign = judge(sight(vm(), item(vault=FOREIGN_VAULT)))

    assert [v.protected for v in (other, broken, stopped, foreign)] == [True, False, False, True]
    assert (other.vault, other.policy) == ("rsv-11111111-westeurope-1", "gold")
    assert foreign.vault == "their-vault"


def test_each_vm_of_the_estate_has_one_verdict() -> None:
    vms = (vm("b"), vm("a", tag=None), vm("c", tag="off"))
    verdicts = judge_estate(estate(*vms, items=(item(vm=vms[0].id),)), {}, book())

    assert [(v.name, v.reason) for v in verdicts] == [
        ("a", Reason.NOT_ASKED),
        ("b", Reason.PROTECTED),
        ("c", Reason.OPTED_OUT),
    ]


def test_a_vm_is_seen_with_its_own_vaults_items_and_memory_only() -> None:
    web, far = vm(), vm("far", location="northeurope")
    found = estate(web, far, items=(item(vm=web.id),))
    verdicts = judge_estate(found, {web.id: ours(machine="old")}, book())

    assert [(v.name, v.reason) for v in verdicts] == [
        ("far", Reason.NO_VAULT),
        ("web", Reason.TO_CONFIRM),
    ]


@pytest.mark.parametrize("mode", Mode)
def test_the_classes_sum_over_everything_that_can_be_the_case(mode: Mode) -> None:
    verdicts = [
        replace(judge(case.sight, case.book, mode=mode), vm=VmId("s", "g", f"vm-{number}"))
        for number, case in enumerate(CASES)
    ]

    sums = count(verdicts)

    assert sums.vms == sum(sums.reasons.values()) == len(CASES)
    assert sums.in_scope == sums.protected + sum(sums.unprotected.values())


def test_counting_a_vm_twice_is_an_error() -> None:
    verdict = judge(sight())

    with pytest.raises(AssertionError, match="do not sum"):
        count([verdict, verdict])


def test_a_protected_vm_that_nothing_asks_for_is_out_of_scope() -> None:
    sums = count([judge(sight(vm(tag=None), item()))])

    assert (sums.in_scope, sums.protected, sums.reasons) == (0, 0, {"TAG_LOST": 1})


def test_an_item_whose_vm_is_gone_is_an_orphan() -> None:
    moved = vm(group="rg-new")
    left, deleted = item(), item(ItemState.SOFT_DELETED, vm=vm("old").id)

    assert orphans(estate(moved, items=(left, deleted))) == (left,)


def test_a_verdict_keeps_the_time_since_when_it_holds() -> None:
    before = {WEB: Seen("machine-of-web", Reason.OPTED_OUT, at(-600))}
    (verdict,) = lasting([judge(sight(vm(tag="off")))], before)

    assert verdict.since == at(-600)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(Seen("machine-of-web", Reason.NOT_ASKED, at(-600)), id="another reason"),
        pytest.param(Seen("an-earlier-one", Reason.OPTED_OUT, at(-600)), id="another machine"),
    ],
)
def test_a_verdict_that_is_new_holds_since_now(before: Seen) -> None:
    (verdict,) = lasting([judge(sight(vm(tag="off")))], {WEB: before})

    assert verdict.since == NOW


@pytest.mark.parametrize(
    ("before", "now", "stops"),
    [
        (100, 100, False),
        (100, 120, False),
        (100, 80, False),
        (100, 79, True),
        (1000, 0, True),
        (12, 3, False),
        (12, 2, True),
        (0, 0, False),
    ],
)
def test_a_sudden_shrinking_is_found(before: int, now: int, *, stops: bool) -> None:
    assert (find_shrinking(before, now, 0.2) is not None) is stops


def test_the_hash_of_a_plan_is_that_of_its_steps_and_machines() -> None:
    to_do = judge(sight())

    assert plan_hash([to_do]) == plan_hash([replace(to_do, since=at(5), name="WEB")])
    assert plan_hash([to_do]) != plan_hash([])
    assert plan_hash([to_do]) != plan_hash([replace(to_do, machine="another")])
    assert plan_hash([to_do]) != plan_hash([judge(sight(vaults=()), book(rules=()))])


def test_the_hash_of_a_plan_stays_while_brakes_come_and_go() -> None:
    # Else a plan could not be approved while its budget is being spent.
    free, braked = sight(), sight(memory=Memory(reason=Reason.BUDGET_SPENT, reason_at=NOW))

    assert plan_hash([judge(free)]) == plan_hash([judge(braked)])


def test_what_needs_no_step_is_not_in_the_hash() -> None:
    assert plan_hash([judge(sight(vm(), item()))]) == plan_hash([])


def test_changes_are_the_steps_on_what_is_protected_already() -> None:
    case = next(c for c in CASES if c.about.endswith("the vault lacks the new one"))

    assert changes([judge(case.sight, case.book)]) == (ChangePolicy(WEB, VAULT, "platinum"),)
    assert changes([judge(sight())]) == ()


def test_only_work_is_due() -> None:
    verdicts = [judge(case.sight, case.book) for case in CASES]

    assert {v.plan.reason.standing for v in verdicts if v.due and not v.protected} == {
        Standing.WORK
    }


ROOT = Path(__file__).resolve().parents[2]
HASH = """
from tests.builders import book, sight, vm
from tests.planner_cases import bare_vault
from vmbackup_core.domain.protection import plan_protection
from vmbackup_core.domain.rules import Mode
from vmbackup_core.domain.verdicts import judge_vm, plan_hash
from tests.builders import NOW
seen = sight(vaults=(bare_vault(),))
print(plan_hash([judge_vm(seen, plan_protection(seen, book()), Mode.PROTECT, NOW)]))
"""


def test_the_hash_of_a_plan_is_the_same_in_every_process() -> None:
    hashes = {
        subprocess.run(
            [sys.executable, "-c", HASH],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(hashes) == 1
