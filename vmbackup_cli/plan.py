"""`vmbackup plan`: what would be done for every VM and why, with no write in reach."""

from typing import Annotated, Any

import typer

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.verdict_view import (
    orphan_json,
    orphan_table,
    sums_table,
    verdict_json,
    verdict_table,
)
from vmbackup_cli.words import at, number
from vmbackup_core.app.notebook import Pause
from vmbackup_core.app.sweep import Survey
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.telling.mail_words import csv_text
from vmbackup_core.domain.verdicts import Verdict
from vmbackup_core.settings import Settings
from vmbackup_core.settings.faults import did_you_mean

HELP = """
What would be done for every VM, and why. Changes nothing.

By default it lists the VMs where something differs or a person is needed.
Exit code 0 when nothing differs, 2 when something does.

Examples:

  vmbackup plan

  vmbackup plan --reason NO_VAULT --reason OBSERVING

  vmbackup plan --all --json

  vmbackup plan --csv > plan.csv
"""

_COLUMNS = (
    "name", "resource_group", "subscription", "location", "reason", "standing", "protected",
    "differs", "policy", "vault", "since", "because", "mend", "vm",
)  # fmt: skip

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def plan(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="List every VM.")] = False,
    reason: Annotated[
        list[str] | None, typer.Option(help="Only VMs with this reason code; repeatable.")
    ] = None,
    subscription: Annotated[
        list[str] | None, typer.Option(help="Only VMs of this subscription; repeatable.")
    ] = None,
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="A table for a spreadsheet, a row for every VM.")
    ] = False,
) -> Exit:
    desk: Desk = ctx.obj
    if as_json and as_csv:
        raise Misused("--json and --csv exclude each other")
    reasons = [find_reason(code) for code in reason or ()]
    subscriptions = [one.lower() for one in subscription or ()]
    app = desk.app()
    with desk.err.status("Reading the estate from Resource Graph …"):
        survey = app.sweep.survey()
    _check_subscriptions(subscriptions, survey, app.settings)
    pause = app.notebook.pause()
    chosen = [
        v
        for v in survey.verdicts
        if (not reasons or v.reason in reasons)
        and (not subscriptions or v.vm.subscription in subscriptions)
    ]
    if as_json:
        desk.document(plan_json(survey, chosen, app.settings, pause))
    elif as_csv:
        desk.table_file(plan_csv(chosen, app.settings.rules.scope))
    else:
        if pause:
            desk.say(_say_pause(pause), "", style="bold red")
        listed = [v for v in chosen if every or reasons or _notable(v)]
        show_plan(desk, survey, listed, app.settings, filtered=len(chosen) < len(survey.verdicts))
        _show_brakes(desk, survey, app.settings, pause)
    return Exit.DIFFERS if any(v.differs for v in chosen) else Exit.FINE


def find_reason(code: str) -> Reason:
    """Return the reason called `code`; raises Misused with the nearest one."""
    try:
        return Reason[code.upper().replace("-", "_")]
    except KeyError:
        near = did_you_mean(code, [reason.name for reason in Reason])
        raise Misused(
            f"there is no reason {code}; {near or '`vmbackup plan` shows those there are'}"
        ) from None


def _check_subscriptions(asked: list[str], survey: Survey, settings: Settings) -> None:
    """Raise Misused for a subscription that is not in scope: nothing found would read as fine."""
    known = {*settings.rules.scope.subscriptions, *(v.vm.subscription for v in survey.verdicts)}
    if strange := [one for one in asked if one not in known]:
        listed = "".join(f"\n  {one}" for one in sorted(known)) or " none"
        raise Misused(f"{', '.join(strange)} is not in scope; in scope:{listed}")


def _notable(verdict: Verdict) -> bool:
    return verdict.differs or verdict.reason.standing is Standing.HUMAN


def plan_json(
    survey: Survey, chosen: list[Verdict], settings: Settings, pause: Pause | None
) -> dict[str, Any]:
    """Return the plan as JSON: the sums are of all VMs, `verdicts` holds each chosen VM once."""
    count = survey.count
    return {
        "at": survey.at.isoformat(),
        "hash": survey.hash,
        "pause": pause_json(pause),
        "vms": count.vms,
        "in_scope": count.in_scope,
        "protected": count.protected,
        "unprotected": dict(count.unprotected),
        "reasons": dict(count.reasons),
        "differs": sum(v.differs for v in survey.verdicts),
        "changes": {
            "planned": survey.changes,
            "budget_per_hour": settings.limits.changes_per_hour,
        },
        "shrunk": (
            {"before": survey.shrunk.before, "now": survey.shrunk.now} if survey.shrunk else None
        ),
        "orphans": [orphan_json(item) for item in survey.orphans],
        "verdicts": [verdict_json(v, settings.rules.scope) for v in chosen],
        "config": settings.digest,
    }


def pause_json(pause: Pause | None) -> dict[str, str] | None:
    return {"since": pause.since.isoformat(), "why": pause.why} if pause else None


def plan_csv(chosen: list[Verdict], scope: Scope) -> str:
    """Return each chosen VM once, as CSV that no spreadsheet runs anything of."""
    rows = (verdict_json(verdict, scope) for verdict in chosen)
    return csv_text(_COLUMNS, ([_cell(row[name]) for name in _COLUMNS] for row in rows))


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def show_plan(
    desk: Desk, survey: Survey, listed: list[Verdict], settings: Settings, *, filtered: bool
) -> None:
    if not survey.verdicts:
        desk.say(
            "There is no VM in scope.",
            "See [scope] in the configuration (vmbackup config show), and that the identity may"
            " read the subscriptions.",
        )
    elif listed:
        desk.out.print(verdict_table(desk, listed, survey.at))
    else:
        desk.say("Nothing differs and nobody is needed." if not filtered else "No such VM.")
    if survey.verdicts:
        desk.say("")
        desk.out.print(sums_table(desk, survey.count))
    if survey.orphans:
        desk.say("")
        desk.out.print(orphan_table(desk, survey.orphans))
        desk.say(Reason.ORPHANED.mend.capitalize() + ".", style="dim")


def _say_pause(pause: Pause) -> str:
    return (
        f"PAUSED since {at(pause.since)} ({pause.why}): nothing is applied until"
        " `vmbackup pause off`."
    )


def _show_brakes(desk: Desk, survey: Survey, settings: Settings, pause: Pause | None) -> None:
    """Say what holds changes back, and how to go on."""
    differing = [v for v in survey.verdicts if v.differs]
    if not differing:
        return
    desk.say("")
    if survey.shrunk:
        desk.say(
            f"STOPPED: {survey.shrunk.before:,} VMs were in scope at the last sweep, now"
            f" {survey.shrunk.now:,}. Nothing is started until somebody approves.",
            style="bold red",
        )
    observed = sum(v.reason is Reason.OBSERVING for v in differing)
    doable = len(differing) - observed
    only = f", {observed:,} only in observe mode" if observed else ""
    budget = settings.limits.changes_per_hour
    over = survey.changes > budget
    rest = "; the rest waits for later hours or an approval" if over else ""
    desk.say(
        f"Plan {survey.hash[:12]}: {number(doable, 'VM')} to do{only};"
        f" {number(survey.changes, 'change')} to items that are protected already"
        f" (budget: {budget} an hour{rest})."
    )
    if doable and not pause:
        desk.say("`vmbackup protect` applies it.")
    if survey.shrunk or over:
        desk.say(
            "What is held back goes on after"
            f" `vmbackup approve {survey.hash[:12]}` (valid for 24 hours)."
        )
