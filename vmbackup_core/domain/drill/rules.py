"""
What a restore test (a drill) is asked for: the drill plan as configured, and what is known of each
VM from the tests before.

Ages are counted in nights: a night has the date on which it begins, in UTC, and a test belongs to
the night in whose hours, or after whose hours, it began.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Self

from vmbackup_core.domain.drill.cost import Prices
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.orders import POWER_ON
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.facts import VmFacts
from vmbackup_core.domain.rules import allows, covers
from vmbackup_core.domain.schedules import DAY, Weekday

RESTORES_A_DAY = 10  # Restores of one VM in 24 hours, whoever asks (AZURE: limits and throttling).


@dataclass(frozen=True, slots=True)
class Tier:
    """
    VMs whose backups shall have been proven within `max_age`, a whole number of days.

    `values` are globs for the policy tag, compared as written; `policies` are globs for the policy
    that the VM is protected with, compared without case. Where a tier names none of a kind, any
    will do. `rpo` is set where LATEST_WITHIN_RPO is among the strategies. `rung` is how far a test
    must go to prove anything; `egress` lets copies reach out, which caps what is claimed.
    """

    name: str
    max_age: timedelta
    strategies: tuple[Strategy, ...]
    values: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    rpo: timedelta | None = None
    rto: timedelta | None = None
    rung: Rung = Rung.BOOT
    egress: bool = False

    @property
    def nights(self) -> int:
        """How many nights a proof lasts."""
        return self.max_age // DAY

    def matches(self, value: str | None, policy: str) -> bool:
        """Tell whether a VM with this value of the policy tag and this policy is of the tier."""
        return allows(self.values, value) and allows(_lowered(self.policies), policy.lower())

    def covers(self, other: Self) -> bool:
        """Tell whether this tier takes every VM that `other` would, as far as can be seen."""
        return covers(self.values, other.values) and covers(
            _lowered(self.policies), _lowered(other.policies)
        )


@dataclass(frozen=True, slots=True)
class Dates:
    """A span of nights, both ends among them."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


type Blackout = Weekday | Dates


@dataclass(frozen=True, slots=True)
class CheckRule:
    """
    A check, and which VMs it is for: those that bear all of `other_tags`, every one without any.

    Pairs of a tag's name (without case) and a glob for its value (compared as written).
    """

    check: GuestCheck
    other_tags: tuple[tuple[str, str], ...] = ()

    def concerns(self, vm: VmFacts) -> bool:
        return all(allows((glob,), vm.tags.get(name)) for name, glob in self.other_tags)


@dataclass(frozen=True, slots=True)
class DrillRules:
    """
    The drill plan: what is to be proven, and how much of a night it may take.

    `begins` is in UTC. `takes` is how long one restore test is reckoned to take where none was
    measured; `at_once` is how many run side by side in each subscription and region, where each
    needs a slot of its own. `power_on` and `keep_failed` are how long a copy runs at most, and how
    long a failed one is kept. `sizes` are the sizes that copies may have, smallest first; without
    any they have their source's. `memory_share` is of the source's memory, `free_quota` of each
    vCPU quota. `control_every` is None where no test is made to fail.
    """

    tiers: tuple[Tier, ...]
    begins: time
    lasts: timedelta
    takes: timedelta
    per_night: int
    at_once: int
    failed_again: timedelta
    blackout: tuple[Blackout, ...] = ()
    power_on: timedelta = POWER_ON
    keep_failed: timedelta = timedelta(0)
    sizes: tuple[str, ...] = ()
    memory_share: float = 0.5
    free_quota: float = 0.2
    cost_per_night: Decimal | None = None
    prices: Prices | None = None
    control_every: timedelta | None = 7 * DAY
    cap_tag: str = "drill"
    rto_tag: str = "rto"
    checks: tuple[CheckRule, ...] = ()

    @property
    def weekdays(self) -> int:
        """How many nights of a week are not blacked out for good."""
        return len(Weekday) - len({one for one in self.blackout if isinstance(one, Weekday)})

    def tier_of(self, value: str | None, policy: str) -> Tier | None:
        """Return the first tier that matches, None where none does."""
        return next((tier for tier in self.tiers if tier.matches(value, policy)), None)

    def shut(self, night: date) -> str:
        """Return what blacks out `night`, "" where nothing does."""
        for one in self.blackout:
            match one:
                case Dates(first, last) if first <= night <= last:
                    return str(one)
                case Weekday() if list(Weekday)[night.weekday()] is one:
                    return str(one)
        return ""

    def start_of(self, night: date) -> datetime:
        return datetime.combine(night, self.begins, UTC)

    def end_of(self, night: date) -> datetime:
        return self.start_of(night) + self.lasts

    def night_of(self, moment: datetime) -> date:
        """Return the night that had begun last at `moment`."""
        today = moment.astimezone(UTC).date()
        return today if self.start_of(today) <= moment else today - DAY

    def next_night(self, now: datetime) -> date:
        """Return the first night that begins at or after `now`."""
        today = now.astimezone(UTC).date()
        return today if self.start_of(today) >= now else today + DAY


