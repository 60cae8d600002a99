"""
Drive workflows from here, a turn at a time, where no durable engine does.

The same turns that the deployed app takes, in the order in which they fall due. Ending in between
harms nothing: what was sent goes on in Azure, and the next sweep, or the next run, looks at it.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from vmbackup_core.app.protect import ProtectVm
from vmbackup_core.domain.enabling import Done, Enabling, Wait
from vmbackup_core.domain.ids import VmId
from vmbackup_core.ports import Clock


class Board(Protocol):
    """Where the progress of each VM is shown."""

    def moved(self, state: Enabling, then: Wait | Done) -> None:
        """Show what a turn left."""

    def waiting(self, left: timedelta) -> None:
        """Show that nothing is due for `left`; called at least at every `tick`."""


@dataclass(slots=True)
class Drive:
    """
    Workflows under way.

    `tick` is the longest wait between two signs of life, at most the 10 s that a Clock pauses.
    """

    protect: ProtectVm
    clock: Clock
    board: Board
    tick: timedelta = timedelta(seconds=1)
    outcomes: dict[VmId, Done] = field(default_factory=dict)
    states: dict[VmId, Enabling] = field(default_factory=dict)

    def run(self, vms: Iterable[VmId]) -> Mapping[VmId, Done]:
        """Take turns until every workflow has ended; return how each did."""
        now = self.clock.now()
        self.states = {vm: self.protect.begin(vm) for vm in vms}
        due = [(now, order, vm) for order, vm in enumerate(self.states)]
        while due:
            when, order, vm = heapq.heappop(due)
            self._wait_until(when)
            turn = self.protect.turn(self.states[vm])
            self.states[vm] = turn.state
            self.board.moved(turn.state, turn.then)
            match turn.then:
                case Done() as done:
                    self.outcomes[vm] = done
                case Wait(until):
                    heapq.heappush(due, (until, order, vm))
        return self.outcomes

    @property
    def under_way(self) -> list[Enabling]:
        """The workflows that have not ended, each with a write that Azure is still at, or none."""
        return [state for vm, state in self.states.items() if vm not in self.outcomes]

    def _wait_until(self, when: datetime) -> None:
        while (left := when - self.clock.now()) > timedelta():
            self.board.waiting(left)
            self.clock.pause(min(left, self.tick))
