"""Alarms about vmbackup itself: their questions are asked of lines as the app writes them."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql
import pytest

from tests.infra.bicep import Resource, deploy
from tests.infra.estate import FUNCTIONS, GIVEN, INFRA, WEST, estate, events, of_kind

PAGE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text()
BUDGET = "Microsoft.Consumption/budgets"
KIND = "Microsoft.Insights/scheduledQueryRules"
RULES = {
    one.name.removeprefix("vmbackup-"): one.body["properties"] for one in of_kind(estate(), KIND)
}


def names_of(resources: Iterable[Resource]) -> set[str]:
    return {one.name.removeprefix("vmbackup-") for one in of_kind(resources, KIND)}


COMPARE = {"LessThan": lambda n, limit: n < limit, "GreaterThan": lambda n, limit: n > limit}
WINDOWS = {"PT1H", "PT2H", "PT3H", "P1D", "P2D"}  # Of those that Azure takes.


def line(kind: str, key: str, text: str, **more: Any) -> str:
    """Return a line as the app's journal writes it (adapters/journal.py)."""
    return json.dumps({"kind": kind, "key": key, "vm": "", "text": text, **more})


DIGEST = line("outcome", "digest-0a", "sent: vmbackup is alive, day 12: 24 of 31 VMs protected")
QUIET = (
    "Host lock lease acquired by instance ID",
    "{not json",
    line("facts", "sweep", "36 VMs, 31 in scope, 24 protected, 8 to look at", reasons={}),
    line("outcome", "janitor", "vmbackup-drill-westeurope-1 is free again", done=True),
    line("outcome", "ensure-protected-1", "AGENT_WAIT", done=False),
    line("facts", "workflows", "0 stuck, 0 failed"),
    DIGEST,
)
# What makes each alarm ring, beside a quiet hour: messages, and requests (name, success).
RINGING: dict[str, tuple[tuple[str, ...], tuple[tuple[str, bool], ...]]] = {
    "no-sweep": ((), (("janitor", True), ("sweep", False))),
    "no-janitor": ((), (("sweep", True),)),
    "functions-fail": ((), (("sweep", True), ("janitor", True), *((("turn", False),) * 6))),
    "configuration-refused": (
        (line("event", "configuration", "refused, the last good one stays: line 3"),),
        (),
    ),
    "sweep-stopped": (
        (line("facts", "sweep", "3 VMs; STOPPED: 31 were in scope before", reasons={}),),
        (),
    ),
    "workflow-stuck": (
        (line("alarm", "workflows", "workflow stuck: protect-1 (protect) runs beyond its bound"),),
        (),
    ),
    "workflow-failed": (
        (line("alarm", "workflows", "workflow failed: drill-1 (drill)"),),
        (),
    ),
    "no-housekeeping": ((), (("sweep", True), ("housekeeping", False))),
    "no-watch": ((), (("sweep", True), ("watch", False))),
    "leftovers": (
        (line("outcome", "drill-1", "vmbackup-drill-w-1 is quarantined: two things", done=False),),
        (),
    ),
}
CALM = (
    ("sweep", True),
    ("housekeeping", True),
    ("janitor", True),
    ("watch", True),
    ("turn", False),
)


@pytest.fixture
def workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb_kql.connect(config={"threads": 1}) as connection:
        connection.execute("create table AppTraces (Message varchar)")
        connection.execute("create table AppRequests (Name varchar, Success boolean)")
        yield connection


def rings(
    workspace: duckdb.DuckDBPyConnection,
    rule: str,
    messages: tuple[str, ...],
    requests: tuple[tuple[str, bool], ...],
) -> bool:
    workspace.executemany("insert into AppTraces values (?)", [[one] for one in messages])
    workspace.executemany("insert into AppRequests values (?, ?)", [list(one) for one in requests])
    [criterion] = RULES[rule]["criteria"]["allOf"]
    found = workspace.execute(str(duckdb_kql.to_sql(criterion["query"]))).fetchall()
    return bool(COMPARE[criterion["operator"]](len(found), criterion["threshold"]))


