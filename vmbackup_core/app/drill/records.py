"""
The evidence of restore tests: one record each, and what all of them together say of every VM.

What they say is kept folded in a document beside the evidence, with the number of the last record
that went into it; so a night reads only what is new. The document can be thrown away at any time:
it is made again from the evidence.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.domain.drill.evidence import body_of
from vmbackup_core.domain.drill.history import Histories, fold
from vmbackup_core.domain.drill.orders import DrillRecord
from vmbackup_core.domain.errors import Malformed, Stale
from vmbackup_core.domain.evidence import Kind, Record
from vmbackup_core.ports import Blob, Blobs, Clock, Journal, Row, Rows

DOCUMENT = "drills/histories.json"
SCHEMA = 1  # Of the document: one of another schema is made again.
_PARTITION = "drill-record"


@dataclass(frozen=True, slots=True)
class _Folded:
    """`read` has, for each month since `first`, the number of the last record that went in."""

    schema: int
    first: str
    read: Mapping[str, int]
    histories: Histories


@dataclass(frozen=True, slots=True)
class DrillRecords:
    rows: Rows
    evidence: EvidenceLog
    blobs: Blobs
    journal: Journal
    clock: Clock
    config_digest: str

    def write(self, record: DrillRecord) -> None:
        """
        Write the record of a restore test, once for each run: the first one stays.

        Where the process dies between the evidence and the note that it is written, the next try
        writes it a second time, with the same run; whoever folds records counts it once.
        """
        run, order = record.order.run, record.order
        if self._place(run) is not None:
            return
        written = self.follow_up(run, body_of(record, self.config_digest))
        text = f"{record.verdict.name}: {record.outcome}"
        self.journal.note("evidence", run, text, vm=order.vm, seq=written.seq, hash=written.hash)
        with suppress(Stale):  # Somebody wrote the same run's record at the same moment.
            values = {"at": written.at.isoformat(), "seq": str(written.seq)}
            self.rows.put(Row(_PARTITION, run, values))

    def written(self, run: str) -> bool:
        """Tell whether the run has its record."""
        return self._place(run) is not None

    def body(self, run: str) -> Mapping[str, Any] | None:
        """Return the body of the run's record, None where it has none yet."""
        if (place := self._place(run)) is None:
            return None
        record = self.evidence.read(Kind.DRILL, *place)
        return record["body"] if record else None

    def follow_up(self, key: str, body: Mapping[str, Any]) -> Record:
        """Write something more about a run, or about a slot. Done twice is two records."""
        return self.evidence.append(Kind.DRILL, key, body)

    def histories(self, longest: timedelta, *, keep: bool = True) -> Histories:
        """
        Return what all records of the last `longest` say, and maybe of more.

        Reads what is new since it was last asked to `keep` what it read. Whoever asks at the same
        moment does the same work, and comes to the same.
        """
        blob = self.blobs.read(DOCUMENT)
        months = list(_months(self.clock.now() - longest, self.clock.now()))
        known = _parse(blob, f"{months[0]:%Y-%m}")
        read, bodies = dict(known.read), list[Mapping[str, Any]]()
        for month in months:
            name = f"{month:%Y-%m}"
            seq = read.get(name, 0)
            while (record := self.evidence.read(Kind.DRILL, month, seq + 1)) is not None:
                bodies.append(record["body"])
                seq += 1
            read[name] = seq
        folded = _Folded(SCHEMA, known.first, read, fold(known.histories, bodies))
        if not bodies or not keep:
            return folded.histories
        content = json.dumps(to_json(folded)).encode()
        with suppress(Stale):  # Another reader was faster, and wrote the same or more.
            if blob is None:
                self.blobs.create(DOCUMENT, content)
            else:
                self.blobs.replace(blob, content)
        return folded.histories

    def _place(self, run: str) -> tuple[datetime, int] | None:
        row = self.rows.get(_PARTITION, run)
        return (datetime.fromisoformat(row.values["at"]), int(row.values["seq"])) if row else None


def _parse(blob: Blob | None, first: str) -> _Folded:
    """
    Return what was folded before, if it reaches back to the month `first`; else nothing.

    Records are folded in their order, so what begins too late is made again from its beginning.
    """
    nothing = _Folded(SCHEMA, first, {}, Histories())
    if blob is None:
        return nothing
    try:
        folded = from_json(json.loads(blob.content), _Folded)
    except (Malformed, ValueError):
        return nothing
    return folded if folded.schema == SCHEMA and folded.first <= first else nothing


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield a day of each month from `first` to `last`."""
    month = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)
