"""`vmbackup approve` and `vmbackup pause`: what people decide, which stands in the evidence too."""

from typing import Annotated

import typer

from vmbackup_cli.desk import Desk, Exit
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import at, number, span
from vmbackup_core.domain.evidence import Kind

APPROVE = """
Approve the plan with this hash, as `vmbackup plan` shows it: what it holds back may then go on.

HASH is the hash or its first 8 or more digits. The approval is valid for 24 hours and covers
exactly the steps that were shown, for the machines that they were shown for.

Example:

  vmbackup approve 3f9a17c0b2d4
"""
PAUSE = "Stop all changes at once, everywhere, or let them go on."
PAUSE_ON = """
Begin a pause: nothing is changed until it ends; looking and reporting go on.

Example:

  vmbackup pause on --why "network change, until Tuesday"
"""


def approve(
    ctx: typer.Context,
    digest: Annotated[str, typer.Argument(metavar="HASH", help="Of the plan that was shown.")],
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    with desk.err.status("Making the plan again …"):
        survey = app.sweep.survey()
        approval = app.approvals.give(digest, survey.verdicts)
    vms = sum(v.differs for v in survey.verdicts)
    app.evidence.append(
        Kind.CONTROL,
        "approval",
        {"did": "approved", "plan": approval.hash, "until": approval.until.isoformat(), "vms": vms},
    )
    if as_json:
        desk.document(
            {
                "hash": approval.hash,
                "until": approval.until.isoformat(),
                "in_scope": approval.in_scope,
                "vms": vms,
                "changes": survey.changes,
            }
        )
        return Exit.FINE
    changes = number(survey.changes, "change")
    desk.say(
        f"Approved plan {approval.hash[:12]} until {at(approval.until)}.",
        f"It covers the steps for {number(vms, 'VM')}, among them {changes} to items that are"
        " protected already; those do not draw from the hourly budget.",
    )
    if survey.shrunk:
        desk.say(f"It accepts that {approval.in_scope:,} VMs are in scope.")
    desk.say("The next sweep goes on with it, or `vmbackup protect` does now.")
    return Exit.FINE


pause = typer.Typer(help=PAUSE, no_args_is_help=True)


@pause.command("on", help=PAUSE_ON)
def pause_on(
    ctx: typer.Context,
    why: Annotated[str, typer.Option(help="Shown to everybody who meets the pause.")],
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    before = app.notebook.pause()
    app.notebook.set_pause(why)
    app.evidence.append(Kind.CONTROL, "pause", {"did": "paused"})
    again = f" (it was paused already since {at(before.since)})" if before else ""
    desk.say(f"Paused{again}: {why}", "Nothing is changed until `vmbackup pause off`.")
    return Exit.FINE


@pause.command("off", help="End the pause: the next sweep goes on where it stood.")
def pause_off(ctx: typer.Context) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    if (before := app.notebook.pause()) is None:
        desk.say("There was no pause.")
        return Exit.FINE
    app.notebook.set_pause(None)
    app.evidence.append(Kind.CONTROL, "pause", {"did": "resumed"})
    desk.say(
        f"The pause has ended; it lasted {span(app.clock.now() - before.since)}.",
        "The next sweep goes on with what is due.",
    )
    return Exit.FINE


@pause.command("status", help="Say whether changes are paused, since when and why.")
def pause_status(ctx: typer.Context, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    found = desk.app().notebook.pause()
    if as_json:
        since = found.since.isoformat() if found else None
        desk.document(
            {"paused": found is not None, "since": since, "why": found.why if found else ""}
        )
    elif found:
        desk.say(f"Paused since {at(found.since)}: {found.why}")
    else:
        desk.say("Not paused.")
    return Exit.FINE
