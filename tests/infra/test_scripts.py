"""The deploying scripts, with an az that only takes notes."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.bicep import HOME
from tests.infra.estate import INFRA

ROOT = INFRA.parent
# As Resource Manager shows them: not in the case that they were written in.
OUTPUTS = {
    "azurE_FUNCTION_NAME": "func-one",
    "azurE_DRILL_FUNCTION_NAME": "func-one",
    "azurE_RESOURCE_GROUP": "rg-vmbackup-test",
    "eventS_FUNCTION_ID": "/sites/func-one/functions/vm_events",
    "eventS_REPORTS_FUNCTION_ID": "/sites/func-one/functions/delivery_reports",
    "eventS_MAIL_SERVICE_ID": "",
    "eventS_EXISTING_TOPICS": '{"two":{"group":"rg-hub","topic":"hub"}}',
    "eventS_IDENTITY_ID": "/identities/events",
    "eventS_STATE_ACCOUNT_ID": "/accounts/state",
    "eventS_ACTION_GROUP_ID": "/groups/people",
    "eventS_SUBSCRIPTIONS": "one,two",
}
# As `az account management-group show --expand --recurse` shows it.
TREE = {
    "name": "platform",
    "children": [
        {"type": "/subscriptions", "name": "TWO", "children": None},
        {
            "type": "Microsoft.Management/managementGroups",
            "name": "below",
            "children": [
                {"type": "/subscriptions", "name": "one"},
                {"type": "/subscriptions", "name": "three"},
                {"type": "Microsoft.Management/managementGroups", "name": "empty"},
            ],
        },
    ],
}
AZ = f"""#!{sys.executable}
import json, os, sys
notes = os.environ["NOTES"]
with open(notes, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:4] == ["deployment", "sub", "show"]:
    print(os.environ["OUTPUTS"])
if sys.argv[1:3] == ["account", "management-group"]:
    print(os.environ.get("TREE", "{{}}"))
if sys.argv[1:3] == ["account", "show"]:
    print("{HOME}")
sys.exit(1 if os.environ.get("FAILS") in sys.argv else 0)
"""


@dataclass
class Desk:
    """A copy of what the scripts need, and an az before all others on the path."""

    folder: Path

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.defpath}",
            "NOTES": str(self.folder / "notes"),
            "OUTPUTS": json.dumps({k: {"type": "String", "value": v} for k, v in OUTPUTS.items()}),
            **more,
        }
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def deploy(self, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run("infra/deploy.sh", "test", "westeurope", "estate.json", **more)

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "notes").read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    shutil.copytree(INFRA, tmp_path / "infra")
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "package.py", tmp_path / "tools")
    shutil.copy(ROOT / ".funcignore", tmp_path)
    (tmp_path / "function_app.py").write_text("")
    (tmp_path / "estate.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    (tmp_path / "bin" / "az").write_text(AZ)
    (tmp_path / "bin" / "az").chmod(0o755)
    (tmp_path / "bin" / "azd").symlink_to(tmp_path / "bin" / "az")
    return Desk(tmp_path)


def test_templates_app_and_events_are_deployed_in_this_order(desk: Desk) -> None:
    done = desk.deploy()

    assert (done.returncode, done.stderr) == (0, "")
    assert [" ".join(call[:3]) for call in desk.calls()] == [
        "deployment sub create",
        "deployment sub show",
        "account show --query",
        "functionapp deployment source",
        "resource show --ids",
        "deployment sub create",
    ]


def test_the_second_step_is_given_what_the_first_one_told(desk: Desk) -> None:
    desk.deploy()

    told = desk.calls()[-1]
    assert told[told.index("--parameters") + 1 :] == [
        "location=westeurope",
        "subscriptions=one,two",
        'existingTopics={"two":{"group":"rg-hub","topic":"hub"}}',
        "functionId=/sites/func-one/functions/vm_events",
        "reportsFunctionId=/sites/func-one/functions/delivery_reports",
        "mailServiceId=",
        "appGroup=rg-vmbackup-test",
        "identityId=/identities/events",
        "stateAccountId=/accounts/state",
        "actionGroupId=/groups/people",
        "--output",
        "none",
    ]
    assert told[told.index("--subscription") + 1] == HOME


def test_where_restore_tests_have_an_app_of_their_own_both_are_published(desk: Desk) -> None:
    two = {**OUTPUTS, "azurE_DRILL_FUNCTION_NAME": "func-two"}
    desk.deploy(OUTPUTS=json.dumps({key: {"value": value} for key, value in two.items()}))

    published = [call[call.index("--name") + 1] for call in desk.calls() if "config-zip" in call]
    assert published == ["func-one", "func-two"]


@pytest.mark.parametrize("fails", ["infra/main.bicep", "config-zip"])
def test_what_fails_is_not_followed_by_anything(desk: Desk, fails: str) -> None:
    done = desk.deploy(FAILS=fails)

    assert done.returncode != 0
    assert fails in desk.calls()[-1]


def as_azd_gives(**more: str) -> dict[str, str]:
    given = {re.sub(r"^(\w+?)_", _upper, key): value for key, value in OUTPUTS.items()}
    names = {"AZURE_ENV_NAME": "test", "AZURE_LOCATION": "westeurope"}
    return {**given, **names, "AZURE_SUBSCRIPTION_ID": HOME, **more}


def test_azd_s_hook_lets_events_come_and_publishes_nothing_twice(desk: Desk) -> None:
    done = desk.run("infra/hooks/published.sh", **as_azd_gives())

    assert (done.returncode, done.stderr) == (0, "")
    assert [call[0] for call in desk.calls()] == ["resource", "deployment"]


def test_azd_s_hook_publishes_to_the_app_that_azd_does_not_know(desk: Desk) -> None:
    done = desk.run(
        "infra/hooks/published.sh", **as_azd_gives(AZURE_DRILL_FUNCTION_NAME="func-two")
    )
    published, *_ = desk.calls()

    assert done.returncode == 0
    assert published[published.index("--name") + 1] == "func-two"
    assert published[published.index("--resource-group") + 1] == "rg-vmbackup-test"


def test_subscriptions_at_any_depth_under_management_groups_are_watched(desk: Desk) -> None:
    desk.deploy(AZURE_MANAGEMENT_GROUPS="platform online", TREE=json.dumps(TREE))

    first, second, created, *_ = desk.calls()
    assert [first[4], second[4]] == ["platform", "online"]
    assert "foundSubscriptions=one,three,two" in created


def test_azd_is_told_of_them_before_it_provisions(desk: Desk) -> None:
    given = as_azd_gives(AZURE_MANAGEMENT_GROUPS="platform", TREE=json.dumps(TREE))
    desk.run("infra/hooks/find.sh", **given)

    assert desk.calls()[-1] == ["env", "set", "AZURE_FOUND_SUBSCRIPTIONS", "one,three,two"]


def test_without_management_groups_nobody_is_asked(desk: Desk) -> None:
    desk.run("infra/hooks/find.sh", **as_azd_gives())

    assert desk.calls() == [["env", "set", "AZURE_FOUND_SUBSCRIPTIONS", ""]]


def test_management_groups_that_cannot_be_read_end_the_deployment(desk: Desk) -> None:
    done = desk.deploy(AZURE_MANAGEMENT_GROUPS="platform", FAILS="management-group")

    assert done.returncode != 0
    assert "infra/main.bicep" not in str(desk.calls())


def _upper(found: re.Match[str]) -> str:
    return found[0].upper()
