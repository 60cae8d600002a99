"""`vmbackup simulate`: serve a simulated Azure over HTTPS, for our commands or any other client."""

import json
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.words import number

HELP = """
Serve a simulated Azure over HTTPS on this machine, until Ctrl-C.

Prints the variables that make vmbackup, and any program built on azure-identity, talk to it; for
vmbackup also a configuration and an empty state of its own. Time begins now and runs SCALE times
as fast as the wall's; with another scale than 1, times that a client names are not Azure's.

Examples:

  vmbackup simulate --vms 200 --seed 7

  vmbackup simulate --vms 2000 --ready-file ready.json --port 8443
"""
_BEFORE = timedelta(days=3)  # How long the estate has existed: backups have been made.

CONFIGURATION = """\
# The configuration of a simulated estate (vmbackup simulate).
[scope]
subscriptions = {subscriptions}
mode = "protect"

[tags]
policy = "backup"

[[rules]]
tag = "gold"
policy = "gold"

[[rules]]
tag = "standard"
policy = "standard"

[policies.gold]
kind = "enhanced"
schedule = "every 4 hours from 06:00 for 12 hours"
snapshots = "7 days"
keep = {{ daily = 30 }}

[policies.standard]
schedule = "daily at 22:00"
keep = {{ daily = 30 }}

[vaults]
create = true

[drills]
per_night = 20

[[drills.tiers]]
name = "gold"
tag = "gold"
max_age = "30 days"

[[drills.tiers]]
name = "rest"
max_age = "90 days"
"""


def simulate(
    ctx: typer.Context,
    vms: Annotated[int, typer.Option(min=0, help="How many VMs there are.")] = 40,
    seed: Annotated[int, typer.Option(help="The same seed gives the same estate.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the connection as JSON when ready.")
    ] = None,
    scale: Annotated[
        float, typer.Option(min=0.001, max=100_000, help="Simulated seconds to a real one.")
    ] = 1.0,
) -> Exit:
    from azsim.server import exports, serve

    desk: Desk = ctx.obj
    with _until_told() as told, tempfile.TemporaryDirectory(prefix="vmbackup-") as home:
        with desk.err.status(f"Founding an estate of {number(vms, 'VM')} …"):
            world = _world(vms, seed, scale)
        try:
            running = serve(world, port, rebirth=lambda: _world(vms, seed, scale))
        except OSError as error:
            raise Misused(f"cannot listen on port {port}: {error.strerror}") from None
        with running:
            ready = _ready(running.describe(), Path(home))
            if ready_file is not None:
                _write(ready_file, ready)
            desk.out.file.write(exports(ready["env"]) + "\n")
            desk.out.file.flush()
            desk.tell(
                f"A simulated Azure with {number(vms, 'VM')} in"
                f" {number(len(ready['subscriptions']), 'subscription')} listens at"
                f" {ready['arm_endpoint']}.",
                "Paste the lines above into another shell, then try `vmbackup plan`."
                " Ctrl-C ends it.",
            )
            told.wait()
    desk.tell("Ended.")
    return Exit.FINE


def _world(vms: int, seed: int, scale: float) -> Any:
    """Return a world whose estate has existed for some days, at the present time."""
    from azsim.clock import ScaledClock
    from azsim.estate import found_estate
    from azsim.world import World
    from vmbackup_core.adapters.clock import SystemClock

    clock = ScaledClock(SystemClock().now() - _BEFORE, scale=scale)
    world = World(seed=seed, clock=clock)
    found_estate(world, vms, seed)
    clock.skip(_BEFORE)
    return world


def _ready(described: Mapping[str, Any], home: Path) -> dict[str, Any]:
    """Return what a client needs, with a configuration and a state for our own commands."""
    config = home / "vmbackup.toml"
    subscriptions = json.dumps(described["subscriptions"])
    config.write_text(CONFIGURATION.format(subscriptions=subscriptions), encoding="utf-8")
    ours = {
        "VMBACKUP_CONFIG": str(config),
        "VMBACKUP_STATE_DIR": str(home / "state"),
        "VMBACKUP_ARM_ENDPOINT": described["arm_endpoint"],
    }
    return {**described, "config": str(config), "env": {**described["env"], **ours}}


def _write(path: Path, ready: Mapping[str, Any]) -> None:
    """Write the file whole or not at all: whoever waits for it reads it at once."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(ready, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise Misused(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def _until_told() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set."""
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {one: signal.signal(one, tell) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
