"""What was measured, and what it says of recoveries to come."""

from datetime import timedelta

from tests.builders import NOW, vm
from tests.drills import THERE, drill_rules, fleet, measure, measured, plan
from vmbackup_core.domain.drill.forecast import Slow, find_slow, find_spread
from vmbackup_core.domain.drill.rules import Measure, Past

MINUTE = timedelta(minutes=1)


def minutes(*numbers: int) -> list[timedelta]:
    return [number * MINUTE for number in numbers]


def test_a_recovery_slower_than_the_last_five_is_flagged() -> None:
    before = measured(*minutes(10, 10, 12, 11, 10))

    slow = find_slow(measure(14 * MINUTE), before)

    assert slow == Slow(14 * MINUTE, 10 * MINUTE, 5)
    assert str(slow) == "1.4 times the median of the last 5 (0:10:00)"


def test_one_that_is_just_so_slow_is_not() -> None:
    assert find_slow(measure(13 * MINUTE), measured(*minutes(10, 10, 10))) is None


def test_two_measurements_tell_nothing() -> None:
    assert find_slow(measure(60 * MINUTE), measured(*minutes(10, 10))) is None


def test_kinds_and_sizes_are_not_compared_with_one_another() -> None:
    before = measured(*minutes(10, 10, 10))

    assert find_slow(measure(90 * MINUTE, from_vault=True), before) is None
    assert find_slow(measure(90 * MINUTE, comparable=False), before) is None
    assert find_slow(Measure(NOW, MINUTE, None, from_vault=False), before) is None


def test_the_plan_names_those_whose_last_recovery_was_slow() -> None:
    web, db = vm(), vm("db")
    pasts = {
        web.id: measured(*minutes(10, 10, 10, 20)),
        db.id: measured(*minutes(10, 10, 10, 10), machine=db.machine),
    }

    found = plan([web, db], pasts=pasts)

    assert found.slow == ((web, Slow(20 * MINUTE, 10 * MINUTE, 3)),)
    assert found.tested == 0


def test_how_times_lie_is_told_by_the_median_and_the_longest() -> None:
    spread = find_spread(minutes(3, 1, 2))

    assert spread is not None
    assert (spread.p50, spread.longest, spread.of) == (2 * MINUTE, 3 * MINUTE, 3)
    assert find_spread([]) is None


def test_without_a_measurement_nothing_is_forecast() -> None:
    assert plan(fleet(3)).forecasts == ()


def test_a_mass_restore_is_reckoned_from_what_was_measured() -> None:
    vms = fleet(4)
    took = dict(zip(vms, minutes(60, 30, 30, 30), strict=True))
    pasts = {one.id: measured(span, machine=one.machine) for one, span in took.items()}

    (found,) = plan(vms, drill_rules(at_once=2), pasts=pasts).forecasts

    assert (found.vms, found.measured, found.from_vault) == (4, 4, False)
    assert found.least == 75 * MINUTE
    assert found.reckoned == 90 * MINUTE
    assert (found.spread.p50, found.spread.longest) == (30 * MINUTE, 60 * MINUTE)


def test_vms_that_were_not_measured_count_with_the_median() -> None:
    web = vm()
    pasts = {web.id: measured(10 * MINUTE)}

    (found,) = plan([web, *fleet(2)], drill_rules(at_once=1), pasts=pasts).forecasts

    assert (found.measured, found.vms, found.reckoned) == (1, 3, 30 * MINUTE)


def test_places_are_restored_at_the_same_time() -> None:
    web, far = vm(), vm("far", location=THERE)
    pasts = {web.id: measured(10 * MINUTE), far.id: measured(40 * MINUTE, machine=far.machine)}

    (found,) = plan([web, far], drill_rules(at_once=1), pasts=pasts).forecasts

    assert found.least == found.reckoned == 40 * MINUTE


def test_a_forecast_says_what_it_rests_on() -> None:
    pasts = {vm().id: measured(65 * MINUTE, from_vault=True)}

    (found,) = plan([vm()], drill_rules(at_once=2), pasts=pasts).forecasts

    assert found.words == (
        "Tier all from the vault: about 1 h 05 min for 1 VM, 2 at once in each subscription and"
        " region (not under 1 h 05 min). Estimated from 1 VM measured (median 1 h 05 min, longest"
        " 1 h 05 min); whether Azure restores as fast when more is restored at once is not known."
    )


def test_another_machine_of_that_name_was_not_measured() -> None:
    assert plan([vm()], pasts={vm().id: measured(MINUTE, machine="older")}).forecasts == ()
    assert Past("m").of_machine("n").measured == ()
