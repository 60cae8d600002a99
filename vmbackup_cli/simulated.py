"""The app on a simulated Azure in this process: real clients, no socket, the world's own time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken

from azsim.host import DurableStorage, Host, HostFaults
from azsim.networks import Network, Subnet
from azsim.transport import SimTransport
from azsim.world import World
from vmbackup_core import bootstrap
from vmbackup_core.domain.drill.slots import NETWORK, Place, Slot
from vmbackup_core.ports import Clock, Journal
from vmbackup_core.settings import load

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "stvmbackup"
CLIENT = "vmbackup"
ENVIRONMENT = {
    "VMBACKUP_STORAGE_ACCOUNT": ACCOUNT,
    "VMBACKUP_SWEEP_SCHEDULE": "0 */30 * * * *",
    "VMBACKUP_DRILL_SCHEDULE": "0 0 1 * * *",
    "VMBACKUP_JANITOR_SCHEDULE": "0 */15 * * * *",
    "VMBACKUP_WATCH_SCHEDULE": "0 */10 * * * *",
    "VMBACKUP_DIGEST_SCHEDULE": "30 */15 * * * *",
    "VMBACKUP_HOUSEKEEPING_SCHEDULE": "0 20 3 * * *",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
}
WATCHED = (
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Compute/virtualMachines/delete",
    "Microsoft.Resources/tags/write",
)
# A slot's security group lets nothing in and nothing out, the network's own addresses included.
SHUT: tuple[Mapping[str, Any], ...] = tuple(
    {
        "name": f"deny-{direction.lower()}",
        "priority": 4096,
        "direction": direction,
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    }
    for direction in ("Inbound", "Outbound")
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
    environment: Mapping[str, str] = ENVIRONMENT,
    clock: Clock | None = None,
) -> bootstrap.App:
    """
    Return the app for the configuration `toml`, with its storage account made in `world`.

    Its clock is the world's, unless it is given another one.
    """
    world.storage.ensure_account(ACCOUNT)
    return bootstrap.build(
        load(toml, environment, source=source),
        clock=clock or WorldClock(world),
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
    environment: Mapping[str, str] = ENVIRONMENT,
) -> Host:
    """Return a Functions host that has loaded function_app.py; use it as a context manager."""
    return Host(
        ROOT, world.clock, environment=environment, seed=seed, faults=faults, durable=durable
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


def found_place(
    world: World,
    place: Place,
    slots: int = 1,
    *,
    rules: tuple[Mapping[str, Any], ...] = SHUT,
    staging: str = "",
) -> Network:
    """
    Make a place of restore tests as a deployment does: slots, their network, a guard for each.

    `staging` names the storage account for what restores leave beside the disks; "" makes none.
    """
    subnets = []
    for number in range(1, slots + 1):
        slot = Slot(place, number)
        world.groups.ensure(place.subscription, slot.group, place.location)
        guard = world.networks.parts.security_group(
            place.subscription, place.group, guard_name(slot), place.location, rules
        )
        model = {"networkSecurityGroup": {"id": guard.id}, "defaultOutboundAccess": False}
        subnets.append(Subnet(f"slot-{number}", f"10.255.{number}.0/28", model))
    if staging:
        world.storage_accounts.create(place.subscription, place.group, staging, place.location)
    return world.networks.create(
        place.subscription,
        place.group,
        NETWORK,
        place.location,
        prefixes=("10.255.0.0/16",),
        subnets=subnets,
    )


def guard_name(slot: Slot) -> str:
    """Return the name of the security group that shuts a slot's subnet."""
    return f"slot-{slot.number}"
