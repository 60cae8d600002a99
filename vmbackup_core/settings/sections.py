"""
The sections of `vmbackup.toml`: every key, what it takes, its default, and what it is made into.

docs/configuration.md says why each default is what it is; a test keeps the two alike.
"""

from datetime import timedelta
from typing import Any

from vmbackup_core.domain.policies import KEEP_RANGES, SNAPSHOT_DAYS, PolicyKind
from vmbackup_core.domain.rules import DRILL_GROUPS, Mode, OnSoftDeleted, OnStopped
from vmbackup_core.domain.schedules import DAY
from vmbackup_core.domain.vaults import VMS_PER_VAULT
from vmbackup_core.settings.building import (
    Limits,
    Protect,
    Redundancy,
    Tags,
    build_policy,
    build_rule,
    build_scope,
    build_vaults,
    build_vaults_of,
    check_order,
    check_policy,
    check_scope,
)
from vmbackup_core.settings.drilling import DRILLS
from vmbackup_core.settings.forms import (
    Key,
    Leaf,
    ListOf,
    Made,
    Many,
    Named,
    Table,
    choice,
    duration,
    flag,
    number,
    percent,
)
from vmbackup_core.settings.mailing import MAIL
from vmbackup_core.settings.names import (
    GLOB,
    GROUP_GLOB,
    GROUP_PATTERN,
    GUID,
    LOCATION,
    LOCATION_GLOB,
    MANAGEMENT_GROUP,
    POLICY_NAME,
    SCHEDULE,
    TAG_NAME,
    TAG_VALUE,
    TIME_ZONE,
    VAULT,
    VAULT_PATTERN,
    WEEKDAY,
)

ANY = "leave it out to match any"
UNITS = {"daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}


def _as_read(kind: type) -> Any:
    """Return a `build` that puts what was found into the fields of `kind`, which it matches."""
    return lambda found, at, faults: kind(**found)


def _kept(word: str) -> Leaf:
    return number(KEEP_RANGES[word][0], KEEP_RANGES[word][-1], UNITS[word])


SUBSCRIPTION = Table((Key("mode", choice(Mode)),), lambda found, at, faults: found["mode"])

SCOPE = Table(
    (
        Key("subscriptions", ListOf(GUID), else_="management_groups must be there"),
        Key("management_groups", ListOf(MANAGEMENT_GROUP), else_="subscriptions must be there"),
        Key("mode", choice(Mode), "observe"),
        Key("exclude_resource_groups", ListOf(GROUP_GLOB, if_empty=None), []),
        Key("drill_resource_groups", ListOf(GROUP_GLOB), list(DRILL_GROUPS)),
        Key("subscription", Named(GUID, SUBSCRIPTION), {}),
    ),
    build_scope,
    check_scope,
)

TAGS = Table(
    (
        Key("policy", TAG_NAME, "backup"),
        Key("opt_out", ListOf(TAG_VALUE, if_empty=None), ["off", "none"]),
    ),
    _as_read(Tags),
)

RULE = Table(
    (
        Key("policy", POLICY_NAME),
        Key("tag", ListOf(GLOB, single=True, if_empty=ANY), else_="any VM, tag or no tag"),
        Key("other_tags", Named(TAG_NAME, GLOB), {}),
        Key("resource_groups", ListOf(GROUP_GLOB, if_empty=ANY), else_="any"),
        Key("subscriptions", ListOf(GUID, if_empty=ANY), else_="any in scope"),
        Key("locations", ListOf(LOCATION_GLOB, if_empty=ANY), else_="any"),
        Key("restored_copies", flag(), False),
    ),
    build_rule,
)

KEEP = Table(
    (
        Key("daily", _kept("daily"), else_="none; needed unless the schedule is weekly"),
        Key("weekly", _kept("weekly"), else_="none; needed where the schedule is weekly"),
        Key("monthly", _kept("monthly"), else_="none"),
        Key("yearly", _kept("yearly"), else_="none"),
        Key("day", WEEKDAY, else_="Sunday, or the first day of a weekly schedule without it"),
    ),
    _as_read(dict),
)

POLICY = Table(
    (
        Key("kind", choice(PolicyKind), "standard"),
        Key("schedule", SCHEDULE),
        Key("time_zone", TIME_ZONE, "UTC"),
        Key(
            "snapshots",
            duration(DAY, SNAPSHOT_DAYS[PolicyKind.ENHANCED][-1] * DAY),
            else_="2 days; 5 days where the kind is standard and the schedule weekly",
        ),
        Key("keep", KEEP),
    ),
    build_policy,
    check_policy,
)

VAULTS = Table(
    (
        Key("name", VAULT_PATTERN, "rsv-{subscription}-{region}-{n}"),
        Key("resource_group", GROUP_PATTERN, "rg-backup-{region}"),
        Key("create", flag(), False),
        Key("redundancy", choice(Redundancy), "geo"),
        Key("use", Named(GUID, Made(Named(LOCATION, VAULT), build_vaults_of)), {}),
    ),
    build_vaults,
)

LIMITS = Table(
    (
        Key("changes_per_hour", number(0, 1_000, "changes"), 50),
        Key("enables_per_hour", number(1, 10_000, "VMs"), else_="no cap"),
        Key("max_shrink", percent(), "20 %"),
        Key("configures_per_vault_per_day", number(1, 1_000, "VMs"), 1_000),
        Key("vms_per_vault", number(1, VMS_PER_VAULT, "VMs"), VMS_PER_VAULT),
    ),
    _as_read(Limits),
)

PROTECT = Table(
    (
        Key("on_stopped", choice(OnStopped), "report"),
        Key("on_soft_deleted", choice(OnSoftDeleted), "report"),
        Key("agent_wait", duration(timedelta(minutes=5), timedelta(days=2)), "2 hours"),
    ),
    _as_read(Protect),
)

# What stands at the top of the file.
SECTIONS = (
    Key("scope", SCOPE),
    Key("tags", TAGS, {}),
    Key("rules", Many(RULE, "has no rule: nothing would ever be protected", check_order)),
    Key("policies", Named(POLICY_NAME, POLICY)),
    Key("vaults", VAULTS, {}),
    Key("limits", LIMITS, {}),
    Key("protect", PROTECT, {}),
    Key("drills", DRILLS, else_="no restore test is planned"),
    Key("mail", MAIL, else_="nobody is told anything"),
)
