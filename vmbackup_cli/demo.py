"""
The demo: the main jobs, for real, on a simulated Azure in virtual time.

function_app.py is loaded by the worker library that production runs; its triggers are fired by a
double of the Functions host; its clients are the real SDKs. Only Azure itself is simulated, and
everything that is shown is read from it or from what the app wrote down.
"""

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from azsim.clock import Clock
from azsim.host import DurableStorage, Host, InvocationStatus
from azsim.world import START, World
from vmbackup_cli.demo_company import HISTORY, LABORATORY, PRODUCTION, found_company
from vmbackup_cli.demo_day import Day, play_day
from vmbackup_cli.demo_left import leave
from vmbackup_cli.demo_night import Night, play_night
from vmbackup_cli.demo_post import Post, connect_logs, open_post
from vmbackup_cli.demo_view import show_day, show_end, show_night, show_week
from vmbackup_cli.demo_week import Week, play_week
from vmbackup_cli.desk import Desk
from vmbackup_cli.simulated import CLIENT, build_app, start_host, watch
from vmbackup_cli.timeline import Timeline
from vmbackup_core import bootstrap

CONFIGURATION = Path(__file__).with_name("demo.toml")
BEFORE = timedelta(minutes=28)  # The app is deployed two minutes before a sweep is due.


def run_demo(out: Path, seed: int, desk: Desk) -> int:
    """
    Play the demo and leave its traces in `out`, which is emptied first.

    Return 0, or 1 where a VM that could be protected ended unprotected, where a restore test left
    something behind, where a check passed that had to fail, or where anything broke.
    """
    started, console = time.monotonic(), desk.out
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
    post = open_post(world, PRODUCTION)
    connect_logs(world, post, PRODUCTION)
    app = build_app(
        world,
        CONFIGURATION.read_bytes(),
        source=CONFIGURATION.name,
        journal=timeline,
        environment=post.environment,
    )
    durable = DurableStorage()
    bootstrap.use(app)
    try:
        with _host(world, post, post.environment, durable, seed) as host:
            day = play_day(world, host, app, console)
            show_day(console, day)
            night = play_night(world, host, app, timeline, console)
            show_night(console, night)
        connect_logs(world, post, PRODUCTION)  # Of the vaults that were made meanwhile.
        durable.schedules.clear()  # The timers get other schedules, and count anew.
        with (
            _host(world, post, post.slow_environment, durable, seed) as later,
            timeline.off_screen(),
        ):
            week = play_week(world, later, app, desk)
        summary = _sum_up(world, (host, later), day, night, week)
    finally:
        bootstrap.use(None)
        timeline.close()
        logging.disable(logging.NOTSET)
    leave(out, world, app, CONFIGURATION, summary)
    show_week(console, week, out)
    show_end(console, summary, out, time.monotonic() - started)
    return 1 if day.missed or night.unsafe or summary["errors"] else 0


@contextmanager
def _host(
    world: World, post: Post, environment: Mapping[str, str], durable: DurableStorage, seed: int
) -> Iterator[Host]:
    """Let the app live with these settings, and have all events come to it."""
    with start_host(world, seed=seed, durable=durable, environment=environment) as host:
        watch(world, host, (PRODUCTION, LABORATORY))
        post.report_to(world, host)
        yield host


def _sum_up(
    world: World, hosts: Iterable[Host], day: Day, night: Night, week: Week
) -> Mapping[str, Any]:
    """Return the summary of all parts."""
    ours = [e for e in world.exchanges if e.request.client == CLIENT]
    arm = [e for e in ours if ".core.windows.net" not in e.request.host]
    failed = [
        i for host in hosts for i in host.invocations if i.status is not InvocationStatus.SUCCEEDED
    ]
    broken = [o for host in hosts for o in host.instances.values() if o.status.name == "FAILED"]
    errors = len(failed) + len(broken) + len(world.unknown)
    errors += day.wrong + night.errors + week.errors
    return {
        **day.summary,
        **night.summary,
        **week.summary,
        "arm_calls": len(arm),
        "errors": errors,
        "ended": world.clock.now().isoformat(),
    }
