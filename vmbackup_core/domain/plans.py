"""
Plans: what we would do to one VM's protection, and why, as plain data.

`Step` is the complete list of things that protecting can do to Azure. Nothing in it stops a backup,
deletes one, or touches a machine: what cannot be expressed cannot happen.
"""

from dataclasses import dataclass
from typing import assert_never

from vmbackup_core.domain.facts import DiskExclusion
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.policies import PolicySpec
from vmbackup_core.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class CreateVault:
    """Create the vault (and its resource group) with safe settings; `redundancy` as configured."""

    vault: VaultId
    location: str
    redundancy: str


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """Create a policy that the vault does not have; one that is there is left alone."""

    vault: VaultId
    policy: PolicySpec


@dataclass(frozen=True, slots=True)
class RefreshContainers:
    """Let the vault look for new VMs: asked for only when it did not know one."""

    vault: VaultId


@dataclass(frozen=True, slots=True)
class EnableProtection:
    vm: VmId
    vault: VaultId
    policy: str


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    vm: VmId
    vault: VaultId
    policy: str
    exclusion: DiskExclusion | None = None


@dataclass(frozen=True, slots=True)
class ResumeProtection:
    vm: VmId
    vault: VaultId
    policy: str
    exclusion: DiskExclusion | None = None


@dataclass(frozen=True, slots=True)
class Undelete:
    """Take the item out of soft delete; it is then stopped, and resumed by the next step."""

    vm: VmId
    vault: VaultId
    exclusion: DiskExclusion | None = None


@dataclass(frozen=True, slots=True)
class ConfirmProtection:
    """Send the present policy again for a VM that was re-created under the same name."""

    vm: VmId
    vault: VaultId
    policy: str
    exclusion: DiskExclusion | None = None


Change = ChangePolicy | ResumeProtection | Undelete | ConfirmProtection
"""Steps on an item that is already there: they draw from the hourly budget."""

ItemStep = EnableProtection | Change
Step = CreateVault | CreatePolicy | RefreshContainers | ItemStep


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Steps to take, in order, and the reason; an empty plan has a reason too.

    `because` holds the facts that decided, in words. Each step is applied on its own and the world
    is looked at again before the next, so a plan of several steps is a forecast.
    """

    steps: tuple[Step, ...]
    reason: Reason
    because: tuple[str, ...] = ()


def describe(step: Step) -> str:
    """Return what `step` does, in words for an operator."""
    match step:
        case CreateVault(vault, location, redundancy):
            return f"create vault {vault.name} in {location} ({redundancy})"
        case CreatePolicy(vault, policy):
            return f"create policy {policy.name} in {vault.name}"
        case RefreshContainers(vault):
            return f"let {vault.name} look for new VMs"
        case EnableProtection(_, vault, policy):
            return f"protect with {policy} in {vault.name}"
        case ChangePolicy(_, vault, policy):
            return f"change the policy to {policy} in {vault.name}"
        case ResumeProtection(_, vault, policy):
            return f"resume with {policy} in {vault.name}"
        case Undelete(_, vault):
            return f"undelete in {vault.name}"
        case ConfirmProtection(_, vault, policy):
            return f"confirm {policy} in {vault.name}"
        case _:
            assert_never(step)


def name_of(step: Step) -> str:
    """Return the step's own name, as evidence and states bear it."""
    return type(step).__name__
