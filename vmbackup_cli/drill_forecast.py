"""`vmbackup drill forecast`: how long it would take to restore a whole tier."""

from typing import Annotated

import typer
from rich.text import Text

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.drill_json import forecast_json
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import number, span
from vmbackup_core.domain.drill.forecast import Forecast
from vmbackup_core.settings.faults import did_you_mean

FORECAST = """
How long a mass restore of a tier would take, by what was measured.

Each VM counts with the median of its own recoveries, one without any with the
median of the tier's. As many are restored at once, in each subscription and
region, as there are restore tests side by side.

Examples:

  vmbackup drill forecast

  vmbackup drill forecast --tier gold --json
"""


def forecast(
    ctx: typer.Context,
    tier: Annotated[str, typer.Option(help="Only this tier.")] = "",
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    if app.drilling is None:
        raise Misused("no restore tests are configured: add [drills] (docs/configuration.md)")
    names = [one.name for one in app.drilling.drills.tiers]
    if tier and tier not in names:
        near = did_you_mean(tier, names)
        raise Misused(f"there is no tier {tier}; {near or 'there are ' + ', '.join(names)}")
    with desk.err.status("Reading the estate from Resource Graph …"):
        planned = app.drilling.plan(1)
    found = [one for one in planned.forecasts if tier in ("", one.tier)]
    if as_json:
        desk.document(
            {"at": planned.at.isoformat(), "forecasts": [forecast_json(one) for one in found]}
        )
    elif found:
        _show(desk, found)
    else:
        whose = f"of tier {tier} " if tier else ""
        desk.say(
            f"No recovery {whose}was measured so far: a passed restore test measures one.",
            "`vmbackup drill plan` shows when the next ones run.",
        )
    return Exit.FINE


def _show(desk: Desk, found: list[Forecast]) -> None:
    heads = ("Tier", "From", "VMs", "Measured", "At once", "About", "Not under")
    table = desk.table(*heads, *(("Median", "Longest") if desk.wide else ()))
    for one in found:
        row = (
            Text(one.tier),
            "vault" if one.from_vault else "snapshots",
            f"{one.vms:,}",
            f"{one.measured:,}",
            str(one.at_once),
            span(one.reckoned),
            span(one.least),
        )
        lies = (span(one.spread.p50), span(one.spread.longest)) if desk.wide else ()
        table.add_row(*row, *lies)
    desk.out.print(table)
    missing = max(one.vms - one.measured for one in found)
    desk.say(
        "",
        "An estimate: nobody has tried. Whether Azure restores as fast when more is restored at"
        " once, what quotas do, and how long people need to decide and to connect everything again"
        " is not in it.",
    )
    if missing:
        desk.say(
            f"VMs that were never measured ({number(missing, 'VM')} of a tier, at most) count with"
            " the median of the tier."
        )
