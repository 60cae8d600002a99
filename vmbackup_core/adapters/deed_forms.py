"""
How something that the app can do is written down as a request, for the last gate to compare.

What a path is made of is here too: both tables (deeds.py, slot_deeds.py) speak of the same things.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vmbackup_core.domain.drill.slots import PREFIX

Found = re.Match[str]
BodyRule = Callable[[Found, Any], str]


class Host(StrEnum):
    """What answers at a host that the app may talk to."""

    ARM = "Azure Resource Manager"
    TABLES = "the app's tables"
    BLOBS = "the app's blobs"
    STAGING = "a staging account's blobs"
    LOGS = "the query service of Log Analytics"
    EMAIL = "the mail service"
    READ_ONLY = "a place to read from"


class Identity(StrEnum):
    """Who we are to Azure; each may do its own deeds and no other's."""

    READER = "reader"  # Only looks.
    PROTECTOR = "protector"  # Protects, and keeps the app's own state.
    RESTORER = "restorer"  # Makes and removes, in slots alone.


@dataclass(frozen=True, slots=True)
class Deed:
    """
    One thing that the app can do, as the identity `who`; what `reads` changes nothing, and all may.

    `path` matches the decoded path as a whole and without case; `query` are the parameters that may
    go with it, with the values they must have; `headers` (in lower case) are those that must, with
    theirs, and `may_bear` those that may beside the usual ones. `body` says what is wrong with the
    JSON body (whose keys are in lower case), "" when nothing is. What `creates` may only be made
    where it was just seen to be missing.
    """

    what: str
    host: Host
    methods: tuple[str, ...]
    path: str
    query: Mapping[str, str]
    body: BodyRule | None = None
    creates: bool = False
    reads: bool = False
    who: Identity = Identity.PROTECTOR
    headers: Mapping[str, str] = field(default_factory=dict)
    may_bear: tuple[str, ...] = ()

    def match(self, host: Host, method: str, path: str) -> Found | None:
        if host is not self.host or method not in self.methods:
            return None
        return re.fullmatch(self.path, path, re.IGNORECASE | re.ASCII)


# What a path is made of. A name never contains what could end or split a segment.
NAME = r"[^/;?#%\\\s\x00-\x1f]*[^/;?#%\\\s\x00-\x1f.]"
SUBSCRIPTION = r"/subscriptions/(?P<subscription>[0-9a-f-]{36})"
_OUTSIDE = rf"(?!{PREFIX}-)"  # What lies in slots and beside them is never protected or made so.
GROUP = rf"{SUBSCRIPTION}/resourceGroups/(?P<group>{_OUTSIDE}{NAME})"
VAULT = rf"{GROUP}/providers/Microsoft\.RecoveryServices/vaults/(?P<vault>[a-z][a-z0-9-]+)"
ITEM = (
    rf"{VAULT}/backupFabrics/Azure"
    r"/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;"
    rf"(?P<vm_group>{_OUTSIDE}{NAME});(?P<vm>{NAME})"
    r"/protectedItems/vm;iaasvmcontainerv2;(?P=vm_group);(?P=vm)"
)


def keys(node: Any, allowed: set[str], where: str) -> str:
    """Return what `node` has that it must not, "" where it is an object of `allowed` keys."""
    if not isinstance(node, dict):
        return f"{where} is no object"
    unknown = sorted(set(node) - allowed)
    return f"{where} holds {', '.join(unknown)}" if unknown else ""
