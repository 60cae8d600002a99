"""
Approvals: a person has seen a plan, named by its hash, and says go on.

An approval holds for 24 hours and covers exactly the steps of the plan that was shown, for the
machines that it was shown for; what has changed since is not covered.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmbackup_core.domain.errors import Rejected, Stale
from vmbackup_core.domain.evidence import digest
from vmbackup_core.domain.plans import Step, describe
from vmbackup_core.domain.verdicts import Verdict, count, plan_hash
from vmbackup_core.ports import Blobs, Clock

VALID = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Approval:
    hash: str
    until: datetime
    in_scope: int


@dataclass(frozen=True, slots=True)
class Approvals:
    blobs: Blobs
    clock: Clock

    def give(self, approved: str, verdicts: Iterable[Verdict]) -> Approval:
        """
        Approve the plan whose hash (or first 8 or more digits of it) is `approved`.

        Raises Rejected where the plan of now has another hash: look at it again.
        """
        verdicts = tuple(verdicts)
        present = plan_hash(verdicts)
        if len(approved) < 8 or not present.startswith(approved.lower()):
            raise Rejected(f"the plan has changed: its hash is {present[:12]}, not {approved}")
        until = self.clock.now() + VALID
        approval = Approval(present, until, count(verdicts).in_scope)
        covers = [_entry(v.machine, step) for v in verdicts if v.differs for step in v.plan.steps]
        content = {
            "hash": present,
            "until": until.isoformat(),
            "in_scope": approval.in_scope,
            "covers": sorted(covers),
        }
        name = f"approvals/{until:%Y-%m-%dT%H%M%S}-{present[:12]}.json"
        with suppress(Stale):  # Given twice in one second is given once.
            self.blobs.create(name, json.dumps(content).encode())
        return approval

    def cover(self, machine: str, step: Step) -> bool:
        """Whether an approval that holds covers `step` for the machine with this vmId."""
        entry = _entry(machine, step)
        return any(entry in content["covers"] for content in self._valid())

    def smallest_scope(self) -> int | None:
        """Return the smallest number of VMs in scope that an approval that holds has accepted."""
        return min((content["in_scope"] for content in self._valid()), default=None)

    def _valid(self) -> list[dict[str, Any]]:
        now = f"approvals/{self.clock.now():%Y-%m-%dT%H%M%S}"
        names = [name for name in self.blobs.names("approvals/") if name > now]
        blobs = (self.blobs.read(name) for name in names)
        return [json.loads(blob.content) for blob in blobs if blob]


def _entry(machine: str, step: Step) -> str:
    """
    Return what an approval says of one step.

    Disk exclusions are no part of it: they are carried over as they are, and Resource Graph, from
    which the shown plan is made, need not tell them.
    """
    return digest([machine, describe(step)])
