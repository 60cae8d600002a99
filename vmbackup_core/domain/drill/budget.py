"""
How many calls of ARM a restore test may still spend on waiting.

It may cost so many in all, however long anything takes; so what waits, looks less often when few
are left, and what can be done without is left out.
"""

from vmbackup_core.domain.drill.state import Drill
from vmbackup_core.domain.drill.steps import BUDGET, FOR_A_DISK

FOR_CLEANING = (
    6  # To see what is left, to look at the copy once more, to remove it, to see it gone.
)
FOR_LAST_LOOK = 4  # At a copy that boots: closely, and at its console.
FOR_SCRIPT = 4  # To look at the network, to start a script, and to read it once.
FOR_RUN = 2  # To start a script and to read it once, where copy and network were just looked at.


def calls_left(state: Drill) -> int:
    """Return how many calls are left beside those for cleaning up; fewer than none end nothing."""
    data_disks = max(len(state.restoring.disks or ()) - 1, 0)
    return BUDGET + FOR_A_DISK * data_disks - state.calls - FOR_CLEANING
