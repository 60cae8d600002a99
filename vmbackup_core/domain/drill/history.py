"""
What the evidence says of each VM's restore tests so far, folded from the records one by one.

A negative control that did not hold takes back every proof since the last one that did, and what
passes after it proves nothing until one holds again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.drill.evidence import DRILL, duration, moment
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rules import Measure, Past
from vmbackup_core.domain.drill.rungs import Control, Rung, Verdict
from vmbackup_core.domain.ids import VmId

KEPT_PROOFS = 10
KEPT_RUNS = 8  # A record that was written twice follows the first one soon.

_CAPPED = {
    reason.name
    for reason in (
        ProofReason.CAPPED_BY_TAG,
        ProofReason.CAPPED_ADE,
        ProofReason.CAPPED_CONFIDENTIAL,
        ProofReason.CAPPED_PLAN,
    )
}


@dataclass(frozen=True, slots=True)
class Proof:
    """When a test passed that still counts; `partly` where a cap let it go less far than asked."""

    at: datetime
    partly: bool


@dataclass(frozen=True, slots=True)
class History:
    """One machine's past, with the newest of its proofs and of its run keys, oldest first."""

    past: Past
    proofs: tuple[Proof, ...] = ()
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Histories:
    """
    All of them, with the controls: when one was last conclusive, when one last held, and whether
    the last conclusive one did not.
    """

    vms: Mapping[VmId, History] = field(default_factory=dict)
    controlled: datetime | None = None
    held: datetime | None = None
    broken: bool = False

    def pasts(self) -> dict[VmId, Past]:
        """Return what the planner asks of the past; restores of others are not known here."""
        return {vm: history.past for vm, history in self.vms.items()}

    def control_due(self, now: datetime, every: timedelta | None) -> bool:
        """Whether a negative control is due at `now`; never where `every` is None."""
        if every is None:
            return False
        return self.broken or self.controlled is None or now - self.controlled >= every


def fold(histories: Histories, bodies: Iterable[Mapping[str, Any]]) -> Histories:
    """
    Return what is known after these records, given in the order in which they were written.

    A record that was written twice counts once.
    """
    vms = dict(histories.vms)
    controlled, held, broken = histories.controlled, histories.held, histories.broken
    for body in bodies:
        if body["what"] != DRILL:
            continue
        vm, asked = VmId.parse(body["vm"]), moment(body, "asked")
        found = vms.get(vm)
        if found is None or found.past.machine != body["machine"]:
            found = History(Past(body["machine"]))
        if body["run"] in found.runs:
            continue
        match body["control"]:
            case Control.HELD:
                controlled, held, broken = asked, asked, False
            case Control.BROKEN:
                controlled, broken = asked, True
                vms = {one: _taken_back(history, held) for one, history in vms.items()}
                found = _taken_back(found, held)
        vms[vm] = _after(found, body, asked, proves=not broken)
    return Histories(vms, controlled, held, broken)


def pasts_of(bodies: Iterable[Mapping[str, Any]]) -> dict[VmId, Past]:
    """Return what the planner asks of the past, from all the records that count."""
    return fold(Histories(), bodies).pasts()


def _after(history: History, body: Mapping[str, Any], asked: datetime, *, proves: bool) -> History:
    history = replace(history, runs=(*history.runs, body["run"])[-KEPT_RUNS:])
    past, partly = history.past, _capped(body)
    if body["verdict"] == Verdict.FAILED.name:
        return replace(history, past=past.failing(asked))
    if _less(body):
        return history
    if not proves or not (partly or body["verdict"] == Verdict.PROVEN.name):
        return replace(history, past=past.trying(asked))
    past = past.passed(asked, partly=partly)
    if (measure := _measure(body, asked)) is not None:
        past = past.measuring(measure)
    return replace(
        history, past=past, proofs=(*history.proofs, Proof(asked, partly))[-KEPT_PROOFS:]
    )


def _less(body: Mapping[str, Any]) -> bool:
    """Whether a person asked for less than the tier does, so that it could not prove as much."""
    return Rung[body["needed"].upper()] < Rung[body["tier_rung"].upper()]


def _capped(body: Mapping[str, Any]) -> bool:
    """Whether the test passed as far as a cap let it, and no further."""
    stopped_by = next((r["reason"] for r in body["rungs"] if r["mark"] != "pass"), "")
    return (
        body["verdict"] == Verdict.NOT_PROVEN.name
        and body["ending"] == Ending.COMPLETED.name
        and body["reached"] is not None
        and stopped_by in _CAPPED
    )


def _measure(body: Mapping[str, Any], asked: datetime) -> Measure | None:
    clocks, point = body["clocks"], body["point"]
    if point is None or clocks["restore"] is None:
        return None
    waited = duration(clocks["queue"]) or timedelta(0)
    return Measure(
        asked,
        moment(body, "ended") - asked - waited,
        duration(clocks["rto"]),
        point["from_vault"],
        body["comparable"],
    )


def _taken_back(history: History, held: datetime | None) -> History:
    """Return the history without the proofs since a control held last."""
    kept = tuple(proof for proof in history.proofs if held is not None and proof.at <= held)
    gone = len(history.proofs) - len(kept)
    if not gone:
        return history
    last = kept[-1] if kept else None
    past = replace(
        history.past,
        proven=last.at if last else None,
        partly=last is not None and last.partly,
        proofs=max(0, history.past.proofs - gone),
    )
    return replace(history, past=past, proofs=kept)
