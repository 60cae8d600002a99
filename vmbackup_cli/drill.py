"""`vmbackup drill`: its commands, and `plan`: which backups the coming nights are to prove."""

from typing import Annotated

import typer

from vmbackup_cli import drill_forecast, drill_past, drill_run, drill_slots
from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.drill_json import Points, first_busy, plan_json
from vmbackup_cli.drill_view import show_plan
from vmbackup_cli.plan import AsJson, pause_json
from vmbackup_cli.words import at, number
from vmbackup_core.app.drill.planning import Drilling
from vmbackup_core.domain.drill.choice import DrillPlan

PLAN = """
Which VMs' backups the coming nights are to prove by a restore test, and why. Changes nothing.

It also says how many nights full coverage takes, how long a mass restore would take by what was
measured, and refuses a drill plan (\\[drills] in the configuration) that cannot keep the ages it
promises. Exit code 0, or 1 when the plan is refused.

Examples:

  vmbackup drill plan --nights 14

  vmbackup drill plan --nights 1 --points
"""

drill = typer.Typer(help="Restore tests (drills): plan, run and read them.", no_args_is_help=True)


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
    pause = app.notebook.pause()
    if as_json:
        held = {"pause": pause_json(pause), "config": app.settings.digest}
        desk.document(plan_json(planned, chosen, app.drilling) | held)
    else:
        if pause is not None:
            desk.say(
                f"PAUSED since {at(pause.since)} ({pause.why or 'no reason given'}): no restore"
                " test begins until `vmbackup pause off`.",
                "",
                style="bold red",
            )
        show_plan(desk, planned, chosen, app.drilling.drills)
    return Exit.FAILED if planned.refusals else Exit.FINE


def _points_of_first_night(desk: Desk, drilling: Drilling, planned: DrillPlan) -> Points:
    """Read the points of the first night that has a test."""
    night = first_busy(planned)
    if night is None:
        return {}
    with desk.err.status(f"Reading the recovery points of {number(len(night.drills), 'VM')} …"):
        return {drill.vm.id: choice for drill, choice in drilling.choose_points(night)}


drill.command("forecast", help=drill_forecast.FORECAST)(drill_forecast.forecast)
drill.command("run", help=drill_run.RUN)(drill_run.run)
drill.command("list", help=drill_past.LIST)(drill_past.list_tests)
drill.command("show", help=drill_past.SHOW)(drill_past.show)
drill.command("slots", help=drill_slots.SLOTS)(drill_slots.slots)
drill.command("release", help=drill_slots.RELEASE)(drill_slots.release)
