"""The demo's day: VMs come and change, and within minutes they are protected."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console

from azsim.host import Host
from azsim.world import World
from vmbackup_cli.demo_company import scenes
from vmbackup_cli.timeline import announce, rank
from vmbackup_core import bootstrap
from vmbackup_core.domain.reasons import Standing
from vmbackup_core.domain.verdicts import Verdict, count

HOURS = timedelta(hours=3)
LATE_FROM, LATE_UNTIL = timedelta(minutes=10), timedelta(minutes=25)


@dataclass(frozen=True, slots=True)
class Day:
    """
    What the day ended with: the app's verdicts, what Azure itself says, and both in numbers.

    `wrong` is how many verdicts are not what Azure itself says.
    """

    verdicts: tuple[Verdict, ...]
    protected_after: Mapping[str, float]
    summary: Mapping[str, Any]
    wrong: int

    @property
    def missed(self) -> list[Verdict]:
        """Return the VMs that could be protected and are not."""
        return [
            v for v in self.verdicts if v.in_scope and not v.protected and _could_be_protected(v)
        ]


def _could_be_protected(verdict: Verdict) -> bool:
    return verdict.reason.standing is not Standing.HUMAN


def play_day(world: World, host: Host, app: bootstrap.App, console: Console) -> Day:
    """Let everything happen, and look at what came of it."""
    begin = world.clock.now()
    # Since when the VMs that are not new ask for backup.
    asked = {machine.name: begin for machine in world.machines.everywhere()}
    for scene in scenes(world):
        # A third of the way in, Event Grid has a bad quarter of an hour.
        late = LATE_FROM <= scene.after < LATE_UNTIL
        world.events.disturb(doubled=0.3, shuffled=late)
        host.run_until(begin + scene.after)
        announce(console, world.clock, scene.told)
        scene.happens()
        if scene.asks:
            asked[scene.asks] = world.clock.now()
    host.run_until(begin + HOURS)
    return _look_back(world, app, asked)


def _look_back(world: World, app: bootstrap.App, asked: Mapping[str, datetime]) -> Day:
    """Take the app's verdicts, and hold them against what the simulated Azure itself knows."""
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
    lags = sorted(protected_after.values())
    summary = {
        "vms": sums.vms,
        "in_scope": sums.in_scope,
        "protected": sums.protected,
        "unprotected": dict(sums.unprotected),
        "reasons": dict(sums.reasons),
        "protection_lag_seconds": {
            "p50": rank(lags, 0.5),
            "p95": rank(lags, 0.95),
            "max": rank(lags, 1),
        },
        "events": {"sent": events.sent, "lost": events.lost, "duplicated": events.duplicated},
    }
    return Day(verdicts, protected_after, summary, len(wrong))
