"""A workflow's state that another version wrote: begun anew, or ended without a verdict."""

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import NOW, at
from tests.small_app import Lines, small_app
from tests.small_drill import SmallDrill, small_drill
from vmbackup_core.app.codec import to_json
from vmbackup_core.app.drill.handing_over import HandingOver
from vmbackup_core.app.workflows import read_state
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.drill.state import SCHEMA, Drill
from vmbackup_core.domain.errors import Malformed


def other(state: Any) -> Any:
    return {**state, "schema": 99, "unheard": "of"}


def test_a_state_of_this_version_is_read():
    drill = small_drill().state

    assert read_state(to_json(drill), Drill, SCHEMA) == drill


@pytest.mark.parametrize("changed", [{"schema": 99}, {"schema": None}, {"unheard": "of"}])
def test_a_state_of_another_version_is_not_guessed_at(changed: Any):
    with pytest.raises(Malformed):
        read_state({**to_json(small_drill().state), **changed}, Drill, SCHEMA)


def test_protecting_a_vm_begins_anew():
    app = small_app()
    given = app.begin()

    assert app.run({**given, "state": other(given["state"])}) == "PROTECTED"
    assert app.wrote() == ["protect"]
    assert any("begins anew: its state has schema 99" in text for _, text in app.journal.lines)


def test_what_another_version_has_sent_is_not_sent_again():
    app = small_app()
    sent = app.turn(app.begin())

    assert app.run({**sent, "state": other(sent["state"])}) == "PROTECTED"
    assert app.wrote() == ["protect"]


@pytest.fixture
def drill() -> SmallDrill:
    return small_drill()


def handed_over(drill: SmallDrill, state: Any) -> tuple[str, tuple[str, ...]]:
    handing = HandingOver(drill.runs, drill.records, Lines(), drill.clock)
    return handing.end(state, "its state has schema 99, this version reads 1")


def test_a_restore_test_that_has_no_slot_yet_ends_with_a_record(drill: SmallDrill):
    reason, because = handed_over(drill, other(to_json(drill.state)))

    assert (reason, because[0]) == ("NOT_PROVEN", "OTHER_VERSION")
    body = drill.records.body(drill.order.run)
    assert body is not None
    assert (body["verdict"], body["ending"], body["clean"]) == ("NOT_PROVEN", "OTHER_VERSION", True)
    assert "schema 99" in body["because"][0]


def test_a_restore_test_with_a_slot_is_the_janitors(drill: SmallDrill):
    drill.runs.open(drill.order, Slot(drill.order.place, 1))

    handed_over(drill, other(to_json(drill.state)))

    run = drill.runs.get(drill.order.run)
    body = drill.records.body(drill.order.run)
    assert run is not None
    assert body is not None
    assert run.taken == NOW
    assert (body["slot"], body["clean"]) == (str(run.slot), False)


def test_a_copy_that_is_kept_for_a_person_stays(drill: SmallDrill):
    drill.runs.open(drill.order, Slot(drill.order.place, 1))
    drill.runs.note(drill.order.run, lambda run: replace(run, kept_until=at(300)))

    handed_over(drill, other(to_json(drill.state)))

    run = drill.runs.get(drill.order.run)
    assert run is not None
    assert run.taken is None


def test_it_is_recorded_once_though_the_turn_runs_twice(drill: SmallDrill):
    for _ in range(2):
        handed_over(drill, other(to_json(drill.state)))

    assert len(list(drill.records.evidence.chain("drill/"))) == 1


def test_an_order_that_cannot_be_read_leaves_no_record(drill: SmallDrill):
    order = {"run": drill.order.run, "colour": "red"}

    reason, _ = handed_over(drill, {"schema": 99, "order": order})

    assert reason == "NOT_PROVEN"
    assert drill.records.body(drill.order.run) is None
