"""
The restores of a vault, listed at most every five minutes for all restore tests that wait on it.

Azure counts reads of jobs by the hour, for everybody who reads them (AZURE: limits and throttling).
A list that could not be read is remembered as long as one that could.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.drill.facts import RestoreFacts
from vmbackup_core.domain.drill.outcomes import Listing, NotYet, Unavailable
from vmbackup_core.domain.errors import Malformed, Retryable
from vmbackup_core.domain.ids import VaultId, derive_key
from vmbackup_core.ports import Clock
from vmbackup_core.ports_drills import Restoring

AGE = timedelta(minutes=5)
BACK = timedelta(hours=50)  # As long as a restore test can last, and its cleaning.
SOON = timedelta(seconds=15)  # Somebody else is listing it.


@dataclass(frozen=True, slots=True)
class RestoreWatch:
    snapshots: Snapshots
    restoring: Restoring
    clock: Clock

    def look(self, vault: VaultId) -> Listing | Unavailable | NotYet:
        """Return the restores of `vault` as they were at most five minutes ago."""
        content = self._read(vault, None)
        if content is None:
            return NotYet(SOON)
        try:
            return _told(content)
        except Malformed:  # Another version of us wrote it.
            content = self._read(vault, self.clock.now())
            return NotYet(SOON) if content is None else _told(content)

    def _read(self, vault: VaultId, after: datetime | None) -> Any:
        name = f"restores/{derive_key('vault', str(vault))}"
        return self.snapshots.read(name, max_age=AGE, after=after, take=lambda: self._take(vault))

    def _take(self, vault: VaultId) -> Any:
        taken = self.clock.now()
        try:
            restores = self.restoring.observe_restores(vault, taken - BACK)
        except Retryable as error:
            again = max(error.after or AGE, AGE)
            return {"failed": str(error), "after": again.total_seconds()}
        return {"taken": taken.isoformat(), "restores": to_json(restores)}


def _told(content: Any) -> Listing | Unavailable:
    if "failed" in content:
        return Unavailable(content["failed"], timedelta(seconds=content["after"]))
    restores = from_json(content.get("restores"), tuple[RestoreFacts, ...])
    return Listing(datetime.fromisoformat(content["taken"]), restores)
