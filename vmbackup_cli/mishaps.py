"""What is said when a command cannot go on: plain words, and what to do next."""

from typing import Any

from vmbackup_cli.desk import Desk, Misused
from vmbackup_cli.words import span
from vmbackup_core.domain.errors import BackupError, Denied, Gone, Malformed, Retryable, Stale
from vmbackup_core.settings import Fault, SettingsError

# The first kind that fits says what to do.
_NEXT: tuple[tuple[type[Exception], str], ...] = (
    (SettingsError, "Mend these and try again; docs/configuration.md has every key."),
    (Gone, "It was deleted or moved meanwhile: look again with `vmbackup plan`."),
    (Stale, "It changed meanwhile: try again."),
    (Denied, "Sign in (`az login`), or have the roles of docs/permissions.md granted."),
    (Malformed, "See the text above for what was not understood."),
)


def next_step(error: BackupError) -> str:
    """Return what a person can do about `error`."""
    if isinstance(error, Retryable) and error.maybe_done:
        return "Look what became of it before trying again."
    if isinstance(error, Retryable):
        return f"Try again in {span(error.after)}." if error.after else "Try again in a while."
    return next((words for kind, words in _NEXT if isinstance(error, kind)), "")


def show_mishap(desk: Desk, error: BackupError | Misused) -> None:
    match error:
        case SettingsError(source=source, faults=faults):
            show_faults(desk, source, faults)
        case BackupError():
            # An SDK may tell every way that it tried; the first line says what failed.
            desk.tell(str(error).partition("\n")[0], style="red")
        case _:
            desk.tell(str(error), style="red")
    if isinstance(error, BackupError):
        if error.code:
            desk.tell(f"Azure's code: {error.code}")
        if words := next_step(error):
            desk.tell(words)


def show_faults(desk: Desk, source: str, faults: tuple[Fault, ...]) -> None:
    """Show every fault of a configuration, by line."""
    number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    desk.tell(f"{source or 'configuration'}: {number}", style="red")
    for fault in faults:
        desk.tell(f"  {fault}")


def mishap_json(error: BackupError | Misused) -> dict[str, Any]:
    if isinstance(error, Misused):
        return {"kind": "Misused", "message": str(error), "code": "", "next": ""}
    known: dict[str, Any] = {
        "kind": type(error).__name__,
        "message": str(error),
        "code": error.code,
        "next": next_step(error),
    }
    if isinstance(error, SettingsError):
        known["faults"] = [fault_json(fault) for fault in error.faults]
    return known


def fault_json(fault: Fault) -> dict[str, Any]:
    return {
        "line": fault.line,
        "key": fault.key,
        "message": fault.message,
        "suggestion": fault.suggestion,
    }
