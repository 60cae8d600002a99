"""What restore tests found becomes troubles that somebody is told of, each once."""

from datetime import timedelta
from typing import Any

from tests.builders import NOW, SUB, VAULT, WEB
from tests.drill_runs import order, record, up_to
from vmbackup_core.domain.drill.evidence import QUARANTINED, body_of, slot_body
from vmbackup_core.domain.drill.leases import Lease
from vmbackup_core.domain.drill.orders import Isolation
from vmbackup_core.domain.drill.reasons import Ending as End
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, RungResult, Verdict
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.telling.drill_troubles import (
    DrillsRead,
    find_drill_troubles,
    find_slot_troubles,
)
from vmbackup_core.domain.telling.incidents import Incident, take_in
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.troubles import Ending, Sighting, SubjectKind, Wellness

DAY = timedelta(days=1)
SLOT = Slot(Place(SUB, "westeurope"), 1)
PANIC = RungResult(Rung.BOOT, Mark.FAIL, ProofReason.KERNEL_PANIC, ("VFS: no root",))
READ = DrillsRead()


def body(verdict: Verdict = Verdict.PROVEN, days: float = 0, **more: Any) -> dict[str, Any]:
    return body_of(record(verdict, asked=NOW + days * DAY, **more), "digest")


def failed(days: float = 0) -> dict[str, Any]:
    return body(Verdict.FAILED, days, results=up_to(Rung.DISKS, PANIC), job="job-1")


def found(*bodies: dict[str, Any]) -> tuple[Sighting | Wellness, ...]:
    return find_drill_troubles(READ, bodies, {str(WEB): "Web"})[1]


def incidents(*bodies: dict[str, Any]) -> tuple[Incident, ...]:
    return take_in((), found(*bodies))


def test_a_test_that_failed_says_which_rung_and_why():
    (seen,) = found(failed())

    assert isinstance(seen, Sighting)
    assert (seen.cause, seen.subject.name, seen.vault) == (
        RootCause.RESTORE_FAILED,
        "Web",
        str(VAULT),
    )
    assert (seen.words.code, seen.words.job) == ("KERNEL_PANIC", "job-1")
    assert seen.words.message == "boot: the kernel panicked; VFS: no root"
    assert seen.words.advice.endswith(f"See `vmbackup drill show {seen.attempt}`.")
    assert seen.quiet_until == seen.at


def test_a_test_that_passes_ends_it():
    (one,) = incidents(failed(), body(days=1))

    assert (one.over, one.ending) == (True, Ending.PROVEN)


def test_a_record_that_was_written_twice_is_one_attempt():
    (one,) = incidents(failed(), failed())

    assert len(one.attempts) == 1


def test_a_test_that_could_not_tell_says_nothing():
    assert found(body(Verdict.NOT_PROVEN, ending=End.NO_SLOT)) == ()


def test_a_test_of_less_than_the_tier_asks_for_ends_nothing():
    less = order(asked=NOW + DAY, needed=Rung.DISKS, tier_rung=Rung.BOOT)

    (one,) = incidents(failed(), body(of=less))

    assert not one.over


def test_while_a_control_is_broken_nothing_that_passes_ends_a_trouble():
    broken = body(days=1, control=Control.BROKEN)
    read, _ = find_drill_troubles(READ, [failed(), broken], {})

    _, later = find_drill_troubles(read, [body(days=2)], {})

    assert not read.proves
    assert [one for one in later if one.subject.kind is SubjectKind.VM] == []


def test_a_control_that_broke_is_a_trouble_until_one_holds():
    broken, held = body(control=Control.BROKEN), body(days=1, control=Control.HELD)

    (one,) = incidents(broken)
    (later,) = take_in([one], found(held))
    (together,) = incidents(broken, held)  # Nobody was told yet.

    assert (one.cause, one.over) == (RootCause.CONTROL_BROKEN, False)
    assert (later.over, together.over) == (True, False)


def test_a_copy_that_lost_its_isolation_is_a_trouble_until_one_in_that_slot_keeps_it():
    more = {"slot": str(SLOT), "ending": End.ISOLATION_BROKEN, "isolation": Isolation.BROKEN}
    lost = body(Verdict.NOT_PROVEN, **more)
    kept = body(days=1, slot=str(SLOT), isolation=Isolation.PROVEN)

    (one,) = incidents(lost)
    (later,) = take_in([one], found(kept))
    (together,) = incidents(lost, kept)  # Nobody was told yet.

    assert (one.cause, one.subject.kind) == (RootCause.ISOLATION_BROKEN, SubjectKind.SLOT)
    assert (one.over, later.over, together.over) == (False, True, False)


def test_other_records_say_nothing():
    assert found(slot_body(QUARANTINED, SLOT, ["odd"])) == ()


def test_a_slot_that_nobody_may_use_is_a_trouble_until_it_is_released():
    lease = Lease(SLOT, quarantined="things of others lie in it")

    (seen,) = find_slot_troubles([lease], (), NOW)
    (one,) = take_in((), [seen])
    (freed,) = find_slot_troubles([], [one], NOW + DAY)
    (after,) = take_in([one], [freed])

    assert (one.cause, one.words.message) == (RootCause.SLOT_LEFT, "things of others lie in it")
    assert one.subject.name == "slot vmbackup-drill-westeurope-1"
    assert after.over
