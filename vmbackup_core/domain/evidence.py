"""
Evidence: what was decided and done, in records that each carry the hash of the one before.

A chain can be checked by anybody with a copy and the standard library: the hash is the SHA-256 of
the record without its `hash`, as canonical JSON (sorted keys, no spaces, UTF-8).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

SCHEMA = 1
GENESIS = "0" * 64
FIELDS = ("schema", "seq", "at", "kind", "key", "prev", "hash", "body")


class Kind(StrEnum):
    """One chain for each kind and month."""

    PROTECTION = "protection"  # What one workflow did to one VM, and what it saw afterwards.
    SWEEP = "sweep"  # One summary for each sweep, with the verdicts that changed.
    CONTROL = "control"  # What people decided: pauses and approvals.
    DRILL = "drill"  # What became of one restore test, also of one that could not start.


def canonical(value: Any) -> bytes:
    """
    Return the one byte form of a JSON value.

    Half of a surrogate pair, which JSON can carry and UTF-8 cannot, is written as `json` reads it.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="surrogatepass")


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value's canonical form, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


@dataclass(frozen=True, slots=True)
class Record:
    """One link of a chain; `seq` counts from 1 within its kind and month."""

    seq: int
    at: datetime
    kind: Kind
    key: str
    prev: str
    body: Mapping[str, Any]
    hash: str = ""
    schema: int = SCHEMA

    def sealed(self) -> "Record":
        """Return the record with its hash."""
        bare = {k: v for k, v in self.to_json().items() if k != "hash"}
        return Record(
            self.seq, self.at, self.kind, self.key, self.prev, self.body, digest(bare), self.schema
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": self.schema,
            "seq": self.seq,
            "at": self.at.isoformat(),
            "kind": str(self.kind),
            "key": self.key,
            "prev": self.prev,
            "hash": self.hash,
            "body": dict(self.body),
        }


def chain_name(kind: Kind, at: datetime) -> str:
    """Return the folder of the chain that a record of `kind` at `at` belongs to."""
    return f"{kind}/{at:%Y-%m}"


def record_name(kind: Kind, at: datetime, seq: int) -> str:
    return f"{chain_name(kind, at)}/{seq:08}.json"


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold, and why."""

    seq: int
    why: str


def find_break(records: Iterable[Mapping[str, Any]]) -> Break | None:
    """
    Return the first broken link of one chain, given as JSON in order; None where all hold.

    A tail that was cut off cannot be seen from the chain alone: compare the head's hash with the
    one that was sent out of the house.
    """
    prev, expected = GENESIS, 1
    for record in records:
        seq = record.get("seq")
        if (missing := [name for name in FIELDS if name not in record]) or set(record) - set(
            FIELDS
        ):
            return Break(expected, f"fields are not those of a record (missing: {missing})")
        if seq != expected:
            return Break(expected, f"record {expected} is missing: the next one is {seq}")
        if record["prev"] != prev:
            return Break(expected, "does not carry the hash of the record before it")
        bare = {name: value for name, value in record.items() if name != "hash"}
        if digest(bare) != record["hash"]:
            return Break(expected, "was changed after it was written")
        prev, expected = record["hash"], expected + 1
    return None
