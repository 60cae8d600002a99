"""A stage with a mail service and a workspace: what goes wrong with backups, and who is told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from azsim.email import Service
from azsim.email_outbox import Mail
from azsim.log_analytics import Workspace
from azsim.vaults import Vault
from tests.scenario.stage import GROUP, SUB, WEST, Stage
from vmbackup_cli.simulated import ENVIRONMENT
from vmbackup_core.domain.telling.incidents import Incident

CODE = "UserErrorGuestAgentStatusUnavailable"
SENDER = "DoNotReply@contoso.example"
OPS, TEAM, CHIEF = "ops@contoso.example", "team@contoso.example", "chief@contoso.example"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TOML = f"""
[scope]
subscriptions = ["{SUB}"]

[[rules]]
tag = "*"
policy = "DefaultPolicy"

[policies.DefaultPolicy]
schedule = "daily at 22:00"
keep = {{ daily = 30 }}

[vaults]
create = true

[mail]
to = ["{OPS}"]
escalate_to = ["{CHIEF}"]
domains = ["contoso.example"]
gather = "30 minutes"
"""


@dataclass
class MailStage(Stage):
    """
    VMs that are protected already, in one vault whose log is read.

    Looks come every two hours only, to be quick.

    The default policy of azsim's vaults backs up once a day.
    """

    toml: str = TOML
    watched: bool = False
    service: Service = field(init=False)
    vault: Vault = field(init=False)
    workspace: Workspace = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.service = world.email.add_service(SUB, "rg-ops", "acs", "contoso.example")
        self.workspace = world.logs.add_workspace(SUB, "rg-ops", "law")
        self.environment = {
            **ENVIRONMENT,
            "VMBACKUP_SWEEP_SCHEDULE": "0 5 6 * * *",
            "VMBACKUP_JANITOR_SCHEDULE": "0 15 6 * * *",
            "VMBACKUP_WATCH_SCHEDULE": "0 30 */2 * * *",
            "VMBACKUP_DIGEST_SCHEDULE": "0 10 7 * * *",
            "VMBACKUP_MAIL_ENDPOINT": self.service.endpoint,
            "VMBACKUP_MAIL_SENDER": SENDER,
            "VMBACKUP_LOG_WORKSPACES": self.workspace.customer_id,
        }
        super().__post_init__()
        self.vault = self.create_vault()
        world.logs.connect(self.vault, self.workspace, first_push=HOUR)

    def begin(self) -> None:
        super().begin()
        if len(self.lives) == 1 and self.host is not None:
            self.world.events.subscribe(
                "delivery",
                topic=self.service.topic,
                endpoint=self.host.event_grid("delivery_reports"),
            )

    def protect(self, name: str = "web", **tags: str) -> str:
        """Create a VM and protect it."""
        made = self.world.machines.create(
            subscription=SUB, group=GROUP, name=name, location=WEST, tags={"backup": "gold", **tags}
        )
        self.world.vaults.protect(made.id, self.vault)
        return made.id

    def nights(self, count: float = 1) -> None:
        self.run(count * DAY)

    # What was told.

    @property
    def mails(self) -> list[Mail]:
        """Return the mails about incidents, oldest first: no digests."""
        return [one for one in self.world.email.outbox if not _is_digest(one)]

    @property
    def digests(self) -> list[Mail]:
        return [one for one in self.world.email.outbox if _is_digest(one)]

    @property
    def subjects(self) -> list[str]:
        return [subject_of(one) for one in self.mails]

    @property
    def marks(self) -> list[str]:
        """Return what each mail says first: that something began, lasts or is over."""
        return [subject.partition(":")[0] for subject in self.subjects]

    @property
    def incidents(self) -> tuple[Incident, ...]:
        mails = self.app.mails()
        assert mails is not None
        return mails.book.read().incidents

    def calls_since(self, when: datetime) -> list[str]:
        """Return the app's calls of Azure, its own storage apart."""
        return [
            one.route
            for one in self.ours
            if one.at >= when and ".core.windows.net" not in one.request.host
        ]


def subject_of(mail: Mail) -> str:
    return str(mail.body["content"]["subject"])


def _is_digest(mail: Mail) -> bool:
    subject = subject_of(mail)
    return subject.startswith(("vmbackup is alive", "Backups of"))
