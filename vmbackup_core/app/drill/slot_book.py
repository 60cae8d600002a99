"""
Who has which slot: leases and quarantines, in rows that are changed by their etag.

A lease that ran out is still a lease: what its run left may lie in the slot. Only a release frees
it, and the janitor releases after it has looked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.app.ledger import amend_row, read_long, write_long
from vmbackup_core.domain.drill.leases import UNREAD, Lease
from vmbackup_core.domain.drill.slots import MOST_SLOTS, Place, Slot
from vmbackup_core.domain.errors import Malformed, Stale
from vmbackup_core.ports import Clock, Row, Rows

_PARTITION = "slot"


@dataclass(frozen=True, slots=True)
class SlotBook:
    rows: Rows
    clock: Clock

    def lease(self, place: Place, count: int, run: str, until: datetime) -> Slot | None:
        """
        Lease the lowest free one of the first `count` slots of `place`; None where none is free.

        A run that has one already gets the same again, until the later of the two times. Two turns
        of one run at the very same moment may each get one: the slot that RunBook.open answers is
        the run's, and the other comes back by the janitor.
        """
        while True:
            known = {lease.slot: lease for lease in self.known() if lease.slot.place == place}
            own = next((lease for lease in known.values() if lease.run == run), None)
            if own is not None:
                self._amend(own.slot, lambda found: _prolonged(found, run, until))
                return own.slot
            slots = (Slot(place, number) for number in range(1, min(count, MOST_SLOTS) + 1))
            free = next((slot for slot in slots if known.get(slot, Lease(slot)).free), None)
            if free is None:
                return None
            if self._take(free, run, until):
                return free

    def prolong(self, slot: Slot, run: str, until: datetime) -> None:
        """Prolong the lease of `run`; never shortens it, and leases nothing that it has not."""
        self._amend(slot, lambda found: _prolonged(found, run, until))

    def release(self, slot: Slot, run: str) -> None:
        """Free the slot of `run`; one that somebody else has, or nobody, stays as it is."""
        self._amend(
            slot, lambda found: replace(found, run="", until=None) if found.run == run else found
        )

    def quarantine(self, slot: Slot, run: str, why: str) -> None:
        """Give the slot to nobody until somebody has looked; the first reason stays."""
        now = self.clock.now()
        self._amend(
            slot,
            lambda found: (
                found
                if found.quarantined
                else replace(found, quarantined=why, quarantined_by=run, since=now)
            ),
        )

    def lift(self, slot: Slot) -> None:
        """End the quarantine of a slot that was seen to be empty."""
        self._amend(
            slot, lambda found: replace(found, quarantined="", quarantined_by="", since=None)
        )

    def leases(self) -> tuple[Lease, ...]:
        """Return all slots that a run has, in order."""
        return tuple(lease for lease in self.known() if lease.run)

    def quarantined(self) -> tuple[Lease, ...]:
        """Return all slots that are quarantined, in order."""
        return tuple(lease for lease in self.known() if lease.quarantined)

    def places(self) -> tuple[Place, ...]:
        """Return the places of which a slot was ever leased or quarantined."""
        return tuple(sorted({lease.slot.place for lease in self.known()}))

    def known(self) -> Iterator[Lease]:
        """
        Yield all slots that were ever leased or quarantined, in order.

        One whose row cannot be read is quarantined as UNREAD: nobody gets it, and it is reported.
        """
        found = (_read(row) for row in self.rows.list(_PARTITION))
        yield from sorted((lease for lease in found if lease), key=lambda lease: lease.slot)

    def _take(self, slot: Slot, run: str, until: datetime) -> bool:
        row = self.rows.get(_PARTITION, _key(slot))
        found = from_json(read_long(row.values), Lease) if row else Lease(slot)
        if not found.free:
            return False
        leased = write_long(to_json(replace(found, run=run, until=until)))
        try:
            self.rows.put(Row(_PARTITION, _key(slot), leased, row.etag if row else ""))
        except Stale:
            return False
        return True

    def _amend(self, slot: Slot, change: Callable[[Lease], Lease]) -> None:
        amend_row(
            self.rows,
            _PARTITION,
            _key(slot),
            lambda values: write_long(
                to_json(change(from_json(read_long(values), Lease) if values else Lease(slot)))
            ),
        )


def _prolonged(lease: Lease, run: str, until: datetime) -> Lease:
    if lease.run != run:
        return lease
    return replace(lease, until=max(until, lease.until or until))


def _read(row: Row) -> Lease | None:
    """Return the lease; UNREAD where it makes no sense, None where its key is not a slot's."""
    try:
        return from_json(read_long(row.values), Lease)
    except Malformed:
        match row.key.rsplit("-", 2):
            case [subscription, location, number] if number.isdecimal():
                slot = Slot(Place(subscription, location), int(number))
                return Lease(slot, quarantined=UNREAD)
            case _:
                return None


def _key(slot: Slot) -> str:
    return f"{slot.place.subscription}-{slot.place.location}-{slot.number}"
