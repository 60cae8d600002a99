"""
The section `[drills]`: what restore tests are to prove, and how much of a night they may take.

Optional: without it no restore test is planned.
"""

from datetime import timedelta
from typing import Any

from vmbackup_core.domain.drills import DrillRules, Tier
from vmbackup_core.domain.points import Strategy
from vmbackup_core.domain.schedules import DAY, HOUR
from vmbackup_core.settings.building import Found, check_order
from vmbackup_core.settings.faults import Faults
from vmbackup_core.settings.forms import (
    FAILED,
    Key,
    ListOf,
    Many,
    Table,
    choice,
    duration,
    number,
)
from vmbackup_core.settings.lines import Path
from vmbackup_core.settings.names import BLACKOUT, GLOB, POLICY_GLOB, TIER_NAME, TIME
from vmbackup_core.settings.words import spell_duration

_ANY = "leave it out to match any"


def _check_tier(found: Found, at: Path, faults: Faults) -> None:
    """Note a tier without the RPO that a strategy needs, or with one that none looks at."""
    strategies, rpo = found["strategies"], found["rpo"]
    if FAILED in (strategies, rpo):
        return
    needed = Strategy.LATEST_WITHIN_RPO in strategies
    if needed and rpo is None:
        hint = f'say how old the latest point may be, for "{Strategy.LATEST_WITHIN_RPO}"'
        faults.add((*at, "rpo"), "missing", hint)
    if rpo is not None and not needed:
        hint = f'add "{Strategy.LATEST_WITHIN_RPO}" to strategies, or remove it'
        faults.add((*at, "rpo"), "has no effect: no strategy looks at it", hint)


def _build_tier(found: Found, at: Path, faults: Faults) -> Any:
    if found["max_age"] % DAY:
        hint = "proofs are counted in nights"
        faults.add((*at, "max_age"), "is not a whole number of days", hint)
        return FAILED
    return Tier(
        found["name"],
        found["max_age"],
        found["strategies"],
        found["tag"] or (),
        found["policies"] or (),
        found["rpo"],
    )


def _check_tiers(tiers: list[Any], at: Path, faults: Faults) -> None:
    """Note two tiers of one name, and a tier that can never win."""
    seen = set[str]()
    for place, tier in enumerate(tiers):
        if tier is FAILED:
            continue
        if tier.name.lower() in seen:
            faults.add((*at, place, "name"), f'is "{tier.name}" once more', "rename one")
        seen.add(tier.name.lower())
    check_order(tiers, at, faults, word="tier")


def _build_drills(found: Found, at: Path, faults: Faults) -> Any:
    rules = DrillRules(**found)
    before = len(faults.found)
    if rules.takes > rules.lasts:
        hint = f"a restore test takes {spell_duration(rules.takes)}: lengthen it, or lower takes"
        faults.add((*at, "lasts"), "is too short for a single restore test", hint)
    if rules.failed_again % DAY:
        hint = "tests are planned night by night"
        faults.add((*at, "failed_again"), "is not a whole number of days", hint)
    if not rules.weekdays:
        faults.add((*at, "blackout"), "leaves no night of the week", "leave out one of its days")
    return FAILED if len(faults.found) > before else rules


TIER = Table(
    (
        Key("name", TIER_NAME),
        Key("tag", ListOf(GLOB, single=True, if_empty=_ANY), else_="any VM, tag or no tag"),
        Key("policies", ListOf(POLICY_GLOB, single=True, if_empty=_ANY), else_="any"),
        Key("max_age", duration(2 * DAY, 366 * DAY)),
        Key("strategies", ListOf(choice(Strategy)), ["latest", "vault", "random", "oldest"]),
        Key("rpo", duration(HOUR, 366 * DAY), else_='none; needed by "latest-within-rpo"'),
    ),
    _build_tier,
    _check_tier,
)

DRILLS = Table(
    (
        Key("tiers", Many(TIER, "has no tier: nothing would ever be tested", _check_tiers)),
        Key("begins", TIME, "01:00"),
        Key("lasts", duration(HOUR, 24 * HOUR), "6 hours"),
        Key("takes", duration(timedelta(minutes=10), 24 * HOUR), "2 hours"),
        Key("per_night", number(1, 1_000, "restore tests"), 10),
        Key("at_once", number(1, 50, "restore tests"), 2),
        Key("failed_again", duration(DAY, 30 * DAY), "2 days"),
        Key("blackout", ListOf(BLACKOUT, if_empty=None), []),
    ),
    _build_drills,
)
