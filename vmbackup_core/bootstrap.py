"""
Put the app together: the only module that knows both the use cases and the adapters.

`build` makes an App from settings; `current_app` makes one from the environment at the first call
and follows the configuration from then on; `use` hands one in, for tests and the demo. Importing
this module loads no SDK.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from vmbackup_core.app.approvals import Approvals
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.intake import Intake
from vmbackup_core.app.looking import Looker
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.protect import Limits, ProtectVm
from vmbackup_core.app.records import Records
from vmbackup_core.app.shelf import Shelf
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.app.sweep import Sweep
from vmbackup_core.app.workflows import Workflows
from vmbackup_core.domain.errors import BackupError
from vmbackup_core.domain.protection import Rulebook
from vmbackup_core.ports import Blobs, Clock, Inventory, Journal, Rows
from vmbackup_core.settings import (
    Deployment,
    Settings,
    SettingsError,
    load,
    read_deployment,
    system_environment,
)

REREAD = timedelta(seconds=60)  # How often a configuration in a blob is asked for its ETag.


@dataclass(frozen=True, slots=True)
class App:
    """Everything that a trigger or a command calls."""

    settings: Settings
    clock: Clock
    book: Rulebook
    inventory: Inventory
    intake: Intake
    sweep: Sweep
    looker: Looker
    protect: ProtectVm
    workflows: Workflows
    notebook: Notebook
    approvals: Approvals
    evidence: EvidenceLog
    journal: Journal
    deadletters: Blobs | None


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    transport: Any = None,
    credential: Any = None,
    journal: Journal | None = None,
) -> App:
    """
    Return the app for `settings`.

    `transport` (an azure-core transport) and `credential` replace the real ones in every client;
    `journal` takes the decisions that are logged otherwise.
    """
    from vmbackup_core.adapters.arm import Arm
    from vmbackup_core.adapters.clock import SystemClock
    from vmbackup_core.adapters.inventory import AzureInventory
    from vmbackup_core.adapters.journal import LogJournal
    from vmbackup_core.adapters.vaults import AzureJobs, AzureVaults

    clock, journal = clock or SystemClock(), journal or LogJournal()
    deployment = settings.deployment

    def arm(client_id: str, *, may_write: bool) -> Arm:
        return Arm(
            endpoint=deployment.arm_endpoint,
            scope=deployment.endpoints.arm_scope,
            credential=credential or _credential(deployment, client_id),
            clock=clock,
            transport=transport,
            may_write=may_write,
        )

    reader = arm(deployment.reader_client_id, may_write=False)
    protector = arm(deployment.protector_client_id, may_write=True)
    rows, state, evidence_blobs, deadletters = _state(deployment, clock, transport, credential)
    book = Rulebook(settings.rules, {p.name: p for p in settings.policies}, settings.vaults)
    inventory = AzureInventory(reader, clock)
    vaults, jobs = AzureVaults(reader, protector), AzureJobs(reader, clock)
    notebook = Notebook(rows, clock)
    shelf = Shelf(Snapshots(state, clock), vaults, jobs, clock)
    looker = Looker(vaults, shelf, notebook, clock, book)
    approvals = Approvals(state, clock)
    evidence = EvidenceLog(evidence_blobs, clock)
    protect = ProtectVm(
        inventory=inventory,
        looker=looker,
        vaults=vaults,
        jobs=jobs,
        shelf=shelf,
        notebook=notebook,
        approvals=approvals,
        records=Records(notebook, evidence, journal, clock, settings.digest),
        journal=journal,
        clock=clock,
        book=book,
        limits=Limits(
            changes_per_hour=settings.limits.changes_per_hour,
            enables_per_hour=settings.limits.enables_per_hour,
            configures_per_day=settings.limits.configures_per_vault_per_day,
            agent_wait=settings.protect.agent_wait,
        ),
    )
    sweep = Sweep(
        inventory=inventory,
        notebook=notebook,
        approvals=approvals,
        evidence=evidence,
        journal=journal,
        blobs=state,
        clock=clock,
        book=book,
        max_shrink=settings.limits.max_shrink / 100,
        config_digest=settings.digest,
    )
    return App(
        settings=settings,
        clock=clock,
        book=book,
        inventory=inventory,
        intake=Intake(notebook, state, journal, clock, settings.rules.scope),
        sweep=sweep,
        looker=looker,
        protect=protect,
        workflows=Workflows(protect),
        notebook=notebook,
        approvals=approvals,
        evidence=evidence,
        journal=journal,
        deadletters=deadletters,
    )


def _credential(deployment: Deployment, client_id: str) -> Any:
    from vmbackup_core.adapters.credentials import credential_for

    return credential_for(
        client_id, authority=deployment.endpoints.authority, on_azure=deployment.on_azure
    )


def _state(
    deployment: Deployment, clock: Clock, transport: Any, credential: Any
) -> tuple[Rows, Blobs, Blobs, Blobs | None]:
    """Return ledger, documents, evidence and dead letters: in a directory, or on Azure storage."""
    if deployment.state_dir:
        from vmbackup_core.adapters.blobs_files import FileBlobs
        from vmbackup_core.adapters.rows_files import FileRows

        root = Path(deployment.state_dir)
        state, evidence = FileBlobs(root / "state"), FileBlobs(root / "evidence")
        return FileRows(root / "ledger", clock), state, evidence, None
    from vmbackup_core.adapters.blobs_azure import AzureBlobs
    from vmbackup_core.adapters.rows_tables import TableRows

    identity = credential or _credential(deployment, deployment.protector_client_id)

    def blobs(container: str) -> Blobs:
        return AzureBlobs(deployment.blob_url, container, identity, transport=transport)

    rows = TableRows(deployment.table_url, identity, transport=transport)
    return rows, blobs("state"), blobs("evidence"), blobs("deadletters")


@dataclass(slots=True)
class _Current:
    """The app of this process, and the configuration that it was built from."""

    app: App | None = None
    handed_in: bool = False
    etag: str = ""
    refused: str = ""  # The ETag of a newer configuration that has faults.
    asked_at: datetime | None = None


_current = _Current()


def use(app: App | None) -> None:
    """Hand in the app that `current_app` returns; None goes back to the environment."""
    _current.app, _current.handed_in = app, app is not None
    _current.etag, _current.refused, _current.asked_at = "", "", None


def current_app() -> App:
    """
    Return the app of this process, built from the environment at the first call.

    A configuration that lies in a blob is followed: a rule change needs no deployment. A newer
    version with faults is reported, and the last good one stays.
    """
    if _current.app is not None and (_current.handed_in or not _due(_current.app)):
        return _current.app
    deployment = (
        read_deployment(system_environment())
        if _current.app is None
        else _current.app.settings.deployment
    )
    return _refreshed(deployment, _reader(deployment))


def _due(app: App) -> bool:
    if not app.settings.deployment.config.startswith("https://") or _current.asked_at is None:
        return False
    return app.clock.now() - _current.asked_at >= REREAD


def _reader(deployment: Deployment) -> Callable[[str], tuple[bytes, str] | None]:
    from vmbackup_core.adapters.configuration import read_configuration

    return lambda etag: read_configuration(
        deployment.config, etag, _credential(deployment, deployment.reader_client_id)
    )


def _refreshed(deployment: Deployment, read: Callable[[str], tuple[bytes, str] | None]) -> App:
    """Return the app by the newest good configuration; `read` answers None where it is the same."""
    present = _current.app
    try:
        found = read(_current.refused or _current.etag)
    except BackupError as error:
        if present is None:
            raise
        present.journal.note("event", "configuration", f"unreadable, the last one stays: {error}")
        found = None
    if found is not None:
        content, etag = found
        try:
            settings = load(content, system_environment(), source=deployment.config)
        except SettingsError as error:
            if present is None:
                raise
            _current.refused = etag
            present.journal.note("event", "configuration", f"refused, the last one stays: {error}")
        else:
            present = build(settings)
            _current.app, _current.etag, _current.refused = present, etag, ""
    if present is None:
        raise AssertionError("a first read always finds something")
    _current.asked_at = present.clock.now()
    return present
