"""When the janitor looked last, so that who makes something can tell whether it is in reach."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup_core.app.ledger import amend_row
from vmbackup_core.ports import Clock, Rows

IN_REACH = timedelta(hours=1)  # Its timer is set for every 15 minutes.
_PARTITION, _KEY = "heartbeat", "janitor"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One row of the ledger: a janitor elsewhere, with another ledger, is not in reach."""

    rows: Rows
    clock: Clock

    def beat(self) -> None:
        """Note that the janitor has looked just now."""
        now = self.clock.now().isoformat()
        amend_row(self.rows, _PARTITION, _KEY, lambda _: {"at": now})

    def last(self) -> datetime | None:
        """Return when it looked last, None where it never did."""
        row = self.rows.get(_PARTITION, _KEY)
        return datetime.fromisoformat(row.values["at"]) if row else None

    def in_reach(self) -> bool:
        last = self.last()
        return last is not None and self.clock.now() - last <= IN_REACH
