"""What a person may ask a restore test for."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import vm
from vmbackup_core.app.asking import Faults, Wish, parse_wish
from vmbackup_core.domain.points import Strategy
from vmbackup_core.domain.rungs import Rung

VM = vm().id


def wish(**body: Any) -> Wish | Faults:
    return parse_wish(json.dumps({"vm": str(VM), **body}).encode())


def test_a_vm_alone_is_tested_by_its_plan_from_the_latest_point():
    assert wish() == Wish(VM, "", Strategy.LATEST, None, None)


@pytest.mark.parametrize("strategy", Strategy)
def test_a_point_may_be_chosen_by_a_strategy(strategy: Strategy):
    assert wish(point=str(strategy).upper()) == Wish(VM, "", strategy)


def test_a_point_may_be_named():
    assert wish(point="54265479862318") == Wish(VM, "54265479862318")


def test_a_rung_has_a_number_and_a_name():
    assert wish(rung=2) == wish(rung="boot") == Wish(VM, rung=Rung.BOOT)


def test_a_copy_is_kept_for_hours_or_minutes():
    assert wish(keep="4h") == Wish(VM, keep=timedelta(hours=4))
    assert wish(keep="30 m") == Wish(VM, keep=timedelta(minutes=30))


@pytest.mark.parametrize(
    ("field", "value"),
    [("point", ["latest"]), ("point", "../x"), ("rung", 9), ("keep", "25h"), ("keep", "0h")],
)
def test_what_means_nothing_is_a_fault_of_its_field(field: str, value: Any):
    answer = wish(**{field: value})

    assert isinstance(answer, Faults)
    assert [fault.partition(":")[0] for fault in answer.faults] == [field]
