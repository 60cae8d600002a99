"""`vmbackup explain`: one VM's verdict, and every fact that decided it."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from vmbackup_cli.desk import Desk, Exit
from vmbackup_cli.one_vm import Examined, examine, find_vms
from vmbackup_cli.plan import AsJson
from vmbackup_cli.verdict_view import STYLES, verdict_json
from vmbackup_cli.words import at, number, say_step, span
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.facts import DiskExclusion, ItemFacts, VaultFacts
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.rules import NotAsked, OptedOut, OutOfScope, Wanted
from vmbackup_core.domain.vaults import Make, NoVault, Use, VaultChoice

HELP = """
Why one VM stands where it stands: one verdict, one reason code, and the facts that decided.

VM is a name, group/name, or a whole ARM id. Reads Azure directly and changes nothing there.

Examples:

  vmbackup explain web-01

  vmbackup explain rg-prod/web-01 --json
"""


def explain(
    ctx: typer.Context,
    vm: Annotated[str, typer.Argument(help="Name, group/name or ARM id.", show_default=False)],
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    app = desk.app()
    with desk.err.status("Looking …"):
        (found,) = find_vms([vm], app)
        seen = examine(app, found)
    if as_json:
        desk.document(explanation_json(app, seen))
    else:
        show(desk, app, seen)
    return Exit.FINE


def show(desk: Desk, app: App, seen: Examined) -> None:
    verdict = seen.verdict
    reason = verdict.reason
    desk.say(f"{verdict.name}  ({verdict.vm.group}, {verdict.location})", style="bold")
    desk.out.print(Text.assemble((reason.name, STYLES[reason.standing]), f"  {reason.text}"))
    before = app.sweep.seen(verdict.vm)
    if before is not None and before.since == verdict.since:  # A sweep has seen the same.
        desk.say(f"since {at(verdict.since)} ({span(app.clock.now() - verdict.since)})")
    if reason.mend:
        desk.say(f"What you can do: {reason.mend}")
    desk.say("")
    table = desk.table("", "")
    table.show_header = False
    table.columns[0].no_wrap = True
    for label, words in _facts(app, seen):
        table.add_row(Text(label, style="bold"), Text(words))
    desk.out.print(table)
    if verdict.plan.steps:
        desk.say("", "Will do:" if verdict.due and not seen.pause else "Would do:")
        desk.say(*(f"  {n}. {say_step(s)}" for n, s in enumerate(verdict.plan.steps, start=1)))


def _facts(app: App, seen: Examined) -> Iterator[tuple[str, str]]:
    """Yield what decided, in the order in which it decides."""
    sight, verdict = seen.sight, seen.verdict
    vm = sight.vm
    yield "Because", "; ".join(verdict.plan.because) or verdict.plan.reason.text
    yield "Asked for", say_asked(seen)
    yield "Tags", ", ".join(f"{name}={value}" for name, value in vm.tags) or "none"
    yield "Mode", f"{app.book.rules.scope.mode_of(vm.id.subscription)} in {vm.id.subscription}"
    yield "VM", f"{vm.provisioning}, {vm.power}, agent {vm.agent}; vmId {vm.machine}"
    for label, words in (
        ("Unsupported", vm.unsupported),
        ("Needs Enhanced", vm.needs_enhanced),
        ("Restored by", vm.restored_by),
    ):
        if words:
            yield label, words
    if isinstance(seen.asked, OutOfScope):
        return
    yield "Protected item", "\n".join(map(_say_item, sight.items)) or "none"
    yield "Vaults here", "\n".join(map(_say_vault, sight.vaults)) or "none"
    yield "Vault to use", say_choice(seen.choice)
    yield "Remembered", "\n".join(_say_memory(sight.memory)) or "nothing: never touched by us"
    if seen.pause:
        yield "Paused", f"since {at(seen.pause.since)}: {seen.pause.why}"


def say_asked(seen: Examined) -> str:
    match seen.asked:
        case Wanted(policy, rule):
            return f"rule {rule} asks for policy {policy}"
        case OptedOut(value):
            return f"opted out by the tag value {value!r}"
        case NotAsked(why) | OutOfScope(why):
            return why


def say_choice(choice: VaultChoice | None) -> str:
    match choice:
        case Use(vault):
            return vault.id.name
        case Make(vault):
            return f"{vault.name}, which would be created"
        case NoVault(_, why):
            return f"none: {why}"
        case None:
            return "none: out of scope"


def _say_item(item: ItemFacts) -> str:
    last = at(item.last_backup) if item.last_backup else "never"
    but = f", {_say_exclusion(item.exclusion)}" if item.exclusion else ""
    return (
        f"{item.state} in {item.vault.name}, policy {item.policy or 'none'},"
        f" last backup {last}{but}"
    )


def _say_exclusion(exclusion: DiskExclusion) -> str:
    luns = ", ".join(map(str, exclusion.luns)) or "none"
    return f"{'only' if exclusion.including else 'without'} the disks at LUN {luns}"


def _say_vault(vault: VaultFacts) -> str:
    policies = ", ".join(policy.name for policy in vault.policies) or "no policies"
    state = "" if vault.ready else ", being created"
    return f"{vault.id.name}: {number(vault.items, 'VM')}{state}; {policies}"


def _say_memory(memory: Memory) -> Iterator[str]:
    if memory.machine:
        yield f"protected the machine {memory.machine}"
    if memory.policy:
        yield f"set the policy {memory.policy}"
    if memory.asked_at:
        what = memory.asked or "a change"
        yield f"asked for {what} at {at(memory.asked_at)}; how that ended is not known yet"
    if memory.undeleted:
        yield "took it out of soft delete, and owes it a resume"
    if memory.reason:
        when = f" at {at(memory.reason_at)}" if memory.reason_at else ""
        yield f"the last workflow ended with {memory.reason.name}{when}"


def explanation_json(app: App, seen: Examined) -> dict[str, Any]:
    """Return the verdict as `plan --json` has it, with the facts beside."""
    sight, memory = seen.sight, seen.sight.memory
    vm = sight.vm
    return {
        **verdict_json(seen.verdict, app.settings.rules.scope),
        "facts": {
            "asked": say_asked(seen),
            "rule": seen.asked.rule if isinstance(seen.asked, Wanted) else None,
            "asked_policy": seen.asked.policy if isinstance(seen.asked, Wanted) else None,
            "tags": dict(vm.tags),
            "provisioning": str(vm.provisioning),
            "power": str(vm.power),
            "agent": str(vm.agent),
            "unsupported": vm.unsupported,
            "needs_enhanced": vm.needs_enhanced,
            "restored_by": vm.restored_by,
            "items": [_item_json(item) for item in sight.items],
            "vaults": [_vault_json(vault) for vault in sight.vaults],
            "vault_to_use": say_choice(seen.choice),
            "memory": {
                "machine": memory.machine,
                "vault": memory.vault,
                "policy": memory.policy,
                "asked": memory.asked,
                "asked_at": memory.asked_at.isoformat() if memory.asked_at else None,
                "undeleted": memory.undeleted,
                "reason": memory.reason.name if memory.reason else None,
                "reason_at": memory.reason_at.isoformat() if memory.reason_at else None,
            },
            "paused": (
                {"since": seen.pause.since.isoformat(), "why": seen.pause.why}
                if seen.pause
                else None
            ),
        },
    }


def _item_json(item: ItemFacts) -> dict[str, Any]:
    exclusion = item.exclusion
    return {
        "vault": str(item.vault),
        "state": str(item.state),
        "policy": item.policy,
        "last_backup": item.last_backup.isoformat() if item.last_backup else None,
        "disks": (
            {"luns": list(exclusion.luns), "including": exclusion.including} if exclusion else None
        ),
    }


def _vault_json(vault: VaultFacts) -> dict[str, Any]:
    return {
        "id": str(vault.id),
        "items": vault.items,
        "ready": vault.ready,
        "policies": [policy.name for policy in vault.policies],
    }
