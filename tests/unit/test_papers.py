"""The papers say what is: links lead somewhere, commands and targets exist, tables are complete."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from vmbackup_cli.main import app
from vmbackup_core.domain.drill.points import NoPointReason
from vmbackup_core.domain.drill.turns import NotPlanned, Why
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.verdicts import BRAKES, REFUSALS
from vmbackup_core.settings import load

ROOT = Path(__file__).parents[2]
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
PAPERS = (
    *TOP,
    "guest/README.md",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")),
)
DECISIONS = sorted((ROOT / "docs" / "adr").glob("0*.md"))
REASONS = (ROOT / "docs" / "reasons.md").read_text()

_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_CODE = re.compile(r"^ *```[a-z]*\n(.*?)^ *```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)


def text_of(paper: str) -> str:
    return (ROOT / paper).read_text()


def links_of(paper: str) -> list[tuple[Path, str]]:
    """Return the target and anchor of every relative link; an empty target is the page itself."""
    here = ROOT / paper
    found = _LINK.findall(_FENCED.sub("", text_of(paper)))
    return [(here.parent / target if target else here, anchor) for target, anchor in found]


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a forge makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_of(paper: str) -> str:
    """Return everything that a page shows as code, a line for each piece."""
    return "\n".join(block or span for block, span in _CODE.findall(text_of(paper)))


def commands(group: Any, before: str = "") -> Iterator[str]:
    """Yield every command that can be typed, with the groups that hold it."""
    for name, command in group.commands.items():
        yield f"{before}{name}"
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")


def commands_named_in(paper: str) -> set[str]:
    """Return what follows `vmbackup` at the beginning of a piece of code, as far as it is words."""
    named = re.findall(
        r"^(?:\$ )?vmbackup ([a-z]+(?: (?:[a-z]+)\b(?![\w.=/-]))?)", code_of(paper), re.MULTILINE
    )
    groups = {name.split()[0] for name in commands(get_command(app)) if " " in name}
    return {name if name.split()[0] in groups else name.split()[0] for name in named}


def targets_named_in(paper: str) -> set[str]:
    return set(re.findall(r"^(?:\$ )?make ([a-z-]+)", code_of(paper), re.MULTILINE))


def rows_of_reasons() -> list[tuple[str, ...]]:
    """Return the cells of the table that has a reason code in its first column."""
    lines = re.findall(r"^\| `[A-Z_]+` \|.*$", REASONS, re.MULTILINE)
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def codes_after(words: str) -> set[str]:
    """Return the codes in the sentence of the reasons' page that begins with `words`."""
    _, _, sentence = REASONS.partition(words)
    return set(re.findall(r"`([A-Z_]+)`", sentence.partition(". ")[0]))


@pytest.mark.parametrize("paper", PAPERS)
def test_every_relative_link_leads_somewhere(paper: str) -> None:
    assert [target for target, _ in links_of(paper) if not target.exists()] == []


@pytest.mark.parametrize("paper", PAPERS)
def test_every_anchor_is_a_heading_of_its_page(paper: str) -> None:
    lost = [
        (target.name, anchor)
        for target, anchor in links_of(paper)
        if anchor and anchor not in anchors_of(target)
    ]

    assert lost == []


@pytest.mark.parametrize("paper", PAPERS)
def test_every_command_that_is_named_exists(paper: str) -> None:
    assert commands_named_in(paper) - set(commands(get_command(app))) == set()


@pytest.mark.parametrize("paper", PAPERS)
def test_every_make_target_that_is_named_exists(paper: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert targets_named_in(paper) - set(targets) == set()


def test_the_readme_names_every_top_level_command() -> None:
    top = {name for name in commands(get_command(app)) if " " not in name} - {"version"}

    assert top - {name.split()[0] for name in commands_named_in("README.md")} == set()


@pytest.mark.parametrize("paper", PAPERS)
def test_no_paper_names_a_folder_of_one_machine(paper: str) -> None:
    assert re.findall(r"(?<![\w./{}])/(?:home|root|tmp|work|Users)/\S*", text_of(paper)) == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_what_led_to_it_and_what_would_overturn_it(decision: Path) -> None:
    headings = re.findall(r"^## (.+)$", decision.read_text(), re.MULTILINE)

    assert headings == ["Context", "Decision", "Consequences", "What would change our mind"]


def test_decisions_are_numbered_without_a_gap_and_all_stand_in_the_index() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    index = [target.name for target, _ in links_of("docs/adr/README.md")]

    assert numbers == [f"{n:04}" for n in range(1, len(DECISIONS) + 1)]
    assert index == [path.name for path in DECISIONS]


def test_the_page_of_reasons_says_of_each_code_what_the_code_itself_says() -> None:
    assert rows_of_reasons() == [
        (f"`{reason.name}`", str(reason.standing), reason.text, reason.mend or "-")
        for reason in Reason
    ]


def test_the_page_of_reasons_names_what_is_held_and_what_is_a_brake() -> None:
    assert codes_after("sweeps keep it until") == {reason.name for reason in REFUSALS}
    assert codes_after("**From our own brakes.**") == {reason.name for reason in BRAKES}


def test_the_page_of_restore_tests_says_of_each_code_what_the_code_itself_says() -> None:
    page, _, _ = text_of("docs/drills.md").partition("## The ladder of proof")
    points = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    codes = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    whys = re.findall(r"^\| `([A-Z_]+)`: ([^|]+) \|", page, re.MULTILINE)

    assert codes == [(code.name, code.text, code.mend or "-") for code in NotPlanned]
    assert points == [(reason.name, reason.value) for reason in NoPointReason]
    assert whys == [(why.name, why.value) for why in Why]


def example_in(paper: str, language: str) -> str:
    """Return the one example in a language that a page has."""
    (example,) = re.findall(rf"^```{language}\n(.*?)^```", text_of(paper), re.MULTILINE | re.DOTALL)
    return str(example)


def test_the_readmes_configuration_has_no_fault() -> None:
    settings = load(
        example_in("README.md", "toml"), {"VMBACKUP_STATE_DIR": "state"}, source="README.md"
    )

    assert [policy.name for policy in settings.policies] == ["gold"]


def test_the_example_of_azsims_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example_in("docs/azsim.md", "python"), "docs/azsim.md", "exec"), {})

    assert capsys.readouterr().out.count("Backup Completed") == 2
