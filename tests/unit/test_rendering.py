import csv
import io
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.incidents import hour
from tests.mails import OPS, SAMPLES, about, alive, bad, escalated_group, mail, opened, vault
from tests.reading import Page, one_spaced
from vmbackup_core.app.telling.rendering import (
    is_safe_link,
    render_folded,
    render_html,
    render_incident,
    render_plain,
)
from vmbackup_core.domain.telling.incident_sheets import write_incident_sheet
from vmbackup_core.domain.telling.letters import Letter, letter_key
from vmbackup_core.domain.telling.sheets import Button, Buttons, Sheet, Tone
from vmbackup_core.domain.telling.tellings import Telling

ALL = pytest.mark.parametrize("made", SAMPLES.values(), ids=SAMPLES)
ROOT = Path(__file__).parents[2]
CLIPPED = 102_000  # Gmail shows no more bytes of a mail than these.


def text_of(plain: str) -> str:
    return one_spaced(plain).lower()


@ALL
def test_both_bodies_say_the_same(made):
    (letter,) = made()

    plain = text_of(letter.plain)
    page = Page.of(letter.html)

    seen = [one_spaced(piece).lower() for piece in page.pieces if piece.strip()]
    preview, *body = seen
    assert [piece for piece in body if piece.strip("() ") not in plain] == []
    assert preview
    links = {link.replace(" ", "") for link in page.links}
    assert {link for link in links if link.lower() not in plain} == set()


@ALL
def test_no_mail_loads_anything_or_is_clipped(made):
    (letter,) = made()
    page = Page.of(letter.html)

    assert not set(page.tags) & {"img", "link", "script", "iframe", "form", "object", "base"}
    assert not [name for name, _ in page.attributes if name in ("src", "background", "srcset")]
    assert not re.search(r"url\(|@import", letter.html)
    assert len(letter.html.encode()) < CLIPPED


@ALL
def test_every_mail_is_whole_html_and_says_that_it_knows_dark_mode(made):
    (letter,) = made()
    page = Page.of(letter.html)

    assert page.open == []
    assert letter.html.startswith("<!DOCTYPE html>")
    assert ("name", "color-scheme") in page.attributes
    assert ("content", "light dark") in page.attributes


@ALL
def test_every_link_leads_to_the_portal_or_to_microsofts_pages(made):
    (letter,) = made()

    assert [link for link in Page.of(letter.html).links if not is_safe_link(link)] == []


@ALL
def test_plain_text_keeps_to_its_width_but_for_links_and_ids(made):
    (letter,) = made()

    wide = [line for line in letter.plain.splitlines() if len(line) > 76]
    assert [line for line in wide if len(line.split()) > 1] == []


def test_the_first_lines_say_what_failed_since_when_and_how_bad():
    (letter,) = opened()

    assert letter.plain.splitlines()[:7] == [
        "BACKUP TROUBLE",
        "",
        "sql-prod-01: the VM's agent does not answer",
        "",
        "  Failing for: 2 hours (since 2030-01-15 12:00 UTC)",
        "  Last good backup: 25 hours ago (2030-01-14 13:00 UTC)",
        "  RPO: 23 hours left (until it is missed)",
    ]
    assert letter.plain.splitlines()[8] == "WHAT TO DO (you can mend it)"


def test_an_inbox_shows_how_bad_it_is_beside_the_subject():
    (letter,) = opened()

    assert Page.of(letter.html).text.startswith(
        "Failing for: 2 hours · Last good backup: 25 hours ago · RPO: 23 hours left"
    )


def test_a_letter_goes_to_all_who_are_told_under_a_key_of_its_notice():
    (letter,) = opened()

    assert (letter.to, letter.copy, letter.key) == (OPS, (), letter_key("mail-1"))


@pytest.mark.parametrize(
    ("telling", "urgent"),
    [
        (Telling.OPENED, True),
        (Telling.ESCALATED, True),
        (Telling.REMINDER, False),
        (Telling.RECOVERED, False),
    ],
)
def test_what_is_new_or_escalated_is_urgent(telling, urgent):
    told = mail(telling, about(bad(0)))

    (letter,) = render_incident(told, key="k", about="incident-1", now=hour(2))

    assert letter.urgent is urgent


