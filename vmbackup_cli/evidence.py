"""`vmbackup evidence`: read what was decided and done, and check that nobody changed it since."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from vmbackup_cli.chains import Chain, check, in_folder, in_store
from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.heads import Compared, compare, read_heads
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import number
from vmbackup_core.domain.drill.evidence import CLEANED, LIFTED, QUARANTINED
from vmbackup_core.domain.evidence import Kind
from vmbackup_core.ports import Blobs

VERIFY = """
Check every chain of evidence, link by link; names the first broken one of each.

With a DIRECTORY (a copy of the evidence) it works offline, without any service. Without one it
reads the evidence of this deployment. A tail that was cut off shows only by heads that were kept
elsewhere: --heads takes a daily mail to the operators (as .eml, or its text), or what
`evidence verify --json` wrote before, and says what is missing since.

Exit code 1 when a chain is broken or cut off, or when there is no evidence at all: then nothing is
proven.

Examples:

  vmbackup evidence verify

  vmbackup evidence verify demo-out/evidence --json

  vmbackup evidence verify --heads monday.eml --heads tuesday.eml
"""
SHOW = """
Show what was decided and done, newest last.

Examples:

  vmbackup evidence show --vm web-01

  vmbackup evidence show --kind sweep --month 2026-03 --last 5 --json
