"""
Backup policies as Azure writes them, both ways: JSON to facts, and a wanted policy to JSON.

A policy of which any part is none that we know keeps its name and kind and loses its schedule, and
then it compares with nothing: better no answer than a wrong one (AZURE: policies).
"""

from collections.abc import Callable
from datetime import datetime, time
from itertools import product

from vmbackup_core.adapters.wire import Json, at, entries, needed, text
from vmbackup_core.domain.policies import PolicyFacts, PolicyKind, PolicySpec, Retention
from vmbackup_core.domain.schedules import (
    HOUR,
    Daily,
    DayOfMonth,
    DayOfYear,
    Hourly,
    Month,
    MonthDay,
    NthWeekday,
    Schedule,
    Week,
    Weekday,
    Weekly,
)

_DAY_OF_TIMES = "2026-01-01"  # Only the time of a policy's date-times counts.
_UNTIERED = ("", "DoNotTier", "Invalid")
_KINDS = {"": PolicyKind.STANDARD, "V1": PolicyKind.STANDARD, "V2": PolicyKind.ENHANCED}


class _UnreadableError(Exception):
    """Some part of a policy is none that we know."""


def parse_policy(body: Json) -> PolicyFacts:
    """Read a VM policy of ARM or its row of Resource Graph."""
    policy = at(body, "properties")
    kind = _KINDS.get(text(policy, "policyType"))
    try:
        schedule = _schedule(at(policy, "schedulePolicy"), kind)
        retention = _retention(policy)
        _check_rest(policy)
    except (_UnreadableError, ValueError, TypeError, AttributeError, OverflowError):
        # A word, a number or a shape that we do not know.
        schedule, retention = None, Retention()
    return PolicyFacts(
        name=needed(body, "name"),
        kind=kind or PolicyKind.STANDARD,
        schedule=schedule,
        retention=retention,
        time_zone=text(policy, "timeZone") or "UTC",
        crash_consistent=text(policy, "snapshotConsistencyType") == "OnlyCrashConsistent",
    )


def is_vm_policy(body: Json) -> bool:
    """Whether a policy is for VMs: a vault's list also holds those for databases and shares."""
    return text(body, "properties", "backupManagementType").lower() == "azureiaasvm"


# From the wire.


def _schedule(node: Json, kind: PolicyKind | None) -> Schedule:
    reader = _SCHEDULES.get(
        (kind, text(node, "schedulePolicyType"), text(node, "scheduleRunFrequency"))
    )
    if reader is None:
        raise _UnreadableError
    return reader(node)


def _daily(node: Json) -> Schedule:
    return Daily(_one_time(entries(node, "scheduleRunTimes")))


def _weekly(node: Json) -> Schedule:
    days = frozenset(Weekday(day) for day in entries(node, "scheduleRunDays"))
    return Weekly(days, _one_time(entries(node, "scheduleRunTimes")))


def _hourly(node: Json) -> Schedule:
    hours = at(node, "hourlySchedule")
    return Hourly(
        every=_number(hours, "interval") * HOUR,
        start=_one_time([at(hours, "scheduleWindowStartTime")]),
        window=_number(hours, "scheduleWindowDuration") * HOUR,
    )


_V1, _V2 = "SimpleSchedulePolicy", "SimpleSchedulePolicyV2"
_SCHEDULES: dict[tuple[PolicyKind | None, str, str], Callable[[Json], Schedule]] = {
    (PolicyKind.STANDARD, _V1, "Daily"): _daily,
    (PolicyKind.STANDARD, _V1, "Weekly"): _weekly,
    (PolicyKind.ENHANCED, _V2, "Hourly"): _hourly,
    (PolicyKind.ENHANCED, _V2, "Daily"): lambda node: _daily(at(node, "dailySchedule")),
    (PolicyKind.ENHANCED, _V2, "Weekly"): lambda node: _weekly(at(node, "weeklySchedule")),
}


def _retention(policy: Json) -> Retention:
    node = at(policy, "retentionPolicy")
    if text(node, "retentionPolicyType") != "LongTermRetentionPolicy":
        raise _UnreadableError
    daily, weekly = at(node, "dailySchedule"), at(node, "weeklySchedule")
    monthly, yearly = at(node, "monthlySchedule"), at(node, "yearlySchedule")
    return Retention(
        daily_days=_count(daily, "Days"),
        weekly_weeks=_count(weekly, "Weeks"),
        monthly_months=_count(monthly, "Months"),
        yearly_years=_count(yearly, "Years"),
        snapshot_days=_number(policy, "instantRpRetentionRangeInDays"),
        weekly_on=frozenset(Weekday(day) for day in entries(weekly, "daysOfTheWeek")),
        monthly_on=_days(monthly),
        yearly_on=frozenset(
            DayOfYear(Month(month), day)
            for month, day in product(entries(yearly, "monthsOfYear"), _days(yearly))
        ),
    )


def _count(node: Json, unit: str) -> int:
    if node is None:
        return 0
    if text(node, "retentionDuration", "durationType") != unit:
        raise _UnreadableError
    return _number(at(node, "retentionDuration"), "count")


