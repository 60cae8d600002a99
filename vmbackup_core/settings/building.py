"""
What the sections of `vmbackup.toml` are made into, and the checks that concern several keys.

Each builder notes what does not fit together and then returns FAILED.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from vmbackup_core.domain.policies import (
    WEEKLY_STANDARD_SNAPSHOT_DAYS,
    PolicyFault,
    PolicyKind,
    PolicySpec,
    Retention,
    retention_faults,
    schedule_faults,
)
from vmbackup_core.domain.rules import OnSoftDeleted, OnStopped, Rule, Scope
from vmbackup_core.domain.schedules import (
    DAY,
    DayOfYear,
    Month,
    NthWeekday,
    Schedule,
    Week,
    Weekday,
    Weekly,
)
from vmbackup_core.domain.vaults import UseVault
from vmbackup_core.settings.faults import Faults, Unfit
from vmbackup_core.settings.forms import FAILED
from vmbackup_core.settings.lines import Path
from vmbackup_core.settings.names import parse_vault

Found = Mapping[str, Any]
NOT_IN_SCOPE = "is not among scope.subscriptions"


@dataclass(frozen=True, slots=True)
class Tags:
    """The tag that rules look at, and its values that say no."""

    policy: str
    opt_out: tuple[str, ...]


class Redundancy(Enum):
    """How a new vault keeps its copies."""

    GEO = "geo"
    ZONE = "zone"
    LOCAL = "local"

    @property
    def service_word(self) -> str:
        return _SERVICE_WORDS[self]


# As the service writes a vault's storage type (AZURE: vault security).
_SERVICE_WORDS = {
    Redundancy.GEO: "GeoRedundant",
    Redundancy.ZONE: "ZoneRedundant",
    Redundancy.LOCAL: "LocallyRedundant",
}


@dataclass(frozen=True, slots=True)
class VaultSection:
    """`[vaults]` as written; `redundancy` in the service's own words."""

    name: str
    resource_group: str
    create: bool
    redundancy: str
    use: tuple[UseVault, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How much may change, and how fast.

    `enables_per_hour` is None where nothing but Azure limits it. `max_shrink` is by how many
    percent the number of VMs in scope may shrink between two sweeps before everything stops.
    """

    changes_per_hour: int
    enables_per_hour: int | None
    max_shrink: int
    configures_per_vault_per_day: int
    vms_per_vault: int


@dataclass(frozen=True, slots=True)
class Protect:
    """What to do in the cases that need a decision, and how long to wait for a VM's agent."""

    on_stopped: OnStopped
    on_soft_deleted: OnSoftDeleted
    agent_wait: timedelta


def check_scope(found: Found, at: Path, faults: Faults) -> None:
    """Note where no place is named, two kinds of place, or a place that is not among them."""
    subscriptions, groups = found["subscriptions"], found["management_groups"]
    if not subscriptions and not groups:
        faults.add((*at, "subscriptions"), "missing", "name subscriptions or management_groups")
    if subscriptions and groups:
        faults.add((*at, "management_groups"), "stands beside subscriptions", "name one of the two")
    if FAILED not in (subscriptions, found["subscription"]):
        for stranger, _ in found["subscription"]:
            if subscriptions and stranger not in subscriptions:
                place = (*at, "subscription", stranger)
                faults.add(
                    place, "is not among scope.subscriptions", "add it there, or remove this"
                )


def build_scope(found: Found, at: Path, faults: Faults) -> Any:
    return Scope(
        found["subscriptions"] or (),
        found["management_groups"] or (),
        found["mode"],
        found["subscription"],
        found["exclude_resource_groups"],
        found["drill_resource_groups"],
    )


def build_rule(found: Found, at: Path, faults: Faults) -> Any:
    return Rule(
        found["policy"],
        found["tag"] or (),
        found["other_tags"],
        found["resource_groups"] or (),
        found["subscriptions"] or (),
        found["locations"] or (),
        found["restored_copies"],
    )


def check_order(rules: list[Any], at: Path, faults: Faults, word: str = "rule") -> None:
    """Note each rule that can never win because an earlier one takes all that it would."""
    for place, rule in enumerate(rules):
        earlier = next(
            (
                n
                for n, other in enumerate(rules[:place])
                if other is not FAILED and rule is not FAILED and other.covers(rule)
            ),
            None,
        )
        if earlier is not None:
            faults.add(
                (*at, place),
                f"can never win: {word} {earlier + 1} matches everything that it matches",
                f"put it before that {word}, or remove it",
            )


def check_policy(found: Found, at: Path, faults: Faults) -> None:
    """Note a schedule that Azure would refuse."""
    if FAILED not in (found["kind"], found["schedule"]):
        _note(schedule_faults(found["kind"], found["schedule"]), at, faults)


def build_policy(found: Found, at: Path, faults: Faults) -> Any:
    kind, schedule, keep = found["kind"], found["schedule"], found["keep"]
    snapshots = found["snapshots"]
    if snapshots is None:
        fixed = kind is PolicyKind.STANDARD and isinstance(schedule, Weekly)
        snapshots = (WEEKLY_STANDARD_SNAPSHOT_DAYS if fixed else 2) * DAY
    retention = _retention(keep, schedule, snapshots // DAY)
    if unfit := retention_faults(kind, schedule, retention):
        _note(unfit, at, faults)
        return FAILED
    return PolicySpec(str(at[-1]), kind, schedule, retention, found["time_zone"])


def _note(unfit: list[PolicyFault], at: Path, faults: Faults) -> None:
    for fault in unfit:
        faults.add((*at, *fault.part.split(".")), fault.message, fault.suggestion)


def _retention(keep: Found, schedule: Schedule, snapshot_days: int) -> Retention:
    days = schedule.days if isinstance(schedule, Weekly) else frozenset(Weekday)
    usual = Weekday.SUNDAY if Weekday.SUNDAY in days else next(d for d in Weekday if d in days)
    day = keep["day"] or usual
    first = NthWeekday(Week.FIRST, day)
    return Retention(
        keep["daily"] or 0,
        keep["weekly"] or 0,
        keep["monthly"] or 0,
        keep["yearly"] or 0,
        snapshot_days,
        days if isinstance(schedule, Weekly) else frozenset({day}),
        frozenset({first}),
        frozenset({DayOfYear(Month.JANUARY, first)}),
    )


def build_vaults(found: Found, at: Path, faults: Faults) -> Any:
    name, group = found["name"], found["resource_group"]
    if "{region}" not in name + group:
        faults.add(
            (*at, "name"),
            "makes the same vault for every region",
            "put {region} into it: Azure protects a VM only in a vault of its own region",
        )
        return FAILED
    return VaultSection(
        name,
        group,
        found["create"],
        found["redundancy"].service_word,
        tuple(vault for _, vaults in found["use"] for vault in vaults),
    )


def build_vaults_of(pairs: tuple[tuple[str, str], ...], at: Path, faults: Faults) -> Any:
    """Read the vaults named for one subscription, whose id is the table's name."""
    subscription, vaults = str(at[-1]).lower(), []
    for location, text in pairs:
        try:
            vaults.append(UseVault(subscription, location, parse_vault(text, subscription)))
        except Unfit as unfit:
            faults.add((*at, location), unfit.message, unfit.suggestion)
    return tuple(vaults) if len(vaults) == len(pairs) else FAILED
