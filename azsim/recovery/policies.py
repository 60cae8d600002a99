"""
Backup policies of VMs: what a body must look like, when it backs up, how long it keeps.

V1 is `SimpleSchedulePolicy` (once a day or on days of the week), V2 (Enhanced) also several times
a day. Sources: AZURE_FACTS section 4, recorded policies, spec ProtectionPolicies examples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from azsim.http import ArmError
from azsim.recovery import errors
from azsim.recovery.wire import stamp
from azsim.recovery.zones import offset_of

VM_BACKUP = "AzureIaasVM"
# models policies-at-most
MOST_POLICIES = 200
MOST_EDITS_A_DAY = 50
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKS = {"First": 0, "Second": 1, "Third": 2, "Fourth": 3}
_FIELDS = (
    "backupManagementType",
    "policyType",
    "instantRPDetails",
    "schedulePolicy",
    "retentionPolicy",
    "tieringPolicy",
    "instantRpRetentionRangeInDays",
    "timeZone",
    "snapshotConsistencyType",
    "instantAccessSnapshotEnabled",
    "instantAccessDurationMinutes",
)
# The service reads members without case: az sends `instantRpDetails`.
_SPELLED = {
    name.lower(): name for name in (*_FIELDS, "azureBackupRGNamePrefix", "azureBackupRGNameSuffix")
}
_READ_ONLY = frozenset({"protectedItemsCount", "resourceGuardOperationRequests"})
_LONGEST = {"daily": 9999, "weekly": 5163, "monthly": 1188, "yearly": 99}
_UNIT_DAYS = {"Days": 1, "Weeks": 7, "Months": 30, "Years": 365}


@dataclass(slots=True)
class Policy:
    """One policy of a vault; `body` is its `properties` as the service gives them back."""

    name: str
    body: dict[str, Any]
    order: str  # Lists come in the order of an id that the service does not show.

    @property
    def is_enhanced(self) -> bool:
        return self.body.get("policyType") == "V2"

    @property
    def is_for_vms(self) -> bool:
        return bool(self.body["backupManagementType"] == VM_BACKUP)

    @property
    def kind(self) -> str:
        return "V2" if self.is_enhanced else "V1"

    @property
    def snapshot_days(self) -> int:
        return int(self.body["instantRpRetentionRangeInDays"])

    @property
    def shortest_days(self) -> int:
        """For how many days every point is kept, at least."""
        rules = [r for name, r in self.body["retentionPolicy"].items() if name.endswith("Schedule")]
        return min(_span(rule["retentionDuration"]).days for rule in rules)

    def runs_between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the scheduled times with `after` < time <= `until`, in order, in UTC."""
        ahead = offset_of(self.body["timeZone"]) or timedelta()
        day = (after + ahead).date() - timedelta(days=1)
        while day <= (until + ahead).date():
            if (days := self._days) is None or _DAYS[day.weekday()] in days:
                for at in self._times:
                    run = datetime.combine(day, time(), UTC) + at - ahead
                    if after < run <= until:
                        yield run
            day += timedelta(days=1)

    @property
    def _days(self) -> list[str] | None:
        schedule = self.body["schedulePolicy"]
        if schedule["scheduleRunFrequency"] != "Weekly":
            return None
        days: list[str] = schedule.get("weeklySchedule", schedule)["scheduleRunDays"]
        return days

    @property
    def _times(self) -> list[timedelta]:
        schedule = self.body["schedulePolicy"]
        if hourly := schedule.get("hourlySchedule"):
            first = _time_of_day(hourly["scheduleWindowStartTime"])
            steps = hourly["scheduleWindowDuration"] // hourly["interval"]
            return [first + timedelta(hours=hourly["interval"] * n) for n in range(steps + 1)]
        for name in ("dailySchedule", "weeklySchedule"):
            schedule = schedule.get(name, schedule)
        return sorted(_time_of_day(text) for text in schedule["scheduleRunTimes"])

    # models policy-kept-longest
    def keeps_until(self, taken: datetime, *, first_of_day: bool) -> datetime:
        """
        Return when a scheduled point of `taken` expires.

        The longest retention that claims the point wins. With several points a day only the first
        one is kept weekly, monthly and yearly.
        """
        local = taken + (offset_of(self.body["timeZone"]) or timedelta())
        spans = [
            _span(rule["retentionDuration"])
            for name, rule in self.body["retentionPolicy"].items()
            if name.endswith("Schedule")
            and _claims(name, rule, local)
            and (first_of_day or name == "dailySchedule")
        ]
        return taken + max(spans, default=timedelta(days=7))


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """Return the body that the service would store and give back; raises ArmError 400 or 501."""
    if given.get("backupManagementType") != VM_BACKUP:
        raise _not_simulated(f"backupManagementType {given.get('backupManagementType')}")
    given = _spelled(given)
    if unknown := set(given) - set(_FIELDS) - _READ_ONLY:
        raise _not_simulated(f"policy fields {sorted(unknown)}")
    filled: dict[str, Any] = {
        "instantRPDetails": {},
        "instantRpRetentionRangeInDays": 2,
        "timeZone": "UTC",
        **{name: value for name, value in given.items() if value is not None},
    }
    body = {name: _tidy(filled[name]) for name in _FIELDS if name in filled}
    if body.get("policyType") == "V1":
        del body["policyType"]
    for name in ("schedulePolicy", "retentionPolicy"):
        if not isinstance(body.get(name), dict):
            raise errors.POLICY_INVALID.error(why=f"{name} is missing")
    if offset_of(body["timeZone"]) is None:
        raise _not_simulated(f"time zone {body['timeZone']}")
    try:
        _check_schedule(body)
        _check_retention(body)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise errors.POLICY_INVALID.error(why=f"missing or malformed: {fault}") from fault
    return body


