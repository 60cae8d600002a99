"""
The demo: the main job, for real, on a simulated Azure in virtual time.

function_app.py is loaded by the worker library that production runs; its triggers are fired by a
double of the Functions host; its clients are the real SDKs. Only Azure itself is simulated, and
everything that is shown is read from it or from what the app wrote down.
"""

import json
import logging
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from azsim.host import Host, InvocationStatus
from azsim.world import World
from vmbackup_cli.demo_company import LABORATORY, PRODUCTION, found_company, scenes
from vmbackup_cli.simulated import CLIENT, build_app, start_host, watch
from vmbackup_cli.timeline import Timeline
from vmbackup_core import bootstrap
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.verdicts import Verdict, count

HOURS = timedelta(hours=3)
LATE_FROM, LATE_UNTIL = timedelta(minutes=10), timedelta(minutes=25)
BEFORE = timedelta(minutes=28)  # The app is deployed two minutes before a sweep is due.


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo ended with: verdicts, what Azure itself says, and the summary."""

    verdicts: tuple[Verdict, ...]
    protected_after: Mapping[str, float]
    summary: Mapping[str, Any]

    @property
    def missed(self) -> list[Verdict]:
        """Return the VMs that could be protected and are not."""
        return [
            v for v in self.verdicts if v.in_scope and not v.protected and _could_be_protected(v)
        ]


def _could_be_protected(verdict: Verdict) -> bool:
    return verdict.reason.standing is not Standing.HUMAN


def run_demo(out: Path, seed: int, console: Console) -> int:
    """
    Play the demo and leave its traces in `out`, which is emptied first.

    Return 0, or 1 where a VM that could be protected ended unprotected or something failed.
    """
    started = time.monotonic()
    logging.disable(logging.WARNING)  # The worker library's own remarks are not the demo's.
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    world = World(seed=seed)
    found_company(world)
    world.clock.advance(BEFORE)
    console.print(
        f"[bold]A small company[/]: {_machines(world)} VMs in 2 subscriptions and 3 regions;"
        " more will come. Times are virtual.\n"
    )
    timeline = Timeline(out / "timeline.jsonl", world.clock, console)
    toml = Path(__file__).with_name("demo.toml")
    app = build_app(world, toml.read_bytes(), source=toml.name, journal=timeline)
    bootstrap.use(app)
    try:
        with start_host(world, seed=seed) as host:
            watch(world, host, (PRODUCTION, LABORATORY))
            asked = _play(world, host, console)
            outcome = _look_back(world, host, app, asked)
    finally:
        bootstrap.use(None)
        timeline.close()
        logging.disable(logging.NOTSET)
    _leave(out, app, outcome)
    _show(console, outcome, out, time.monotonic() - started)
    return 1 if outcome.missed or outcome.summary["errors"] else 0


def _play(world: World, host: Host, console: Console) -> dict[str, datetime]:
    """Let everything happen; return since when the VMs that were not new ask for backup."""
    begin = world.clock.now()
    asked = {machine.name: begin for machine in world.machines.everywhere()}
    for scene in scenes(world):
        # A third of the way in, Event Grid has a bad quarter of an hour.
        late = LATE_FROM <= scene.after < LATE_UNTIL
        world.events.disturb(doubled=0.3, shuffled=late)
        host.run_until(begin + scene.after)
        console.print(f"[dim]{world.clock.now():%H:%M:%S}[/] [bold white on blue] {scene.told} [/]")
        scene.happens()
        if scene.asks:
            asked[scene.asks] = world.clock.now()
    host.run_until(begin + HOURS)
    return asked


def _machines(world: World) -> int:
    return sum(1 for _ in world.machines.everywhere())


def _look_back(
    world: World, host: Host, app: bootstrap.App, asked: Mapping[str, datetime]
) -> Outcome:
    """Take the app's last verdicts, and hold them against what the simulated Azure itself knows."""
    ours = [e for e in world.exchanges if e.request.client == CLIENT]
    arm = [e for e in ours if ".core.windows.net" not in e.request.host]
    failed = [i for i in host.invocations if i.status is not InvocationStatus.SUCCEEDED]
    broken = [o for o in host.instances.values() if o.status.name == "FAILED"]
    verdicts = app.sweep.survey().verdicts
    protected_after: dict[str, float] = {}
    truth = set()
    for machine in world.machines.everywhere():
        found = world.vaults.item_of(machine.id)
        if found is None or found[1].stopped or found[1].is_soft_deleted:
            continue
        truth.add(machine.id.lower())
        since = asked.get(machine.name, machine.created)
        if (lag := (found[1].protected_since - since).total_seconds()) > 0:
            protected_after[machine.id.lower()] = lag
    wrong = [v for v in verdicts if v.protected != (str(v.vm) in truth)]
    sums = count(verdicts)
    events = world.events.counts
    summary = {
        "vms": sums.vms,
        "in_scope": sums.in_scope,
        "protected": sums.protected,
        "unprotected": dict(sums.unprotected),
        "reasons": dict(sums.reasons),
        "protection_lag_seconds": _spread(list(protected_after.values())),
        "events": {"sent": events.sent, "lost": events.lost, "duplicated": events.duplicated},
        "arm_calls": len(arm),
        "errors": len(failed) + len(broken) + len(wrong) + len(world.unknown),
    }
    return Outcome(verdicts, protected_after, summary)


