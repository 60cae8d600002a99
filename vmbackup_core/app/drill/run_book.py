"""
The runs: what each restore test asked of Azure, written down before it was asked.

So whoever comes after a run that died knows what may be there, and looks for it first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.ledger import amend_row, read_long, write_long
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Malformed, Stale
from vmbackup_core.ports import Clock, Rows

_PARTITION = "run"


@dataclass(frozen=True, slots=True)
class RunBook:
    """
    All runs that ever had a slot, by their keys.

    Which of them are still open is the slots' to say (SlotBook.leases): a run has one until it has
    ended, so nobody reads through all runs to find them.
    """

    rows: Rows
    clock: Clock

    def open(self, order: DrillOrder, slot: Slot) -> Run:
        """Begin the run in `slot`; one that has begun already is returned as it is."""
        fresh = Run(order, slot, self.clock.now())
        return self._change(order.run, lambda found: found or fresh)

    def get(self, run: str) -> Run | None:
        """
        Return the run, None where it never had a slot.

        Raises Malformed where its row cannot be read: then nothing may be done on a guess.
        """
        row = self.rows.get(_PARTITION, run)
        return from_json(read_long(row.values), Run) if row else None

    def glance(self, run: str) -> Run | None:
        """Return the run where its row is there and can be read: for who only tells of it."""
        try:
            return self.get(run)
        except Malformed:
            return None

    def changed_since(self, since: datetime, unread: Callable[[str], None]) -> Iterator[Run]:
        """
        Yield the runs of which something was written at or after `since`.

        `unread` is told of each row that cannot be read, in words.
        """
        for row in self.rows.list(_PARTITION, changed_since=since):
            try:
                run = from_json(read_long(row.values), Run)
            except Malformed as error:
                unread(f"run {row.key}: its row in the ledger cannot be read: {error}")
                continue
            yield run

    def note(self, run: str, change: Callable[[Run], Run]) -> Run:
        """
        Change what is written of a run, as it is at that moment, and return it.

        Raises Stale where the run was never opened, or where the janitor has taken it over: so
        whoever writes first what it will ask for, asks for nothing after that.
        """

        def by_itself(found: Run) -> Run:
            if found.taken is not None:
                raise Stale(f"the run {run} was taken over at {found.taken:%Y-%m-%d %H:%M} UTC")
            return change(found)

        return self.amend(run, by_itself)

    def take_over(self, run: str) -> Run:
        """Take a run over that does nothing more, and keep it from ever making anything again."""
        now = self.clock.now()
        return self.amend(run, lambda found: replace(found, taken=found.taken or now))

    def amend(self, run: str, change: Callable[[Run], Run]) -> Run:
        """Change a run whoever has it: the janitor's way to note."""

        def known(found: Run | None) -> Run:
            if found is None:
                raise Stale(f"the run {run} was never opened")
            return change(found)

        return self._change(run, known)

    def close(self, run: str, *, clean: bool) -> Run:
        """Note that the run has ended, and whether nothing of it was left; the first end stays."""
        now = self.clock.now()
        return self.amend(
            run, lambda found: replace(found, ended=found.ended or now, clean=found.clean or clean)
        )

    def _change(self, run: str, change: Callable[[Run | None], Run]) -> Run:
        values = amend_row(
            self.rows,
            _PARTITION,
            run,
            lambda values: write_long(
                to_json(change(from_json(read_long(values), Run) if values else None))
            ),
        )
        return from_json(read_long(values), Run)
