"""`vmbackup drill list` and `show`: restore tests that were, and those that are under way."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.text import Text

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.drill_app import find_app
from vmbackup_cli.drill_evidence import BACK, from_evidence, read_past, search
from vmbackup_cli.drill_follow import Json, Look, see
from vmbackup_cli.drill_record import NOTHING, VERDICTS, Body, as_promised, name_of, show_record
from vmbackup_cli.drill_run import EVERY, AppUrl, Looks, exit_of, watch
from vmbackup_cli.one_vm import find_vm
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import at, number, short_span
from vmbackup_core.app.drill.restore_tests import RestoreTests
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.drill.evidence import duration, moment
from vmbackup_core.domain.drill.rungs import Verdict
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import run_mark
from vmbackup_core.domain.ids import VmId

LIST = """
Restore tests that were, as the evidence has them, and those under way.

Examples:

  vmbackup drill list

  vmbackup drill list --since 90d --verdict failed --json
"""
SHOW = """
One restore test in full: its rungs and why, its clocks, what it did and what is left.

WHICH is a run (its key, or the ten digits that `list` shows), or a VM: then
its last test. With --follow a test that is under way is followed to its end;
the exit code is then that of `vmbackup drill run`.

Examples:

  vmbackup drill show web-01

  vmbackup drill show 3f9a17c0b2 --follow
