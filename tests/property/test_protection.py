"""
What holds of the planner whatever it sees: it converges, it is safe, it may be asked again.

`happen` is a tiny pure model of what a step does to what the next look sees.
"""

from dataclasses import replace
from typing import assert_never

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.estates import books, sights
from vmbackup_core.domain.facts import ItemFacts, ItemState, VaultFacts
from vmbackup_core.domain.plans import (
    Change,
    ChangePolicy,
    ConfirmProtection,
    CreatePolicy,
    CreateVault,
    EnableProtection,
    RefreshContainers,
    ResumeProtection,
    Step,
    Undelete,
)
from vmbackup_core.domain.policies import downgrades, weakenings
from vmbackup_core.domain.protection import Rulebook, Sight, plan_protection
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.rules import OnSoftDeleted, OnStopped, Wanted, ask

MOST_STEPS = 4
many = settings(max_examples=100, deadline=None)
few = settings(max_examples=50, deadline=None)


def with_item(sight: Sight, item: ItemFacts) -> tuple[ItemFacts, ...]:
    return (*(i for i in sight.items if i.vault != item.vault), item)


def happen(sight: Sight, step: Step) -> Sight:
    """Return what the next look sees once `step` has had its effect and is remembered."""
    memory = sight.memory
    match step:
        case CreateVault(vault, location):
            return replace(sight, vaults=(*sight.vaults, VaultFacts(vault, location)))
        case CreatePolicy(vault, policy):
            vaults = tuple(
                replace(v, policies=(*v.policies, policy.as_facts())) if v.id == vault else v
                for v in sight.vaults
            )
            return replace(sight, vaults=vaults)
        case RefreshContainers():
            return sight
        case Undelete(vm, vault, exclusion):
            item = ItemFacts(vm, vault, ItemState.STOPPED, "", exclusion)
            memory = replace(memory, undeleted=True)
            return replace(sight, items=with_item(sight, item), memory=memory)
        case ConfirmProtection(vm, vault, policy, exclusion):
            item = ItemFacts(vm, vault, ItemState.PROTECTED, policy, exclusion)
            memory = replace(memory, machine=sight.vm.machine)
            return replace(sight, items=with_item(sight, item), memory=memory)
        case EnableProtection(vm, vault, policy):
            exclusion = None
        case ChangePolicy(vm, vault, policy, exclusion) | ResumeProtection(
            vm, vault, policy, exclusion
        ):
            pass
        case _:
            assert_never(step)
    memory = replace(
        memory, machine=sight.vm.machine, vault=str(vault), policy=policy, undeleted=False
    )
    item = ItemFacts(vm, vault, ItemState.PROTECTED, policy, exclusion)
    return replace(sight, items=with_item(sight, item), memory=memory)


def all_done(sight: Sight, steps: tuple[Step, ...]) -> Sight:
    for step in steps:
        sight = happen(sight, step)
    return sight


def turn_by_turn(sight: Sight, book: Rulebook) -> Sight:
    """Take the first step of each new plan, as a workflow does, until there is none."""
    for _ in range(3 * MOST_STEPS):
        steps = plan_protection(sight, book).steps
        if not steps:
            return sight
        sight = happen(sight, steps[0])
    raise AssertionError("a workflow that never ends")


def live(sight: Sight) -> ItemFacts | None:
    return next((i for i in sight.items if i.state is ItemState.PROTECTED), None)


@many
@given(sights(), books)
def test_a_plan_always_has_a_reason_and_steps_only_for_work(sight: Sight, book: Rulebook) -> None:
    plan = plan_protection(sight, book)

    assert plan.because
    assert not plan.steps or plan.reason.standing is Standing.WORK
    assert len(plan.steps) <= MOST_STEPS


@many
@given(sights(), books)
def test_it_converges_the_plan_after_its_plan_has_no_steps(sight: Sight, book: Rulebook) -> None:
    end = turn_by_turn(sight, book)

    assert plan_protection(end, book).steps == ()


@many
@given(sights(), books)
def test_a_plan_for_protection_ends_with_the_vm_protected(sight: Sight, book: Rulebook) -> None:
    steps = plan_protection(sight, book).steps
    end = turn_by_turn(sight, book)

    assert not steps or live(end) is not None


@many
@given(sights(), books)
def test_it_is_restartable_step_by_step_or_at_once_is_the_same_end(
    sight: Sight, book: Rulebook
) -> None:
    at_once = all_done(sight, plan_protection(sight, book).steps)

    assert turn_by_turn(at_once, book) == turn_by_turn(sight, book)


