"""How times, spans and steps are said to a person."""

from datetime import datetime, timedelta
from typing import assert_never

from vmbackup_core.domain.plans import (
    ChangePolicy,
    ConfirmProtection,
    CreatePolicy,
    CreateVault,
    EnableProtection,
    RefreshContainers,
    ResumeProtection,
    Step,
    Undelete,
)

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def at(moment: datetime) -> str:
    """Say a moment, in UTC and to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def span(duration: timedelta) -> str:
    """Say a duration in its two largest units: `1 hour 30 minutes`."""
    seconds = max(0, round(duration.total_seconds()))
    words = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            words.append(number(count, unit))
        elif words:
            break
    return " ".join(words[:2]) or "0 seconds"


def short_span(duration: timedelta) -> str:
    """Say a duration for a table's column: `2 h 28 min`, `3 d 4 h`, `45 s`."""
    words = span(duration)
    for unit, short in (("day", "d"), ("hour", "h"), ("minute", "min"), ("second", "s")):
        words = words.replace(f" {unit}s", f" {short}").replace(f" {unit}", f" {short}")
    return words


def number(count: int, thing: str, things: str = "") -> str:
    """Say how many: `1 VM`, `2 VMs`."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def say_step(step: Step) -> str:
    """Say what a step would do, in one line."""
    match step:
        case CreateVault(vault, location, redundancy):
            return f"create vault {vault.name} in {location} ({redundancy})"
        case CreatePolicy(vault, policy):
            return f"create policy {policy.name} in {vault.name} ({policy.schedule})"
        case RefreshContainers(vault):
            return f"let {vault.name} look for new VMs"
        case EnableProtection(vault=vault, policy=policy):
            return f"enable backup in {vault.name} with policy {policy}"
        case ChangePolicy(vault=vault, policy=policy):
            return f"change the policy in {vault.name} to {policy}"
        case ResumeProtection(vault=vault, policy=policy):
            return f"resume backup in {vault.name} with policy {policy}"
        case Undelete(vault=vault):
            return f"undelete the backup in {vault.name}"
        case ConfirmProtection(vault=vault, policy=policy):
            return f"confirm backup in {vault.name} with policy {policy}"
        case _:
            assert_never(step)
