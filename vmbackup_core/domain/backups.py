"""Protected items as one look at all of them sees them, each with the VM that it is for."""

from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.domain.facts import ItemState, Tags
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.telling.promises import VaultPromise


@dataclass(frozen=True, slots=True)
class ProtectedVm:
    """
    One protected item with the VM that it is for.

    `machine` is the VM's `vmId`, "" where no VM of that id is there now; `name` and `tags` are the
    VM's, or the item's own name and nothing. `policy` is a policy's name in `vault`. `last_point`
    is when its newest recovery point was taken, None where there is none.
    """

    vm: VmId
    name: str
    machine: str
    tags: Tags
    vault: VaultId
    state: ItemState
    policy: str
    last_point: datetime | None

    @property
    def there(self) -> bool:
        return bool(self.machine)


@dataclass(frozen=True, slots=True)
class Backups:
    """All protected items in scope at one look, with what their vaults promise."""

    at: datetime
    items: tuple[ProtectedVm, ...]
    vaults: tuple[VaultPromise, ...]
    unreadable: tuple[str, ...] = ()  # Ids of items that made no sense.
