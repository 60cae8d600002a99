"""When the demo's night is good: what counts as left, as lost, and as a broken control."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.drill_runs import record
from vmbackup_cli.demo_night import Night, describe
from vmbackup_core.domain.drill.evidence import body_of
from vmbackup_core.domain.drill.orders import Clocks, DrillRecord
from vmbackup_core.domain.drill.rungs import Control, Verdict

DISK = "/subscriptions/s/resourcegroups/vmbackup-drill-here-1/providers/microsoft.compute/disks/d"


def night(*records: DrillRecord, planned: int | None = None, **more: Any) -> Night:
    bodies = tuple(body_of(one, "digest") for one in records)
    nothing = frozenset[str]()
    quiet = Night(
        bodies, len(bodies) if planned is None else planned, nothing, nothing, nothing, {}
    )
    return replace(quiet, **more)


def recovered(minutes: int) -> DrillRecord:
    return record(clocks=Clocks(rto=timedelta(minutes=minutes)))


def test_a_test_is_passed_failed_or_not_run() -> None:
    verdicts = (Verdict.PROVEN, Verdict.PROVEN, Verdict.FAILED, Verdict.NOT_PROVEN)

    told = night(*map(record, verdicts)).summary["drills"]

    assert told == {"planned": 4, "passed": 2, "failed": 1, "not_run": 1}


def test_a_planned_test_without_a_record_is_not_run_and_an_error() -> None:
    found = night(record(), planned=2)

    assert found.summary["drills"]["not_run"] == 1
    assert found.errors == 1


def test_recovery_times_are_of_what_was_proven() -> None:
    failed = replace(recovered(500), verdict=Verdict.FAILED)

    told = night(recovered(9), recovered(5), recovered(60), failed).summary["rto_seconds"]

    assert told == {"p50": 540.0, "max": 3600.0}


def test_controls_are_counted_by_what_became_of_them() -> None:
    told = night(record(control=Control.HELD), record()).summary["negative_controls"]

    assert told == {"held": 1, "broken": 0, "inconclusive": 0}


def test_a_night_that_leaves_nothing_is_safe() -> None:
    assert not night(record(control=Control.HELD)).unsafe


@pytest.mark.parametrize(
    "bad",
    [night(record(), left=frozenset({DISK})), night(record(control=Control.BROKEN))],
    ids=["something is left", "a control is broken"],
)
def test_a_leak_and_a_broken_control_make_a_night_unsafe(bad: Night) -> None:
    assert bad.unsafe


def test_what_others_had_and_is_gone_is_an_error() -> None:
    assert night(record(), lost=frozenset({DISK})).errors == 1


def test_a_night_without_tests_shows_nothing_and_is_an_error() -> None:
    assert night().errors == 1


def test_things_are_counted_by_kind() -> None:
    assert describe(()) == "nothing"
    assert describe((DISK, f"{DISK}2")) == "2 disks"