# models policy-ranges
def _check_schedule(body: dict[str, Any]) -> None:
    schedule = body["schedulePolicy"]
    enhanced = body.get("policyType") == "V2"
    wanted = "SimpleSchedulePolicyV2" if enhanced else "SimpleSchedulePolicy"
    _require(schedule["schedulePolicyType"] == wanted, f"schedulePolicyType must be {wanted}")
    frequency = schedule["scheduleRunFrequency"]
    _require(
        frequency in (("Hourly", "Daily", "Weekly") if enhanced else ("Daily", "Weekly")),
        f"scheduleRunFrequency {frequency} is not supported",
    )
    if frequency == "Hourly":
        hourly = schedule["hourlySchedule"]
        _require(hourly["interval"] in (4, 6, 8, 12), "interval must be 4, 6, 8 or 12")
        _require(4 <= hourly["scheduleWindowDuration"] <= 24, "the window must be 4 to 24 hours")
    else:
        inner = schedule[f"{frequency.lower()}Schedule"] if enhanced else schedule
        _require(len(inner["scheduleRunTimes"]) == 1, "one scheduleRunTime is needed")
        _require(_time_of_day(inner["scheduleRunTimes"][0]) is not None, "bad time")
        _require(
            frequency != "Weekly" or set(inner["scheduleRunDays"]) <= set(_DAYS) != set(),
            "scheduleRunDays are needed",
        )
    days = body["instantRpRetentionRangeInDays"]
    most = 30 if enhanced else 5
    least = 5 if frequency == "Weekly" and not enhanced else 1
    _require(least <= days <= most, f"instantRpRetentionRangeInDays must be {least} to {most}")


def _check_retention(body: dict[str, Any]) -> None:
    retention = body["retentionPolicy"]
    weekly = body["schedulePolicy"]["scheduleRunFrequency"] == "Weekly"
    _require(
        retention["retentionPolicyType"] == "LongTermRetentionPolicy",
        "retentionPolicyType must be LongTermRetentionPolicy",
    )
    _require(
        ("weeklySchedule" if weekly else "dailySchedule") in retention,
        "the retention of the schedule's own frequency is needed",
    )
    _require(not (weekly and "dailySchedule" in retention), "a weekly schedule keeps no daily ones")
    for name, longest in _LONGEST.items():
        if rule := retention.get(f"{name}Schedule"):
            count = rule["retentionDuration"]["count"]
            least = 7 if name == "daily" else 1
            _require(least <= count <= longest, f"{name} retention must be {least} to {longest}")
            _require(
                [_time_of_day(text) for text in rule["retentionTimes"]] == [_first_run(body)],
                "retentionTimes must be those of the schedule",
            )


def _first_run(body: dict[str, Any]) -> timedelta:
    return Policy("", body, "")._times[0]


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise errors.POLICY_INVALID.error(why=why)


def _not_simulated(what: str) -> ArmError:
    return ArmError(501, "NotSimulated", f"azsim does not simulate {what}")


