"""`vmbackup evidence`: a chain holds or is broken, and anybody with a copy can tell."""

import json
import re
import shutil
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from azsim.world import World
from tests.cli import Cli, Office

CHAIN = "protection/2026-03"


@pytest.fixture
def office(world: World) -> Office:
    office = Office(world)
    for number in range(4):
        office.vm(f"web-{number}")
    office.app.sweep.run()
    office.run("protect", "--yes")
    return office


@pytest.fixture
def copy(office: Office, tmp_path: Path) -> Path:
    return office.copy_evidence(tmp_path / "evidence")


def test_whole_chains_hold_offline(copy: Path) -> None:
    ran = Cli().run("evidence", "verify", str(copy))

    assert ran.code == 0
    assert "every link holds" in ran.out
    assert "A cut tail or a missing chain is not visible here" in ran.out
    assert "BROKEN" not in ran.out


def test_the_evidence_of_the_deployment_is_checked_without_a_directory(office: Office) -> None:
    found = office.run("evidence", "verify", "--json").json

    assert found["holds"] is True
    assert {chain["chain"] for chain in found["chains"]} == {CHAIN, "sweep/2026-03"}
    assert {len(chain["head"]) for chain in found["chains"]} == {64}


@pytest.mark.parametrize("below", ["", "evidence", "evidence/protection", f"evidence/{CHAIN}"])
def test_any_folder_above_or_of_a_chain_will_do(copy: Path, below: str) -> None:
    found = Cli().run("evidence", "verify", str(copy.parent / below), "--json").json

    assert sum(c["chain"].endswith(CHAIN) and c["records"] == 4 for c in found["chains"]) == 1


def change(path: Path) -> None:
    record = json.loads(path.read_bytes())
    record["body"]["reason"] = "PROTECTED_INDEED"
    path.write_text(json.dumps(record))


def forge(path: Path) -> None:
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps(record | {"more": 1}))


def stand_elsewhere(path: Path) -> None:
    shutil.copy(path.with_name("00000001.json"), path)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (change, "BROKEN at 2: was changed after it was written"),
        (Path.unlink, "BROKEN at 2: record 2 is missing: the next one is 3"),
        (forge, "BROKEN at 2: fields are not those of a record"),
        (stand_elsewhere, "BROKEN at 2: lies in the wrong place"),
        (lambda path: path.write_bytes(b"{"), "BROKEN at 2: is not JSON"),
        (lambda path: path.write_bytes(b"[]"), "BROKEN at 2: is no record"),
    ],
)
def test_the_first_broken_link_is_named(
    copy: Path, harm: Callable[[Path], object], told: str
) -> None:
    harm(copy / CHAIN / "00000002.json")

    ran = Cli().run("evidence", "verify", str(copy))

    assert ran.code == 1
    assert told in ran.out
    assert "1 of 2 chains broken." in ran.out


def test_a_missing_beginning_is_a_break(copy: Path) -> None:
    (copy / CHAIN / "00000001.json").unlink()

    assert Cli().run("evidence", "verify", str(copy)).code == 1


def test_a_whole_chain_in_another_months_folder_is_a_break(copy: Path) -> None:
    (copy / CHAIN).rename(copy / "protection" / "2026-02")

    ran = Cli().run("evidence", "verify", str(copy))

    assert ran.code == 1
    assert "lies in the wrong place" in ran.out


def test_a_break_is_told_to_machines(copy: Path) -> None:
    change(copy / CHAIN / "00000003.json")

    ran = Cli().run("evidence", "verify", str(copy), "--json")
    chain = next(c for c in ran.json["chains"] if c["chain"] == CHAIN)

    assert ran.code == 1
    assert ran.json["holds"] is False
    assert chain["broken"]["seq"] == 3
    assert chain["records"] == 2


def test_a_copy_without_evidence_proves_nothing(tmp_path: Path) -> None:
    ran = Cli().run("evidence", "verify", str(tmp_path))

    assert ran.code == 1
    assert "No evidence in" in ran.out


def test_a_new_deployment_has_none_yet(world: World) -> None:
    ran = Office(world).run("evidence", "verify")

    assert ran.code == 1
    assert "There is no evidence yet: nothing is proven." in ran.out
    assert "VMBACKUP_STORAGE_ACCOUNT" in ran.out


def test_a_directory_that_does_not_exist_is_a_wrong_call(tmp_path: Path) -> None:
    assert Cli().run("evidence", "verify", str(tmp_path / "nowhere")).code == 64


# Heads that were kept elsewhere.


def kept_heads(copy: Path, tmp_path: Path) -> Path:
    """Write down the heads of the copy as it is now."""
    kept = tmp_path / "heads.json"
    kept.write_text(Cli().run("evidence", "verify", str(copy), "--json").out)
    return kept


