"""The command line as a person or a script meets it, in an office on a simulated Azure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from azsim.machine import Machine
from azsim.machines import PAST
from azsim.vaults import Vault
from azsim.world import World
from vmbackup_cli.desk import Desk
from vmbackup_cli.main import run
from vmbackup_cli.simulated import build_app
from vmbackup_cli.web import Answer, Fetch
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.errors import Retryable

SUB = "5a0c0000-0000-4000-8000-00000000000a"
WEST = "westeurope"
GROUP = "rg-web"
VAULT = f"rsv-{SUB[:8]}-{WEST}-1"
READS = ("GET", "HEAD")
READING_POSTS = ("graph.query", "backup_status.get")

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
OBSERVING = TOML.replace('"protect"', '"observe"')


def no_app(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """Answer as nobody."""
    raise Retryable(f"{url} does not answer")


def nobody(authority: str) -> Any:
    """Refuse to sign in: no test shall meet whoever is signed in on its machine."""
    raise AssertionError(f"nobody is signed in at {authority}")


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Cli:
    """
    One terminal.

    `answer` is what somebody says to a question (None: nobody is there), `types` what they type in
    unseen; `on_terminal` whether progress may move; `fetch` stands for the deployed app.
    """

    app: App | None = None
    answer: bool | None = None
    types: str = ""
    width: int = 160
    on_terminal: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    fetch: Fetch = no_app
    credential: Callable[[str], Any] = nobody

    def run(self, *arguments: str) -> Ran:
        out, err = StringIO(), StringIO()
        desk = Desk(
            out=Console(file=out, width=self.width, color_system=None),
            err=Console(
                file=err, width=self.width, color_system=None, force_terminal=self.on_terminal
            ),
            confirm=self._confirm,
            secret=self._secret,
            interactive=self.answer is not None,
            app=self._app,
            fetch=self.fetch,
            credential=self.credential,
            environment=self.environment,
        )
        return Ran(run(arguments, desk=desk), out.getvalue(), err.getvalue())

    def _app(self) -> App:
        assert self.app is not None, "this command should need no app"
        return self.app

    def _confirm(self, question: str) -> bool:
        self.questions.append(question)
        return bool(self.answer)

    def _secret(self, question: str) -> str:
        self.questions.append(question)
        return self.types


class Office:
    """A subscription with what a test puts into it, and a command line beside it."""

    def __init__(self, world: World, toml: str = TOML) -> None:
        self.world = world
        world.graph.lag = timedelta()
        world.groups.add_subscription(SUB)
        world.groups.create(SUB, GROUP, WEST)
        self.configure(toml)

    def configure(self, toml: str) -> None:
        self.app = build_app(self.world, toml)

    def change(self, **parts: Any) -> None:
        """Put other parts into the app."""
        self.app = replace(self.app, **parts)

    def run(self, *arguments: str, **terminal: Any) -> Ran:
        return Cli(self.app, **terminal).run(*arguments)

    def vm(
        self, name: str = "web", tag: str | None = "gold", group: str = GROUP, **more: Any
    ) -> Machine:
        tags = {} if tag is None else {"backup": tag}
        place = {"subscription": SUB, "group": group, "location": WEST}
        return self.world.machines.create(name=name, tags=tags, created_by=PAST, **place, **more)

    def vault(self, name: str = VAULT) -> Vault:
        return self.world.vaults.create(SUB, "rg-backup-westeurope", name, WEST)

    def protected(self, name: str = "web", tag: str | None = "gold") -> Machine:
        """Bring a VM that vmbackup has protected itself."""
        machine = self.vm(name, tag)
        assert self.run("protect", machine.id, "--yes").code == 0
        return machine

    def policy_of(self, machine: Machine) -> str:
        """Return the policy by which Azure backs a VM up, "" where it does not."""
        owner = self.world.vaults.item_of(machine.id)
        return owner[1].policy if owner and not owner[1].is_soft_deleted else ""

    def writes(self) -> list[str]:
        """Return every call that could have changed anything, in ARM or in storage."""
        return [
            f"{e.request.method} {e.request.path}"
            for e in self.world.exchanges
            if e.request.method not in READS and e.route not in READING_POSTS
        ]

    def arm_writes(self) -> list[str]:
        """Return the calls that could have changed anything but our own ledger."""
        return [
            f"{e.request.method} {e.request.path}"
            for e in self.world.exchanges
            if e.request.method not in READS
            and e.route not in READING_POSTS
            and ".core.windows.net" not in e.request.host
        ]

    def copy_evidence(self, folder: Path) -> Path:
        """Copy the evidence out of storage, as somebody who wants to check it would."""
        blobs = self.app.evidence.blobs
        for name in blobs.names(""):
            blob = blobs.read(name)
            assert blob is not None
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(blob.content)
        return folder
