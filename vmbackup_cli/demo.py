"""
The demo: the main jobs, for real, on a simulated Azure in virtual time.

function_app.py is loaded by the worker library that production runs; its triggers are fired by a
double of the Functions host; its clients are the real SDKs. Only Azure itself is simulated, and
everything that is shown is read from it or from what the app wrote down.
"""

import json
import logging
import shutil
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from azsim.clock import Clock
from azsim.host import Host, InvocationStatus
from azsim.world import START, World
from vmbackup_cli.demo_company import HISTORY, LABORATORY, PRODUCTION, found_company
from vmbackup_cli.demo_day import Day, play_day
from vmbackup_cli.demo_night import Night, play_night
from vmbackup_cli.demo_view import show_day, show_end, show_night
from vmbackup_cli.simulated import CLIENT, build_app, start_host, watch
from vmbackup_cli.timeline import Timeline
from vmbackup_core import bootstrap

BEFORE = timedelta(minutes=28)  # The app is deployed two minutes before a sweep is due.


def run_demo(out: Path, seed: int, console: Console) -> int:
    """
    Play the demo and leave its traces in `out`, which is emptied first.

    Return 0, or 1 where a VM that could be protected ended unprotected, where a restore test left
    something behind, where a check passed that had to fail, or where anything broke.
    """
    started = time.monotonic()
    logging.disable(logging.WARNING)  # The worker library's own remarks are not the demo's.
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    world = World(seed=seed, clock=Clock(START - HISTORY))
    found_company(world)
    world.clock.advance(BEFORE)
    machines = sum(1 for _ in world.machines.everywhere())
    console.print(
        f"[bold]A small company[/]: {machines} VMs in 2 subscriptions and 3 regions;"
        " more will come. Times are virtual.\n"
    )
    timeline = Timeline(out / "timeline.jsonl", world.clock, console)
    toml = Path(__file__).with_name("demo.toml")
    app = build_app(world, toml.read_bytes(), source=toml.name, journal=timeline)
    bootstrap.use(app)
    try:
        with start_host(world, seed=seed) as host:
            watch(world, host, (PRODUCTION, LABORATORY))
            day = play_day(world, host, app, console)
            show_day(console, day)
            night = play_night(world, host, app, timeline, console)
            summary = _sum_up(world, host, day, night)
    finally:
        bootstrap.use(None)
        timeline.close()
        logging.disable(logging.NOTSET)
    _leave(out, app, summary)
    show_night(console, night)
    show_end(console, summary, out, time.monotonic() - started)
    return 1 if day.missed or night.unsafe or summary["errors"] else 0


def _sum_up(world: World, host: Host, day: Day, night: Night) -> Mapping[str, Any]:
    """Return the summary of day and night."""
    ours = [e for e in world.exchanges if e.request.client == CLIENT]
    arm = [e for e in ours if ".core.windows.net" not in e.request.host]
    failed = [i for i in host.invocations if i.status is not InvocationStatus.SUCCEEDED]
    broken = [o for o in host.instances.values() if o.status.name == "FAILED"]
    errors = len(failed) + len(broken) + len(world.unknown) + day.wrong + night.errors
    return {**day.summary, **night.summary, "arm_calls": len(arm), "errors": errors}


def _leave(out: Path, app: bootstrap.App, summary: Mapping[str, Any]) -> None:
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    for name, record in app.evidence.chain(""):
        target = out / "evidence" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(record, sort_keys=True, separators=(",", ":")))
