"""The adapters on a simulated Azure, as one reader and one protector have them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from azsim.transport import SimTransport
from azsim.world import World
from tests.credentials import StaticCredential
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.deed_forms import Identity
from vmbackup_core.adapters.inventory import AzureInventory
from vmbackup_core.adapters.restores import AzureRestores
from vmbackup_core.adapters.vaults import AzureJobs, AzureVaults
from vmbackup_core.domain.ids import VaultId, VmId

ENDPOINT = "https://management.azure.com"
SUB = "11111111-2222-4333-8444-555555555555"
WEST = "westeurope"
WEB = VmId(SUB, "rg-app", "web")
VAULT = VaultId(SUB, "rg-backup", "rsv-1")
A_WHILE = timedelta(minutes=5)


@dataclass
class WorldClock:
    """The world's clock as the core sees it; `paused` adds up what was waited for quotas."""

    world: World
    paused: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return self.world.clock.now()

    def pause(self, duration: timedelta) -> None:
        self.paused += duration
        self.world.clock.advance(duration)


class Desk:
    """A world with one subscription, and all adapters over it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = WorldClock(world)
        world.graph.lag = timedelta(0)
        world.groups.add_subscription(SUB)
        world.groups.create(SUB, VAULT.group, WEST)
        reader, protector = self.arm(Identity.READER), self.arm(Identity.PROTECTOR)
        self.inventory = AzureInventory(reader, self.clock)
        self.vaults = AzureVaults(reader, protector)
        self.jobs = AzureJobs(reader, self.clock)
        self.restores = AzureRestores(reader)

    def arm(self, identity: Identity) -> Arm:
        return Arm(
            endpoint=ENDPOINT,
            scope=f"{ENDPOINT}/.default",
            credential=StaticCredential(identity),
            clock=self.clock,
            transport=SimTransport(self.world),
            identity=identity,
        )

    def calls(self) -> list[str]:
        """Return the names of the routes that were called so far."""
        return [exchange.route for exchange in self.world.exchanges]

    def wait(self, span: timedelta = A_WHILE) -> None:
        self.world.clock.advance(span)

    def later(self, **span: float) -> None:
        self.world.clock.advance(timedelta(**span))