def _spread(lags: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and maximum, by the nearest rank."""
    if not lags:
        return {"p50": 0.0, "p95": 0.0, "max": 0.0}
    ranked = sorted(lags)

    def rank(share: float) -> float:
        return round(ranked[max(0, math.ceil(share * len(ranked)) - 1)], 1)

    return {"p50": rank(0.5), "p95": rank(0.95), "max": round(ranked[-1], 1)}


def _leave(out: Path, app: bootstrap.App, outcome: Outcome) -> None:
    (out / "summary.json").write_text(json.dumps(outcome.summary, indent=2) + "\n")
    for name, record in app.evidence.chain(""):
        target = out / "evidence" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(record, sort_keys=True, separators=(",", ":")))


def _show(console: Console, outcome: Outcome, out: Path, seconds: float) -> None:
    table = Table(title="Who is protected, and why the rest is not", title_justify="left")
    for heading in ("VM", "region", "protected in", "policy", "after", "reason"):
        table.add_column(heading, overflow="fold")
    for v in sorted(outcome.verdicts, key=lambda v: (v.reason.standing, v.reason.name, v.vm)):
        style = {Standing.DONE: "green", Standing.HUMAN: "yellow", Standing.WORK: "red"}
        reason = (
            v.reason.name if v.reason is Reason.PROTECTED else f"{v.reason.name}: {v.reason.text}"
        )
        table.add_row(
            v.name,
            v.location,
            v.vault or "-",
            v.policy or "-",
            _lag(outcome, v),
            f"[{style.get(v.reason.standing, 'dim')}]{reason}[/]",
        )
    console.print()
    console.print(table)
    s = outcome.summary
    lag, events = s["protection_lag_seconds"], s["events"]
    people = sum(v.reason.standing is Standing.HUMAN for v in outcome.verdicts)
    bare = ", ".join(f"{reason} {vms}" for reason, vms in s["unprotected"].items())
    console.print(
        f"\n{s['vms']} VMs, {s['in_scope']} in scope: [green]{s['protected']} protected[/], "
        f"{sum(s['unprotected'].values())} unprotected ({bare}); {people} need a person\n"
        f"protection lag: median {lag['p50']:.0f} s, 95 % {lag['p95']:.0f} s, "
        f"longest {lag['max']:.0f} s\n"
        f"events: {events['sent']} sent, {events['lost']} lost, {events['duplicated']} doubled; "
        f"{s['arm_calls']} ARM calls; {s['errors']} errors; {seconds:.0f} s of real time\n"
        f"left in {out}/: timeline.jsonl, evidence/, summary.json\n"
    )
    console.print("Next, to look at them:")
    vmbackup = "vmbackup" if shutil.which("vmbackup") else ".venv/bin/vmbackup"
    for command in (f"{vmbackup} evidence verify {out}/evidence", f"less {out}/timeline.jsonl"):
        console.print(f"  {command}", highlight=False, markup=False, soft_wrap=True)
    for verdict in outcome.missed:
        console.print(f"[red]MISSED[/] {verdict.name}: {verdict.reason.name}")


def _lag(outcome: Outcome, verdict: Verdict) -> str:
    seconds = outcome.protected_after.get(str(verdict.vm))
    if seconds is None:
        return "before" if verdict.protected else "-"
    return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
