"""
Put the app together: the only module that knows both the use cases and the adapters.

`build` makes an App from settings; `current_app` makes one from the environment at the first call
and follows the configuration from then on; `use` hands one in, for tests and the demo. Importing
this module loads no SDK.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmbackup_core.app.approvals import Approvals
from vmbackup_core.app.brakes import Brakes, Limits
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.following import Follower
from vmbackup_core.app.intake import Intake
from vmbackup_core.app.looking import Looker
from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.protect import ProtectVm
from vmbackup_core.app.recalling import Recalling
from vmbackup_core.app.records import Records
from vmbackup_core.app.sending import Sender
from vmbackup_core.app.shelf import Shelf
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.app.sweep import Sweep
from vmbackup_core.app.upkeep import Upkeep
from vmbackup_core.app.workflows import Workflows
from vmbackup_core.domain.protection import Rulebook
from vmbackup_core.ports import Blobs, Clock, Inventory, Journal, Rows
from vmbackup_core.settings import (
    Deployment,
    Settings,
    asks_for_keys,
    load,
    read_deployment,
    system_environment,
)

if TYPE_CHECKING:
    from vmbackup_core.app.drill.planning import Drilling
    from vmbackup_core.app.drill.restore_tests import RestoreTests
    from vmbackup_core.app.telling.mails import Mails

REREAD = timedelta(seconds=60)  # How often a configuration in a blob is asked for its ETag.


@dataclass(frozen=True, slots=True)
class App:
    """Everything that a trigger or a command calls; restore tests are built at the first call."""

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
    upkeep: Upkeep
    deadletters: Blobs | None
    restore_tests: "Callable[[], RestoreTests]"
    mails: "Callable[[], Mails | None]"  # None where no [mail] is configured.

    @property
    def drilling(self) -> "Drilling | None":
        """What plans restore tests, None where no drill plan is configured."""
        if self.settings.drills is None:
            return None
        planning = self.restore_tests().planning
        return planning.drilling if planning else None


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
    from vmbackup_core.adapters.deed_forms import Identity
    from vmbackup_core.adapters.inventory import AzureInventory
    from vmbackup_core.adapters.journal import LogJournal
    from vmbackup_core.adapters.vaults import AzureJobs, AzureVaults

    clock, journal = clock or SystemClock(), journal or LogJournal()
    deployment = settings.deployment

    def arm(client_id: str, identity: Identity) -> Arm:
        return Arm(
            endpoint=deployment.arm_endpoint,
            scope=deployment.endpoints.arm_scope,
            credential=credential or _credential(deployment, client_id),
            clock=clock,
            transport=transport,
            identity=identity,
        )

    reader = arm(deployment.reader_client_id, Identity.READER)
    protector = arm(deployment.protector_client_id, Identity.PROTECTOR)
    rows, state, evidence_blobs, deadletters = _state(deployment, clock, transport, credential)
    book = Rulebook(settings.rules, {p.name: p for p in settings.policies}, settings.vaults)
    inventory = AzureInventory(reader, clock)
    vaults, jobs = AzureVaults(reader, protector), AzureJobs(reader, clock)
    notebook = Notebook(rows, clock)
    shelf = Shelf(Snapshots(state, clock), vaults, jobs, clock)
    looker = Looker(vaults, shelf, notebook, clock, book)
    approvals = Approvals(state, clock)
    evidence = EvidenceLog(evidence_blobs, clock)
    limits = Limits(
        changes_per_hour=settings.limits.changes_per_hour,
        enables_per_hour=settings.limits.enables_per_hour,
        configures_per_day=settings.limits.configures_per_vault_per_day,
        agent_wait=settings.protect.agent_wait,
    )
    brakes = Brakes(settings.rules.scope, limits, notebook, approvals, clock)
    protect = ProtectVm(
        inventory=inventory,
        looker=looker,
        jobs=jobs,
        shelf=shelf,
        notebook=notebook,
        brakes=brakes,
        sender=Sender(vaults),
        records=Records(notebook, evidence, journal, clock, settings.digest),
        journal=journal,
        clock=clock,
        book=book,
    )
    sweep = Sweep(
        inventory=inventory,
        notebook=notebook,
        approvals=approvals,
        recalling=Recalling(evidence, notebook, state, journal),
        evidence=evidence,
        journal=journal,
        blobs=state,
        clock=clock,
        book=book,
        max_shrink=settings.limits.max_shrink / 100,
        config_digest=settings.digest,
    )

    def restore_tests() -> "RestoreTests":
        from vmbackup_core.bootstrap_drills import Parts, put_together

        client_id = deployment.restorer_client_id
        parts = Parts(
            settings=settings,
            reader=reader,
            restorer=arm(client_id, Identity.RESTORER),
            credential=credential or _credential(deployment, client_id),
            transport=transport,
            rows=rows,
            state=state,
            evidence=evidence,
            notebook=notebook,
            inventory=inventory,
            vaults=vaults,
            journal=journal,
            clock=clock,
        )
        return put_together(parts)

    tests = cache(restore_tests)
    intake = Intake(notebook, state, journal, clock, settings.rules.scope)
    place = deployment.site or "local"
    upkeep = Upkeep(state, journal, clock, deployment.keep_workflows, place)

    def mails() -> "Mails | None":
        if settings.mail is None:
            return None
        from vmbackup_core.bootstrap_mails import Parts, put_together

        parts = Parts(
            settings=settings,
            mail=settings.mail,
            reader=reader,
            reader_credential=credential or _credential(deployment, deployment.reader_client_id),
            credential=credential or _credential(deployment, deployment.protector_client_id),
            transport=transport,
            state=state,
            evidence=evidence,
            sweep=sweep,
            intake=intake,
            upkeep=upkeep,
            journal=journal,
            clock=clock,
            restore_tests=tests,
        )
        return put_together(parts)

    return App(
        settings=settings,
        clock=clock,
        book=book,
        inventory=inventory,
        intake=intake,
        sweep=sweep,
        looker=looker,
        protect=protect,
        workflows=Workflows(protect, tests, clock),
        notebook=notebook,
        approvals=approvals,
        evidence=evidence,
        journal=journal,
        upkeep=upkeep,
        deadletters=deadletters,
        restore_tests=tests,
        mails=cache(mails),
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
    """The app of this process: handed in, or following its configuration."""

    handed_in: App | None = None
    follower: Follower[App] | None = None


_current = _Current()


def use(app: App | None) -> None:
    """Hand in the app that `current_app` returns; None goes back to the environment."""
    _current.handed_in, _current.follower = app, None


def current_app() -> App:
    """
    Return the app of this process, built from the environment at the first call.

    A configuration that lies in a blob is followed: a rule change needs no deployment. A newer
    version with faults is reported, and the last good one stays.
    """
    if _current.handed_in is not None:
        return _current.handed_in
    if _current.follower is None:
        _current.follower = follow(system_environment())
    return _current.follower.present()


def takes_keys() -> bool:
    """Tell whether HTTP functions ask for a key; the one thing that listing functions takes."""
    return asks_for_keys(system_environment())


def follow(
    environment: Mapping[str, str],
    *,
    clock: Clock | None = None,
    transport: Any = None,
    credential: Any = None,
) -> Follower[App]:
    """Return what makes the app from `environment` and the configuration that it names."""
    from vmbackup_core.adapters.clock import SystemClock
    from vmbackup_core.adapters.configuration import read_configuration

    deployment = read_deployment(environment)
    where = deployment.config
    in_a_blob = where.startswith("https://")
    identity = credential or (
        _credential(deployment, deployment.reader_client_id) if in_a_blob else None
    )

    def make(content: bytes) -> App:
        settings = load(content, environment, source=where)
        return build(settings, clock=clock, transport=transport, credential=credential)

    return Follower(
        read=lambda etag: read_configuration(where, etag, identity, transport=transport),
        make=make,
        report=lambda app, text: app.journal.note("event", "configuration", text),
        clock=clock or SystemClock(),
        period=REREAD if in_a_blob else None,
    )
