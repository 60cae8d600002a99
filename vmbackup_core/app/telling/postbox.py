"""
The postbox: letters are put in once, leave once, and stay in the ledger when they have left.

What is written before a letter leaves: its content (created once, so that every try sends the same)
and its claim in the ledger. After a crash in between, the service is asked whether it has the
letter's operation before anything is sent again; if that look comes too early or too late, at worst
the same operation id is sent twice.
"""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.domain.errors import BackupError, Malformed, Rejected, Retryable, Stale
from vmbackup_core.domain.telling.letters import Attachment, Letter, operation_id
from vmbackup_core.domain.telling.postage import (
    Box,
    Budget,
    Fold,
    Mark,
    Posted,
    Send,
    claim,
    forget_old,
    next_posting,
    put_off,
    split_letter,
)
from vmbackup_core.ports import Blob, Blobs, Clock, Journal
from vmbackup_core.ports_mails import Mailer

DOCUMENT = "mails/postbox.json"
MOST_AT_ONCE = 30  # Letters of one delivery; the next timer goes on.
REST = timedelta(minutes=5)  # Where the service has no room and does not say for how long.
_RACES = 8


@dataclass(frozen=True, slots=True)
class Postbox:
    """`mailer` is None where no mail service is configured: then letters wait."""

    blobs: Blobs
    mailer: Mailer | None
    budget: Budget
    clock: Clock
    journal: Journal

    def read(self) -> Box:
        return self._load()[0]

    def post(self, *letters: Letter) -> None:
        """Put letters in, each key once for good: one that was put in before stays as it was."""
        now = self.clock.now()
        for letter in letters:
            with suppress(Stale):
                self.blobs.create(_place(letter.key), _written(letter))
        self._amend(lambda box: box.put(*(_posted(one, now) for one in letters if _new(box, one))))

    def letter(self, key: str) -> Letter | None:
        """Return a letter's content, None where none of that key was ever put in."""
        blob = self.blobs.read(_place(key))
        return _read(blob) if blob else None

    def letter_of(self, operation: str) -> Letter | None:
        """Return the letter that was sent under this operation id, as far as it is remembered."""
        known = self.read().letters
        key = next((one.key for one in known if operation_id(one.key) == operation.lower()), None)
        return self.letter(key) if key else None

    def deliver(self) -> tuple[str, ...]:
        """
        Send what can be sent now; return the addresses that the service will never take.

        One letter after the other, each claimed before and marked after. Where somebody else writes
        the ledger at the same moment, he delivers.
        """
        refused: list[str] = []
        if self.mailer is None:
            return ()
        for _ in range(MOST_AT_ONCE):
            box, blob = self._load()
            now = self.clock.now()
            match next_posting(box, now, self.budget):
                case None:
                    break
                case Fold(letters):
                    self._fold(letters)
                case Send(letter, look_first) as send:
                    try:
                        self._save(claim(box, send, now), blob)
                    except Stale:
                        break
                    refused += self._send(self.mailer, letter, look_first=look_first)
        return tuple(refused)

    def _send(self, mailer: Mailer, posted: Posted, *, look_first: bool) -> tuple[str, ...]:
        """Send a claimed letter, and write down what came of it."""
        letter, operation = self.letter(posted.key), operation_id(posted.key)
        if letter is None:
            raise Malformed(f"letter {posted.key} has no content")
        taken = replace(posted, tries=posted.tries + 1)
        try:
            if not (look_first and mailer.knows(operation)):
                mailer.send(letter, operation)
        except Rejected as error:
            return self._refuse(letter, taken, str(error))
        except BackupError as error:
            self._put_off(taken, error, look_first=look_first)
            return ()
        now = self.clock.now()
        self._mark(replace(taken, mark=Mark.SENT, until=None, sent=now, told=""))
        self.journal.note("outcome", posted.key, f"sent: {posted.subject}")
        return ()

    def _put_off(self, posted: Posted, error: BackupError, *, look_first: bool) -> None:
        """Let a letter wait; where the service has no room, let all of them."""
        now = self.clock.now()
        retryable = error if isinstance(error, Retryable) else None
        full = retryable is not None and error.status == 429
        rests = now + (retryable.after or REST) if retryable and full else None
        maybe = look_first or (retryable is not None and retryable.maybe_done)
        waits = put_off(posted, now, str(error), maybe_sent=maybe)
        if full:
            waits = replace(waits, until=rests, tries=posted.tries - 1)

        def waiting(box: Box) -> Box:
            return replace(box.put(waits), rests_until=rests or box.rests_until)

        self._amend(waiting)
        self.journal.note("outcome", posted.key, f"not sent yet: {error}")

    def _refuse(self, letter: Letter, posted: Posted, told: str) -> tuple[str, ...]:
        """Give a letter up; of several recipients, each gets one of his own."""
        gone = replace(posted, mark=Mark.REFUSED, until=None, told=told)
        self.journal.note("outcome", posted.key, f"refused: {told}")
        if len(posted.to) == 1:
            self._mark(gone)
            return posted.to
        self.post(*split_letter(letter))
        self._mark(gone)
        return ()

    def _fold(self, letters: tuple[Posted, ...]) -> None:
        """Make one letter of these; of one that is made of several, its parts count."""
        from vmbackup_core.app.telling.rendering import render_folded

        known = self.read()
        parts = tuple(part for one in letters for part in known.parts(one))
        found = [self.letter(part.key) for part in parts]
        folded = render_folded(tuple(one for one in found if one is not None))
        now = self.clock.now()
        with suppress(Stale):
            self.blobs.create(_place(folded.key), _written(folded))

        def instead(box: Box) -> Box:
            present = [box.find(one.key) for one in letters]
            if any(one is None or one.mark is not Mark.WAITING for one in present):
                return box  # Somebody has begun to send one of them.
            gone = [replace(one, mark=Mark.FOLDED) for one in letters]
            within = [replace(one, mark=Mark.FOLDED, within=folded.key) for one in parts]
            first = min(one.posted for one in letters)
            return box.put(*gone, *within, replace(_posted(folded, now), posted=first))

        self._amend(instead)
        self.journal.note("plan", folded.key, f"{len(parts)} letters become one")

    def _mark(self, posted: Posted) -> None:
        self._amend(lambda box: box.put(posted))

    def _amend(self, change: Callable[[Box], Box]) -> None:
        for _ in range(_RACES):
            box, blob = self._load()
            after = forget_old(change(box), self.clock.now())
            if after == box:
                return
            try:
                self._save(after, blob)
            except Stale:
                continue
            return
        raise Retryable(f"{DOCUMENT} is being written by many")

    def _load(self) -> tuple[Box, Blob | None]:
        blob = self.blobs.read(DOCUMENT)
        return (from_json(json.loads(blob.content), Box), blob) if blob else (Box(), None)

    def _save(self, box: Box, over: Blob | None) -> None:
        content = json.dumps(to_json(box), separators=(",", ":")).encode()
        if over is None:
            self.blobs.create(DOCUMENT, content)
        else:
            self.blobs.replace(over, content)


