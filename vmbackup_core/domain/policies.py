"""
What a backup policy promises, and whether another one would promise less.

Hides Azure's limits on policies for VMs and what counts as weaker. A policy is compared as it was
observed or as it would be made, never by its name: the same name means different things in two
vaults.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from vmbackup_core.domain.schedules import (
    FIRST_SUNDAY,
    HOUR,
    DayOfMonth,
    DayOfYear,
    Hourly,
    Month,
    NthWeekday,
    Schedule,
    Weekday,
    Weekly,
    listed,
    longest_gap,
)


class PolicyKind(StrEnum):
    """Standard is Azure's V1, Enhanced its V2 (`policyType`: "V2")."""

    STANDARD = "standard"
    ENHANCED = "enhanced"


@dataclass(frozen=True, slots=True)
class Retention:
    """
    How long backups are kept; 0 where none are kept by that rule.

    `weekly_on`, `monthly_on` and `yearly_on` say which backups a rule keeps; they are empty where
    it keeps none. `snapshot_days` is how long a restore can start from the disks' snapshots.
    """

    daily_days: int = 0
    weekly_weeks: int = 0
    monthly_months: int = 0
    yearly_years: int = 0
    snapshot_days: int = 0
    weekly_on: frozenset[Weekday] = frozenset({Weekday.SUNDAY})
    monthly_on: frozenset[DayOfMonth] = frozenset({FIRST_SUNDAY})
    yearly_on: frozenset[DayOfYear] = frozenset({DayOfYear(Month.JANUARY, FIRST_SUNDAY)})

    def __post_init__(self) -> None:
        for count, days in (
            ("weekly_weeks", "weekly_on"),
            ("monthly_months", "monthly_on"),
            ("yearly_years", "yearly_on"),
        ):
            if not getattr(self, count):
                object.__setattr__(self, days, frozenset())


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """
    A policy as it stands in a vault, or would stand there.

    `schedule` is None where the policy, or any part of it, is none that we can read; then nothing
    can be said of how it compares. `crash_consistent` is True where it asks for no more than
    crash-consistent backups (V2's `snapshotConsistencyType`: "OnlyCrashConsistent").
    """

    name: str
    kind: PolicyKind
    schedule: Schedule | None
    retention: Retention
    time_zone: str = "UTC"
    crash_consistent: bool = False


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """Why Azure would refuse a policy: which part ("keep.daily", …), what, and what to do."""

    part: str
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """
    A policy as the configuration asks for it, within Azure's limits (raises ValueError otherwise).

    `time_zone` is a Windows time zone's name, as Azure takes them.
    """

    name: str
    kind: PolicyKind
    schedule: Schedule
    retention: Retention
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if faults := policy_faults(self.kind, self.schedule, self.retention):
            raise ValueError("; ".join(f"{fault.part}: {fault.message}" for fault in faults))

    def as_facts(self) -> PolicyFacts:
        """Return what an observation would show once a vault has this policy."""
        return PolicyFacts(
            self.name, self.kind, self.schedule, self.retention, time_zone=self.time_zone
        )


# Azure's ranges (AZURE: policies; limits and throttling). The window's multiple and the half hours
# are as Terraform's azurerm_backup_policy_vm documents them.
KEEP_RANGES = {
    "daily": range(7, 10_000),
    "weekly": range(1, 5_164),
    "monthly": range(1, 1_189),
    "yearly": range(1, 100),
}
SNAPSHOT_DAYS = {PolicyKind.STANDARD: range(1, 6), PolicyKind.ENHANCED: range(1, 31)}
WEEKLY_STANDARD_SNAPSHOT_DAYS = 5
HOURLY_INTERVALS = (4, 6, 8, 12)
HOURLY_WINDOWS = range(4, 25)
HALF_HOURS = (0, 30)


def policy_faults(
    kind: PolicyKind, schedule: Schedule, retention: Retention
) -> tuple[PolicyFault, ...]:
    """Return everything for which Azure would refuse such a policy; empty where it would not."""
    return (*schedule_faults(kind, schedule), *retention_faults(kind, schedule, retention))


