"""
`az` as an operator has it: installed from PyPI, logged in to a served world, nothing patched.

It runs in an environment of its own with a configuration folder of its own. What each command costs
in calls is counted by the world.
"""

import json
import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azsim.clock import ScaledClock
from azsim.http import Request
from azsim.server import Running, serve
from azsim.world import World

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".envs/az/bin/python"
SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
REGION = "westeurope"
SCALE = 60.0  # az asks every 5 s or so by its own clock: five minutes here.
_LONGEST = 180.0
_CLOUD = "azsim"


class Refused(AssertionError):
    """az ended with an error; the text is what it told the operator."""


@dataclass
class Az:
    """One operator. Called with a command line he returns what az says, read as JSON."""

    running: Running
    folder: Path
    calls: dict[str, list[int]] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.running.world

    def __call__(self, line: str) -> Any:
        said = self.text(f"{line} --output json")
        return json.loads(said) if said.strip() else None

    def text(self, line: str) -> str:
        """Run one command and return what it prints; raises Refused with what it complains of."""
        before = len(self.world.exchanges)
        ended = subprocess.run(
            [str(PYTHON), "-m", "azure.cli", *shlex.split(line)],
            env=self._env(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        made = [e for e in self.world.exchanges[before:] if e.request.client == "az"]
        self.calls.setdefault(_command(line), []).append(len(made))
        if ended.returncode != 0:
            raise Refused(f"az {line}\n{ended.stderr}")
        return ended.stdout

    def later(self, **span: float) -> None:
        """Let time pass in the world at once."""
        order = json.dumps({"seconds": timedelta(**span).total_seconds()}).encode()
        self.running.answer(Request("POST", "https://localhost/_azsim/clock", body=order))

    def table(self) -> str:
        """Write what each command cost: how often it ran, and the fewest and most calls."""
        rows = ["| command | runs | calls |", "|---|---|---|"]
        for command, costs in sorted(self.calls.items()):
            span = str(min(costs)) if len(set(costs)) == 1 else f"{min(costs)}-{max(costs)}"
            rows.append(f"| `az {command}` | {len(costs)} | {span} |")
        return "\n".join(rows)

    def by_client(self) -> Counter[str]:
        return Counter(exchange.request.client for exchange in self.world.exchanges)

    def _env(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "AZURE_CONFIG_DIR": str(self.folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
            "AZURE_CORE_NO_COLOR": "true",
            "IDENTITY_ENDPOINT": self.running.identity_endpoint,
            "IDENTITY_HEADER": self.running.identity_header,
            "REQUESTS_CA_BUNDLE": str(self.running.ca_bundle),
        }


def _command(line: str) -> str:
    """Return the words of a command without its arguments."""
    words: list[str] = []
    for word in line.split():
        if word.startswith("-"):
            break
        words.append(word)
    return " ".join(words)


@contextmanager
def az_at_work(folder: Path) -> Iterator[Az]:
    """Serve a world with one subscription, and let an operator register it as a cloud."""
    assert PYTHON.exists(), "az is not installed: run sh tools/long_env.sh"
    clock = ScaledClock(datetime(2026, 3, 2, 8, tzinfo=UTC), scale=SCALE)
    world = World(seed=7, clock=clock)
    world.groups.add_subscription(SUBSCRIPTION, name="Shop")
    with serve(world) as running:
        az = Az(running, folder)
        here = running.arm_endpoint
        az.text(
            f"cloud register --name {_CLOUD} --endpoint-resource-manager {here} "
            f"--endpoint-active-directory {here} --endpoint-management {here} "
            "--endpoint-active-directory-resource-id https://management.core.windows.net/ "
            "--endpoint-active-directory-graph-resource-id https://graph.windows.net/"
        )
        az.text(f"cloud set --name {_CLOUD}")
        az.text("login --identity")
        yield az
