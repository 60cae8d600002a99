"""
What a restore test knows of itself between two turns.

Four parts, each the business of one module: getting ready (drill_ready), restoring
(drill_restoring), climbing the rungs (drill_climbing), cleaning up (drill_cleaning).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from vmbackup_core.domain.drill.facts import (
    CopyFacts,
    CopySpec,
    DiskFacts,
    GuestCheck,
    Recipe,
    RestoreFacts,
    Thing,
)
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.points import PointFacts
from vmbackup_core.domain.drill.proof_canary import Canary
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, RungResult
from vmbackup_core.domain.drill.slots import Slot, copy_name, run_mark

SCHEMA = 1
LONGEST_LINE = 300
MOST_LINES = 80  # Of the log: what comes later is told by the record itself.

PATIENCE = timedelta(hours=2)  # With an Azure that does not answer, while there is something to do.
LONGEST_RESTORE = timedelta(hours=24)
LONGEST_CLEANING = timedelta(hours=24)
_LEAST = timedelta(seconds=10)  # Also where a service says to come back at once.
_AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))


@dataclass(frozen=True, slots=True)
class Ready:
    """What was made sure of before anything was made."""

    point: PointFacts | None = None
    slot: Slot | None = None
    leased: datetime | None = None
    staging: str = ""
    network_read: datetime | None = None
    security_group: str = ""
    sized: bool = False
    operation: str = ""
    validating: datetime | None = None
    valid: bool = False
    alone: bool = False  # Nobody else restores the VM, and Azure's daily limit leaves room.


@dataclass(frozen=True, slots=True)
class Ask:
    """
    One restore that was, or may have been, sent at `at`.

    `job` is its job's id, "" while that is not known. `void` says that it took no effect; `missed`
    is when a list was taken that should have had it and had not.
    """

    at: datetime
    job: str = ""
    void: bool = False
    missed: datetime | None = None

    @property
    def open(self) -> bool:
        return not self.job and not self.void


@dataclass(frozen=True, slots=True)
class Restoring:
    """
    The restores of this run; `others` are jobs that were looked at and are not of this run.

    `suspects` are jobs that may be, and have to be looked at. `detailed` are our jobs whose last
    words have been read, `cancelled` those whose cancellation was asked for.
    """

    asks: tuple[Ask, ...] = ()
    jobs: tuple[RestoreFacts, ...] = ()
    others: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    detailed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    settled: datetime | None = None
    disks: tuple[DiskFacts, ...] | None = None
    recipe: Recipe | None = None

    @property
    def running(self) -> bool:
        """Whether anything of it may still be under way: only then is nothing left to attest."""
        open_asks = any(ask.open for ask in self.asks)
        return open_asks or bool(self.suspects) or any(not job.progress.ended for job in self.jobs)


@dataclass(frozen=True, slots=True)
class Script:
    """
    The script that runs in the copy now: a check or the canary's for that rung, or the control.

    `lost` says that the answer to its start was lost.
    """

    check: GuestCheck
    rung: Rung | None
    started: datetime
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Climbing:
    """
    The copy and what it has shown.

    `created` says that a machine was sent, or was there (`found`), `sent` how often. `seen` is when
    it was last read for this look at its boot, `closely` when it was last read back as a whole.
    `foreign` says that a machine of its name was there which is not ours. `over` is set where the
    time to run was over. `boots` is what its console says, until the copy itself is read again.
    """

    cap: Rung = Rung.CANARY
    capped: ProofReason = ProofReason.NOT_ASKED
    capped_because: tuple[str, ...] = ()
    size: str = ""
    comparable: bool = True
    controller: str = ""
    spec: CopySpec | None = None
    asked: datetime | None = None
    created: bool = False
    found: bool = False
    sent: int = 0
    copy: CopyFacts | None = None
    seen: datetime | None = None
    closely: datetime | None = None
    foreign: bool = False
    looks: int = 0
    boots: RungResult | None = None
    booted: datetime | None = None
    script: Script | None = None
    checked: tuple[RungResult, ...] = ()
    checks_ended: datetime | None = None
    canary: Canary | None = None
    control: Control | None = None
    digests: dict[str, str] = field(default_factory=dict)
    over: bool = False


@dataclass(frozen=True, slots=True)
class Cleaning:
    """
    What is done about what the run has made; `sent` are the removals asked for, and when.

    `left` is what cannot be removed or is kept; `backed_up` a vault that backs the copy up.
    `looked` says that the copy was read back for the last time, `stopped` that it was asked to
    stop, or that this was refused; `unstopped` that it may run on, and must not be kept.
    """

    since: datetime | None = None
    read: datetime | None = None
    things: tuple[Thing, ...] = ()
    reads: int = 0
    sent: tuple[tuple[str, datetime], ...] = ()
    foreign_since: datetime | None = None
    containers: tuple[str, ...] = ()
    stopped: bool = False
    unstopped: bool = False
    looked: bool = False
    backed_up: str = ""
    quarantined: str = ""
    kept_until: datetime | None = None
    left: tuple[str, ...] = ()
    clean: bool = False
    ended: datetime | None = None
    released: bool = False
    recorded: datetime | None = None


@dataclass(frozen=True, slots=True)
class Drill:
    """
    One restore test between two turns.

    `ending` is None until it goes no further and cleans up. `again` is when the next step may be
    taken; `troubles` counts what went wrong in a row since `trouble_since`, `calls` the calls of
    ARM that its steps have cost.
    """

    order: DrillOrder
    began: datetime
    ending: Ending | None = None
    because: tuple[str, ...] = ()
    results: tuple[RungResult, ...] = ()
    again: datetime | None = None
    waiting: str = ""
    troubles: int = 0
    trouble_since: datetime | None = None
    calls: int = 0
    ready: Ready = Ready()
    restoring: Restoring = Restoring()
    climbing: Climbing = Climbing()
    cleaning: Cleaning = Cleaning()
    did: tuple[tuple[datetime, str], ...] = ()
    schema: int = SCHEMA

    @property
    def mark(self) -> str:
        return run_mark(self.order.run)

    @property
    def copy_name(self) -> str:
        return copy_name(self.order.run)

    @property
    def jobs(self) -> frozenset[str]:
        """The ids of this run's restore jobs, in lower case."""
        return frozenset(job.id.lower() for job in self.restoring.jobs)

    @property
    def must_stop(self) -> datetime | None:
        """When the copy must be powered off at the latest."""
        asked = self.climbing.asked
        return asked + self.order.power_on if asked else None

    def mark_of(self, rung: Rung) -> Mark | None:
        return next((one.mark for one in reversed(self.results) if one.rung is rung), None)

    def wants(self, rung: Rung) -> bool:
        """Tell whether `rung` is to be tried, if those below it pass."""
        return rung <= min(self.order.needed, self.order.cap, self.climbing.cap)

    def noting(self, at: datetime, text: str) -> "Drill":
        if len(self.did) >= MOST_LINES:
            return self
        return replace(self, did=(*self.did, (at, text[:LONGEST_LINE])))

    def told(self, result: RungResult, now: datetime) -> "Drill":
        """Take in what became of a rung."""
        told = self.noting(now, f"{result.rung.name.lower()}: {result.mark} ({result.reason.name})")
        return replace(told, results=(*self.results, result))

    def ends(self, ending: Ending, now: datetime, because: Iterable[str] = ()) -> "Drill":
        """Go no further: what follows is cleaning up. The first ending stays."""
        if self.ending is not None:
            return self
        return replace(
            self,
            ending=ending,
            because=(*self.because, *because),
            again=None,
            waiting="",
            troubles=0,
            trouble_since=None,
            cleaning=replace(self.cleaning, since=now),
        ).noting(now, ending.name.lower().replace("_", " "))

    def pausing(self, until: datetime, waiting: str) -> "Drill":
        return replace(self, again=until, waiting=waiting)

    def troubled(self, words: str, after: timedelta | None, now: datetime) -> "Drill":
        """Take in that a step was not done: come back when the service said, or later and later."""
        wait = _AGAIN[min(self.troubles, len(_AGAIN) - 1)] if after is None else max(after, _LEAST)
        since = self.trouble_since or now
        waits = replace(
            self,
            again=now + wait,
            waiting=words,
            troubles=self.troubles + 1,
            trouble_since=since,
        )
        if self.ending is None and now + wait - since > PATIENCE:
            return waits.ends(Ending.UNREACHABLE, now, (words,))
        return waits

    def calmed(self) -> "Drill":
        return replace(self, again=None, waiting="", troubles=0, trouble_since=None)
