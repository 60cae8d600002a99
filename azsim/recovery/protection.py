"""
What happens to an item when a change of its protection takes effect, whoever asked for it.

Nothing is refused here: operations call this at their end, tests to set the stage.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azsim.recovery.backups import pause_schedule
from azsim.recovery.items import Item, item_key
from azsim.recovery.jobs import Job
from azsim.recovery.policies import Policy

if TYPE_CHECKING:
    from azsim.vaults import Vault, Vaults


def enable(
    vaults: "Vaults",
    vault: "Vault",
    source: str,
    policy: Policy,
    exclusion: dict[str, Any] | None = None,
) -> Item:
    """Bring the VM's item under `policy`, at once: the effect of a successful configure."""
    machine = vaults.world.machines.find(source)
    if machine is None:
        raise KeyError(f"no machine {source}")
    item = vault.items.get(item_key(machine.group, machine.name))
    if item is None:
        item = Item(
            vm_id=machine.id,
            vm_guid=machine.vm_id,
            group=machine.group,
            machine=machine.name,
            location=machine.location,
            salt=vaults.world.rng.getrandbits(64),
            policy=policy.name,
            protected_since=vaults.now,
            scheduled_until=vaults.now,
        )
        vault.items[item.key] = item
    else:
        pause_schedule(vaults, vault, item)
    item.vm_guid, item.trusted_launch = machine.vm_id, machine.security_type == "TrustedLaunch"
    item.policy, item.stopped, item.registration = policy.name, False, "Registered"
    item.exclusion, item.deleted_at, item.purge_at = exclusion, None, None
    vault.storage_version = "V2"
    vaults.own(vault, item)
    vaults.changed(item)
    return item


def stop(vaults: "Vaults", vault: "Vault", item: Item) -> None:
    """Stop protection and keep every point."""
    pause_schedule(vaults, vault, item)
    item.stopped, item.policy = True, ""
    vaults.changed(item)


def remove(vaults: "Vaults", vault: "Vault", item: Item, job: Job | None = None) -> None:
    """Soft-delete the item, or drop it where the vault has no soft delete."""
    pause_schedule(vaults, vault, item)
    if vault.soft_delete:
        item.soft_delete(job.started if job else vaults.now, timedelta(days=vault.soft_delete_days))
    else:
        vault.drop(item)
        vaults.disown(vault, item)
    vaults.changed(item)
