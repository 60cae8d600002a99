"""The threat model names tests that exist, and what it says of rights is what is granted."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_test_that_is_named_exists() -> None:
    lost = [(path, name) for path, name in NAMED if f"def {name}(" not in (ROOT / path).read_text()]

    assert len(NAMED) > 10
    assert lost == []


def test_every_path_in_has_a_test() -> None:
    table = PAGE.partition("## Who could try what")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| **")]

    assert rows
    assert [row for row in rows if "`tests/" not in row] == []
