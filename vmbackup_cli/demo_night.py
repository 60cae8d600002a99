"""The demo's night: backups are restored, and what went wrong with some of them comes to light."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from rich.console import Console

from azsim.guests import Boot, Conduct
from azsim.host import Host
from azsim.world import World
from vmbackup_cli.demo_canary import run_inside
from vmbackup_cli.demo_company import PRODUCTION, SLOTS
from vmbackup_cli.timeline import Timeline, announce, rank
from vmbackup_cli.words import number
from vmbackup_core import bootstrap
from vmbackup_core.domain.drill.evidence import DRILL
from vmbackup_core.domain.drill.orders import run_key
from vmbackup_core.domain.drill.rungs import Control, Verdict
from vmbackup_core.domain.drill.slots import Place, Slot, copy_name
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.schedules import DAY

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BEGINS = time(1)  # As [drills] and the timer of the function have it.
EARLIER = 10 * MINUTE  # So long before, what will go wrong is prepared.
LOOK, LONGEST = 10 * MINUTE, 6 * HOUR
CLEANED = 45 * MINUTE  # After its time is over, the janitor's next rounds remove a kept copy.
PANICS, FAILS_CHECK, LOSES_ISOLATION = "erp-4", "data-4", "data-2"
_KINDS = {
    "virtualmachines": "VM",
    "disks": "disk",
    "networkinterfaces": "NIC",
    "containers": "container",
}

type Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Night:
    """
    What became of the night: the records that the app wrote, and what Azure itself holds.

    `kept` are the resources that were there beside the estate's when the last test had ended,
    `left` those in the end; `lost` are those of the estate that were there before and are not now.
    `systems` says which operating system each VM has, by its id in lower case.
    """

    records: tuple[Body, ...]
    planned: int
    kept: frozenset[str]
    left: frozenset[str]
    lost: frozenset[str]
    systems: Mapping[str, str]

    @property
    def summary(self) -> Mapping[str, Any]:
        """Return what summary.json says of the night."""
        verdicts = [record["verdict"] for record in self.records]
        passed, failed = (verdicts.count(v.name) for v in (Verdict.PROVEN, Verdict.FAILED))
        proven = (r["clocks"]["rto"] for r in self.records if r["verdict"] == Verdict.PROVEN.name)
        rtos = sorted(rto for rto in proven if rto is not None)
        controls = [record["control"] for record in self.records]
        return {
            "drills": {
                "planned": self.planned,
                "passed": passed,
                "failed": failed,
                "not_run": self.planned - passed - failed,
            },
            "leftovers": len(self.left),
            "rto_seconds": {"p50": rank(rtos, 0.5), "max": rank(rtos, 1)},
            "negative_controls": {str(one): controls.count(str(one)) for one in Control},
        }

    @property
    def errors(self) -> int:
        """
        Return how many tests left no record, and how much was lost that was not the tests'.

        A night without any test is an error too.
        """
        untold = abs(self.planned - len(self.records))
        return untold + len(self.lost) + (not self.planned)

    @property
    def unsafe(self) -> bool:
        """Whether something leaked, or a check passed that had to fail."""
        return bool(self.left or self.summary["negative_controls"][str(Control.BROKEN)])


def play_night(
    world: World, host: Host, app: bootstrap.App, timeline: Timeline, console: Console
) -> Night:
    """Go on until the night's restore tests have ended, and then until nothing of them is kept."""
    begins = _next(world.clock.now(), BEGINS)
    announce(
        console,
        world.clock,
        f"the day goes on, backups are made; at {BEGINS:%H:%M} comes the night",
    )
    with timeline.off_screen():
        host.run_until(begins - EARLIER)
    before = _standing(world)
    systems = {machine.id.lower(): machine.os_type for machine in world.machines.everywhere()}
    _prepare(world, begins.date(), console)
    announce(
        console, world.clock, "what nobody knows yet is in place; the app's own timer does the rest"
    )
    host.run_until(begins + MINUTE)
    planned, records = _planned(host), _records(app)
    while len(records) < planned and world.clock.now() < begins + LONGEST:
        host.run_for(LOOK)
        records = _records(app)
    kept = _standing(world) - before
    untils = [datetime.fromisoformat(r["kept_until"]) for r in records if r["kept_until"]]
    expired = max(untils, default=world.clock.now())
    announce(console, world.clock, f"all tests have ended; kept for a person: {describe(kept)}")
    with timeline.off_screen():
        host.run_until(expired)
    announce(console, world.clock, "the time of what was kept is over")
    host.run_until(expired + CLEANED)
    after = _standing(world)
    announce(console, world.clock, f"what is left of it in Azure: {describe(after - before)}")
    return Night(records, planned, kept, after - before, before - after, systems)


def _prepare(world: World, night: date, console: Console) -> None:
    """Let two backups be bad, and a policy change one of the copies while it runs."""
    world.machines.run_commands.interpreter = run_inside
    found = {machine.name: machine for machine in world.machines.everywhere()}
    world.vaults.spoil_points(found[PANICS].id, Conduct(boot=Boot.PANIC))
    announce(console, world.clock, f"{PANICS}: its backups boot into a kernel panic")
    world.vaults.spoil_points(found[FAILS_CHECK].id, Conduct(exit_code=3))
    announce(console, world.clock, f"{FAILS_CHECK}: its backups boot, and a check inside will fail")
    victim = found[LOSES_ISOLATION]
    vm = VmId.parse(victim.id)
    name = copy_name(run_key(vm, victim.vm_id, night, world.clock.now()))
    for one in range(1, SLOTS + 1):
        slot = Slot(Place(PRODUCTION, victim.location), one)
        scope = f"{slot.id}/providers/Microsoft.Compute/virtualMachines/{name}"
        world.policies.deploy(scope, identity=True, after=MINUTE / 2)
    announce(console, world.clock, f"{victim.name}: Azure Policy will give its copy an identity")


def describe(ids: Iterable[str]) -> str:
    """Say how many things of each kind there are, by their ids."""
    kinds = Counter(one.rpartition("/")[0].rpartition("/")[2] for one in ids)
    words = (number(count, _KINDS.get(kind, kind)) for kind, count in sorted(kinds.items()))
    return ", ".join(words) or "nothing"


def _next(now: datetime, at: time) -> datetime:
    """Return the next moment after `now` with this time of day."""
    today = datetime.combine(now.date(), at, now.tzinfo)
    return today if today > now else today + DAY


def _planned(host: Host) -> int:
    """Return how many tests the night's lanes were given."""
    lanes = [one for one in host.instances.values() if one.name == "lane"]
    return sum(len(lane.input["tests"]) for lane in lanes)


def _records(app: bootstrap.App) -> tuple[Body, ...]:
    """Return the bodies of the tests' records, in the order in which they ended."""
    bodies = (record["body"] for _, record in app.evidence.chain("drill/"))
    return tuple(body for body in bodies if body["what"] == DRILL)


def _standing(world: World) -> frozenset[str]:
    """Return the id of everything that stands in the simulated Azure, as it says itself."""
    parts = (world.groups, world.machines, world.vaults, world.networks, world.storage_accounts)
    rows = (row for part in parts for row in part.graph_rows())
    ids = {row["id"].lower() for row in rows if "/backupjobs" not in row["type"].lower()}
    ids |= {nic.id.lower() for nic in world.networks.interfaces.every()}
    for account in world.storage_accounts.in_subscription(PRODUCTION):
        held = world.storage.account(account.name).containers
        ids |= {f"{account.id}/containers/{container.name}".lower() for container in held}
    return frozenset(ids)
