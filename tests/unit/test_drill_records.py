"""Evidence of restore tests: what it keeps, that it is written once, and what it says of VMs."""

import json
from datetime import timedelta

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW, SUB, WEB, at, vm
from tests.clocks import HandClock
from tests.drill_runs import order, record, up_to
from tests.rows import MemoryRows
from tests.small_app import Killed, Lines
from vmbackup_core.app.drill.records import DOCUMENT, DrillRecords
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.domain.drill.evidence import (
    LONGEST,
    MOST,
    QUARANTINED,
    body_of,
    cleaned_body,
    slot_body,
    text_of,
    texts,
)
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.history import pasts_of
from vmbackup_core.domain.drill.orders import Isolation
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rules import Measure, Past
from vmbackup_core.domain.drill.rungs import Control, Mark, Rung, RungResult, Verdict
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.evidence import find_break

DAY = timedelta(days=1)
YEAR = 366 * DAY
MACHINE = "machine-of-web"
SLOT = Slot(Place(SUB, "westeurope"), 1)
CAPPED = up_to(Rung.DISKS, RungResult(Rung.BOOT, Mark.NOT_RUN, ProofReason.CAPPED_BY_TAG))


def body(*given, **more):
    return body_of(record(*given, **more), "digest")


def past(*bodies) -> Past:
    return pasts_of(bodies)[WEB]


# What one record says and keeps.


def test_a_failed_test_is_told_by_what_failed_and_another_by_how_it_ended():
    failed = RungResult(Rung.BOOT, Mark.FAIL, ProofReason.KERNEL_PANIC)

    assert record(results=up_to(Rung.DISKS, failed)).outcome == "the kernel panicked"
    assert record().outcome == "it went as far as it should"


def test_a_record_is_json_and_names_the_run_the_machine_and_the_verdict():
    written = json.loads(json.dumps(body(isolation=Isolation.PROVEN, control=Control.HELD)))

    assert (written["vm"], written["machine"]) == (str(WEB), MACHINE)
    assert (written["verdict"], written["ending"]) == ("PROVEN", "COMPLETED")
    assert (written["needed"], written["reached"]) == ("boot", "boot")
    assert (written["isolation"], written["control"]) == ("proven", "held")
    assert written["clocks"]["rto"] == 540
    assert written["config"] == "digest"


def test_scripts_are_kept_as_digests_only():
    check = GuestCheck("db", "Linux", "pg_isready --password hunter2")
    written = body(of=order(checks=(check,)))

    assert [one["name"] for one in written["checks"]] == ["db"]
    assert "hunter2" not in json.dumps(written)


