from typing import Any

import pytest

from tests.builders import OTHER_SUB, SUB, WEB, at
from tests.small_app import SmallApp, small_app
from vmbackup_core.domain.intents import EnsureProtected

WRITE = "Microsoft.Resources.ResourceWriteSuccess"
RAW = b'{"what": "came"}'


@pytest.fixture
def app() -> SmallApp:
    return small_app()


def written(subscription: str = SUB, group: str = "RG-App") -> dict[str, Any]:
    return {
        "operationName": "Microsoft.Compute/virtualMachines/write",
        "resourceUri": f"/subscriptions/{subscription}/resourceGroups/{group}/providers"
        "/Microsoft.Compute/virtualMachines/Web",
    }


def test_an_event_is_a_hint_and_names_the_workflow(app: SmallApp) -> None:
    assert app.intake.receive(WRITE, "", written(), RAW) == EnsureProtected(WEB)
    assert app.notebook.hint(WEB) == 1


def test_a_doubled_event_names_the_same_workflow(app: SmallApp) -> None:
    one = app.intake.receive(WRITE, "", written(), RAW)
    two = app.intake.receive(WRITE, "", written(), RAW)

    assert one is not None
    assert two is not None
    assert one.key == two.key
    assert app.notebook.hint(WEB) == 2


def test_an_event_of_a_subscription_that_is_not_watched_starts_nothing(app: SmallApp) -> None:
    assert app.intake.receive(WRITE, "", written(OTHER_SUB), RAW) is None
    assert app.rows.writes == 0


def test_an_event_of_a_copy_in_a_slot_starts_nothing(app: SmallApp) -> None:
    copied = written(group="Vmbackup-Drill-westeurope-1")

    assert app.intake.receive(WRITE, "", copied, RAW) is None
    assert app.rows.writes == 0


def test_an_event_about_something_else_is_neither_kept_nor_followed(app: SmallApp) -> None:
    other = {"operationName": "Microsoft.Network/x/write", "resourceUri": "/subscriptions/s"}

    assert app.intake.receive(WRITE, "", other, RAW) is None
    assert list(app.intake.kept()) == []


def test_what_makes_no_sense_is_kept_with_its_bytes_and_why(app: SmallApp) -> None:
    assert app.intake.receive(WRITE, "", [], RAW) is None

    (kept,) = app.intake.kept()
    assert (kept.content, kept.why, kept.at) == (
        RAW,
        "event data is list, not an object",
        app.clock.now(),
    )


def test_bytes_that_are_no_text_are_kept_as_they_came(app: SmallApp) -> None:
    app.intake.keep(b"\xff\x00\xfe", "no JSON")

    assert [kept.content for kept in app.intake.kept()] == [b"\xff\x00\xfe"]


def test_the_same_bytes_are_kept_once_a_day(app: SmallApp) -> None:
    app.intake.keep(RAW, "first")
    app.intake.keep(RAW, "again")
    app.clock.move_to(at(24 * 60))
    app.intake.keep(RAW, "next day")

    assert [kept.why for kept in app.intake.kept()] == ["first", "next day"]


def test_every_decision_about_an_event_has_a_line(app: SmallApp) -> None:
    app.intake.receive(WRITE, "", written(), RAW)
    app.intake.receive(WRITE, "", {}, RAW)

    assert [kind for kind, _ in app.journal.lines] == ["event", "intent", "event"]


def test_inputs_that_are_kept_are_counted_for_good(app: SmallApp) -> None:
    app.intake.keep(b"one", "first")
    app.intake.keep(b"one", "the same again")

    assert app.notebook.tallied("kept") == 2
