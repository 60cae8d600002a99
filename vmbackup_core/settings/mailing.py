"""
The section `[mail]`: who is told of failed and missing backups, when, and when not.

Optional: without it nobody is told anything.
"""

from typing import Any

from vmbackup_core.domain.schedules import DAY, HOUR, Daily, Hourly, Weekly
from vmbackup_core.domain.telling.mail_rules import MailRules, RpoRule
from vmbackup_core.domain.telling.maintenance import Maintenance
from vmbackup_core.domain.telling.routing import Copy, Route, Routing, Selector, address_fault
from vmbackup_core.domain.telling.tellings import Folding, Rhythm
from vmbackup_core.settings.building import Found, check_order
from vmbackup_core.settings.drilling import MINUTE
from vmbackup_core.settings.faults import Faults, Unfit
from vmbackup_core.settings.forms import (
    FAILED,
    Key,
    Leaf,
    ListOf,
    Many,
    Named,
    Table,
    choice,
    duration,
    duration_or_never,
    number,
)
from vmbackup_core.settings.lines import Path
from vmbackup_core.settings.names import (
    BLACKOUT,
    GLOB,
    GROUP_GLOB,
    GUID,
    POLICY_GLOB,
    TAG_NAME,
    TIER_NAME,
    TIME,
)
from vmbackup_core.settings.words import parse_schedule

_ANY = "leave it out to match any"
_NOBODY = "names no VMs"


def _parse_address(text: str) -> str:
    if why := address_fault(text):
        raise Unfit(f'"{text}" {why}', 'write it like "team@example.com", without a name')
    return text


def _parse_domain(text: str) -> str:
    if address_fault(f"a@{text}"):
        raise Unfit(f'"{text}" is no domain', 'write what stands after the @: "example.com"')
    return text.lower()


def _parse_digest(text: str) -> Daily | Weekly | None:
    if text == "never":
        return None
    schedule = parse_schedule(text)
    if isinstance(schedule, Hourly):
        raise Unfit(f'"{text}" is too often', "daily or weekly")
    return schedule


ADDRESS = Leaf("an e-mail address", _parse_address)
DOMAIN = Leaf('a domain such as "example.com"', _parse_domain)
DIGEST = Leaf('"daily at 07:00", "weekly on Monday at 07:00" or "never"', _parse_digest)

_SELECTOR = (
    Key("tags", Named(TAG_NAME, GLOB), {}),
    Key("policies", ListOf(POLICY_GLOB, single=True, if_empty=_ANY), else_="any"),
    Key("subscriptions", ListOf(GUID, if_empty=_ANY), else_="any in scope"),
    Key("resource_groups", ListOf(GROUP_GLOB, single=True, if_empty=_ANY), else_="any"),
)


def _selector(found: Found) -> Selector:
    return Selector(
        found["tags"],
        found["policies"] or (),
        found["subscriptions"] or (),
        found["resource_groups"] or (),
    )


def _build_route(found: Found, at: Path, faults: Faults) -> Any:
    route = Route(_selector(found), found["to"])
    if route.selector == Selector():
        faults.add(at, _NOBODY, "add tags, policies, subscriptions or resource_groups, or use to")
        return FAILED
    return route


def _build_target(found: Found, at: Path, faults: Faults) -> Any:
    return RpoRule(_selector(found), found["rpo"])


def _build_maintenance(found: Found, at: Path, faults: Faults) -> Any:
    return Maintenance(
        found["name"], found["on"], found["begins"], found["lasts"], _selector(found)
    )


def _no_check(things: list[Any], at: Path, faults: Faults) -> None:
    """Let any order be: all that fit count."""


def _check_targets(targets: list[Any], at: Path, faults: Faults) -> None:
    check_order(targets, at, faults, word="target")


def _check_windows(windows: list[Any], at: Path, faults: Faults) -> None:
    seen = set[str]()
    for place, window in enumerate(windows):
        if window is FAILED:
            continue
        if window.name.lower() in seen:
            faults.add((*at, place, "name"), f'is "{window.name}" once more', "rename one")
        seen.add(window.name.lower())


def _build_mail(found: Found, at: Path, faults: Faults) -> Any:
    return MailRules(
        routing=Routing(
            default=found["to"],
            escalation=found["escalate_to"] or (),
            routes=found["routes"] or (),
            owner_tag=found["owner_tag"],
            domains=found["domains"],
            copy=found["copy"],
        ),
        rhythm=Rhythm(found["remind_every"], found["escalate_after"]),
        folding=Folding(found["fold_at"], found["fold_within"], found["gather"]),
        owner_digest=found["owner_digest"],
        alive_at=found["alive_at"],
        rpos=found["targets"] or (),
        maintenance=found["maintenance"] or (),
    )


ROUTE = Table((Key("to", ListOf(ADDRESS, single=True)), *_SELECTOR), _build_route)

TARGET = Table((Key("rpo", duration(HOUR, 366 * DAY)), *_SELECTOR), _build_target)

MAINTENANCE = Table(
    (
        Key("name", TIER_NAME),
        Key("on", ListOf(BLACKOUT, single=True)),
        Key("begins", TIME),
        Key("lasts", duration(10 * MINUTE, DAY)),
        *_SELECTOR,
    ),
    _build_maintenance,
)

MAIL = Table(
    (
        Key("to", ListOf(ADDRESS, single=True)),
        Key("escalate_to", ListOf(ADDRESS, single=True), else_="nobody more"),
        Key("owner_tag", TAG_NAME, "backup-owner"),
        Key("domains", ListOf(DOMAIN, if_empty=None), []),
        Key("copy", choice(Copy), "mail"),
        Key("remind_every", duration_or_never(HOUR, 30 * DAY), "24 hours"),
        Key("escalate_after", duration_or_never(HOUR, 90 * DAY), "3 days"),
        Key("fold_at", number(2, 1_000, "VMs"), 5),
        Key("fold_within", duration(HOUR, 7 * DAY), "12 hours"),
        Key("gather", duration(0 * MINUTE, 4 * HOUR), "30 minutes"),
        Key("owner_digest", DIGEST, "weekly on Monday at 07:00"),
        Key("alive_at", TIME, "07:00"),
        Key("routes", Many(ROUTE, "has no route", _no_check), else_="none"),
        Key("targets", Many(TARGET, "has no target", _check_targets), else_="by each schedule"),
        Key("maintenance", Many(MAINTENANCE, "has no window", _check_windows), else_="none"),
    ),
    _build_mail,
)
