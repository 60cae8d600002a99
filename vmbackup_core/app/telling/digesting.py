"""
The digests: owners' of their VMs, and the operators' daily one, whose absence is an alarm.

A digest's key follows from its time, so that one is put into the postbox once, whoever makes it and
however often.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.sweep import Sweep
from vmbackup_core.app.telling.incident_book import IncidentBook
from vmbackup_core.app.telling.paying import Teller
from vmbackup_core.app.telling.postbox import Postbox
from vmbackup_core.app.upkeep import Standing as Workflows
from vmbackup_core.domain.drill.evidence import DRILL
from vmbackup_core.domain.drill.history import Histories
from vmbackup_core.domain.drill.rungs import Verdict as Proof
from vmbackup_core.domain.errors import Stale
from vmbackup_core.domain.evidence import Kind, chain_name
from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.schedules import Daily
from vmbackup_core.domain.telling.digests import (
    Drilled,
    Head,
    Today,
    Waiting,
    digest_due,
    write_alive_digest,
    write_owner_digest,
)
from vmbackup_core.domain.telling.mail_lines import Background
from vmbackup_core.domain.telling.mail_rules import MailRules
from vmbackup_core.domain.telling.mail_words import spell_time
from vmbackup_core.domain.telling.routing import Recipients, Refused, find_changes, find_recipients
from vmbackup_core.domain.telling.watching import Watched
from vmbackup_core.domain.verdicts import Verdict
from vmbackup_core.ports import Blob, Blobs, Clock

DOCUMENT = "mails/digests.json"
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Sent:
    """When the last digests were due, how many operators' there were, and whose VMs were whose."""

    alive: datetime | None = None
    number: int = 0
    owners_at: datetime | None = None
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Digesting:
    """
    `quarantined` names slots of restore tests that hold what nobody removed, and `standing` tells
    of workflows that should have ended.
    """

    book: IncidentBook
    teller: Teller
    postbox: Postbox
    sweep: Sweep
    evidence: EvidenceLog
    blobs: Blobs
    clock: Clock
    mail: MailRules
    quarantined: Callable[[], tuple[str, ...]]
    standing: Callable[[], Workflows]

    def run(self) -> None:
        """Put in the digests that are due, and send what can be sent."""
        now = self.clock.now()
        sent, blob = self._load()
        alive = digest_due(Daily(self.mail.alive_at), sent.alive, now)
        schedule = self.mail.owner_digest
        owners = digest_due(schedule, sent.owners_at, now) if schedule else None
        if alive is None and owners is None:
            return
        known, _ = self.book.load()
        histories = self.teller.histories()
        whose = _whose(known, self.mail)
        if owners is not None:
            self._write_owners(known, whose, histories, owners, sent.owners_at or owners - WEEK)
            sent = replace(sent, owners_at=owners)
        if alive is not None:
            self._write_alive(known, whose, histories, alive, sent)
            names = {vm: one.owners for vm, one in whose.items()}
            sent = replace(sent, alive=alive, number=sent.number + 1, owners=names)
        self._save(sent, blob)

    def _write_owners(
        self,
        known: Watched,
        whose: Mapping[str, Recipients],
        histories: Histories | None,
        due: datetime,
        since: datetime,
    ) -> None:
        from vmbackup_core.app.telling.rendering import render_owner_digest

        vms_of: dict[str, set[str]] = {}
        for vm, recipients in whose.items():
            for owner in recipients.owners:
                vms_of.setdefault(owner.lower(), set()).add(vm)
        about = self._backgrounds(known, histories)
        for owner, vms in sorted(vms_of.items()):
            own = [one for one in about if one.incident.subject.id in vms]
            digest = write_owner_digest(owner, len(vms), own, since, due)
            key = derive_key("digest", "owner", owner, due.isoformat())
            self.postbox.post(*render_owner_digest(digest, key=key))

    def _write_alive(
        self,
        known: Watched,
        whose: Mapping[str, Recipients],
        histories: Histories | None,
        due: datetime,
        sent: Sent,
    ) -> None:
        from vmbackup_core.app.telling.rendering import render_alive_digest

        since = sent.alive or due - DAY
        survey = self.sweep.survey()
        refused = {one for recipients in whose.values() for one in recipients.refused}
        today = Today(
            count=survey.count,
            drilled=self._drilled(since) if histories is not None else None,
            opted_out=_opted_out(survey.verdicts, since),
            heads=tuple(self._heads()),
            waiting=_waiting(survey.verdicts),
            rerouted=find_changes(sent.owners, {vm: one.owners for vm, one in whose.items()}),
            refused=tuple(sorted(refused, key=_by_address)),
            unsent=len(self.postbox.read().waiting),
            sources=_unread(known),
            stuck=tuple(map(str, self.standing().stuck)),
        )
        about = self._backgrounds(known, histories)
        digest = write_alive_digest(sent.number + 1, today, about, since, due)
        key = derive_key("digest", "alive", due.isoformat())
        to = self.mail.routing.default
        self.postbox.post(*render_alive_digest(digest, key=key, to=to))

    def _backgrounds(self, known: Watched, histories: Histories | None) -> list[Background]:
        incidents = known.book.incidents
        return [self.teller.background(known, one, histories) for one in incidents]

    def _heads(self) -> Iterator[Head]:
        now = self.clock.now()
        for kind in Kind:
            seq, hash_ = self.evidence.head(kind, now)
            if seq:
                yield Head(chain_name(kind, now), seq, hash_)

    def _drilled(self, since: datetime) -> Drilled:
        """Count what restore tests came to, from their evidence of this month and the last."""
        now = self.clock.now()
        found = dict.fromkeys(Proof, 0)
        for month in {chain_name(Kind.DRILL, at): at for at in (since, now)}.values():
            seq, _ = self.evidence.head(Kind.DRILL, month)
            while seq and (record := self.evidence.read(Kind.DRILL, month, seq)) is not None:
                if datetime.fromisoformat(record["at"]) < since:
                    break
                if record["body"].get("what") == DRILL:
                    found[Proof[record["body"]["verdict"]]] += 1
                seq -= 1
        return Drilled(
            passed=found[Proof.PROVEN],
            failed=found[Proof.FAILED],
            not_run=found[Proof.NOT_PROVEN],
            leftovers=len(self.quarantined()),
        )

    def _load(self) -> tuple[Sent, Blob | None]:
        blob = self.blobs.read(DOCUMENT)
        return (from_json(json.loads(blob.content), Sent), blob) if blob else (Sent(), None)

    def _save(self, sent: Sent, over: Blob | None) -> None:
        content = json.dumps(to_json(sent)).encode()
        try:
            if over is None:
                self.blobs.create(DOCUMENT, content)
            else:
                self.blobs.replace(over, content)
        except Stale:  # Another one has put in the same digests.
            return


def _whose(known: Watched, mail: MailRules) -> dict[str, Recipients]:
    return {vm: find_recipients(known.place(vm), mail.routing) for vm in known.vms}


def _by_address(refused: Refused) -> tuple[str, str]:
    return refused.address, refused.why


def _opted_out(verdicts: tuple[Verdict, ...], since: datetime) -> tuple[str, ...]:
    opted = (one for one in verdicts if one.reason is Reason.OPTED_OUT and one.since > since)
    return tuple(one.name for one in opted)


def _waiting(verdicts: tuple[Verdict, ...]) -> tuple[Waiting, ...]:
    """Return what only a person can end, by reasons, and how many VMs each keeps."""
    found: dict[Reason, int] = {}
    for one in verdicts:
        if one.reason.standing is Standing.HUMAN:
            found[one.reason] = found.get(one.reason, 0) + 1
    return tuple(Waiting(reason.text, vms) for reason, vms in found.items())


def _unread(known: Watched) -> tuple[str, ...]:
    if known.log_failing is None:
        return ()
    return (f"Log Analytics, since {spell_time(known.log_failing)}",)
