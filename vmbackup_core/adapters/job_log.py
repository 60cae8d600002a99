"""
Backup jobs in Log Analytics: the port JobLog, by one query over all workspaces.

A plain POST through the pipeline that ARM has, and through the last gate: azure-monitor-query would
add a client for this one request (docs/adr). The query is a constant; its one parameter is a time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.wire import Json, entries, text
from vmbackup_core.adapters.wire_runs import parse_log_row
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.telling.backup_runs import BackupRun

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "observe_ingested": (
        "Microsoft.OperationalInsights/workspaces/read",
        "Microsoft.OperationalInsights/workspaces/query/read",
        "Microsoft.OperationalInsights/workspaces/query/AddonAzureBackupJobs/read",
    ),
}

# Oldest first: where the answer is cut, what is left out comes with the next question. `IaaSVM` is
# the data model's word for VMs, `AzureIaasVM` that of ARM (AZURE: Log Analytics).
JOBS = (
    "let since = datetime({since});\n"
    "AddonAzureBackupJobs\n"
    "| where ingestion_time() > since\n"
    "| where JobOperation =~ 'Backup' and BackupManagementType in~ ('IaaSVM', 'AzureIaasVM')\n"
    "| project JobUniqueId, JobOperation, JobStatus, JobFailureCode, JobStartDateTime,"
    " JobDurationInSecs, DatasourceResourceId, BackupItemUniqueId, Vault = _ResourceId,"
    " Ingested = ingestion_time()\n"
    "| order by Ingested asc"
)


class AzureJobLog:
    """
    Asks the first of `workspaces` (GUIDs) for all of them together.

    `logs` is a pipeline to the query service of the cloud.
    """

    def __init__(self, logs: Arm, workspaces: tuple[str, ...]) -> None:
        self._logs = logs
        self._workspaces = workspaces

    def observe_ingested(self, since: datetime) -> tuple[BackupRun, ...]:
        first, *others = self._workspaces
        question = {
            "query": JOBS.format(since=f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"),
            **({"workspaces": others} if others else {}),
        }
        url = f"{self._logs.endpoint}/v1/workspaces/{first}/query"
        answer = self._logs.send("POST", url, "asking the log for backups", question).body
        return tuple(run for row in _rows(answer) if (run := _parse(row)) is not None)


def _rows(answer: Json) -> list[dict[str, Json]]:
    tables = [table for table in entries(answer, "tables") if text(table, "name")]
    if not tables:
        raise Malformed("an answer of the log without a table")
    names = [text(column, "name") for column in entries(tables[0], "columns")]
    return [dict(zip(names, row, strict=True)) for row in entries(tables[0], "rows")]


def _parse(row: dict[str, Json]) -> BackupRun | None:
    """Read a row; one odd row must not hide the others."""
    try:
        return parse_log_row(row)
    except Malformed:
        return None
