"""How one slot stands in the ledger."""

from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.domain.drill.slots import Slot

UNREAD = "its row in the ledger cannot be read"


@dataclass(frozen=True, slots=True)
class Lease:
    """
    One slot: leased by `run` ("" for nobody) until then, and why it is quarantined.

    Both may be true at once: a run that found something foreign has things of its own to remove.
    """

    slot: Slot
    run: str = ""
    until: datetime | None = None
    quarantined: str = ""
    quarantined_by: str = ""
    since: datetime | None = None

    @property
    def unread(self) -> bool:
        """Whether nothing is known of it, so that nobody may have it."""
        return self.quarantined == UNREAD

    @property
    def free(self) -> bool:
        return not self.run and not self.quarantined

    def expired(self, now: datetime) -> bool:
        return bool(self.run) and self.until is not None and self.until <= now