def retention_faults(
    kind: PolicyKind, schedule: Schedule, retention: Retention
) -> list[PolicyFault]:
    """Return what is wrong with how long backups are kept, whatever is wrong with the schedule."""
    return [
        *_keep_faults(schedule, retention),
        *_day_faults(schedule, retention),
        *_snapshot_faults(kind, schedule, retention.snapshot_days),
    ]


def schedule_faults(kind: PolicyKind, schedule: Schedule) -> list[PolicyFault]:
    """Return what is wrong with when backups are made, whatever is wrong with the rest."""
    faults = []
    start = schedule.start if isinstance(schedule, Hourly) else schedule.at
    if start.minute not in HALF_HOURS:
        near = start.replace(minute=start.minute // 30 * 30)
        faults.append(
            PolicyFault(
                "schedule",
                f"{start:%H:%M} is neither on the hour nor on the half hour",
                f"such as {near:%H:%M}",
            )
        )
    if not isinstance(schedule, Hourly):
        return faults
    if kind is PolicyKind.STANDARD:
        faults.append(
            PolicyFault(
                "schedule",
                "only an enhanced policy backs up more than once a day",
                'set kind = "enhanced", or a schedule such as "daily at 22:00"',
            )
        )
    if schedule.every not in [hours * HOUR for hours in HOURLY_INTERVALS]:
        faults.append(
            PolicyFault(
                "schedule",
                f"cannot back up every {schedule.every // HOUR} hours",
                f"Azure takes every {', '.join(map(str, HOURLY_INTERVALS))} hours",
            )
        )
    elif schedule.window % schedule.every or schedule.window // HOUR not in HOURLY_WINDOWS:
        faults.append(
            PolicyFault(
                "schedule",
                f"cannot back up every {schedule.every // HOUR} hours"
                f" for {schedule.window // HOUR} hours",
                "the window is a multiple of the interval, up to 24 hours",
            )
        )
    return faults


def _keep_faults(schedule: Schedule, retention: Retention) -> list[PolicyFault]:
    weekly = isinstance(schedule, Weekly)
    faults = []
    for tier in TIERS[:-1]:
        count, allowed = tier.count(retention), KEEP_RANGES[tier.word]
        part = f"keep.{tier.word}"
        if weekly and tier.word == "daily" and count:
            faults.append(
                PolicyFault(part, "a weekly schedule makes no daily backups", "remove it")
            )
        elif count and count not in allowed:
            faults.append(
                PolicyFault(
                    part,
                    f"{count} {tier.unit} is out of range",
                    f"Azure takes from {allowed[0]} to {allowed[-1]} {tier.unit}",
                )
            )
        elif not count and tier.word == ("weekly" if weekly else "daily"):
            made = "weekly" if weekly else "daily or hourly"
            faults.append(
                PolicyFault(
                    part,
                    f"missing: a {made} schedule must say for how many {tier.unit} it keeps",
                    f"set keep.{tier.word} from {allowed[0]} to {allowed[-1]}",
                )
            )
    return faults


def _day_faults(schedule: Schedule, retention: Retention) -> list[PolicyFault]:
    if not isinstance(schedule, Weekly):
        return []
    if retention.weekly_weeks and retention.weekly_on != schedule.days:
        return [
            PolicyFault(
                "keep.weekly",
                f"keeps backups of {listed(retention.weekly_on)}, made on {listed(schedule.days)}",
                "a weekly schedule keeps the backups of all its days",
            )
        ]
    picked = retention.monthly_on | {day.day for day in retention.yearly_on}
    missed = {day.day for day in picked if isinstance(day, NthWeekday)} - schedule.days
    if missed:
        return [
            PolicyFault(
                "keep.day",
                f"no backup is made on {listed(missed)}",
                f"the schedule has {listed(schedule.days)}",
            )
        ]
    return []


def _snapshot_faults(kind: PolicyKind, schedule: Schedule, days: int) -> list[PolicyFault]:
    if kind is PolicyKind.STANDARD and isinstance(schedule, Weekly):
        allowed = range(WEEKLY_STANDARD_SNAPSHOT_DAYS, WEEKLY_STANDARD_SNAPSHOT_DAYS + 1)
        takes = f"a weekly standard policy has {WEEKLY_STANDARD_SNAPSHOT_DAYS} days"
    else:
        allowed = SNAPSHOT_DAYS[kind]
        takes = f"a policy of kind {kind} takes from {allowed[0]} to {allowed[-1]} days"
    if days in allowed:
        return []
    return [PolicyFault("snapshots", f"{days} days is out of range", takes)]


@dataclass(frozen=True, slots=True)
class _Tier:
    """One rule by which backups are kept."""

    word: str
    unit: str
    count: Callable[[Retention], int]
    days: Callable[[Retention], frozenset[Any]] = lambda _: frozenset()


TIERS = (
    _Tier("daily", "days", lambda kept: kept.daily_days),
    _Tier("weekly", "weeks", lambda kept: kept.weekly_weeks, lambda kept: kept.weekly_on),
    _Tier("monthly", "months", lambda kept: kept.monthly_months, lambda kept: kept.monthly_on),
    _Tier("yearly", "years", lambda kept: kept.yearly_years, lambda kept: kept.yearly_on),
    _Tier("snapshot", "days", lambda kept: kept.snapshot_days),
)


def weakenings(present: PolicyFacts, wanted: PolicyFacts) -> tuple[str, ...]:
    """
    Name everything that would get worse for a VM moved from `present` to `wanted`.

    Empty means: each kind of backup is kept at least as long, and backups are made at least as
    often. What cannot be told is named too, so an empty answer is a promise. Shorter retention
    prunes points that exist (AZURE: policies), which is why this is asked before any change.
    """
    unread = [policy.name for policy in (present, wanted) if policy.schedule is None]
    if present.schedule is None or wanted.schedule is None:
        return tuple(f"cannot tell: policy {name!r} is none that we can read" for name in unread)
    return (
        *_shorter(present.retention, wanted.retention),
        *_rarer(present.schedule, wanted.schedule),
        *_poorer(present, wanted),
    )


def downgrades(present: PolicyFacts, wanted: PolicyFacts) -> bool:
    """Tell whether the change is from Enhanced to Standard, which Azure refuses for good."""
    return present.kind is PolicyKind.ENHANCED and wanted.kind is PolicyKind.STANDARD


def _shorter(present: Retention, wanted: Retention) -> list[str]:
    worse = []
    for tier in TIERS:
        has, gets = tier.count(present), tier.count(wanted)
        what = "snapshots" if tier.word == "snapshot" else f"{tier.word} backups"
        if has and not gets:
            worse.append(f"keeps no {what} instead of {has} {tier.unit} of them")
        elif gets < has:
            worse.append(f"keeps {what} for {gets} instead of {has} {tier.unit}")
        elif missed := tier.days(present) - tier.days(wanted):
            worse.append(f"keeps no {what} of {listed(missed)}")
    return worse


def _rarer(present: Schedule, wanted: Schedule) -> list[str]:
    worse = []
    for has, gets in (
        (present.starts, wanted.starts),
        (present.fewest_starts, wanted.fewest_starts),
    ):
        if len(gets) < len(has):
            worse.append(f"backs up {_times(len(gets))} a week instead of {_times(len(has))}")
        if longest_gap(gets) > longest_gap(has):
            worse.append(
                f"leaves up to {_hours(longest_gap(gets))} between two backups"
                f" instead of {_hours(longest_gap(has))}"
            )
    return list(dict.fromkeys(worse))


def _poorer(present: PolicyFacts, wanted: PolicyFacts) -> list[str]:
    if wanted.crash_consistent and not present.crash_consistent:
        return ["makes only crash-consistent backups instead of application-consistent ones"]
    return []


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _hours(gap: timedelta) -> str:
    return f"{gap / HOUR:g} hours"
