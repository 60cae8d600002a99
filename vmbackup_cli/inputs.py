"""`vmbackup kept` and `vmbackup deadletters`: what came in and could not be used."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import at, number
from vmbackup_core.app.intake import Kept
from vmbackup_core.ports import Blob, Blobs

KEPT = "Inputs that could not be understood: kept with their bytes, never lost."
DEAD = """
Events that Event Grid could not deliver, and laid down.

They only told when to look: the sweep finds the same by itself.
"""
Name = Annotated[str, typer.Argument(help="As `list` shows it, or its unmistakable part.")]

kept = typer.Typer(help=KEPT, no_args_is_help=True)
deadletters = typer.Typer(help=DEAD, no_args_is_help=True)


@kept.command("list", help="List what is kept, oldest day first.")
def list_kept(ctx: typer.Context, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    found = list(desk.app().intake.kept())
    if as_json:
        desk.document({"kept": [_kept_json(one) for one in found]})
    elif not found:
        desk.say("Nothing is kept: every input was understood.")
    else:
        table = desk.table("Name", "At", "Bytes", "Why")
        for one in found:
            table.add_row(one.name, at(one.at), f"{len(one.content):,}", one.why)
        desk.out.print(table)
        desk.say(f"{len(found)} kept of {desk.app().notebook.tallied('kept')} that came.")
    return Exit.FINE


@kept.command("show", help="Show one kept input with all its bytes.")
def show_kept(ctx: typer.Context, name: Name, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    found = {one.name: one for one in desk.app().intake.kept()}
    one = found[_unmistakable(name, list(found))]
    if as_json:
        desk.document(_kept_json(one) | {"content": _readable(one.content)})
        return Exit.FINE
    desk.say(f"{one.name}, {at(one.at)}", one.why, "")
    desk.out.file.write(_readable(one.content) + "\n")
    return Exit.FINE


def _kept_json(one: Kept) -> dict[str, Any]:
    return {"name": one.name, "at": one.at.isoformat(), "why": one.why, "bytes": len(one.content)}


def _readable(content: bytes) -> str:
    """Return JSON indented, other text as it is, and anything else with escapes."""
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except ValueError:
        return content.decode("utf-8", errors="backslashreplace")


@deadletters.command("list", help="List the undelivered events.")
def list_dead(ctx: typer.Context, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    found = [_dead_json(blob, event) for blob in _letters(_container(desk)) for event in _in(blob)]
    if as_json:
        desk.document({"deadletters": found})
        return Exit.FINE
    if not found:
        desk.say("No dead letters: Event Grid has delivered everything.")
        return Exit.FINE
    table = desk.table("Name", "Event", "About", "Why", "Tries")
    for one in found:
        event = f"{one['time'][:16]} {one['type']}"
        table.add_row(one["name"], event, one["subject"], one["reason"], str(one["attempts"]))
    desk.out.print(table)
    desk.say(f"{number(len(found), 'event')}; the sweep has looked at these VMs since, or will.")
    return Exit.FINE


@deadletters.command("show", help="Show one blob of undelivered events whole.")
def show_dead(ctx: typer.Context, name: Name, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    blobs = _container(desk)
    whole = _unmistakable(name, list(blobs.names("")))
    if (blob := blobs.read(whole)) is None:
        raise Misused(f"{whole} is gone")
    if as_json:
        desk.document({"name": whole, "events": _in(blob)})
    else:
        desk.out.file.write(_readable(blob.content) + "\n")
    return Exit.FINE


def _container(desk: Desk) -> Blobs:
    blobs = desk.app().deadletters
    if blobs is None:
        raise Misused(
            "this deployment has no container for dead letters: its state lies in a local"
            " directory (VMBACKUP_STATE_DIR), and Event Grid lays them down on Azure storage"
        )
    return blobs


def _letters(blobs: Blobs) -> Iterator[Blob]:
    for name in blobs.names(""):
        if (blob := blobs.read(name)) is not None:
            yield blob


def _in(blob: Blob) -> list[dict[str, Any]]:
    """Return the events of one blob: an array of them, as Event Grid writes it."""
    found = json.loads(blob.content)
    return found if isinstance(found, list) else [found]


def _dead_json(blob: Blob, event: dict[str, Any]) -> dict[str, Any]:
    """Return what matters of an event in either schema; its data, with names in it, stays out."""
    return {
        "name": blob.name,
        "id": event.get("id", ""),
        "type": event.get("eventType") or event.get("type", ""),
        "subject": event.get("subject", ""),
        "time": event.get("eventTime") or event.get("time", ""),
        "reason": event.get("deadLetterReason") or event.get("deadletterreason", ""),
        "attempts": event.get("deliveryAttempts") or event.get("deliveryattempts", 0),
        "outcome": event.get("lastDeliveryOutcome") or event.get("lastdeliveryoutcome", ""),
    }


def _unmistakable(name: str, names: list[str]) -> str:
    """Return the one of `names` that is, or holds, `name`; raises Misused for none or several."""
    found = [name] if name in names else [one for one in names if name in one]
    match found:
        case [one]:
            return one
        case []:
            raise Misused(f"there is none called {name}")
        case _:
            listed = "\n".join(f"  {one}" for one in found)
            raise Misused(f"{name} is the name of several:\n{listed}")
