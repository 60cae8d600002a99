"""Names and ids as Azure takes them, checked before anything is sent."""

import re
from string import Formatter

from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.settings.faults import Unfit, did_you_mean
from vmbackup_core.settings.forms import Leaf
from vmbackup_core.settings.words import (
    parse_blackout,
    parse_schedule,
    parse_time,
    parse_time_zone,
    parse_weekday,
)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]")
LONGEST_SCRIPT = 16 * 1024
_LONGEST = {"subscription": "01234567", "region": "germanywestcentralx2", "n": "99"}


def parse_guid(text: str) -> str:
    """Return an id of eight-four-four-four-twelve hex digits in lower case."""
    if _GUID.fullmatch(text.strip().lower()) is None:
        raise Unfit(f'"{text}" is no id', "it looks like 00000000-0000-0000-0000-000000000000")
    return text.strip().lower()


def _parse_glob(text: str) -> str:
    """Check a glob with `*`, `?` and `[…]`."""
    if not text or text != text.strip():
        raise Unfit(f'"{text}" is empty or has blanks at an end', "remove the blanks")
    if re.sub(r"\[!?\]?[^\]]*\]", "", text).count("["):
        raise Unfit(f'"{text}" has a "[" that is never closed', 'write "[[]" for the sign itself')
    return text


def _parse_group_glob(text: str) -> str:
    if "/" in text:
        raise Unfit(f'"{text}" is no resource group\'s name', "give the name, not the id")
    return _parse_glob(text)


def _parse_tier_name(text: str) -> str:
    if re.fullmatch(r"\w[\w -]{0,38}\w|\w", text) is None:
        raise Unfit(f'"{text}" is no name', "1 to 40 letters, digits, hyphens and blanks")
    return text


def _parse_size(text: str) -> str:
    """Check a VM size's name by its looks; whether a region has it is known there."""
    if re.fullmatch(r"(Standard|Basic)_[A-Za-z0-9]+([_-][A-Za-z0-9]+)*", text) is None:
        raise Unfit(f'"{text}" is no VM size', 'write it as Azure does, such as "Standard_D2s_v5"')
    return text


def _parse_check_name(text: str) -> str:
    """Check a name that a managed run command in the copy can bear."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,38}[A-Za-z0-9]|[A-Za-z]", text) is None:
        raise Unfit(f'"{text}" is no name for a check', "1 to 40 letters, digits and hyphens")
    return text


def _parse_script(text: str) -> str:
    """Check a script; Azure takes far longer ones, and those belong into the VM."""
    if not text.strip():
        raise Unfit("is empty", "without a check to run, remove it")
    if len(text.encode()) > LONGEST_SCRIPT:
        kilobytes = LONGEST_SCRIPT // 1024
        raise Unfit("is too long", f"up to {kilobytes} KB; let it call what lies in the VM")
    return text


def _parse_currency(text: str) -> str:
    if re.fullmatch(r"[A-Z]{3}", text) is None:
        raise Unfit(f'"{text}" is no currency', 'three capital letters such as "EUR"')
    return text


def _parse_location_glob(text: str) -> str:
    if " " in text.strip():
        short = text.replace(" ", "").lower()
        raise Unfit(f'"{text}" is a display name', f'write the name that Azure uses: "{short}"')
    return _parse_glob(text).lower()


def _parse_location(text: str) -> str:
    if re.fullmatch(r"[a-z0-9]+", text.lower()) is None:
        short = re.sub(r"[^a-z0-9]", "", text.lower())
        raise Unfit(f'"{text}" is no location', f'did you mean "{short}"?' if short else "")
    return text.lower()


def _parse_tag_name(text: str) -> str:
    """Check a tag's name: at most 512 characters, none of `<>%&\\?/` (Azure's rules for tags)."""
    if not text.strip() or len(text) > 512 or re.search(r"[<>%&\\?/]", text):
        raise Unfit(f'"{text}" is no name for a tag', "up to 512 characters, none of <>%&\\?/")
    return text


def _parse_policy_name(text: str) -> str:
    """Check a policy's name (Azure's naming rules: 3-150, letters, digits and hyphens)."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,148}[A-Za-z0-9]", text) is None:
        raise Unfit(
            f'"{text}" is no name for a policy',
            "3 to 150 letters, digits and hyphens, a letter first, no hyphen last",
        )
    return text


