"""`vmbackup drill slots` and `release`: who has which slot, and what stands in the way of one."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import at, span
from vmbackup_core.app.drill.heartbeat import IN_REACH
from vmbackup_core.app.drill.restore_tests import RestoreTests
from vmbackup_core.domain.drill.leases import Lease
from vmbackup_core.domain.drill.runs import Run
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Rejected
from vmbackup_core.domain.evidence import Kind

SLOTS = """
Every slot that was ever used: whose it is, or why nobody gets it.

Slots that no restore test has used so far do not stand in the ledger.

Example:

  vmbackup drill slots
"""
RELEASE = """
End the quarantine of a slot that somebody has emptied by hand.

It looks first: where anything is left, or a restore may still fill it, the
quarantine stays. The janitor does the same by itself, at its next round.

Example:

  vmbackup drill release vmbackup-drill-westeurope-1
"""


def slots(ctx: typer.Context, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    tests, now = app.restore_tests(), app.clock.now()
    found = [
        (lease, tests.runs.glance(lease.run) if lease.run else None)
        for lease in tests.slots.known()
    ]
    last = tests.heartbeat.last()
    if as_json:
        looked = last.isoformat() if last else None
        listed = [_json(lease, run) for lease, run in found]
        desk.document({"janitor": looked, "slots": listed})
        return Exit.FINE
    if not found:
        desk.say(
            "No slot was ever used: no restore test has begun yet.",
            "`vmbackup drill plan` shows when the first ones do, `vmbackup drill run VM` runs one.",
        )
        _show_janitor(desk, last, now)
        return Exit.FINE
    table = desk.table("Slot", "Subscription", "Stands", "Why")
    for lease, run in found:
        stands, style, why = _say(lease, run, now)
        where = lease.slot.place.subscription
        table.add_row(lease.slot.group, Text(where), Text(stands, style=style), Text(why))
    desk.out.print(table)
    _say_what_to_do(desk, [lease for lease, _ in found if lease.quarantined])
    _show_janitor(desk, last, now)
    return Exit.FINE


def release(
    ctx: typer.Context,
    slot: Annotated[
        str, typer.Argument(help="As `slots` shows it, or its id.", show_default=False)
    ],
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    tests = app.restore_tests()
    found = _find(slot, tests)
    with desk.err.status("Looking whether it is empty …"):
        why = tests.janitor.lift(found)
    if why:
        raise Rejected(
            f"{found.group} is not released: {why}. `vmbackup drill slots` says what to do next."
        )
    app.evidence.append(Kind.CONTROL, "slot", {"did": "released", "slot": str(found)})
    if as_json:
        desk.document({"released": str(found)})
    else:
        desk.say(f"{found.group} is empty, and free for the next restore test.")
    return Exit.FINE


def _find(wanted: str, tests: RestoreTests) -> Slot:
    known = [lease.slot for lease in tests.slots.known()]
    name = wanted.lower().rstrip("/")
    found = [slot for slot in known if name in (slot.group, slot.id)]
    match found:
        case [slot]:
            return slot
        case []:
            raise Misused(f"no slot {wanted} is known; `vmbackup drill slots` lists them")
        case _:
            listed = "".join(f"\n  {slot.id}" for slot in found)
            raise Misused(f"{wanted} is the name of several:{listed}")


def _say(lease: Lease, run: Run | None, now: datetime) -> tuple[str, str, str]:
    """Return how a slot stands, in which style, and why."""
    if lease.quarantined:
        since = f", since {at(lease.since)}" if lease.since else ""
        return "QUARANTINED", "bold red", f"{lease.quarantined}{since}"
    if not lease.run:
        return "free", "green", ""
    whose = f"{run.order.vm.name}, {lease.run}" if run else lease.run
    if run is not None and run.kept_until is not None:
        return "kept", "yellow", f"{whose}, until {at(run.kept_until)}"
    if lease.expired(now):
        return "abandoned", "yellow", f"{whose}: not heard of any more, the janitor cleans up"
    return "in use", "cyan", whose


def _say_what_to_do(desk: Desk, quarantined: list[Lease]) -> None:
    """Say how each quarantined slot is put to use again."""
    if not quarantined:
        return
    desk.say(
        "",
        "Nobody gets a quarantined slot. vmbackup removes nothing in it that is not of a restore"
        " test; so for each:",
    )
    for lease in quarantined:
        slot = lease.slot
        where = f"--resource-group {slot.group} --subscription {slot.place.subscription}"
        desk.say(f"  az resource list {where} --output table")
    desk.say(
        "shows what lies in it. Find out whose that is, and empty it; then the janitor's next round"
        " gives the slot out again, or `vmbackup drill release SLOT` at once."
    )


def _show_janitor(desk: Desk, last: datetime | None, now: datetime) -> None:
    if last is not None and now - last <= IN_REACH:
        desk.say("", f"The janitor looked last at {at(last)}.")
        return
    when = f"for {span(now - last)}" if last else "so far"
    desk.say(
        "",
        f"No janitor has looked at this ledger {when}: see whether the deployed app runs"
        " (VMBACKUP_JANITOR_SCHEDULE).",
        style="yellow",
    )


def _json(lease: Lease, run: Run | None) -> dict[str, Any]:
    return {
        "slot": lease.slot.group,
        "id": str(lease.slot),
        "subscription": lease.slot.place.subscription,
        "location": lease.slot.place.location,
        "free": lease.free,
        "run": lease.run,
        "vm": str(run.order.vm) if run else None,
        "until": lease.until.isoformat() if lease.until else None,
        "kept_until": run.kept_until.isoformat() if run and run.kept_until else None,
        "quarantined": lease.quarantined,
        "quarantined_by": lease.quarantined_by,
        "since": lease.since.isoformat() if lease.since else None,
    }
