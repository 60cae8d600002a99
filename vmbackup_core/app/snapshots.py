"""
What is known of a vault or a region, read once for all that wait on it.

A snapshot is a document with the time at which it was taken. Whoever finds it too old and wins the
race for it refreshes it with one read; the others take what is there, or come back. So a thousand
waiting workflows cost the provider one list a minute, not a thousand.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.errors import Stale
from vmbackup_core.ports import Blob, Blobs, Clock

CLAIM = timedelta(seconds=60)  # How long a refresher that died keeps others out.


@dataclass(frozen=True, slots=True)
class Snapshots:
    blobs: Blobs
    clock: Clock

    def read(
        self, name: str, *, max_age: timedelta, after: datetime | None, take: Callable[[], Any]
    ) -> Any | None:
        """
        Return the snapshot's content (JSON), at most `max_age` old and taken after `after`.

        Refreshes it with `take` where it is too old and nobody else is at it; None where somebody
        is: come back in some seconds. Errors of `take` pass through.
        """
        path = f"snapshots/{name}.json"
        found = self.blobs.read(path)
        now = self.clock.now()
        known = json.loads(found.content) if found else {}
        taken = _time(known.get("taken"))
        if taken and taken >= now - max_age and (after is None or taken > after):
            return known["content"]
        claimed = _time(known.get("claimed"))
        if claimed and claimed > now - CLAIM:
            return None
        claim = {**known, "claimed": now.isoformat()}
        try:
            ours = self._write(path, found, claim)
        except Stale:
            return None  # Somebody was faster; what they took is there at the next look.
        content = take()
        with suppress(
            Stale
        ):  # We took longer than a claim lasts: what we read is true all the same.
            self._write(path, ours, {"taken": now.isoformat(), "content": content})
        return content

    def _write(self, path: str, found: Blob | None, value: Any) -> Blob:
        content = json.dumps(value).encode()
        return self.blobs.replace(found, content) if found else self.blobs.create(path, content)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
