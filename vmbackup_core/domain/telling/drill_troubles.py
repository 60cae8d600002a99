"""
Troubles that restore tests found: a backup that does not restore, before anything else.

Read from their evidence, record by record and each once, as the digests are; so a test whose record
was written twice is one attempt. A test that could not be carried far enough to tell says nothing
here: the operators' digest counts those.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vmbackup_core.domain.drill.evidence import DRILL, moment
from vmbackup_core.domain.drill.leases import Lease
from vmbackup_core.domain.drill.orders import Isolation
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, Verdict
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.troubles import (
    HELD,
    Ending,
    Sighting,
    Subject,
    Wellness,
    Words,
)

type Seen = Sighting | Wellness

_GRAVE = (RootCause.ISOLATION_BROKEN, RootCause.CONTROL_BROKEN)
_ISOLATED = (Isolation.PROVEN, Isolation.EGRESS)


@dataclass(frozen=True, slots=True)
class DrillsRead:
    """
    How far the evidence of restore tests was read: `seq` records of the chain of `month`.

    `proves` is False from a negative control that did not hold until one does.
    """

    month: datetime | None = None
    seq: int = 0
    proves: bool = True


def find_drill_troubles(
    read: DrillsRead, bodies: Iterable[Mapping[str, Any]], names: Mapping[str, str]
) -> tuple[DrillsRead, tuple[Seen, ...]]:
    """
    Return what these records say is wrong or well, and what of it counts for those that follow.

    `names` are those of VMs, by id, as people write them.
    """
    found: list[Seen] = []
    for body in bodies:
        if body.get("what") != DRILL:
            continue
        found += _of_control(body)
        match body["control"]:
            case Control.HELD:
                read = replace(read, proves=True)
            case Control.BROKEN:
                read = replace(read, proves=False)
        found += _of_slot(body)
        found += _of_vm(body, names, proves=read.proves)
    return read, tuple(one for one in found if not _too_soon(one, found))


def _too_soon(one: Seen, found: Iterable[Seen]) -> bool:
    """
    Tell whether this would end, before anybody was told, what somebody has to be told.

    That a copy lost its isolation, or a control its worth, is not undone by the next test.
    """
    return isinstance(one, Wellness) and any(
        isinstance(other, Sighting) and other.cause in _GRAVE and other.subject == one.subject
        for other in found
    )


def find_slot_troubles(
    quarantined: Iterable[Lease], incidents: Iterable[Incident], at: datetime
) -> tuple[Seen, ...]:
    """Return the slots that nobody may use at `at`, and that those of incidents may be again."""
    held = {str(lease.slot): lease.quarantined for lease in quarantined}
    sightings = tuple(
        Sighting(
            Subject.of_slot(slot), RootCause.SLOT_LEFT, at, at, HELD, words=Words(message=because)
        )
        for slot, because in held.items()
    )
    freed = (
        one.subject
        for one in incidents
        if one.cause is RootCause.SLOT_LEFT and not one.over and one.subject.id not in held
    )
    causes = frozenset({RootCause.SLOT_LEFT})
    return (*sightings, *(Wellness(subject, at, Ending.MENDED, causes) for subject in freed))


def _of_vm(body: Mapping[str, Any], names: Mapping[str, str], *, proves: bool) -> list[Seen]:
    vm, ended = VmId.parse(body["vm"]), moment(body, "ended")
    subject = Subject.of_vm(vm, names.get(str(vm), ""))
    if body["verdict"] == Verdict.PROVEN.name:
        causes = frozenset({RootCause.RESTORE_FAILED})
        whole = proves and not _asked_for_less(body)
        return [Wellness(subject, ended, Ending.PROVEN, causes)] if whole else []
    if body["verdict"] != Verdict.FAILED.name:
        return []
    return [
        Sighting(
            subject,
            RootCause.RESTORE_FAILED,
            ended,
            ended,
            attempt=body["run"],
            vault=body["vault"],
            location=body["location"],
            words=_words(body),
        )
    ]


def _words(body: Mapping[str, Any]) -> Words:
    """Return what the failed rung says, the reason as the code."""
    failed = next((rung for rung in body["rungs"] if rung["mark"] == Mark.FAIL), None)
    run, job = body["run"], body["job"] or ""
    look = f"See `vmbackup drill show {run}`."
    if failed is None:
        return Words(message="; ".join(body["because"]), advice=look, job=job)
    meant = ProofReason.__members__.get(failed["reason"])
    parts = (meant.value.text if meant else "", *failed["because"])
    message = f"{failed['rung']}: {'; '.join(part for part in parts if part)}"
    mend = meant.value.mend if meant else ""
    advice = f"{mend[:1].upper()}{mend[1:]}. {look}" if mend else look
    return Words(failed["reason"], message=message, advice=advice, job=job)


def _asked_for_less(body: Mapping[str, Any]) -> bool:
    """Whether a person asked for less than the tier does, so that it proves no more than that."""
    return Rung[body["needed"].upper()] < Rung[body["tier_rung"].upper()]


def _of_control(body: Mapping[str, Any]) -> list[Seen]:
    subject, ended = Subject.of_tests(), moment(body, "ended")
    cause = RootCause.CONTROL_BROKEN
    if body["control"] == Control.HELD:
        return [Wellness(subject, ended, Ending.MENDED, frozenset({cause}))]
    if body["control"] != Control.BROKEN:
        return []
    advice = f"See `vmbackup drill show {body['run']}`."
    words = Words(message="; ".join(body["because"]), advice=advice)
    return [Sighting(subject, cause, ended, ended, body["run"], words=words)]


def _of_slot(body: Mapping[str, Any]) -> list[Seen]:
    if not body["slot"]:
        return []
    subject, ended = Subject.of_slot(body["slot"]), moment(body, "ended")
    cause = RootCause.ISOLATION_BROKEN
    if body["isolation"] in _ISOLATED:
        return [Wellness(subject, ended, Ending.MENDED, frozenset({cause}))]
    if body["isolation"] != Isolation.BROKEN:
        return []
    advice = f"See `vmbackup drill show {body['run']}`."
    words = Words(message="; ".join(body["because"]), advice=advice)
    return [Sighting(subject, cause, ended, ended, body["run"], words=words)]
