"""
What we remember of one VM from what we did to it: a row in the ledger, read with each look.

It answers the two questions that Azure cannot: which machine did we protect under this name, and
did we set the policy that it has now?
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """
    Our last effect on one VM; empty for one we never touched.

    `machine` is the vmId that we protected, `policy` the policy we set last, `undeleted` that we
    took the item out of soft delete and owe it a resume. `asked_at` is when we last sent a write:
    it stands before the write is sent, so that a crash in between is seen.
    """

    machine: str = ""
    vault: str = ""
    policy: str = ""
    undeleted: bool = False
    asked_at: datetime | None = None
