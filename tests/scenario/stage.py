"""
A stage for scenarios: the app behind its real triggers, on a simulated Azure, in virtual time.

Everything is as in production but for Azure and the host: function_app.py in the real worker
library, the real SDK clients, the real Durable SDK.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from azsim.host import DurableStorage, Host, HostFaults, InvocationStatus
from azsim.machine import Machine
from azsim.recovery.items import Item
from azsim.recovery.jobs import JobOperation
from azsim.transport import SimTransport
from azsim.vaults import Vault
from azsim.world import Exchange, World
from vmbackup_cli.simulated import CLIENT, ENVIRONMENT, build_app, start_host, watch
from vmbackup_core import bootstrap
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.verdicts import Verdict

SUB = "5a0c0000-0000-4000-8000-00000000000a"
WEST = "westeurope"
GROUP = "rg-web"
VAULT = f"rsv-{SUB[:8]}-{WEST}-1"
VAULT_GROUP = "rg-backup-westeurope"
SWEEP = timedelta(minutes=30)

TOML = f"""
[scope]
subscriptions = ["{SUB}"]
mode = "protect"

[[rules]]
tag = "gold"
policy = "gold"

[[rules]]
tag = "*"
policy = "standard"

[policies.gold]
kind = "enhanced"
schedule = "every 4 hours from 06:00 for 12 hours"
keep = {{ daily = 30 }}

[policies.standard]
schedule = "daily at 22:00"
keep = {{ daily = 14 }}

[vaults]
create = true
"""

WRITES = ("PUT", "POST", "PATCH", "DELETE", "MERGE")
READ_ACTIONS = ("backup_status.get", "graph.query", "prevalidate.post")


class Journal:
    """Keeps the decisions, so that a failing test can show them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lines: list[str] = []

    def note(
        self, kind: str, key: str, text: str, *, vm: VmId | None = None, **more: object
    ) -> None:
        at = self.world.clock.now()
        self.lines.append(f"{at:%H:%M:%S} {kind:9}{vm.name if vm else key:16} {text}")


@dataclass
class Stage:
    world: World
    toml: str = TOML
    watched: bool = True
    faults: HostFaults = field(default_factory=HostFaults)
    durable: DurableStorage = field(default_factory=DurableStorage)
    transport: SimTransport | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)

    def __post_init__(self) -> None:
        self.world.groups.add_subscription(SUB)
        self.world.groups.create(SUB, GROUP, WEST)
        self.journal = Journal(self.world)
        self.app = self.build()
        self.host: Host | None = None
        self.lives: list[Host] = []

    def build(self) -> bootstrap.App:
        return build_app(
            self.world,
            self.toml,
            journal=self.journal,
            transport=self.transport,
            environment=self.environment,
        )

    def begin(self) -> None:
        """Start a life of the function host: the first one, or the next after a crash."""
        bootstrap.use(self.app)
        self.host = start_host(
            self.world, faults=self.faults, durable=self.durable, environment=self.environment
        )
        self.lives.append(self.host)
        if self.watched and len(self.lives) == 1:
            watch(self.world, self.host, [SUB])

    def configure(self, toml: str) -> None:
        """Let the app go on with another configuration."""
        self.toml = toml
        self.app = self.build()
        bootstrap.use(self.app)

    # What happens.

    def create_vm(self, name: str = "web", *, tag: str | None = "gold", **more: object) -> Machine:
        tags = {} if tag is None else {"backup": tag}
        options = {"agent_after": timedelta(0), "location": WEST, "group": GROUP, **more}
        return self.world.machines.create(subscription=SUB, name=name, tags=tags, **options)

    def create_vault(self, name: str = VAULT, group: str = VAULT_GROUP) -> Vault:
        self.world.groups.ensure(SUB, group, WEST)
        return self.world.vaults.create(SUB, group, name, WEST)

    def run(self, span: timedelta) -> None:
        assert self.host is not None
        self.host.run_for(span)

    def sweep(self) -> None:
        """Run until the next sweep has done its work."""
        self.run(SWEEP)

    # What is there.

    def id(self, name: str = "web", group: str = GROUP) -> str:
        path = f"/subscriptions/{SUB}/resourceGroups/{group}/providers"
        return f"{path}/Microsoft.Compute/virtualMachines/{name}"

    def item(self, name: str = "web") -> Item | None:
        """Return the protected item of a VM as Azure has it."""
        found = self.world.vaults.item_of(self.id(name))
        return found[1] if found else None

    def vault_of(self, name: str = "web") -> str:
        found = self.world.vaults.item_of(self.id(name))
        return found[0].name if found else ""

    def policy_of(self, name: str = "web") -> str:
        item = self.item(name)
        return "" if item is None or item.is_soft_deleted else item.policy

    def verdict(self, name: str = "web") -> Verdict:
        """Return what a survey of now says of a VM."""
        verdicts = self.app.sweep.survey().verdicts
        return next(v for v in verdicts if v.name == name)

    def reason(self, name: str = "web") -> str:
        return self.verdict(name).reason.name

    def ended(self, name: str = "web") -> str:
        """Return the reason with which the last workflow left a VM."""
        memory = self.app.notebook.memory(VmId.parse(self.id(name)))
        return memory.reason.name if memory.reason else ""

    # What was sent.

    @property
    def ours(self) -> list[Exchange]:
        """Return the calls of the app, in order."""
        return [e for e in self.world.exchanges if e.request.client == CLIENT]

    def arm_calls(self, since: datetime | None = None) -> Counter[str]:
        """Count the app's ARM calls by route."""
        return Counter(
            e.route
            for e in self.ours
            if ".core.windows.net" not in e.request.host and (since is None or e.at >= since)
        )

    def arm_writes(self) -> list[str]:
        """Return the routes of the app's calls that could change something in Azure."""
        return [
            e.route
            for e in self.ours
            if e.request.method in WRITES
            and e.route not in READ_ACTIONS
            and ".core.windows.net" not in e.request.host
        ]

    def effective_enables(self, name: str = "web") -> int:
        """Return how often Azure itself configured a VM's protection: its jobs tell."""
        return sum(
            job.operation is JobOperation.CONFIGURE and job.entity == name and job.failure is None
            for vault in self.world.vaults.in_subscription(SUB)
            for job in vault.book.jobs.values()
        )

    def failures(self) -> list[str]:
        """Return what failed inside the function host."""
        return [
            f"{i.function}: {i.exception}"
            for host in self.lives
            for i in host.invocations
            if i.status is InvocationStatus.FAILED
        ]


@contextmanager
def opened(stage: Stage) -> Iterator[Stage]:
    """Open the stage, and leave the process as it was."""
    stage.begin()
    try:
        yield stage
    finally:
        for host in stage.lives:
            host.close()
        bootstrap.use(None)
