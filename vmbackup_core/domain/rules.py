"""
What is asked for: which VMs should be protected, with which policy, and which are left alone.

Decides from the configuration and one VM's facts alone; whether anything must be done about it is
the planner's business.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Self

from vmbackup_core.domain.facts import VmFacts
from vmbackup_core.domain.ids import VmId

DRILL_GROUPS = ("vmbackup-drill-*",)  # The resource groups in which restore tests run.


class Mode(StrEnum):
    """Whether the app only says what it would do, or does it."""

    OBSERVE = "observe"
    PROTECT = "protect"


class OnStopped(StrEnum):
    """What to do about a wanted VM whose protection somebody has stopped."""

    REPORT = "report"
    RESUME = "resume"


class OnSoftDeleted(StrEnum):
    """What to do about a wanted VM whose backups somebody has deleted and can still be had back."""

    REPORT = "report"
    UNDELETE = "undelete"


@dataclass(frozen=True, slots=True)
class Scope:
    """
    Which VMs the app looks at, and where it may change anything.

    Subscription ids are in lower case. `subscriptions` is empty where management groups say which
    there are. Resource groups are globs, compared without case. `drill_resource_groups` are always
    left alone: a restored copy in one must never be protected.
    """

    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()
    mode: Mode = Mode.OBSERVE
    mode_by_subscription: tuple[tuple[str, Mode], ...] = ()
    exclude_resource_groups: tuple[str, ...] = ()
    drill_resource_groups: tuple[str, ...] = DRILL_GROUPS

    def mode_of(self, subscription: str) -> Mode:
        """Return the mode of one subscription: its own, else the one for all."""
        return dict(self.mode_by_subscription).get(subscription.lower(), self.mode)

    def watches(self, subscription: str) -> bool:
        """Tell whether a subscription is in scope; below management groups, any may be."""
        return (
            bool(self.management_groups)
            or not self.subscriptions
            or subscription.lower() in self.subscriptions
        )

    def is_for_drills(self, vm: VmId) -> bool:
        """Tell whether a VM is a copy that a restore test has made: nobody's to protect."""
        return bool(_first_match(vm.group, self.drill_resource_groups))

    def why_not(self, vm: VmFacts) -> str:
        """Return in words why `vm` is out of scope, "" where it is in."""
        return self.leaves_out(vm.id)

    def leaves_out(self, vm: VmId) -> str:
        """Return the same by its id alone, so that what is out of scope need not be read."""
        if not self.watches(vm.subscription):
            return f"subscription {vm.subscription} is not in scope"
        if glob := _first_match(vm.group, self.drill_resource_groups):
            return f"resource group {vm.group} is for restore tests ({glob})"
        if glob := _first_match(vm.group, self.exclude_resource_groups):
            return f"resource group {vm.group} is excluded ({glob})"
        return ""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule: the VMs that match everything it names are protected with `policy`.

    All texts but `policy` are globs; where a rule names nothing of a kind, any will do. `values`
    are values of the policy tag, compared exactly as written: a rule that names some matches no VM
    without that tag. `other_tags` are pairs of a tag's name (without case) and its value (exact).
    Resource groups, subscriptions and locations compare without case.

    `restored_copies` is True where the rule also holds for VMs restored from a backup, which are
    left alone otherwise.
    """

    policy: str
    values: tuple[str, ...] = ()
    other_tags: tuple[tuple[str, str], ...] = ()
    resource_groups: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    restored_copies: bool = False

    def matches(self, vm: VmFacts, value: str | None) -> bool:
        """Tell whether the rule holds for `vm`, whose policy tag has `value` (None: no tag)."""
        return (
            allows(self.values, value)
            and all(allows((wanted,), vm.tags.get(name)) for name, wanted in self.other_tags)
            and allows(_lowered(self.resource_groups), vm.id.group)
            and allows(_lowered(self.subscriptions), vm.id.subscription)
            and allows(_lowered(self.locations), vm.location.lower())
        )

    def covers(self, other: Self) -> bool:
        """
        Tell whether this rule matches every VM that `other` matches, so that it leaves it none.

        False where that cannot be seen from the globs alone.
        """
        mine, theirs = dict(self.other_tags), dict(other.other_tags)
        return (
            covers(self.values, other.values)
            and all(
                name in theirs and covers((glob,), (theirs[name],)) for name, glob in mine.items()
            )
            and covers(_lowered(self.resource_groups), _lowered(other.resource_groups))
            and covers(_lowered(self.subscriptions), _lowered(other.subscriptions))
            and covers(_lowered(self.locations), _lowered(other.locations))
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Everything that decides what is asked for one VM; the first rule that matches wins.

    `tag_name` is the tag whose value the rules see, and `opt_out` are its values that win over all
    rules, compared exactly.
    """

    scope: Scope
    tag_name: str
    opt_out: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    on_stopped: OnStopped = OnStopped.REPORT
    on_soft_deleted: OnSoftDeleted = OnSoftDeleted.REPORT


@dataclass(frozen=True, slots=True)
class Wanted:
    """Asked to be protected with `policy` by the rule at this place, counted from 1."""

    policy: str
    rule: int
    restored_copies: bool = False


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Asked not to be protected, by this value of the tag."""

    value: str


@dataclass(frozen=True, slots=True)
class NotAsked:
    """
    No rule asks for it.

    `value` is that of the policy tag where the VM bears one that no rule knows: often a slip of
    the pen, and worth telling apart from a VM that asks for nothing.
    """

    why: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """Not ours to look at."""

    why: str


type Ask = Wanted | OptedOut | NotAsked | OutOfScope


def ask(vm: VmFacts, rules: Rules) -> Ask:
    """Return what is asked for `vm`: being out of scope goes first, then an opt-out, then rules."""
    if why := rules.scope.why_not(vm):
        return OutOfScope(why)
    value = vm.tags.get(rules.tag_name)
    if value is not None and value in rules.opt_out:
        return OptedOut(value)
    for place, rule in enumerate(rules.rules, start=1):
        if rule.matches(vm, value):
            return Wanted(rule.policy, place, rule.restored_copies)
    if value is None:
        return NotAsked(f"no rule matches, and there is no tag {rules.tag_name}")
    return NotAsked(f"no rule matches the tag {rules.tag_name} = {value!r}", value)


def allows(globs: Iterable[str], value: str | None) -> bool:
    """Tell whether one of `globs` matches; without any, every value and none will do."""
    globs = tuple(globs)
    return not globs or (value is not None and any(fnmatchcase(value, glob) for glob in globs))


def covers(globs: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Tell whether everything that one of `others` matches is matched by one of `globs` too."""
    if not globs or not others:
        return not globs
    return all(
        other in globs
        or "*" in globs
        or (not any(sign in other for sign in "*?[") and allows(globs, other))
        for other in others
    )


def _lowered(globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(glob.lower() for glob in globs)


def _first_match(name: str, globs: Iterable[str]) -> str:
    """Return the first glob that matches `name` without case, "" where none does."""
    return next((glob for glob in globs if fnmatchcase(name.lower(), glob.lower())), "")
