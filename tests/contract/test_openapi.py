"""The checker itself: it passes what Azure says in documents and in traffic, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from azsim.http import Request, Response
from azsim.world import Exchange, World
from tests import openapi
from tests.openapi import SHARED, SPECIFICATIONS, Call, Checker, Mismatch, Operation

pytestmark = pytest.mark.skipif(not SPECIFICATIONS.exists(), reason=openapi.ABSENT)

RECORDED = SHARED / "recorded"
VAULT = (
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
    "/backupPolicies/p"
)


def recordings() -> list[Path]:
    return sorted(RECORDED.glob("*.json"))


def examples() -> Iterator[Any]:
    for operation in openapi.operations() if SPECIFICATIONS.exists() else ():
        for path in operation.examples:
            label = f"{operation.version}-{operation.id}-{path.stem}"
            yield pytest.param(operation, path, id=label)


def call_of(recorded: dict[str, Any]) -> Call:
    return Call(
        method=recorded["method"],
        host=recorded["host"],
        path=recorded["path"],
        query={name.lower(): value for name, value in (recorded["query"] or {}).items()},
        request=recorded["request"],
        status=recorded["status"],
        response=recorded["response"],
    )


def example_calls(operation: Operation, example: dict[str, Any]) -> list[Call]:
    given = example["parameters"]
    wanted = {p["name"]: p["in"] for p in operation.parameters if p["name"] in given}
    query = {name.lower(): str(given[name]) for name, where in wanted.items() if where == "query"}
    bodies = [given[name] for name, where in wanted.items() if where == "body"]
    return [
        Call(
            method=operation.method,
            host="management.azure.com",
            path=operation.template,
            query={"api-version": operation.version, **query},
            request=next(iter(bodies), None),
            status=int(status),
            response=answer.get("body"),
        )
        for status, answer in example["responses"].items()
    ]


@pytest.mark.skipif(not RECORDED.exists(), reason="no recorded traffic beside this repository")
@pytest.mark.parametrize("recording", recordings(), ids=lambda path: path.stem)
def test_recorded_traffic_passes(recording: Path):
    calls = [call_of(entry) for entry in json.loads(recording.read_text())]

    checked = [found for call in calls if (found := openapi.check(call)) is not None]

    assert checked
    assert [problem for found in checked for problem in found] == []


@pytest.mark.parametrize(("operation", "path"), list(examples()))
def test_the_documents_own_examples_pass(operation: Operation, path: Path):
    calls = example_calls(operation, json.loads(path.read_text(encoding="utf-8-sig")))

    assert [problem for call in calls for problem in openapi.check_against(operation, call)] == []


POLICY: dict[str, Any] = {
    "id": VAULT,
    "name": "p",
    "properties": {
        "backupManagementType": "AzureIaasVM",
        "instantRpRetentionRangeInDays": 2,
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": ["2024-04-28T16:30:00Z"],
        },
    },
}
GET = Call("GET", "management.azure.com", VAULT, {"api-version": "2024-04-01"}, None, 200, POLICY)


def without(path: str, value: Any) -> dict[str, Any]:
    """Return the policy with one value in another's place."""
    changed: dict[str, Any] = json.loads(json.dumps(POLICY))
    *way, last = path.split(".")
    inner = changed
    for part in way:
        inner = inner[part]
    inner[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "place", "complaint"),
    [
        ("id", 5, "response.id", "5 is no string"),
        (
            "properties.schedulePolicy.scheduleRunTimes",
            ["soon"],
            "response.properties.schedulePolicy.scheduleRunTimes[0]",
            "'soon' is no date-time",
        ),
        (
            "properties.instantRpRetentionRangeInDays",
            "2",
            "response.properties.instantRpRetentionRangeInDays",
            "'2' is no integer",
        ),
        (
            "properties.backupManagementType",
            "AzureOnPaper",
            "response.properties.backupManagementType",
            "'AzureOnPaper' is unknown",
        ),
        ("properties", [], "response.properties", "[] is no object"),
    ],
)
def test_a_wrong_value_is_found_where_it_is(path: str, value: Any, place: str, complaint: str):
    found = openapi.check(replace(GET, response=without(path, value)))

    assert found is not None
    assert [(problem.place, problem.complaint) for problem in found] == [(place, complaint)]


@pytest.mark.parametrize(
    ("change", "place", "complaint"),
    [
        ({"status": 299}, "status", "299 is not in the document"),
        ({"query": {}}, "query.api-version", "is required"),
        ({"response": None}, "response", "is empty"),
        ({"method": "PUT"}, "request", "is required"),
    ],
)
def test_a_wrong_exchange_is_found(change: dict[str, Any], place: str, complaint: str):
    found = openapi.check(replace(GET, **change))

    assert found is not None
    assert (place, complaint) in [(problem.place, problem.complaint) for problem in found]


def test_paths_compare_without_case_and_the_rest_is_left_alone():
    assert openapi.check(replace(GET, path=VAULT.upper())) == []
    assert openapi.check(replace(GET, path="/subscriptions/s/nothing/like/this")) is None


def test_an_observed_world_fails_at_once_and_remembers():
    checker = Checker()
    url = f"https://management.azure.com{VAULT}?api-version=2024-04-01"
    answer = Response(200, without("id", 5))

    with pytest.raises(Mismatch, match=r"response\.id: 5 is no string"):
        checker(Exchange(World().clock.now(), "policies.get", Request("GET", url), answer))

    assert [problem.place for problem in checker.problems] == ["response.id"]
