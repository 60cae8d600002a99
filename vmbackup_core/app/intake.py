"""
Take in what comes from outside: an event becomes a hint, and what cannot be read is kept.

Nothing that arrives is lost: bytes that make no sense lie, with the reason, where an operator finds
them (`vmbackup kept`).
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.errors import Malformed, Stale
from vmbackup_core.domain.events import Unrelated, parse_event
from vmbackup_core.domain.intents import EnsureProtected
from vmbackup_core.domain.rules import Scope
from vmbackup_core.ports import Blobs, Clock, Journal


@dataclass(frozen=True, slots=True)
class Kept:
    """One input that could not be understood."""

    name: str
    at: datetime
    why: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Intake:
    notebook: Notebook
    blobs: Blobs
    journal: Journal
    clock: Clock
    scope: Scope

    def receive(
        self, event_type: str, subject: str, data: object, raw: bytes
    ) -> EnsureProtected | None:
        """
        Take in one event; return the workflow to start, None where it concerns no VM of ours.

        The hint is counted before this returns, so that a workflow which runs already sees it. An
        event that makes no sense is kept with its bytes `raw`, and is no error: repeating it would
        change nothing.
        """
        try:
            event = parse_event(event_type, subject, data)
        except Malformed as error:
            self.keep(raw, str(error))
            return None
        if isinstance(event, Unrelated):
            self.journal.note("event", "", f"not about a VM: {event.operation}")
            return None
        intent = EnsureProtected(event.vm)
        self.journal.note("event", intent.key, type(event).__name__, vm=event.vm)
        if not self.scope.watches(event.vm.subscription) or self.scope.is_for_drills(event.vm):
            return None
        number = self.notebook.raise_hint(event.vm)
        self.journal.note("intent", intent.key, f"look at it (hint {number})", vm=event.vm)
        return intent

    def keep(self, raw: bytes, why: str) -> None:
        """Keep an input that makes no sense; the same bytes on one day are kept once."""
        now = self.clock.now()
        name = f"kept/{now:%Y-%m-%d}/{hashlib.sha256(raw).hexdigest()[:32]}.json"
        record: dict[str, Any] = {
            "at": now.isoformat(),
            "why": why,
            "base64": base64.b64encode(raw).decode(),
        }
        self.notebook.tally("kept")
        self.journal.note("event", "", f"not understood, kept as {name}: {why}")
        try:
            self.blobs.create(name, json.dumps(record).encode())
        except Stale:
            return

    def kept(self) -> Iterator[Kept]:
        """Yield what is kept, oldest day first."""
        for name in self.blobs.names("kept/"):
            if (blob := self.blobs.read(name)) is not None:
                record = json.loads(blob.content)
                at = datetime.fromisoformat(record["at"])
                yield Kept(name, at, record["why"], base64.b64decode(record["base64"]))
