"""
Mails as a person sees them, at the width of a phone and of a desk, by day and by night.

The pictures stay in the folder that VMBACKUP_PICTURES names, for whoever wants to look.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.long.browser import ABSENT, Browser, Mode, Seen, find_chromium
from tests.mails import SAMPLES
from vmbackup_core.domain.telling.letters import Letter

CHROMIUM = find_chromium()
PHONE, DESK = 390, 900
FIRST_SCREEN = {PHONE: 640, DESK: 600}  # What shows before anybody scrolls, without the toolbars.
LEAST_SIZE = 12  # Of any text, in CSS pixels.

pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason=ABSENT)]
WIDTHS = pytest.mark.parametrize("width", [PHONE, DESK])
MODES = pytest.mark.parametrize("mode", Mode)
MAILS = pytest.mark.parametrize("name", SAMPLES)

Look = Callable[[str, int, Mode], Seen]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    assert CHROMIUM is not None
    return Browser(CHROMIUM, tmp_path_factory.mktemp("chromium"))


@MAILS
@WIDTHS
@MODES
def test_every_text_can_be_read_and_nothing_hangs_over(browser, name, width, mode, tmp_path):
    letter = _letter(name)

    seen = browser.see(letter.html, width, mode)
    picture = _folder(tmp_path) / f"{name}-{width}-{mode.name.lower()}.png"
    browser.picture(letter.html, width, mode, picture)

    assert list(seen.faint()) == []
    assert seen.width <= width
    assert [one["text"] for one in seen.texts if one["right"] > width or one["left"] < 0] == []
    assert min(one["size"] for one in seen.texts) >= LEAST_SIZE
    assert picture.stat().st_size > 5_000


@WIDTHS
def test_by_night_the_ground_is_dark(browser, width):
    letter = _letter("opened")

    assert browser.see(letter.html, width, Mode.LIGHT).ground > 0.8
    assert browser.see(letter.html, width, Mode.DARK).ground < 0.05


@pytest.mark.parametrize("name", ["opened", "reminder", "unknown_code", "escalated_group"])
@WIDTHS
def test_what_failed_how_bad_and_what_to_do_stand_on_the_first_screen(browser, name, width):
    seen = browser.see(_letter(name).html, width, Mode.LIGHT)

    order = [one["text"] for one in sorted(seen.texts, key=lambda one: one["top"])]
    assert seen.bottom_of("What to do") < FIRST_SCREEN[width] / 2
    assert seen.bottom_of("Why") < FIRST_SCREEN[width]
    assert order.index("What to do (you can mend it)") < order.index("Why")


@WIDTHS
def test_a_very_long_name_does_not_widen_the_mail(browser, width):
    letter = _letter("opened")
    longest = letter.html.replace("sql-prod-01", "x" * 80)

    assert browser.see(longest, width, Mode.LIGHT).width <= width


def _letter(name: str) -> Letter:
    (letter,) = SAMPLES[name]()
    return letter


def _folder(tmp_path: Path) -> Path:
    named = os.environ.get("VMBACKUP_PICTURES")  # noqa: TID251
    folder = Path(named) if named else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder
