"""host.json says what the app relies on, in words that the Functions host knows."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from azsim.host.durable.settings import DEFAULT_HUB, DurableSettings

HOST: dict[str, Any] = json.loads((Path(__file__).parents[2] / "host.json").read_text())
DURABLE = HOST["extensions"]["durableTask"]
LOGGING = HOST["logging"]
# Of the schema of host.json 2.0 (learn: functions-host-json; durable-functions-bindings).
KEYS = {
    "version",
    "functionTimeout",
    "healthMonitor",
    "extensionBundle",
    "extensions",
    "logging",
}


def seconds(span: str) -> float:
    hours, minutes, rest = span.split(":")
    whole = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(rest))
    return whole.total_seconds()


def test_no_key_is_there_that_the_host_would_pass_over() -> None:
    assert set(HOST) == KEYS
    assert set(DURABLE) == {
        "hubName",
        "maxConcurrentActivityFunctions",
        "maxConcurrentOrchestratorFunctions",
        "storageProvider",
    }


def test_the_hub_has_a_name_of_its_own() -> None:
    settings = DurableSettings.read(DURABLE, str)

    assert settings.hub == "vmbackup" != DEFAULT_HUB
    assert settings.hub.isalnum()  # Letters and digits alone, 3 to 45 of them.


def test_an_instance_takes_no_more_turns_at_once_than_azure_answers_for() -> None:
    assert DURABLE["maxConcurrentActivityFunctions"] == 10
    assert DURABLE["maxConcurrentOrchestratorFunctions"] == 10


def test_queues_are_polled_at_least_as_often_as_the_shortest_wait() -> None:
    assert seconds(DURABLE["storageProvider"]["maxQueuePollingInterval"]) <= 60


def test_a_function_has_time_for_a_sweep_and_no_more_than_every_plan_allows() -> None:
    assert seconds(HOST["functionTimeout"]) == 600


def test_an_instance_that_is_unwell_is_restarted() -> None:
    assert HOST["healthMonitor"]["enabled"] is True


@pytest.mark.parametrize("kind", ["Trace", "Exception", "Request"])
def test_nothing_that_alarms_ask_for_is_sampled(kind: str) -> None:
    sampling = LOGGING["applicationInsights"]["samplingSettings"]

    assert kind in sampling["excludedTypes"].split(";")


@pytest.mark.parametrize("category", ["default", "Function"])
def test_the_journal_is_written_at_its_level(category: str) -> None:
    assert LOGGING["logLevel"][category] == "Information"


def test_only_the_engines_own_chatter_is_left_out() -> None:
    quiet = {name for name, level in LOGGING["logLevel"].items() if level != "Information"}

    assert all(name.startswith("DurableTask.") for name in quiet)


def test_telemetry_goes_the_classic_way() -> None:
    assert "telemetryMode" not in HOST
