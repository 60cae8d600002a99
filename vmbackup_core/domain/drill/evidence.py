"""
What evidence keeps of a restore test: the body of a record, field by field (docs/evidence.md).

Evidence cannot forget, so texts that came from outside (a guest, Azure) are bounded, and what looks
like a secret or a person's address is taken out. That is a net with holes: a check must print no
secret.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.orders import Clocks, DrillOrder, DrillRecord
from vmbackup_core.domain.drill.points import PointFacts
from vmbackup_core.domain.drill.rungs import Rung, RungResult, reached
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Slot

SCHEMA = 1
DRILL, CLEANED, QUARANTINED, LIFTED = "drill", "cleaned", "quarantined", "lifted"

LONGEST = 200  # Characters that are kept of one text.
MOST = 40  # Texts that are kept of one list.
_REMOVED = "[removed]"
_ADDRESS = re.compile(r"[\w.+#-]+@[\w-]+(?:\.[\w-]+)+")
_SECRET = re.compile(
    r"""(?ix) \b ([\w-]* (?:passw(?:or)?d | pwd | secret | token | api[_-]?key | access[_-]?key
      | account[_-]?key | private[_-]?key | signature | credential) [\w-]*)
      (["']? \s* [=:] \s*) \S+"""
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_QUERY = re.compile(r"(https?://[^\s?]+)\?\S+")  # Signed addresses carry their right in the query.


def body_of(record: DrillRecord, config_digest: str) -> dict[str, Any]:
    """Return the body of the one record that a restore test leaves; durations are in seconds."""
    order = record.order
    top = reached(record.results)
    return {
        "schema": SCHEMA,
        "what": DRILL,
        **_whose(order),
        "location": order.location,
        "vault": str(order.vault),
        "tier": order.tier,
        "night": order.night.isoformat() if order.night else None,
        "asked": order.asked.isoformat(),
        "ended": record.ended.isoformat(),
        "verdict": record.verdict.name,
        "ending": record.ending.name,
        "because": texts(record.because),
        "needed": _name(order.needed),
        "tier_rung": _name(order.needed if order.tier_rung is None else order.tier_rung),
        "reached": _name(top) if top is not None else None,
        "cap": _name(order.cap),
        "capped_by": order.capped_by,
        "rungs": [_rung(result) for result in record.results],
        "strategy": str(order.strategy),
        "point": _point(record.point),
        "job": record.job,
        "targets": {"rpo": _seconds(order.targets.rpo), "rto": _seconds(order.targets.rto)},
        "clocks": _clocks(record.clocks),
        "size": record.size,
        "comparable": record.comparable,
        "isolation": str(record.isolation),
        "egress": order.egress,
        "checks": [
            {"name": check.name, "sha256": hashlib.sha256(check.script.encode()).hexdigest()}
            for check in order.checks
        ],
        "control": str(record.control) if record.control else None,
        "digests": dict(record.digests),
        "slot": record.slot,
        "clean": record.clean,
        "left": list(record.left),
        "kept_until": record.kept_until.isoformat() if record.kept_until else None,
        "did": [{"at": at.isoformat(), "text": text_of(text)} for at, text in record.did],
        "config": config_digest,
    }


def cleaned_body(run: Run, left: Iterable[str], *, clean: bool) -> dict[str, Any]:
    """Return the body of what follows a record: who came after the run, and what is there now."""
    return {
        "schema": SCHEMA,
        "what": CLEANED,
        **_whose(run.order),
        "slot": str(run.slot),
        "removed": list(run.removed),
        "left": list(left),
        "protected_in": run.protected_in,
        "clean": clean,
    }


def slot_body(what: str, slot: Slot, because: Iterable[str]) -> dict[str, Any]:
    """Return the body of a slot's quarantine (QUARANTINED), or of its end (LIFTED)."""
    return {"schema": SCHEMA, "what": what, "slot": str(slot), "because": texts(because)}


def texts(given: Iterable[str]) -> list[str]:
    """Return texts as evidence keeps them; the last place says how many more there were."""
    kept = [text_of(text) for text in given]
    if len(kept) > MOST:
        kept = [*kept[: MOST - 1], f"and {len(kept) - MOST + 1} more"]
    return kept


def text_of(text: str) -> str:
    """Return a text without what looks like a secret or an address, and bounded."""
    text = _QUERY.sub(rf"\1?{_REMOVED}", text)
    text = _SECRET.sub(rf"\1\2{_REMOVED}", text)
    text = _BEARER.sub(rf"\1 {_REMOVED}", text)
    text = _ADDRESS.sub(_REMOVED, text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _whose(order: DrillOrder) -> dict[str, Any]:
    return {"run": order.run, "vm": str(order.vm), "machine": order.machine}


def _name(rung: Rung) -> str:
    return rung.name.lower()


def _rung(result: RungResult) -> Mapping[str, Any]:
    return {
        "rung": _name(result.rung),
        "mark": str(result.mark),
        "reason": result.reason.name,
        "because": texts(result.because),
    }


def _point(point: PointFacts | None) -> Mapping[str, Any] | None:
    if point is None:
        return None
    return {
        "id": point.id,
        "taken": point.taken.isoformat(),
        "consistency": str(point.consistency),
        "tiers": sorted(point.valid),
        "from_vault": point.proves_vault,
    }


def _clocks(clocks: Clocks) -> Mapping[str, float | None]:
    names = ("queue", "restore", "create", "boot", "checks", "clean", "rto", "rpo")
    return {name: _seconds(getattr(clocks, name)) for name in names}


def _seconds(duration: timedelta | None) -> float | None:
    return duration.total_seconds() if duration is not None else None


def moment(body: Mapping[str, Any], field: str) -> datetime:
    """Return the time that a body has in `field`."""
    return datetime.fromisoformat(body[field])


def duration(seconds: float | None) -> timedelta | None:
    """Return the time span that a body has as seconds."""
    return timedelta(seconds=seconds) if seconds is not None else None
