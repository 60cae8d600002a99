"""
How Recovery Services writes values: times, durations, names and the long signed operation URLs.

All forms are as recorded; which form stands in which field is decided by shapes.py.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from azsim.recovery.items import Item
    from azsim.vaults import Vault

NEVER = "0001-01-01T00:00:00"
NO_BACKUP_YET = "2001-01-01T00:00:00Z"


def stamp(at: datetime) -> str:
    """Write a time with .NET's seven fractional digits, trailing zeros cut as the service does."""
    fraction = f"{at.microsecond:06d}{(at.microsecond * 7 + 3) % 10 if at.microsecond else 0}"
    fraction = fraction.rstrip("0")
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def iso_duration(span: timedelta) -> str:
    """Write `PT1H1M15.48S`; nothing negative, `PT0S` for zero."""
    span = max(span, timedelta())
    minutes, seconds = divmod(span.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    text = f"P{days}DT" if days else "PT"
    text += f"{hours}H" if hours else ""
    text += f"{minutes}M" if minutes else ""
    if seconds or not (days or hours or minutes):
        text += f"{seconds:.6f}".rstrip("0").rstrip(".") + "S"
    return text.removesuffix("T")


def net_span(span: timedelta) -> str:
    """Write `13.23:59:42.8656002`, .NET's form of a time span."""
    span = max(span, timedelta())
    hours, rest = divmod(span.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{span.microseconds:06d}0" if span.microseconds else ""
    return f"{span.days}.{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"


def us_time(at: datetime) -> str:
    """Write `5/13/2024 10:28:32 AM`, the form in job property bags."""
    hour = at.hour % 12 or 12
    return f"{at.month}/{at.day}/{at.year} {hour}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"


def signed_query(subject: str) -> str:
    """
    Return the signature that ARM adds to operation URLs: about 1.6 KB, the same for one subject.

    Clients must use such URLs as they are; a shorter URL of the same path is answered as well
    (the Azure CLI cuts the operation id out and asks without signature).
    """
    ticks = 638_000_000_000_000_000 + int.from_bytes(_noise(subject, "t", 7)) % 10**17
    parts = (("c", 880), ("s", 256), ("h", 32))
    signed = "".join(f"&{name}={_base64(_noise(subject, name, size))}" for name, size in parts)
    return f"&t={ticks}{signed}"


def _noise(subject: str, part: str, size: int) -> bytes:
    return hashlib.shake_256(f"{subject}|{part}".encode()).digest(size)


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# models names-lower-cased
def container_name(group: str, machine: str) -> str:
    """Return `iaasvmcontainerv2;rg;vm`: discovery lower-cases the names (AZURE_FACTS 1)."""
    return f"iaasvmcontainerv2;{group};{machine}".lower()


def path_of(resource_id: str) -> str:
    """Return an ARM id as it stands in a URL path."""
    return quote(resource_id, safe="/;")


def container_id(vault: "Vault", name: str) -> str:
    return f"{vault.id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{name}"


def item_id(vault: "Vault", item: "Item") -> str:
    return f"{container_id(vault, item.container)}/protectedItems/VM;{item.container}"
