"""The brakes of restore tests: why nothing may be made now, asked before anything is."""

from dataclasses import dataclass

from vmbackup_core.app.notebook import Notebook
from vmbackup_core.domain.drill.orders import DrillOrder
from vmbackup_core.domain.drill.outcomes import Held
from vmbackup_core.domain.drill.reasons import Ending
from vmbackup_core.domain.rules import Mode, Scope


@dataclass(frozen=True, slots=True)
class DrillBrakes:
    scope: Scope
    notebook: Notebook

    def hold(self, order: DrillOrder) -> Held | None:
        """Return why the restore test may make nothing now, None where it may."""
        if self.scope.mode_of(order.vm.subscription) is Mode.OBSERVE:
            return Held(Ending.OBSERVING)
        if (pause := self.notebook.pause()) is not None:
            return Held(Ending.PAUSED, (f"since {pause.since:%Y-%m-%d %H:%M} UTC",))
        return None
