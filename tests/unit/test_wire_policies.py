"""Policies read from Azure's JSON, and wishes written as Azure's JSON."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from vmbackup_core.adapters.wire_policies import parse_policy, policy_body
from vmbackup_core.domain.policies import PolicyKind, PolicySpec, Retention
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

KEPT = Retention(
    daily_days=30,
    weekly_weeks=12,
    monthly_months=12,
    yearly_years=3,
    snapshot_days=5,
    weekly_on=frozenset({Weekday.SUNDAY}),
    monthly_on=frozenset({NthWeekday(Week.FIRST, Weekday.SUNDAY)}),
    yearly_on=frozenset({DayOfYear(Month.JANUARY, NthWeekday(Week.FIRST, Weekday.SUNDAY))}),
)
SPECS = [
    pytest.param(
        PolicySpec("daily", PolicyKind.STANDARD, Daily(time(22, 30)), KEPT), id="V1-daily"
    ),
    pytest.param(
        PolicySpec(
            "weekly",
            PolicyKind.STANDARD,
            Weekly(frozenset({Weekday.SUNDAY, Weekday.FRIDAY}), time(22)),
            replace(KEPT, daily_days=0, weekly_on=frozenset({Weekday.SUNDAY, Weekday.FRIDAY})),
            time_zone="W. Europe Standard Time",
        ),
        id="V1-weekly",
    ),
    pytest.param(
        PolicySpec(
            "hourly",
            PolicyKind.ENHANCED,
            Hourly(timedelta(hours=4), time(6), timedelta(hours=12)),
            KEPT,
        ),
        id="V2-hourly",
    ),
    pytest.param(
        PolicySpec("daily2", PolicyKind.ENHANCED, Daily(time(6)), replace(KEPT, snapshot_days=30)),
        id="V2-daily",
    ),
    pytest.param(
        PolicySpec(
            "weekly2",
            PolicyKind.ENHANCED,
            Weekly(frozenset({Weekday.SUNDAY}), time(22)),
            Retention(weekly_weeks=4, snapshot_days=7),
        ),
        id="V2-weekly",
    ),
    pytest.param(
        PolicySpec(
            "by-date",
            PolicyKind.STANDARD,
            Daily(time(22)),
            replace(
                KEPT,
                monthly_on=frozenset({MonthDay(1), MonthDay(0)}),
                yearly_on=frozenset(
                    {DayOfYear(Month.JANUARY, MonthDay(1)), DayOfYear(Month.JULY, MonthDay(1))}
                ),
            ),
        ),
        id="by-date",
    ),
]


@pytest.mark.parametrize("spec", SPECS)
def test_a_policy_that_is_written_reads_back_as_it_was_meant(spec: PolicySpec) -> None:
    assert parse_policy({"name": spec.name, **policy_body(spec)}) == spec.as_facts()


@pytest.mark.parametrize("spec", SPECS)
def test_every_key_of_a_policy_is_one_that_the_sdks_model_knows(spec: PolicySpec) -> None:
    from azure.mgmt.recoveryservicesbackup import models

    written = policy_body(spec)

    model = models.ProtectionPolicyResource(written)

    assert isinstance(model.properties, models.AzureIaaSVMProtectionPolicy)
    assert model.properties.schedule_policy is not None
    assert type(model.properties.schedule_policy) in (
        models.SimpleSchedulePolicy,
        models.SimpleSchedulePolicyV2,
    )
    assert type(model.properties.retention_policy) is models.LongTermRetentionPolicy
    assert unknown_keys(model, written) == []


def unknown_keys(model: Any, written: Any, path: str = "") -> list[str]:
    """Return the keys in `written` that are none of the model's fields, with their paths."""
    if isinstance(written, list):
        pairs = zip(model, written, strict=True)
        return [key for one, other in pairs for key in unknown_keys(one, other, path)]
    if not isinstance(written, dict):
        return []
    known = {field._rest_name: name for name, field in type(model)._attr_to_rest_field.items()}
    strange = [f"{path}.{key}" for key in written if key not in known]
    below = [
        found
        for key in written
        if key in known
        for found in unknown_keys(getattr(model, known[key]), written[key], f"{path}.{key}")
    ]
    return strange + below


def policy(**changes: Any) -> Any:
    body = policy_body(PolicySpec("daily", PolicyKind.STANDARD, Daily(time(22)), KEPT))
    return {"name": "daily", "properties": {**body["properties"], **changes}}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"policyType": "V3"}, id="another-kind"),
        pytest.param({"policyType": "V2"}, id="a-V1-schedule-in-a-V2-policy"),
        pytest.param({"schedulePolicy": None}, id="no-schedule"),
        pytest.param(
            {"schedulePolicy": {"schedulePolicyType": "LogSchedulePolicy"}}, id="another-schedule"
        ),
        pytest.param({"retentionPolicy": None}, id="no-retention"),
        pytest.param(
            {"retentionPolicy": {"retentionPolicyType": "SimpleRetentionPolicy"}},
            id="another-retention",
        ),
        pytest.param({"instantRpRetentionRangeInDays": None}, id="snapshots-unknown"),
        pytest.param({"tieringPolicy": {"ArchivedRP": {"tieringMode": "TierAfter"}}}, id="archive"),
        pytest.param(
            {
                "schedulePolicy": {
                    "schedulePolicyType": "SimpleSchedulePolicy",
                    "scheduleRunFrequency": "Daily",
                    "scheduleRunTimes": ["2024-01-01T01:00:00Z", "2024-01-01T02:00:00Z"],
                }
            },
            id="two-times",
        ),
        pytest.param(
            {
                "schedulePolicy": {
                    "schedulePolicyType": "SimpleSchedulePolicy",
                    "scheduleRunFrequency": "Weekly",
                    "scheduleRunDays": ["Caturday"],
                    "scheduleRunTimes": ["2024-01-01T01:00:00Z"],
                }
            },
            id="a-strange-day",
        ),
    ],
)
def test_a_policy_with_a_part_that_we_do_not_know_compares_with_nothing(changes: Any) -> None:
    assert parse_policy(policy(**changes)).schedule is None


def test_a_policy_that_does_not_tier_is_understood() -> None:
    untiered = {"ArchivedRP": {"tieringMode": "DoNotTier", "duration": 0}}

    assert parse_policy(policy(tieringPolicy=untiered)).schedule == Daily(time(22))


def test_days_that_azure_cannot_express_are_a_bug_and_not_a_guess() -> None:
    uneven = frozenset(
        {NthWeekday(Week.FIRST, Weekday.SUNDAY), NthWeekday(Week.LAST, Weekday.FRIDAY)}
    )
    spec = PolicySpec(
        "uneven", PolicyKind.STANDARD, Daily(time(22)), replace(KEPT, monthly_on=uneven)
    )

    with pytest.raises(ValueError, match="the same weekdays"):
        policy_body(spec)
