"""
The section `[drills]`: what restore tests are to prove, and how much of a night they may take.

Optional: without it no restore test is planned.
"""

import json
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from vmbackup_core.domain.drill.cost import Prices
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import CheckRule, DrillRules, Tier
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.schedules import DAY, HOUR
from vmbackup_core.settings.building import Found, check_order
from vmbackup_core.settings.faults import Faults
from vmbackup_core.settings.forms import (
    FAILED,
    Amount,
    Key,
    ListOf,
    Many,
    Named,
    Table,
    choice,
    duration,
    duration_or_never,
    flag,
    number,
    percent,
)
from vmbackup_core.settings.lines import Path
from vmbackup_core.settings.names import (
    BLACKOUT,
    CHECK_NAME,
    CURRENCY,
    GLOB,
    POLICY_GLOB,
    SCRIPT,
    SIZE,
    TAG_NAME,
    TIER_NAME,
    TIME,
)
from vmbackup_core.settings.words import spell_duration

MINUTE = timedelta(minutes=1)
# Characters of JSON. An order has the scripts of all its checks, and stands with all else that its
# run writes down in one row of the ledger, which holds 1 MiB at two bytes a character (documented).
# It also travels with every turn, and a whole night's at once in the plan of the night.
MOST_SCRIPTS = 200_000
_ANY = "leave it out to match any"


class RungName(Enum):
    """The rungs as they are written."""

    POINT = "point"
    DISKS = "disks"
    BOOT = "boot"
    CHECKS = "checks"
    CANARY = "canary"


class System(Enum):
    """The operating systems as they are written; their names are Azure's own words."""

    Linux = "linux"
    Windows = "windows"


def _check_tier(found: Found, at: Path, faults: Faults) -> None:
    """Note a tier without the RPO that a strategy needs."""
    strategies, rpo = found["strategies"], found["rpo"]
    if FAILED in (strategies, rpo):
        return
    if Strategy.LATEST_WITHIN_RPO in strategies and rpo is None:
        hint = f'say how old the latest point may be, for "{Strategy.LATEST_WITHIN_RPO}"'
        faults.add((*at, "rpo"), "missing", hint)


def _build_tier(found: Found, at: Path, faults: Faults) -> Any:
    if found["max_age"] % DAY:
        hint = "proofs are counted in nights"
        faults.add((*at, "max_age"), "is not a whole number of days", hint)
        return FAILED
    return Tier(
        name=found["name"],
        max_age=found["max_age"],
        strategies=found["strategies"],
        values=found["tag"] or (),
        policies=found["policies"] or (),
        rpo=found["rpo"],
        rto=found["rto"],
        rung=Rung[found["rung"].name],
        egress=found["egress"],
    )


def _check_tiers(tiers: list[Any], at: Path, faults: Faults) -> None:
    """Note two tiers of one name, and a tier that can never win."""
    _check_names(tiers, at, faults, lambda tier: tier.name)
    check_order(tiers, at, faults, word="tier")


def _check_checks(checks: list[Any], at: Path, faults: Faults) -> None:
    _check_names(checks, at, faults, lambda rule: rule.check.name)
    scripts = (rule.check.script for rule in checks if rule is not FAILED)
    if (together := sum(len(json.dumps(script)) for script in scripts)) > MOST_SCRIPTS:
        hint = f"up to {MOST_SCRIPTS:,}; let them call what lies in the VM"
        faults.add(at, f"have scripts of {together:,} characters together, as JSON", hint)


def _check_names(things: list[Any], at: Path, faults: Faults, name_of: Any) -> None:
    seen = set[str]()
    for place, thing in enumerate(things):
        if thing is FAILED:
            continue
        name = name_of(thing)
        if name.lower() in seen:
            faults.add((*at, place, "name"), f'is "{name}" once more', "rename one")
        seen.add(name.lower())


def _build_check(found: Found, at: Path, faults: Faults) -> Any:
    check = GuestCheck(found["name"], found["os"].name, found["script"], found["timeout"])
    return CheckRule(check, found["other_tags"])


def _build_prices(found: Found, at: Path, faults: Faults) -> Any:
    return Prices(found["per_vcpu_hour"], found["per_gb_month"], found["currency"])