def _days(node: Json) -> frozenset[DayOfMonth]:
    if node is None:
        return frozenset()
    match text(node, "retentionScheduleFormatType"):
        case "Weekly":
            weekly = at(node, "retentionScheduleWeekly")
            pairs = product(entries(weekly, "weeksOfTheMonth"), entries(weekly, "daysOfTheWeek"))
            return frozenset(NthWeekday(Week(week), Weekday(day)) for week, day in pairs)
        case "Daily":
            days = entries(node, "retentionScheduleDaily", "daysOfTheMonth")
            return frozenset(
                MonthDay(0 if at(day, "isLast") is True else _number(day, "date")) for day in days
            )
        case _:
            raise _UnreadableError


def _check_rest(policy: Json) -> None:
    """Refuse to understand a policy that moves its points to the archive."""
    tiers = at(policy, "tieringPolicy") or {}
    if any(text(tier, "tieringMode") not in _UNTIERED for tier in tiers.values()):
        raise _UnreadableError


def _number(node: Json, name: str) -> int:
    found = at(node, name)
    if type(found) is not int:
        raise _UnreadableError
    return found


def _one_time(times: list[Json]) -> time:
    """Return the wall clock's time in the policy's zone; the zone that is written with it lies."""
    if len(times) != 1 or not isinstance(times[0], str):
        raise _UnreadableError
    return datetime.fromisoformat(times[0]).time()


# To the wire.


def policy_body(spec: PolicySpec) -> Json:
    """Return the body that creates a policy."""
    policy: dict[str, Json] = {
        "backupManagementType": "AzureIaasVM",
        "schedulePolicy": _schedule_body(spec),
        "retentionPolicy": _retention_body(spec),
        "instantRpRetentionRangeInDays": spec.retention.snapshot_days,
        "timeZone": spec.time_zone,
    }
    if spec.kind is PolicyKind.ENHANCED:
        policy["policyType"] = "V2"
    return {"properties": policy}


def _schedule_body(spec: PolicySpec) -> Json:
    times = [_written(_start(spec.schedule))]
    inner: dict[str, Json]
    match spec.schedule:
        case Daily():
            name, inner = "Daily", {"scheduleRunTimes": times}
        case Weekly(days):
            name, inner = "Weekly", {"scheduleRunDays": _listed(days), "scheduleRunTimes": times}
        case Hourly(every, _, window):
            name = "Hourly"
            inner = {
                "interval": every // HOUR,
                "scheduleWindowStartTime": times[0],
                "scheduleWindowDuration": window // HOUR,
            }
    if spec.kind is PolicyKind.STANDARD:
        return {"schedulePolicyType": _V1, "scheduleRunFrequency": name} | inner
    return {
        "schedulePolicyType": _V2,
        "scheduleRunFrequency": name,
        f"{name.lower()}Schedule": inner,
    }


def _retention_body(spec: PolicySpec) -> Json:
    kept = spec.retention
    times = {"retentionTimes": [_written(_start(spec.schedule))]}
    body: dict[str, Json] = {"retentionPolicyType": "LongTermRetentionPolicy"}
    if kept.daily_days:
        body["dailySchedule"] = times | _duration(kept.daily_days, "Days")
    if kept.weekly_weeks:
        days = {"daysOfTheWeek": _listed(kept.weekly_on)}
        body["weeklySchedule"] = days | times | _duration(kept.weekly_weeks, "Weeks")
    if kept.monthly_months:
        days = _days_body(kept.monthly_on)
        body["monthlySchedule"] = days | times | _duration(kept.monthly_months, "Months")
    if kept.yearly_years:
        months = [month for month in Month if any(d.month is month for d in kept.yearly_on)]
        of_month = frozenset(day.day for day in kept.yearly_on)
        if len(months) * len(of_month) != len(kept.yearly_on):
            raise ValueError("Azure keeps the same days in each of a yearly rule's months")
        days = {"monthsOfYear": [month.value for month in months]} | _days_body(of_month)
        body["yearlySchedule"] = days | times | _duration(kept.yearly_years, "Years")
    return body


def _days_body(days: frozenset[DayOfMonth]) -> dict[str, Json]:
    by_number = sorted(day.number for day in days if isinstance(day, MonthDay))
    if len(by_number) == len(days):
        dates = [{"date": number, "isLast": number == 0} for number in by_number]
        return {
            "retentionScheduleFormatType": "Daily",
            "retentionScheduleDaily": {"daysOfTheMonth": dates},
        }
    nth = [day for day in days if isinstance(day, NthWeekday)]
    weeks = [week.value for week in Week if any(day.week is week for day in nth)]
    weekdays = _listed(frozenset(day.day for day in nth))
    if len(weeks) * len(weekdays) != len(days):
        raise ValueError("Azure keeps the same weekdays in each of a rule's weeks")
    return {
        "retentionScheduleFormatType": "Weekly",
        "retentionScheduleWeekly": {"daysOfTheWeek": weekdays, "weeksOfTheMonth": weeks},
    }


def _duration(count: int, unit: str) -> dict[str, Json]:
    return {"retentionDuration": {"count": count, "durationType": unit}}


def _start(schedule: Schedule) -> time:
    return schedule.start if isinstance(schedule, Hourly) else schedule.at


def _written(moment: time) -> str:
    return f"{_DAY_OF_TIMES}T{moment:%H:%M}:00Z"


def _listed(days: frozenset[Weekday]) -> list[str]:
    return [day.value for day in Weekday if day in days]