def as_mail(kept: Path, encoding: str) -> Path:
    """Put the heads into a mail as the operators get it, its text encoded so."""
    chains = json.loads(kept.read_text())["chains"]
    mail = EmailMessage()
    mail["Subject"] = "alive"
    lines = [f"  {one['chain']} no. {one['records']:,}: {one['head']}" for one in chains]
    mail.set_content("Heads\n" + "\n".join(lines), cte=encoding)
    path = kept.with_suffix(".eml")
    path.write_bytes(bytes(mail))
    return path


def test_heads_that_are_still_there_hold(copy: Path, tmp_path: Path) -> None:
    kept = kept_heads(copy, tmp_path)

    ran = Cli().run("evidence", "verify", str(copy), "--heads", str(kept))

    assert ran.code == 0
    assert "2 heads kept elsewhere: every one is still there." in ran.out


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_a_tail_that_was_cut_off_is_seen_by_a_head_in_a_mail(
    copy: Path, tmp_path: Path, encoding: str
) -> None:
    mail = as_mail(kept_heads(copy, tmp_path), encoding)
    (copy / CHAIN / "00000004.json").unlink()
    (copy / CHAIN / "00000003.json").unlink()

    ran = Cli().run("evidence", "verify", str(copy), "--heads", str(mail))

    assert ran.code == 1
    assert f"{CHAIN}: its last 2 of 4 records, at least, were cut off." in ran.out


def test_a_chain_that_is_missing_whole_is_seen_by_its_head(copy: Path, tmp_path: Path) -> None:
    kept = kept_heads(copy, tmp_path)
    shutil.rmtree(copy / CHAIN)

    ran = Cli().run("evidence", "verify", str(copy), "--heads", str(kept), "--json")
    (lost,) = [one for one in ran.json["heads"] if not one["holds"]]

    assert (ran.code, ran.json["holds"]) == (1, False)
    assert (lost["chain"], lost["why"]) == (CHAIN, "the whole chain is missing: it had 4 records")


def test_a_chain_that_grew_still_has_its_older_head(
    office: Office, copy: Path, tmp_path: Path
) -> None:
    kept = kept_heads(copy, tmp_path)
    office.app.sweep.run()
    grown = office.copy_evidence(tmp_path / "later")

    assert Cli().run("evidence", "verify", str(grown), "--heads", str(kept)).code == 0


def test_a_chain_that_was_written_anew_has_another_head(copy: Path, tmp_path: Path) -> None:
    kept = kept_heads(copy, tmp_path)
    kept.write_text(re.sub(r'"head": "[0-9a-f]{4}', '"head": "0000', kept.read_text()))

    ran = Cli().run("evidence", "verify", str(copy), "--heads", str(kept))

    assert ran.code == 1
    assert f"{CHAIN}: record 4 is another one: the chain was written anew." in ran.out


def test_a_file_without_heads_is_a_wrong_call(copy: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("nothing of ours")

    ran = Cli().run("evidence", "verify", str(copy), "--heads", str(empty))
    nowhere = Cli().run("evidence", "verify", str(copy), "--heads", str(tmp_path / "nowhere"))

    assert (ran.code, nowhere.code) == (64, 64)
    assert "names no head of evidence" in ran.err


def test_records_are_shown_in_words(office: Office) -> None:
    ran = office.run("evidence", "show")

    assert "web-0: PROTECTED" in ran.out
    assert "4 VMs, 4 in scope, 0 protected" in ran.out


def test_records_narrow_to_a_kind_a_month_a_vm_and_a_number(office: Office) -> None:
    by_vm = office.run("evidence", "show", "--kind", "protection", "--vm", "WEB-2", "--json").json
    newest = office.run("evidence", "show", "--last", "1", "--json").json
    sweeps = office.run("evidence", "show", "--kind", "sweep", "--month", "2026-03", "--json").json
    earlier = office.run("evidence", "show", "--month", "2025-12")

    assert [record["body"]["reason"] for record in by_vm["records"]] == ["PROTECTED"]
    assert [record["seq"] for record in newest["records"]] == [4]
    assert [record["kind"] for record in sweeps["records"]] == ["sweep"]
    assert earlier.out == "No such record.\n"


def test_a_month_that_is_none_is_a_wrong_call(office: Office) -> None:
    ran = office.run("evidence", "show", "--month", "03-2026")

    assert ran.code == 64
    assert "is no month like 2026-03" in ran.err


def test_a_kind_that_does_not_exist_is_a_wrong_call(office: Office) -> None:
    assert office.run("evidence", "show", "--kind", "gossip").code == 64
