"""The janitor: what a run left is removed or reported, and nothing else is touched."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.blobs import MemoryBlobs, nothing
from tests.builders import HERE, NOW, SUB, VAULT, at, vm
from tests.clocks import HandClock
from tests.drill_runs import order, record
from tests.rows import MemoryRows
from tests.small_app import Killed, Lines
from tests.tiny_slots import CONTAINER, TinySlots, disk, machine, restore
from vmbackup_core.app.drill.janitor import UNSEEN, Janitor
from vmbackup_core.app.drill.records import DrillRecords
from vmbackup_core.app.drill.run_book import RunBook
from vmbackup_core.app.drill.slot_book import SlotBook
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.drill.facts import RestoreProgress, StagingContainer, Thing
from vmbackup_core.domain.drill.leases import UNREAD
from vmbackup_core.domain.drill.ownership import INTERFACE
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.errors import Denied, Retryable, Stale
from vmbackup_core.domain.facts import Tags
from vmbackup_core.ports import Row

SLOT = Slot(Place(SUB, HERE), 1)
OTHER_SLOT = Slot(Place(SUB, HERE), 2)
ORDER = order()
RUN = ORDER.run
COPY = machine(SLOT, RUN)
OS_DISK = disk(SLOT, "web-osdisk", "job")
FOREIGN = disk(SLOT, "somebodys")
DAY = timedelta(days=1)
LEASED_UNTIL = at(60)


class Stage:
    """A janitor over tiny slots; a run has leased the first slot, and died."""

    def __init__(self) -> None:
        self.clock = HandClock(NOW)
        self.rows = MemoryRows(self.clock)
        self.azure = TinySlots()
        self.slots = SlotBook(self.rows, self.clock)
        self.runs = RunBook(self.rows, self.clock)
        self.journal = Lines()
        evidence = EvidenceLog(MemoryBlobs(), self.clock)
        self.records = DrillRecords(
            self.rows, evidence, MemoryBlobs(), self.journal, self.clock, "digest"
        )
        self.janitor = Janitor(
            slots=self.slots,
            runs=self.runs,
            records=self.records,
            restoring=self.azure,
            staging=self.azure,
            copies=self.azure,
            notebook=Notebook(self.rows, self.clock),
            journal=self.journal,
            clock=self.clock,
        )
        self.slots.lease(SLOT.place, 2, RUN, LEASED_UNTIL)

    def opened(self, **more: Any) -> Run:
        self.runs.open(ORDER, SLOT)
        return self.runs.note(RUN, lambda run: replace(run, **more))

    def left_a_copy(self) -> None:
        """Let the run have restored its disks and made its copy."""
        self.opened(restores_asked=(NOW,), jobs=("job",), copy_asked=at(5))
        self.azure.restores = [restore("job", SLOT, NOW)]
        self.azure.things = [COPY, OS_DISK]
        self.azure.takes_along = (OS_DISK.name,)

    def after(self, minutes: float = 61) -> Any:
        self.clock.move_to(at(minutes))
        return self.janitor.tidy()

    def bodies(self) -> list[Any]:
        return [found["body"] for _, found in self.records.evidence.chain("drill/")]

    def run(self) -> Run:
        return self.runs.open(ORDER, SLOT)

    def kept(self) -> list[str]:
        return [thing.name for thing in self.azure.things]


@pytest.fixture
def stage() -> Stage:
    return Stage()


# A run that is alive.


def test_a_run_that_has_its_lease_is_left_alone(stage: Stage):
    stage.left_a_copy()

    stage.after(59)

    assert stage.azure.did == []
    assert stage.run().taken is None


def test_a_run_that_ended_a_moment_ago_frees_its_slot_itself(stage: Stage):
    stage.left_a_copy()
    stage.runs.close(RUN, clean=True)

    assert stage.after(29).freed == ()


def test_a_copy_that_is_kept_for_a_person_is_left_until_its_time(stage: Stage):
    stage.left_a_copy()
    stage.runs.note(RUN, lambda run: replace(run, kept_until=at(300)))
    stage.after(299)
    before = list(stage.azure.did)
    stage.after(300)

    assert before == []
    assert stage.azure.did == [f"remove {COPY.name}"]


# A run that died.


def test_what_a_dead_run_left_is_removed_and_recorded(stage: Stage):
    stage.left_a_copy()

    first = stage.after(61)
    second = stage.after(62)

    assert first.again
    assert second.freed == (SLOT,)
    assert stage.azure.did == [f"remove {COPY.name}", f"remove container {CONTAINER}"]
    (body,) = stage.bodies()
    assert (body["ending"], body["verdict"]) == ("OVERDUE", "NOT_PROVEN")
    assert (body["clean"], body["left"]) == (True, [])
    assert stage.slots.leases() == ()
    container = f"account/blobservices/default/containers/{CONTAINER}"
    assert (stage.run().clean, stage.run().removed) == (True, (COPY.id, OS_DISK.id, container))


def test_a_run_that_was_taken_over_can_make_nothing_any_more(stage: Stage):
    stage.left_a_copy()
    stage.after(61)

    with pytest.raises(Stale):
        stage.runs.note(RUN, lambda run: replace(run, copy_asked=at(61)))


def test_disks_without_a_machine_are_removed(stage: Stage):
    stage.left_a_copy()
    stage.azure.things = [OS_DISK]

    stage.after(61)

    assert stage.azure.did == [f"remove {OS_DISK.name}"]


def test_a_run_that_made_nothing_frees_its_slot_at_once(stage: Stage):
    stage.opened()

    assert stage.after(61).freed == (SLOT,)
    assert stage.azure.did == []


def test_a_lease_whose_run_never_began_is_freed_without_a_record(stage: Stage):
    assert stage.after(61).freed == (SLOT,)
    assert stage.bodies() == []
    assert stage.slots.leases() == ()


def test_a_group_that_somebody_removed_is_empty(stage: Stage):
    stage.opened()
    stage.azure.group_is_gone = True

    assert stage.after(61).freed == (SLOT,)


# Restores that go on after their run.


def test_a_restore_that_runs_is_cancelled_and_waited_for(stage: Stage):
    stage.opened(restores_asked=(NOW,), jobs=("job",))
    stage.azure.restores = [restore("job", SLOT, NOW, RestoreProgress.RUNNING)]

    waiting = stage.after(61)
    stage.azure.restores = [restore("job", SLOT, NOW, RestoreProgress.CANCELLED)]
    freed = stage.after(76)

    assert (waiting.freed, waiting.again) == ((), False)
    assert freed.freed == (SLOT,)
    assert stage.azure.did == ["cancel job", f"remove container {CONTAINER}"]


def test_a_restore_that_cannot_be_cancelled_any_more_is_waited_for(stage: Stage):
    stage.opened(restores_asked=(NOW,), jobs=("job",))
    stage.azure.restores = [restore("job", SLOT, NOW, RestoreProgress.RUNNING)]
    stage.azure.too_late_to_cancel = True

    assert len(stage.after(61).waiting) == 1


def test_a_restore_whose_answer_was_lost_is_found_by_its_slot(stage: Stage):
    stage.opened(restores_asked=(NOW,))
    stage.azure.restores = [
        restore("another-slot", OTHER_SLOT, at(1)),
        restore("another-vm", SLOT, at(1), vm=vm("other").id),
        restore("before", SLOT, at(-30)),
        restore("job", SLOT, at(1)),
    ]
    stage.azure.things = [OS_DISK]

    stage.after(61)

    assert stage.run().jobs == ("job",)
    assert stage.azure.did == [f"remove {OS_DISK.name}"]


def test_a_restore_that_may_still_turn_up_is_waited_for(stage: Stage):
    stage.opened(restores_asked=(at(50),))

    assert stage.after(61).freed == ()
    assert stage.after(80).freed == (SLOT,)


# What is not ours.


def test_what_is_not_of_the_run_is_reported_and_stays(stage: Stage):
    stage.left_a_copy()
    stage.azure.things.append(FOREIGN)

    stage.after(61)
    freed = stage.after(62)

    assert stage.kept() == [FOREIGN.name]
    assert freed.freed == (SLOT,)
    quarantine, drill = stage.bodies()
    assert (quarantine["what"], quarantine["because"][1]) == ("quarantined", FOREIGN.id)
    assert (drill["clean"], drill["left"]) == (False, [FOREIGN.id])
    assert [one.slot for one in stage.slots.quarantined()] == [SLOT]


def test_what_lies_in_a_slot_whose_run_never_began_is_nobodys_to_remove(stage: Stage):
    stage.azure.things = [COPY, FOREIGN]

    stage.after(61)

    assert stage.azure.did == []
    assert [one.slot for one in stage.slots.quarantined()] == [SLOT]


def test_a_quarantine_ends_when_the_slot_is_seen_empty(stage: Stage):
    stage.azure.things = [FOREIGN]
    stage.after(61)
    stage.after(76)
    before = stage.slots.quarantined()
    stage.azure.things = []
    stage.after(91)

    assert len(before) == 1
    assert stage.slots.quarantined() == ()
    assert [body["what"] for body in stage.bodies()] == ["quarantined", "lifted"]


def test_a_quarantine_stays_while_a_restore_of_its_run_fills_the_slot(stage: Stage):
    stage.opened(restores_asked=(NOW,), jobs=("job",))
    stage.azure.restores = [restore("job", SLOT, NOW, RestoreProgress.RUNNING)]
    stage.slots.quarantine(SLOT, RUN, "a disk of somebody")
    stage.slots.release(SLOT, RUN)

    stage.after(61)

    assert len(stage.slots.quarantined()) == 1


def test_a_copy_that_was_backed_up_is_never_called_clean(stage: Stage):
    stage.left_a_copy()
    stage.azure.protected_in = str(VAULT)

    stage.after(61)
    stage.after(62)

    (body,) = stage.bodies()
    assert body["clean"] is False
    assert str(VAULT) in body["because"][1]


# Trouble.


def test_what_cannot_be_removed_is_recorded_after_a_day_and_tried_on(stage: Stage):
    stage.left_a_copy()
    stage.azure.things = [OS_DISK, disk(SLOT, "data", "job")]
    stage.azure.locked = (OS_DISK.name,)

    first = stage.after(61)
    stage.after(62 + 24 * 60)
    late = stage.bodies()
    stage.azure.locked = ()
    stage.after(63 + 24 * 60)
    stage.after(64 + 24 * 60)

    assert any("a lock" in trouble for trouble in first.troubles)
    assert [body["what"] for body in late] == ["quarantined", "drill"]
    assert (late[1]["clean"], late[1]["left"]) == (False, [OS_DISK.id])
    assert [body["what"] for body in stage.bodies()][2:] == ["cleaned", "lifted"]
    assert stage.bodies()[2]["clean"] is True
    assert stage.slots.quarantined() == ()


def test_trouble_with_one_slot_holds_back_no_other(stage: Stage):
    stage.left_a_copy()
    other = order(vm("other").id, machine="other")
    stage.slots.lease(SLOT.place, 2, other.run, LEASED_UNTIL)
    stage.runs.open(other, OTHER_SLOT)

    def fail_once() -> None:
        stage.azure.before_call = lambda: None
        raise Retryable("busy")

    stage.azure.before_call = fail_once

    tidied = stage.after(61)

    assert tidied.freed == (OTHER_SLOT,)
    assert [trouble.split(":")[0] for trouble in tidied.troubles] == [f"slot {SLOT.group}"]


@pytest.mark.parametrize("survived", range(24))
def test_a_janitor_that_dies_anywhere_is_followed_by_one_that_ends_it(stage: Stage, survived: int):
    stage.left_a_copy()
    left = [survived]

    def die() -> None:
        left[0] -= 1
        if left[0] == -1:
            raise Killed

    stage.clock.move_to(at(61))
    stage.azure.before_call = stage.rows.before_write = die
    try:
        stage.janitor.tidy()
        stage.janitor.tidy()
    except Killed:
        stage.janitor.tidy()
        stage.janitor.tidy()

    assert stage.azure.things == []
    assert stage.slots.leases() == ()
    assert {body["ending"] for body in stage.bodies() if body["what"] == "drill"} == {"OVERDUE"}


# Records that nobody wrote, and staging accounts.


def test_a_run_that_was_clean_and_died_before_its_record_gets_one(stage: Stage):
    stage.left_a_copy()
    stage.azure.things = []
    stage.runs.close(RUN, clean=True)
    stage.slots.release(SLOT, RUN)

    stage.after(181)

    assert [body["ending"] for body in stage.bodies()] == ["OVERDUE"]


def test_a_run_that_has_not_written_its_record_yet_is_given_time_to(stage: Stage):
    stage.left_a_copy()
    stage.azure.things = []
    stage.runs.close(RUN, clean=True)
    stage.slots.release(SLOT, RUN)

    stage.after(179)

    assert stage.bodies() == []


def test_a_run_that_wrote_its_record_gets_no_second(stage: Stage):
    stage.left_a_copy()
    stage.azure.things = []
    stage.records.write(record(of=ORDER))
    stage.runs.close(RUN, clean=True)

    assert stage.after(61).freed == (SLOT,)
    assert [body["verdict"] for body in stage.bodies()] == ["PROVEN"]


def test_what_is_cleaned_after_a_record_is_told_beside_it(stage: Stage):
    stage.left_a_copy()
    stage.records.write(record(of=ORDER, clean=False, left=(COPY.id,), kept_until=at(60)))
    stage.runs.note(RUN, lambda run: replace(run, kept_until=at(60)))

    stage.after(61)
    stage.after(62)

    assert [body["what"] for body in stage.bodies()] == ["drill", "cleaned"]
    assert COPY.id in stage.bodies()[1]["removed"]


def test_containers_that_no_run_can_need_are_removed(stage: Stage):
    mine = f"mine-{'a' * 32}"
    stage.opened(kept_until=at(10_000), containers=(mine,))
    stage.azure.containers = [
        StagingContainer(f"web-{'0' * 32}", NOW - DAY),
        StagingContainer(f"young-{'0' * 32}", NOW + DAY),
        StagingContainer(mine, NOW - DAY),
        StagingContainer("insights-logs", NOW - DAY),
    ]

    stage.after(61)

    assert stage.azure.did == [f"remove container web-{'0' * 32}"]


def test_a_place_without_a_staging_account_has_no_containers(stage: Stage):
    stage.azure.account = None
    stage.left_a_copy()
    stage.azure.things = []

    assert stage.after(61).freed == (SLOT,)


def test_staging_accounts_are_looked_through_now_and_then_only(stage: Stage):
    stage.opened(kept_until=at(10_000))
    stage.after(61)
    stage.azure.containers = [StagingContainer(f"web-{'0' * 32}", NOW - DAY)]
    stage.after(76)
    soon = list(stage.azure.did)
    stage.after(61 + 6 * 60)

    assert soon == []
    assert stage.azure.did == [f"remove container web-{'0' * 32}"]


def test_a_pause_does_not_hold_back_cleaning(stage: Stage):
    Notebook(stage.rows, stage.clock).set_pause("freeze")
    stage.left_a_copy()

    stage.after(61)

    assert stage.azure.did == [f"remove {COPY.name}"]


def test_a_thing_that_only_looks_like_ours_is_not_removed(stage: Stage):
    stage.left_a_copy()
    twin = Thing(COPY.id.replace(COPY.name, "twin"), COPY.type, Tags.of({"vmbackup-run": "0" * 10}))
    stage.azure.things = [twin]

    stage.after(61)

    assert stage.azure.did == [f"remove container {CONTAINER}"]
    assert stage.kept() == ["twin"]


# What is told of what was removed.


def test_everything_that_goes_with_a_machine_is_named(stage: Stage):
    stage.left_a_copy()
    card = Thing(f"{SLOT.id}/providers/{INTERFACE}/{COPY.name}-nic", INTERFACE)
    script = Thing(f"{COPY.id}/runcommands/check", "microsoft.compute/virtualmachines/runcommands")
    stage.azure.things += [card, script]
    stage.azure.takes_along = (OS_DISK.name, card.name, script.name)
    stage.records.write(record(of=ORDER, clean=False, left=(COPY.id,), kept_until=at(60)))
    stage.runs.note(RUN, lambda run: replace(run, kept_until=at(60)))

    stage.after(61)
    stage.after(62)

    container = f"account/blobservices/default/containers/{CONTAINER}"
    assert sorted(stage.bodies()[1]["removed"]) == sorted(
        (COPY.id, OS_DISK.id, card.id, script.id, container)
    )


def test_a_disk_that_stays_behind_its_machine_is_named_once(stage: Stage):
    stage.left_a_copy()
    stage.azure.takes_along = ()

    stage.after(61)
    stage.after(62)

    assert stage.run().removed == (COPY.id, OS_DISK.id)


# What cannot be read, or looked into.


def spoil(stage: Stage, partition: str, key: str) -> None:
    """Let a row hold what no version of us wrote."""
    row = stage.rows.get(partition, key) or Row(partition, key, {})
    stage.rows.put(replace(row, values={"json_0": "{"}))


def test_a_slots_row_that_cannot_be_read_is_reported_and_the_rest_go_on(stage: Stage):
    stage.left_a_copy()
    stage.azure.takes_along = (OS_DISK.name,)
    spoil(stage, "slot", f"{SUB}-{HERE}-2")

    first = stage.after(61)
    second = stage.after(62)

    assert [f"slot {OTHER_SLOT.group}: {UNREAD}"] == list(first.troubles)
    assert second.freed == (SLOT,)
    assert ("outcome", f"slot {OTHER_SLOT.group}: {UNREAD}") in stage.journal.lines
    assert [lease.slot for lease in stage.slots.quarantined()] == [OTHER_SLOT]


def test_a_slot_whose_row_cannot_be_read_is_given_to_nobody(stage: Stage):
    spoil(stage, "slot", f"{SUB}-{HERE}-2")

    assert stage.slots.lease(SLOT.place, 2, "drill-other", LEASED_UNTIL) is None
    assert stage.slots.lease(SLOT.place, 3, "drill-other", LEASED_UNTIL) == Slot(SLOT.place, 3)
    assert UNREAD in stage.janitor.lift(OTHER_SLOT)


def test_a_row_whose_key_is_no_slots_is_nobodys(stage: Stage):
    spoil(stage, "slot", "x")

    assert stage.after(1).troubles == ()


def test_a_runs_row_that_cannot_be_read_is_reported_and_the_rest_go_on(stage: Stage):
    stage.left_a_copy()
    stage.azure.things = []
    stage.runs.close(RUN, clean=True)
    stage.slots.release(SLOT, RUN)
    spoil(stage, "run", "drill-0")

    found = stage.after(181)

    assert [trouble.split(":")[0] for trouble in found.troubles] == ["run drill-0"]
    assert [body["run"] for body in stage.bodies()] == [RUN]


def test_a_slot_whose_runs_row_cannot_be_read_holds_back_no_other(stage: Stage):
    other = order(vm("other").id, machine="other")
    stage.slots.lease(SLOT.place, 2, other.run, LEASED_UNTIL)
    stage.runs.open(other, OTHER_SLOT)
    spoil(stage, "run", RUN)

    found = stage.after(61)

    assert found.freed == (OTHER_SLOT,)
    assert f"slot {SLOT.group}" in found.troubles[0]


def test_a_slot_that_cannot_be_looked_into_for_a_day_is_quarantined_and_recorded(stage: Stage):
    stage.left_a_copy()

    def fail() -> None:
        raise Denied("no right to list it")

    stage.azure.before_call = fail
    stage.after(61)
    before = stage.slots.quarantined()
    late = stage.after(61 + 24 * 60)
    stage.after(76 + 24 * 60)
    stage.azure.before_call = nothing
    stage.after(91 + 24 * 60)
    stage.after(92 + 24 * 60)
    stage.after(93 + 24 * 60)

    assert before == ()
    assert any("no right" in trouble for trouble in late.troubles)
    assert [body["what"] for body in stage.bodies()] == [
        "quarantined",
        "drill",
        "cleaned",
        "lifted",
    ]
    assert stage.bodies()[0]["because"] == [UNSEEN]
    assert (stage.bodies()[1]["clean"], stage.bodies()[1]["left"]) == (False, [str(SLOT)])
    assert stage.slots.quarantined() == ()