def _build_drills(found: Found, at: Path, faults: Faults) -> Any:
    rules = DrillRules(
        **{
            **found,
            "checks": found["checks"] or (),
            "memory_share": found["memory_share"] / 100,
            "free_quota": found["free_quota"] / 100,
        }
    )
    before = len(faults.found)
    if rules.takes > rules.lasts:
        hint = f"a restore test takes {spell_duration(rules.takes)}: lengthen it, or lower takes"
        faults.add((*at, "lasts"), "is too short for a single restore test", hint)
    if rules.failed_again % DAY:
        hint = "tests are planned night by night"
        faults.add((*at, "failed_again"), "is not a whole number of days", hint)
    if not rules.weekdays:
        faults.add((*at, "blackout"), "leaves no night of the week", "leave out one of its days")
    if rules.cost_per_night is not None and rules.prices is None:
        hint = "add [drills.prices]: Azure's prices are not asked for"
        faults.add((*at, "cost_per_night"), "cannot be kept without prices", hint)
    for place, tier in enumerate(rules.tiers):
        if tier.rung >= Rung.CHECKS and not rules.checks:
            hint = 'add [[drills.checks]], or ask for "boot"'
            faults.add((*at, "tiers", place, "rung"), "asks for checks, and there are none", hint)
    return FAILED if len(faults.found) > before else rules


TIER = Table(
    (
        Key("name", TIER_NAME),
        Key("tag", ListOf(GLOB, single=True, if_empty=_ANY), else_="any VM, tag or no tag"),
        Key("policies", ListOf(POLICY_GLOB, single=True, if_empty=_ANY), else_="any"),
        Key("max_age", duration(2 * DAY, 366 * DAY)),
        Key("rung", choice(RungName), "boot"),
        Key("strategies", ListOf(choice(Strategy)), ["latest", "vault", "random", "oldest"]),
        Key("rpo", duration(HOUR, 366 * DAY), else_='none; needed by "latest-within-rpo"'),
        Key("rto", duration(MINUTE, 30 * DAY), else_="none"),
        Key("egress", flag(), False),
    ),
    _build_tier,
    _check_tier,
)

CHECK = Table(
    (
        Key("name", CHECK_NAME),
        Key("os", choice(System)),
        Key("script", SCRIPT),
        Key("timeout", duration(MINUTE, HOUR), "5 minutes"),
        Key("other_tags", Named(TAG_NAME, GLOB), {}),
    ),
    _build_check,
)

PRICES = Table(
    (
        Key("currency", CURRENCY),
        Key("per_vcpu_hour", Amount(Decimal(0), "a price")),
        Key("per_gb_month", Amount(Decimal(0), "a price")),
    ),
    _build_prices,
)

DRILLS = Table(
    (
        Key("tiers", Many(TIER, "has no tier: nothing would ever be tested", _check_tiers)),
        Key("begins", TIME, "01:00"),
        Key("lasts", duration(HOUR, 24 * HOUR), "6 hours"),
        Key("takes", duration(10 * MINUTE, 24 * HOUR), "2 hours"),
        Key("per_night", number(1, 1_000, "restore tests"), 10),
        Key("at_once", number(1, 50, "restore tests"), 2),
        Key("failed_again", duration(DAY, 30 * DAY), "2 days"),
        Key("blackout", ListOf(BLACKOUT, if_empty=None), []),
        Key("power_on", duration(10 * MINUTE, 4 * HOUR), "60 minutes"),
        Key("keep_failed", duration(0 * MINUTE, 24 * HOUR), "0 minutes"),
        Key("sizes", ListOf(SIZE, if_empty=None), []),
        Key("memory_share", percent(), "50 %"),
        Key("free_quota", percent(), "20 %"),
        Key("cost_per_night", Amount(Decimal("0.01"), "an amount"), else_="no limit"),
        Key("prices", PRICES, else_="none: nothing is estimated"),
        Key("control_every", duration_or_never(DAY, 366 * DAY), "7 days"),
        Key("cap_tag", TAG_NAME, "drill"),
        Key("rto_tag", TAG_NAME, "rto"),
        Key("checks", Many(CHECK, "has no check", _check_checks), else_="none"),
    ),
    _build_drills,
)
