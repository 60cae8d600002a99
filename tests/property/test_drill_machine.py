"""
What holds of every restore test whatever Azure answers, wherever the process dies, and whatever
else lies in the slot.
"""

from collections import deque
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_drill import SmallDrill, small_drill
from tests.tiny_drills import LOGIN, PANIC, Answer, Death
from vmbackup_core.domain.drill.copying import NETWORK_FRESH
from vmbackup_core.domain.drill.facts import GuestCheck, RestoreProgress, Thing
from vmbackup_core.domain.drill.isolation import NetworkFacts, find_breaches
from vmbackup_core.domain.drill.orders import DrillRecord
from vmbackup_core.domain.drill.ownership import DISK
from vmbackup_core.domain.drill.rungs import Mark, Rung, Verdict
from vmbackup_core.domain.drill.slots import Slot

APP = GuestCheck("app", "linux", "true")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OPEN = NetworkFacts("subnet", 10)
some = settings(max_examples=150, deadline=None)

bad = [answer for answer in Answer if answer is not Answer.GOOD]
# Into the slot. Cleaning up may take a day, with some minutes between looks.
MOST_LOOKS = 300

answers = st.one_of(
    st.lists(st.sampled_from(Answer), max_size=40),
    # One thing goes wrong, at any place.
    st.builds(
        lambda before, answer, times: [Answer.GOOD] * before + [answer] * times,
        st.integers(0, 40),
        st.sampled_from(bad),
        st.sampled_from([1, 2, 5, 60]),
    ),
)
orders = st.fixed_dictionaries(
    {
        "needed": st.sampled_from(Rung),
        "checks": st.sampled_from([(), (APP,)]),
        "control": st.booleans(),
        "keep": st.sampled_from([timedelta(0), 4 * HOUR]),
        "keep_passed": st.booleans(),
        "power_on": st.sampled_from([10 * MINUTE, HOUR]),
    }
)
copies = st.fixed_dictionaries(
    {
        "log": st.sampled_from([LOGIN, PANIC, "booting", None]),
        "agent": st.booleans(),
        "codes": st.sampled_from([{}, {"app": 1}, {"app": None}, {"vmbackup-control": 0}]),
        "identities": st.sampled_from([(), (), ("SystemAssigned",)]),
        "breach_after": st.sampled_from([0 * MINUTE, 4 * MINUTE, 12 * MINUTE]),
        "protected_in": st.sampled_from(["", "", "theirs"]),
        "takes": st.sampled_from([90 * MINUTE / 60, 20 * MINUTE, 30 * HOUR]),
        "lingers": st.sampled_from([0 * MINUTE, 0 * MINUTE, 5 * MINUTE, 3 * HOUR]),
        "progress": st.sampled_from(
            [RestoreProgress.SUCCEEDED, RestoreProgress.SUCCEEDED, RestoreProgress.FAILED]
        ),
    }
)


def new(order, copy, given_answers, *, die_at_write=None) -> SmallDrill:
    drill = small_drill(**order)
    for name, value in copy.items():
        setattr(drill.azure, name, value)
    drill.azure.answers = deque(given_answers)
    left = iter(reversed(range(die_at_write or 0)))

    def before_write() -> None:
        if die_at_write is not None and next(left, None) == 0:
            raise Death

    drill.rows.before_write = before_write
    return drill


def foreign_thing(drill: SmallDrill) -> Thing:
    slot = Slot(drill.order.place, 1)
    return Thing(f"{slot.id}/providers/{DISK}/theirs", DISK)


def made(drill: SmallDrill, what: str) -> list:
    return [at for at, did in drill.azure.did if did == what]


def assert_safe(drill: SmallDrill, record: DrillRecord) -> None:
    """Assert what must hold of any restore test at its end."""
    azure, marks = drill.azure, {one.rung: one.mark for one in record.results}
    reported = set(record.left)
    assert set(azure.things) <= reported or str(Slot(drill.order.place, 1)) in reported
    assert not record.clean or not (azure.things or azure.containers or record.left)
    assert not record.clean or all(one.facts.progress.ended for one in azure.restores)
    assert not record.clean or drill.slots.leases() == ()
    assert list(marks) == list(Rung)
    needed = [marks[rung] for rung in Rung if rung <= drill.order.needed]
    assert record.verdict is not Verdict.PROVEN or set(needed) == {Mark.PASS}
    assert len(made(drill, "restore")) <= 1
    assert len(made(drill, "create")) <= 1
    for at in made(drill, "restore") + made(drill, "create"):
        reads = [(read, seen) for read, seen in azure.networks_read if read <= at]
        _, seen = reads[-1]
        assert find_breaches(seen, egress=False, ours=frozenset(seen.interfaces)) == ()
    for at in made(drill, "create"):
        assert at - max(read for read, _ in azure.networks_read if read <= at) <= NETWORK_FRESH
    assert azure.calls.count("list things") < MOST_LOOKS
    removed = [did for _, did in azure.did if did.startswith("remove /")]
    assert not any(did.endswith("/theirs") for did in removed)


@given(orders, copies, answers)
@some
def test_it_ends_with_everything_removed_or_reported(order, copy, given_answers):
    drill = new(order, copy, given_answers)

    assert_safe(drill, drill.run())


@given(orders, copies, answers, st.integers(1, 60))
@some
def test_it_ends_so_wherever_it_dies_between_ledger_and_azure(order, copy, given_answers, write):
    drill = new(order, copy, given_answers, die_at_write=write)

    assert_safe(drill, drill.run())


@given(orders, copies, answers)
@some
def test_what_is_not_its_own_is_never_touched(order, copy, given_answers):
    drill = new(order, copy, given_answers)
    thing = foreign_thing(drill)
    drill.azure.beside = (thing,)

    record = drill.run()

    assert (thing.id in drill.azure.things) == bool(made(drill, "restore"))
    assert_safe(drill, record)


@given(orders, copies, answers)
@some
def test_an_open_network_lets_nothing_be_made(order, copy, given_answers):
    drill = new(order, copy, given_answers)
    drill.azure.network = OPEN

    record = drill.run()

    assert drill.azure.did == []
    assert record.verdict is not Verdict.PROVEN or drill.order.needed is Rung.POINT


@pytest.mark.parametrize("number", range(45))
@pytest.mark.parametrize("answer", bad)
def test_whatever_goes_wrong_once_it_ends_clean(number, answer):
    order = {"needed": Rung.CHECKS, "checks": (APP,), "control": True}
    drill = new(order, {}, [Answer.GOOD] * number + [answer])

    record = drill.run()

    assert record.clean
    assert_safe(drill, record)


@pytest.mark.parametrize("write", range(1, 40))
def test_wherever_it_dies_once_before_it_writes_it_ends_clean_and_proven(write):
    order = {"needed": Rung.CHECKS, "checks": (APP,), "control": True}
    drill = new(order, {}, [], die_at_write=write)

    record = drill.run()

    assert record.verdict is Verdict.PROVEN
    assert record.clean
    assert_safe(drill, record)
