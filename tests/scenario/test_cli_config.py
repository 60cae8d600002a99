"""`vmbackup config`: every fault at once, and what is in force."""

from pathlib import Path

import pytest

from azsim.world import World
from tests.cli import TOML, Cli, Office

FAULTY = TOML.replace("create = true", "crate = true").replace('mode = "protect"', 'mode = "on"')


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path, TOML)


def write(folder: Path, text: str) -> Path:
    file = folder / "some.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_file_has_no_fault(good: Path) -> None:
    ran = Cli().run("config", "check", str(good))

    assert ran.code == 0
    assert "no fault" in ran.out


def test_every_fault_is_told_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    ran = Cli().run("config", "check", str(write(tmp_path, FAULTY)))

    assert ran.code == 1
    assert "2 faults" in ran.out
    assert "scope.mode" in ran.out
    assert "vaults.crate" in ran.out
    assert 'did you mean "create"?' in ran.out


def test_faults_are_told_to_machines(tmp_path: Path) -> None:
    file = write(tmp_path, FAULTY)

    ran = Cli().run("config", "check", str(file), "--json")

    assert ran.code == 1
    assert ran.json["file"] == str(file)
    assert [fault["key"] for fault in ran.json["faults"]] == ["scope.mode", "vaults.crate"]
    assert all(fault["line"] for fault in ran.json["faults"])


def test_a_good_file_to_machines(good: Path) -> None:
    assert Cli().run("config", "check", str(good), "--json").json["faults"] == []


def test_the_file_of_the_deployment_is_checked_without_a_name(good: Path) -> None:
    ran = Cli(environment={"VMBACKUP_CONFIG": str(good)}).run("config", "check")

    assert ran.code == 0
    assert str(good) in ran.out


def test_a_variable_that_is_set_wrong_is_a_fault_too(good: Path) -> None:
    ran = Cli(environment={"VMBACKUP_CLOUD": "mars"}).run("config", "check", str(good))

    assert ran.code == 1
    assert "VMBACKUP_CLOUD" in ran.out


def test_a_file_that_cannot_be_read_is_a_wrong_call(tmp_path: Path) -> None:
    assert Cli().run("config", "check", str(tmp_path / "none.toml")).code == 64


def test_a_configuration_in_a_blob_is_not_fetched() -> None:
    cli = Cli(environment={"VMBACKUP_CONFIG": "https://x.blob.core.windows.net/c/vmbackup.toml"})

    ran = cli.run("config", "check")

    assert ran.code == 64
    assert "copy it here" in ran.err


def test_what_is_in_force_is_shown_with_its_defaults(office: Office) -> None:
    ran = office.run("config", "show")

    assert ran.code == 0
    assert "schedule = every 4 hours from 06:00 for 12 hours" in ran.out
    assert "opt_out = off, none" in ran.out
    assert "agent_wait = 2 hours" in ran.out
    assert "max_shrink = 20 %" in ran.out
    assert "VMBACKUP_SWEEP_SCHEDULE = 0 */30 * * * *" in ran.out


def test_what_is_in_force_as_one_document(office: Office) -> None:
    found = office.run("config", "show", "--json").json

    assert found["scope"]["mode"] == "protect"
    assert found["policies"]["gold"]["keep"]["daily"] == 30
    assert found["vaults"]["create"] is True
