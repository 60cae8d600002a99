"""What is shipped to Azure, and what azd is told about it."""

import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.infra.estate import INFRA, estate, of_kind
from tools.package import main, shipped
from vmbackup_core.settings.deployment import VARIABLES

ROOT = INFRA.parent
TOP = {"LICENSE", "function_app.py", "host.json", "requirements.txt", "vmbackup.toml"}
LARGEST = 2_000_000  # Bytes before compression; what pip installs on Azure comes on top.
AZD = YAML(typ="safe").load(ROOT / "azure.yaml")
HOOKS = {name: ROOT / hook["run"] for name, hook in AZD["hooks"].items()}
SUBSCRIBE = INFRA / "hooks" / "subscribe.sh"
# What azd's hook after publishing reads, and what it calls.
AFTER = (HOOKS["postdeploy"], SUBSCRIBE)
GIVEN_BY_AZD = {"AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME", "AZURE_LOCATION"}


def used_by(scripts: Iterable[Path]) -> set[str]:
    return {name for path in scripts for name in re.findall(r"\$([A-Z_]+)", path.read_text())}


def test_the_app_and_nothing_else_is_shipped() -> None:
    files = set(shipped())

    assert {path.parts[0] for path in files} <= TOP | {"vmbackup_core"}
    assert {Path(name) for name in TOP} <= files
    assert {path.suffix for path in files if path.parts[0] == "vmbackup_core"} == {
        ".py",
        ".j2",  # Mails.
    }


def test_what_is_shipped_is_small() -> None:
    assert 100_000 < sum((ROOT / path).stat().st_size for path in shipped()) < LARGEST


def test_what_is_shipped_names_no_simulator() -> None:
    naming = [
        path
        for path in shipped()
        if path.suffix == ".py"
        and re.search(r"^\s*(?:import|from) azsim", (ROOT / path).read_text(), re.MULTILINE)
    ]

    assert naming == []


def test_azd_publishes_to_the_app_that_the_template_makes() -> None:
    tags = {
        one.body["tags"]["azd-service-name"] for one in of_kind(estate(), "Microsoft.Web/sites")
    }

    assert set(AZD["services"]) == tags
    assert AZD["services"]["app"] == {"project": ".", "language": "python", "host": "function"}


def test_the_package_holds_what_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["package", str(tmp_path / "new" / "app.zip")])

    assert main() == 0
    with zipfile.ZipFile(tmp_path / "new" / "app.zip") as packed:
        assert {Path(name) for name in packed.namelist()} == set(shipped())


def test_plain_az_gives_the_hook_all_that_azd_gives() -> None:
    script = (INFRA / "deploy.sh").read_text()
    exported = set(" ".join(re.findall(r"^export (.+)$", script, re.MULTILINE)).split())

    assert exported == used_by(AFTER)


@pytest.mark.parametrize("hook", sorted((INFRA / "hooks").iterdir()), ids=lambda path: path.name)
def test_a_hook_is_a_script_that_can_be_run(hook: Path) -> None:
    assert os.access(hook, os.X_OK)


def test_azd_calls_hooks_that_are_there() -> None:
    assert set(HOOKS) == {"preprovision", "postdeploy"}
    assert all(hook.exists() for hook in HOOKS.values())


def test_the_hook_uses_what_azd_or_the_template_gives() -> None:
    used = used_by(AFTER)
    given = set(re.findall(r"^output ([A-Z_]+)", (INFRA / "main.bicep").read_text(), re.MULTILINE))

    assert used <= given | GIVEN_BY_AZD


def test_the_hook_gives_the_second_step_every_parameter_that_it_needs() -> None:
    template = (INFRA / "events.bicep").read_text()
    needed = set(re.findall(r"^param (\w+) \w+$", template, re.MULTILINE))

    assert set(re.findall(r"^    (\w+)=\"\$", SUBSCRIBE.read_text(), re.MULTILINE)) == needed


def test_outputs_that_look_like_variables_of_the_app_are_such() -> None:
    outputs: list[Any] = re.findall(
        r"^output (VMBACKUP_\w+)", (INFRA / "main.bicep").read_text(), re.M
    )

    assert set(outputs) <= set(VARIABLES)
