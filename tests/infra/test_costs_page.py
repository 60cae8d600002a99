"""What the page of deployment says that vmbackup costs is what its own assumptions come to."""

import re
from pathlib import Path

import pytest

from tests.infra.estate import estate, of_kind

PAGE = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text()
COSTS = PAGE.partition("## What it costs")[2].partition("\n## ")[0]
SIZES = (100, 1_000, 10_000)
COLUMN = dict(zip(SIZES, range(3), strict=True))

# As the page assumes them, a month.
WRITES, EXECUTIONS, SECONDS, GB = 60, 9, 6, 2
LOOKS, OTHERS = 5_760, 5_790
KB_OF_LOGS = 25


def row(name: str) -> list[int]:
    [line] = [
        line for line in COSTS.splitlines() if line.startswith((f"| {name} |", f"| **{name}"))
    ]
    return [int(re.sub(r"[,*]", "", cell)) for cell in line.strip("| ").split(" | ")[1:]]


def gb_seconds(vms: int) -> int:
    looks = LOOKS * (2 + vms / 200)
    return round((vms * WRITES * SECONDS + looks + OTHERS * 2) * GB)


def compute(vms: int) -> float:
    executions = vms * WRITES * EXECUTIONS + LOOKS + OTHERS
    return max(0, gb_seconds(vms) - 100_000) * 0.000026 + max(0, executions - 250_000) / 1e6 * 0.40


@pytest.mark.parametrize("vms", SIZES)
def test_compute_is_what_writes_and_timers_take(vms: int) -> None:
    assert row("GB-seconds")[COLUMN[vms]] == gb_seconds(vms)
    assert row("compute")[COLUMN[vms]] == round(compute(vms))


@pytest.mark.parametrize("vms", SIZES)
def test_logs_and_events_are_what_writes_leave(vms: int) -> None:
    gigabytes, events = vms * WRITES * KB_OF_LOGS / 1e6, vms * WRITES

    assert row("logs")[COLUMN[vms]] == round(max(0, gigabytes - 5) * 2.76)
    assert row("events")[COLUMN[vms]] == round(max(0, events - 100_000) / 1e6 * 0.60)


@pytest.mark.parametrize("vms", SIZES)
def test_the_sum_is_the_sum(vms: int) -> None:
    parts = ("compute", "logs", "events", "alarms", "storage")

    assert row("vmbackup itself")[COLUMN[vms]] == sum(row(part)[COLUMN[vms]] for part in parts)


def test_there_are_as_many_rules_as_are_paid_for() -> None:
    rules = of_kind(estate(), "Microsoft.Insights/scheduledQueryRules")

    assert row("alarms") == 3 * [round(len(rules) * 0.50)]


@pytest.mark.parametrize(
    "words", ["60 writes", "9 executions", "6 s of", "5,760", "5,790", "25 KB"]
)
def test_the_page_says_what_is_assumed(words: str) -> None:
    assert words in COSTS