def _time_of_day(text: str) -> timedelta:
    at = datetime.fromisoformat(text)
    return timedelta(hours=at.hour, minutes=at.minute)


# models policy-members-without-case
def _spelled(given: dict[str, Any]) -> dict[str, Any]:
    """Return an object with the service's own spelling of its members and of theirs."""
    return {
        _SPELLED.get(name.lower(), name): _spelled(value) if isinstance(value, dict) else value
        for name, value in given.items()
    }


# models policy-put
def _tidy(value: Any) -> Any:
    """Write times as the service does: `…T16:30:00.000Z` comes back as `…T16:30:00Z`."""
    match value:
        case dict():
            return {name: _tidy(inner) for name, inner in value.items() if inner is not None}
        case list():
            return [_tidy(inner) for inner in value]
        case str() if len(value) > 18 and value[4] == value[7] == "-" and value[10] == "T":
            return stamp(datetime.fromisoformat(value))
    return value


def _span(duration: dict[str, Any]) -> timedelta:
    return timedelta(days=duration["count"] * _UNIT_DAYS[duration["durationType"]])


def _claims(name: str, rule: dict[str, Any], local: datetime) -> bool:
    """Tell whether a retention rule keeps a point that was taken at `local`."""
    if name == "dailySchedule":
        return True
    if name == "weeklySchedule":
        return _DAYS[local.weekday()] in rule.get("daysOfTheWeek", _DAYS)
    if name == "yearlySchedule" and _MONTHS[local.month - 1] not in rule["monthsOfYear"]:
        return False
    if rule["retentionScheduleFormatType"] == "Daily":
        last = (local + timedelta(days=1)).month != local.month
        days = rule["retentionScheduleDaily"]["daysOfTheMonth"]
        return any(day["date"] == local.day or (day["isLast"] and last) for day in days)
    weekly = rule["retentionScheduleWeekly"]
    last_week = (local + timedelta(days=7)).month != local.month
    return _DAYS[local.weekday()] in weekly["daysOfTheWeek"] and any(
        last_week if week == "Last" else _WEEKS[week] == (local.day - 1) // 7
        for week in weekly["weeksOfTheMonth"]
    )


def vm_policy(schedule: dict[str, Any], retention_time: str, **more: Any) -> dict[str, Any]:
    """Return the body of a policy that keeps 30 days, as the policies of a new vault do."""
    return checked(
        {
            "backupManagementType": VM_BACKUP,
            **more,
            "schedulePolicy": schedule,
            "retentionPolicy": {
                "retentionPolicyType": "LongTermRetentionPolicy",
                "dailySchedule": {
                    "retentionTimes": [retention_time],
                    "retentionDuration": {"count": 30, "durationType": "Days"},
                },
            },
        }
    )


# models default-policies
def default_policies(born: datetime, minutes: int) -> dict[str, dict[str, Any]]:
    """Return what every new vault has; `minutes` after midnight is the hour of its region."""
    nightly = stamp(datetime.combine(born.date(), time(), UTC) + timedelta(minutes=minutes))
    morning = stamp(datetime.combine(born.date(), time(8), UTC))
    daily = {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Daily",
        "scheduleRunTimes": [nightly],
        "scheduleWeeklyFrequency": 0,
    }
    hourly = {
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": "Hourly",
        "hourlySchedule": {
            "interval": 4,
            "scheduleWindowStartTime": morning,
            "scheduleWindowDuration": 12,
        },
    }
    default = vm_policy(daily, nightly)
    logs = {
        "backupManagementType": "AzureWorkload",
        "workLoadType": "SQLDataBase",
        "settings": {"timeZone": "UTC", "issqlcompression": False, "isCompression": False},
        "subProtectionPolicy": [
            {
                "policyType": "Full",
                "schedulePolicy": default["schedulePolicy"],
                "retentionPolicy": default["retentionPolicy"],
            },
            {
                "policyType": "Log",
                "schedulePolicy": {
                    "schedulePolicyType": "LogSchedulePolicy",
                    "scheduleFrequencyInMins": 60,
                },
                "retentionPolicy": {
                    "retentionPolicyType": "SimpleRetentionPolicy",
                    "retentionDuration": {"count": 30, "durationType": "Days"},
                },
            },
        ],
    }
    return {
        "HourlyLogBackup": logs,
        "DefaultPolicy": default,
        "EnhancedPolicy": vm_policy(hourly, morning, policyType="V2"),
    }
