"""One restore test in full, from the record that it left."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from rich.text import Text

from vmbackup_cli.desk import Desk
from vmbackup_cli.drill_follow import MARKS
from vmbackup_cli.words import at, span
from vmbackup_core.domain.drill.evidence import duration, moment
from vmbackup_core.domain.drill.reasons import Ending, ProofMeaning, ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, Verdict
from vmbackup_core.domain.drill.runs import Run

VERDICTS = {
    Verdict.PROVEN.name: "green",
    Verdict.FAILED.name: "bold red",
    Verdict.NOT_PROVEN.name: "yellow",
}
NOTHING = "-"
_CLOCKS = ("queue", "restore", "create", "boot", "checks", "clean")

Body = Mapping[str, Any]


def name_of(body: Body) -> str:
    return str(body["vm"]).rpartition("/")[2]


def group_of(body: Body) -> str:
    return str(body["vm"]).split("/")[4]


def brief(found: timedelta | None) -> str:
    return NOTHING if found is None else span(found)


def show_record(desk: Desk, body: Body, run: Run | None = None) -> None:
    """Write the record; `run` is what the ledger says of it by now, where it is known."""
    verdict = str(body["verdict"])
    desk.say(f"{name_of(body)}  ({group_of(body)}, {body['location']})", style="bold")
    meaning = Verdict[verdict].value if verdict in Verdict.__members__ else ""
    if verdict == Verdict.PROVEN.name and not as_promised(body):
        meaning = f"up to {body['needed']}, as asked for; its tier asks for {body['tier_rung']}"
    desk.out.print(Text.assemble((verdict, VERDICTS.get(verdict, "")), f"  {meaning}"))
    ending = _meaning(Ending, body["ending"])
    desk.say(f"{body['ending']}  {ending.text}", *(f"  {words}" for words in body["because"]))
    if ending.mend:
        desk.say(f"What you can do: {ending.mend}")
    desk.say("")
    _show_rungs(desk, body)
    desk.say("")
    table = desk.table("", "")
    table.show_header = False
    table.columns[0].no_wrap = True
    for label, words in _facts(body, run):
        table.add_row(Text(label, style="bold"), Text(words))
    desk.out.print(table)
    if body["did"]:
        desk.say("", "What it did:")
        desk.say(*(f"  {did['at'][11:19]} {did['text']}" for did in body["did"]))


def as_promised(body: Body) -> bool:
    """Tell whether it counts: it was to go as far as its tier asks for, or it has failed."""
    if body["verdict"] == Verdict.FAILED.name:
        return True
    return Rung[body["needed"].upper()] >= Rung[body["tier_rung"].upper()]


def _show_rungs(desk: Desk, body: Body) -> None:
    table = desk.table("Rung", "", "Code", "What was seen")
    table.columns[1].no_wrap = True
    for result in body["rungs"]:
        rung, mark = Rung[result["rung"].upper()], Mark(result["mark"])
        asked = " *" if rung <= Rung[body["needed"].upper()] else ""
        meaning = _meaning(ProofReason, result["reason"])
        words = "; ".join(result["because"]) or meaning.text
        label = f"{int(rung)} {rung.name.lower()}{asked}"
        table.add_row(label, Text(mark, style=MARKS[mark]), Text(result["reason"]), Text(words))
    desk.out.print(table)
    if body["rungs"]:
        desk.say("* asked for", style="dim")
    desk.say(*_mends(body))


def _mends(body: Body) -> Iterator[str]:
    """Yield what somebody can do about each rung that did not pass."""
    for result in body["rungs"]:
        mend = _meaning(ProofReason, result["reason"]).mend
        if mend:
            yield f"What you can do about {result['rung']}: {mend}"


def _meaning(codes: type[Ending] | type[ProofReason], code: str) -> ProofMeaning:
    """Return what a code means; one that another version wrote stands for itself."""
    found = codes.__members__.get(code)
    return found.value if found else ProofMeaning("a code of another version")


def _facts(body: Body, run: Run | None) -> Iterator[tuple[str, str]]:
    yield "Run", str(body["run"])
    asked, ended = moment(body, "asked"), moment(body, "ended")
    night = f", in the night of {body['night']}" if body["night"] else ", asked for by a person"
    yield "Asked", f"{at(asked)}{night}"
    yield "Ended", f"{at(ended)} (after {span(ended - asked)})"
    cap = f"; capped at {body['cap']}: {body['capped_by']}" if body["capped_by"] else ""
    other = body["needed"] != body["tier_rung"]
    wished = f"; a person asked for {body['needed']}" if other else ""
    yield "Tier", f"{body['tier']}, asks for {body['tier_rung']}{wished}{cap}"
    yield "Point", _say_point(body)
    far = "" if body["verdict"] == Verdict.PROVEN.name else f" up to {body['reached'] or 'nothing'}"
    size = "" if body["comparable"] else "; on another size"
    yield "RTO", f"{_against(body, 'rto')}{far}{size}"
    yield "RPO", _against(body, "rpo")
    clocks = ((name, duration(body["clocks"][name])) for name in _CLOCKS)
    parts = [f"{name} {span(found)}" for name, found in clocks if found is not None]
    yield "Clocks", ", ".join(parts) or NOTHING
    yield "Size", body["size"] or NOTHING
    yield "Isolation", str(body["isolation"]) + (", may reach out" if body["egress"] else "")
    if body["control"]:
        yield "Control", f"{body['control']} (a check that must fail)"
    yield "Slot", str(body["slot"]).rpartition("/")[2] or NOTHING
    if body["kept_until"]:
        yield "Kept", f"until {at(moment(body, 'kept_until'))}, then the janitor removes it"
    yield "Left", "; ".join(_left(body, run))


def _say_point(body: Body) -> str:
    point = body["point"]
    if point is None:
        return f"none ({body['strategy']})"
    source = "the vault" if point["from_vault"] else "a snapshot"
    taken = at(moment(point, "taken"))
    return f"{taken}, {point['consistency']}, from {source} ({body['strategy']}, {point['id']})"


def _against(body: Body, clock: str) -> str:
    """Say what was measured, beside what is promised."""
    found, target = duration(body["clocks"][clock]), duration(body["targets"][clock])
    if found is None or target is None:
        return brief(found) + (f" (target {span(target)})" if target is not None else "")
    return f"{span(found)} ({'within' if found <= target else 'OVER'} its target of {span(target)})"


def _left(body: Body, run: Run | None) -> Iterable[str]:
    if body["clean"]:
        return ("nothing",)
    if run is not None and run.clean:
        return ("nothing, since the janitor has looked",)
    short = ["/".join(str(one).split("/")[-2:]) for one in body["left"]]
    return short or ("not known yet: the janitor looks",)
