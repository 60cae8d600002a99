"""How the command line is called, and what it says when it cannot go on."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from azsim.world import World
from tests.cli import Cli, Office
from vmbackup_core.app.sweep import Survey
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.errors import (
    BackupError,
    Denied,
    Gone,
    Malformed,
    Rejected,
    Retryable,
    Stale,
)
from vmbackup_core.settings import Fault, SettingsError

COMMANDS = (
    ("plan",),
    ("explain",),
    ("protect",),
    ("approve",),
    ("pause", "on"),
    ("pause", "off"),
    ("pause", "status"),
    ("evidence", "verify"),
    ("evidence", "show"),
    ("kept", "list"),
    ("kept", "show"),
    ("deadletters", "list"),
    ("deadletters", "show"),
    ("config", "check"),
    ("config", "show"),
    ("simulate",),
    ("demo",),
    ("version",),
)


@dataclass(frozen=True)
class Failing:
    """A sweep that cannot look."""

    error: Exception

    def survey(self) -> Survey:
        raise self.error


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = Cli().run(*command, "--help")

    assert ran.code == 0
    assert " ".join(("vmbackup", *command)) in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("plan", "--nonsense"),
        ("plan", "surplus"),
        ("explain",),
        ("evidence", "show", "--last", "0"),
        ("simulate", "--vms", "many"),
        (),
        ("pause",),
    ],
)
def test_a_wrong_call_exits_with_64(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = Cli().run(*arguments)

    assert ran.code == 64
    assert ran.out == ""
    assert "--help" in ran.err + capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Retryable("busy", after=timedelta(seconds=90)), "Try again in 1 minute 30 seconds."),
        (Retryable("busy"), "Try again in a while."),
        (Stale("changed"), "try again"),
        (Gone("no such VM"), "deleted or moved"),
        (Denied("may not", code="AuthorizationFailed"), "AuthorizationFailed"),
        (Denied("may not"), "az login"),
        (Rejected("Azure said no"), "Azure said no"),
        (Malformed("what is this"), "what is this"),
    ],
)
def test_an_expected_error_is_said_with_what_to_do(
    office: Office, error: BackupError, told: str
) -> None:
    office.change(sweep=Failing(error))

    ran = office.run("plan")

    assert ran.code == 1
    assert str(error) in ran.err
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_of_a_long_error_people_get_the_first_line_and_machines_get_all(office: Office) -> None:
    office.change(sweep=Failing(Denied("no token\ntried this\ntried that")))

    text, machine = office.run("plan"), office.run("plan", "--json")

    assert "tried this" not in text.err
    assert "tried that" in machine.json["error"]["message"]


def test_an_error_is_one_document_for_machines(office: Office) -> None:
    office.change(sweep=Failing(Denied("may not", code="AuthorizationFailed")))

    ran = office.run("plan", "--json")

    assert ran.code == 1
    assert ran.json["error"]["kind"] == "Denied"
    assert ran.json["error"]["code"] == "AuthorizationFailed"


def test_a_broken_configuration_is_told_with_all_its_faults() -> None:
    faults = (Fault(3, "scope.mode", "is wrong"), Fault(9, "rules", "missing", "add one"))

    def no_app() -> App:
        raise SettingsError("vmbackup.toml", faults)

    cli = Cli()
    cli._app = no_app  # type: ignore[method-assign]
    text, machine = cli.run("plan"), cli.run("plan", "--json")

    assert text.code == machine.code == 1
    assert "line 3: scope.mode: is wrong" in text.err
    assert "line 9: rules: missing (add one)" in text.err
    assert [fault["key"] for fault in machine.json["error"]["faults"]] == ["scope.mode", "rules"]


def test_a_bug_is_not_hidden(office: Office) -> None:
    office.change(sweep=Failing(KeyError("a bug")))

    with pytest.raises(KeyError, match="a bug"):
        office.run("plan")


def test_ctrl_c_is_a_failure_and_no_traceback(office: Office) -> None:
    office.change(sweep=Failing(KeyboardInterrupt()))  # type: ignore[arg-type]

    ran = office.run("plan")

    assert ran.code == 1
    assert "Interrupted" in ran.err


def test_the_demo_does_not_empty_a_directory_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    ran = Cli().run("demo", "--out", str(tmp_path))

    assert ran.code == 64
    assert (tmp_path / "thesis.txt").exists()


def test_the_version_is_printed() -> None:
    assert Cli().run("version").out.startswith("vmbackup ")