def test_every_alarm_has_a_case() -> None:
    assert {*RINGING, "no-alive-digest"} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_an_alarm_is_silent_in_a_quiet_hour(
    workspace: duckdb.DuckDBPyConnection, rule: str
) -> None:
    assert not rings(workspace, rule, QUIET, CALM)


@pytest.mark.parametrize("rule", RINGING)
def test_an_alarm_rings_where_it_should(workspace: duckdb.DuckDBPyConnection, rule: str) -> None:
    messages, requests = RINGING[rule]

    assert rings(workspace, rule, (*QUIET, *messages), requests or CALM)


def test_a_digest_that_was_not_sent_rings_though_others_were(
    workspace: duckdb.DuckDBPyConnection,
) -> None:
    others = (
        line("outcome", "digest-0b", "sent: Backups of 3 VMs: all fine"),
        line("outcome", "digest-0a", "not sent yet: vmbackup is alive"),
    )

    assert rings(workspace, "no-alive-digest", others, CALM)


@pytest.mark.parametrize("rule", RULES)
def test_the_runbook_says_what_an_alarm_means(rule: str) -> None:
    assert f"`{rule}`" in PAGE


def test_the_runbook_says_what_undelivered_events_mean() -> None:
    names = {one.name for one in of_kind(events(), "Microsoft.Insights/metricAlerts")}

    assert len(names) == 2
    assert all(f"`{name.removeprefix('vmbackup-')}`" in PAGE for name in names)


@pytest.mark.parametrize("rule", RULES)
def test_an_alarm_looks_at_a_span_that_azure_takes_and_tells_somebody(rule: str) -> None:
    assert RULES[rule]["windowSize"] in WINDOWS
    assert len(RULES[rule]["actions"]["actionGroups"]) == 1


def test_alarms_ask_for_functions_that_exist() -> None:
    asked = set(re.findall(r'Name == "(\w+)"', (INFRA / "modules" / "alarms.bicep").read_text()))

    assert asked <= set(FUNCTIONS)


def test_without_restore_tests_nobody_waits_for_the_janitor() -> None:
    resources = deploy(INFRA / "main.bicep", **{**GIVEN, "drillPlaces": []})

    assert names_of(resources) == set(RULES) - {"no-janitor", "leftovers"}


def test_without_mails_nobody_waits_for_a_digest() -> None:
    resources = deploy(INFRA / "main.bicep", **{**GIVEN, "mailDomain": ""})

    assert names_of(resources) == set(RULES) - {"no-alive-digest", "no-watch"}


def test_rules_of_another_region_ask_the_same_log() -> None:
    resources = deploy(INFRA / "main.bicep", **GIVEN, alarmRegion="northeurope")
    rules = of_kind(resources, KIND)

    assert {one.body["location"] for one in rules} == {"northeurope"}
    assert {one.body["properties"]["scopes"][0] for one in rules} == {
        RULES["no-sweep"]["scopes"][0]
    }


def test_budgets_count_what_is_ours_and_tell_the_people_of_the_alarms() -> None:
    drills, app = of_kind(estate(), BUDGET)
    told = [one["contactGroups"] for one in app.body["properties"]["notifications"].values()]

    assert app.body["properties"]["filter"]["dimensions"]["values"] == ["rg-vmbackup-test"]
    assert drills.body["properties"]["filter"]["dimensions"]["values"] == [
        f"vmbackup-drill-{WEST}",
        f"vmbackup-drill-{WEST}-1",
        f"vmbackup-drill-{WEST}-2",
    ]
    assert told == 2 * [RULES["no-sweep"]["actions"]["actionGroups"]]
    assert app.body["properties"]["timePeriod"] == {"startDate": "2026-11-01"}


def test_no_budget_is_made_unless_it_is_asked_for() -> None:
    none = {"monthlyBudget": 0, "monthlyDrillBudget": 0}

    assert of_kind(deploy(INFRA / "main.bicep", **{**GIVEN, **none}), BUDGET) == []
