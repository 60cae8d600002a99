"""The page on Recovery Services names every way in which azsim's Azure Backup says no."""

from pathlib import Path

import pytest

from azsim.recovery import errors

PAGE = Path(__file__).parents[2] / "docs" / "azsim" / "recovery_services.md"
REFUSALS = [value for value in vars(errors).values() if isinstance(value, errors.Refusal)]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_every_refusal_stands_on_the_page_with_its_standing(refusal: errors.Refusal) -> None:
    row = next(
        (line for line in PAGE.read_text().splitlines() if f"| `{refusal.code}` |" in line), ""
    )

    assert refusal.standing.value in row
