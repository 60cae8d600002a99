"""Send one step of a plan, and say what is pending then: the list of handlers, closed."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from vmbackup_core.domain.enabling import Pending
from vmbackup_core.domain.plans import (
    ChangePolicy,
    ConfirmProtection,
    CreatePolicy,
    CreateVault,
    EnableProtection,
    RefreshContainers,
    ResumeProtection,
    Step,
    Undelete,
    name_of,
)
from vmbackup_core.ports import Vaults


@dataclass(frozen=True, slots=True)
class Sender:
    vaults: Vaults

    def send(self, step: Step, now: datetime) -> Pending | None:
        """Send one step; return what is pending, None where the answer said that it is done."""
        match step:
            case CreateVault(vault, location, redundancy):
                self.vaults.create_vault(vault, location, redundancy)
                return None
            case CreatePolicy(vault, policy):
                self.vaults.create_policy(vault, policy)
                return None
            case RefreshContainers(vault):
                return self.pending(step, self.vaults.refresh_containers(vault), now)
            case EnableProtection(vm, vault, policy):
                return self.pending(step, self.vaults.set_protection(vm, vault, policy, None), now)
            case (
                ChangePolicy(vm, vault, policy, exclusion)
                | ResumeProtection(vm, vault, policy, exclusion)
                | ConfirmProtection(vm, vault, policy, exclusion)
            ):
                operation = self.vaults.set_protection(vm, vault, policy, exclusion)
                return self.pending(step, operation, now)
            case Undelete(vm, vault):
                return self.pending(step, self.vaults.undelete(vm, vault), now)
            case _:
                assert_never(step)

    def pending(self, step: Step, operation: str, now: datetime) -> Pending | None:
        match step:
            case CreateVault() | CreatePolicy():
                return None
            case RefreshContainers(vault=vault) | Undelete(vault=vault):
                return Pending(name_of(step), "", vault, operation, now)
            case _:
                return Pending(name_of(step), "ConfigureBackup", step.vault, operation, now)
