"""The demo, played once: what it promises to show, and that it shows it on 100 columns."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli import Cli

WIDTH = 100
PATIENCE = 300


@dataclass(frozen=True)
class Played:
    code: int
    screen: str
    out: Path
    summary: Mapping[str, Any]

    def row(self, vm: str) -> list[str]:
        """Return the words of a VM's row in the table of the night."""
        table = self.screen.partition("Which backups restore")[2]
        return next(line.split() for line in table.splitlines() if line.strip().startswith(vm))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Played:
    out = tmp_path_factory.mktemp("demo") / "out"
    ran = subprocess.run(
        [sys.executable, "-m", "vmbackup_cli", "demo", "--out", str(out)],
        env=os.environ | {"COLUMNS": str(WIDTH)},  # noqa: TID251
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Played(ran.returncode, ran.stdout, out, json.loads((out / "summary.json").read_text()))


def test_it_ends_well(demo: Played) -> None:
    assert demo.code == 0
    assert demo.summary["errors"] == 0


def test_the_night_tells_good_backups_from_bad_ones(demo: Played) -> None:
    assert demo.summary["drills"] == {"planned": 12, "passed": 9, "failed": 2, "not_run": 1}


def test_nothing_is_left_of_the_night(demo: Played) -> None:
    assert demo.summary["leftovers"] == 0
    assert "left in Azure in the end: nothing" in demo.screen


def test_the_check_that_must_fail_was_seen_to_fail(demo: Played) -> None:
    assert demo.summary["negative_controls"] == {"held": 1, "broken": 0, "inconclusive": 0}


def test_recoveries_are_measured(demo: Played) -> None:
    measured = demo.summary["rto_seconds"]

    assert 60 < measured["p50"] < measured["max"] < 4 * 3600


@pytest.mark.parametrize(
    ("vm", "words"),
    [
        ("erp-4", ["Linux", "snapshot", "failed", "disks", "KERNEL_PANIC,", "kept"]),
        ("data-4", ["Linux", "snapshot", "failed", "boot", "CHECK_FAILED,", "kept"]),
        ("data-2", ["Linux", "snapshot", "not", "proven", "ISOLATION_BROKEN"]),
        ("erp-1", ["Windows", "snapshot", "proven", "checks"]),
        ("web-1", ["Linux", "snapshot", "proven", "canary"]),
        ("web-finance", ["Linux", "vault", "proven", "boot"]),
    ],
)
def test_each_kind_of_test_is_in_the_table(demo: Played, vm: str, words: list[str]) -> None:
    assert [word for word in demo.row(vm) if word in words] == words


def test_what_is_kept_for_a_person_is_shown_before_its_time_is_over(demo: Played) -> None:
    assert "kept for a person: 2 containers, 2 disks, 2 NICs, 2 VMs" in demo.screen


def test_no_line_but_a_path_is_wider_than_the_screen(demo: Played) -> None:
    wide = [line for line in demo.screen.splitlines() if len(line) > WIDTH]

    assert [line for line in wide if str(demo.out) not in line] == []


def test_the_evidence_that_it_leaves_is_whole(demo: Played) -> None:
    ran = Cli().run("evidence", "verify", str(demo.out / "evidence"))

    assert ran.code == 0
    assert "every link holds" in ran.out