def _parse_management_group(text: str) -> str:
    if re.fullmatch(r"[\w().-]{1,90}", text) is None:
        raise Unfit(f'"{text}" is no management group\'s id', "give the id, not the display name")
    return text


def _parse_vault_pattern(text: str) -> str:
    """Check a pattern for vaults' names (Azure: 2-50, letters, digits, hyphens; a letter first)."""
    longest = _fill(text, tuple(_LONGEST))
    if len(longest) > 50:
        raise Unfit(
            f'"{text}" makes names of up to {len(longest)} characters',
            "Azure takes 50; {subscription} takes 8, {region} up to 20, {n} 2",
        )
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]+", longest) is None:
        raise Unfit(f'"{text}" makes no name for a vault', "letters, digits and hyphens")
    return text


def _parse_group_pattern(text: str) -> str:
    if _GROUP.fullmatch(_fill(text, ("subscription", "region"))) is None:
        raise Unfit(f'"{text}" makes no name for a resource group', 'such as "rg-backup-{region}"')
    return text


def _fill(pattern: str, words: tuple[str, ...]) -> str:
    """Put the longest words into a pattern; raises Unfit where it names others."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(pattern) if field is not None]
    except ValueError:
        raise Unfit(f'"{pattern}" has a brace that is never closed') from None
    for field in fields:
        if field not in words:
            raise Unfit(f'"{pattern}" has an unknown {{{field}}}', did_you_mean(field, words))
    return pattern.format_map(_LONGEST)


def parse_vault(text: str, subscription: str) -> VaultId:
    """Read a vault of one subscription: "resource-group/name" or its whole id."""
    if re.fullmatch(r"[\w().-]+/[A-Za-z][A-Za-z0-9-]+", text):
        group, name = text.lower().split("/")
        return VaultId(subscription, group, name)
    try:
        vault = VaultId.parse(text)
    except Malformed:
        raise Unfit(f'"{text}" names no vault', 'write "resource-group/name" or its id') from None
    if vault.subscription != subscription:
        raise Unfit(
            f'"{text}" is in subscription {vault.subscription}',
            "Azure protects a VM only in a vault of its own subscription",
        )
    return vault


GUID = Leaf("a subscription's id", parse_guid)
GLOB = Leaf('a value, in which "*" and "?" stand for others', _parse_glob)
GROUP_GLOB = Leaf('a resource group, in which "*" and "?" stand for others', _parse_group_glob)
LOCATION_GLOB = Leaf('a location such as "westeurope"', _parse_location_glob)
LOCATION = Leaf('a location such as "westeurope"', _parse_location)
TAG_NAME = Leaf("a tag's name", _parse_tag_name)
TAG_VALUE = Leaf("a tag's value", str)
POLICY_NAME = Leaf("a policy's name", _parse_policy_name)
MANAGEMENT_GROUP = Leaf("a management group's id", _parse_management_group)
VAULT_PATTERN = Leaf("a pattern with {subscription}, {region} and {n}", _parse_vault_pattern)
GROUP_PATTERN = Leaf("a pattern with {subscription} and {region}", _parse_group_pattern)
VAULT = Leaf('"resource-group/name" or a vault\'s id', str)
SCHEDULE = Leaf(
    '"daily at 22:00", "weekly on Sunday at 22:00" or "every 4 hours from 06:00 for 12 hours"',
    parse_schedule,
)
TIME_ZONE = Leaf('"UTC", a Windows or an IANA name', parse_time_zone)
WEEKDAY = Leaf("a day of the week", parse_weekday)
TIME = Leaf("a time of day such as 22:30", parse_time)
BLACKOUT = Leaf('a day of the week, a date, or "2030-12-20 to 2031-01-06"', parse_blackout)
POLICY_GLOB = Leaf('a policy, in which "*" and "?" stand for others', _parse_glob)
TIER_NAME = Leaf("a short name", _parse_tier_name)
SIZE = Leaf('a VM size such as "Standard_D2s_v5"', _parse_size)
CHECK_NAME = Leaf("a name of letters, digits and hyphens", _parse_check_name)
SCRIPT = Leaf("a script, in one text of several lines", _parse_script)
CURRENCY = Leaf('three letters such as "EUR"', _parse_currency)
