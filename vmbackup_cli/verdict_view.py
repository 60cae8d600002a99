"""How verdicts are shown: as a table for people, and as JSON with every VM once for machines."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from rich.table import Table
from rich.text import Text

from vmbackup_cli.desk import Desk
from vmbackup_cli.words import at, say_step, span
from vmbackup_core.domain.facts import ItemFacts
from vmbackup_core.domain.plans import CreatePolicy, Plan, RefreshContainers, Step
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.verdicts import Count, Verdict

_ORDER = (Standing.WORK, Standing.HUMAN, Standing.NOT_ASKED, Standing.DONE)
STYLES = {
    Standing.DONE: "green",
    Standing.WORK: "cyan",
    Standing.HUMAN: "yellow",
    Standing.NOT_ASKED: "dim",
}
_ACTS = {
    Standing.DONE: "nothing to do",
    Standing.WORK: "done by vmbackup",
    Standing.HUMAN: "needs a person",
    Standing.NOT_ASKED: "nothing asks for backup",
}
_WORTH_SAYING = timedelta(minutes=1)


def by_need(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts with what there is to do first."""
    return sorted(verdicts, key=lambda v: (_ORDER.index(v.reason.standing), v.reason.name, v.vm))


def verdict_table(desk: Desk, verdicts: Iterable[Verdict], now: datetime) -> Table:
    """Return a table with a row for each verdict; a narrow terminal gets fewer columns."""
    if desk.wide:
        table = desk.table("VM", "Resource group", "Location", "Reason", "What next", "Because")
    else:
        table = desk.table("VM", "Reason", "What next, and why")
        table.leading = 1
    table.columns[-3 if desk.wide else 1].no_wrap = True
    for verdict in by_need(verdicts):
        reason = coloured(verdict.reason)
        then, why = _next(verdict), _because(verdict, now)
        if desk.wide:
            table.add_row(
                Text(verdict.name), Text(verdict.vm.group), verdict.location, reason, then, why
            )
        else:
            where = Text(f"\n{verdict.vm.group}\n{verdict.location}", style="dim")
            table.add_row(Text(verdict.name) + where, reason, then + "\n" + why)
    return table


def coloured(reason: Reason) -> Text:
    return Text(reason.name, style=STYLES[reason.standing])


def _next(verdict: Verdict) -> Text:
    """Say what comes next: our steps, or what a person can do."""
    if verdict.reason.standing is Standing.HUMAN:
        would = [f"would {say_step(step)}" for step in verdict.plan.steps]
        return Text("\n".join([*would, f"you: {verdict.reason.mend}"]))
    if verdict.plan.steps:
        return Text("\n".join(say_step(step) for step in verdict.plan.steps))
    return Text(verdict.reason.text)


def _because(verdict: Verdict, now: datetime) -> Text:
    held = [] if verdict.reason is verdict.plan.reason else [verdict.reason.text]
    held_for = now - verdict.since
    lasting = [f"for {span(held_for)}"] if held_for >= _WORTH_SAYING else []
    return Text("; ".join([*held, *verdict.plan.because, *lasting]), style="dim")


def sums_table(desk: Desk, count: Count) -> Table:
    """Return the sums: how many VMs, how many of them in scope and protected, and each reason."""
    table = desk.table("VMs", "", "")
    table.columns[0].justify = "right"
    table.add_row(f"{count.vms:,}", "in all", "")
    table.add_row(f"{count.in_scope:,}", "in scope", "")
    table.add_row(f"{count.protected:,}", "protected", "of those in scope", style="green")
    named = sorted(count.reasons.items(), key=lambda pair: _rank(Reason[pair[0]]))
    for name, vms in named:
        reason = Reason[name]
        bare = count.unprotected.get(name, 0)
        words = _ACTS[reason.standing]
        if bare:
            words += f"; {bare:,} unprotected"
        table.add_row(f"{vms:,}", coloured(reason), Text(f"{reason.text} ({words})"))
    return table


def _rank(reason: Reason) -> tuple[int, str]:
    return _ORDER.index(reason.standing), reason.name


def orphan_table(desk: Desk, orphans: Iterable[ItemFacts]) -> Table:
    table = desk.table("Orphaned backup of", "Resource group", "Vault", "State", "Last backup")
    for item in sorted(orphans, key=lambda item: (item.vm, item.vault)):
        last = at(item.last_backup) if item.last_backup else "never"
        table.add_row(item.vm.name, item.vm.group, item.vault.name, str(item.state), last)
    return table


def verdict_json(verdict: Verdict, scope: Scope) -> dict[str, Any]:
    """Return one verdict as JSON; `differs` says that there is something that we would do."""
    reason = verdict.reason
    return {
        "vm": str(verdict.vm),
        "name": verdict.name,
        "subscription": verdict.vm.subscription,
        "resource_group": verdict.vm.group,
        "location": verdict.location,
        "machine": verdict.machine,
        "mode": str(scope.mode_of(verdict.vm.subscription)),
        "reason": reason.name,
        "standing": str(reason.standing),
        "meaning": reason.text,
        "mend": reason.mend,
        "because": list(verdict.plan.because),
        "protected": verdict.protected,
        "vault": verdict.vault,
        "policy": verdict.policy,
        "since": verdict.since.isoformat(),
        "differs": verdict.differs,
        "due": verdict.due,
        "steps": steps_json(verdict.plan),
    }


def steps_json(plan: Plan) -> list[dict[str, str]]:
    return [_step_json(step) for step in plan.steps]


def _step_json(step: Step) -> dict[str, str]:
    policy = {}
    if isinstance(step, CreatePolicy):
        policy = {"policy": step.policy.name}
    elif not isinstance(step, RefreshContainers) and hasattr(step, "policy"):
        policy = {"policy": step.policy}
    name = type(step).__name__
    return {"step": name, "text": say_step(step), "vault": str(step.vault), **policy}


def orphan_json(item: ItemFacts) -> dict[str, Any]:
    return {
        "vm": str(item.vm),
        "vault": str(item.vault),
        "state": str(item.state),
        "policy": item.policy,
        "last_backup": item.last_backup.isoformat() if item.last_backup else None,
    }
