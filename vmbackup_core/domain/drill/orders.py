"""
What one restore test is asked for, and the record of what became of it.

The order is made once, when the test is planned; what the plan or the configuration says later does
not change a test that runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.points import PointFacts, Strategy
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, RungResult, Verdict
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.facts import DiskExclusion
from vmbackup_core.domain.ids import VaultId, VmId, derive_key

POWER_ON = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Targets:
    """What the VM's tier promises; None where nothing."""

    rpo: timedelta | None = None
    rto: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DrillOrder:
    """
    One restore test.

    `machine` is the vmId that the inventory has under the name. `point` is "" where `strategy`
    chooses. `cap` is the highest rung that a tag allows, with `capped_by` in words. `egress` says
    that the tier's profile lets the copy reach out. `keep` is how long a copy is kept for a person
    after a failure, `keep_passed` also after a success. A `control` must fail its last check.
    `tier_rung` is what the tier asks for where a person's `needed` is another rung; else None.
    `slots` is how many slots the place has, `sizes` the configured list, smallest first.
    `exclusion` is which data disks the backup leaves out, as its item says.
    """

    run: str
    vm: VmId
    machine: str
    location: str
    vault: VaultId
    tier: str
    strategy: Strategy
    needed: Rung
    asked: datetime
    night: date | None = None
    by: datetime | None = None  # When it must have a slot at the latest, for its night.
    point: str = ""
    cap: Rung = Rung.CANARY
    capped_by: str = ""
    checks: tuple[GuestCheck, ...] = ()
    targets: Targets = Targets()
    egress: bool = False
    keep: timedelta = timedelta(0)
    keep_passed: bool = False
    power_on: timedelta = POWER_ON
    slots: int = 1
    sizes: tuple[str, ...] = ()
    memory_share: float = 0.5
    free_quota: float = 0.2
    control: bool = False
    exclusion: DiskExclusion | None = None
    tier_rung: Rung | None = None

    @property
    def place(self) -> Place:
        return Place(self.vm.subscription, self.location)


def run_key(vm: VmId, machine: str, night: date | None, asked: datetime) -> str:
    """Return the key of a restore test: one for each VM and night, one for each time of asking."""
    return derive_key("drill", str(vm), machine, str(night or asked.isoformat()))


@dataclass(frozen=True, slots=True)
class Clocks:
    """
    How long each part took; None where it did not take place.

    `rto` is from the restore's start until the last rung that passed, on the service's own times
    where it says them; `rpo` is the age of the point, or of the canary, when the test was asked.
    """

    queue: timedelta | None = None
    restore: timedelta | None = None
    create: timedelta | None = None
    boot: timedelta | None = None
    checks: timedelta | None = None
    clean: timedelta | None = None
    rto: timedelta | None = None
    rpo: timedelta | None = None


class Isolation(StrEnum):
    """What is known of how isolated a restore test was."""

    NOT_READ = "not read"
    PROVEN = "proven"
    EGRESS = "egress"  # Proven but for what its tier's profile lets out.
    UNPROVEN = "unproven"  # Nothing was made.
    BROKEN = "broken"  # A running copy became less isolated, and was stopped.


@dataclass(frozen=True, slots=True)
class DrillRecord:
    """
    What became of one restore test: what evidence keeps, and what later nights are planned by.

    `comparable` is False where the copy ran on another size than its source. `left` are the ids of
    what could not be removed, or is kept for a person until `kept_until`. `clean` attests that
    nothing of it is left: its slot was seen empty, every restore job of it has ended, and no backup
    of the copy was seen. `digests` are SHA-256 of what was kept or seen (screenshot, log).
    `control` is what became of the negative control, None where none was ordered.
    """

    order: DrillOrder
    ended: datetime
    ending: Ending
    verdict: Verdict
    results: tuple[RungResult, ...]
    clocks: Clocks = Clocks()
    point: PointFacts | None = None
    job: str = ""
    slot: str = ""
    size: str = ""
    comparable: bool = True
    isolation: Isolation = Isolation.NOT_READ
    left: tuple[str, ...] = ()
    clean: bool = True
    kept_until: datetime | None = None
    because: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    did: tuple[tuple[datetime, str], ...] = ()
    control: Control | None = None

    @property
    def outcome(self) -> str:
        """Return in words what came of it: what failed, else how far it went or why no further."""
        failed = [one.reason.value.text for one in self.results if one.mark is Mark.FAIL]
        return failed[0] if failed else self.ending.text
