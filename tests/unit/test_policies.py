from dataclasses import replace
from datetime import time, timedelta

import pytest

from vmbackup_core.domain.policies import (
    PolicyFacts,
    PolicyKind,
    PolicySpec,
    Retention,
    downgrades,
    policy_faults,
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

HOUR = timedelta(hours=1)
AT_TEN = time(22)
KEPT = Retention(30, 12, 12, 3, snapshot_days=5)
MONDAY_AND_FRIDAY = frozenset({Weekday.MONDAY, Weekday.FRIDAY})
EVERY_FOUR = Hourly(4 * HOUR, time(6), 12 * HOUR)
EVERY_SIX_ALL_DAY = Hourly(6 * HOUR, time(6), 24 * HOUR)


def policy(schedule=None, kept=KEPT, kind=PolicyKind.ENHANCED, **more):
    return PolicyFacts("p", kind, schedule or Daily(AT_TEN), kept, **more)


def test_the_same_policy_under_another_name_weakens_nothing():
    assert weakenings(policy(), replace(policy(), name="other", time_zone="Tokyo")) == ()


def test_everything_kept_longer_and_made_more_often_weakens_nothing():
    wanted = policy(EVERY_FOUR, Retention(31, 13, 13, 4, snapshot_days=7))

    assert weakenings(policy(), wanted) == ()


def test_everything_that_would_get_worse_is_named_with_its_figures():
    wanted = policy(
        Weekly(frozenset({Weekday.SUNDAY}), AT_TEN), Retention(0, 4, 6, 1, snapshot_days=2)
    )

    assert weakenings(policy(), wanted) == (
        "keeps no daily backups instead of 30 days of them",
        "keeps weekly backups for 4 instead of 12 weeks",
        "keeps monthly backups for 6 instead of 12 months",
        "keeps yearly backups for 1 instead of 3 years",
        "keeps snapshots for 2 instead of 5 days",
        "backs up once a week instead of 7 times",
        "leaves up to 168 hours between two backups instead of 24 hours",
    )


@pytest.mark.parametrize(
    ("kept", "worse"),
    [
        pytest.param(replace(KEPT, daily_days=29), "daily backups for 29", id="daily"),
        pytest.param(replace(KEPT, weekly_weeks=11), "weekly backups for 11", id="weekly"),
        pytest.param(replace(KEPT, monthly_months=0), "no monthly backups", id="monthly"),
        pytest.param(replace(KEPT, yearly_years=2), "yearly backups for 2", id="yearly"),
        pytest.param(replace(KEPT, snapshot_days=4), "snapshots for 4", id="snapshots"),
        pytest.param(
            replace(KEPT, weekly_on=frozenset({Weekday.MONDAY})),
            "keeps no weekly backups of Sunday",
            id="another day of the week",
        ),
        pytest.param(
            replace(KEPT, monthly_on=frozenset({MonthDay(0)})),
            "keeps no monthly backups of the first Sunday of the month",
            id="another day of the month",
        ),
        pytest.param(
            replace(KEPT, yearly_on=frozenset({DayOfYear(Month.MAY, MonthDay(1))})),
            "keeps no yearly backups of the first Sunday of January",
            id="another day of the year",
        ),
    ],
)
def test_each_shorter_retention_weakens_by_itself(kept, worse):
    (only,) = weakenings(policy(), policy(kept=kept))

    assert worse in only


def test_more_days_kept_than_before_weaken_nothing():
    more = replace(KEPT, weekly_on=frozenset({Weekday.SUNDAY, Weekday.MONDAY}))

    assert weakenings(policy(), policy(kept=more)) == ()


def test_where_nothing_was_kept_nothing_can_be_kept_shorter():
    nothing = Retention(daily_days=7)

    assert weakenings(policy(kept=nothing), policy(kept=Retention(daily_days=7))) == ()


def test_as_many_backups_at_a_worse_distance_weaken():
    even = policy(Weekly(MONDAY_AND_FRIDAY, AT_TEN))
    uneven = policy(Weekly(frozenset({Weekday.MONDAY, Weekday.TUESDAY}), AT_TEN))

    assert weakenings(even, uneven) == (
        "leaves up to 144 hours between two backups instead of 96 hours",
    )


def test_hours_of_a_day_are_compared_whether_or_not_the_window_includes_its_end():
    assert weakenings(policy(EVERY_SIX_ALL_DAY), policy(EVERY_FOUR)) == (
        "leaves up to 12 hours between two backups instead of 6 hours",
        "backs up 21 times a week instead of 28 times",
        "leaves up to 16 hours between two backups instead of 6 hours",
    )


def test_a_policy_that_nobody_can_read_can_never_be_said_to_be_as_good():
    unread = replace(policy(), name="odd", schedule=None)

    assert weakenings(unread, policy()) == ("cannot tell: policy 'odd' is none that we can read",)
    assert weakenings(policy(), unread) == ("cannot tell: policy 'odd' is none that we can read",)
    assert len(weakenings(unread, unread)) == 2


def test_crash_consistent_backups_are_worse_than_consistent_ones():
    poor = policy(crash_consistent=True)

    assert weakenings(policy(), poor) == (
        "makes only crash-consistent backups instead of application-consistent ones",
    )
    assert weakenings(poor, policy()) == ()


@pytest.mark.parametrize(
    ("present", "wanted", "refused"),
    [
        (PolicyKind.ENHANCED, PolicyKind.STANDARD, True),
        (PolicyKind.ENHANCED, PolicyKind.ENHANCED, False),
        (PolicyKind.STANDARD, PolicyKind.ENHANCED, False),
        (PolicyKind.STANDARD, PolicyKind.STANDARD, False),
    ],
)
def test_only_the_way_from_enhanced_to_standard_is_closed(present, wanted, refused):
    assert downgrades(policy(kind=present), policy(kind=wanted)) is refused


def test_a_spec_compares_as_what_a_vault_would_show_of_it():
    spec = PolicySpec("p", PolicyKind.ENHANCED, EVERY_FOUR, KEPT, "Tokyo Standard Time")

    assert spec.as_facts() == policy(EVERY_FOUR, time_zone="Tokyo Standard Time")


def test_a_spec_that_azure_would_refuse_cannot_be_made():
    with pytest.raises(ValueError, match=r"schedule: only an enhanced policy .*; keep\.daily: 6"):
        PolicySpec("p", PolicyKind.STANDARD, EVERY_FOUR, Retention(6, snapshot_days=2))


@pytest.mark.parametrize(
    ("kind", "schedule", "kept"),
    [
        pytest.param("standard", Daily(AT_TEN), Retention(7, snapshot_days=1), id="shortest"),
        pytest.param("standard", Daily(AT_TEN), Retention(9999, 5163, 1188, 99, 5), id="longest"),
        pytest.param("enhanced", EVERY_FOUR, Retention(7, snapshot_days=30), id="hourly"),
        pytest.param(
            "enhanced",
            Weekly(MONDAY_AND_FRIDAY, AT_TEN),
            Retention(weekly_weeks=1, snapshot_days=1, weekly_on=MONDAY_AND_FRIDAY),
            id="weekly enhanced",
        ),
        pytest.param(
            "standard",
            Weekly(MONDAY_AND_FRIDAY, time(6, 30)),
            Retention(
                weekly_weeks=1,
                monthly_months=1,
                snapshot_days=5,
                weekly_on=MONDAY_AND_FRIDAY,
                monthly_on=frozenset({NthWeekday(Week.LAST, Weekday.FRIDAY)}),
            ),
            id="weekly standard",
        ),
    ],
)
def test_what_azure_takes_is_no_fault(kind, schedule, kept):
    assert policy_faults(PolicyKind(kind), schedule, kept) == ()


@pytest.mark.parametrize(
    ("schedule", "starts"),
    [
        pytest.param(Daily(AT_TEN), 7, id="daily"),
        pytest.param(Weekly(MONDAY_AND_FRIDAY, AT_TEN), 2, id="weekly"),
        pytest.param(EVERY_FOUR, 28, id="four, counting the window's end"),
        pytest.param(EVERY_SIX_ALL_DAY, 28, id="all day, the end being the next beginning"),
        pytest.param(Hourly(12 * HOUR, time(0), 12 * HOUR), 14, id="twice"),
    ],
)
def test_a_schedule_knows_how_often_it_starts_in_a_week(schedule, starts):
    assert len(schedule.starts) == starts


def test_schedules_read_as_they_are_written():
    assert str(Daily(AT_TEN)) == "daily at 22:00"
    assert str(Weekly(MONDAY_AND_FRIDAY, AT_TEN)) == "weekly on Monday, Friday at 22:00"
    assert str(EVERY_FOUR) == "every 4 hours from 06:00 for 12 hours"


@pytest.mark.parametrize(
    ("every", "window"), [(timedelta(0), 4 * HOUR), (4 * HOUR, timedelta(0)), (25 * HOUR, HOUR)]
)
def test_hours_that_fit_into_no_day_are_no_schedule(every, window):
    with pytest.raises(ValueError, match="counts in hours of one day"):
        Hourly(every, time(6), window)


def test_a_week_without_a_day_is_no_schedule():
    with pytest.raises(ValueError, match="names no day"):
        Weekly(frozenset(), AT_TEN)
