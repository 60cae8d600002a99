"""What is kept of consoles goes by itself, and never before the evidence that names it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.blobs import MemoryBlobs
from tests.drill_runs import order
from tests.infra.bicep import Resource, deploy
from tests.infra.estate import GIVEN, INFRA, of_kind
from vmbackup_core.app.drill.keepsakes import Keepsakes
from vmbackup_core.app.drill.records import DOCUMENT
from vmbackup_core.domain.drill.facts import ConsoleFacts

IMMUTABLE = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"
WEEK = 7  # Days: longer than a restore test with its cleaning up takes to write its record.


def deployed(**given: Any) -> list[Resource]:
    return deploy(INFRA / "main.bicep", **GIVEN, **given)


def consoles_rule(resources: list[Resource]) -> Mapping[str, Any]:
    policies = of_kind(resources, "Microsoft.Storage/storageAccounts/managementPolicies")
    rules = [rule for one in policies for rule in one.body["properties"]["policy"]["rules"]]
    (found,) = (rule["definition"] for rule in rules if rule["name"] == "old-consoles")
    return dict(found)


def days(definition: Mapping[str, Any]) -> int:
    return int(definition["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"])


@pytest.mark.parametrize(
    ("given", "more"), [({}, WEEK), ({"evidenceDays": 3650}, WEEK), ({"consoleExtraDays": 90}, 90)]
)
def test_consoles_are_kept_longer_than_the_evidence_that_names_them(
    given: dict[str, Any], more: int
) -> None:
    resources = deployed(**given)
    (evidence,) = of_kind(resources, IMMUTABLE)
    kept = evidence.body["properties"]["immutabilityPeriodSinceCreationInDays"]

    assert days(consoles_rule(resources)) == kept + more


def test_the_rule_concerns_every_console_and_nothing_else_of_the_state() -> None:
    blobs = MemoryBlobs()
    Keepsakes(blobs).keep(order().run, ConsoleFacts("login:", b"picture"))
    (prefix,) = consoles_rule(deployed())["filters"]["prefixMatch"]

    assert len(blobs.content) == 2
    assert all(f"state/{name}".startswith(prefix) for name in blobs.content)
    assert not f"state/{DOCUMENT}".startswith(prefix)
