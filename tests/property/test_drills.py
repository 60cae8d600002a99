"""The plan of the coming nights, whatever the estate, the past and the drill plan."""

from collections import Counter
from dataclasses import replace
from datetime import date, time, timedelta
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, OTHER_SUB, SUB, VAULT, item, vm
from tests.drills import HERE, RULES, THERE, TONIGHT, drill_rules, drills_of, night, plan, tier
from vmbackup_core.domain.drill_choice import DrillPlan, plan_drills
from vmbackup_core.domain.drill_turns import Why
from vmbackup_core.domain.drills import Dates, DrillRules, Past
from vmbackup_core.domain.facts import Estate, ItemState
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.points import Strategy
from vmbackup_core.domain.schedules import DAY, HOUR, Weekday

some = settings(max_examples=60, deadline=None)

weekdays = st.lists(st.sampled_from(Weekday), max_size=3)
spans = st.lists(
    st.builds(
        lambda first, length: Dates(TONIGHT + first * DAY, TONIGHT + (first + length) * DAY),
        st.integers(0, 20),
        st.integers(0, 5),
    ),
    max_size=2,
)


@st.composite
def drill_plans(draw: st.DrawFn) -> DrillRules:
    takes = draw(st.sampled_from([HOUR, 2 * HOUR]))
    return drill_rules(
        tier("gold", draw(st.integers(2, 20)), values=("gold",), strategies=tuple(Strategy)),
        tier("rest", draw(st.integers(2, 40)), values=("silver",)),
        per_night=draw(st.integers(1, 6)),
        at_once=draw(st.integers(1, 3)),
        begins=draw(st.sampled_from([time(1), time(23)])),
        takes=takes,
        lasts=draw(st.integers(1, 3)) * takes,
        failed_again=draw(st.integers(1, 5)) * DAY,
        blackout=(*draw(weekdays), *draw(spans)),
    )


@st.composite
def pasts(draw: st.DrawFn, machine: str) -> Past:
    ago = st.none() | st.integers(1, 50).map(lambda nights: night(-nights) + HOUR)
    failed = draw(st.none() | st.integers(1, 5).map(lambda nights: night(-nights)))
    return Past(
        machine=draw(st.sampled_from([machine, "another machine"])),
        proven=draw(ago),
        proofs=draw(st.integers(0, 5)),
        failed=failed,
        failures=draw(st.integers(1, 9)) if failed else 0,
        restores=tuple(NOW - n * HOUR for n in range(draw(st.sampled_from([0, 3, 9, 12])))),
        restoring=draw(st.booleans()),
    )


@st.composite
def estates(draw: st.DrawFn) -> tuple[Estate, dict[VmId, Past]]:
    """Draw an estate of VMs with and without backups, and what is known of some of them."""
    vms, items, known = [], [], {}
    for number in range(draw(st.integers(0, 14))):
        name = f"vm-{number}"
        one = vm(
            name,
            tag=draw(st.sampled_from(["gold", "silver", "bronze", None])),
            location=draw(st.sampled_from([HERE, THERE])),
            group=draw(st.sampled_from(["rg-app", "rg-app", "vmbackup-drill-westeurope-1"])),
        )
        one = replace(one, id=replace(one.id, subscription=draw(st.sampled_from([SUB, OTHER_SUB]))))
        state = draw(st.none() | st.sampled_from(ItemState))
        if state is not None:
            last = draw(st.sampled_from([None, NOW - DAY, NOW - DAY]))
            items.append(item(state, vm=one.id, vault=VAULT, last_backup=last))
        if draw(st.booleans()):
            known[one.id] = draw(pasts(one.machine))
        vms.append(one)
    return Estate(NOW, tuple(vms), tuple(items), ()), known


drawn = st.tuples(estates(), drill_plans(), st.integers(1, 45))
type Drawn = tuple[tuple[Estate, dict[VmId, Past]], DrillRules, int]


def planned(drawn: Drawn) -> DrillPlan:
    (estate, known), drills, nights = drawn
    return plan(estate, drills, nights, known)


@some
@given(drawn)
def test_every_vm_has_one_place(drawn: Drawn) -> None:
    found = planned(drawn)
    there = {drill.vm.id for drill in drills_of(found)}
    elsewhere = [one.vm.id for one in found.unplanned]

    assert len(set(elsewhere)) == len(elsewhere)
    assert there.isdisjoint(elsewhere)
    assert there | set(elsewhere) == {one.id for one in drawn[0][0].vms}


