"""
The command `vmbackup`: which commands there are, and what becomes of their errors.

Expected errors are said in plain words with what to do next; anything else is a bug and crashes.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from vmbackup_cli import (
    alerts,
    config,
    decisions,
    drill,
    evidence,
    explain,
    inputs,
    plan,
    protect,
    simulate,
)
from vmbackup_cli.desk import Desk, Exit, Misused, terminal
from vmbackup_cli.mishaps import mishap_json, show_mishap
from vmbackup_core.domain.errors import BackupError

# Typer's own exit codes for a wrong call and for Ctrl-C.
_USAGE, _INTERRUPTED = 2, 130

app = typer.Typer(
    name="vmbackup",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Headings of the list of commands, which help shows in this order.
_LOOK, _ACT, _KNOW, _TRY = "Look", "Act", "Know", "Try it"
app.command("plan", help=plan.HELP, rich_help_panel=_LOOK)(plan.plan)
app.command("explain", help=explain.HELP, rich_help_panel=_LOOK)(explain.explain)
app.add_typer(drill.drill, name="drill", rich_help_panel=_LOOK)
app.add_typer(alerts.alerts, name="alerts", rich_help_panel=_LOOK)
app.command("protect", help=protect.HELP, rich_help_panel=_ACT)(protect.protect)
app.command("approve", help=decisions.APPROVE, rich_help_panel=_ACT)(decisions.approve)
app.add_typer(decisions.pause, name="pause", rich_help_panel=_ACT)
app.add_typer(evidence.evidence, name="evidence", rich_help_panel=_KNOW)
app.add_typer(inputs.kept, name="kept", rich_help_panel=_KNOW)
app.add_typer(inputs.deadletters, name="deadletters", rich_help_panel=_KNOW)
app.add_typer(config.config, name="config", rich_help_panel=_KNOW)
app.command("simulate", help=simulate.HELP, rich_help_panel=_TRY)(simulate.simulate)


@app.callback()
def root(
    ctx: typer.Context,
    demo: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Look at what `vmbackup demo` left there, as it ended."),
    ] = None,
) -> None:
    """Keep every Azure VM that asks for backup protected, and show that it is."""
    if demo is not None:
        from vmbackup_cli.demo_left import open_left

        left = open_left(demo)
        ctx.obj = replace(ctx.obj, app=lambda: left)


@app.command("demo", rich_help_panel=_TRY)
def demo(
    ctx: typer.Context,
    out: Annotated[
        Path, typer.Option(help="Where mails, timeline, evidence and summary go.")
    ] = Path("demo-out"),
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
) -> int:
    """
    Show a day, a night and a week of a small company on a simulated Azure, in virtual time.

    VMs are protected, backups are restored to prove them, and people are told what fails. Exit code
    1 when a VM that could be protected ends unprotected, when a restore test leaves something
    behind, when a check passes that must fail, or when a trouble is told twice or not at all.
    """
    from vmbackup_cli.demo import run_demo

    desk: Desk = ctx.obj
    strange = out.exists() and not (out / "timeline.jsonl").exists()
    if strange and (not out.is_dir() or any(out.iterdir())):  # The demo empties its directory.
        raise Misused(f"{out} is not empty and holds no earlier demo; name another --out")
    return run_demo(out, seed, desk)


@app.command("version", rich_help_panel=_KNOW)
def version(ctx: typer.Context) -> None:
    """Print the version."""
    from vmbackup_core.adapters.arm import VERSION

    ctx.obj.say(f"vmbackup {VERSION}")


def run(argv: Sequence[str] | None = None, *, desk: Desk | None = None) -> int:
    """Run one command and return its exit code; `desk` replaces the terminal."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    desk = desk or terminal()
    try:
        code = typer.main.get_command(app).main(
            arguments, prog_name="vmbackup", standalone_mode=False, obj=desk
        )
    except (Misused, BackupError) as error:
        if "--json" in arguments:
            desk.document({"error": mishap_json(error)})
        else:
            show_mishap(desk, error)
        return Exit.USAGE if isinstance(error, Misused) else Exit.FAILED
    except Abort:
        desk.tell("Nothing was done.")
        return Exit.FAILED
    except TyperException as error:
        return _misused(desk, error)
    if code == _INTERRUPTED:
        desk.tell("Interrupted.")
        return Exit.FAILED
    return int(code or 0)


def _misused(desk: Desk, error: TyperException) -> int:
    """Say what is wrong with a call, and where its help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "vmbackup"
    if text := error.format_message():
        desk.tell(f"{command}: {text}", f"See `{command} --help`.")
    return Exit.USAGE if error.exit_code == _USAGE else Exit.FAILED
