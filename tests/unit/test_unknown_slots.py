"""Slots with things that no run of this ledger made: found and told, and never emptied."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import HERE, NOW, SUB, scope
from tests.clocks import HandClock
from tests.drill_runs import order
from tests.rows import MemoryRows
from tests.small_app import Lines
from tests.tiny_slots import TinySlots, disk, machine
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.drill.unknown_slots import UnknownSlots
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.drill.facts import Thing
from vmbackup_core.domain.drill.janitor import is_overdue_copy
from vmbackup_core.domain.drill.slots import EXPIRES_TAG, RUN_TAG, Place, Slot
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.rules import Scope

SLOT, OTHER = Slot(Place(SUB, HERE), 1), Slot(Place(SUB, HERE), 2)
RUN = order().run
HOUR = timedelta(hours=1)
COPY = machine(SLOT, RUN)


def expiring(hours: float, thing: Thing = COPY) -> Thing:
    tags = {RUN_TAG: thing.tags.get(RUN_TAG) or "", EXPIRES_TAG: (NOW + hours * HOUR).isoformat()}
    return replace(thing, tags=Tags.of(tags))


@dataclass
class Graph:
    """What Resource Graph shows of slots."""

    slots: tuple[Slot, ...] = (SLOT,)
    asked: int = 0
    trouble: Exception | None = None

    def observe_occupied(self, scope: Scope) -> tuple[Slot, ...]:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return self.slots


class Stage:
    def __init__(self) -> None:
        self.clock, self.journal = HandClock(NOW), Lines()
        rows = MemoryRows(self.clock)
        self.azure, self.graph = TinySlots(), Graph()
        self.slots = SlotBook(rows, self.clock)
        evidence = EvidenceLog(MemoryBlobs(), self.clock)
        self.records = DrillRecords(
            rows, evidence, MemoryBlobs(), self.journal, self.clock, "digest"
        )
        self.unknown = UnknownSlots(
            slots=self.slots,
            survey=self.graph,
            copies=self.azure,
            records=self.records,
            notebook=Notebook(rows, self.clock),
            journal=self.journal,
            clock=self.clock,
            scope=scope(),
        )

    def look(self, *things: Thing) -> tuple[Slot, ...]:
        self.azure.things = list(things)
        return self.unknown.look()

    def told(self) -> list[Any]:
        return [found["body"] for _, found in self.records.evidence.chain("drill/")]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_slot_with_things_of_nobody_is_quarantined_recorded_and_told(stage: Stage):
    assert stage.look(COPY, disk(SLOT, "web-osdisk", "job")) == (SLOT,)

    (lease,) = stage.slots.quarantined()
    assert (lease.slot, lease.run) == (SLOT, "")
    assert stage.told()[0]["because"][1:] == [COPY.id, disk(SLOT, "web-osdisk", "job").id]
    assert any("is quarantined: things lie in it" in text for _, text in stage.journal.lines)
    assert stage.azure.did == []


def test_a_slot_that_is_empty_when_it_is_looked_at_is_left_alone(stage: Stage):
    assert stage.look() == ()
    assert stage.slots.quarantined() == ()


def test_a_slot_of_a_run_is_the_runs(stage: Stage):
    stage.slots.lease(SLOT.place, 1, RUN, NOW + HOUR)

    assert stage.look(COPY) == ()


def test_a_slot_that_is_quarantined_already_is_not_told_again(stage: Stage):
    stage.look(COPY)
    stage.clock.pause(HOUR)

    assert stage.look(COPY) == ()
    assert len(stage.told()) == 1


def test_it_is_looked_for_once_an_hour(stage: Stage):
    for _ in range(3):
        stage.look()
    stage.clock.pause(HOUR)
    stage.look()

    assert stage.graph.asked == 2


def test_a_copy_whose_time_is_over_is_stopped(stage: Stage):
    stage.look(expiring(-1))

    assert stage.azure.did == [f"stop {COPY.name}"]


@pytest.mark.parametrize(
    "thing",
    [
        expiring(1),
        COPY,
        replace(COPY, tags=Tags.of({RUN_TAG: "0123456789", EXPIRES_TAG: NOW.isoformat()})),
        replace(COPY, tags=Tags.of({EXPIRES_TAG: NOW.isoformat()})),
        replace(expiring(-1), type="microsoft.compute/disks"),
        replace(
            expiring(-1),
            tags=Tags.of({RUN_TAG: COPY.tags.get(RUN_TAG) or "", EXPIRES_TAG: "tomorrow"}),
        ),
    ],
    ids=["its time is to come", "no time", "another's mark", "no mark", "a disk", "no time at all"],
)
def test_what_does_not_say_so_itself_is_not_stopped(thing: Thing):
    assert not is_overdue_copy(thing, NOW)


@pytest.mark.parametrize("slots", [(), (OTHER,)])
def test_only_what_resource_graph_shows_is_looked_at(stage: Stage, slots: Iterable[Slot]):
    stage.graph.slots = tuple(slots)

    assert stage.look(COPY) == ()


def test_an_azure_that_does_not_answer_is_noted(stage: Stage):
    stage.graph.trouble = Retryable("no answer")

    assert stage.look(COPY) == ()
    assert stage.journal.lines == [("outcome", "slots cannot be listed: no answer")]
