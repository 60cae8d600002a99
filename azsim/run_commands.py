"""
Managed run commands: scripts that a machine's agent runs, and what came of them.

What a script prints is nothing that azsim can know: `interpreter` says, and may be replaced. The
default knows one thing only, that a Linux shell has no PowerShell commands (recorded: exit 127).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azsim.machine import Machine
    from azsim.world import World

_CMDLET = re.compile(r"^\s*([A-Z][a-z]+-[A-Z][A-Za-z]+)\b")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a script left: its exit code and what it wrote."""

    exit_code: int = 0
    output: str = ""
    error: str = ""


Interpreter = Callable[["Machine", str, str], Ran]


@dataclass(slots=True)
class RunCommand:
    """One named command of one machine; it runs from `starts` to `ends`."""

    name: str
    properties: dict[str, Any]
    tags: dict[str, str] | None
    doing: str
    starts: datetime
    ends: datetime
    ran: Ran


@dataclass(slots=True)
class RunCommands:
    """Every run command of the world, by machine and name."""

    world: "World"
    interpreter: Interpreter = field(default_factory=lambda: shell)
    _known: dict[str, dict[str, RunCommand]] = field(default_factory=dict)

    def of(self, machine: "Machine") -> dict[str, RunCommand]:
        """Return the machine's commands by lower-case name; another machine has none of them."""
        return self._known.setdefault(machine.vm_id, {})

    def run(
        self,
        machine: "Machine",
        name: str,
        properties: dict[str, Any],
        tags: dict[str, str] | None,
        takes: timedelta,
    ) -> RunCommand:
        """Let the machine run a script, as a new command or in the place of an old one."""
        now = self.world.clock.now()
        script = str((properties.get("source") or {}).get("script", ""))
        commands = self.of(machine)
        command = RunCommand(
            name,
            properties,
            tags,
            "Updating" if name.lower() in commands else "Creating",
            now + takes / 2,
            now + takes,
            self.interpreter(machine, name, script),
        )
        commands[name.lower()] = command
        return command


# models run-command-output
def shell(machine: "Machine", name: str, script: str) -> Ran:
    """Succeed without a word, but for PowerShell on Linux."""
    cmdlet = _CMDLET.match(script)
    if machine.os_type == "Linux" and cmdlet is not None:
        where = f"/var/lib/waagent/run-command-handler/download/{name}/0/script.sh"
        return Ran(127, "", f"{where}: line 1: {cmdlet[1]}: command not found\n")
    return Ran()
