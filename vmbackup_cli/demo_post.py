"""The demo's mail service, the workspace for its vaults' logs, and how often its timers fire."""

from collections.abc import Mapping
from dataclasses import dataclass

from azsim.email import Service
from azsim.host import Host
from azsim.log_analytics import Workspace
from azsim.world import World
from vmbackup_cli.simulated import ENVIRONMENT

DOMAIN = "contoso.example"
ERP_TEAM, JANE = f"erp-team@{DOMAIN}", f"jane@{DOMAIN}"  # Owners, named by tags.
_GROUP = "rg-operations"
# Looks and digests once an hour by day and in the night, not every ten minutes: to be quick.
_HOURLY = {"VMBACKUP_WATCH_SCHEDULE": "0 0 * * * *", "VMBACKUP_DIGEST_SCHEDULE": "0 1 * * * *"}
_SLOW = {
    "VMBACKUP_WATCH_SCHEDULE": "0 0 */2 * * *",
    "VMBACKUP_DIGEST_SCHEDULE": "0 1 7 * * *",
    "VMBACKUP_SWEEP_SCHEDULE": "0 5 6 * * *",
    "VMBACKUP_JANITOR_SCHEDULE": "0 15 6 * * *",
    "VMBACKUP_DRILL_SCHEDULE": "0 0 0 1 1 *",  # Restore tests have had their night.
}
RHYTHM = "a look every two hours, a sweep a day, no restore tests"  # As _SLOW has it.


@dataclass(frozen=True, slots=True)
class Post:
    """The company's mail service, and where its vaults write their logs."""

    service: Service
    workspace: Workspace

    @property
    def environment(self) -> Mapping[str, str]:
        """The app's settings by day and in the night."""
        return {
            **ENVIRONMENT,
            **_HOURLY,
            "VMBACKUP_MAIL_ENDPOINT": self.service.endpoint,
            "VMBACKUP_MAIL_SENDER": f"DoNotReply@{DOMAIN}",
            "VMBACKUP_LOG_WORKSPACES": self.workspace.customer_id,
        }

    @property
    def slow_environment(self) -> Mapping[str, str]:
        """The same with timers that fire less often, for a week."""
        return {**self.environment, **_SLOW}

    def report_to(self, world: World, host: Host) -> None:
        """Let the service report to the app what becomes of each mail, as a deployment does."""
        endpoint = host.event_grid("delivery_reports")
        world.events.subscribe("vmbackup-mails", topic=self.service.topic, endpoint=endpoint)


def open_post(world: World, subscription: str) -> Post:
    """Set up the mail service and the workspace in `subscription`."""
    service = world.email.add_service(subscription, _GROUP, "acs-contoso", DOMAIN)
    return Post(service, world.logs.add_workspace(subscription, _GROUP, "log-contoso"))


def connect_logs(world: World, post: Post, subscription: str) -> None:
    """Let the vaults of `subscription` that do not yet write their log into the workspace."""
    for vault in world.vaults.in_subscription(subscription):
        if not world.logs.settings_of(vault):
            world.logs.connect(vault, post.workspace)
