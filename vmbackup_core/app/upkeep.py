"""
The engine's own upkeep: forget workflows that ended long ago, tell of those that did not end.

The engine itself (Durable Functions) is asked by the trigger, which has its client; here is decided
what to ask for and what the answers mean.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.domain.errors import Malformed, Stale
from vmbackup_core.domain.upkeep import OLD, Family, Seen, Standstill, find_failed, find_stuck
from vmbackup_core.ports import Blob, Blobs, Clock, Journal

FOLDER = "workflows/"
FRESH = timedelta(days=2)  # What was told before that is told anew, or is over.
FAILED_BACK = timedelta(days=4)  # Those created before have failed before the last look.
MOST_TOLD = 20  # Lines of one look; the last line counts the rest.
ALARM = "alarm"  # The kind of line that is written as an error.
KEY = "workflows"
STUCK, FAILED = "workflow stuck:", "workflow failed:"  # Alarms match these words.


@dataclass(frozen=True, slots=True)
class Standing:
    """What one look found, as the digest reads it."""

    at: datetime
    stuck: tuple[Standstill, ...] = ()
    failed: tuple[Standstill, ...] = ()


@dataclass(frozen=True, slots=True)
class Upkeep:
    """
    The workflows of one app: `place` names it among those that share a state.

    `keep` is how long workflows that have ended are kept for people to look at.
    """

    blobs: Blobs
    journal: Journal
    clock: Clock
    keep: timedelta
    place: str

    def forget_before(self) -> datetime:
        """Return when a workflow must have been created that may be forgotten now."""
        return self.clock.now() - self.keep

    def old_before(self) -> datetime:
        """Return when a history must have begun that may be beyond every bound."""
        return self.clock.now() - OLD

    def failed_after(self) -> datetime:
        """Return since when workflows were created that may have failed since the last look."""
        return self.clock.now() - FAILED_BACK

    def report(self, listed: Iterable[Mapping[str, Any]]) -> Standing:
        """
        Tell of workflows that are stuck or have failed, and keep it for the digest.

        `listed` are the engine's own words: `key`, `name`, `state`, `created`, `heard` and
        `status`, what the workflow said of itself. One that is listed twice counts once.
        """
        now = self.clock.now()
        seen = [_seen(one) for one in listed]
        blob = self.blobs.read(self._document)
        last = _read(blob)
        since = last.at if last is not None else now - timedelta(days=1)
        found = Standing(now, find_stuck(seen, now), find_failed(seen, since))
        for words, told in ((STUCK, found.stuck), (FAILED, found.failed)):
            for one in told[:MOST_TOLD]:
                self.journal.note(ALARM, KEY, f"{words} {one}", workflow=one.key)
            if len(told) > MOST_TOLD:
                self.journal.note(ALARM, KEY, f"{words} {len(told) - MOST_TOLD} more")
        text = f"{len(found.stuck)} stuck, {len(found.failed)} failed"
        self.journal.note("facts", KEY, text)
        content = json.dumps(to_json(found)).encode()
        with suppress(Stale):  # Another instance has just told the same.
            if blob is None:
                self.blobs.create(self._document, content)
            else:
                self.blobs.replace(blob, content)
        return found

    def forgotten(self, number: int) -> None:
        """Note that so many workflows were forgotten."""
        self.journal.note("outcome", KEY, f"{number} that ended long ago forgotten", done=True)

    def standing(self) -> Standing:
        """Return what is stuck or has failed in all apps that share this state."""
        now = self.clock.now()
        found = [one for one in self._all() if now - one.at < FRESH]
        return Standing(
            now,
            tuple(stuck for one in found for stuck in one.stuck),
            tuple(failed for one in found for failed in one.failed),
        )

    def _all(self) -> Iterator[Standing]:
        for name in self.blobs.names(FOLDER):
            if (known := _read(self.blobs.read(name))) is not None:
                yield known

    @property
    def _document(self) -> str:
        return f"{FOLDER}{self.place}.json"


def _read(blob: Blob | None) -> Standing | None:
    """Return what a look found; None for one of another version, which is told anew."""
    if blob is None:
        return None
    try:
        return from_json(json.loads(blob.content), Standing)
    except (Malformed, ValueError):
        return None


def _seen(one: Mapping[str, Any]) -> Seen:
    said = one["status"] if isinstance(one["status"], Mapping) else {}
    began, due = said.get("began"), said.get("until")
    return Seen(
        key=one["key"],
        family=_family(one["name"], said.get("kind"), one["key"]),
        created=one["created"],
        heard=one["heard"],
        began=datetime.fromisoformat(began) if began else None,
        due=datetime.fromisoformat(due) if due else None,
        halted=one["state"] == "Suspended",
        failed=one["state"] == "Failed",
    )


def _family(name: str, said: str | None, key: str) -> Family:
    """Return what a workflow is for: it says so itself once it has taken a turn."""
    if name != "workflow":
        return Family.NIGHT
    kinds = (one for one in Family if said == one or key.startswith(one))
    return next(kinds, Family.DRILL)