def _place(key: str) -> str:
    return f"mails/letters/{key}.json"


def _new(box: Box, letter: Letter) -> bool:
    return box.find(letter.key) is None


def _posted(letter: Letter, now: datetime) -> Posted:
    to = (*letter.to, *letter.copy)
    return Posted(
        letter.key,
        now,
        to,
        letter.subject,
        urgent=letter.urgent,
        html=len(letter.html.encode()),
        files=sum(len(file.content) for file in letter.attachments),
    )


def _written(letter: Letter) -> bytes:
    files = [
        {"name": one.name, "kind": one.kind, "base64": base64.b64encode(one.content).decode()}
        for one in letter.attachments
    ]
    return json.dumps(
        {
            "key": letter.key,
            "to": letter.to,
            "copy": letter.copy,
            "subject": letter.subject,
            "plain": letter.plain,
            "html": letter.html,
            "urgent": letter.urgent,
            "files": files,
        }
    ).encode()


def _read(blob: Blob) -> Letter:
    raw = json.loads(blob.content)
    files = tuple(
        Attachment(one["name"], one["kind"], base64.b64decode(one["base64"]))
        for one in raw["files"]
    )
    return Letter(
        raw["key"],
        tuple(raw["to"]),
        tuple(raw["copy"]),
        raw["subject"],
        raw["plain"],
        raw["html"],
        files,
        raw["urgent"],
    )