@many
@given(sights(), books, st.integers(0, MOST_STEPS))
def test_stopped_after_any_step_it_comes_to_the_same_end(
    sight: Sight, book: Rulebook, done: int
) -> None:
    stopped = all_done(sight, plan_protection(sight, book).steps[:done])

    assert turn_by_turn(stopped, book) == turn_by_turn(sight, book)


@few
@given(sights(), books, st.randoms(use_true_random=False))
def test_it_does_not_depend_on_the_order_in_which_things_are_seen(
    sight: Sight, book: Rulebook, order: object
) -> None:
    items, vaults = list(sight.items), list(sight.vaults)
    order.shuffle(items)  # type: ignore[attr-defined]
    order.shuffle(vaults)  # type: ignore[attr-defined]

    shuffled = replace(sight, items=tuple(items), vaults=tuple(vaults))

    assert plan_protection(shuffled, book) == plan_protection(sight, book)


# Safe: never less protection than before.


@many
@given(sights(), books)
def test_no_step_touches_an_item_in_a_vault_that_is_not_ours(sight: Sight, book: Rulebook) -> None:
    for step in plan_protection(sight, book).steps:
        assert book.vaults.ours(step.vault, sight.vm.location)


@many
@given(sights(), books)
def test_each_step_on_an_item_carries_its_disk_exclusions_back(
    sight: Sight, book: Rulebook
) -> None:
    exclusions = {item.vault: item.exclusion for item in sight.items}

    for step in plan_protection(sight, book).steps:
        assert not isinstance(step, Change) or step.exclusion == exclusions[step.vault]


@many
@given(sights(), books)
def test_enabling_never_writes_over_an_item(sight: Sight, book: Rulebook) -> None:
    taken = {item.vault for item in sight.items}

    for step in plan_protection(sight, book).steps:
        assert not isinstance(step, EnableProtection) or step.vault not in taken


@many
@given(sights(), books)
def test_a_policy_that_is_there_is_never_made_again(sight: Sight, book: Rulebook) -> None:
    there = {(v.id, p.name.lower()) for v in sight.vaults for p in v.policies}

    for step in plan_protection(sight, book).steps:
        assert not (
            isinstance(step, CreatePolicy) and (step.vault, step.policy.name.lower()) in there
        )


@many
@given(sights(), books)
def test_a_vault_that_is_there_is_never_made_again(sight: Sight, book: Rulebook) -> None:
    there = {v.id for v in sight.vaults}

    for step in plan_protection(sight, book).steps:
        assert not (isinstance(step, CreateVault) and step.vault in there)


@many
@given(sights(), books)
def test_a_policy_is_changed_only_where_we_set_it_and_never_to_one_that_keeps_less(
    sight: Sight, book: Rulebook
) -> None:
    before, end = live(sight), live(turn_by_turn(sight, book))

    if before is not None:
        assert end is not None
        assert end.vault == before.vault
        if end.policy != before.policy:
            vault = next(v for v in sight.vaults if v.id == before.vault)
            present = vault.policy(before.policy)
            assert present is not None
            asked = vault.policy(end.policy) or book.policies[end.policy].as_facts()
            assert weakenings(present, asked) == ()
            assert not downgrades(present, asked)
            assert (sight.memory.policy, sight.memory.vault) == (before.policy, str(before.vault))


@many
@given(sights(), books)
def test_what_somebody_stopped_or_deleted_stays_so_unless_configured(
    sight: Sight, book: Rulebook
) -> None:
    steps = plan_protection(sight, book).steps

    if any(isinstance(step, Undelete) for step in steps):
        assert book.rules.on_soft_deleted is OnSoftDeleted.UNDELETE
    elif any(isinstance(step, ResumeProtection) for step in steps):
        assert book.rules.on_stopped is OnStopped.RESUME or sight.memory.undeleted


@many
@given(sights(), books)
def test_nothing_is_done_for_a_vm_that_no_rule_asks_for(sight: Sight, book: Rulebook) -> None:
    plan = plan_protection(sight, book)
    asked = ask(sight.vm, book.rules)

    assert isinstance(asked, Wanted) or plan.steps == ()
    assert isinstance(asked, Wanted) or plan.reason.standing is Standing.NOT_ASKED


@many
@given(sights(), books)
def test_a_protected_vm_is_never_told_to_be_gone_or_unasked_because_of_its_backup(
    sight: Sight, book: Rulebook
) -> None:
    plan = plan_protection(sight, book)

    if live(sight) and isinstance(ask(sight.vm, book.rules), Wanted):
        assert plan.reason is not Reason.RESTORED_COPY
        assert plan.reason is not Reason.NOT_ASKED
