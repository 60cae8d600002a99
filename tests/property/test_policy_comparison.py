from dataclasses import replace
from datetime import time, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from vmbackup_core.domain.policies import (
    PolicyFacts,
    PolicyKind,
    Retention,
    downgrades,
    weakenings,
)
from vmbackup_core.domain.schedules import (
    Daily,
    DayOfYear,
    Hourly,
    Month,
    MonthDay,
    NthWeekday,
    Week,
    Weekday,
    Weekly,
)

hours = st.integers(1, 24).map(lambda count: timedelta(hours=count))
times = st.sampled_from([time(0), time(6), time(23, 30)])
weekdays = st.sampled_from(list(Weekday))
few_weekdays = st.frozensets(weekdays, min_size=1)
days_of_month = st.integers(0, 2).map(MonthDay) | st.builds(
    NthWeekday, st.sampled_from([Week.FIRST, Week.LAST]), weekdays
)
days_of_year = st.builds(DayOfYear, st.sampled_from([Month.JANUARY, Month.MAY]), days_of_month)
schedules = (
    st.builds(Daily, times)
    | st.builds(Weekly, few_weekdays, times)
    | st.builds(Hourly, hours, times, hours)
)
# Small numbers, so that examples often lie close together.
counts = st.integers(0, 3)
retentions = st.builds(
    Retention,
    counts,
    counts,
    counts,
    counts,
    counts,
    few_weekdays,
    st.frozensets(days_of_month, min_size=1, max_size=3),
    st.frozensets(days_of_year, min_size=1, max_size=3),
)
policies = st.builds(
    PolicyFacts,
    st.sampled_from(["a", "b"]),
    st.sampled_from(PolicyKind),
    schedules,
    retentions,
    crash_consistent=st.booleans(),
)
# So near each other that one is often as good as the other.
near = st.builds(
    PolicyFacts,
    st.just("a"),
    st.just(PolicyKind.ENHANCED),
    st.sampled_from(
        [
            Daily(time(6)),
            Weekly(frozenset({Weekday.SUNDAY}), time(6)),
            Weekly(frozenset({Weekday.SUNDAY, Weekday.MONDAY}), time(6)),
            Hourly(timedelta(hours=4), time(6), timedelta(hours=12)),
            Hourly(timedelta(hours=6), time(6), timedelta(hours=24)),
        ]
    ),
    st.builds(
        Retention,
        st.integers(0, 1),
        st.integers(0, 1),
        weekly_on=st.sampled_from(
            [frozenset({Weekday.SUNDAY}), frozenset({Weekday.SUNDAY, Weekday.MONDAY})]
        ),
    ),
)


def as_good(present, wanted):
    return not weakenings(present, wanted)


@given(policies)
def test_a_policy_never_weakens_itself(policy):
    assert weakenings(policy, policy) == ()
    assert not downgrades(policy, policy)


@given(near, near, near)
def test_what_is_as_good_as_something_as_good_is_as_good(first, second, third):
    through_second = as_good(first, second) and as_good(second, third)

    assert as_good(first, third) or not through_second


@given(policies, st.tuples(counts, counts, counts, counts, counts))
def test_longer_retention_and_nothing_else_never_weakens(policy, more):
    kept = policy.retention
    longer = replace(
        kept,
        daily_days=kept.daily_days + more[0],
        weekly_weeks=kept.weekly_weeks + more[1],
        monthly_months=kept.monthly_months + more[2],
        yearly_years=kept.yearly_years + more[3],
        snapshot_days=kept.snapshot_days + more[4],
    )

    assert weakenings(policy, replace(policy, retention=longer)) == ()


@given(policies, st.sampled_from(["daily_days", "weekly_weeks", "yearly_years", "snapshot_days"]))
def test_shorter_retention_always_weakens(policy, tier):
    kept = policy.retention
    assume(getattr(kept, tier) > 0)

    shorter = replace(kept, **{tier: getattr(kept, tier) - 1})

    assert weakenings(policy, replace(policy, retention=shorter))


@given(policies, few_weekdays)
def test_another_day_of_the_week_never_weakens(policy, days):
    before = replace(policy, schedule=Weekly(days, time(6)))
    after = replace(policy, schedule=Weekly(days | {Weekday.WEDNESDAY}, time(6)))

    assert weakenings(before, after) == ()


@given(policies, policies)
def test_whatever_cannot_be_read_is_never_as_good(present, wanted):
    unread = replace(present, schedule=None)

    assert weakenings(unread, wanted)
    assert weakenings(wanted, unread)


@given(schedules)
def test_a_schedules_starts_are_in_order_and_within_one_repeating_week(schedule):
    for starts in (schedule.starts, schedule.fewest_starts):
        assert list(starts) == sorted(set(starts))
        assert starts[-1] - starts[0] < timedelta(days=7)
        assert len(schedule.fewest_starts) <= len(schedule.starts)