@some
@given(drawn)
def test_no_night_and_no_place_has_more_than_it_has_room_for(drawn: Drawn) -> None:
    drills = drawn[1]

    for one in planned(drawn).nights:
        lanes = Counter((d.vm.id.subscription, d.vm.location, d.lane, d.starts) for d in one.drills)
        begins = drills.start_of(one.date)
        assert len(one.drills) <= drills.per_night
        assert set(lanes.values()) <= {1}
        assert all(drill.lane <= drills.at_once for drill in one.drills)
        assert all(begins <= d.starts <= begins + drills.lasts - drills.takes for d in one.drills)
        assert not (one.drills and drills.shut(one.date))


@some
@given(drawn)
def test_no_vm_is_tested_twice_within_half_its_age(drawn: Drawn) -> None:
    last = dict[VmId, date]()

    for one in planned(drawn).nights:
        for drill in one.drills:
            before = last.get(drill.vm.id)
            assert before is None or 2 * (one.date - before) >= drill.tier.max_age
            last[drill.vm.id] = one.date


@some
@given(drawn)
def test_a_never_tested_vm_yields_only_to_what_lapses_or_failed(drawn: Drawn) -> None:
    known = drawn[0][1]
    found = planned(drawn)
    tested = set[VmId]()
    for one in found.nights:
        later = {d.vm.id: d for n in found.nights if n.date > one.date for d in n.drills}
        for drill in one.drills:
            if drill.why is Why.OLDEST_PROOF:
                passed_over = [
                    other
                    for other in later.values()
                    if other.why is Why.NEVER_TESTED
                    and other.vm.id not in tested
                    and (other.vm.id.subscription, other.vm.location)
                    == (drill.vm.id.subscription, drill.vm.location)
                    and not _blocked(known.get(other.vm.id, Past()))
                ]
                assert passed_over == []
        tested |= {drill.vm.id for drill in one.drills}


def _blocked(past: Past) -> bool:
    return past.restoring or len(past.restores) >= 10


@some
@given(drawn)
def test_nobody_is_restored_eleven_times_in_a_day_or_beside_a_person(drawn: Drawn) -> None:
    (_, known), drills, _ = drawn
    found = planned(drawn)

    for drill in drills_of(found):
        past = known.get(drill.vm.id, Past())
        lately = [at for at in past.restores if drill.starts - at < DAY]
        first = drill.starts < drills.start_of(found.nights[0].date) + DAY
        assert len(lately) < 10
        assert not (past.restoring and first)


@some
@given(drawn, st.randoms(use_true_random=False))
def test_the_order_of_what_was_seen_does_not_matter(drawn: Drawn, random: Random) -> None:
    (estate, known), drills, nights = drawn
    vms, items = list(estate.vms), list(estate.items)
    random.shuffle(vms)
    random.shuffle(items)
    shuffled = replace(estate, vms=tuple(vms), items=tuple(items))

    assert plan_drills(shuffled, RULES, drills, known, NOW, nights) == planned(drawn)


@some
@given(drawn)
def test_more_nights_change_nothing_about_the_first_ones(drawn: Drawn) -> None:
    seen, drills, nights = drawn
    longer = planned((seen, drills, nights + 10))

    assert longer.nights[:nights] == planned(drawn).nights
    assert longer.refusals == planned(drawn).refusals
    assert longer.coverage == planned(drawn).coverage


@some
@given(drawn)
def test_a_plan_that_is_accepted_covers_all_in_the_nights_it_says(drawn: Drawn) -> None:
    seen, drills, _ = drawn
    first = planned(drawn)
    assume(not first.refusals)
    nights = first.coverage.nights
    assert nights is not None
    found = planned((seen, drills, max(1, nights)))

    turned = {drill.vm.id for drill in drills_of(found)}
    proven = first.coverage.vms - first.coverage.proven

    assert len(turned) >= proven
    assert all(
        one.code.name not in ("NO_ROOM", "BLACKOUT") or _has(one.vm.id, seen[1])
        for one in found.unplanned
    )


def _has(vm: VmId, known: dict[VmId, Past]) -> bool:
    past = known.get(vm)
    return past is not None and past.proven is not None


@some
@given(drawn)
def test_an_accepted_plan_that_is_followed_night_by_night_keeps_its_word(drawn: Drawn) -> None:
    """Plan anew each night from what passed, as a deployment would, instead of once for all."""
    (estate, _), drills, _ = drawn
    known = dict[VmId, Past]()
    first = plan(estate, drills, 1, known)
    assume(not first.refusals)
    now = NOW
    for _ in range(first.coverage.nights or 0):
        tonight = plan_drills(estate, RULES, drills, known, now, 1).nights[0]
        for drill in tonight.drills:
            before = known.get(drill.vm.id, Past()).of_machine(drill.vm.machine)
            known[drill.vm.id] = before.passed(drill.starts)
        now = drills.start_of(tonight.date) + timedelta(hours=1)

    assert plan_drills(estate, RULES, drills, known, now, 1).coverage.proven == first.coverage.vms
