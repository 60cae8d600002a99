"""What a person may ask of a restore test, and that everything wrong is said at once."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import WEB
from vmbackup_core.app.drill.asking import Faults, Wish, parse_wish
from vmbackup_core.domain.drill.rungs import Rung

HOUR = timedelta(hours=1)


def wish(**body: Any) -> Wish | Faults:
    return parse_wish(json.dumps({"vm": str(WEB), **body}).encode())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, Wish(WEB)),
        ({"vm": str(WEB).upper()}, Wish(WEB)),
        ({"point": "523003325048573"}, Wish(WEB, "523003325048573")),
        ({"rung": "boot"}, Wish(WEB, rung=Rung.BOOT)),
        ({"rung": 3}, Wish(WEB, rung=Rung.CHECKS)),
        ({"rung": "0"}, Wish(WEB, rung=Rung.POINT)),
        ({"keep": "4h"}, Wish(WEB, keep=4 * HOUR)),
        ({"keep": "30 m"}, Wish(WEB, keep=HOUR / 2)),
        ({"point": None, "rung": None, "keep": None}, Wish(WEB)),
    ],
)
def test_a_wish_is_read(body: dict[str, Any], expected: Wish):
    assert wish(**body) == expected


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"vm": None}, "vm: missing"),
        ({"vm": "web"}, "vm: not the ARM id"),
        ({"vm": ["x"]}, "vm: not the ARM id"),
        ({"point": "../other"}, "point: not the name"),
        ({"point": 7}, "point: not the name"),
        ({"point": "lastest"}, 'point: no strategy is called lastest; did you mean "latest"?'),
        ({"rung": "roof"}, "rung: not one of point, disks, boot, checks, canary"),
        ({"rung": 5}, "rung: not one of"),
        ({"rung": True}, "rung: not one of"),
        ({"keep": "forever"}, "keep: not a time"),
        ({"keep": "25h"}, "keep: not a time"),
        ({"keep": "0h"}, "keep: not a time"),
        ({"keep": 4}, "keep: not a time"),
        ({"colour": "red"}, "colour: unknown"),
    ],
)
def test_a_faulty_wish_says_what_is_wrong(body: dict[str, Any], fault: str):
    found = wish(**body)

    assert isinstance(found, Faults)
    assert [one for one in found.faults if one.startswith(fault)] == list(found.faults)


@pytest.mark.parametrize("raw", [b"", b"no JSON", b"[]", b"\xff", b'"text"'])
def test_a_body_that_is_no_object_says_what_it_should_be(raw: bytes):
    assert parse_wish(raw) == Faults(("the body is no JSON object of vm, point, rung, keep",))


def test_all_faults_are_said_at_once():
    found = wish(rung="roof", keep="long", colour="red")

    assert isinstance(found, Faults)
    assert [one.partition(":")[0] for one in found.faults] == ["colour", "keep", "rung"]
