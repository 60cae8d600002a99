"""
Who is told: recipients by rule, tag, policy and place, and never only whom a tagger names.

A tag is written by whoever may tag a VM. So its address counts in configured domains only, and the
default recipients learn of every incident too, by copy or digest: a tagger can neither send mail
out of the house nor keep one from being seen.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.rules import allows, covers

MOST_RECIPIENTS = 50  # Of one mail (AZURE: Communication Services Email).
MOST_IN_A_TAG = 10
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?P<domain>[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+)"
)


NO_TAGS = Tags()


class Copy(StrEnum):
    """How the default recipients learn of what others are told."""

    MAIL = "mail"  # Each mail goes to them too.
    DIGEST = "digest"  # They have the digest, and mails that go to nobody else.


def address_fault(address: str) -> str:
    """Return in words why `address` is none that mail is sent to, "" where it is one."""
    if len(address) > 254:
        return "is longer than 254 characters"
    if (found := _ADDRESS.fullmatch(address)) is None:
        return "is no e-mail address"
    if len(address) - len(found["domain"]) - 1 > 64:
        return "is longer than 64 characters before the @"
    return ""


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class VmPlace:
    """What rules for mails look at: a VM's tags, policy and place; ids and names in lower case."""

    subscription: str
    group: str
    policy: str = ""
    tags: Tags = NO_TAGS


@dataclass(frozen=True, slots=True)
class Selector:
    """
    VMs that a rule for mails is about: those that fit everything it names, all where it is empty.

    `other_tags` are pairs of a tag's name (without case) and a glob for its value (as written);
    `policies` and `groups` are globs without case.
    """

    other_tags: tuple[tuple[str, str], ...] = ()
    policies: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def fits(self, place: VmPlace) -> bool:
        return (
            all(allows((glob,), place.tags.get(name)) for name, glob in self.other_tags)
            and allows(_lowered(self.policies), place.policy.lower())
            and allows(self.subscriptions, place.subscription.lower())
            and allows(_lowered(self.groups), place.group.lower())
        )

    def covers(self, other: Self) -> bool:
        """Tell whether this fits every VM that `other` fits, as far as can be seen."""
        theirs = dict(other.other_tags)
        return (
            all(
                name in theirs and covers((glob,), (theirs[name],))
                for name, glob in self.other_tags
            )
            and covers(_lowered(self.policies), _lowered(other.policies))
            and covers(self.subscriptions, other.subscriptions)
            and covers(_lowered(self.groups), _lowered(other.groups))
        )


def _lowered(globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(glob.lower() for glob in globs)


ANY_VM = Selector()


@dataclass(frozen=True, slots=True)
class Route:
    """Recipients for some VMs."""

    selector: Selector
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """
    Who is told of what.

    `default` is never empty. `escalation` are told as well once an incident lasts. All `routes`
    that fit count, and the addresses in the tag `owner_tag` beside them, as far as they are in
    `domains`.
    """

    default: tuple[str, ...]
    escalation: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    owner_tag: str = "backup-owner"
    domains: tuple[str, ...] = ()
    copy: Copy = Copy.MAIL


@dataclass(frozen=True, slots=True, order=True)
class Refused:
    """An address in a tag that gets no mail, and why."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Recipients:
    """
    Who is told of one VM's incidents; `to` is never empty, each address once.

    `owners` are those of them beyond the default ones. `refused` is for the digest.
    """

    to: tuple[str, ...]
    owners: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


def find_recipients(
    place: VmPlace | None, routing: Routing, *, escalated: bool = False
) -> Recipients:
    """Return who is told of a VM's incident, or of one that is no VM's where `place` is None."""
    named, refused = ([], ()) if place is None else _named_by(place, routing)
    escalation = routing.escalation if escalated else ()
    owners = _once(named, but=routing.default)
    direct = owners and routing.copy is Copy.DIGEST
    to = _once([*([] if direct else routing.default), *owners, *escalation])
    return Recipients(to, owners, refused)


def find_others(routing: Routing, address: str) -> Recipients:
    """
    Return who is told that mails to `address` do not arrive: anybody but that address, if possible.

    The default recipients, else whom incidents are escalated to.
    """
    for known in (routing.default, routing.escalation):
        if others := _once(known, but=(address,)):
            return Recipients(others)
    return Recipients(routing.default)


def join_recipients(parts: Iterable[Recipients]) -> Recipients:
    """Return who is told of several VMs at once: everybody who is told of one of them."""
    parts = tuple(parts)
    return Recipients(
        _once(address for part in parts for address in part.to),
        _once(address for part in parts for address in part.owners),
        tuple(sorted({refused for part in parts for refused in part.refused})),
    )


def split_recipients(
    to: tuple[str, ...], most: int = MOST_RECIPIENTS
) -> tuple[tuple[str, ...], ...]:
    """Return the recipients in as many mails as they need; each is in one of them."""
    return tuple(to[first : first + most] for first in range(0, len(to), most))


def _named_by(place: VmPlace, routing: Routing) -> tuple[list[str], tuple[Refused, ...]]:
    found = [
        address for route in routing.routes if route.selector.fits(place) for address in route.to
    ]
    refused = []
    written = re.split(r"[\s,;]+", place.tags.get(routing.owner_tag) or "")
    for number, address in enumerate(filter(None, written)):
        if why := _tag_fault(address, number, routing):
            refused.append(Refused(address, why))
        else:
            found.append(address)
    return found, tuple(refused)


def _tag_fault(address: str, number: int, routing: Routing) -> str:
    if number >= MOST_IN_A_TAG:
        return f"is beyond the first {MOST_IN_A_TAG} of the tag"
    if why := address_fault(address):
        return why
    allowed = {domain.lower() for domain in routing.domains}
    return "" if domain_of(address) in allowed else "is outside the configured domains"


def _once(addresses: Iterable[str], but: Iterable[str] = ()) -> tuple[str, ...]:
    """Return each address once, compared without case, in their order."""
    seen = {address.lower() for address in but}
    kept = []
    for address in addresses:
        if address.lower() not in seen:
            seen.add(address.lower())
            kept.append(address)
    return tuple(kept)


@dataclass(frozen=True, slots=True, order=True)
class RoutingChange:
    """The owners of one VM's mails, before and now; for the digest."""

    vm: str
    before: tuple[str, ...]
    now: tuple[str, ...]


def find_changes(
    before: Mapping[str, tuple[str, ...]], now: Mapping[str, tuple[str, ...]]
) -> tuple[RoutingChange, ...]:
    """Return each VM whose mails go to others than before; a new VM's are no change."""
    return tuple(
        RoutingChange(vm, before[vm], owners)
        for vm, owners in sorted(now.items())
        if vm in before and _lowered_set(before[vm]) != _lowered_set(owners)
    )


def _lowered_set(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(address.lower() for address in addresses)
