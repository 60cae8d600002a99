"""
Which vault a VM belongs in: found by configuration or by name, never named twice.

Azure demands a vault of the VM's own subscription and region, so the choice is among those only.
"""

import re
from dataclasses import dataclass

from vmbackup_core.domain.facts import VaultFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.reasons import Reason

VMS_PER_VAULT = 1_000  # Azure VMs per vault (support matrix of Azure Backup, 2023-08).


@dataclass(frozen=True, slots=True)
class UseVault:
    """An explicit choice: in this subscription and location, this vault and no other."""

    subscription: str
    location: str
    vault: VaultId


@dataclass(frozen=True, slots=True)
class VaultNaming:
    """
    How vaults are recognised and, where `create` allows it, made.

    `{subscription}` stands for the first 8 characters of the subscription's id (a vault's name has
    at most 50), `{region}` for the location, `{n}` for 1, 2, 3 …: a full vault's successor.
    """

    name: str = "rsv-{subscription}-{region}-{n}"
    resource_group: str = "rg-backup-{region}"
    create: bool = False
    redundancy: str = "GeoRedundant"
    use: tuple[UseVault, ...] = ()
    vms_per_vault: int = VMS_PER_VAULT

    def named(self, subscription: str, location: str, n: int) -> VaultId:
        """Return the vault that the pattern names for a place and a number."""
        words = {"subscription": subscription[:8], "region": location, "n": str(n)}
        return VaultId(
            subscription,
            self.resource_group.format_map(words).lower(),
            self.name.format_map(words).lower(),
        )

    def number_of(self, vault: VaultId, location: str) -> int | None:
        """Return the number that `vault` has in the pattern, None where it does not fit."""
        words = {"subscription": vault.subscription[:8], "region": location, "n": "\0"}
        pattern = re.escape(self.name.format_map(words).lower()).replace("\0", r"(\d+)")
        found = re.fullmatch(pattern, vault.name)
        if found is None:
            return None
        return int(found[1]) if found.groups() else 1

    def explicit(self, subscription: str, location: str) -> VaultId | None:
        return next(
            (u.vault for u in self.use if (u.subscription, u.location) == (subscription, location)),
            None,
        )

    def ours(self, vault: VaultId, location: str) -> bool:
        """Whether a VM of `location` may be protected in `vault` by this configuration."""
        if (explicit := self.explicit(vault.subscription, location)) is not None:
            return vault == explicit
        return self.number_of(vault, location) is not None


@dataclass(frozen=True, slots=True)
class Use:
    """Protect in this vault, which exists."""

    vault: VaultFacts


@dataclass(frozen=True, slots=True)
class Make:
    """Create this vault first."""

    vault: VaultId


@dataclass(frozen=True, slots=True)
class NoVault:
    """There is none, and `reason` says what a person can do."""

    reason: Reason
    because: str


VaultChoice = Use | Make | NoVault


def choose_vault(
    subscription: str,
    location: str,
    vaults: tuple[VaultFacts, ...],
    naming: VaultNaming,
    full: frozenset[VaultId] = frozenset(),
) -> VaultChoice:
    """
    Return the vault for new VMs of `subscription` and `location` among the `vaults` there.

    `full` holds vaults of which the service itself has said that they take no more. The first of
    the pattern with room wins, so that every trigger and every try chooses alike. An empty vault
    that says it is full has no successor made.
    """

    def has_room(vault: VaultFacts) -> bool:
        return vault.items < naming.vms_per_vault and vault.id not in full

    if (explicit := naming.explicit(subscription, location)) is not None:
        found = next((v for v in vaults if v.id == explicit), None)
        if found is None:
            return NoVault(Reason.NO_VAULT, f"the configured vault {explicit.name} is not there")
        return Use(found) if has_room(found) else NoVault(Reason.VAULT_FULL, f"{explicit.name}")

    numbered = {
        number: vault
        for vault in vaults
        if (number := naming.number_of(vault.id, location)) is not None
    }
    for _, vault in sorted(numbered.items()):
        if has_room(vault):
            return Use(vault)
    if odd := next((v for v in numbered.values() if v.id in full and not v.items), None):
        # It means something else, and a new vault would be refused alike.
        return NoVault(Reason.VAULT_FULL, f"{odd.id.name} says so although it is empty")
    many = "{n}" in naming.name
    if naming.create and (many or not numbered):
        free = next(n for n in range(1, len(numbered) + 2) if n not in numbered)
        return Make(naming.named(subscription, location, free))
    wanted = naming.named(subscription, location, 1).name
    if numbered:
        return NoVault(Reason.VAULT_FULL, f"{len(numbered)} vaults like {wanted}, all full")
    return NoVault(Reason.NO_VAULT, f"no vault like {wanted} in {location}")
