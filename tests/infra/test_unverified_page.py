"""What could not be verified here says how it would be."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "unverified.md").read_text()
ROWS = [
    re.split(r"(?<!\\)\|", line.strip("|"))
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| Believed")
]
# A command, or a step that somebody can take.
HOW = re.compile(r"`[^`]+`|deployment|restore test|run of workflow|pull request|the same")


def test_every_belief_has_a_way_to_verify_it() -> None:
    assert len(ROWS) > 40
    assert [row for row in ROWS if len(row) != 2 or not HOW.search(row[1])] == []
