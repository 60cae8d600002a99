"""Look at what surrounds one VM: everything else that its plan depends on, by direct reads."""

from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.shelf import Shelf
from vmbackup_core.domain.errors import Retryable
from vmbackup_core.domain.facts import ItemFacts, VaultFacts, VmFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.protection import Rulebook, Sight
from vmbackup_core.domain.rules import OutOfScope, Wanted, ask
from vmbackup_core.domain.vaults import Use, choose_vault
from vmbackup_core.ports import Clock, Vaults

PROVIDER_THROTTLED = "ResourceRequestsThrottled"  # Recovery Services' own 429 (recorded).


@dataclass(frozen=True, slots=True)
class Looker:
    vaults: Vaults
    shelf: Shelf
    notebook: Notebook
    clock: Clock
    book: Rulebook

    def look(
        self,
        vm: VmFacts,
        *,
        vaults_after: datetime | None = None,
        full: frozenset[VaultId] = frozenset(),
    ) -> Sight | None:
        """
        Return all that decides about `vm`, which was just observed; two reads for a VM in scope.

        None while somebody else reads the vaults of its place: come back in some seconds.
        """
        if isinstance(ask(vm, self.book.rules), OutOfScope):
            return Sight(vm)
        place = self.shelf.vaults_in(vm.id.subscription, vm.location, vaults_after)
        if place is None:
            return None
        items = self._items(vm, self._likely(vm, place, full))
        if items is None:
            return None
        return Sight(vm, items, place, self.notebook.memory(vm.id), full)

    def _items(self, vm: VmFacts, likely: VaultId | None) -> tuple[ItemFacts, ...] | None:
        """
        Return the VM's items, read one by one while the provider's hourly budget for that lasts.

        When it is spent (a first rollout), the list of the whole vault is read once a minute for
        all: it has a budget of its own. None while somebody else reads it.
        """
        single = f"items of {vm.id.subscription}"
        if not self.notebook.resting(single):
            try:
                return self.vaults.observe_items(vm.id, vm.location, likely)
            except Retryable as error:
                if error.code != PROVIDER_THROTTLED or error.after is None:
                    raise
                self.notebook.rest(single, self.clock.now() + error.after)
        vault = self.vaults.find_vault(vm.id, vm.location) or likely
        if vault is None:
            return ()
        listed = self.shelf.items_in(vault)
        return None if listed is None else tuple(item for item in listed if item.vm == vm.id)

    def wanted(self, vm: VmFacts) -> bool:
        """Whether a rule asks for backup of `vm`."""
        return isinstance(ask(vm, self.book.rules), Wanted)

    def _likely(
        self, vm: VmFacts, place: tuple[VaultFacts, ...], full: frozenset[VaultId]
    ) -> VaultId | None:
        choice = choose_vault(vm.id.subscription, vm.location, place, self.book.vaults, full)
        return choice.vault.id if isinstance(choice, Use) else None
