"""`vmbackup kept` and `vmbackup deadletters`: what came in and could not be used."""

import json

import pytest

from azsim.world import World
from tests.cli import Office

LETTER = {
    "id": "8a1e",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "subject": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web",
    "eventTime": "2026-03-02T08:00:00Z",
    "data": {"claims": {"name": "Jane Doe"}},
    "deadLetterReason": "MaxDeliveryAttemptsExceeded",
    "deliveryAttempts": 30,
    "lastDeliveryOutcome": "Busy",
}
CLOUD_LETTER = {
    "id": "8a1f",
    "type": "Microsoft.Resources.ResourceWriteSuccess",
    "subject": LETTER["subject"],
    "time": "2026-03-02T09:00:00Z",
    "deadletterreason": "MaxDeliveryAttemptsExceeded",
    "deliveryattempts": 12,
}


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def lay_down(office: Office, name: str, *letters: dict[str, object]) -> None:
    blobs = office.app.deadletters
    assert blobs is not None
    blobs.create(name, json.dumps(letters).encode())


def test_nothing_kept_is_said(office: Office) -> None:
    assert "Nothing is kept" in office.run("kept", "list").out


def test_what_is_kept_is_listed_and_shown_with_its_bytes(office: Office) -> None:
    office.app.intake.keep(b'{"odd": true}', "no event type")
    office.app.intake.keep(b"\xff\x00", "not JSON")

    listed = office.run("kept", "list", "--json").json["kept"]
    names = {one["why"]: one["name"] for one in listed}

    assert "no event type" in office.run("kept", "list").out
    assert '"odd": true' in office.run("kept", "show", names["no event type"]).out
    assert "\\xff" in office.run("kept", "show", names["not JSON"]).out


def test_a_part_of_a_name_will_do_where_it_is_unmistakable(office: Office) -> None:
    office.app.intake.keep(b"one", "w")

    assert office.run("kept", "show", "2026-03-02").code == 0

    office.app.intake.keep(b"two", "w")
    ran = office.run("kept", "show", "2026-03-02")

    assert ran.code == 64
    assert "is the name of several" in ran.err


def test_a_name_that_is_not_there_is_a_wrong_call(office: Office) -> None:
    assert office.run("kept", "show", "nothing").code == 64
    assert office.run("deadletters", "show", "nothing").code == 64


def test_no_dead_letters_is_said(office: Office) -> None:
    assert "No dead letters" in office.run("deadletters", "list").out


def test_dead_letters_of_both_schemas_are_listed_without_the_people_in_them(
    office: Office,
) -> None:
    lay_down(office, "VMS/2026/3/2/8/a.json", LETTER, CLOUD_LETTER)

    text = office.run("deadletters", "list").out
    found = office.run("deadletters", "list", "--json").json["deadletters"]

    assert "MaxDeliveryAttemptsExceeded" in text
    assert [one["attempts"] for one in found] == [30, 12]
    assert "Jane" not in text + json.dumps(found)


def test_a_dead_letter_is_shown_whole(office: Office) -> None:
    lay_down(office, "VMS/2026/3/2/8/a.json", LETTER)

    shown = office.run("deadletters", "show", "a.json")
    found = office.run("deadletters", "show", "a.json", "--json").json

    assert "Jane Doe" in shown.out
    assert found["events"] == [LETTER]


def test_a_deployment_without_a_container_says_so(office: Office) -> None:
    office.change(deadletters=None)

    ran = office.run("deadletters", "list")

    assert ran.code == 64
    assert "has no container for dead letters" in ran.err
