"""Every query that the app sends, before Microsoft's parser of KQL and the documented columns."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from azsim.graph_index import COLUMNS, DYNAMIC
from azsim.graph_index import TABLES as GRAPH_TABLES
from azsim.log_analytics_tables import INGESTED
from azsim.log_analytics_tables import TABLES as LOG_TABLES
from azsim.world import World
from tests.contract.azure_desk import VAULT, WEST
from tests.contract.test_adapters_backup_estate import HERE, Watcher
from tests.contract.test_adapters_permissions import look_at_a_slot
from vmbackup_core.adapters.deed_forms import Identity
from vmbackup_core.adapters.history import AzureRestoreHistory

FOLDER = Path(__file__).parents[2] / ".envs/kusto"
CHECK = Path(__file__).parent / "kusto/check.js"
GRAPH = {
    table: {column: "dynamic" if column in DYNAMIC else "string" for column in COLUMNS}
    for table in GRAPH_TABLES
}
LOG = {
    table: {column: kind for column, kind in columns.items() if column != INGESTED}
    for table, columns in LOG_TABLES.items()
}
JOBS = "AddonAzureBackupJobs | where "

pytestmark = [pytest.mark.long, pytest.mark.node]


def faults(queries: list[str], tables: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """Return what the parser has against each query."""
    assert FOLDER.exists(), "the parser is not installed: run sh tools/long_env.sh"
    asked = {"folder": str(FOLDER), "tables": tables, "queries": queries}
    answered = subprocess.run(
        [shutil.which("node") or "node", str(CHECK)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[list[Mapping[str, Any]]] = json.loads(answered.stdout)
    return [[f"{one['code']} at {one['at']}: {one['message']}" for one in some] for some in found]


@pytest.fixture(scope="module")
def sent() -> Mapping[str, list[str]]:
    """Return every query of every operation that asks, by the route that took it."""
    desk = Watcher(World())
    began = desk.clock.now()
    reader = desk.arm(Identity.READER)
    desk.world.vaults.create(VAULT.subscription, VAULT.group, "rsv-2", WEST)
    desk.later(days=1)
    desk.estate.observe_backups(HERE)
    desk.estate.observe_unfinished(HERE, began)
    desk.inventory.observe_estate(HERE)
    AzureRestoreHistory(reader, desk.clock).observe_all_restores(HERE, began)
    look_at_a_slot(desk)
    desk.log().observe_ingested(began - timedelta(days=1))
    found: dict[str, list[str]] = {}
    for one in desk.world.exchanges:
        if one.route in ("graph.query", "logs.query"):
            found.setdefault(one.route, []).append(json.loads(one.request.body)["query"])
    return found


def test_resource_graphs_queries_are_as_its_tables_are(sent: Mapping[str, list[str]]) -> None:
    queries = sent["graph.query"]

    assert len(set(queries)) >= 8
    assert [found for found in zip(queries, faults(queries, GRAPH), strict=True) if found[1]] == []


def test_the_logs_query_is_as_its_table_is(sent: Mapping[str, list[str]]) -> None:
    assert faults(sent["logs.query"], LOG) == [[]]


WRONG = {
    "AddonAzureBackupJob | take 1": "KS204",  # No such table.
    f"{JOBS} JobState =~ 'Failed'": "KS142",  # No such column.
    f"{JOBS} JobStatus =~ 'Failed' | project Vault = ResourceId | where JobStatus != ''": "KS142",
    f"{JOBS} JobStatus > 3": "KS106",  # Types that cannot be compared.
    f"{JOBS} JobStartDateTime >= '2030-01-01'": "KS106",
    f"{JOBS} ingested_at() > now()": "KS211",  # No such function.
}


def test_a_query_that_is_wrong_is_caught() -> None:
    found = faults(list(WRONG), LOG)

    assert [[one.split()[0] for one in some] for some in found] == [
        [code] for code in WRONG.values()
    ]
