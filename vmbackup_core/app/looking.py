"""Look at what surrounds one VM: everything else that its plan depends on, by direct reads."""

from dataclasses import dataclass
from datetime import datetime

from vmbackup_core.app.notebook import Notebook
from vmbackup_core.app.shelf import Shelf
from vmbackup_core.domain.facts import VaultFacts, VmFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.protection import Rulebook, Sight
from vmbackup_core.domain.rules import OutOfScope, Wanted, ask
from vmbackup_core.domain.vaults import Use, choose_vault
from vmbackup_core.ports import Vaults


@dataclass(frozen=True, slots=True)
class Looker:
    vaults: Vaults
    shelf: Shelf
    notebook: Notebook
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
        likely = self._likely(vm, place, full)
        items = self.vaults.observe_items(vm.id, vm.location, likely)
        return Sight(vm, items, place, self.notebook.memory(vm.id), full)

    def wanted(self, vm: VmFacts) -> bool:
        """Whether a rule asks for backup of `vm`."""
        return isinstance(ask(vm, self.book.rules), Wanted)

    def _likely(
        self, vm: VmFacts, place: tuple[VaultFacts, ...], full: frozenset[VaultId]
    ) -> VaultId | None:
        choice = choose_vault(vm.id.subscription, vm.location, place, self.book.vaults, full)
        return choice.vault.id if isinstance(choice, Use) else None
