"""Look at one VM: everything that its plan depends on, by direct reads."""

from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.shelf import Shelf
from vmbackup_core.domain.facts import VaultFacts, VmFacts
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.protection import Rulebook, Sight
from vmbackup_core.domain.rules import OutOfScope, ask
from vmbackup_core.domain.vaults import Use, choose_vault
from vmbackup_core.ports import Inventory, Vaults


@dataclass(frozen=True, slots=True)
class Looker:
    inventory: Inventory
    vaults: Vaults
    shelf: Shelf
    notebook: Notebook
    book: Rulebook

    def look(
        self,
        vm: VmId,
        *,
        vaults_after: datetime | None = None,
        full: frozenset[VaultId] = frozenset(),
    ) -> Sight | None:
        """
        Return what is true of `vm` now; None while somebody else reads the vaults of its place.

        Raises Gone where there is no such VM. A VM out of scope costs one read.
        """
        facts = self.inventory.observe_vm(vm)
        if isinstance(ask(facts, self.book.rules), OutOfScope):
            return Sight(facts)
        place = self.shelf.vaults_in(vm.subscription, facts.location, vaults_after)
        if place is None:
            return None
        likely = self._likely(facts, place, full)
        items = self.vaults.observe_items(vm, facts.location, likely)
        return Sight(facts, items, place, self.notebook.memory(vm), full)

    def _likely(
        self, vm: VmFacts, place: tuple[VaultFacts, ...], full: frozenset[VaultId]
    ) -> VaultId | None:
        choice = choose_vault(vm.id.subscription, vm.location, place, self.book.vaults, full)
        return choice.vault.id if isinstance(choice, Use) else None
