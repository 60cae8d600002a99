"""What each night was first planned to have, so that its limits hold whatever triggers it again."""

from dataclasses import dataclass

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.ledger import amend_row, read_long, write_long
from vmbackup_core.ports import Rows

_PARTITION = "night"


@dataclass(frozen=True, slots=True)
class Helping:
    """The runs of one night, and which of them is its negative control ("" for none)."""

    runs: tuple[str, ...] = ()
    control: str = ""


@dataclass(frozen=True, slots=True)
class NightBook:
    rows: Rows

    def settle(self, night: str, helping: Helping) -> Helping:
        """
        Return what `night` (its key) has, which is `helping` where it had nothing before.

        One without any runs is not written down: who finds nobody due may ask again.
        """
        row = self.rows.get(_PARTITION, night)
        if row is None and not helping.runs:
            return helping
        fresh = write_long(to_json(helping))
        values = amend_row(self.rows, _PARTITION, night, lambda found: found or fresh)
        return from_json(read_long(values), Helping)
