"""
The brakes: why a step may not be applied now, asked before every write.

Observe mode, the pause, budgets shared by everything that writes, and claims on what only one
workflow should make. They hold whatever the plan says.
"""

from dataclasses import dataclass
from datetime import timedelta

from vmbackup_core.app.approvals import Approvals
from vmbackup_core.app.notebook import Notebook, configures
from vmbackup_core.domain.enabling import Done, Enabling, Wait, wait
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.plans import (
    CreatePolicy,
    CreateVault,
    EnableProtection,
    Plan,
    RefreshContainers,
    Step,
    describe,
    name_of,
)
from vmbackup_core.domain.protection import Sight
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.rules import Mode, Scope
from vmbackup_core.ports import Clock

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CLAIMED = timedelta(minutes=5)  # How long one workflow alone may create a vault or a policy.
DAY_FULL = timedelta(hours=4)  # Whether Azure counts from midnight or backwards is not known.


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may change: `enables_per_hour` None means that enabling is not capped."""

    changes_per_hour: int = 50
    enables_per_hour: int | None = None
    configures_per_day: int = 1_000
    agent_wait: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Brakes:
    scope: Scope
    limits: Limits
    notebook: Notebook
    approvals: Approvals
    clock: Clock

    def hold(self, state: Enabling, sight: Sight, plan: Plan, step: Step) -> Done | Wait | None:
        """Return why `step` may not be applied now: the brakes, asked before every write."""
        if self.scope.mode_of(state.vm.subscription) is Mode.OBSERVE:
            would = ", then ".join(describe(s) for s in plan.steps)
            return Done(Reason.OBSERVING, (*plan.because, f"would {would}"))
        if (pause := self.notebook.pause()) is not None:
            return Done(Reason.PAUSED, (f"since {pause.since:%Y-%m-%d %H:%M} UTC",))
        now = self.clock.now()
        match step:
            case CreateVault() | CreatePolicy():
                what = [name_of(step), str(step.vault)]
                if isinstance(step, CreatePolicy):
                    what.append(step.policy.name)
                if not self.notebook.claim(*what, lasting=CLAIMED):
                    return wait(state, now, Reason.CREATING, "another workflow creates it")
            case RefreshContainers():
                pass
            case EnableProtection():
                cap = self.limits.enables_per_hour
                if cap is not None and not self.notebook.spend("enables", cap, HOUR):
                    return Done(Reason.ENABLE_CAP, (f"{cap} an hour",))
                return self._daily_limit(step.vault)
            case _:
                limit = self.limits.changes_per_hour
                if not self.approvals.cover(sight.vm.machine, step) and not self.notebook.spend(
                    "changes", limit, HOUR
                ):
                    return Done(Reason.BUDGET_SPENT, (f"{limit} changes an hour",))
                return self._daily_limit(step.vault)
        return None

    def _daily_limit(self, vault: VaultId) -> Done | None:
        limit, budget = self.limits.configures_per_day, configures(vault)
        if not self.notebook.resting(budget) and self.notebook.spend(budget, limit, DAY):
            return None
        return Done(Reason.DAILY_LIMIT, (f"{limit} configurations of {vault.name} today",))

    def full_today(self, vault: VaultId) -> None:
        """Leave a vault alone for some hours: Azure says that its day is full."""
        self.notebook.rest(configures(vault), self.clock.now() + DAY_FULL)
