"""`vmbackup drill run`: one restore test that somebody wants now, in the deployed app or here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.drill_app import DeployedApp, find_app
from vmbackup_cli.drill_follow import Json, Look, board, follow
from vmbackup_cli.drill_record import show_record
from vmbackup_cli.one_vm import find_vms
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import at, span
from vmbackup_core.app.drill.asking import Faults, Wish, parse_wish
from vmbackup_core.app.drill.heartbeat import IN_REACH
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.ready import LEASE
from vmbackup_core.domain.drill.rungs import Verdict
from vmbackup_core.domain.errors import Rejected, Retryable
from vmbackup_core.domain.ids import VmId
from vmbackup_core.ports import Clock

RUN = """
Restore one VM into isolation now, and see how far its backup is proven.

Asks the deployed app (VMBACKUP_APP_URL, or --app) to do it, and follows.
Ctrl-C ends the following, not the test.

With --local it is driven from here: only where a janitor has looked at the
same ledger within the hour, because somebody must clean up if this machine
goes away.

Exit code 0 when it is PROVEN, else 1.

Examples:

  vmbackup drill run web-01

  vmbackup drill run rg-prod/web-01 --point vault --rung checks --keep 4h

  vmbackup drill run web-01 --rung disks --local --yes --json
"""
EVERY = timedelta(seconds=15)  # Between two looks at what the deployed app says.
UNHEARD = timedelta(minutes=15)  # After so long an accepted test should have begun.
DEAF = 20  # So many looks in a row may fail.

AppUrl = Annotated[
    str, typer.Option("--app", metavar="URL", help="The deployed app, else VMBACKUP_APP_URL.")
]


def run(
    ctx: typer.Context,
    vm: Annotated[str, typer.Argument(help="Name, group/name or ARM id.", show_default=False)],
    point: Annotated[
        str,
        typer.Option(help=f"The name of a recovery point, or one of {', '.join(Strategy)}."),
    ] = str(Strategy.LATEST),
    rung: Annotated[
        str,
        typer.Option(
            help="How far: 0 point, 1 disks, 2 boot, 3 checks, 4 canary.",
            show_default="as its tier asks",
        ),
    ] = "",
    keep: Annotated[
        str,
        typer.Option(
            metavar="4h",
            help="Keep the copy so long for a person, also when it passes; at most 24h.",
            show_default="as configured",
        ),
    ] = "",
    app_url: AppUrl = "",
    local: Annotated[
        bool, typer.Option("--local", help="Drive it from here, without the deployed app.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    if local and app_url:
        raise Misused("--local and --app exclude each other: who is to run it?")
    deployed = None if local else _deployed(desk, app, app_url)
    with desk.err.status("Looking …"):
        (found,) = find_vms([vm], app)
    given = {"vm": str(found), "point": point, "rung": rung or None, "keep": keep or None}
    wish = parse_wish(json.dumps(given).encode())
    if isinstance(wish, Faults):
        raise Misused("\n".join(f"--{fault}" for fault in wish.faults))
    _hold_back(app)
    order = None if deployed else _order(app, wish)
    if not yes and not _agreed(desk, wish, order):
        desk.tell("Nothing was done.")
        return Exit.FAILED
    if deployed is not None:
        begun = deployed.begin({name: value for name, value in given.items() if value})
        looks: Look = Looks(deployed, begun, app.clock, app.clock.now())
        after = (
            f"Not followed any more; the restore test goes on in {deployed.url}.",
            f"`vmbackup drill show {begun} --follow` follows it again.",
        )
    else:
        assert order is not None
        begun, looks = order.run, Turns(app, order)
        after = (
            "Interrupted: nobody takes the turns of this restore test any more. What was sent goes"
            " on in Azure without us.",
            f"The janitor removes it, at the latest {span(LEASE)} after its last sign of life"
            f" (`vmbackup drill show {begun}`).",
        )
    if not as_json:
        desk.tell(f"Restore test {begun}")
    return watch(desk, app, begun, found.name, looks, after, as_json=as_json)


def watch(
    desk: Desk,
    app: App,
    run: str,
    name: str,
    looks: Look,
    interrupted: tuple[str, ...],
    *,
    as_json: bool,
) -> Exit:
    """Follow a restore test to its end, and show its record; Ctrl-C says what was interrupted."""
    try:
        with board(desk, name, app.clock) as shown:
            body = follow(looks, shown, app.clock)
    except KeyboardInterrupt:
        if as_json:
            desk.document({"run": run, "record": None, "interrupted": True})
        desk.tell("", *interrupted)
        return Exit.FAILED
    if as_json:
        desk.document({"run": run, "record": body, "interrupted": False})
    else:
        show_record(desk, body)
    return exit_of(body)


def exit_of(body: Mapping[str, Any]) -> Exit:
    return Exit.FINE if body["verdict"] == Verdict.PROVEN.name else Exit.FAILED


def _deployed(desk: Desk, app: App, given: str) -> DeployedApp:
    found = find_app(desk, app, given)
    if found is None:
        raise Misused(
            "which deployed app is to run it? Set VMBACKUP_APP_URL or say --app URL;"
            " or drive it from here with --local"
        )
    return found


def _hold_back(app: App) -> None:
    """Raise Rejected while everything is paused: the test would end before it began."""
    if (pause := app.notebook.pause()) is not None:
        raise Rejected(
            f"PAUSED since {at(pause.since)} ({pause.why or 'no reason given'}):"
            " nothing is restored until `vmbackup pause off`."
        )


def _order(app: App, wish: Wish) -> DrillOrder:
    """Return what is to be driven from here, where that is safe."""
    tests = app.restore_tests()
    if tests.planning is None:
        raise Misused("no restore tests are configured: add [drills] (docs/configuration.md)")
    if not tests.heartbeat.in_reach():
        last = tests.heartbeat.last()
        looked = f"it looked last at {at(last)}" if last else "none has ever looked at this ledger"
        raise Rejected(
            f"no janitor is in reach: {looked}; it must have within {span(IN_REACH)}. Let the"
            " deployed app run and name its storage account (VMBACKUP_STORAGE_ACCOUNT), or ask the"
            " app itself (VMBACKUP_APP_URL): it cleans up if this machine goes away."
        )
    order = tests.planning.asking.order(wish)
    if isinstance(order, Faults):
        raise (Misused if order.wrong_call else Rejected)("; ".join(order.faults))
    return order


def _agreed(desk: Desk, wish: Wish, order: DrillOrder | None) -> bool:
    desk.tell(*_plan(wish, order))
    if not desk.interactive:
        raise Misused("nobody is here to agree to a restore: say --yes")
    return desk.confirm(f"Restore {wish.vm.name} for a test?")


def _plan(wish: Wish, order: DrillOrder | None) -> list[str]:
    """Say what is going to happen; of a test in the deployed app, what is known of it here."""
    vm: VmId = wish.vm
    point = f"recovery point {wish.point}" if wish.point else f"recovery point: {wish.strategy}"
    rung = order.needed if order else wish.rung
    keep = wish.keep or (order.keep if order else None)
    far = (
        f"up to rung {int(rung)} ({rung.name.lower()})" if rung is not None else "as its tier asks"
    )
    lines = [
        f"{vm.name} ({vm.group}) is restored into an isolated slot of its subscription, {far}.",
        f"  {point}",
    ]
    if order and order.cap < order.needed:
        lines.append(f"  capped at {order.cap.name.lower()}: {order.capped_by}")
    if keep:
        whenever = "whatever comes of it" if wish.keep else "if it fails"
        lines.append(f"  its copy is kept for {span(keep)}, {whenever}")
    return [*lines, "Production is not touched. The copy runs the guest's own tasks."]


@dataclass(slots=True)
class Looks:
    """Looks at what the deployed app says of a run that it took at `since`, if it did."""

    app: DeployedApp
    run: str
    clock: Clock
    since: datetime
    patience: timedelta = UNHEARD
    failed: int = 0
    last: Json | None = None

    def __call__(self) -> tuple[Json | None, datetime]:
        now = self.clock.now()
        try:
            found = self.app.status(self.run)
        except Retryable as error:
            self.failed += 1
            if self.failed > DEAF:
                raise Retryable(
                    f"{error}; the restore test goes on by itself: `vmbackup drill show {self.run}`"
                    " reads the ledger for it"
                ) from error
            return self.last, now + max(error.after or EVERY, EVERY)
        self.failed = 0
        self.last = found or self.last
        if self.last is None and now - self.since > self.patience:
            raise Rejected(
                f"{self.app.url} has begun nothing of {self.run} since {at(self.since)}:"
                " see whether its functions run, and whether that is the run"
            )
        return self.last, now + EVERY


@dataclass(slots=True)
class Turns:
    """Takes the turns itself, as the durable engine of the deployed app would."""

    app: App
    order: DrillOrder
    given: Json = field(default_factory=dict)
    failed: int = 0

    def __call__(self) -> tuple[Json | None, datetime]:
        workflows, now = self.app.workflows, self.app.clock.now()
        self.given = self.given or workflows.first_drill(self.order)
        try:
            self.given = workflows.turn(self.given)
        except Retryable as error:  # A turn may be taken twice.
            self.failed += 1
            if self.failed > DEAF:
                raise
            return self._standing(), now + max(error.after or EVERY, EVERY)
        self.failed = 0
        until = self.given["until"]
        if until is not None:
            return self._standing(), datetime.fromisoformat(until)
        ended = self.app.restore_tests().status(self.order.run)
        if ended is None or "record" not in ended:
            raise Retryable(f"the record of {self.order.run} could not be written")
        return ended, now

    def _standing(self) -> Json:
        now = self.given if "because" in self.given else None
        return {"state": "running", "now": now}
