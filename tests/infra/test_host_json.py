"""How the Functions host is told to run the app."""

import json
from pathlib import Path

HOST = json.loads((Path(__file__).parents[2] / "host.json").read_text())


def test_no_line_of_the_journal_is_sampled_away() -> None:
    sampling = HOST["logging"]["applicationInsights"]["samplingSettings"]

    assert {"Exception", "Trace"} <= set(sampling["excludedTypes"].split(";"))


def test_the_engine_has_a_name_and_bounds() -> None:
    engine = HOST["extensions"]["durableTask"]

    assert engine["hubName"] == "vmbackup"
    assert engine["maxConcurrentActivityFunctions"] > 0
    assert engine["maxConcurrentOrchestratorFunctions"] > 0


def test_a_worker_that_is_unwell_is_replaced() -> None:
    assert HOST["healthMonitor"]["enabled"] is True