def test_what_a_guest_said_is_bounded():
    said = RungResult(Rung.CHECKS, Mark.FAIL, ProofReason.CHECK_FAILED, ("x" * 5_000,))
    (*_, failed) = body(Verdict.FAILED, results=up_to(Rung.BOOT, said))["rungs"]

    assert len(failed["because"][0]) == LONGEST


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("DB_PASSWORD=hunter2 ok", "DB_PASSWORD=[removed] ok"),
        ('{"access_token": "abc"}', '{"access_token": [removed]'),
        ("AccountKey=Zm9v==;x", "AccountKey=[removed]"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer [removed]"),
        ("The client 'a.b@contoso.example' is denied", "The client '[removed]' is denied"),
        ("https://x.blob/y?sv=1&sig=abc was read", "https://x.blob/y?[removed] was read"),
        ("exit code 1: no token was found", "exit code 1: no token was found"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_taken_out(said: str, kept: str):
    assert text_of(said) == kept


def test_a_long_list_says_how_much_more_there_was():
    kept = texts(str(number) for number in range(MOST + 5))

    assert len(kept) == MOST
    assert kept[-1] == "and 6 more"


# What is folded from them.


def test_a_vm_that_passed_is_proven_since_it_was_asked():
    assert past(body()) == Past(
        MACHINE,
        proven=NOW,
        proofs=1,
        measured=(Measure(NOW, timedelta(minutes=70), timedelta(minutes=9), False),),
    )


def test_failures_in_a_row_are_counted_and_a_pass_ends_them():
    failed = [body(Verdict.FAILED, asked=NOW + day * DAY) for day in (1, 2)]

    assert past(*failed) == Past(MACHINE, failed=NOW + 2 * DAY, failures=2)
    assert past(*failed, body(asked=NOW + 3 * DAY)).failures == 0


def test_one_that_could_not_run_is_neither_a_proof_nor_a_failure():
    refused = body(
        Verdict.NOT_PROVEN, ending=Ending.NO_SLOT, results=(), asked=NOW + DAY, point=None
    )

    after = past(body(), refused)

    assert (after.proven, after.failures, after.tried) == (NOW, 0, NOW + DAY)


def test_one_that_a_cap_stopped_is_partly_proven():
    after = past(body(Verdict.NOT_PROVEN, results=CAPPED))

    assert (after.proven, after.partly) == (NOW, True)


@pytest.mark.parametrize("verdict", [Verdict.PROVEN, Verdict.NOT_PROVEN])
def test_a_person_who_asked_for_less_than_the_tier_does_changes_no_past(verdict: Verdict):
    less = order(night=None, asked=NOW + DAY, needed=Rung.DISKS, tier_rung=Rung.BOOT)

    assert past(body(), body(verdict, of=less)) == past(body())


def test_a_failure_counts_however_little_was_asked_for():
    less = order(night=None, needed=Rung.DISKS, tier_rung=Rung.BOOT)

    assert past(body(Verdict.FAILED, of=less)).failures == 1


def test_one_that_was_aborted_below_its_cap_is_not_proven():
    after = past(body(Verdict.NOT_PROVEN, results=CAPPED, ending=Ending.UNREACHABLE))

    assert after.proven is None


def test_a_record_that_was_written_twice_counts_once():
    assert past(body(Verdict.FAILED), body(Verdict.FAILED)).failures == 1


def test_nothing_is_known_of_another_machine_of_that_name():
    another = order(machine="another", night=None, asked=NOW + DAY)

    assert past(body(), body(Verdict.FAILED, of=another)) == Past(
        "another", failed=NOW + DAY, failures=1
    )


def test_a_broken_control_takes_back_all_proofs_since_one_held():
    other = vm("other").id
    held = body(of=order(other, asked=NOW, night=None), control=Control.HELD)
    passed = body(asked=NOW + 2 * DAY)
    broken = body(of=order(other, asked=NOW + 7 * DAY, night=None), control=Control.BROKEN)

    pasts = pasts_of([held, passed, broken])

    assert (pasts[WEB].proven, pasts[WEB].proofs) == (None, 0)
    assert (pasts[other].proven, pasts[other].proofs) == (NOW, 1)


def test_what_passes_after_a_broken_control_proves_nothing_until_one_holds():
    broken = body(asked=NOW, control=Control.BROKEN)
    passed = body(asked=NOW + DAY)
    held = body(asked=NOW + 2 * DAY, control=Control.HELD)

    assert past(broken, passed).proven is None
    assert past(broken, passed, held).proven == NOW + 2 * DAY


def test_what_follows_a_record_changes_no_past():
    more = [
        cleaned_body(Run(order(), SLOT, NOW), [], clean=True),
        slot_body(QUARANTINED, SLOT, ["a disk of somebody"]),
    ]

    assert past(body(), *more) == past(body())


# Writing them and reading them.


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def rows(clock: HandClock) -> MemoryRows:
    return MemoryRows(clock)


@pytest.fixture
def documents() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def evidence_blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def records(rows, documents, evidence_blobs, clock) -> DrillRecords:
    evidence = EvidenceLog(evidence_blobs, clock)
    return DrillRecords(rows, evidence, documents, Lines(), clock, "digest")


def chain(records: DrillRecords):
    return [found for _, found in records.evidence.chain("drill/")]


def test_a_record_is_written_once_for_each_run(records: DrillRecords):
    records.write(record())
    records.write(record(Verdict.FAILED))

    assert [one["body"]["verdict"] for one in chain(records)] == ["PROVEN"]
    assert records.body(record().order.run) == chain(records)[0]["body"]


def test_a_run_without_a_record_has_none(records: DrillRecords):
    assert not records.written("drill-x")
    assert records.body("drill-x") is None


def test_a_crash_between_evidence_and_ledger_costs_one_repeated_record(
    records: DrillRecords, rows: MemoryRows
):
    def die() -> None:
        rows.before_write = lambda: None
        raise Killed

    rows.before_write = die
    with pytest.raises(Killed):
        records.write(record(Verdict.FAILED))
    records.write(record(Verdict.FAILED))

    assert [one["key"] for one in chain(records)] == [record().order.run] * 2
    assert find_break(chain(records)) is None
    assert records.histories(YEAR).pasts()[WEB].failures == 1


def test_only_new_records_are_read_again(
    records: DrillRecords, evidence_blobs: MemoryBlobs, clock: HandClock
):
    records.write(record())
    records.histories(DAY)
    clock.move_to(NOW + DAY)
    records.write(record(Verdict.FAILED, asked=NOW + DAY))
    del evidence_blobs.content["drill/2030-01/00000001.json"]

    assert records.histories(DAY).pasts()[WEB] == Past(
        MACHINE,
        proven=NOW,
        proofs=1,
        failed=NOW + DAY,
        failures=1,
        measured=(Measure(NOW, timedelta(minutes=70), timedelta(minutes=9), False),),
    )


def test_months_back_are_read_to_the_longest_age(records: DrillRecords, clock: HandClock):
    records.write(record())
    clock.move_to(NOW + 60 * DAY)

    assert records.histories(30 * DAY).pasts() == {}
    assert records.histories(61 * DAY).pasts()[WEB].proven == NOW


def test_a_longer_age_than_before_is_read_from_its_beginning(
    records: DrillRecords, clock: HandClock
):
    records.write(record(Verdict.FAILED))
    clock.move_to(NOW + 60 * DAY)
    records.write(record(asked=NOW + 60 * DAY))
    records.histories(DAY)

    assert records.histories(90 * DAY).pasts()[WEB].failures == 0
    assert records.histories(DAY).pasts()[WEB].proven == NOW + 60 * DAY


def test_the_month_that_begins_tonight_is_read(records: DrillRecords, clock: HandClock):
    clock.move_to(NOW.replace(month=3, day=1, hour=0))
    records.write(record())
    clock.move_to(NOW.replace(month=3, day=1, hour=1))

    assert WEB in records.histories(45 * DAY).pasts()


@pytest.mark.parametrize("content", [b"not JSON", b'{"schema": 1}', b'{"schema": 0, "x": []}'])
def test_a_document_that_cannot_be_read_is_made_again(
    records: DrillRecords, documents: MemoryBlobs, content: bytes
):
    records.write(record())
    documents.create(DOCUMENT, content)

    assert records.histories(DAY).pasts()[WEB].proven == NOW
    assert json.loads(documents.content[DOCUMENT][0])["schema"] == 1


def test_the_loser_of_a_race_for_the_document_says_the_same(
    records: DrillRecords, documents: MemoryBlobs
):
    records.write(record())

    def meanwhile() -> None:
        documents.before_write = lambda: None
        records.histories(DAY)

    documents.before_write = meanwhile

    assert records.histories(DAY).pasts()[WEB].proven == NOW


# The rhythm of negative controls.


def test_a_control_is_due_where_none_was_conclusive_for_its_rhythm(records: DrillRecords):
    never = records.histories(DAY)
    records.write(record(control=Control.HELD))
    held = records.histories(DAY)

    assert never.control_due(NOW, 7 * DAY)
    assert not held.control_due(NOW + 6 * DAY, 7 * DAY)
    assert held.control_due(NOW + 7 * DAY, 7 * DAY)
    assert not never.control_due(NOW, None)


def test_one_that_told_nothing_is_tried_again_and_a_broken_one_too(records: DrillRecords):
    records.write(record(control=Control.INCONCLUSIVE))
    inconclusive = records.histories(DAY)
    records.write(record(asked=at(5), of=order(asked=at(5), night=None), control=Control.BROKEN))
    broken = records.histories(DAY)

    assert inconclusive.control_due(NOW, 7 * DAY)
    assert broken.control_due(NOW + DAY, 7 * DAY)
