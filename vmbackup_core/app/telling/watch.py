"""
One look for failed and missing backups: read, fold into incidents, and owe what is to be told.

Two instances at once do the same work, and the first to write it wins; the other one's look is
thrown away, with nothing lost. What is owed is told by telling.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vmbackup_core.app.telling.drill_news import DrillNews
from vmbackup_core.app.telling.incident_book import IncidentBook
from vmbackup_core.domain.backups import Backups, ProtectedVm
from vmbackup_core.domain.errors import BackupError, Denied, Rejected, Retryable, Stale
from vmbackup_core.domain.facts import ItemState, VmFacts
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.rules import OptedOut, OutOfScope, Rules, ask
from vmbackup_core.domain.telling.backup_runs import BackupRun, merge_runs
from vmbackup_core.domain.telling.incident_groups import Book, advance
from vmbackup_core.domain.telling.incidents import Incident, Notice
from vmbackup_core.domain.telling.mail_rules import MailRules
from vmbackup_core.domain.telling.promises import VaultPromise, compare_promises
from vmbackup_core.domain.telling.troubles import Sighting, Wellness, find_mail_trouble
from vmbackup_core.domain.telling.watching import Moment, VmRecord, Watched, miss_vm, see_vm
from vmbackup_core.ports import Clock, Journal
from vmbackup_core.ports_mails import BackupEstate, JobLog

OVERLAP = timedelta(minutes=5)  # The log shows rows up to a minute after their ingestion.
LOG_BACK = timedelta(days=2)  # So much of the log does the first look read.
JOBS_BACK = timedelta(days=1)  # So long before the last look may a job have begun.
FIRST_BACK = timedelta(days=7)
LONGEST_BACK = timedelta(days=13)  # Resource Graph keeps jobs for 14 days.
# Runs of two hours are told, and Resource Graph lags by minutes: what ended before that is known.
SURE_AFTER = timedelta(hours=2, minutes=15)
DETAILS_A_LOOK = 60
DETAILS_A_VAULT = 15  # Of each vault, whose jobs can be read 150 times an hour (AZURE: limits).
WORDS_WITHIN = timedelta(hours=3)  # A failure is told without its words after this.
REMEMBERED = timedelta(days=60)  # Incidents that are over.

type Seen = Sighting | Wellness


@dataclass(frozen=True, slots=True)
class Watch:
    estate: BackupEstate
    log: JobLog | None
    book: IncidentBook
    clock: Clock
    journal: Journal
    rules: Rules
    mail: MailRules
    drills: DrillNews | None = None

    def look(self) -> tuple[Notice, ...]:
        """
        Take one look; return what is to be told because of it.

        Raises where the estate cannot be read: nothing is judged from half a picture. A log that
        cannot be read is noted, and the other sources do.
        """
        known, blob = self.book.load()
        backups = self.estate.observe_backups(self.rules.scope)
        logged, known = self._ask_log(known)
        runs = merge_runs(self._unfinished(known), logged)
        runs = self._with_words(known, runs)
        known, tested = self._ask_drills(known)
        after, notices = self._fold(known, backups, runs, tested)
        try:
            self.book.save(after, blob)
        except Stale:
            self.journal.note("facts", "watch", "another look was faster")
            return ()
        lasting = sum(not one.over for one in after.book.incidents)
        text = f"{len(after.vms)} VMs, {lasting} incidents last, {len(notices)} to tell"
        self.journal.note("facts", "watch", text)
        return notices

    def _unfinished(self, known: Watched) -> tuple[BackupRun, ...]:
        now = self.clock.now()
        since = known.looked - JOBS_BACK if known.looked else now - FIRST_BACK
        return self.estate.observe_unfinished(self.rules.scope, max(since, now - LONGEST_BACK))

    def _ask_log(self, known: Watched) -> tuple[tuple[BackupRun, ...], Watched]:
        """Return what the log took in since it was asked last, and how far it was read."""
        if self.log is None:
            return (), known
        now = self.clock.now()
        since = known.log_until - OVERLAP if known.log_until else now - LOG_BACK
        try:
            runs = self.log.observe_ingested(since)
        except BackupError as error:
            self.journal.note("outcome", "watch", f"the log cannot be read: {error}")
            return (), replace(known, log_failing=known.log_failing or now)
        taken = [run.ingested for run in runs if run.ingested]
        until = max([*taken, *([known.log_until] if known.log_until else [])], default=None)
        return runs, replace(known, log_until=until, log_failing=None)

    def _ask_drills(self, known: Watched) -> tuple[Watched, tuple[Seen, ...]]:
        """Return what restore tests found since they were asked last."""
        if self.drills is None:
            return known, ()
        names = {vm: record.name for vm, record in known.vms.items()}
        read, found = self.drills.read_on(known.drills, names, known.book.incidents)
        return replace(known, drills=read), found

    def _with_words(self, known: Watched, runs: Iterable[BackupRun]) -> tuple[BackupRun, ...]:
        """
        Return the runs, failed ones with Azure's words: one call each, once, and only for these.

        One that could not be asked for yet is left out, and comes with a later look.
        """
        now, told = self.clock.now(), list[BackupRun]()
        asked: dict[VaultId, int] = {}
        for run in runs:
            record = known.vms.get(str(run.vm))
            if record is not None:
                own = (one for one in record.runs if (one.vault, one.id) == (run.vault, run.id))
                (run,) = merge_runs([run], own)
            if not run.failed or run.code or run.number or run.message:
                told.append(run)
                continue
            spent = asked.get(run.vault, 0)
            if sum(asked.values()) < DETAILS_A_LOOK and spent < DETAILS_A_VAULT:
                asked[run.vault] = spent + 1
                with suppress(Retryable):
                    told.append(self._ask_words(run))
                    continue
            if now - (run.ended or run.started) > WORDS_WITHIN:
                told.append(run)
        return tuple(told)

    def _ask_words(self, run: BackupRun) -> BackupRun:
        """Return the run with its words; without, where the vault will not say."""
        try:
            return self.estate.observe_failure(run)
        except (Stale, Denied, Rejected) as error:
            self.journal.note("outcome", "watch", f"no words of job {run.id}: {error}", vm=run.vm)
            return replace(run, message="Azure does not tell why.")

    def _fold(
        self,
        known: Watched,
        backups: Backups,
        runs: Iterable[BackupRun],
        tested: tuple[Seen, ...],
    ) -> tuple[Watched, tuple[Notice, ...]]:
        now = self.clock.now()
        promises = {str(one.vault): one for one in backups.vaults}
        vms, seen = self._see_vms(known, backups, promises, runs)
        vaults, told = _see_vaults(known, {str(one.vault) for one in vms.values()}, promises, now)
        reported = [find_mail_trouble(one.address, one.status, one.at) for one in known.reports]
        after = replace(known, looked=now, vms=vms, vaults=vaults, reports=())
        book, notices = advance(
            _forget(known.book, now),
            [*seen, *told, *tested, *(one for one in reported if one is not None)],
            now,
            rhythm=self.mail.rhythm,
            folding=self.mail.folding,
            muted=lambda one: after.muted_until(one, self.mail.maintenance, now) is not None,
        )
        owed = {notice.key: notice for notice in (*known.owed, *notices)}
        return replace(after, book=book, owed=tuple(owed.values())), notices

    def _see_vms(
        self,
        known: Watched,
        backups: Backups,
        promises: Mapping[str, VaultPromise],
        runs: Iterable[BackupRun],
    ) -> tuple[dict[str, VmRecord], list[Seen]]:
        moment = Moment(backups.at, backups.at - SURE_AFTER)
        runs_of: dict[VmId, list[BackupRun]] = {}
        for run in runs:
            runs_of.setdefault(run.vm, []).append(run)
        records: dict[str, VmRecord] = {}
        seen: list[Seen] = []
        for item, meant in self._items(backups.items):
            vault, own = promises.get(str(item.vault)), runs_of.get(item.vm, ())
            before = known.vms.get(str(item.vm))
            record, told = see_vm(before, item, vault, own, moment, self.mail.rpos, meant=meant)
            records[str(item.vm)] = record
            seen += told
        for vm in known.vms.keys() - records.keys():
            left, told = miss_vm(VmId.parse(vm), known.vms[vm], backups.at)
            if left is not None:
                records[vm] = left
            seen += told
        return dict(sorted(records.items())), seen

    def _items(self, items: Iterable[ProtectedVm]) -> Iterator[tuple[ProtectedVm, bool]]:
        """Yield each VM in scope once, by the item that does most, and whether it opted out."""
        best: dict[VmId, ProtectedVm] = {}
        for item in items:
            other = best.get(item.vm)
            if other is None or _rank(item) < _rank(other):
                best[item.vm] = item
        for item in best.values():
            vm = VmFacts(item.vm, item.machine, item.name, "", item.tags)
            asked = ask(vm, self.rules)
            if not isinstance(asked, OutOfScope):
                yield item, isinstance(asked, OptedOut)


_RANKS = {state: rank for rank, state in enumerate(ItemState)}


def _rank(item: ProtectedVm) -> tuple[int, VaultId]:
    """Order a VM's items: one that is backed up before one that is not any more."""
    return _RANKS[item.state], item.vault


def _see_vaults(
    known: Watched, used: Iterable[str], promises: Mapping[str, VaultPromise], at: datetime
) -> tuple[dict[str, VaultPromise], list[Seen]]:
    """Return the best that each used vault has promised, and what is worse than that now."""
    best, seen = dict(known.vaults), list[Seen]()
    for vault in sorted(set(used) & promises.keys()):
        best[vault], told = compare_promises(best.get(vault), promises[vault], at)
        seen += told
    return best, seen


def _forget(book: Book, now: datetime) -> Book:
    """Return the book without incidents that ended long ago, and were told if worth it."""
    groups = [group for group in book.groups if not _old_group(book, group.members, now)]
    kept = {member for group in groups for member in group.members}
    incidents = tuple(one for one in book.incidents if one.id in kept or not _is_old(one, now))
    return Book(incidents, tuple(groups))


def _old_group(book: Book, members: Iterable[str], now: datetime) -> bool:
    ids = set(members)
    return all(_is_old(one, now) for one in book.incidents if one.id in ids)


def _is_old(incident: Incident, now: datetime) -> bool:
    return incident.over and incident.well is not None and now - incident.well > REMEMBERED
