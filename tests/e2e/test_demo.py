"""The demo, played once: what it promises to show, and that it shows it on 100 columns."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from tests.cli import Cli

WIDTH = 100
PATIENCE = 600
WEEK = "What went wrong"
LOADS = re.compile(
    r"""\bsrc\s*=|url\(|@import|<(?:link|script|img|iframe|object)\b""", re.IGNORECASE
)


@dataclass(frozen=True)
class Played:
    code: int
    screen: str
    out: Path
    summary: Mapping[str, Any]

    def row(self, name: str, table: str = "Which backups restore") -> list[str]:
        """Return the words of a row in one of the tables, what is on its further lines apart."""
        lines = self.screen.partition(table)[2].splitlines()
        return next(line.split() for line in lines if line.strip().startswith(name))

    def told(self, *arguments: str) -> Any:
        """Return what a command tells of what the demo left, as JSON."""
        ran = Cli().run("--demo", str(self.out), *arguments, "--json")
        assert ran.code == 0, ran.err
        return ran.json

    def mails(self) -> list[EmailMessage]:
        parser = BytesParser(policy=policy.default)
        files = sorted((self.out / "outbox").glob("*.eml"))
        return [parser.parsebytes(file.read_bytes()) for file in files]


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
        ("erp-4", ["Linux", "snapshot", "failed", "disks", "kernel", "panicked,", "kept"]),
        ("data-4", ["Linux", "snapshot", "failed", "boot", "check", "copy"]),
        ("data-2", ["Linux", "snapshot", "not", "proven", "running"]),
        ("erp-1", ["Windows", "snapshot", "proven", "checks"]),
        ("web-1", ["Linux", "snapshot", "proven", "canary"]),
        ("web-finance", ["Linux", "vault", "proven", "boot"]),
    ],
)
def test_each_kind_of_test_is_in_the_table(demo: Played, vm: str, words: list[str]) -> None:
    assert [word for word in demo.row(vm) if word in words] == words


def test_each_trouble_of_the_week_is_told_once_and_its_end_once(demo: Played) -> None:
    assert demo.summary["incidents"] == {"opened": 10, "recovered": 4}
    assert (demo.summary["mails"], demo.summary["duplicates"]) == (46, 0)
    assert demo.summary["missed_backups"] == 2


@pytest.mark.parametrize(
    ("what", "until", "mails"),
    [
        ("erp-2", "Fri", "opened, 1 reminder, over"),
        ("12 VMs in westeurope", "Thu", "opened, over"),
        ("data-quiet", "Thu", "opened, over"),
        ("web-old-4", "lasts", "opened, 2 reminders,"),
        ("web-untagged-kept", "Thu", "none"),
        ("erp-4", "lasts", "opened, 3 reminders,"),
        ("slot eastus2-1", "lasts", "opened, 3 reminders,"),
        ("jane@contoso.example", "Mon", "opened, 1 reminder,"),
    ],
)
def test_the_week_has_a_row_for_each_trouble(
    demo: Played, what: str, until: str, mails: str
) -> None:
    row = " ".join(demo.row(what, WEEK))

    assert until in row
    assert row.endswith(mails)


def test_a_mail_that_bounces_goes_to_somebody_else(demo: Played) -> None:
    told = [one["To"] for one in demo.mails() if "data-quiet" in one["Subject"]]

    assert told[:2] == ["jane@contoso.example", "ops@contoso.example"]


def test_every_mail_lies_in_the_outbox_in_the_order_in_which_it_left(demo: Played) -> None:
    mails = demo.mails()
    times = [one["Date"].datetime for one in mails]

    assert len(mails) == demo.summary["mails"]
    assert times == sorted(times)
    assert [one.defects for one in mails if one.defects] == []
    assert all(one["Subject"] and one["To"] and one["From"] for one in mails)


def test_every_mail_has_a_plain_text_and_html_that_loads_nothing(demo: Played) -> None:
    bodies = [(one.get_body(("plain",)), one.get_body(("html",))) for one in demo.mails()]
    pages = sorted((demo.out / "outbox").glob("*.html"))

    assert all(plain is not None and html is not None for plain, html in bodies)
    assert len(pages) == len(bodies)
    assert [page.name for page in pages if LOADS.search(page.read_text())] == []


def test_what_is_left_can_be_looked_at_with_the_usual_commands(demo: Played) -> None:
    incidents = demo.told("alerts", "list", "--all")["incidents"]
    shown = demo.told("alerts", "show", "web-old-4")
    tests = demo.told("drill", "list")["tests"]
    panicked = demo.told("drill", "show", "erp-4")

    assert [one["state"] for one in incidents].count("recovered") == 5
    assert [one["telling"] for one in shown["told"]].count("escalated") == 1
    assert len(tests) == demo.summary["drills"]["planned"]
    assert panicked["record"]["verdict"] == "FAILED"


def test_its_azure_is_not_there_any_more(demo: Played) -> None:
    ran = Cli().run("--demo", str(demo.out), "plan")

    assert ran.code == 64
    assert "Azure has ended" in ran.err


def test_what_is_kept_for_a_person_is_shown_before_its_time_is_over(demo: Played) -> None:
    assert "kept for a person: 2 containers, 2 disks, 2 NICs, 2 VMs" in demo.screen


def test_no_line_but_a_path_is_wider_than_the_screen(demo: Played) -> None:
    wide = [line for line in demo.screen.splitlines() if len(line) > WIDTH]

    assert [line for line in wide if str(demo.out) not in line] == []


def test_the_evidence_that_it_leaves_is_whole(demo: Played) -> None:
    ran = Cli().run("evidence", "verify", str(demo.out / "evidence"))

    assert ran.code == 0
    assert "every link holds" in ran.out
