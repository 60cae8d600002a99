import json
import re
from pathlib import Path

import pytest

from vmbackup_core.settings.deployment import VARIABLES
from vmbackup_core.settings.drilling import CHECK, DRILLS, PRICES, TIER
from vmbackup_core.settings.mailing import MAIL, MAINTENANCE, ROUTE, TARGET
from vmbackup_core.settings.sections import (
    KEEP,
    LIMITS,
    POLICY,
    PROTECT,
    RULE,
    SCOPE,
    SECTIONS,
    SUBSCRIPTION,
    TAGS,
    VAULTS,
)

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
TABLES = {
    "[scope]": SCOPE,
    '[scope.subscription."id"]': SUBSCRIPTION,
    "[tags]": TAGS,
    "[[rules]]": RULE,
    "[policies.name]": POLICY,
    "keep, in [policies.name]": KEEP,
    "[vaults]": VAULTS,
    "[limits]": LIMITS,
    "[protect]": PROTECT,
    "[drills]": DRILLS,
    "[[drills.tiers]]": TIER,
    "[drills.prices]": PRICES,
    "[[drills.checks]]": CHECK,
    "[mail]": MAIL,
    "[[mail.routes]]": ROUTE,
    "[[mail.targets]]": TARGET,
    "[[mail.maintenance]]": MAINTENANCE,
}


def rows_below(heading):
    """Return the rows (key, takes, default, why) of the table below a heading of the page."""
    _, _, below = PAGE.partition(f"\n## `{heading}`\n")
    section, _, _ = below.partition("\n## ")
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in row) for row in rows]


def default_of(key):
    if key.required:
        return "**required**"
    return key.else_ or f"`{json.dumps(key.default)}`"


@pytest.mark.parametrize(("heading", "table"), TABLES.items(), ids=TABLES)
def test_the_page_has_every_key_of_a_section_with_what_it_takes_and_its_default(heading, table):
    on_the_page = [row[:3] for row in rows_below(heading)]

    assert on_the_page == [(f"`{k.name}`", k.form.words, default_of(k)) for k in table.keys]


def test_the_page_has_every_variable_with_what_it_takes_and_its_default():
    on_the_page = [row[:3] for row in rows_below("VMBACKUP_…")]

    assert on_the_page == [
        (f"`{v.name}`", v.words, f"`{v.default}`" if v.default else "none")
        for v in VARIABLES.values()
    ]


def test_the_page_has_no_section_that_does_not_exist_and_every_one_that_does():
    headings = re.findall(r"^## `(.+)`$", PAGE, re.MULTILINE)

    assert headings == [*TABLES, "VMBACKUP_…"]
    assert {section.name for section in SECTIONS} == {
        re.split(r"\W+", heading.strip("["))[0] for heading in TABLES if heading[0] == "["
    }


@pytest.mark.parametrize("heading", [*TABLES, "VMBACKUP_…"])
def test_the_page_gives_a_reason_for_every_key(heading):
    assert all(len(why) > 20 for *_, why in rows_below(heading))
