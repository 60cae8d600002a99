"""A ledger that was lost is filled again from the evidence, and never over what it knows."""

import json
from typing import Any

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW, VAULT, WEB
from tests.clocks import HandClock
from tests.rows import MemoryRows
from tests.small_app import Lines, small_app
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.recalling import PAUSED, Recalling
from vmbackup_core.domain.evidence import (
    GENESIS,
    Kind,
    Record,
    canonical,
    digest,
    record_name,
)
from vmbackup_core.domain.memory import Memory


class Rebuilt:
    """A new ledger beside the evidence of another one."""

    def __init__(self, evidence: MemoryBlobs | None = None) -> None:
        self.clock = HandClock(NOW)
        self.blobs, self.journal = MemoryBlobs(), Lines()
        self.kept = evidence if evidence is not None else MemoryBlobs()
        self.evidence = EvidenceLog(self.kept, self.clock)
        self.notebook = Notebook(MemoryRows(self.clock), self.clock)
        self.recalling = Recalling(self.evidence, self.notebook, self.blobs, self.journal)

    def told(self, policy: str, vault: str = str(VAULT), **more: Any) -> None:
        body = {"vm": str(WEB), "machine": "m", "vault": vault, "policy": policy, **more}
        self.evidence.append(Kind.PROTECTION, "protect-1", body)

    def alarms(self) -> list[str]:
        return [text for kind, text in self.journal.lines if kind == "alarm"]


def sealed(rebuilt: Rebuilt, body: Any) -> tuple[str, bytes]:
    """Return the first record of a chain with any body, as somebody else could write it."""
    at = rebuilt.clock.now()
    record = Record(1, at, Kind.PROTECTION, "protect-1", GENESIS, {})
    bare = {**record.to_json(), "body": body}
    del bare["hash"]
    content = {**bare, "hash": digest(bare)}
    return record_name(Kind.PROTECTION, at, 1), canonical(content)


@pytest.fixture
def rebuilt() -> Rebuilt:
    return Rebuilt()


def test_without_evidence_nothing_is_remembered(rebuilt: Rebuilt):
    assert rebuilt.recalling.recall() == 0
    assert rebuilt.journal.lines == []


def test_what_we_did_to_a_vm_is_remembered(rebuilt: Rebuilt):
    rebuilt.told("gold")

    assert rebuilt.recalling.recall() == 1
    assert rebuilt.notebook.memory(WEB) == Memory(machine="m", vault=str(VAULT), policy="gold")


def test_the_newest_record_counts_also_in_another_month(rebuilt: Rebuilt):
    rebuilt.told("bronze")
    rebuilt.clock.move_to(NOW.replace(month=NOW.month + 1))
    rebuilt.told("silver")
    rebuilt.told("gold")

    rebuilt.recalling.recall()

    assert rebuilt.notebook.memory(WEB).policy == "gold"


def test_what_the_ledger_knows_already_stays(rebuilt: Rebuilt):
    rebuilt.told("gold")
    rebuilt.notebook.remember(WEB, Memory(machine="new", vault=str(VAULT), policy="silver"))

    assert rebuilt.recalling.recall() == 0
    assert rebuilt.notebook.memory(WEB).policy == "silver"


def test_a_newer_record_of_a_ledger_that_knew_less_does_not_hide_an_older_one(rebuilt: Rebuilt):
    rebuilt.told("gold")
    rebuilt.told("", vault="", machine="m2")

    rebuilt.recalling.recall()

    assert rebuilt.notebook.memory(WEB) == Memory(machine="m2", vault=str(VAULT), policy="gold")


def test_a_vm_that_we_never_protected_is_not_remembered(rebuilt: Rebuilt):
    rebuilt.told("", vault="", machine="")

    assert rebuilt.recalling.recall() == 0


@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red"},
        ["no", "object"],
        {"vm": "no id", "machine": "m", "vault": "v", "policy": "p"},
        {"vm": str(WEB), "machine": "m", "vault": "v", "policy": 7},
    ],
)
def test_a_record_of_another_form_says_nothing(rebuilt: Rebuilt, body: Any):
    rebuilt.kept.create(*sealed(rebuilt, body))
    rebuilt.told("gold")

    assert rebuilt.recalling.recall() == 1


def test_records_behind_a_break_of_the_chain_do_not_count(rebuilt: Rebuilt):
    rebuilt.told("bronze")
    rebuilt.told("gold")
    name = max(rebuilt.kept.content)
    record = json.loads(rebuilt.kept.content[name][0])
    record["body"]["policy"] = "forged"
    rebuilt.kept.content[name] = (json.dumps(record).encode(), 99)

    rebuilt.recalling.recall()

    assert rebuilt.notebook.memory(WEB).policy == "bronze"
    assert "does not hold from 2 on" in rebuilt.alarms()[0]


@pytest.mark.parametrize("content", [b"not JSON", b"[1]", b"7"])
def test_what_is_no_record_ends_its_chain_and_stops_nothing(rebuilt: Rebuilt, content: bytes):
    rebuilt.told("bronze")
    rebuilt.told("gold")
    name = max(rebuilt.kept.content)
    rebuilt.kept.content[name] = (content, 99)

    assert rebuilt.recalling.recall() == 1
    assert rebuilt.notebook.memory(WEB).policy == "bronze"
    assert "is no record" in rebuilt.alarms()[0]


def test_a_second_time_nothing_is_read_again(rebuilt: Rebuilt):
    rebuilt.told("gold")
    rebuilt.recalling.recall()
    rebuilt.notebook.remember(WEB, Memory())

    assert rebuilt.recalling.recall() == 0


@pytest.mark.parametrize(
    ("did", "paused"), [(["paused"], True), (["paused", "resumed"], False), ([], False)]
)
def test_a_pause_holds_on_until_somebody_ends_it(rebuilt: Rebuilt, did: list[str], paused: bool):
    for one in did:
        rebuilt.evidence.append(Kind.CONTROL, "pause", {"did": one})
    rebuilt.evidence.append(Kind.CONTROL, "approval", {"did": "approved"})

    rebuilt.recalling.recall()

    pause = rebuilt.notebook.pause()
    assert (pause is not None and pause.why == PAUSED) is paused


def test_a_pause_that_was_ended_since_stays_ended(rebuilt: Rebuilt):
    rebuilt.evidence.append(Kind.CONTROL, "pause", {"did": "paused"})
    rebuilt.notebook.set_pause(None)

    rebuilt.recalling.recall()

    assert rebuilt.notebook.pause() is None


def test_the_first_sweep_of_a_ledger_remembers_and_the_next_ones_do_not():
    app = small_app()
    body = {"vm": str(WEB), "machine": "m", "vault": str(VAULT), "policy": "gold"}
    app.evidence.append(Kind.PROTECTION, "protect-1", body)

    app.sweep.run()
    first = app.memory().policy
    app.notebook.remember(WEB, Memory())
    app.sweep.run()

    assert (first, app.memory().policy) == ("gold", "")
