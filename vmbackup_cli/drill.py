"""`vmbackup drill plan`: which backups the coming nights are to prove, and if that is enough."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import at, number
from vmbackup_core.app.drilling import Drilling
from vmbackup_core.domain.drill_choice import DrillPlan
from vmbackup_core.domain.drill_coverage import Load
from vmbackup_core.domain.drill_turns import Drill, Night, NotPlanned, Unplanned
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.points import Chosen, NoPoint, PointChoice

PLAN = """
Which VMs' backups the coming nights are to prove by a restore test, and why. Changes nothing.

It also says how many nights full coverage takes, and refuses a drill plan ([drills] in the
configuration) that cannot keep the ages it promises. Restore tests are only planned so far: running
them does not exist yet. Exit code 0, or 1 when the plan is refused.

Examples:

  vmbackup drill plan --nights 14

  vmbackup drill plan --nights 1 --points
"""
NEVER_RAN = "No restore test has ever run, and running them does not exist yet: this only plans."

drill = typer.Typer(help="Plan restore tests (drills).", no_args_is_help=True)

type _Points = Mapping[VmId, PointChoice]


@drill.callback()
def _group() -> None:
    """Keep `plan` a command of its own: typer would merge a group of one."""


@drill.command("plan", help=PLAN)
def plan(
    ctx: typer.Context,
    nights: Annotated[int, typer.Option(min=1, max=366, help="How many nights to show.")] = 7,
    points: Annotated[
        bool,
        typer.Option(
            help="Read the recovery points of the first night's VMs and say which would be taken."
        ),
    ] = False,
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    if app.drilling is None:
        raise Misused("no restore tests are configured: add [drills] (docs/configuration.md)")
    with desk.err.status("Reading the estate from Resource Graph …"):
        planned = app.drilling.plan(nights)
    chosen = _points_of_first_night(desk, app.drilling, planned) if points else {}
    if as_json:
        desk.document(plan_json(planned, chosen, app.drilling) | {"config": app.settings.digest})
    else:
        _show(desk, planned, chosen)
    return Exit.FAILED if planned.refusals else Exit.FINE


def _points_of_first_night(desk: Desk, drilling: Drilling, planned: DrillPlan) -> _Points:
    """Read the points of the first night that has a test."""
    night = next((night for night in planned.nights if night.drills), None)
    if night is None:
        return {}
    with desk.err.status(f"Reading the recovery points of {number(len(night.drills), 'VM')} …"):
        return {drill.vm.id: choice for drill, choice in drilling.choose_points(night)}


def _show(desk: Desk, planned: DrillPlan, chosen: _Points) -> None:
    for refusal in planned.refusals:
        desk.say(f"REFUSED: {refusal}.", style="bold red")
    if planned.refusals:
        desk.say(
            "Raise per_night, at_once or lasts, open more nights, or allow a higher max_age."
            " So far as it goes, the plan would be:",
            "",
        )
    if not planned.vms:
        desk.say("There is no VM in scope. See [scope] (vmbackup config show).")
        return
    desk.out.print(_nights_table(desk, planned, chosen))
    desk.say("")
    desk.out.print(_sums_table(desk, planned))
    desk.say("", *_coverage(planned), NEVER_RAN)


def _nights_table(desk: Desk, planned: DrillPlan, chosen: _Points) -> Table:
    """Return a row for each test, and one for each night without any."""
    ahead = ("Night", "Begins (UTC)") if desk.wide else ("Night",)
    about = ("VM", "Resource group", "Location", "Tier") if desk.wide else ("VM",)
    table = desk.table(*ahead, *about, "Point", "Why now")
    for night in planned.nights:
        label = f"{night.date:%a %Y-%m-%d}"
        if not night.drills:
            said = f"blacked out ({night.blackout})" if night.blackout else "nobody's turn"
            padding = [""] * (len(table.columns) - len(ahead) - 1)
            table.add_row(label, *[""] * (len(ahead) - 1), Text(said, style="dim"), *padding)
        first = chosen if night is _first_busy(planned) else {}
        for drill in night.drills:
            point = _point(drill, first.get(drill.vm.id))
            why = Text(_why(drill))
            vm = drill.vm
            if desk.wide:
                where = (Text(vm.id.group), vm.location, Text(drill.tier.name))
                table.add_row(label, f"{drill.starts:%H:%M}", Text(vm.name), *where, point, why)
            else:
                place = Text(f"\n{vm.id.group}\n{vm.location}", style="dim")
                table.add_row(label, Text(vm.name) + place, point, why)
            label = ""
    return table


def _first_busy(planned: DrillPlan) -> Night | None:
    return next((night for night in planned.nights if night.drills), None)


def _why(drill: Drill) -> str:
    proven = f" (proof of {drill.proven:%Y-%m-%d})" if drill.proven else ""
    return drill.why.value + proven


def _point(drill: Drill, choice: PointChoice | None) -> Text:
    match choice:
        case None:
            return Text(str(drill.strategy))
        case Chosen(point):
            return Text(f"{drill.strategy}: {at(point.taken)}, {point.consistency}")
        case NoPoint(reason, because):
            words = f"{reason.value} ({because})" if because else reason.value
            return Text(f"{drill.strategy}: {words}", style="yellow")


def _sums_table(desk: Desk, planned: DrillPlan) -> Table:
    """Return how many VMs stand where; the numbers sum to all VMs."""
    table = desk.table("VMs", "", "")
    table.columns[0].justify = "right"
    shown = number(len(planned.nights), "night")
    table.add_row(f"{planned.vms:,}", "in all", "")
    table.add_row(f"{planned.planned:,}", "planned", f"in the next {shown}", style="green")
    for code, vms in _count(planned):
        table.add_row(f"{vms:,}", code.name, Text(code.text))
    return table


def _count(planned: DrillPlan) -> Iterator[tuple[NotPlanned, int]]:
    count = Counter(one.code for one in planned.unplanned)
    return ((code, count[code]) for code in NotPlanned if count[code])


def _coverage(planned: DrillPlan) -> Iterator[str]:
    """Yield how far the proof reaches, with the arithmetic behind it."""
    coverage = planned.coverage
    if not coverage.vms:
        yield "No VM is to be tested."
        return
    yield (
        f"{coverage.proven:,} of the {number(coverage.vms, 'VM')} that tiers take have a proof"
        " that is not too old."
    )
    if coverage.nights:
        yield f"Full coverage takes {number(coverage.nights, 'night')}, if every test passes."
    yield from (f"{load.words}." for load in coverage.loads if load.place is None)


def plan_json(planned: DrillPlan, chosen: _Points, drilling: Drilling) -> dict[str, Any]:
    """Return the plan as JSON; `planned` and the sum of `not_planned` are all VMs."""
    coverage, first = planned.coverage, _first_busy(planned)
    return {
        "at": planned.at.isoformat(),
        "vms": planned.vms,
        "planned": planned.planned,
        "not_planned": {code.name: vms for code, vms in _count(planned)},
        "refusals": list(planned.refusals),
        "coverage": {
            "vms": coverage.vms,
            "proven": coverage.proven,
            "nights": coverage.nights,
            "loads": [_load_json(load) for load in coverage.loads],
        },
        "nights": [
            {
                "night": night.date.isoformat(),
                "begins": drilling.drills.start_of(night.date).isoformat(),
                "blackout": night.blackout,
                "drills": [
                    _drill_json(drill, chosen.get(drill.vm.id) if night is first else None)
                    for drill in night.drills
                ],
            }
            for night in planned.nights
        ],
        "unplanned": [_unplanned_json(one) for one in planned.unplanned],
        "restore_tests_run": 0,
    }


def _load_json(load: Load) -> dict[str, Any]:
    return {
        "subscription": load.place and load.place.subscription,
        "location": load.place and load.place.location,
        "asked_per_night": round(float(load.demand), 3),
        "room_per_night": round(float(load.room), 3),
        "words": load.words,
    }


def _drill_json(drill: Drill, choice: PointChoice | None) -> dict[str, Any]:
    vm = drill.vm
    found: dict[str, Any] = {
        "vm": str(vm.id),
        "name": vm.name,
        "machine": vm.machine,
        "subscription": vm.id.subscription,
        "resource_group": vm.id.group,
        "location": vm.location,
        "vault": str(drill.vault),
        "tier": drill.tier.name,
        "strategy": str(drill.strategy),
        "why": drill.why.name,
        "starts": drill.starts.isoformat(),
        "lane": drill.lane,
        "proven": drill.proven.isoformat() if drill.proven else None,
    }
    match choice:
        case Chosen(point):
            found["point"] = {
                "id": point.id,
                "taken": point.taken.isoformat(),
                "consistency": str(point.consistency),
                "valid": sorted(map(str, point.valid)),
            }
        case NoPoint(reason, because):
            found["no_point"] = {"code": reason.name, "meaning": reason.value, "because": because}
        case None:
            pass
    return found


def _unplanned_json(one: Unplanned) -> dict[str, Any]:
    return {
        "vm": str(one.vm.id),
        "name": one.vm.name,
        "code": one.code.name,
        "meaning": one.code.text,
        "mend": one.code.mend,
        "because": one.because,
    }