"""
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

evidence = typer.Typer(help="Read and check what was decided and done.", no_args_is_help=True)


@evidence.command("verify", help=VERIFY)
def verify(
    ctx: typer.Context,
    directory: Annotated[
        Path | None, typer.Argument(help="A copy of the evidence, or a folder above it.")
    ] = None,
    heads: Annotated[
        list[Path] | None,
        typer.Option(help="A file with heads that were kept elsewhere; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    if directory is not None and not directory.is_dir():
        raise Misused(f"{directory} is no directory")
    kept = [head for path in heads or () for head in read_heads(path)]
    with desk.err.status("Checking …"):
        found = in_folder(directory) if directory else in_store(desk.app().evidence.blobs)
        chains = check(found, {head.seq for head in kept})
    compared = compare(kept, chains)
    # Where there is not a single record, nothing is proven: of a new deployment as of a wrong copy.
    holds = bool(chains) and not any(c.broken for c in chains) and not any(c.why for c in compared)
    if as_json:
        listed = [_chain_json(chain) for chain in chains]
        desk.document(
            {"holds": holds, "chains": listed, "heads": [_head_json(one) for one in compared]}
        )
        return Exit.FINE if holds else Exit.FAILED
    if chains:
        _show_chains(desk, chains)
    else:
        _say_nothing_there(desk, directory)
    _show_heads(desk, compared, chains)
    return Exit.FINE if holds else Exit.FAILED


def _say_nothing_there(desk: Desk, directory: Path | None) -> None:
    if directory:
        desk.say(
            f"No evidence in {directory}: nothing is proven.",
            "It lies in folders such as drill/2026-03 below the container `evidence`.",
        )
    else:
        desk.say(
            "There is no evidence yet: nothing is proven.",
            "The first sweep writes some. Else see whether VMBACKUP_STORAGE_ACCOUNT (or"
            " VMBACKUP_STATE_DIR) names the deployment that is meant.",
        )


def _show_heads(desk: Desk, compared: tuple[Compared, ...], chains: list[Chain]) -> None:
    """Say what became of the heads that were kept; where none was, what that leaves open."""
    for one in compared:
        if one.why:
            desk.say(f"CUT OFF OR CHANGED: {one.head.chain}: {one.why}.", style="bold red")
    missing = sum(bool(one.why) for one in compared)
    if compared and not missing:
        desk.say(f"{number(len(compared), 'head')} kept elsewhere: every one is still there.")
    elif not compared and chains and not any(chain.broken for chain in chains):
        desk.say(
            "A cut tail or a missing chain is not visible here: compare with heads kept elsewhere"
            " (--heads FILE)."
        )


def _head_json(one: Compared) -> dict[str, Any]:
    head = one.head
    return {
        "chain": head.chain,
        "records": head.seq,
        "head": head.hash,
        "holds": not one.why,
        "why": one.why,
    }


def _show_chains(desk: Desk, chains: list[Chain]) -> None:
    table = desk.table("Chain", "Records", "Head", "")
    table.columns[1].justify = "right"
    for chain in chains:
        verdict = (
            Text(f"BROKEN at {chain.broken.seq}: {chain.broken.why}", style="bold red")
            if chain.broken
            else Text("holds", style="green")
        )
        table.add_row(chain.name, f"{chain.records:,}", chain.head[:16], verdict)
    desk.out.print(table)
    broken = sum(chain.broken is not None for chain in chains)
    total = number(sum(chain.records for chain in chains), "record")
    if broken:
        desk.say(f"{broken} of {number(len(chains), 'chain')} broken.", style="bold red")
    else:
        desk.say(f"{number(len(chains), 'chain')} with {total}: every link holds.")


def _chain_json(chain: Chain) -> dict[str, Any]:
    broken = {"seq": chain.broken.seq, "why": chain.broken.why} if chain.broken else None
    return {
        "chain": chain.name,
        "records": chain.records,
        "head": chain.head,
        "holds": chain.broken is None,
        "broken": broken,
    }


@evidence.command("show", help=SHOW)
def show(
    ctx: typer.Context,
    kind: Annotated[Kind | None, typer.Option(help="Only records of this kind.")] = None,
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Only records of this month.")] = "",
    vm: Annotated[str, typer.Option(help="Only records about this VM (any part of its id).")] = "",
    last: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 20,
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    if month and _MONTH.fullmatch(month) is None:
        raise Misused(f'--month: "{month}" is no month like 2026-03')
    blobs = desk.app().evidence.blobs
    with desk.err.status("Reading …"):
        found = [
            record
            for one in ([kind] if kind else Kind)
            for record in islice(_newest(blobs, one, month, vm.lower()), last)
        ]
    records = sorted(found, key=lambda r: (str(r["at"]), r["kind"], r["seq"]))[-last:]
    if as_json:
        desk.document({"records": records})
    elif not records:
        desk.say("No such record.")
    else:
        _show_records(desk, records)
    return Exit.FINE


def _newest(blobs: Blobs, kind: Kind, month: str, vm: str) -> Iterator[Mapping[str, Any]]:
    """Yield the records that are asked for, newest first; reads no more of them than are taken."""
    prefix = f"{kind}/{month}/" if month else f"{kind}/"
    for name in sorted(blobs.names(prefix), reverse=True):
        if (blob := blobs.read(name)) is not None:
            record = json.loads(blob.content)
            if vm in json.dumps(record["body"]).lower():
                yield record


def _show_records(desk: Desk, records: list[Mapping[str, Any]]) -> None:
    table = desk.table("At (UTC)", "Kind", "No.", "What")
    table.columns[0].no_wrap = True
    for record in records:
        at = str(record["at"])[:16].replace("T", " ")
        what = Text(_SAY[Kind(record["kind"])](record["body"]))
        table.add_row(at, record["kind"], str(record["seq"]), what)
    desk.out.print(table)


def _say_protection(body: Mapping[str, Any]) -> str:
    name = str(body["vm"]).rpartition("/")[2]
    did = [entry["text"] for entry in body["did"]]
    return f"{name}: {body['reason']} ({'; '.join([*did, *body['because']])})"


def _say_sweep(body: Mapping[str, Any]) -> str:
    stopped = "; STOPPED: far less was in scope than before" if body["stopped"] else ""
    return (
        f"{number(body['vms'], 'VM')}, {body['in_scope']:,} in scope, {body['protected']:,}"
        f" protected, {number(len(body['changed']), 'verdict')} changed{stopped}"
    )


def _say_control(body: Mapping[str, Any]) -> str:
    if body.get("did") == "released":
        return f"{str(body['slot']).rpartition('/')[2]}: released from its quarantine"
    return ", ".join(f"{name} {value}" for name, value in body.items())


def _say_drill(body: Mapping[str, Any]) -> str:
    slot = str(body.get("slot") or "").rpartition("/")[2]
    if body["what"] in (QUARANTINED, LIFTED):
        said = "quarantined" if body["what"] == QUARANTINED else "free again"
        return f"{slot}: {said} ({'; '.join(body['because'])})"
    name = str(body["vm"]).rpartition("/")[2]
    if body["what"] == CLEANED:
        backed_up = f", BACKED UP in {body['protected_in']}" if body["protected_in"] else ""
        removed = number(len(body["removed"]), "thing")
        more = f"{removed} removed, {len(body['left']):,} left{backed_up}"
        return f"{name}: cleaned up in {slot} ({more})"
    left = "" if body["clean"] else f", {number(len(body['left']), 'thing')} left"
    reached = body["reached"] or "nothing"
    return f"{name}: {body['verdict']} up to {reached} ({body['ending']}{left})"


_SAY = {
    Kind.PROTECTION: _say_protection,
    Kind.SWEEP: _say_sweep,
    Kind.CONTROL: _say_control,
    Kind.DRILL: _say_drill,
}
