"""One restore test under way, as the ledger keeps it: what was asked for before it was asked."""

from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.slots import Slot


@dataclass(frozen=True, slots=True)
class Run:
    """
    What a run has asked of Azure, written down before the asking; an answer is added after it.

    `restores_asked` has a time for each restore that was, or may have been, sent, and `jobs` the
    ids of those that are known. `copy_asked` is when a machine may have been sent. `containers` are
    the staging containers that its jobs named. `kept_until` is set where a copy is kept for a
    person. `ended` is when nothing more will be done by the run itself, and `clean` says that
    nothing of it was left then. `taken` is when the janitor took it over: from then on the run
    itself makes nothing. `protected_in` is a vault that was seen to back its copy up, and `removed`
    are the ids of what the janitor removed.
    """

    order: DrillOrder
    slot: Slot
    began: datetime
    restores_asked: tuple[datetime, ...] = ()
    jobs: tuple[str, ...] = ()
    copy_asked: datetime | None = None
    containers: tuple[str, ...] = ()
    kept_until: datetime | None = None
    ended: datetime | None = None
    clean: bool = False
    taken: datetime | None = None
    protected_in: str = ""
    removed: tuple[str, ...] = ()
