"""
What we remember of one VM from what we did to it: a row in the ledger, read with each look.

It answers the two questions that Azure cannot: which machine did we protect under this name, and
did we set the policy that it has now?
"""

from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Memory:
    """
    Our last effect on one VM; empty for one we never touched.

    `machine` is the vmId that we saw protected last, `policy` the policy that we set and saw in
    force. `asked` and `asked_at` stand from before a write is sent until its end is known, so that
    a crash in between is seen. `undeleted` says that we took the item out of soft delete and owe it
    a resume; `reason` is where the last workflow left the VM, and `reason_at` when.
    """

    machine: str = ""
    vault: str = ""
    policy: str = ""
    asked: str = ""
    asked_at: datetime | None = None
    undeleted: bool = False
    reason: Reason | None = None
    reason_at: datetime | None = None
