"""Every checker of templates passes on ours, and catches what it claims to catch."""

import re
from pathlib import Path

import pytest

from tests.infra.bicep import NotUnderstood, deploy
from tests.infra.estate import EVENTS, GIVEN, INFRA, estate, events, nested
from tools import infra_check

GOOD = """
param location string
resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan'
  location: location
  sku: {
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}
"""
# By what is wrong with it: the change, and who must notice.
BROKEN = {
    "a brace is missing": ("  properties: {\n", "  properties:\n", {"syntax", "types", "paper"}),
    "a later Bicep's operator": ("location: location", "location: location!", {"paper"}),
    "a spread": ("    reserved: true\n", "    ...location\n", {"syntax", "types", "paper"}),
    "a property that is not there": ("reserved:", "reservd:", {"types"}),
    "a type that is not there": ("serverfarms@2025-03-01", "serverfarm@2025-03-01", {"types"}),
    "a value of another type": ("reserved: true", "reserved: 'yes'", {"types"}),
    "a name that nothing declares": ("location: location", "location: place", {"types", "paper"}),
    "a location that is missing": ("  location: location\n", "", {"types"}),
}
needs_types = pytest.mark.skipif(
    not infra_check.TYPE_CHECK.exists(), reason="Azure's published types are not at hand"
)


def noticed(path: Path) -> set[str]:
    """Return which checkers find something wrong."""
    found = {"syntax": infra_check.syntax([path]), "types": infra_check.types([path])}
    return {name for name, problems in found.items() if problems} | set(on_paper(path))


def on_paper(path: Path) -> list[str]:
    try:
        deploy(path, location="westeurope")
    except (NotUnderstood, KeyError):
        return ["paper"]
    return []


def test_all_templates_are_looked_at() -> None:
    assert {path.name for path in infra_check.templates()} >= {"main.bicep", "events.bicep"}


@pytest.mark.parametrize("path", infra_check.templates(), ids=lambda path: path.name)
def test_a_template_keeps_to_the_conservative_dialect(path: Path) -> None:
    assert infra_check.syntax([path]) == []


@needs_types
def test_templates_fit_the_types_that_azure_publishes() -> None:
    assert infra_check.types(infra_check.templates()) == []


@pytest.mark.parametrize("name", infra_check.UNTYPED)
def test_a_template_whose_types_nobody_checks_makes_nothing_else_and_is_told_of(name: str) -> None:
    [path] = [one for one in infra_check.templates() if one.name == name]
    kinds = re.findall(r"^resource \w+ '([^@]+)@", path.read_text(), re.MULTILINE)

    assert {"/".join(kind.split("/")[:2]) for kind in kinds} == {infra_check.UNTYPED[name]}
    assert infra_check.UNTYPED[name] in (INFRA.parent / "docs" / "unverified.md").read_text()


@needs_types
def test_what_is_sound_passes_every_checker(tmp_path: Path) -> None:
    (tmp_path / "good.bicep").write_text(GOOD)

    assert noticed(tmp_path / "good.bicep") == set()


@needs_types
@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_caught_by_each_checker_that_claims_to(what: str, tmp_path: Path) -> None:
    right, wrong, who = BROKEN[what]
    broken = tmp_path / "broken.bicep"
    broken.write_text(GOOD.replace(right, wrong))

    assert noticed(broken) >= who
    assert broken.read_text() != GOOD


@pytest.mark.parametrize(
    ("template", "given"),
    [("main.bicep", {**GIVEN, "separateDrills": True}), ("events.bicep", EVENTS)],
)
def test_no_two_deployments_have_one_name_in_one_place(template: str, given: dict) -> None:
    names = [(one.scope.lower(), one.name) for one in nested(template, given)]

    assert len(set(names)) == len(names)
    assert max(len(name) for _, name in names) <= 64


def test_no_resource_is_deployed_twice() -> None:
    ids = [one.id.lower() for one in (*estate(separate=True), *events())]

    assert len(set(ids)) == len(ids)
