"""The plan of the coming nights as people read it."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from vmbackup_cli.desk import Desk
from vmbackup_cli.drill_json import Points, count_codes, first_busy
from vmbackup_cli.words import at, number, short_span
from vmbackup_core.domain.drill.choice import DrillPlan
from vmbackup_core.domain.drill.points import Chosen, NoPoint, PointChoice
from vmbackup_core.domain.drill.rules import DrillRules
from vmbackup_core.domain.drill.turns import Drill, NotPlanned

NO_TEST_YET = "No restore test of these VMs is known so far."
NAMED = 3  # So many VMs of one code are named.


def show_plan(desk: Desk, planned: DrillPlan, chosen: Points, drills: DrillRules) -> None:
    """Write the plan; `chosen` are the recovery points of its first night, where they were read."""
    for refusal in planned.refusals:
        desk.say(f"REFUSED: {refusal}.", style="bold red")
    if planned.refusals:
        desk.say(
            f"{_mend_refusal(planned)} So far as it goes, the plan would be:",
            "",
        )
    if not planned.vms:
        desk.say("There is no VM in scope. See [scope] (vmbackup config show).")
        return
    if planned.observing:
        desk.say(
            "OBSERVE MODE: this is what would be tested, and nothing of it runs. Set mode ="
            ' "protect" in [scope], or for a subscription, to let it.',
            "",
            style="yellow",
        )
    desk.out.print(_nights_table(desk, planned, chosen, drills))
    desk.say("")
    desk.out.print(_sums_table(desk, planned))
    desk.say("", *_coverage(planned), *_costs(planned, drills))
    slow = (f"{vm.name}: its last recovery was slow, {how}." for vm, how in planned.slow)
    desk.say(*_odd_tags(planned), *slow, *_uncontrolled(planned), style="yellow")
    desk.say(*(one.words for one in planned.forecasts) if planned.tested else (NO_TEST_YET,))


def _mend_refusal(planned: DrillPlan) -> str:
    """Return what would let the plan keep its ages: money, where that is what binds."""
    codes = {one.code for one in planned.unplanned}
    if NotPlanned.NO_BUDGET in codes and NotPlanned.NO_ROOM not in codes:
        return "Money is the limit that binds: raise cost_per_night, or allow a higher max_age."
    return "Raise per_night, at_once or lasts, open more nights, or allow a higher max_age."


def _nights_table(desk: Desk, planned: DrillPlan, chosen: Points, drills: DrillRules) -> Table:
    """
    Return a row for each test, and one for each night without any.

    A narrow terminal has all of it in fewer columns.
    """
    priced, price = bool(drills.prices), f"Cost ({drills.prices.currency})" if drills.prices else ""
    test = ("Tier", "Up to", "Takes", *((price,) if priced else ()))
    ahead = ("Night", "Begins (UTC)") if desk.wide else ("Night, begins (UTC)",)
    place = ("VM", "Resource group", "Location")
    about = (*place, *test) if desk.wide else ("VM", ", ".join(test))
    table = desk.table(*ahead, *about, "Point", "Why now")
    for night in planned.nights:
        label = f"{night.date:%a %Y-%m-%d}"
        if not night.drills:
            said = f"blacked out ({night.blackout})" if night.blackout else "nobody's turn"
            padding = [""] * (len(table.columns) - len(ahead) - 1)
            table.add_row(label, *[""] * (len(ahead) - 1), Text(said, style="dim"), *padding)
        first = chosen if night is first_busy(planned) else {}
        for drill in night.drills:
            point = _point(drill, first.get(drill.vm.id))
            why = Text(_why(drill))
            vm = drill.vm
            reckoned = (_takes(drill), _cost(drill)) if priced else (_takes(drill),)
            begins = f"{drill.starts:%H:%M}"
            if desk.wide:
                where = (Text(vm.id.group), vm.location, Text(drill.tier.name), _rung(drill))
                table.add_row(label, begins, Text(vm.name), *where, *reckoned, point, why)
            else:
                lies = Text(f"\n{vm.id.group}\n{vm.location}", style="dim")
                tested = Text("\n").join(
                    (Text(drill.tier.name), _rung(drill), *map(Text, reckoned))
                )
                ahead_of = f"{label}\n{begins}" if label else begins
                table.add_row(ahead_of, Text(vm.name) + lies, tested, point, why)
            label = ""
    return table


def _rung(drill: Drill) -> Text:
    """Return how far the test goes: as its tier asks for, or as a tag lets it."""
    if drill.capped and drill.cap.rung is not None:
        return Text(f"{drill.cap.rung.name.lower()} (tag)", style="yellow")
    return Text(drill.tier.rung.name.lower())


def _takes(drill: Drill) -> str:
    return short_span(drill.takes) + ("" if drill.measured else "?")


def _cost(drill: Drill) -> str:
    return "?" if drill.cost is None else f"{drill.cost:.2f}"


def _why(drill: Drill) -> str:
    proven = f" (proof of {drill.proven:%Y-%m-%d})" if drill.proven else ""
    return drill.why.value + proven


def _point(drill: Drill, choice: PointChoice | None) -> Text:
    match choice:
        case None:
            return Text(str(drill.strategy))
        case Chosen(point):
            return Text(f"{drill.strategy}: {at(point.taken)}, {point.consistency}")
        case NoPoint(reason, because):
            words = f"{reason.value} ({because})" if because else reason.value
            return Text(f"{drill.strategy}: {words}", style="yellow")


def _sums_table(desk: Desk, planned: DrillPlan) -> Table:
    """Return how many VMs stand where; the numbers sum to all VMs."""
    table = desk.table("VMs", "", "")
    table.columns[0].justify = "right"
    shown = number(len(planned.nights), "night")
    table.add_row(f"{planned.vms:,}", "in all", "")
    table.add_row(f"{planned.planned:,}", "planned", f"in the next {shown}", style="green")
    for code, vms in count_codes(planned):
        table.add_row(f"{vms:,}", code.name, Text(_with_names(planned, code)))
    return table


def _with_names(planned: DrillPlan, code: NotPlanned) -> str:
    """Return what a code means; where it is one of a few VMs, with each and what it waits for."""
    found = [one for one in planned.unplanned if one.code is code and one.because]
    if not found or len(found) > NAMED:
        return code.text
    return f"{code.text} ({', '.join(f'{one.vm.name}: {one.because}' for one in found)})"


def _coverage(planned: DrillPlan) -> Iterator[str]:
    """Yield how far the proof reaches, with the arithmetic behind it."""
    coverage = planned.coverage
    if not coverage.vms:
        yield "No VM is to be tested."
        return
    yield (
        f"{coverage.proven:,} of the {number(coverage.vms, 'VM')} that tiers take have a proof"
        " that is not too old."
    )
    if coverage.capped:
        yield (
            f"{number(coverage.capped, 'VM')} more: theirs went only as far as a cap lets it, and"
            " is no proof of what the tier asks for."
        )
    if coverage.nights:
        yield f"Full coverage takes {number(coverage.nights, 'night')}, if every test passes."
    yield from (f"{load.words}." for load in coverage.loads if load.place is None)


def _costs(planned: DrillPlan, drills: DrillRules) -> Iterator[str]:
    """Yield what the dearest of the nights is estimated to cost."""
    if drills.prices is None:
        return
    known = [(night.cost, night.date) for night in planned.nights if night.cost]
    if known:
        cost, date = max(known)
        limit = f" of at most {drills.cost_per_night:.2f}" if drills.cost_per_night else ""
        currency = drills.prices.currency
        yield f"The dearest night, {date}, is estimated at {cost:.2f}{limit} {currency}."
    if any(night.cost is None for night in planned.nights):
        yield "Of some tests the cost is not known: their size or their disks do not tell."


def _uncontrolled(planned: DrillPlan) -> Iterator[str]:
    """Yield that nothing tells whether a failing check would be seen, where that is so."""
    if planned.uncontrolled:
        yield (
            "No negative control can run: no test boots a copy and may run something in it. Let a"
            ' tier ask for "boot" or more, or set control_every = "never".'
        )


def _odd_tags(planned: DrillPlan) -> Iterator[str]:
    """Yield each tag whose value nobody knows, once for its VM."""
    odd = {d.vm.id: d for night in planned.nights for d in night.drills if d.cap.odd}
    yield from (f"{drill.vm.name}: {drill.cap.by}." for drill in odd.values())
