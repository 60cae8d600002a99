"""
Tonight's restore tests: which, in which lanes, and which of them could not even begin.

A lane runs its tests one after the other. There are as many lanes in a place as it has slots, so
that what waits for a slot waits in its lane, and asks nobody.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from vmbackup_core.app.drill.night_book import Helping, NightBook
from vmbackup_core.app.drill.planning import Drilling, Sight
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.domain.drill.ordering import order_now, orders_of
from vmbackup_core.domain.drill.orders import DrillOrder, DrillRecord, run_key
from vmbackup_core.domain.drill.proof_control import can_control
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.drill.rungs import Rung, Verdict
from vmbackup_core.domain.drill.slots import Place
from vmbackup_core.domain.drill.turns import NotPlanned, Unplanned
from vmbackup_core.domain.ids import derive_key
from vmbackup_core.ports import Clock, Journal

EARLY = timedelta(minutes=5)  # A timer may fire a moment before its time.
NO_CONTROL = "no negative control can run in any of tonight's tests"

# A VM whose turn it is, and that is refused, leaves a record; one that is not due leaves none.
REFUSED: Mapping[NotPlanned, Ending] = {
    NotPlanned.RESTORING: Ending.RESTORING,
    NotPlanned.RESTORE_LIMIT: Ending.RESTORE_LIMIT,
    NotPlanned.NO_QUOTA: Ending.QUOTA_SHORT,
}


@dataclass(frozen=True, slots=True)
class Lane:
    """Tests of one place, one after the other; the first begins at `starts`."""

    starts: datetime
    orders: tuple[DrillOrder, ...]


@dataclass(frozen=True, slots=True)
class Tonight:
    """What there is to do; `why` says in words why there is nothing."""

    night: date
    lanes: tuple[Lane, ...] = ()
    why: str = ""

    @property
    def orders(self) -> tuple[DrillOrder, ...]:
        return tuple(order for lane in self.lanes for order in lane.orders)


@dataclass(frozen=True, slots=True)
class Night:
    drilling: Drilling
    nights: NightBook
    records: DrillRecords
    journal: Journal
    clock: Clock

    def key(self) -> str:
        """Return the key of the night that begins now, or began last."""
        return _key(self._date())

    def plan(self) -> Tonight:
        """
        Look at the estate and return tonight's tests; record those that are refused.

        May be repeated, by whatever: a night has the tests that it was first planned to have, and
        those that have begun are left out. So its limits hold however often it is triggered.
        Nothing is planned for a night whose hours are over, which is so where the timer and
        `begins` do not agree.
        """
        night, now = self._date(), self.clock.now()
        drills = self.drilling.drills
        if now >= drills.end_of(night):
            return self._nothing(
                night,
                f"the night of {night} was over at {drills.end_of(night):%H:%M} UTC:"
                " VMBACKUP_DRILL_SCHEDULE and begins of [drills] do not agree",
            )
        if shut := drills.shut(night):
            return self._nothing(night, f"the night of {night} is blacked out: {shut}")
        sight = self.drilling.look(keep=True)
        planned = self.drilling.plan_from(sight, drills.start_of(night), 1)
        for refusal in planned.refusals:
            self.journal.note(
                "plan", _key(night), f"the drill plan cannot keep its word: {refusal}"
            )
        asked = max(now, drills.start_of(night))
        self._refuse(planned.unplanned, sight, night, asked)
        (tonight,) = planned.nights
        orders = orders_of(tonight, drills, asked)
        if orders and sight.histories.control_due(asked, drills.control_every):
            orders = with_control(orders)
            if not any(order.control for order in orders):
                self.journal.note("plan", _key(night), "a control is due: " + NO_CONTROL)
        helping = self._helping(night, orders)
        lanes = dict[tuple[Place, int], list[DrillOrder]]()
        starts = dict[tuple[Place, int], datetime]()
        for drill, order in zip(tonight.drills, orders, strict=True):
            if order.run in helping.runs and not self._begun(order.run):
                lane = (order.place, drill.lane)
                control = order.run == helping.control
                lanes.setdefault(lane, []).append(replace(order, control=control))
                starts.setdefault(lane, drill.starts)
        found = tuple(Lane(starts[lane], tuple(given)) for lane, given in sorted(lanes.items()))
        if not found:
            return self._nothing(
                night,
                f"the night of {night} has had its restore tests"
                if helping.runs
                else "no VM's turn is tonight",
            )
        count = sum(len(lane.orders) for lane in found)
        self.journal.note("plan", _key(night), f"{count} restore tests in {len(found)} lanes")
        return Tonight(night, found)

    def _helping(self, night: date, orders: tuple[DrillOrder, ...]) -> Helping:
        """Return what this night was first planned to have, which is this if it had nothing yet."""
        control = next((order.run for order in orders if order.control), "")
        return self.nights.settle(
            _key(night), Helping(tuple(order.run for order in orders), control)
        )

    def _date(self) -> date:
        return self.drilling.drills.night_of(self.clock.now() + EARLY)

    def _nothing(self, night: date, why: str) -> Tonight:
        self.journal.note("plan", _key(night), why)
        return Tonight(night, why=why)

    def _begun(self, run: str) -> bool:
        return self.drilling.runs.get(run) is not None or self.records.written(run)

    def _refuse(
        self, unplanned: Iterable[Unplanned], sight: Sight, night: date, asked: datetime
    ) -> None:
        """Record each VM whose turn it would be, were there not something in its way."""
        for one, order in self._refused(unplanned, sight, night, asked):
            because = tuple(words for words in (one.code.text, one.because) if words)
            record = DrillRecord(
                order, asked, REFUSED[one.code], Verdict.NOT_PROVEN, (), because=because
            )
            self.records.write(record)

    def _refused(
        self, unplanned: Iterable[Unplanned], sight: Sight, night: date, asked: datetime
    ) -> Iterator[tuple[Unplanned, DrillOrder]]:
        items = sight.estate.items_by_vm()
        rules, drills = self.drilling.rules, self.drilling.drills
        for one in unplanned:
            if one.code not in REFUSED:
                continue
            order = order_now(one.vm, items.get(one.vm.id, ()), rules, drills, asked)
            if isinstance(order, DrillOrder):
                run = run_key(order.vm, order.machine, night, asked)
                yield one, replace(order, run=run, night=night, by=drills.end_of(night))


def _key(night: date) -> str:
    return derive_key("night", str(night))


def with_control(orders: tuple[DrillOrder, ...]) -> tuple[DrillOrder, ...]:
    """
    Return the orders, the first that runs checks anyway made a negative control.

    Where none does, the first that could; where none boots its copy and may run something in it,
    none is.
    """
    able = [order for order in orders if can_control(order.needed, order.cap)]
    chosen = next((o for o in able if o.needed >= Rung.CHECKS), able[0] if able else None)
    return tuple(replace(order, control=order is chosen) for order in orders)
