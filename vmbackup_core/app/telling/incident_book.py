"""
The incident book: everything known between looks, in one document, written by whoever is first.

One document, because a look that told of an incident and one that owes its mail must be the same
write: so no crash and no second instance can lose a mail, or owe it twice.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.domain.errors import Malformed, Retryable, Stale
from vmbackup_core.domain.telling.incident_groups import Book
from vmbackup_core.domain.telling.mutes import Mute
from vmbackup_core.domain.telling.watching import Watched
from vmbackup_core.ports import Blob, Blobs

DOCUMENT = "incidents/book.json"
_RACES = 8


@dataclass(frozen=True, slots=True)
class IncidentBook:
    """Reads the document each time, and what it says only where that is new: it may be large."""

    blobs: Blobs
    _last: dict[bytes, Watched] = field(default_factory=dict, repr=False, compare=False)

    def load(self) -> tuple[Watched, Blob | None]:
        """
        Return what is known, with its document; nothing where there is none yet.

        Raises Malformed for one that another version wrote: to begin anew would tell everything
        again.
        """
        blob = self.blobs.read(DOCUMENT)
        if blob is None:
            return Watched(), None
        known = self._last.get(blob.content)
        if known is None:
            try:
                known = from_json(json.loads(blob.content), Watched)
            except ValueError as error:
                raise Malformed(f"{DOCUMENT} is no JSON") from error
            self._last.clear()
            self._last[blob.content] = known
        return known, blob

    def save(self, watched: Watched, over: Blob | None) -> None:
        """Write what is known over what was read. Raises Stale where somebody else has."""
        content = json.dumps(to_json(watched), separators=(",", ":")).encode()
        if over is None:
            self.blobs.create(DOCUMENT, content)
        elif content != over.content:
            self.blobs.replace(over, content)

    def read(self) -> Book:
        """Return the incidents and groups that are remembered."""
        return self.load()[0].book

    def amend(self, change: Callable[[Watched], Watched]) -> Watched:
        """
        Change what is known, as it is at that moment, and return it.

        `change` may be called again with something newer. Raises Retryable in a storm of writers.
        """
        for _ in range(_RACES):
            known, blob = self.load()
            after = change(known)
            if after == known:
                return known
            try:
                self.save(after, blob)
            except Stale:
                continue
            return after
        raise Retryable(f"{DOCUMENT} is being written by many")

    def mute(self, mute: Mute, now: datetime) -> None:
        """Set a mute, in the place of one that is about the same."""
        self.amend(
            lambda known: replace(
                known, mutes=(*_others(known.mutes, mute.about, mute.cause, now), mute)
            )
        )

    def accept(self, subjects: Iterable[str]) -> None:
        """Let the next look take what these vaults or VMs promise then as what is wanted."""
        wanted = set(subjects)
        self.amend(lambda known: replace(known, accepted=tuple(sorted({*known.accepted, *wanted}))))

    def unmute(self, about: str, now: datetime) -> bool:
        """End all mutes about one thing; False where there is none."""
        found = False

        def without(known: Watched) -> Watched:
            nonlocal found
            kept = tuple(one for one in known.mutes if one.about.lower() != about.lower())
            found = len(kept) < len(known.mutes)
            return replace(known, mutes=kept)

        self.amend(without)
        return found


def _others(mutes: tuple[Mute, ...], about: str, cause: object, now: datetime) -> tuple[Mute, ...]:
    """Return the mutes that still hold and are about something else."""
    return tuple(
        one
        for one in mutes
        if one.until > now and (one.about.lower(), one.cause) != (about.lower(), cause)
    )
