"""
Put together what finds troubles and tells of them: the part of bootstrap that is loaded only then.

So an app that only protects starts as fast as if there were none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.backup_estate import AzureBackupEstate
from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.job_log import AzureJobLog
from vmbackup_core.adapters.mailer import AzureMailer
from vmbackup_core.app.drill.restore_tests import RestoreTests
from vmbackup_core.app.evidence import EvidenceLog
from vmbackup_core.app.intake import Intake
from vmbackup_core.app.sweep import Sweep
from vmbackup_core.app.telling.delivery import Delivery
from vmbackup_core.app.telling.digesting import Digesting
from vmbackup_core.app.telling.drill_news import DrillNews
from vmbackup_core.app.telling.incident_book import IncidentBook
from vmbackup_core.app.telling.mails import Mails
from vmbackup_core.app.telling.paying import Teller
from vmbackup_core.app.telling.postbox import Postbox
from vmbackup_core.app.telling.watch import Watch
from vmbackup_core.app.upkeep import Upkeep
from vmbackup_core.domain.drill.history import Histories
from vmbackup_core.domain.schedules import DAY
from vmbackup_core.domain.telling.mail_rules import MailRules
from vmbackup_core.domain.telling.postage import budget_of
from vmbackup_core.ports import Blobs, Clock, Journal
from vmbackup_core.settings import Settings

PROVEN_BACK = 90 * DAY  # So far back is looked for proofs of restores.


@dataclass(frozen=True, slots=True)
class Parts:
    """What mails share with the rest of the app; `credential` is the protector's."""

    settings: Settings
    mail: MailRules
    reader: Arm
    reader_credential: Any
    credential: Any
    transport: Any
    state: Blobs
    evidence: EvidenceLog
    sweep: Sweep
    intake: Intake
    upkeep: Upkeep
    journal: Journal
    clock: Clock
    restore_tests: Callable[[], RestoreTests]


def put_together(parts: Parts) -> Mails:
    """Return what finds and tells, for these parts; opens nothing."""
    clock, journal, mail = parts.clock, parts.journal, parts.mail
    deployment = parts.settings.deployment
    book = IncidentBook(parts.state)
    sender = deployment.mail_sender
    postbox = Postbox(parts.state, _mailer(parts), budget_of(sender), clock, journal)
    watch = Watch(
        estate=AzureBackupEstate(parts.reader, clock),
        log=_log(parts),
        book=book,
        clock=clock,
        journal=journal,
        rules=parts.settings.rules,
        mail=mail,
        drills=DrillNews(parts.evidence, clock, lambda: parts.restore_tests().slots.quarantined()),
    )

    def histories() -> Histories | None:
        if parts.settings.drills is None:
            return None
        return parts.restore_tests().records.histories(PROVEN_BACK, keep=False)

    def quarantined() -> tuple[str, ...]:
        return tuple(str(lease.slot) for lease in parts.restore_tests().slots.quarantined())

    teller = Teller(book, postbox, clock, mail, deployment.endpoints.portal, histories)
    digesting = Digesting(
        book=book,
        teller=teller,
        postbox=postbox,
        sweep=parts.sweep,
        evidence=parts.evidence,
        blobs=parts.state,
        clock=clock,
        mail=mail,
        quarantined=quarantined,
        standing=parts.upkeep.standing,
    )
    delivery = Delivery(parts.intake, teller, postbox, mail.routing, clock, journal)
    return Mails(watch, teller, digesting, delivery, book, postbox)


def _log(parts: Parts) -> AzureJobLog | None:
    deployment = parts.settings.deployment
    if not deployment.log_workspaces:
        return None
    cloud = deployment.endpoints
    arm = _service(parts, cloud.logs, cloud.logs_scope, parts.reader_credential, Identity.READER)
    return AzureJobLog(arm, deployment.log_workspaces)


def _mailer(parts: Parts) -> AzureMailer | None:
    deployment = parts.settings.deployment
    if not deployment.mail_endpoint:
        return None
    service = _service(
        parts,
        deployment.mail_endpoint,
        deployment.endpoints.mail_scope,
        parts.credential,
        Identity.PROTECTOR,
    )
    return AzureMailer(service, deployment.mail_sender, parts.clock)


def _service(parts: Parts, url: str, scope: str, credential: Any, identity: Identity) -> Arm:
    mails = identity is Identity.PROTECTOR
    return Arm(
        endpoint=url,
        scope=scope,
        credential=credential,
        clock=parts.clock,
        transport=parts.transport,
        identity=identity,
        host=Host.EMAIL if mails else Host.LOGS,
        sender=parts.settings.deployment.mail_sender if mails else "",
    )
