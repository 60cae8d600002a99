"""Every VM has one verdict, and the classes always sum."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW, OTHER_SUB, SUB
from tests.property.estates import books, memories, sights
from vmbackup_core.domain.facts import Estate, ItemFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.protection import Rulebook, Sight
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.verdicts import count, judge_estate, lasting, orphans, plan_hash

some = settings(max_examples=40, deadline=None)
held = st.builds(
    lambda memory, reason: replace(memory, reason=reason, reason_at=NOW),
    memories,
    st.none() | st.sampled_from(Reason),
)


def named(number: int, sight: Sight, memory: Memory) -> Sight:
    """Return the sight of another VM, so that many make an estate."""
    place = (SUB, OTHER_SUB)[number % 2]
    vm = replace(sight.vm, id=VmId(place, sight.vm.id.group, f"vm-{number}"))
    items = tuple(replace(item, vm=vm.id) for item in sight.items)
    return replace(sight, vm=vm, items=items, memory=memory)


estates = st.lists(st.tuples(sights(), held), max_size=12).map(
    lambda seen: [named(number, sight, memory) for number, (sight, memory) in enumerate(seen)]
)


def estate_of(seen: list[Sight]) -> Estate:
    items: tuple[ItemFacts, ...] = tuple(item for sight in seen for item in sight.items)
    vaults = seen[0].vaults if seen else ()
    return Estate(NOW, tuple(sight.vm for sight in seen), items, vaults)


def memories_of(seen: list[Sight]) -> dict[VmId, Memory]:
    return {sight.vm.id: sight.memory for sight in seen}


@some
@given(estates, books)
def test_the_classes_always_sum(seen: list[Sight], book: Rulebook) -> None:
    verdicts = judge_estate(estate_of(seen), memories_of(seen), book)
    sums = count(verdicts)

    assert sums.vms == len(seen) == sum(sums.reasons.values())
    assert sums.in_scope == sums.protected + sum(sums.unprotected.values())
    assert [v.vm for v in verdicts] == sorted(sight.vm.id for sight in seen)


@some
@given(estates, books)
def test_only_what_differs_or_has_a_loose_end_is_due(seen: list[Sight], book: Rulebook) -> None:
    given_memories = memories_of(seen)

    for verdict in judge_estate(estate_of(seen), given_memories, book):
        memory = given_memories[verdict.vm]
        loose = memory.asked_at is not None or memory.undeleted
        assert not verdict.due or verdict.differs or loose


@some
@given(estates, books)
def test_what_is_not_asked_for_is_never_counted_as_unprotected(
    seen: list[Sight], book: Rulebook
) -> None:
    sums = count(judge_estate(estate_of(seen), memories_of(seen), book))

    assert not any(Reason[name].standing is Standing.NOT_ASKED for name in sums.unprotected)


@some
@given(estates, books)
def test_looking_twice_finds_the_same_and_the_same_plan(seen: list[Sight], book: Rulebook) -> None:
    one = judge_estate(estate_of(seen), memories_of(seen), book)
    two = judge_estate(estate_of(seen[::-1]), memories_of(seen), book)

    assert lasting(one, {}) == one
    assert [v.plan for v in one] == [v.plan for v in two] or seen[0].vaults != seen[-1].vaults
    assert plan_hash(one) == plan_hash(tuple(one))


@some
@given(estates)
def test_an_item_belongs_to_a_vm_or_is_an_orphan_or_is_deleted(seen: list[Sight]) -> None:
    whole = estate_of(seen)
    half = replace(whole, vms=whole.vms[::2])

    assert orphans(whole) == ()
    assert {item.vm for item in orphans(half)} <= {vm.id for vm in whole.vms[1::2]}
