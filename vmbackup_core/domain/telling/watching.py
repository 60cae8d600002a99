"""
What is remembered of each VM between looks for troubles, and how one more look is taken in.

Only what the next look cannot see again is kept: since when backups are expected, which were
missed, which failed and in what words. The newest recovery point bounds it all, so a record stays
small however long a VM is protected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from vmbackup_core.domain.backups import ProtectedVm
from vmbackup_core.domain.facts import ItemState, Tags
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.policies import PolicyFacts
from vmbackup_core.domain.telling.backup_runs import BackupRun, merge_runs
from vmbackup_core.domain.telling.drill_troubles import DrillsRead
from vmbackup_core.domain.telling.expectations import (
    EARLY,
    Judged,
    Known,
    Standing,
    find_timing,
    judge_runs,
    keep_history,
    usual_duration,
)
from vmbackup_core.domain.telling.incident_groups import Book
from vmbackup_core.domain.telling.incidents import Incident, Notice
from vmbackup_core.domain.telling.mail_rules import RpoRule, find_rpo
from vmbackup_core.domain.telling.maintenance import Maintenance
from vmbackup_core.domain.telling.mutes import Mute, quiet_until
from vmbackup_core.domain.telling.promises import VaultPromise, compare_moved_vm
from vmbackup_core.domain.telling.routing import NO_TAGS, VmPlace
from vmbackup_core.domain.telling.troubles import (
    Sighting,
    SubjectKind,
    VmSight,
    Wellness,
    find_vm_troubles,
)

SURE = timedelta(hours=1)  # For so long something must be missing before it counts as gone.
EXPLAINED_WITHIN = timedelta(hours=4)  # A failure comes with its words before this.
JUDGED_BACK = timedelta(days=7)
NO_BOOK = Book()
NOTHING_READ = DrillsRead()
KEPT = timedelta(days=8)  # Runs, and backups that were missed.


@dataclass(frozen=True, slots=True)
class VmRecord:
    """
    One VM with a protected item.

    Backups are expected from `since` on, by the schedule that `promised` spells; the item was first
    seen in `state` at `state_since`. `best` is the
    policy that promised most of those it had. `gone_since` is when the VM was first not there any
    more, and `unseen_since` its item.
    """

    name: str
    vault: VaultId
    location: str
    state: ItemState
    policy: str
    promised: str
    best: str
    since: datetime
    state_since: datetime
    rpo: timedelta
    tags: Tags = NO_TAGS
    last_point: datetime | None = None
    history: tuple[Judged, ...] = ()
    runs: tuple[BackupRun, ...] = ()
    gone_since: datetime | None = None
    unseen_since: datetime | None = None

    def place(self, vm: VmId) -> VmPlace:
        return VmPlace(vm.subscription, vm.group, self.policy, self.tags)


@dataclass(frozen=True, slots=True)
class Report:
    """What the mail service said of one mail and one mailbox."""

    address: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """
    All that is known between looks.

    `log_until` is the newest ingestion that was read of the log, `log_failing` since when it cannot
    be read. `owed` are notices whose mails are not in the postbox yet, `reports` those of the mail
    service that no look has taken in. `drills` is how far the evidence of restore tests was read.
    """

    looked: datetime | None = None
    log_until: datetime | None = None
    log_failing: datetime | None = None
    book: Book = NO_BOOK
    vms: Mapping[str, VmRecord] = field(default_factory=dict)
    vaults: Mapping[str, VaultPromise] = field(default_factory=dict)
    owed: tuple[Notice, ...] = ()
    mutes: tuple[Mute, ...] = ()
    reports: tuple[Report, ...] = ()
    drills: DrillsRead = NOTHING_READ
    schema: int = 1

    def place(self, vm: str) -> VmPlace | None:
        """Return what rules for mails see of a VM, None where nothing is known of it."""
        record = self.vms.get(vm)
        return record.place(VmId.parse(vm)) if record else None

    def muted_until(
        self, incident: Incident, windows: Iterable[Maintenance], now: datetime
    ) -> datetime | None:
        """Return until when nobody is told of an incident, None where somebody is."""
        vm = incident.subject.kind is SubjectKind.VM
        place = self.place(incident.subject.id) if vm else None
        return quiet_until(incident, place, now, windows, self.mutes)


_EXPECTING = (ItemState.PROTECTED, ItemState.ERROR)
_MISSING = (Standing.MISSED, Standing.LOST)


@dataclass(frozen=True, slots=True)
class Moment:
    """One look: taken `at`; of jobs that had ended by `until` all are known."""

    at: datetime
    until: datetime


def see_vm(
    known: VmRecord | None,
    item: ProtectedVm,
    vault: VaultPromise | None,
    runs: Iterable[BackupRun],
    moment: Moment,
    rpos: Iterable[RpoRule],
    *,
    meant: bool = False,
) -> tuple[VmRecord, tuple[Sighting | Wellness, ...]]:
    """
    Return what is remembered of a VM after one look, and what is wrong with it or well.

    `meant` says that its owner opted it out: then that nothing is backed up is no trouble.
    """
    at, policy = moment.at, _policy(vault, item.policy)
    timing = find_timing(policy)
    promised = repr(timing)
    expecting = item.state in _EXPECTING or item.state is ItemState.UNKNOWN
    lasting = (
        known is not None
        and (known.vault, known.policy, known.promised) == (item.vault, item.policy, promised)
        and (known.state in _EXPECTING or known.state is ItemState.UNKNOWN)
    )
    since = known.since if known is not None and lasting else at
    gone_since = None if item.there else (known.gone_since if known else None) or at
    gone = gone_since is not None and at - gone_since >= SURE
    last_point = item.last_point
    kept = _kept_runs(merge_runs(known.runs if known else (), runs), last_point, at)
    history = {one.expected: one for one in (known.history if known else ())}
    judged: tuple[Judged, ...] = ()
    if timing is not None and expecting and not gone:
        begin = max(since, at - JUDGED_BACK, last_point or since)
        seen = Known(begin, moment.until, kept, last_point, at)
        judged = tuple(
            keep_history(history.get(one.expected), one) for one in judge_runs(timing, seen, at)
        )
        history |= {one.expected: one for one in judged if one.standing in _MISSING}
    record = VmRecord(
        name=item.name,
        vault=item.vault,
        location=vault.location if vault else "",
        state=item.state,
        policy=item.policy,
        promised=promised,
        best=known.best if known and known.vault == item.vault else item.policy,
        since=since,
        state_since=known.state_since if known and known.state is item.state else at,
        rpo=timedelta(0),
        tags=item.tags if item.there else (known.tags if known else item.tags),
        last_point=last_point,
        history=tuple(one for _, one in sorted(history.items()) if at - one.expected < KEPT),
        runs=kept,
        gone_since=gone_since,
    )
    usual = timing.usual_rpo if timing is not None else None
    record = replace(record, rpo=find_rpo(record.place(item.vm), rpos, usual))
    sight = VmSight(
        vm=item.vm,
        name=item.name,
        vault=item.vault,
        location=record.location,
        state=_state(record, item, at, meant=meant),
        looked_at=at,
        rpo=record.rpo,
        there=not gone,
        timing=timing,
        judged=tuple({one.expected: one for one in (*record.history, *judged)}.values()),
        runs=kept,
        last_point=last_point,
        takes=usual_duration(kept),
    )
    record, moved = _compare_policies(record, sight, vault, policy, at)
    return record, (*find_vm_troubles(sight), *moved)


def _state(record: VmRecord, item: ProtectedVm, at: datetime, *, meant: bool) -> ItemState | None:
    """
    Return the state that counts, None where nothing is expected of the item.

    An item shows an error because a backup failed; that is told of the backup, and of the item only
    where none is known to explain it.
    """
    if meant and item.state not in _EXPECTING:
        return None
    if item.state is not ItemState.ERROR:
        return item.state
    last = item.last_point
    explained = any(run.failed and (last is None or run.started > last) for run in record.runs)
    since = max(record.state_since, last or record.state_since)  # A good one is still under way.
    sure = at - since >= EXPLAINED_WITHIN
    return ItemState.ERROR if sure and not explained else ItemState.PROTECTED


def miss_vm(
    vm: VmId, known: VmRecord, at: datetime
) -> tuple[VmRecord | None, tuple[Sighting | Wellness, ...]]:
    """Return what is remembered of a VM whose item was not seen: it is gone when that lasts."""
    unseen = known.unseen_since or at
    if at - unseen < SURE:
        return replace(known, unseen_since=unseen), ()
    sight = VmSight(vm, known.name, known.vault, known.location, None, at, known.rpo)
    return None, find_vm_troubles(sight)


def _policy(vault: VaultPromise | None, name: str) -> PolicyFacts | None:
    policies = vault.policies if vault else ()
    return next((one for one in policies if one.name.lower() == name.lower()), None)


def _kept_runs(
    runs: Iterable[BackupRun], last_point: datetime | None, at: datetime
) -> tuple[BackupRun, ...]:
    """Return the runs to remember: what went wrong lately, and what left no point so far."""
    return tuple(
        run
        for run in runs
        if run.is_backup
        and at - run.started < KEPT
        and not (run.worked and last_point is not None and run.started <= last_point + EARLY)
    )


def _compare_policies(
    record: VmRecord,
    sight: VmSight,
    vault: VaultPromise | None,
    policy: PolicyFacts | None,
    at: datetime,
) -> tuple[VmRecord, tuple[Sighting | Wellness, ...]]:
    """Tell whether another policy promises less than the best one that the VM had here."""
    best = _policy(vault, record.best)
    if policy is None or best is None or policy.name == best.name:
        return (record if best else replace(record, best=record.policy)), ()
    told = compare_moved_vm(sight.subject, best, policy, at)
    if isinstance(told, Wellness):
        return replace(record, best=policy.name), (told,)
    return record, (replace(told, vault=str(sight.vault), location=sight.location),)