"""
JUST_TAKEN = timedelta(minutes=3)
READABLE = 70  # Columns from which times and verdicts need not be broken.
_SINCE = re.compile(r"(\d{1,4})\s*([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_MARK = re.compile(r"[0-9a-f]{6,32}")


def list_tests(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(metavar="30d", help="How far back: 12h, 30d, 4w.")] = "30d",
    vm: Annotated[str, typer.Option(help="Only tests of this VM (any part of its id).")] = "",
    verdict: Annotated[str, typer.Option(help="proven, failed or not_proven.")] = "",
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    back, wanted = _span(since), _verdict(verdict)
    app = desk.app()
    tests, now = app.restore_tests(), app.clock.now()
    with desk.err.status("Reading the evidence …"):
        bodies = [
            body
            for body in read_past(app.evidence, now - back, now)
            if vm.lower() in body["vm"] and wanted in ("", body["verdict"])
        ]
        running = [run for run in _running(tests) if vm.lower() in str(run.order.vm) and not wanted]
    if as_json:
        under_way = [tests.status(run.order.run) for run in running]
        desk.document({"since": (now - back).isoformat(), "tests": bodies, "running": under_way})
        return Exit.FINE
    if bodies:
        _show_list(desk, bodies)
    else:
        desk.say(f"No restore test ended since {at(now - back)}.")
    if running:
        desk.say("", "Under way or kept:")
        desk.say(*(f"  {_say_running(run)}" for run in running))
    elif not bodies:
        desk.say(
            "`vmbackup drill plan` shows whose turn is next, `vmbackup drill run VM` runs one."
        )
    return Exit.FINE


def show(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(help="A run, or a VM.", show_default=False)],
    follow: Annotated[bool, typer.Option("--follow", help="Follow it to its end.")] = False,
    app_url: AppUrl = "",
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    with desk.err.status("Looking …"):
        run = find_run(app, which)
        status = app.restore_tests().status(run) or from_evidence(app, run)
    if status is None or "record" not in status:
        if follow:
            return _follow(desk, app, run, status, app_url, as_json=as_json)
        if status is None:
            raise Misused(_unknown(run))
    if as_json:
        desk.document(status)
    elif "record" in status:
        show_record(desk, status["record"], app.restore_tests().runs.glance(run))
    else:
        _show_running(desk, status)
    return exit_of(status["record"]) if follow else Exit.FINE


def find_run(app: App, which: str) -> str:
    """
    Return the key of the run that `which` names: a key, its first digits, or a VM's last test.

    Raises Misused where there is none, or where several bear the name.
    """
    if which.startswith("drill-"):
        return which
    tests, wanted = app.restore_tests(), which.lower()
    histories = tests.records.histories(BACK, keep=False)
    running = {run.order.vm: run.order.run for run in _running(tests)}
    last = {vm: one.runs[-1] for vm, one in histories.vms.items() if one.runs} | running
    if _MARK.fullmatch(wanted):
        runs = {run for one in histories.vms.values() for run in one.runs} | {*running.values()}

        def begins_so(run: str) -> bool:
            return run.rpartition("-")[2].startswith(wanted)

        found = sorted(
            filter(begins_so, runs) if any(map(begins_so, runs)) else search(app, begins_so)
        )
        if len(found) == 1:
            return found[0]
        if found:
            raise Misused("several runs begin so:" + "".join(f"\n  {run}" for run in found))
    return last[_vm(which, last.keys())]


def _vm(which: str, tested: Iterable[VmId]) -> VmId:
    known = tuple(tested)
    vm = find_vm(which, known) if known else None
    if vm is None or vm not in known:
        raise Misused(f"no restore test of {which} is known; `vmbackup drill run {which}` runs one")
    return vm


def _follow(
    desk: Desk, app: App, run: str, status: Json | None, given: str, *, as_json: bool
) -> Exit:
    """Follow by the deployed app where there is one, which tells more, else by the ledger."""
    deployed = find_app(desk, app, given)
    if status is None and deployed is None:
        raise Misused(_unknown(run))
    name = str((status or {}).get("vm", run)).rpartition("/")[2]

    def by_ledger() -> tuple[Json | None, datetime]:
        return app.restore_tests().status(run), app.clock.now() + EVERY

    now = app.clock.now()  # One that was taken just now is known to nobody until it runs.
    looks: Look = Looks(deployed, run, app.clock, now, JUST_TAKEN) if deployed else by_ledger
    after = ("Not followed any more; the restore test goes on.",)
    return watch(desk, app, run, name, looks, after, as_json=as_json)


def _unknown(run: str) -> str:
    return f"no restore test {run} is known; `vmbackup drill list` shows them"


def _running(tests: RestoreTests) -> Iterator[Run]:
    """Yield the runs that have a slot now."""
    for lease in tests.slots.leases():
        if (run := tests.runs.glance(lease.run)) is not None:
            yield run


def _say_running(run: Run) -> str:
    begun = f"{run.order.vm.name}: {run_mark(run.order.run)}, in {run.slot.group} since"
    kept = f", kept until {at(run.kept_until)}" if run.kept_until else ""
    return f"{begun} {at(run.began)}{kept}"


def _show_running(desk: Desk, status: Json) -> None:
    name = str(status["vm"]).rpartition("/")[2]
    desk.say(name, style="bold")
    desk.say(f"It has not ended: it {see(status).at}, since {at(moment(status, 'began'))}.", "")
    table = desk.table("", "")
    table.show_header = False
    for label, words in (
        ("Run", status["run"]),
        ("Slot", str(status["slot"]).rpartition("/")[2]),
        ("Restore jobs", ", ".join(status["jobs"]) or NOTHING),
    ):
        table.add_row(Text(label, style="bold"), Text(words))
    desk.out.print(table)
    desk.say("", f"`vmbackup drill show {status['run']} --follow` follows it.")


def _show_list(desk: Desk, bodies: list[Body]) -> None:
    """Write a row for each test; a narrow terminal has all of it in fewer columns."""
    heads = ("Asked (UTC)", "VM", "Verdict", "Reached")
    more = ("RTO", "RPO", "Ending", "Run") if desk.wide else ("RTO, RPO", "Ending, run")
    table = desk.table(*heads, *more)
    for column in (0, 2) if desk.out.width >= READABLE else ():
        table.columns[column].no_wrap = True
    for body in bodies:
        table.add_row(*_row(body, wide=desk.wide))
    desk.out.print(table)
    counts = Counter(body["verdict"] for body in bodies if as_promised(body))
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    less = len(bodies) - counts.total()
    desk.say("", f"{number(len(bodies), 'restore test')}: {counted}.")
    if less:
        desk.say(f"Not in the sum: {less:,} asked to go less far than the tier asks, so no proof.")


def _row(body: Body, *, wide: bool) -> list[Text]:
    verdict, clocks = body["verdict"], body["clocks"]
    reached = body["reached"] or "nothing"
    if as_promised(body):
        far = f"{reached} of {body['needed']}"
    else:
        far = f"{reached} of {body['tier_rung']} (asked: {body['needed']})"
    # Without a proof it is only how long the way to the last passed rung took.
    rto = _short(clocks["rto"] if verdict == Verdict.PROVEN.name else None)
    rpo = _short(clocks["rpo"])
    ending, mark = Text(body["ending"]), Text(run_mark(body["run"]), style="dim")
    last = [Text(rto), Text(rpo), ending, mark]
    if not wide:
        last = [Text(f"{rto}\n{rpo}"), Text("\n").join((ending, mark))]
    return [
        Text(str(body["asked"])[:16].replace("T", " ")),
        Text(name_of(body)),
        Text(verdict, style=VERDICTS.get(verdict, "") if as_promised(body) else "yellow"),
        Text(far),
        *last,
    ]


def _short(seconds: float | None) -> str:
    found = duration(seconds)
    return NOTHING if found is None else short_span(found)


def _span(text: str) -> timedelta:
    found = _SINCE.fullmatch(text.strip().lower())
    if found is None or not int(found[1]):
        raise Misused(f'--since: "{text}" is no time like 12h, 30d or 4w')
    return int(found[1]) * _UNITS[found[2]]


def _verdict(text: str) -> str:
    name = text.upper().replace("-", "_").replace(" ", "_")
    if name and name not in Verdict.__members__:
        raise Misused(f"--verdict: none is called {text}; there are {', '.join(VERDICTS).lower()}")
    return name
