"""
Managed run commands: scripts that a machine's agent runs, and what came of them.

What a script prints is nothing that azsim can know: `interpreter` says, and may be replaced. The
default knows two things only: that a Linux shell has no PowerShell commands (recorded: exit 127),
and that a script whose last line is `exit 3` ends with 3.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azsim.machine import Machine
    from azsim.world import World

PATIENCE = timedelta(minutes=90)  # learn (managed Run Command): the longest a script may run.
_CMDLET = re.compile(r"^\s*([A-Z][a-z]+-[A-Z][A-Za-z]+)\b")
_EXIT = re.compile(r"(?:^|\n)exit (\d{1,3})\s*$")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a script left: its exit code and what it wrote."""

    exit_code: int = 0
    output: str = ""
    error: str = ""


class End(Enum):
    """How the command's operation ends, whatever the script did."""

    REPORTED = auto()
    TIMED_OUT = auto()
    UNREACHABLE = auto()


Interpreter = Callable[["Machine", str, str], Ran]


@dataclass(slots=True)
class RunCommand:
    """
    One named command of one machine; its script runs from `starts` on, its operation until `ends`.
    """

    name: str
    properties: dict[str, Any]
    tags: dict[str, str] | None
    doing: str
    starts: datetime
    ends: datetime
    ran: Ran
    end: End = End.REPORTED


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
        """
        Let the machine run a script, as a new command or in the place of an old one.

        The script waits for the agent; where that does not come, the command is given up after
        `PATIENCE`. One that never reports its end is stopped at its `timeoutInSeconds`.
        """
        now = self.world.clock.now()
        script = str((properties.get("source") or {}).get("script", ""))
        commands = self.of(machine)
        starts, ends, end = now + PATIENCE, now + PATIENCE, End.UNREACHABLE
        # models run-command-waits, run-command-unreachable
        agent_from = now if machine.agent_ready else machine.agent_from
        if machine.agent_ready or now < agent_from < now + PATIENCE:
            starts, ends, end = agent_from + takes / 2, agent_from + takes, End.REPORTED
            if not machine.guest.conduct.answers:
                # models run-command-times-out
                seconds = int(properties.get("timeoutInSeconds") or PATIENCE.total_seconds())
                ends, end = starts + timedelta(seconds=seconds), End.TIMED_OUT
        command = RunCommand(
            name,
            properties,
            tags,
            "Updating" if name.lower() in commands else "Creating",
            starts,
            ends,
            self._run(machine, name, script),
            end,
        )
        commands[name.lower()] = command
        return command

    def _run(self, machine: "Machine", name: str, script: str) -> Ran:
        ran = self.interpreter(machine, name, script)
        code = machine.guest.conduct.exit_code
        return replace(ran, exit_code=code) if code and not ran.exit_code else ran


# models run-command-output
def shell(machine: "Machine", name: str, script: str) -> Ran:
    """Say nothing; end with 127 for PowerShell on Linux, as a last `exit` says, else with 0."""
    cmdlet = _CMDLET.match(script)
    if machine.os_type == "Linux" and cmdlet is not None:
        where = f"/var/lib/waagent/run-command-handler/download/{name}/0/script.sh"
        return Ran(127, "", f"{where}: line 1: {cmdlet[1]}: command not found\n")
    ends = _EXIT.search(script)
    return Ran(int(ends[1]) % 256) if ends else Ran()
