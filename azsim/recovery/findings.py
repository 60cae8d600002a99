"""
What Azure Backup finds out about a VM that it is told to protect, at once or on the way.

What is wrong with the request itself is not here (configure.py): these are the VM, its agent, and
the vault that may have it already (AZURE_FACTS 2).
"""

from typing import TYPE_CHECKING

from azsim.recovery import errors
from azsim.recovery.items import Item
from azsim.recovery.jobs import Failure

if TYPE_CHECKING:
    from azsim.vaults import Vault, Vaults


def planned(vaults: "Vaults", route: str, resource_id: str) -> Failure | None:
    """Return how an operation is to end that was told to fail (world.faults), None for others."""
    found = vaults.world.faults.late_failure(route, resource_id)
    return None if found is None else Failure(*found)


def late_failure(
    vaults: "Vaults", vault: "Vault", item: Item | None, source: str
) -> Failure | None:
    """Return why the operation that is about to end fails, None where it succeeds."""
    if failure := planned(vaults, "items.put", source):
        return failure
    found = _found_out(vaults, vault, item, source)
    return None if found is None else Failure(found.code, found.text)


def found_at_once(
    vaults: "Vaults", vault: "Vault", item: Item | None, source: str
) -> errors.Refusal | None:
    """Return what this world finds out before it accepts, of what others find out on the way."""
    at_once = {
        # models agent-late
        errors.AGENT_UNAVAILABLE: not vaults.doubts.agent_found_out_late,
        # models other-vault-late
        errors.OTHER_VAULT: not vaults.doubts.other_vault_found_out_late,
    }
    if not any(at_once.values()):
        return None
    found = _found_out(vaults, vault, item, source)
    return found if found is not None and at_once.get(found) else None


def _found_out(
    vaults: "Vaults", vault: "Vault", item: Item | None, source: str
) -> errors.Refusal | None:
    machine = vaults.world.machines.find(source)
    if machine is None:
        return errors.VM_NOT_FOUND
    owner = vaults.item_of(source)
    # models other-vault, stopped-elsewhere-counts
    if owner is not None and owner[0] is not vault and not owner[1].is_soft_deleted:
        return errors.OTHER_VAULT
    # models trusted-launch-replaced
    replaced = item is not None and item.trusted_launch and item.vm_guid != machine.vm_id
    if replaced and machine.security_type in ("", "Standard"):
        return errors.TRUSTED_LAUNCH_BEFORE
    # models agent-needed
    if machine.power == "running" and not machine.agent_ready:
        return errors.AGENT_UNAVAILABLE
    return None
