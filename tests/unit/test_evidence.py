import json
from datetime import UTC, datetime

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW, at
from tests.clocks import HandClock
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.domain.evidence import (
    GENESIS,
    Break,
    Kind,
    Record,
    canonical,
    chain_name,
    digest,
    find_break,
    record_name,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def log(blobs: MemoryBlobs, clock: HandClock) -> EvidenceLog:
    return EvidenceLog(blobs, clock)


def records(log: EvidenceLog) -> list[dict[str, object]]:
    return [dict(record) for _, record in log.chain("")]


def test_canonical_json_has_one_form() -> None:
    assert canonical({"b": 1, "a": ["ü", None, True]}) == '{"a":["ü",null,true],"b":1}'.encode()
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_text_that_is_no_unicode_still_has_a_form() -> None:
    assert json.loads(canonical({"a": "\ud800"})) == {"a": "\ud800"}


def test_a_records_hash_is_that_of_the_record_without_it() -> None:
    sealed = Record(1, NOW, Kind.SWEEP, "sweep", GENESIS, {"vms": 3}).sealed()
    bare = sealed.to_json()
    hashed = bare.pop("hash")

    assert hashed == digest(bare)
    assert find_break([sealed.to_json()]) is None


def test_a_record_has_the_promised_fields_and_no_more() -> None:
    sealed = Record(1, NOW, Kind.SWEEP, "sweep", GENESIS, {}).sealed()

    assert " ".join(sealed.to_json()) == "schema seq at kind key prev hash body"


def test_a_chain_belongs_to_a_kind_and_a_month() -> None:
    assert chain_name(Kind.PROTECTION, NOW) == "protection/2030-01"
    assert record_name(Kind.SWEEP, NOW, 7) == "sweep/2030-01/00000007.json"


def test_an_empty_chain_holds() -> None:
    assert find_break([]) is None


def test_records_follow_one_another(log: EvidenceLog) -> None:
    first, second = (log.append(Kind.PROTECTION, "key", {"n": n}) for n in (1, 2))

    assert (first.seq, first.prev) == (1, GENESIS)
    assert (second.seq, second.prev) == (2, first.hash)
    assert find_break(records(log)) is None


def test_each_kind_has_its_own_chain(log: EvidenceLog) -> None:
    log.append(Kind.PROTECTION, "key", {})

    assert log.append(Kind.SWEEP, "sweep", {}).seq == 1


def test_a_new_month_begins_a_new_chain(log: EvidenceLog, clock: HandClock) -> None:
    log.append(Kind.SWEEP, "sweep", {})
    clock.move_to(datetime(2030, 2, 1, tzinfo=UTC))
    record = log.append(Kind.SWEEP, "sweep", {})

    assert (record.seq, record.prev) == (1, GENESIS)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 7, 8, 9, 31])
def test_a_process_that_knows_nothing_goes_on_at_the_end(
    length: int, blobs: MemoryBlobs, clock: HandClock
) -> None:
    earlier = EvidenceLog(blobs, clock)
    for number in range(length):
        earlier.append(Kind.SWEEP, "sweep", {"n": number})

    assert EvidenceLog(blobs, clock).append(Kind.SWEEP, "sweep", {}).seq == length + 1
    assert find_break(records(earlier)) is None


def test_two_processes_that_append_by_turns_make_one_chain(
    blobs: MemoryBlobs, clock: HandClock
) -> None:
    one, two = EvidenceLog(blobs, clock), EvidenceLog(blobs, clock)
    for number in range(4):
        one.append(Kind.SWEEP, "one", {"n": number})
        two.append(Kind.SWEEP, "two", {"n": number})

    assert len(records(one)) == 8
    assert find_break(records(one)) is None


def test_a_race_that_never_ends_is_waited_out(clock: HandClock) -> None:
    blobs = MemoryBlobs(creating_always_loses=True)

    with pytest.raises(Retryable):
        EvidenceLog(blobs, clock).append(Kind.SWEEP, "sweep", {})


def test_a_record_that_is_missing_is_named(log: EvidenceLog) -> None:
    for number in range(3):
        log.append(Kind.SWEEP, "sweep", {"n": number})
    chain = records(log)

    assert find_break([chain[0], chain[2]]) == Break(2, "record 2 is missing: the next one is 3")


def test_a_record_that_was_changed_is_named(log: EvidenceLog) -> None:
    for number in range(3):
        log.append(Kind.SWEEP, "sweep", {"n": number})
    chain = records(log)
    chain[1]["body"] = {"n": 99}

    assert find_break(chain) == Break(2, "was changed after it was written")


def test_a_record_that_was_changed_and_sealed_again_breaks_the_next_one(
    log: EvidenceLog,
) -> None:
    for number in range(3):
        log.append(Kind.SWEEP, "sweep", {"n": number})
    chain = records(log)
    chain[1]["body"] = {"n": 99}
    chain[1]["hash"] = digest({k: v for k, v in chain[1].items() if k != "hash"})

    assert find_break(chain) == Break(3, "does not carry the hash of the record before it")


def test_a_record_keeps_the_time_of_its_writing(log: EvidenceLog, clock: HandClock) -> None:
    clock.move_to(at(5))
    log.append(Kind.CONTROL, "pause", {})

    assert records(log)[0]["at"] == "2030-01-15T12:05:00+00:00"
