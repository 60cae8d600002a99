"""The demo's results as people read them, best on 100 columns; 80 will do."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmbackup_cli.alerts_view import Thing
from vmbackup_cli.demo_day import Day
from vmbackup_cli.demo_night import Body, Night, describe
from vmbackup_cli.demo_week import FORM, Week, began, ended
from vmbackup_cli.words import number
from vmbackup_core.domain.drill.reasons import Ending, ProofReason
from vmbackup_core.domain.drill.rungs import Mark
from vmbackup_core.domain.drill.rungs import Verdict as Worth
from vmbackup_core.domain.drill.slots import PREFIX
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.telling.tellings import Telling
from vmbackup_core.domain.verdicts import Verdict

ROOMY = 100  # Columns from which a table has all it could have.
_STANDINGS = {Standing.DONE: "green", Standing.HUMAN: "yellow", Standing.WORK: "red"}
_WORTHS = {Worth.PROVEN: "green", Worth.FAILED: "bold red", Worth.NOT_PROVEN: "yellow"}


def show_day(console: Console, day: Day) -> None:
    """Write who is protected, why the rest is not, and what it comes to."""
    table = _table("Who is protected, and why the rest is not")
    for heading in ("VM", "protected in", "policy", "after", "reason"):
        table.add_column(heading, no_wrap=True)
    verdicts = sorted(day.verdicts, key=lambda v: (v.reason.standing, v.reason.name, v.vm))
    for v in verdicts:
        reason = Text(v.reason.name, style=_STANDINGS.get(v.reason.standing, "dim"))
        table.add_row(v.name, v.vault or "-", v.policy or "-", _lag(day, v), reason)
    console.print()
    console.print(table)
    console.print()
    shown = {v.reason: None for v in verdicts if v.reason is not Reason.PROTECTED}
    _legend(console, ((reason.name, reason.text) for reason in shown))
    s = day.summary
    lag, events = s["protection_lag_seconds"], s["events"]
    people = sum(v.reason.standing is Standing.HUMAN for v in day.verdicts)
    bare = ", ".join(f"{reason} {vms}" for reason, vms in s["unprotected"].items())
    console.print(
        f"\n{s['vms']} VMs, {s['in_scope']} in scope: [green]{s['protected']} protected[/], "
        f"{sum(s['unprotected'].values())} unprotected, {people} need a person\n"
        f"  {bare}\n"
        f"protection lag: median {lag['p50']:.0f} s, 95 % {lag['p95']:.0f} s, "
        f"longest {lag['max']:.0f} s\n"
        f"events: {events['sent']} sent, {events['lost']} lost, {events['duplicated']} doubled\n"
    )
    for verdict in day.missed:
        console.print(f"[red]MISSED[/] {verdict.name}: {verdict.reason.name}")


def _lag(day: Day, verdict: Verdict) -> str:
    seconds = day.protected_after.get(str(verdict.vm))
    if seconds is None:
        return "before" if verdict.protected else "-"
    return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"


def show_night(console: Console, night: Night) -> None:
    """Write what became of each restore test, and what it comes to."""
    table = _table("Which backups restore, told by restoring them")
    more = ("system", "from") if console.width >= ROOMY else ()
    for heading in ("VM", *more, "verdict", "reached"):
        table.add_column(heading, no_wrap=True)
    for heading in ("RTO", "RPO"):
        table.add_column(heading, no_wrap=True, justify="right")
    table.add_column("what came of it")
    records = sorted(night.records, key=lambda body: (body["location"], body["vm"]))
    for body in records:
        name, system, source, *rest = _row(body, night)
        table.add_row(name, *((system, source) if more else ()), *rest)
    console.print()
    console.print(table)
    drills, rto = night.summary["drills"], night.summary["rto_seconds"]
    untils = (body["kept_until"] for body in records if body["kept_until"])
    until = max((f"{datetime.fromisoformat(one):%H:%M}" for one in untils), default="-")
    controls = ", ".join(f"{n} {one}" for one, n in night.summary["negative_controls"].items())
    console.print(
        f"\n{drills['planned']} restore tests: [green]{drills['passed']} proven[/], "
        f"[red]{drills['failed']} failed[/], [yellow]{drills['not_run']} not proven[/]; "
        f"RTO: median {_span(rto['p50'])}, longest {_span(rto['max'])}\n"
        f"negative controls (a check that must fail): {controls}\n"
        f"kept for a person until {until}: {describe(night.kept)}\n"
        f"left in Azure in the end: [{'bold red' if night.left else 'green'}]"
        f"{describe(night.left)}[/]"
    )
    for one in sorted(night.left):
        console.print(f"[bold red]LEFT[/] {one}", soft_wrap=True)


def _row(body: Body, night: Night) -> tuple[Text | str, ...]:
    point, worth, clocks = body["point"], Worth[body["verdict"]], body["clocks"]
    words = [_outcome(body)]
    if body["control"]:
        words.append(f"control {body['control']}")
    if body["kept_until"]:
        words.append("kept")
    return (
        VmId.parse(body["vm"]).name,
        night.systems.get(body["vm"].lower(), "-"),
        "-" if point is None else "vault" if point["from_vault"] else "snapshot",
        Text(worth.name.replace("_", " ").lower(), style=_WORTHS[worth]),
        body["reached"] or "-",
        _span(clocks["rto"] if worth is Worth.PROVEN else None),
        _span(clocks["rpo"]),
        ", ".join(words),
    )


def _outcome(body: Body) -> str:
    """Return in words what failed, else why a test went no further, else that it went as asked."""
    failed = next((rung["reason"] for rung in body["rungs"] if rung["mark"] == Mark.FAIL), None)
    if failed is not None:
        return ProofReason[failed].value.text
    return "as asked" if body["ending"] == Ending.COMPLETED.name else Ending[body["ending"]].text


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.0f} h"


def show_week(console: Console, week: Week, out: Path) -> None:
    """Write what was wrong with backups, who heard of it how often, and what it comes to."""
    table = _table("What went wrong, and how often somebody was told")
    table.add_column("what", no_wrap=True)
    table.add_column("why", ratio=1)
    for heading in ("since", "until"):
        table.add_column(heading, no_wrap=True)
    table.add_column("mails")
    for thing in week.things:
        end = ended(thing)
        until = Text("lasts", "red") if end is None else f"{end:{FORM}}"
        name = thing.name.replace(f"{PREFIX}-", "")  # Of a slot of restore tests.
        table.add_row(name, thing.cause, f"{began(thing):{FORM}}", until, _mails_of(thing))
    console.print()
    console.print(table)
    s = week.summary
    incidents, twice = s["incidents"], s["duplicates"]
    quiet = sum(not one.told for one in week.things)
    missed, lost = number(s["missed_backups"], "backup"), number(week.undelivered, "mail")
    console.print(
        f"\n{number(incidents['opened'], 'incident')} told, {incidents['recovered']} of them over; "
        f"over before anybody had to be told: {quiet}\n"
        f"{missed} never started\n"
        f"{number(s['mails'], 'mail')}, digests among them; "
        f"told twice: [{'bold red' if twice else 'green'}]{twice}[/]; "
        f"{lost} did not arrive and went to somebody else"
    )
    for name in sorted(week.suspected ^ week.failed):
        console.print(f"[bold red]WRONG[/] {name}: its backups are not as Azure has them")


_TELLINGS = {
    Telling.OPENED: ("opened", ""),
    Telling.REMINDER: ("reminder", "reminders"),
    Telling.ESCALATED: ("escalated", ""),
    Telling.RECOVERED: ("over", ""),
}


def _mails_of(thing: Thing) -> str:
    """Say what was told of an incident, in the order of its life."""
    told = Counter(one.telling for one in thing.told)
    said = [
        number(told[kind], *words) if kind is Telling.REMINDER else words[0]
        for kind, words in _TELLINGS.items()
        if told[kind]
    ]
    if thing.muted_until is not None and not thing.over:
        said.append("muted")
    return ", ".join(said) or "none"


_LEFT = {
    "outbox/": "the mails: .eml for a mail program, .html for a browser",
    "evidence/": "what was decided and done, in chains of hashes",
    "timeline.jsonl": "every decision as it was made",
    "summary.json": "the numbers",
    "state/, ledger/": "what the app remembers",
}


def show_end(console: Console, summary: Mapping[str, Any], out: Path, seconds: float) -> None:
    """Write what it took, and where to look next."""
    console.print(
        f"\n{summary['arm_calls']:,} ARM calls; {summary['errors']} errors; "
        f"{seconds:.0f} s of real time"
    )
    console.print(f"\nLeft in {out}/:", soft_wrap=True)
    _legend(console, _LEFT.items())
    console.print()
    console.print("To look at it:")
    vmbackup = "vmbackup" if shutil.which("vmbackup") else ".venv/bin/vmbackup"
    for command in (
        f"{vmbackup} --demo {out} alerts list --all",
        f"{vmbackup} --demo {out} alerts show web-old-4",
        f"{vmbackup} --demo {out} drill list",
        f"{vmbackup} --demo {out} drill show erp-4",
        f"{vmbackup} evidence verify {out}/evidence",
        f"less {out}/timeline.jsonl",
    ):
        console.print(f"  {command}", highlight=False, markup=False, soft_wrap=True)


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )


def _legend(console: Console, codes: Iterable[tuple[str, str]]) -> None:
    for code, text in codes:
        console.print(Text.assemble((f"  {code:<20}", "dim"), text), soft_wrap=True)
