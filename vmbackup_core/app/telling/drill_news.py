"""
What restore tests came to since the last look: their evidence, read on from where it was read.

Costs one read of the evidence where there is nothing new.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.domain.drill.leases import Lease
from vmbackup_core.domain.evidence import Kind
from vmbackup_core.domain.telling.drill_troubles import (
    DrillsRead,
    find_drill_troubles,
    find_slot_troubles,
)
from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.troubles import Sighting, Wellness
from vmbackup_core.ports import Clock

MOST = 500  # Records in one look; the next look goes on.
FIRST_BACK = timedelta(days=2)  # What is older is told to nobody by the first look.

type Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DrillNews:
    """`quarantined` are the slots that nobody uses before somebody has looked."""

    evidence: EvidenceLog
    clock: Clock
    quarantined: Callable[[], tuple[Lease, ...]]

    def read_on(
        self, read: DrillsRead, names: Mapping[str, str], incidents: Iterable[Incident]
    ) -> tuple[DrillsRead, tuple[Sighting | Wellness, ...]]:
        """
        Return how far was read now, and what restore tests found since `read`.

        `names` are those of VMs by id, `incidents` those that are known.
        """
        now = self.clock.now()
        read = read if read.month else self._begin(now)
        bodies = []
        for month, seq, record in self._records(read, now):
            bodies.append(record["body"])
            read = replace(read, month=month, seq=seq)
            if len(bodies) == MOST:
                break
        read, found = find_drill_troubles(read, bodies, names)
        return read, (*found, *find_slot_troubles(self.quarantined(), incidents, now))

    def _begin(self, now: datetime) -> DrillsRead:
        """Return where the first look begins: with what was written lately, this month."""
        seq, _ = self.evidence.head(Kind.DRILL, now)
        for _ in range(MOST):
            record = self.evidence.read(Kind.DRILL, now, seq) if seq else None
            if record is None or datetime.fromisoformat(record["at"]) < now - FIRST_BACK:
                break
            seq -= 1
        return DrillsRead(_month_of(now), seq)

    def _records(self, read: DrillsRead, now: datetime) -> Iterator[tuple[datetime, int, Record]]:
        """Yield the records after `read`, with their month and number."""
        month, seq = read.month or _month_of(now), read.seq
        while month <= now:
            while (record := self.evidence.read(Kind.DRILL, month, seq + 1)) is not None:
                seq += 1
                yield month, seq, record
            month, seq = _month_of(month + timedelta(days=31)), 0


def _month_of(at: datetime) -> datetime:
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
