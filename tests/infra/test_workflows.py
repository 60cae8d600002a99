"""Workflows name what they use by commit, and what is wrong with one is noticed."""

import re
from pathlib import Path

import pytest

from tools import infra_check

ALL = infra_check.workflows()
UNSAFE = """
on: pull_request_target
jobs:
  careless:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v5
      - run: echo ${{ github.event.pull_request.title }}
"""


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_action_is_named_by_commit_with_its_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.+)$", path.read_text(), re.MULTILINE)

    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)


def test_one_action_has_one_commit_in_all_workflows() -> None:
    used = {one for path in ALL for one in re.findall(r"uses: (\S+)", path.read_text())}

    assert len(used) == len({one.partition("@")[0] for one in used})


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_a_workflow_has_no_right_that_a_job_does_not_ask_for(path: Path) -> None:
    assert "\npermissions: {}\n" in path.read_text()


def test_our_workflows_are_valid_and_safe() -> None:
    assert infra_check.workflow_schema(ALL) == []
    assert infra_check.workflow_safety(ALL) == []


def test_a_workflow_that_is_unsafe_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "unsafe.yml").write_text(UNSAFE)

    assert infra_check.workflow_safety([tmp_path / "unsafe.yml"]) != []


def test_a_workflow_that_is_none_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "none.yml").write_text(UNSAFE.replace("runs-on", "run-on"))

    assert infra_check.workflow_schema([tmp_path / "none.yml"]) != []
