"""Looking at what a demo left: where there is none, that is said."""

from pathlib import Path

import pytest

from tests.cli import Cli


@pytest.mark.parametrize("summary", ["", "{}", "no JSON"])
def test_a_directory_without_a_demo_is_a_wrong_call(tmp_path: Path, summary: str) -> None:
    (tmp_path / "summary.json").write_text(summary)

    ran = Cli().run("--demo", str(tmp_path), "alerts", "list")

    assert ran.code == 64
    assert "holds no demo" in ran.err
