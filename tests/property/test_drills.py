"""The plan of the coming nights, whatever the estate, the past and the drill plan."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, OTHER_SUB, SUB, VAULT, item, vm
from tests.drills import HERE, RULES, THERE, TONIGHT, drill_rules, drills_of, night, plan, tier
from vmbackup_core.domain.drill.choice import DrillPlan, plan_drills
from vmbackup_core.domain.drill.cost import Prices
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.reckoning import Room
from vmbackup_core.domain.drill.rules import Dates, DrillRules, Measure, Past
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.drill.turns import Drill, Why
from vmbackup_core.domain.facts import Estate, ItemState, Tags
from vmbackup_core.domain.ids import VmId
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
        prices=Prices(Decimal("0.1"), Decimal("0.1")),
        cost_per_night=draw(st.none() | st.integers(1, 9).map(Decimal)),
    )


measures = st.builds(
    Measure,
    st.just(NOW - DAY),
    st.integers(1, 300).map(lambda minutes: timedelta(minutes=minutes)),
    st.none() | st.just(HOUR),
    st.booleans(),
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
        partly=draw(st.booleans()),
        tried=draw(st.none() | st.integers(1, 5).map(lambda nights: night(-nights))),
        tries=draw(st.integers(0, 4)),
        measured=tuple(draw(st.lists(measures, max_size=3))),
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
            size=draw(st.sampled_from(["small", "large", "unheard-of"])),
            disk_gb=draw(st.sampled_from([30, 500, None])),
        )
        if cap := draw(st.sampled_from(["", "", "disks-only", "boot-only", "never", "odd"])):
            one = replace(one, tags=Tags.of({**dict(one.tags), "drill": cap}))
        one = replace(one, id=replace(one.id, subscription=draw(st.sampled_from([SUB, OTHER_SUB]))))
        state = draw(st.none() | st.sampled_from(ItemState))
        if state is not None:
            last = draw(st.sampled_from([None, NOW - DAY, NOW - DAY]))
            items.append(item(state, vm=one.id, vault=VAULT, last_backup=last))
        if draw(st.booleans()):
            known[one.id] = draw(pasts(one.machine))
        vms.append(one)
    return Estate(NOW, tuple(vms), tuple(items), ()), known


VCPUS = {"small": 2, "large": 8}
rooms = st.dictionaries(
    st.builds(Place, st.sampled_from([SUB, OTHER_SUB]), st.sampled_from([HERE, THERE])),
    st.builds(Room, st.just(VCPUS), st.none() | st.integers(0, 20)),
)
drawn = st.tuples(estates(), drill_plans(), st.integers(1, 45), rooms)
type Drawn = tuple[tuple[Estate, dict[VmId, Past]], DrillRules, int, dict[Place, Room]]


def planned(drawn: Drawn) -> DrillPlan:
    (estate, known), drills, nights, rooms = drawn
    return plan(estate, drills, nights, known, rooms)


def runs_in(drill: Drill) -> Place:
    return Place(drill.vm.id.subscription, drill.vm.location)


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
        begins, ends = drills.start_of(one.date), drills.end_of(one.date)
        lanes = defaultdict[tuple[Place, int], list[Drill]](list)
        for drill in one.drills:
            lanes[runs_in(drill), drill.lane].append(drill)
        assert len(one.drills) <= drills.per_night
        assert all(drill.lane <= drills.at_once for drill in one.drills)
        assert all(begins <= d.starts for d in one.drills)
        assert all(d.starts + min(d.takes, drills.lasts) <= ends for d in one.drills)
        assert not (one.drills and drills.shut(one.date))
        for lane in lanes.values():
            assert all(a.starts + a.takes <= b.starts for a, b in pairwise(lane))


@some
@given(drawn)
def test_no_night_costs_more_than_it_may_as_far_as_that_is_known(drawn: Drawn) -> None:
    budget = drawn[1].cost_per_night

    for one in planned(drawn).nights:
        known = sum((drill.cost for drill in one.drills if drill.cost is not None), Decimal(0))
        assert budget is None or known <= budget


@some
@given(drawn)
def test_what_runs_at_one_time_leaves_the_quota_that_is_to_stay_free(drawn: Drawn) -> None:
    drills, rooms = drawn[1], drawn[3]

    for one in planned(drawn).nights:
        for drill in one.drills:
            room = rooms.get(runs_in(drill), Room())
            beside = [
                VCPUS.get(other.vm.size, 0)
                for other in one.drills
                if runs_in(other) == runs_in(drill)
                and other.starts <= drill.starts < other.starts + other.takes
                and boots(other)
            ]
            assert room.free is None or not boots(drill) or sum(beside) <= room.free
        assert all(drill.lane <= drills.at_once for drill in one.drills)


def boots(drill: Drill) -> bool:
    return drill.cap.rung is not None and drill.cap.rung >= Rung.BOOT


@some
@given(drawn)
def test_a_vm_whose_tag_says_never_is_in_no_night(drawn: Drawn) -> None:
    assert "never" not in {drill.vm.tags.get("drill") for drill in drills_of(planned(drawn))}


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
                    and _asks_for_no_more(other, drill, drawn[1])
                ]
                assert passed_over == []
        tested |= {drill.vm.id for drill in one.drills}


def _asks_for_no_more(drill: Drill, than: Drill, drills: DrillRules) -> bool:
    """Whether what `than` got would have done for `drill`: time, and money where that matters."""
    if drills.cost_per_night is not None and (drill.cost is None or than.cost is None):
        return False
    return drill.takes <= than.takes and (drill.cost or 0) <= (than.cost or 0)


def _blocked(past: Past) -> bool:
    return past.restoring or len(past.restores) >= 10


@some
@given(drawn)
def test_nobody_is_restored_eleven_times_in_a_day_or_beside_a_person(drawn: Drawn) -> None:
    (_, known), drills, _, _ = drawn
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
    (estate, known), drills, nights, rooms = drawn
    vms, items = list(estate.vms), list(estate.items)
    random.shuffle(vms)
    random.shuffle(items)
    shuffled = replace(estate, vms=tuple(vms), items=tuple(items))

    again = plan_drills(shuffled, RULES, drills, known, NOW, nights, rooms)

    assert again == planned(drawn)


@some
@given(drawn)
def test_more_nights_change_nothing_about_the_first_ones(drawn: Drawn) -> None:
    seen, drills, nights, rooms = drawn
    longer = planned((seen, drills, nights + 10, rooms))

    assert longer.nights[:nights] == planned(drawn).nights
    assert longer.refusals == planned(drawn).refusals
    assert longer.coverage == planned(drawn).coverage


@some
@given(drawn)
def test_a_plan_that_is_accepted_covers_all_in_the_nights_it_says(drawn: Drawn) -> None:
    seen, drills, _, rooms = drawn
    first = planned(drawn)
    assume(not first.refusals)
    nights = first.coverage.nights
    assert nights is not None
    found = planned((seen, drills, max(1, nights), rooms))

    turned = {drill.vm.id for drill in drills_of(found)}
    proven = first.coverage.vms - first.coverage.proven - first.coverage.capped

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
    (estate, _), drills, _, rooms = drawn
    known = dict[VmId, Past]()
    first = plan(estate, drills, 1, known, rooms)
    assume(not first.refusals)
    now = NOW
    for _ in range(first.coverage.nights or 0):
        tonight = plan_drills(estate, RULES, drills, known, now, 1, rooms).nights[0]
        for drill in tonight.drills:
            before = known.get(drill.vm.id, Past()).of_machine(drill.vm.machine)
            known[drill.vm.id] = before.passed(drill.starts, partly=drill.capped)
        now = drills.start_of(tonight.date) + timedelta(hours=1)

    after = plan_drills(estate, RULES, drills, known, now, 1, rooms).coverage
    assert after.proven + after.capped == first.coverage.vms
