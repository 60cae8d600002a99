"""`vmbackup config`: is the configuration right, and what does it come to?"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from vmbackup_cli.config_drills import Pairs, drill_sections, drills_json
from vmbackup_cli.desk import Desk, Exit, Misused
from vmbackup_cli.mishaps import fault_json
from vmbackup_cli.plan import AsJson
from vmbackup_cli.words import number, span
from vmbackup_core.app.codec import to_json
from vmbackup_core.domain.policies import PolicySpec
from vmbackup_core.domain.rules import Rule
from vmbackup_core.settings import Fault, Settings, SettingsError, load
from vmbackup_core.settings.deployment import PREFIX, VARIABLES

CHECK = """
Check a vmbackup.toml: every fault at once, with its line, its key and what to do.

FILE is the one that VMBACKUP_CONFIG names, or vmbackup.toml. Reads no Azure. Variables that are set
are checked as well; those that only a deployment needs may be missing.

Examples:

  vmbackup config check

  vmbackup config check new.toml --json
"""
SHOW = "Show what is in force: the configuration with its defaults, and the deployment's variables."
_STATE = ("VMBACKUP_STORAGE_ACCOUNT", "VMBACKUP_TABLE_URL", "VMBACKUP_BLOB_URL")

config = typer.Typer(help="Check and show the configuration.", no_args_is_help=True)


@config.command("check", help=CHECK)
def check(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="The file to check.")] = None,
    as_json: AsJson = False,
) -> Exit:
    desk: Desk = ctx.obj
    source = str(file or desk.environment.get("VMBACKUP_CONFIG") or "vmbackup.toml")
    faults = find_faults(_content(source), desk.environment, source)
    if as_json:
        desk.document({"file": source, "faults": [fault_json(fault) for fault in faults]})
    elif not faults:
        desk.say(f"{source}: no fault.", style="green")
    else:
        _show_faults(desk, source, faults)
    return Exit.FAILED if faults else Exit.FINE


def _content(source: str) -> bytes:
    if source.startswith("https://"):
        raise Misused(f"the configuration lies at {source}: copy it here and name the file")
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise Misused(f"cannot read {source}: {error.strerror}; name another file") from None


def find_faults(content: bytes, environment: Mapping[str, str], source: str) -> tuple[Fault, ...]:
    """Return every fault of a configuration and of the variables that are set."""
    stateless = not any(environment.get(name) for name in (*_STATE, "VMBACKUP_STATE_DIR"))
    stand_in = {"VMBACKUP_STATE_DIR": "."} if stateless else {}
    try:
        load(content, {**environment, **stand_in}, source=source)
    except SettingsError as error:
        return error.faults
    return ()


def _show_faults(desk: Desk, source: str, faults: Iterable[Fault]) -> None:
    faults = tuple(faults)
    desk.say(f"{source}: {number(len(faults), 'fault')}", style="bold red")
    table = desk.table("Line", "Key", "Fault", "What to do")
    table.columns[0].justify = "right"
    for fault in faults:
        line = str(fault.line) if fault.line else "-"
        table.add_row(line, Text(fault.key), Text(fault.message), Text(fault.suggestion))
    desk.out.print(table)


@config.command("show", help=SHOW)
def show(ctx: typer.Context, as_json: AsJson = False) -> Exit:
    desk: Desk = ctx.obj
    settings = desk.app().settings
    if as_json:
        desk.document(settings_json(settings))
        return Exit.FINE
    desk.say(f"{settings.source} ({settings.digest[:12]})", style="bold")
    for section, pairs in _sections(settings):
        desk.say("", f"[{section}]")
        for key, value in pairs:
            desk.out.print(Text(f"  {key} = "), Text(_said(value)), sep="")
    return Exit.FINE


def settings_json(settings: Settings) -> dict[str, Any]:
    """Return all settings as JSON; none of them is a secret."""
    rules = settings.rules
    return {
        "source": settings.source,
        "digest": settings.digest,
        "scope": to_json(rules.scope),
        "tags": {"policy": rules.tag_name, "opt_out": list(rules.opt_out)},
        "rules": [to_json(rule) for rule in rules.rules],
        "policies": {policy.name: _policy_json(policy) for policy in settings.policies},
        "vaults": to_json(settings.vaults),
        "limits": to_json(settings.limits),
        "protect": to_json(settings.protect),
        "drills": drills_json(settings.drills) if settings.drills else None,
        "deployment": to_json(settings.deployment),
    }


def _policy_json(policy: PolicySpec) -> dict[str, Any]:
    keep = policy.retention
    return {
        "kind": str(policy.kind),
        "schedule": str(policy.schedule),
        "time_zone": policy.time_zone,
        "snapshot_days": keep.snapshot_days,
        "keep": {
            "daily": keep.daily_days,
            "weekly": keep.weekly_weeks,
            "monthly": keep.monthly_months,
            "yearly": keep.yearly_years,
        },
    }


def _sections(settings: Settings) -> Iterator[tuple[str, Pairs]]:
    """Yield each section of the configuration, and the deployment, as it would be written."""
    rules, vaults, limits = settings.rules, settings.vaults, settings.limits
    scope = rules.scope
    yield (
        "scope",
        [
            ("subscriptions", scope.subscriptions),
            ("management_groups", scope.management_groups),
            ("mode", scope.mode),
            *((f'subscription."{sub}".mode', mode) for sub, mode in scope.mode_by_subscription),
            ("exclude_resource_groups", scope.exclude_resource_groups),
            ("drill_resource_groups", scope.drill_resource_groups),
        ],
    )
    yield "tags", [("policy", rules.tag_name), ("opt_out", rules.opt_out)]
    for place, rule in enumerate(rules.rules, start=1):
        yield f"rules {place}", _rule_pairs(rule)
    for policy in settings.policies:
        described = _policy_json(policy)
        keep = ", ".join(f"{unit} = {count}" for unit, count in described["keep"].items() if count)
        yield (
            f"policies.{policy.name}",
            [
                ("kind", described["kind"]),
                ("schedule", described["schedule"]),
                ("time_zone", described["time_zone"]),
                ("snapshots", number(described["snapshot_days"], "day")),
                ("keep", f"{{ {keep} }}"),
            ],
        )
    yield (
        "vaults",
        [
            ("name", vaults.name),
            ("resource_group", vaults.resource_group),
            ("create", vaults.create),
            ("redundancy", vaults.redundancy),
            *(
                (f'use."{use.subscription}".{use.location}', f"{use.vault.group}/{use.vault.name}")
                for use in vaults.use
            ),
        ],
    )
    yield "limits", list((to_json(limits) | {"max_shrink": f"{limits.max_shrink} %"}).items())
    protect = settings.protect
    yield (
        "protect",
        [
            ("on_stopped", protect.on_stopped),
            ("on_soft_deleted", protect.on_soft_deleted),
            ("agent_wait", protect.agent_wait),
        ],
    )
    if settings.drills:
        yield from drill_sections(settings.drills)
    deployment = to_json(settings.deployment)
    variables = ((name, name.removeprefix(PREFIX).lower()) for name in VARIABLES)
    yield "environment", [(name, deployment[key]) for name, key in variables if key in deployment]


def _rule_pairs(rule: Rule) -> Pairs:
    """Return what a rule names; what it leaves open is left out."""
    pairs: Pairs = [
        ("tag", rule.values),
        ("other_tags", tuple(f"{name} = {value}" for name, value in rule.other_tags)),
        ("resource_groups", rule.resource_groups),
        ("subscriptions", rule.subscriptions),
        ("locations", rule.locations),
        ("restored_copies", rule.restored_copies),
    ]
    return [*((key, value) for key, value in pairs if value), ("policy", rule.policy)]


def _said(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case timedelta():
            return span(value)
        case tuple():
            return ", ".join(map(str, value)) or "none"
        case None | "":
            return "none"
        case _:
            return str(value)
