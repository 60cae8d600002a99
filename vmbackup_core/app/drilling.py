"""Plan restore tests: look at the estate and say what the coming nights are for. Runs none."""

from dataclasses import dataclass

from vmbackup_core.domain.drill_choice import DrillPlan, plan_drills
from vmbackup_core.domain.drill_turns import Drill, Night
from vmbackup_core.domain.drills import DrillRules
from vmbackup_core.domain.points import PointChoice, choose_point
from vmbackup_core.domain.rules import Rules
from vmbackup_core.ports import Clock, Inventory, Restores


@dataclass(frozen=True, slots=True)
class Drilling:
    """
    What can be said before a restore test runs.

    Nothing is known of earlier ones, because none has ever run: every VM counts as never tested.
    """

    inventory: Inventory
    restores: Restores
    clock: Clock
    rules: Rules
    drills: DrillRules

    def plan(self, nights: int) -> DrillPlan:
        """Look at the whole estate and plan its next nights. Changes nothing, writes nothing."""
        estate = self.inventory.observe_estate(self.rules.scope)
        return plan_drills(estate, self.rules, self.drills, {}, self.clock.now(), nights)

    def choose_points(self, night: Night) -> tuple[tuple[Drill, PointChoice], ...]:
        """
        Return the recovery point that each test of `night` would take of those there are now.

        One read for each test, of an action that Azure allows at least 150 times an hour. By then
        there may be newer points, and snapshots that have aged out.
        """
        begins = self.drills.start_of(night.date)
        return tuple(
            (
                drill,
                choose_point(
                    self.restores.observe_points(drill.vm.id, drill.vault),
                    drill.strategy,
                    key=str(drill.vm.id),
                    now=begins,
                    rpo=drill.tier.rpo,
                ),
            )
            for drill in night.drills
        )
