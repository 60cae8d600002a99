"""Backup jobs as the log, Resource Graph and a vault tell them, each its own part."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from vmbackup_core.adapters.wire import Json, at, entries, needed, text, time_at
from vmbackup_core.adapters.wire_items import vault_of
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.telling.backup_runs import BackupRun, RunStatus, Source

_CONTAINER = re.compile(r"(?i).*iaasvmcontainerv2;([^;/]+);([^;/]+)")
# A job that did not fail may say so where a failure has its code (a guess; see docs/azsim).
_NO_CODE = frozenset({"", "success", "none"})


def parse_log_row(row: Mapping[str, Json]) -> BackupRun:
    """
    Read a row of AddonAzureBackupJobs, as the query of job_log.py names its columns.

    The VM is the row's data source; where that is gone, its name in the item's unique id tells (of
    which only the end is documented). Raises Malformed for a row that names no VM or no time.
    """
    vault = VaultId.parse(needed(row, "Vault"))
    started = _moment(row, "JobStartDateTime")
    took = at(row, "JobDurationInSecs")
    ended = started + timedelta(seconds=float(took)) if isinstance(took, int | float) else None
    code = text(row, "JobFailureCode").strip()
    status = RunStatus.parse(needed(row, "JobStatus"))
    return BackupRun(
        id=needed(row, "JobUniqueId").lower(),
        vm=_vm_of(text(row, "DatasourceResourceId"), text(row, "BackupItemUniqueId"), vault),
        vault=vault,
        operation=needed(row, "JobOperation"),
        status=status,
        started=started,
        ended=ended,
        code="" if code.lower() in _NO_CODE else code,
        ingested=_moment(row, "Ingested"),
        sources=frozenset({Source.LOG}),
    )


def parse_run(body: Json, source: Source) -> BackupRun:
    """
    Read a job of a vault, or its row of Resource Graph.

    Whether Resource Graph tells of errors is not known; what it tells is taken. A title without
    blanks is the error's name (AZURE: jobs).
    """
    job = at(body, "properties")
    vault = vault_of(needed(body, "id"))
    started = time_at(job, "startTime")
    if started is None:
        raise Malformed(f"a job that never began: {text(body, 'id')}")
    error = next(iter(entries(job, "errorDetails")), None)
    number, title = at(error, "errorCode"), text(error, "errorTitle")
    named = bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9]+", title))
    advice = [line for line in entries(error, "recommendations") if isinstance(line, str)]
    return BackupRun(
        id=needed(body, "name").lower(),
        vm=_vm_of("", text(job, "containerName"), vault),
        vault=vault,
        operation=needed(job, "operation"),
        status=RunStatus.parse(needed(job, "status")),
        started=started,
        ended=time_at(job, "endTime"),
        code=title if named else "",
        number=number if isinstance(number, int) else 0,
        title="" if named else title,
        message=text(error, "errorString"),
        advice=" ".join(advice),
        sources=frozenset({source}),
    )


def _vm_of(resource: str, container: str, vault: VaultId) -> VmId:
    """Return a job's VM: a VM is protected in its own subscription only (AZURE: enabling)."""
    if resource:
        try:
            return VmId.parse(resource)
        except Malformed:
            pass
    if (found := _CONTAINER.fullmatch(container)) is None:
        raise Malformed(f"a job that names no VM: {container!r}")
    return VmId(vault.subscription, found[1].lower(), found[2].lower())


def _moment(row: Mapping[str, Json], name: str) -> datetime:
    if (moment := time_at(row, name)) is None:
        raise Malformed(f"a row of the log without {name}")
    return moment
