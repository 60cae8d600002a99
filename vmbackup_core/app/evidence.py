"""The evidence log: appends to the chain of a kind and month, whoever else appends to it too."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vmbackup_core.domain.errors import Retryable, Stale
from vmbackup_core.domain.evidence import (
    GENESIS,
    Kind,
    Record,
    canonical,
    chain_name,
    record_name,
)
from vmbackup_core.ports import Blobs, Clock

_RACES = 50


@dataclass(frozen=True, slots=True)
class EvidenceLog:
    """
    Append-only records in `blobs`, which may be immutable.

    A record is created at the next number or not at all; the loser of a race reads the winner's and
    goes behind it. The head is kept in memory, and found by doubling steps where it is not known.
    """

    blobs: Blobs
    clock: Clock
    _heads: dict[str, tuple[int, str]] = field(default_factory=dict)

    def append(self, kind: Kind, key: str, body: Mapping[str, Any]) -> Record:
        """Write one record and return it. Done twice is two records."""
        at = self.clock.now()
        chain = chain_name(kind, at)
        for _ in range(_RACES):
            seq, prev = self.head(kind, at)
            record = Record(seq + 1, at, kind, key, prev, body).sealed()
            try:
                self.blobs.create(record_name(kind, at, seq + 1), canonical(record.to_json()))
            except Stale:
                winner = self.read(kind, at, seq + 1)
                if winner is not None:
                    self._heads[chain] = (seq + 1, winner["hash"])
                continue
            self._heads[chain] = (record.seq, record.hash)
            return record
        raise Retryable(f"the evidence chain {chain} is being written by many")

    def read(self, kind: Kind, at: datetime, seq: int) -> Mapping[str, Any] | None:
        """Return record `seq` of the chain of `kind` in the month of `at`, None where it ends."""
        blob = self.blobs.read(record_name(kind, at, seq))
        return json.loads(blob.content) if blob else None

    def chain(self, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield name and JSON of every record below `prefix`, in order."""
        for name in self.blobs.names(prefix):
            if (blob := self.blobs.read(name)) is not None:
                yield name, json.loads(blob.content)

    def head(self, kind: Kind, at: datetime) -> tuple[int, str]:
        """
        Return number and hash of the newest record of a chain: (0, zeros) for one that is empty.

        One that others write to may be a little older than the newest.
        """
        if (known := self._heads.get(chain_name(kind, at))) is not None:
            return known
        low, step = 0, 1  # Record `low` exists (0 always does); look ever further ahead.
        while self.read(kind, at, low + step) is not None:
            low, step = low + step, step * 2
        while step > 1:
            step //= 2
            if self.read(kind, at, low + step) is not None:
                low += step
        head = self.read(kind, at, low) if low else None
        return low, head["hash"] if head else GENESIS
