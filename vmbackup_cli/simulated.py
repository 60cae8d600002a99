"""The app on a simulated Azure in this process: real clients, no socket, the world's own time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken

from azsim.host import DurableStorage, Host, HostFaults
from azsim.transport import SimTransport
from azsim.world import World
from vmbackup_core import bootstrap
from vmbackup_core.ports import Journal
from vmbackup_core.settings import load

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "stvmbackup"
CLIENT = "vmbackup"
ENVIRONMENT = {
    "VMBACKUP_STORAGE_ACCOUNT": ACCOUNT,
    "VMBACKUP_SWEEP_SCHEDULE": "0 */30 * * * *",
    "VMBACKUP_DRILL_SCHEDULE": "0 0 1 * * *",
    "VMBACKUP_JANITOR_SCHEDULE": "0 */15 * * * *",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
}
WATCHED = (
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Compute/virtualMachines/delete",
    "Microsoft.Resources/tags/write",
)


class SimCredential:
    """A credential whose token the simulated Azure accepts."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("simulated", 2**31)


@dataclass(frozen=True, slots=True)
class WorldClock:
    """The simulated Azure's clock, as the app wants it."""

    world: World

    def now(self) -> datetime:
        return self.world.clock.now()

    def pause(self, duration: timedelta) -> None:
        self.world.clock.advance(duration)


def build_app(
    world: World,
    toml: str | bytes,
    *,
    source: str = "vmbackup.toml",
    journal: Journal | None = None,
    transport: SimTransport | None = None,
) -> bootstrap.App:
    """Return the app for the configuration `toml`, with its storage account made in `world`."""
    world.storage.ensure_account(ACCOUNT)
    return bootstrap.build(
        load(toml, ENVIRONMENT, source=source),
        clock=WorldClock(world),
        transport=transport or SimTransport(world, client=CLIENT),
        credential=SimCredential(),
        journal=journal,
    )


def start_host(
    world: World,
    *,
    seed: int = 0,
    faults: HostFaults | None = None,
    durable: DurableStorage | None = None,
) -> Host:
    """Return a Functions host that has loaded function_app.py; use it as a context manager."""
    return Host(
        ROOT, world.clock, environment=ENVIRONMENT, seed=seed, faults=faults, durable=durable
    )


def watch(world: World, host: Host, subscriptions: Iterable[str]) -> None:
    """Subscribe the app's Event Grid function to subscriptions' events, as a deployment does."""
    graves = world.storage.ensure_account(ACCOUNT).containers.ensure(
        "deadletters", world.clock.now()
    )
    for number, subscription in enumerate(subscriptions, start=1):
        world.events.subscribe(
            f"vmbackup-{number}",
            subscription=subscription,
            endpoint=host.event_grid("vm_events"),
            included_operations=WATCHED,
            dead_letter=graves,
        )
