"""
Troubles as one look sees them: what is wrong with a VM's backups now, and what is well again.

A look says everything each time; what was told before, and what is worth a mail, is decided by
incidents. So sightings may come twice and in any order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Self

from vmbackup_core.domain.facts import ItemState
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus
from vmbackup_core.domain.telling.expectations import TAKES, Judged, Standing, Timing, next_run
from vmbackup_core.domain.telling.failure_codes import explain
from vmbackup_core.domain.telling.root_causes import BY_RUN, RootCause

HELD = "state"  # The attempt of a state, which is one thing however often it is seen.


class SubjectKind(StrEnum):
    VM = "vm"
    VAULT = "vault"
    MAILBOX = "mailbox"
    SLOT = "slot"  # Of restore tests.
    TESTS = "tests"  # All restore tests together.


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What is in trouble; known by its `id`, while `name` is for people and keeps its case."""

    kind: SubjectKind
    id: str
    name: str = field(compare=False)

    @classmethod
    def of_vm(cls, vm: VmId, name: str = "") -> Self:
        return cls(SubjectKind.VM, str(vm), name or vm.name)

    @classmethod
    def of_vault(cls, vault: VaultId) -> Self:
        return cls(SubjectKind.VAULT, str(vault), vault.name)

    @classmethod
    def of_mailbox(cls, address: str) -> Self:
        return cls(SubjectKind.MAILBOX, address.lower(), address)

    @classmethod
    def of_slot(cls, slot: str) -> Self:
        return cls(SubjectKind.SLOT, slot, f"slot {slot.rpartition('/')[2]}")

    @classmethod
    def of_tests(cls) -> Self:
        return cls(SubjectKind.TESTS, "tests", "The control of restore tests")


@dataclass(frozen=True, slots=True, order=True)
class Words:
    """What Azure said of a failure, and which job it was; empty where nobody said a thing."""

    code: str = ""
    number: int = 0
    title: str = ""
    message: str = ""
    advice: str = ""
    job: str = ""


NO_WORDS = Words()


@dataclass(frozen=True, slots=True)
class Sighting:
    """
    One trouble, seen.

    `at` is when it happened (a job's start, an expected time) or, for a state, when it was seen.
    `attempt` names the backup that went wrong, HELD for a state. Until `quiet_until` the next
    backup may still heal it before the RPO is at risk.
    """

    subject: Subject
    cause: RootCause
    at: datetime
    quiet_until: datetime
    attempt: str = HELD
    vault: str = ""
    location: str = ""
    words: Words = NO_WORDS


class Ending(Enum):
    """How a trouble ended."""

    BACKED_UP = "a backup went through"
    MENDED = "it was mended"
    PROVEN = "a restore test passed"
    NOT_EXPECTED = "no backup is expected any more"


@dataclass(frozen=True, slots=True)
class Wellness:
    """A subject was well at `at`, as far as `causes` go."""

    subject: Subject
    at: datetime
    ending: Ending
    causes: frozenset[RootCause]


@dataclass(frozen=True, slots=True)
class VmSight:
    """
    All that one look knows of one VM's backups.

    `state` is None where the VM has no protected item any more, `there` False where the VM is gone.
    `judged` are its expected backups as they stand in the record, `runs` its jobs. `looked_at` is
    when Azure's picture was taken. `rpo` is how old its last good point may become.
    """

    vm: VmId
    name: str
    vault: VaultId
    location: str
    state: ItemState | None
    looked_at: datetime
    rpo: timedelta
    there: bool = True
    timing: Timing | None = None
    judged: tuple[Judged, ...] = ()
    runs: tuple[BackupRun, ...] = ()
    last_point: datetime | None = None
    takes: timedelta = TAKES

    @property
    def subject(self) -> Subject:
        return Subject.of_vm(self.vm, self.name)

    @property
    def good_runs(self) -> tuple[BackupRun, ...]:
        """Its backups that went through and were not lost since."""
        lost = {
            judged.run
            for judged in self.judged
            if judged.standing is Standing.LOST and judged.made_up != judged.run
        }
        return tuple(
            run for run in self.runs if run.is_backup and run.worked and run.id not in lost
        )

    @property
    def last_good(self) -> datetime | None:
        """When it was last backed up, as far as is known: its newest point or good job."""
        points = [self.last_point] if self.last_point else []
        return max([*(run.started for run in self.good_runs), *points], default=None)


_STATES: Mapping[ItemState, RootCause] = {
    ItemState.STOPPED: RootCause.STOPPED,
    ItemState.SOFT_DELETED: RootCause.SOFT_DELETED,
    ItemState.ERROR: RootCause.ITEM_ERROR,
}
_OF_ITEMS = frozenset((*_STATES.values(), RootCause.VM_GONE))
_OF_BACKUPS = BY_RUN | {RootCause.RESTORE_FAILED}  # What ends where there are none any more.
# What the mail service reports of a mail that did not arrive (AZURE: Communication Services Email).
_UNDELIVERED = ("Bounced", "Suppressed", "FilteredSpam", "Quarantined", "Failed")
_MISSING = {Standing.MISSED: RootCause.MISSED, Standing.LOST: RootCause.LOST}
_EXPECTING = (ItemState.PROTECTED, ItemState.ERROR)


