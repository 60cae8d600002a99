"""Whatever strangers wrote, what leaves is one harmless line."""

import csv
import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import SUB
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.telling.mail_words import csv_text, one_line, portal_link, subject_line
from vmbackup_core.domain.telling.routing import Copy, Routing, VmPlace, domain_of, find_recipients

hostile = st.text() | st.text("=+-@\r\n\t \u2028\u202e\u200b\0<>\"'&;,abc")


@given(hostile)
def test_a_subject_is_one_visible_line(text):
    line = subject_line(text)

    assert len(line) <= 150
    assert line.splitlines() in ([line], [])
    assert not any(unicodedata.category(sign).startswith("C") for sign in line)


@given(hostile)
def test_cleaning_twice_is_cleaning_once(text):
    assert one_line(one_line(text)) == one_line(text)


@given(st.lists(st.lists(hostile, min_size=2, max_size=2), max_size=4))
def test_a_table_keeps_its_shape_and_runs_nothing(rows):
    read = list(csv.reader(io.StringIO(csv_text(["a", "b"], rows), newline="")))

    assert len(read) == len(rows) + 1
    assert all(len(row) == 2 for row in read)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in read[1:] for cell in row)


@given(hostile)
def test_a_link_leads_to_the_portal_whatever_the_resource_is_called(text):
    link = portal_link("https://portal.azure.com", f"/{text.encode(errors='replace').decode()}")

    assert link.startswith("https://portal.azure.com/#resource/")
    assert not set(link) & set(" \r\n<>\"'")


@given(
    hostile | st.emails() | st.emails().map("{},x@example.com\r\n".format), st.sampled_from(Copy)
)
def test_no_tag_sends_mail_out_of_the_house_or_keeps_it_from_being_seen(value, copy):
    routing = Routing(("ops@corp.example",), domains=("example.com",), copy=copy)
    place = VmPlace(SUB, "rg", tags=Tags.of({"backup-owner": value}))

    told = find_recipients(place, routing)

    assert told.to
    assert all(domain_of(one) in ("example.com", "corp.example") for one in told.to)
    assert "ops@corp.example" in told.to or copy is Copy.DIGEST
    assert not any(set(one) & set("\r\n <>,;") for one in told.to)
