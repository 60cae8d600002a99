"""docs/evidence.md names every field that evidence keeps, and no other."""

import re
from pathlib import Path

from tests.builders import SUB
from tests.drill_runs import order, record
from vmbackup_core.domain.drill.evidence import body_of, cleaned_body
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.evidence import FIELDS, Kind

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evidence.md").read_text()


def names_in(table: str) -> set[str]:
    """Return what stands as code in the first column of the table under this heading row."""
    rows = PAGE.partition(table)[2].partition("\n\n")[0].splitlines()
    return {
        name for row in rows if row[:1] == "|" for name in re.findall("`(.+?)`", row.split("|")[1])
    }


def test_every_field_of_a_record_is_on_the_page():
    assert names_in("| Field | What it holds |") == set(FIELDS)


def test_every_field_of_a_restore_test_is_on_the_page():
    body = body_of(record(), "digest")

    assert names_in("| Field of `drill` | What it holds |") == set(body) - {"what"}


def test_every_clock_is_on_the_page():
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `clocks` |")]

    assert set(re.findall("`(.+?)`", row.split("|")[2])) == set(body_of(record(), "")["clocks"])


def test_what_the_janitor_adds_is_on_the_page():
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `cleaned` |")]
    run = Run(order(), Slot(Place(SUB, "westeurope"), 1), record().ended)

    fields = set(cleaned_body(run, [], clean=True)) - {"schema", "what"}
    assert set(re.findall("`(.+?)`", row.split("|")[2])) == fields


def test_every_kind_is_on_the_page():
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `kind` |")]

    assert set(re.findall("`(.+?)`", row.split("|")[2])) == {str(kind) for kind in Kind}
