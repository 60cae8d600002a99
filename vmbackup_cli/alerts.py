"""`vmbackup alerts`: what is wrong with backups, who was told, and what the mails look like."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from vmbackup_cli import alerts_help
from vmbackup_cli.alerts_view import (
    Known,
    Thing,
    find_thing,
    incidents_table,
    show_thing,
    thing_json,
)
from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import at, number
from vmbackup_core.app.telling.mails import Mails
from vmbackup_core.domain.evidence import Kind
from vmbackup_core.domain.ids import derive_key
from vmbackup_core.domain.telling.incidents import Notice, notice_of
from vmbackup_core.domain.telling.mutes import Mute, mute_fault
from vmbackup_core.domain.telling.promises import WEAKER
from vmbackup_core.domain.telling.routing import Routing, address_fault, domain_of
from vmbackup_core.domain.telling.tellings import Telling, Told
from vmbackup_core.settings.faults import Unfit
from vmbackup_core.settings.words import parse_duration

_LETTERS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

alerts = typer.Typer(help="What is wrong with backups, and who is told.", no_args_is_help=True)

Incident = Annotated[
    str, typer.Argument(metavar="INCIDENT", help="Its id, or the name of a VM.", show_default=False)
]


def _mails(desk: Desk) -> Mails:
    mails = desk.app().mails()
    if mails is None:
        raise Misused("nobody is told anything: add [mail] (docs/configuration.md)")
    return mails


def _known(desk: Desk, mails: Mails) -> Known:
    watched, _ = mails.book.load()
    return Known(watched, mails.teller, desk.app().clock.now())


@alerts.command("list", help=alerts_help.LIST)
def list_all(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    known = _known(desk, _mails(desk))
    found = [thing for thing in known.things() if every or not thing.over]
    if as_json:
        looked = known.watched.looked
        desk.document(
            {
                "looked": looked.isoformat() if looked else None,
                "incidents": [thing_json(one) for one in found],
            }
        )
        return Exit.FINE
    if known.watched.looked is None:
        desk.say("Nobody has looked yet: the timer `watch` does.")
        return Exit.FINE
    if found:
        desk.out.print(incidents_table(desk, found))
        desk.say("")
    lasting = sum(not one.over for one in found)
    state = number(lasting, "incident") if lasting else "No incident"
    desk.say(f"{state} at the last look, {at(known.watched.looked)}.")
    return Exit.FINE


@alerts.command("show", help=alerts_help.SHOW)
def show(ctx: typer.Context, incident: Incident, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    mails = _mails(desk)
    known = _known(desk, mails)
    thing = find_thing(known, incident)
    if as_json:
        desk.document(thing_json(thing, full=True))
    else:
        show_thing(desk, thing, mails.teller.write(known.watched, _notice(thing, known.now), None))
    return Exit.FINE


@alerts.command("preview", help=alerts_help.PREVIEW)
def preview(
    ctx: typer.Context,
    incident: Incident,
    out: Annotated[Path, typer.Option(help="A file: .html, or .txt for the plain text.")],
    telling: Annotated[
        Telling | None, typer.Option("--as", help="Which mail of it.", show_default="the next")
    ] = None,
) -> Exit:
    desk: Desk = ctx.obj
    if out.suffix not in (".html", ".txt"):
        raise Misused(f"{out} is neither .html nor .txt")
    mails = _mails(desk)
    known = _known(desk, mails)
    thing = find_thing(known, incident)
    notice = _notice(thing, known.now, telling)
    letters = mails.teller.write(known.watched, notice, mails.teller.histories())
    first = letters[0]
    out.write_text(first.html if out.suffix == ".html" else first.plain, encoding="utf-8")
    desk.say(
        f"Subject: {first.subject}", f"To: {', '.join(to for one in letters for to in one.to)}"
    )
    for file in first.attachments:
        beside = out.with_name(file.name)
        beside.write_bytes(file.content)
        desk.say(f"Attached: {beside}")
    desk.say(f"Written to {out}. Nothing was sent.")
    return Exit.FINE


def _notice(thing: Thing, now: datetime, telling: Telling | None = None) -> Notice:
    """Return the telling that would come next, or the one that is asked for, as of now."""
    following = Telling.REMINDER if thing.told else Telling.OPENED
    kind = telling or (Telling.RECOVERED if thing.over else following)
    count = max((one.number for one in thing.told if one.telling is kind), default=0) + 1
    return notice_of(thing.id, Told(kind, count, now), (one.id for one in thing.incidents))


@alerts.command("mute", help=alerts_help.MUTE)
def mute(
    ctx: typer.Context,
    incident: Incident,
    lasts: Annotated[str, typer.Option("--for", metavar="24h", help="90m, 24h, 3d or 2w.")],
    why: Annotated[str, typer.Option(help="Shown beside it.")],
) -> Exit:
    desk: Desk = ctx.obj
    mails = _mails(desk)
    known = _known(desk, mails)
    thing = find_thing(known, incident)
    until = known.now + _span(lasts)
    if fault := mute_fault(until, known.now):
        raise Misused(f"this mute {fault}")
    by = desk.environment.get("USER") or desk.environment.get("USERNAME") or "somebody"
    mails.book.mute(Mute(thing.id, until, by, why), known.now)
    _record(desk, {"did": "muted", "about": thing.id, "until": until.isoformat()})
    desk.say(
        f"{thing.name} is muted until {at(until)}.",
        "It stays in the list and in the digests; if it lasts, it is told then.",
    )
    return Exit.FINE


@alerts.command("unmute", help=alerts_help.UNMUTE)
def unmute(ctx: typer.Context, incident: Incident) -> Exit:
    desk: Desk = ctx.obj
    mails = _mails(desk)
    known = _known(desk, mails)
    thing = find_thing(known, incident)
    if not mails.book.unmute(thing.id, known.now):
        desk.say(f"{thing.name} was not muted.")
        return Exit.FINE
    _record(desk, {"did": "unmuted", "about": thing.id})
    desk.say(f"{thing.name} is muted no more. If it lasts, it is told at the next look.")
    return Exit.FINE


@alerts.command("accept", help=alerts_help.ACCEPT)
def accept(
    ctx: typer.Context,
    incident: Incident,
    why: Annotated[str, typer.Option(help="Kept in the journal.")],
) -> Exit:
    desk: Desk = ctx.obj
    mails = _mails(desk)
    thing = find_thing(_known(desk, mails), incident)
    if not all(one.cause in WEAKER for one in thing.incidents):
        raise Misused(f"{thing.name}: {thing.cause}. That is to be mended, or muted for a while")
    if thing.over:
        raise Misused(f"{thing.name} is over already")
    mails.book.accept(one.subject.id for one in thing.incidents if not one.over)
    _record(desk, {"did": "accepted", "about": thing.id})
    desk.app().journal.note("event", thing.id, f"accepted as it is: {why}")
    desk.say(f"What {thing.name} promises at the next look is the promise from then on.")
    return Exit.FINE


@alerts.command("send-test", help=alerts_help.SEND_TEST)
def send_test(
    ctx: typer.Context,
    to: Annotated[
        list[str] | None, typer.Option(help="An address.", show_default="the default recipients")
    ] = None,
) -> Exit:
    from vmbackup_core.app.telling.rendering import render_trial
    from vmbackup_core.domain.telling.postage import Mark

    desk: Desk = ctx.obj
    mails = _mails(desk)
    now = desk.app().clock.now()
    routing = mails.teller.mail.routing
    people = tuple(to or routing.default)
    for address in people:
        if fault := _stranger(address, routing):
            raise Misused(f"{address} {fault}")
    key = derive_key("trial", now.isoformat(), *people)
    letters = render_trial(people, key=key, now=now)
    mails.postbox.post(*letters)
    mails.postbox.deliver()
    box = mails.postbox.read()
    posted = [one for one in map(box.find, (one.key for one in letters)) if one is not None]
    unsent = [one for one in posted if one.mark is not Mark.SENT]
    for one in unsent:
        why = f": {one.told}" if one.told else ""
        desk.tell(f"Not sent yet to {', '.join(one.to)}{why}")
    if unsent:
        desk.say("It waits in the postbox, and the timer tries again.")
        return Exit.FAILED
    desk.say(
        f"The mail service took it for {', '.join(people)}.",
        "That is not yet its arrival: see that it is there, and not among unwanted mail.",
    )
    return Exit.FINE


def _stranger(address: str, routing: Routing) -> str:
    """Return in words why no test mail goes there, "" where one may."""
    if fault := address_fault(address):
        return fault
    known = {one.lower() for one in (*routing.default, *routing.escalation)}
    allowed = address.lower() in known or domain_of(address) in routing.domains
    return "" if allowed else "is neither configured nor in one of the configured domains"


def _span(text: str) -> timedelta:
    """Read 90m, 24h, 3d, 2w, or what the configuration takes ("24 hours")."""
    short = text.strip().lower()
    count, unit = short[:-1], short[-1:]
    spelled = f"{count} {_LETTERS[unit]}" if count.isdecimal() and unit in _LETTERS else text
    try:
        return parse_duration(spelled)
    except Unfit as fault:
        raise Misused(f'"{text}" is no time span: write it like 24h or 3d') from fault


def _record(desk: Desk, body: dict[str, str]) -> None:
    """Keep in the evidence that somebody silenced something; not who or why: it cannot forget."""
    desk.app().evidence.append(Kind.CONTROL, "mute", body)