def test_many_vms_come_with_a_table_that_spreadsheets_read():
    (letter,) = escalated_group(20)
    (table,) = letter.attachments

    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))

    assert (table.name, table.kind, len(rows)) == ("vms.csv", "text/csv", 20)
    assert table.content.startswith(b"\xef\xbb\xbf")
    assert "and 5 more: the attached table has all" in one_spaced(letter.plain)


def test_the_most_urgent_vms_of_many_come_first():
    (letter,) = escalated_group(8)

    found = re.findall(r"^  (shop-app-\d\d): (.*)$", letter.plain, re.MULTILINE)

    assert found[0] == ("shop-app-05", "no good backup")
    assert found[-1] == ("shop-app-03", "well again")


def test_a_vaults_mail_speaks_of_no_rpo_and_no_backup():
    (letter,) = vault()

    assert "RPO" not in letter.plain
    assert "Last good" not in letter.plain


def test_what_is_over_asks_nobody_to_do_a_thing():
    (letter,) = SAMPLES["recovered"]()

    assert "WHAT TO DO" not in letter.plain
    assert "alerts mute" not in letter.plain
    assert letter.plain.startswith("IT IS OVER\n\nsql-prod-01 is backed up again, after 3 days\n")


def test_a_lasting_incident_says_how_to_silence_it():
    (letter,) = opened()

    command = r'^vmbackup alerts mute incident-[0-9a-f]{12} --for 24h --why "being mended"$'
    assert re.search(command, letter.plain, re.MULTILINE)


def test_several_mails_in_one_are_listed_and_then_shown_whole():
    one, two = (*SAMPLES["reminder"](), *SAMPLES["great_outage"]())

    letter = render_folded((one, two))

    page = Page.of(letter.html)
    assert letter.subject.startswith(f"2 mails in one: {one.subject}; ")
    assert letter.plain.index("1. Still: sql-prod-01") < letter.plain.index(one.plain)
    assert one.plain in letter.plain
    assert two.plain in letter.plain
    assert page.text.count("1. Still: sql-prod-01") == 1
    assert set(Page.of(one.html).links) <= set(page.links)
    assert page.tags.count("body") == 1
    assert [file.name for file in letter.attachments] == ["2-vms.csv"]


def test_several_mails_in_one_are_the_same_in_every_order():
    one, two = (*SAMPLES["reminder"](), *SAMPLES["great_outage"]())

    assert render_folded((one, two)).key == render_folded((two, one)).key


def test_a_mail_without_a_page_of_ours_is_shown_as_text_within_another():
    evil = Letter("k", ("ops@x.example",), (), "odd", "<script>", "<p>")

    assert "&lt;script&gt;" in render_folded((evil, evil)).html


def test_the_operators_digest_carries_the_heads_of_the_evidence():
    (letter,) = alive()

    assert "ab12" * 16 in letter.plain
    assert "ab12" * 16 in letter.html
    assert "If it does not come, vmbackup does not run." in one_spaced(letter.plain)


def test_a_link_elsewhere_is_words_only():
    buttons = Buttons("t", (Button("go", "https://e.example/"),))
    sheet = Sheet("s", "m", Tone.PLAIN, "h", "p", (), (buttons,), ())

    assert Page.of(render_html(sheet)).links == []
    assert "e.example" not in render_plain(sheet)


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.azure.com/",
        "https://portal.azure.com.evil.example/",
        "https://portal.azure.com@evil.example/",
        "https://evil.example/https://portal.azure.com/",
        "javascript:alert(1)//https://portal.azure.com/",
        "https://portal.azure.com/a b",
        "https://portal.azure.com/\r\nx",
        "//portal.azure.com/",
        "",
    ],
)
def test_these_are_no_links_that_a_mail_follows(url):
    assert not is_safe_link(url)


def test_a_reminder_says_which_one_it_is():
    sheet = write_incident_sheet(mail(Telling.REMINDER, about(bad(0)), number=3), "i", hour(2))

    assert sheet.mark == "Still in trouble, reminder 3"


def test_the_templates_are_deployed_with_the_app():
    templates = sorted((ROOT / "vmbackup_core" / "app" / "telling" / "letters").iterdir())
    left_out = (ROOT / ".funcignore").read_text().split()

    assert [one.name for one in templates] == ["mail.html.j2", "mail.txt.j2"]
    assert [
        pattern
        for pattern in left_out
        for one in templates
        for part in one.relative_to(ROOT).parts
        if fnmatch(part, pattern.rstrip("/"))
    ] == []
