"""
Compare every VM in scope with every protected item, and name those that a workflow should see.

The sweep changes nothing by itself: Resource Graph lags behind the truth, so whatever differs is
handed to the same workflow that events start, which looks for itself before it acts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from vmbackup_core.app.approvals import Approvals
from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.recalling import Recalling
from vmbackup_core.domain.errors import Malformed, Stale
from vmbackup_core.domain.evidence import Kind, Record
from vmbackup_core.domain.facts import Estate, ItemFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.intents import EnsureProtected
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.protection import Rulebook
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.verdicts import (
    Count,
    Seen,
    Shrunk,
    Verdict,
    changes,
    count,
    find_shrinking,
    held_by_pause,
    judge_estate,
    lasting,
    orphans,
    plan_hash,
)
from vmbackup_core.ports import Blobs, Clock, Inventory, Journal

LEDGER = "sweeps/last.json"
SCHEMA = 1
FEW = 20  # Rows that are read one by one; more are listed.
OVERLAP = timedelta(minutes=5)  # Rows written while the last sweep ran are read again.


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at the whole estate found, before anything is done about it."""

    at: datetime
    verdicts: tuple[Verdict, ...]
    orphans: tuple[ItemFacts, ...]
    count: Count
    shrunk: Shrunk | None
    hash: str
    unreadable: tuple[str, ...] = ()

    @property
    def changes(self) -> int:
        """How many steps on items that are protected already the plan has."""
        return len(changes(self.verdicts))


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found, and the workflows to start: none where it stopped itself."""

    survey: Survey
    intents: tuple[EnsureProtected, ...]


@dataclass(frozen=True, slots=True)
class _Last:
    """What the sweep before this one left: verdicts and memories, so that both are read at once."""

    at: datetime
    in_scope: int
    seen: Mapping[str, Seen]
    memories: Mapping[str, Memory]
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Sweep:
    inventory: Inventory
    notebook: Notebook
    approvals: Approvals
    recalling: Recalling
    evidence: EvidenceLog
    journal: Journal
    blobs: Blobs
    clock: Clock
    book: Rulebook
    max_shrink: float
    config_digest: str

    def survey(self) -> Survey:
        """Look at the whole estate and plan for every VM. Changes nothing, writes nothing."""
        return self._survey(self._last()[0])[0]

    def seen(self, vm: VmId) -> Seen | None:
        """Return what the last sweep said of `vm`, None where it said nothing."""
        last, _ = self._last()
        return last.seen.get(str(vm)) if last else None

    def run(self) -> Swept:
        """
        Survey, record what changed, and return the workflows to start.

        Repeating it is harmless: a workflow that runs is not started again. Where far less is in
        scope than before, nothing is started until somebody approves. The first one of a ledger
        remembers what evidence of another ledger knows.
        """
        last, blob = self._last()
        if blob is None:
            self.recalling.recall()
        survey, memories = self._survey(last)
        before = dict(last.seen) if last else {}
        changed = [v for v in survey.verdicts if not _same(before.get(str(v.vm)), v)]
        gone = sorted(set(before) - {str(v.vm) for v in survey.verdicts})
        in_scope = last.in_scope if last and survey.shrunk else survey.count.in_scope
        # Evidence goes first: what a dying process tells twice is better than what it never told.
        record = self.evidence.append(Kind.SWEEP, "sweep", self._body(survey, changed, gone))
        if changed or gone or last is None or last.in_scope != in_scope:
            state = _Last(
                survey.at,
                in_scope,
                {str(v.vm): _seen(v) for v in survey.verdicts},
                {str(v.vm): memories[v.vm] for v in survey.verdicts if v.vm in memories},
            )
            content = json.dumps(to_json(state)).encode()
            try:
                self.blobs.replace(blob, content) if blob else self.blobs.create(LEDGER, content)
            except Stale:  # Two sweeps at once: the other one has written the same.
                return Swept(survey, ())
        stopped = survey.shrunk is not None
        work = () if stopped else tuple(EnsureProtected(v.vm) for v in survey.verdicts if v.due)
        self._remember_machines(survey, memories)
        self._note(survey, work, record)
        return Swept(survey, work)

    def _remember_machines(self, survey: Survey, memories: Mapping[VmId, Memory]) -> None:
        """Tell the workflows of VMs that were re-created which machine was protected before."""
        for verdict in survey.verdicts:
            if verdict.plan.reason is Reason.TO_CONFIRM:
                known = memories[verdict.vm]
                self.notebook.amend(verdict.vm, partial(_knowing, machine=known.machine))

    def _note(self, survey: Survey, work: Sequence[EnsureProtected], record: Record) -> None:
        sums = survey.count
        text = (
            f"{sums.vms} VMs, {sums.in_scope} in scope, {sums.protected} protected,"
            f" {len(work)} to look at"
        )
        if survey.shrunk:
            before = survey.shrunk.before
            text += f"; STOPPED: {before} were in scope before, approve plan {survey.hash[:12]}"
        self.journal.note("facts", "sweep", text, reasons=dict(sums.reasons))
        for intent in work:
            self.journal.note("intent", intent.key, "look at it (sweep)", vm=intent.vm)
        self.journal.note("evidence", "sweep", text, seq=record.seq, hash=record.hash)

    def _survey(self, last: _Last | None) -> tuple[Survey, dict[VmId, Memory]]:
        estate = self.inventory.observe_estate(self.book.rules.scope)
        memories = {VmId.parse(vm): m for vm, m in last.memories.items()} if last else {}
        memories.update(self.notebook.memories(last.at - OVERLAP if last else None))
        seen = {VmId.parse(vm): one for vm, one in last.seen.items()} if last else {}
        for vm, one in seen.items():  # What others protected, we know from having seen it.
            memory = memories.get(vm, Memory())
            if one.protected and not memory.machine:
                memories[vm] = replace(memory, machine=one.machine)
        memories.update(self._forgotten(estate, seen, last))
        judged = judge_estate(estate, memories, self.book)
        if any(v.due for v in judged) and self.notebook.pause() is not None:
            judged = tuple(held_by_pause(v) for v in judged)
        verdicts = lasting(judged, seen)
        sums = count(verdicts)
        shrunk = find_shrinking(last.in_scope, sums.in_scope, self.max_shrink) if last else None
        accepted = self.approvals.smallest_scope() if shrunk else None
        if accepted is not None and sums.in_scope >= accepted:
            shrunk = None
        survey = Survey(
            estate.at,
            verdicts,
            orphans(estate),
            sums,
            shrunk,
            plan_hash(verdicts),
            estate.unreadable,
        )
        return survey, memories

    def _forgotten(
        self, estate: Estate, seen: Mapping[VmId, Seen], last: _Last | None
    ) -> dict[VmId, Memory]:
        """Return what we remember of VMs that the last sweep did not see: new, or back again."""
        if last is None:
            return {}
        unseen = {vm.id for vm in estate.vms} - set(seen)
        if len(unseen) > FEW:
            return {vm: memory for vm, memory in self.notebook.memories(None) if vm in unseen}
        read = ((vm, self.notebook.memory(vm)) for vm in unseen)
        return {vm: memory for vm, memory in read if memory != Memory()}

    def _last(self) -> tuple[_Last | None, Any]:
        """
        Return what the last sweep left, with its document.

        One of another schema (a deployment was rolled back) is as good as none: what it knew beside
        the ledger is only since when each verdict has held.
        """
        blob = self.blobs.read(LEDGER)
        known = json.loads(blob.content) if blob else {}
        if known.get("schema") != SCHEMA:
            return None, blob
        try:
            return from_json(known, _Last), blob
        except Malformed:
            return None, blob

    def _body(
        self, survey: Survey, changed: Iterable[Verdict], gone: Iterable[str]
    ) -> dict[str, Any]:
        return {
            **asdict(survey.count),
            "unreadable": list(survey.unreadable),
            "orphans": [str(item.vm) for item in survey.orphans],
            "plan": survey.hash,
            "stopped": asdict(survey.shrunk) if survey.shrunk else None,
            "changed": [
                {
                    "vm": str(v.vm),
                    "machine": v.machine,
                    "reason": v.reason.name,
                    "since": v.since.isoformat(),
                    "vault": v.vault,
                    "policy": v.policy,
                }
                for v in changed
            ],
            "gone": list(gone),
            "config": self.config_digest,
        }


def _knowing(memory: Memory, machine: str) -> Memory:
    return memory if memory.machine else replace(memory, machine=machine)


def _seen(verdict: Verdict) -> Seen:
    return Seen(verdict.machine, verdict.reason, verdict.since, verdict.protected)


def _same(seen: Seen | None, verdict: Verdict) -> bool:
    if seen is None:
        return False
    before = (seen.machine, seen.reason, seen.protected)
    return before == (verdict.machine, verdict.reason, verdict.protected)
