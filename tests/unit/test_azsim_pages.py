"""
The pages on azsim tell what it models, and the code that models it says so.

Neither without the other: each behaviour has an id in a table of docs/azsim and a comment
`# models id, …` at the place in azsim that makes it so. What is not known for sure says whether the
app relies on it, and by which test that is survived.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "azsim").glob("*.md"))
TOLD_BY_TABLES = {
    "arm.md",
    "email.md",
    "graph_events_storage.md",
    "host.md",
    "log_analytics.md",
    "networks.md",
    "recovery_services.md",
    "restores.md",
}
STANDINGS = ("recorded", "documented", "inferred", "guessed")

_TABLE = re.compile(r"^\| id \|.*\n\|(?:---\|)+\n((?:\|.*\n)+)", re.MULTILINE)
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_HEADER = re.compile(r"^\| (.+) \|\n\|(?:---\|)+$", re.MULTILINE)
_MARKER = re.compile(r"^ *# models (.+)$", re.MULTILINE)
_TEST = re.compile(r"`(test_\w+)`")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One row: its id, its standing (the last column), and what relies on it (the one before)."""

    page: str
    id: str
    relied_on: str
    standing: str


def behaviours() -> list[Behaviour]:
    tables = ((page.name, table) for page in PAGES for table in _TABLE.findall(page.read_text()))
    rows = ((page, row) for page, table in tables for row in table.splitlines())
    cells = ((page, [cell.strip() for cell in row.strip("|").split("|")]) for page, row in rows)
    return [Behaviour(page, row[0].strip("`"), *row[-2:]) for page, row in cells]


def marked() -> Counter[str]:
    """Count the ids in the comments of azsim's code."""
    texts = [path.read_text() for path in (ROOT / "azsim").rglob("*.py")]
    return Counter(
        name for text in texts for line in _MARKER.findall(text) for name in line.split(", ")
    )


def names_of_tests() -> set[str]:
    paths = (ROOT / "tests").rglob("test_*.py")
    return {
        name for path in paths for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }


ALL = behaviours()
UNSURE = [behaviour for behaviour in ALL if behaviour.standing in ("inferred", "guessed")]
BOTH_ANSWERS = ROOT / "tests" / "scenario" / "test_both_answers.py"


def test_the_pages_on_behaviour_have_tables_of_it() -> None:
    assert {behaviour.page for behaviour in ALL} == TOLD_BY_TABLES


def test_an_id_names_one_behaviour() -> None:
    ids = Counter(behaviour.id for behaviour in ALL)

    assert [name for name, times in ids.items() if times > 1] == []
    assert [name for name in ids if not _ID.fullmatch(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_table_of_standings_gives_its_rows_ids(page: Path) -> None:
    headers = [header for header in _HEADER.findall(page.read_text()) if "standing" in header]

    assert {header.split(" | ")[0] for header in headers} <= {"id"}
    assert {tuple(header.split(" | ")[-2:]) for header in headers} <= {("relied on", "standing")}


def test_every_behaviour_has_one_standing() -> None:
    assert {behaviour.standing for behaviour in ALL} == set(STANDINGS)


def test_every_behaviour_on_a_page_is_modelled_by_code() -> None:
    assert sorted({behaviour.id for behaviour in ALL} - set(marked())) == []


def test_everything_that_the_code_models_stands_on_a_page() -> None:
    assert sorted(set(marked()) - {behaviour.id for behaviour in ALL}) == []


@pytest.mark.parametrize("behaviour", UNSURE, ids=lambda behaviour: behaviour.id)
def test_what_is_not_sure_says_what_relies_on_it(behaviour: Behaviour) -> None:
    named = _TEST.findall(behaviour.relied_on)

    assert named or behaviour.relied_on == "no"
    assert set(named) <= names_of_tests()


def test_what_is_sure_names_nothing_that_relies_on_it() -> None:
    sure = [b for b in ALL if b.standing in ("recorded", "documented")]

    assert [b.id for b in sure if b.relied_on != "-"] == []


def test_every_test_of_both_answers_is_named_by_the_behaviour_that_it_doubts() -> None:
    named = {name for b in UNSURE for name in _TEST.findall(b.relied_on)}
    there = set(re.findall(r"^def (test_\w+)", BOTH_ANSWERS.read_text(), re.M))

    assert sorted(there - named) == []
