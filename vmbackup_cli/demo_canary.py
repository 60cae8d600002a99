"""What runs inside the demo's machines: the canary's line at boot, and checks that may fail."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from azsim.machine import Machine
from azsim.run_commands import Ran, shell

EVERY = timedelta(minutes=15)
_EXIT = re.compile(r"^exit (\d+)\s*\Z", re.MULTILINE)


def canary_line(kept: datetime) -> str:
    """Return the line of a canary that was written every quarter of an hour until `kept`."""
    since = kept - datetime.min.replace(tzinfo=UTC)
    written = kept - since % EVERY
    digest = sha256(written.isoformat().encode()).hexdigest()
    said = f"vmbackup-canary v1 {written:%Y-%m-%dT%H:%M:%SZ} sha256={digest} ok"
    return f"{said} line={sha256(said.encode()).hexdigest()[:8]}"


def run_inside(machine: Machine, name: str, script: str) -> Ran:
    """Run a script as far as this can be told: one that ends with an exit code has that one."""
    if found := _EXIT.search(script):
        return Ran(int(found[1]))
    return shell(machine, name, script)
