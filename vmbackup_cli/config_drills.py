"""The drill plan in force, as `vmbackup config show` writes it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from vmbackup_cli.words import number
from vmbackup_core.app.codec import to_json
from vmbackup_core.domain.drill.rules import DrillRules

type Pairs = list[tuple[str, object]]


def drills_json(drills: DrillRules) -> dict[str, Any]:
    """Return it as JSON; spans in seconds."""
    return {
        "begins": drills.begins.isoformat("minutes"),
        "lasts": drills.lasts.total_seconds(),
        "takes": drills.takes.total_seconds(),
        "per_night": drills.per_night,
        "at_once": drills.at_once,
        "failed_again": drills.failed_again.total_seconds(),
        "blackout": [str(one) for one in drills.blackout],
        "power_on": drills.power_on.total_seconds(),
        "keep_failed": drills.keep_failed.total_seconds(),
        "sizes": list(drills.sizes),
        "memory_share": drills.memory_share,
        "free_quota": drills.free_quota,
        "cost_per_night": _amount(drills.cost_per_night),
        "prices": drills.prices
        and {
            "currency": drills.prices.currency,
            "per_vcpu_hour": _amount(drills.prices.vcpu_hour),
            "per_gb_month": _amount(drills.prices.gb_month),
        },
        "control_every": drills.control_every and drills.control_every.total_seconds(),
        "cap_tag": drills.cap_tag,
        "rto_tag": drills.rto_tag,
        "tiers": [to_json(tier) | {"rung": tier.rung.name.lower()} for tier in drills.tiers],
        "checks": [to_json(rule) for rule in drills.checks],
    }


def _amount(amount: Decimal | None) -> str | None:
    """Write an amount as a text, as exactly as it was read."""
    return None if amount is None else str(amount)


def drill_sections(drills: DrillRules) -> Iterator[tuple[str, Pairs]]:
    """Yield each section of it as it would be written; of a script, how long it is."""
    yield (
        "drills",
        [
            ("begins", drills.begins.isoformat("minutes")),
            ("lasts", drills.lasts),
            ("takes", drills.takes),
            ("per_night", drills.per_night),
            ("at_once", drills.at_once),
            ("failed_again", drills.failed_again),
            ("blackout", drills.blackout),
            ("power_on", drills.power_on),
            ("keep_failed", drills.keep_failed),
            ("sizes", drills.sizes),
            ("memory_share", f"{drills.memory_share:.0%}"),
            ("free_quota", f"{drills.free_quota:.0%}"),
            ("cost_per_night", drills.cost_per_night),
            ("control_every", drills.control_every or "never"),
            ("cap_tag", drills.cap_tag),
            ("rto_tag", drills.rto_tag),
        ],
    )
    if drills.prices:
        yield (
            "drills.prices",
            [
                ("currency", drills.prices.currency),
                ("per_vcpu_hour", drills.prices.vcpu_hour),
                ("per_gb_month", drills.prices.gb_month),
            ],
        )
    for place, tier in enumerate(drills.tiers, start=1):
        pairs: Pairs = [
            ("tag", tier.values),
            ("policies", tier.policies),
            ("rpo", tier.rpo),
            ("rto", tier.rto),
            ("egress", tier.egress),
        ]
        yield (
            f"drills.tiers {place}",
            [
                ("name", tier.name),
                *((key, value) for key, value in pairs if value),
                ("max_age", tier.max_age),
                ("rung", tier.rung.name.lower()),
                ("strategies", tier.strategies),
            ],
        )
    for place, rule in enumerate(drills.checks, start=1):
        check = rule.check
        tags = tuple(f"{name} = {value}" for name, value in rule.other_tags)
        lines = len(check.script.strip().splitlines())
        yield (
            f"drills.checks {place}",
            [
                ("name", check.name),
                ("os", check.os_type.lower()),
                ("script", number(lines, "line")),
                ("timeout", check.timeout),
                *([("other_tags", tags)] if tags else []),
            ],
        )