MEASURES = 6  # Of each kind kept of one VM: the last, and five before it to compare it with.


@dataclass(frozen=True, slots=True)
class Measure:
    """
    What one restore test took that went through.

    `took` is how long it held its slot; `rto` is None where nothing was recovered. Restores from
    the vault and from a snapshot are worlds apart, so each is compared with its own kind.
    `comparable` is False where the copy ran on another size than its source.
    """

    at: datetime
    took: timedelta
    rto: timedelta | None
    from_vault: bool
    comparable: bool = True


@dataclass(frozen=True, slots=True)
class Past:
    """
    What is known of one VM from the restores before; empty for one that was never tested.

    `machine` is the vmId that was tested. `proven` is when a test passed last and `proofs` how many
    have; it is `partly` proven where a cap (see drill_caps) let that test go less far than its tier
    asks for. `failures` counts those that failed in a row since, the last of them at `failed`;
    `tries` those in a row since that ended without telling, the last of them at `tried`.
    `measured` are the last MEASURES of each kind, oldest first. `restores` are the beginnings of
    all restores of the last day, other people's among them; `restoring` says that a person's
    restore of it runs now.
    """

    machine: str = ""
    proven: datetime | None = None
    proofs: int = 0
    failed: datetime | None = None
    failures: int = 0
    restores: tuple[datetime, ...] = ()
    restoring: bool = False
    partly: bool = False
    tried: datetime | None = None
    tries: int = 0
    measured: tuple[Measure, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there was any test of it."""
        return any((self.proven, self.failed, self.tried))

    def of_machine(self, machine: str) -> "Past":
        """Return what it says of `machine`: nothing was proven of another one of that name."""
        if self.machine == machine:
            return self
        return Past(machine, restores=self.restores, restoring=self.restoring)

    def passed(self, at: datetime, *, partly: bool = False) -> "Past":
        """Return the past after a test that passes at `at`, maybe only as far as a cap lets it."""
        return replace(
            self,
            proven=at,
            proofs=self.proofs + 1,
            failed=None,
            failures=0,
            partly=partly,
            tried=None,
            tries=0,
        )

    def failing(self, at: datetime) -> "Past":
        """Return the past after a test that fails at `at`."""
        return replace(self, failed=at, failures=self.failures + 1, tried=None, tries=0)

    def trying(self, at: datetime) -> "Past":
        """Return the past after a test that ends without telling, at `at`."""
        return replace(self, tried=at, tries=self.tries + 1)

    def measuring(self, measure: Measure) -> "Past":
        """Return the past with one more measurement, and without those that are too many."""
        alike = [one for one in self.measured if one.from_vault is measure.from_vault]
        others = [one for one in self.measured if one.from_vault is not measure.from_vault]
        kept = [*alike, measure][-MEASURES:]
        return replace(self, measured=tuple(sorted((*others, *kept), key=lambda one: one.at)))


def _lowered(globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(glob.lower() for glob in globs)