def find_vm_troubles(sight: VmSight) -> tuple[Sighting | Wellness, ...]:
    """
    Return what is wrong with one VM's backups and what is well, in no order that matters.

    A failure that Azure's sources tell of in parts is one sighting. Where backups are not expected
    any more, that ends what failing and missing ones began: it has a trouble of its own instead.
    """
    held = _held_state(sight)
    found: list[Sighting | Wellness] = []
    if held is not None:
        found.append(_state_sighting(sight, held))
    if sight.state is not ItemState.UNKNOWN:
        found.append(Wellness(sight.subject, sight.looked_at, Ending.MENDED, _OF_ITEMS - {held}))
    if sight.state is ItemState.UNKNOWN or (sight.there and sight.state in _EXPECTING):
        found += _run_sightings(sight)
        found += _good_backups(sight)
    else:
        gone = sight.state in (None, ItemState.SOFT_DELETED)
        ended = _OF_BACKUPS if gone else BY_RUN
        found.append(Wellness(sight.subject, sight.looked_at, Ending.NOT_EXPECTED, ended))
    return tuple(found)


def _held_state(sight: VmSight) -> RootCause | None:
    """Return what is wrong with the item itself; a soft-deleted one of a gone VM just ends."""
    if sight.state is None:
        return None
    if not sight.there:
        return None if sight.state is ItemState.SOFT_DELETED else RootCause.VM_GONE
    return _STATES.get(sight.state)


def _state_sighting(sight: VmSight, cause: RootCause) -> Sighting:
    return Sighting(
        sight.subject,
        cause,
        sight.looked_at,
        sight.looked_at,
        vault=str(sight.vault),
        location=sight.location,
    )


def _run_sightings(sight: VmSight) -> list[Sighting]:
    """Return the backups that failed or never were; one that did both is one attempt."""
    missing = [judged for judged in sight.judged if judged.standing in _MISSING]
    known = {run: judged for judged in missing for run in (judged.run, judged.made_up) if run}
    found = [
        _sighting(
            sight,
            _MISSING[judged.standing],
            judged.expected,
            _missed(judged),
            Words(job=judged.run),
        )
        for judged in missing
    ]
    for run in sight.runs:
        if run.is_backup and run.failed:
            attempt = _missed(known[run.id]) if run.id in known else run.id
            words = Words(run.code, run.number, run.title, run.message, run.advice, run.id)
            found.append(_sighting(sight, cause_of(run), run.started, attempt, words))
    return found


def cause_of(run: BackupRun) -> RootCause:
    """Return why a backup failed."""
    told = explain(run.code, run.number, run.title, run.message, run.advice)
    if run.status is RunStatus.CANCELLED and not told.known:
        return RootCause.CANCELLED
    return told.cause


def _missed(judged: Judged) -> str:
    return f"expected {judged.expected:%Y-%m-%dT%H:%MZ}"


def _sighting(
    sight: VmSight, cause: RootCause, at: datetime, attempt: str, words: Words
) -> Sighting:
    return Sighting(
        sight.subject,
        cause,
        at,
        _quiet_until(sight, at),
        attempt,
        str(sight.vault),
        sight.location,
        words,
    )


def _quiet_until(sight: VmSight, at: datetime) -> datetime:
    """Return until when the next backup may heal a failure: not at all where the RPO is at risk."""
    if sight.timing is None or sight.last_good is None:
        return at
    healed = next_run(sight.timing, at) + sight.timing.starts_within + sight.takes
    return healed if healed <= sight.last_good + sight.rpo else at


def _good_backups(sight: VmSight) -> list[Wellness]:
    """Return that backups work, as of the last one; a job counts when it has ended."""
    ends = [run.ended or run.started for run in sight.good_runs]
    points = [sight.last_point] if sight.last_point else []
    last = max([*ends, *points], default=None)
    return [Wellness(sight.subject, last, Ending.BACKED_UP, BY_RUN)] if last else []


def find_mail_trouble(address: str, status: str, at: datetime) -> Sighting | Wellness | None:
    """
    Return what a delivery report says of a mailbox, None where it decides nothing.

    A mail that arrives later ends the trouble.
    """
    subject = Subject.of_mailbox(address)
    if status == "Delivered":
        return Wellness(subject, at, Ending.MENDED, frozenset({RootCause.MAIL_UNDELIVERED}))
    if status not in _UNDELIVERED:
        return None
    words = Words(message=f"The mail service reports: {status}.")
    return Sighting(subject, RootCause.MAIL_UNDELIVERED, at, at, words=words)
