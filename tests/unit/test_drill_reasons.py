"""The codes of rungs and endings: each says what it means, and the page says the same."""

import re
from enum import Enum
from pathlib import Path

import pytest

from vmbackup_core.domain.drill.reasons import Ending, ProofMeaning, ProofReason

PAGE = (Path(__file__).parents[2] / "docs" / "drills.md").read_text()
TABLES = {"Codes of rungs": ProofReason, "Codes of endings": Ending}
# Nobody has to do anything about these: passed, as asked for, or told by the ending.
NOTHING_TO_MEND = {
    "POINT_FRESH",
    "DISKS_MATCH",
    "BOOTED",
    "CHECKS_PASSED",
    "CANARY_FOUND",
    "NOT_ASKED",
    "BELOW_FAILED",
    "CAPPED_BY_TAG",
    "CAPPED_ADE",
    "CAPPED_CONFIDENTIAL",
    "CAPPED_PLAN",
    "ABORTED",
    "OUT_OF_TIME",
}


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows_on_the_page(heading: str) -> list[str]:
    return re.findall(r"^\| `[A-Z_]+` \|.*$", section(heading), re.MULTILINE)


def row(name: str, meaning: ProofMeaning) -> str:
    return f"| `{name}` | {meaning.text} | {meaning.mend or '-'} |"


@pytest.mark.parametrize("heading", TABLES)
def test_the_page_lists_every_code_with_its_meaning(heading: str) -> None:
    assert rows_on_the_page(heading) == [row(one.name, one.value) for one in TABLES[heading]]


@pytest.mark.parametrize("codes", TABLES.values())
def test_no_two_codes_are_the_same_one_under_two_names(codes: type[Enum]) -> None:
    assert len(list(codes)) == len(codes.__members__)


def test_what_a_person_can_mend_says_how() -> None:
    assert {one.name for one in ProofReason if not one.value.mend} == NOTHING_TO_MEND


@pytest.mark.parametrize("code", [*ProofReason, *Ending])
def test_a_code_means_something_that_fits_into_a_table(code: ProofReason | Ending) -> None:
    assert code.value.text
    assert "|" not in code.value.text + code.value.mend
