"""`vmbackup protect`: apply the plan from here, with the use cases of the deployed app."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from vmbackup_cli.boards import board, outcome_table, under_way_lines
from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.driving import Drive
from vmbackup_cli.one_vm import examine, find_vms
from vmbackup_cli.plan import AsJson
from vmbackup_cli.verdict_view import verdict_json, verdict_table
from vmbackup_cli.words import number
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.enabling import Done
from vmbackup_core.domain.errors import Rejected
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.reasons import Standing
from vmbackup_core.domain.rules import Mode
from vmbackup_core.domain.verdicts import Verdict

HELP = """
Apply the plan from here, as the deployed app would: same rules, same brakes, same evidence.

Without VMs: all that are due. Shows the plan and asks first, unless --yes.
Observe mode, the pause and the hourly budget hold here too.
Exit code 1 when a VM failed or needs a person.

Examples:

  vmbackup protect

  vmbackup protect web-01 rg-prod/db-02

  vmbackup protect --yes --json
"""


def protect(
    ctx: typer.Context,
    vms: Annotated[
        list[str] | None, typer.Argument(metavar="VM", help="Name, group/name or ARM id.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    if (pause := app.notebook.pause()) is not None:
        raise Rejected(
            f"PAUSED since {pause.since:%Y-%m-%d %H:%M} UTC ({pause.why or 'no reason given'}):"
            " nothing is changed until `vmbackup pause off`."
        )
    with desk.err.status("Looking …"):
        chosen = _named(app, vms) if vms else _due(app)
    work = [v for v in chosen if v.differs and _acts_on(app, v)]
    if work:
        if not (as_json and yes):
            desk.err.print(verdict_table(desk, chosen, app.clock.now()))
        if not yes and not _agreed(desk, work):
            desk.tell("Nothing was done.")
            return Exit.FAILED
    ended = {v.vm: Done(v.reason, v.plan.because) for v in chosen if v not in work}
    with board(desk, work) as shown:
        drive = Drive(app.protect, app.clock, shown, outcomes=ended)
        try:
            drive.run(v.vm for v in work)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    return _report(desk, app, chosen, drive, interrupted=interrupted, as_json=as_json)


def _acts_on(app: App, verdict: Verdict) -> bool:
    return app.book.rules.scope.mode_of(verdict.vm.subscription) is Mode.PROTECT


def _named(app: App, names: Sequence[str]) -> list[Verdict]:
    return [examine(app, vm).verdict for vm in find_vms(names, app)]


def _due(app: App) -> list[Verdict]:
    survey = app.sweep.survey()
    if survey.shrunk:
        raise Rejected(
            f"{survey.shrunk.before:,} VMs were in scope at the last sweep, now"
            f" {survey.shrunk.now:,}: that looks like a mistake. Look at `vmbackup plan`, and"
            f" approve it with `vmbackup approve {survey.hash[:12]}`, or name the VMs."
        )
    return [v for v in survey.verdicts if v.due]


def _agreed(desk: Desk, chosen: Sequence[Verdict]) -> bool:
    if not desk.interactive:
        raise Misused(
            f"nobody is here to agree to the work on {number(len(chosen), 'VM')}:"
            " look at `vmbackup plan`, then say --yes"
        )
    return desk.confirm(f"Go on with {number(len(chosen), 'VM')}?")


def _report(
    desk: Desk,
    app: App,
    chosen: Sequence[Verdict],
    drive: Drive,
    *,
    interrupted: bool,
    as_json: bool,
) -> Exit:
    ended = [(v, drive.outcomes[v.vm]) for v in chosen if v.vm in drive.outcomes]
    if as_json:
        desk.document(
            {
                "outcomes": [_outcome_json(app, v, done) for v, done in ended],
                "interrupted": interrupted,
                "under_way": [str(state.vm) for state in drive.under_way],
            }
        )
    elif ended:
        desk.out.print(outcome_table(desk, ended))
    elif not interrupted:
        desk.say("Nothing is due.", "`vmbackup plan` lists what waits for a person.")
    if interrupted:
        desk.tell(
            "",
            "Interrupted. What was sent goes on in Azure without us:",
            *(f"  {line}" for line in under_way_lines(drive.under_way)),
            "Run the command again, or leave it to the next sweep: both look before they act.",
        )
    return Exit.FINE if not interrupted and _well(drive.outcomes) else Exit.FAILED


def _well(outcomes: Mapping[VmId, Done]) -> bool:
    """Whether every VM is protected, or asks for nothing."""
    good = (Standing.DONE, Standing.NOT_ASKED)
    return all(done.reason.standing in good for done in outcomes.values())


def _outcome_json(app: App, verdict: Verdict, done: Done) -> dict[str, object]:
    return {
        "vm": str(verdict.vm),
        "name": verdict.name,
        "before": verdict_json(verdict, app.settings.rules.scope),
        "reason": done.reason.name,
        "standing": str(done.reason.standing),
        "meaning": done.reason.text,
        "mend": done.reason.mend,
        "because": list(done.because),
    }
