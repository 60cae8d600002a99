"""
Recovery Services vaults: their life, their settings, and what they hold.

`Vaults` is the whole provider's state. The rules of what happens inside a vault are in
azsim/recovery; here is who owns what, and the one-line calls that set the stage for a test.
"""

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azsim.arm_ids import ArmId, resource_id
from azsim.guests import Conduct
from azsim.recovery import errors
from azsim.recovery.backups import catch_up
from azsim.recovery.deliveries import Deliveries
from azsim.recovery.doubts import Doubts
from azsim.recovery.graph_rows import rows_of
from azsim.recovery.guards import Guard
from azsim.recovery.items import Item
from azsim.recovery.jobs import Failure, JobBook, Operation
from azsim.recovery.pace import Pace, Step
from azsim.recovery.policies import Policy, default_policies
from azsim.recovery.protection import enable, remove, stop
from azsim.recovery.restores import PlannedFailure, Restore
from azsim.recovery.rules import Rules
from azsim.recovery.troubles import Troubles

if TYPE_CHECKING:
    from azsim.machines import Machine
    from azsim.world import World

KIND = "Microsoft.RecoveryServices/vaults"
LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ALERTS_ON = {
    "azureMonitorAlertSettings": {
        "alertsForAllJobFailures": "Enabled",
        "alertsForAllReplicationIssues": "Enabled",
        "alertsForAllFailoverIssues": "Enabled",
    },
    "classicAlertSettings": {
        "alertsForCriticalOperations": "Enabled",
        "emailNotificationsForSiteRecovery": "Enabled",
    },
}


@dataclass(slots=True)
class Vault:
    """
    One vault. `settings` is what PUT and PATCH wrote of `properties`; the rest is the service's.

    `settled_at` is when the backup settings show in its body (they come later than the vault).
    """

    vaults: "Vaults" = field(repr=False)
    id: str
    location: str
    created: datetime
    salt: int
    provisioned_at: datetime
    settled_at: datetime
    written_at: datetime
    settings: dict[str, Any]
    policies: dict[str, Policy]
    tags: dict[str, str] = field(default_factory=dict)
    sku: dict[str, str] = field(default_factory=lambda: {"name": "Standard"})
    identity: dict[str, Any] | None = None
    soft_delete: bool = True
    soft_delete_days: int = 14
    enhanced_security: str = "Enabled"
    storage_version: str = "Unassigned"
    failed: bool = False  # Its creation: it is there, and of no use.
    items: dict[str, Item] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    discovers_every: timedelta = timedelta(minutes=5)
    refreshed_at: datetime = LONG_AGO
    configures: list[datetime] = field(default_factory=list)
    policy_edits: list[datetime] = field(default_factory=list)
    guards: dict[str, Guard] = field(default_factory=dict)
    book: JobBook = field(default_factory=JobBook)

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def subscription(self) -> str:
        return ArmId.parse(self.id).subscription

    @property
    def group(self) -> str:
        return ArmId.parse(self.id).group

    def item(self, key: str) -> Item | None:
        """Return the item, brought up to date; None also when its soft delete has run out."""
        item = self.items.get(key)
        if item is None:
            return None
        if item.purge_at is not None and item.purge_at <= self.vaults.now:
            self.drop(item)
            self.vaults.disown(self, item)
            return None
        catch_up(self.vaults, self, item)
        return item

    def live_items(self) -> list[Item]:
        """Return every item that can be read, brought up to date."""
        return [item for key in list(self.items) if (item := self.item(key)) is not None]

    # models room-of-soft-deleted
    def room_taken(self) -> int:
        """Return how many VMs count against the most that the vault can protect."""
        counted = self.vaults.doubts.room_counts_soft_deleted
        return sum(counted or not item.is_soft_deleted for item in self.items.values())

    def drop(self, item: Item) -> None:
        self.items.pop(item.key, None)

    def policy(self, name: str) -> Policy:
        """Return the policy; raises ArmError 404."""
        if (policy := self.policies.get(name.lower())) is None:
            raise errors.POLICY_NOT_FOUND.error(policy=name)
        return policy

    def protected_by(self, policy: Policy) -> int:
        return sum(item.policy == policy.name for item in self.items.values())


class Vaults:
    """
    Every vault of the world.

    `version` rises with each change that a call made; what the schedule does on its own does not
    raise it. `on_restored` is told of each restore that has completed; what it leaves is there by
    then (`deliveries`).
    """

    def __init__(self, world: "World") -> None:
        self.world = world
        self.version = 0
        self.rules = Rules()
        self.doubts = Doubts()
        self.pace = Pace(world.rng)
        self.deliveries = Deliveries(world)
        self.on_restored: list[Callable[[Restore], None]] = []
        self._vaults: dict[str, Vault] = {}
        self._owners: dict[str, dict[str, tuple[Vault, Item]]] = {}
        self.troubles = Troubles()
        self._planned_restores: dict[str, list[PlannedFailure]] = {}
        self._planned_findings: dict[str, tuple[Failure, ...]] = {}

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def just_now(self) -> datetime:
        """Return now with a microsecond fraction, as no real service starts on the full second."""
        return self.now + timedelta(microseconds=self.world.rng.randint(1, 999))

    def id_from(self, rng: random.Random) -> str:
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))

    def changed(self, item: Item | None = None) -> None:
        self.version += 1
        if item is not None:
            item.changed_at = self.now

    def create(
        self,
        subscription: str,
        group: str,
        name: str,
        location: str,
        *,
        tags: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        sku: Mapping[str, str] | None = None,
        takes: timedelta = timedelta(),
        settles: timedelta = timedelta(),
    ) -> Vault:
        """Create a vault with its default policies; ready at once unless told otherwise."""
        subscription = self.world.groups.ensure(subscription, group, location).subscription
        now = self.now
        rng = self.world.rng
        minutes = rng.choice(self.rules.default_policy_minutes)
        vault = Vault(
            vaults=self,
            id=resource_id(subscription, group, KIND, name),
            location=location,
            created=now,
            salt=rng.getrandbits(64),
            provisioned_at=now + takes,
            settled_at=now + settles,
            written_at=self.just_now(),
            settings={"monitoringSettings": _ALERTS_ON, **(settings or {})},
            policies={},
            tags=dict(tags or {}),
            sku=dict(sku or {"name": "Standard"}),
            discovers_every=self.pace.draw(Step.DISCOVERY),
        )
        for policy_name, body in default_policies(now, minutes).items():
            self.set_policy(vault, policy_name, body)
        self._vaults[vault.id.lower()] = vault
        self.changed()
        return vault

    def set_policy(self, vault: Vault, name: str, body: dict[str, Any]) -> Policy:
        """Give the vault a policy of that name, or its policy of that name another body."""
        if (policy := vault.policies.get(name.lower())) is not None:
            policy.body = body
        else:
            policy = Policy(name, body, self.world.new_id())
            vault.policies[name.lower()] = policy
        self.changed()
        return policy

    def find(self, subscription: str, group: str, name: str) -> Vault | None:
        return self.by_id(resource_id(subscription, group, KIND, name))

    def by_id(self, vault_id: str) -> Vault | None:
        return self._vaults.get(vault_id.lower())

    def get(self, subscription: str, group: str, name: str) -> Vault:
        """Return the vault; raises ARM's recorded 404."""
        if (vault := self.find(subscription, group, name)) is None:
            raise errors.VAULT_NOT_FOUND.error(vault=name, group=group)
        return vault

    def in_subscription(self, subscription: str, group: str | None = None) -> list[Vault]:
        wanted = (subscription.lower(), group and group.lower())
        return [
            vault
            for vault in self._vaults.values()
            if vault.subscription.lower() == wanted[0]
            and (group is None or vault.group.lower() == wanted[1])
        ]

    def forget(self, vault: Vault) -> None:
        """Drop a vault with all that is in it."""
        for item in vault.items.values():
            self.disown(vault, item)
        self._vaults.pop(vault.id.lower(), None)
        self.changed()

    def own(self, vault: Vault, item: Item) -> None:
        self._owners.setdefault(item.vm_id.lower(), {})[vault.id.lower()] = (vault, item)

    def disown(self, vault: Vault, item: Item) -> None:
        self._owners.get(item.vm_id.lower(), {}).pop(vault.id.lower(), None)
        self.changed()

    def item_of(self, vm_id: str) -> tuple[Vault, Item] | None:
        """Return where a VM is protected; a live item comes before a soft-deleted one."""
        owners = list(self._owners.get(vm_id.lower(), {}).values())
        live = [(vault, item) for vault, item in owners if vault.item(item.key) is item]
        return min(live, key=lambda owner: owner[1].is_soft_deleted, default=None)

    def protect(self, vm_id: str, vault: Vault, policy: str = "DefaultPolicy") -> Item:
        """Let the VM be protected, at once and whatever the rules say: sets the stage."""
        return enable(self, vault, vm_id, vault.policy(policy))

    def stop(self, vm_id: str) -> Item:
        """Let the VM's protection be stopped, data kept."""
        vault, item = self._owner(vm_id)
        stop(self, vault, item)
        return item

    def soft_delete(self, vm_id: str) -> Item:
        """Let the VM's item be deleted: soft, unless its vault has that switched off."""
        vault, item = self._owner(vm_id)
        remove(self, vault, item)
        return item

    def fail_backups(self, vm_id: str, failure: Failure | str, times: int = 1) -> None:
        """Let the VM's next backups fail for this reason (or known code)."""
        self.troubles.fail(vm_id, failure, times)

    def fail_vault(
        self, vault: Vault, failure: Failure | str, *, since: datetime, until: datetime
    ) -> None:
        """Let every backup of the vault that begins in this time fail for this reason."""
        self.troubles.fail_vault(vault.id, failure, since, until)

    def halt_schedule(self, target: str, *, since: datetime, until: datetime) -> None:
        """Let no scheduled backup of a VM, or of a vault (its id), happen in this time."""
        self.troubles.halt(target, since, until)

    def fail_restores(
        self, vm_id: str, failure: Failure, times: int = 1, *, copied: bool = False
    ) -> None:
        """
        Let the VM's next restores fail for this reason: while data is copied or, with `copied`,
        after it, when a VM should be made of the disks.
        """
        planned = self._planned_restores.setdefault(vm_id.lower(), [])
        planned.extend([PlannedFailure(failure, copied)] * times)

    def planned_restore_failure(self, vm_id: str) -> PlannedFailure | None:
        planned = self._planned_restores.get(vm_id.lower())
        return planned.pop(0) if planned else None

    def find_in_validations(self, vm_id: str, *findings: Failure) -> None:
        """Let every validation of a restore of the VM list these, until told otherwise."""
        self._planned_findings[vm_id.lower()] = findings

    def planned_findings(self, vm_id: str) -> tuple[Failure, ...]:
        return self._planned_findings.get(vm_id.lower(), ())

    def spoil_points(self, vm_id: str, conduct: Conduct) -> None:
        """Let what was backed up of the VM until now behave like this once it is restored."""
        _, item = self._owner(vm_id)
        for point in item.points:
            guest = replace(point.picture.guest, conduct=conduct)
            point.picture = replace(point.picture, guest=guest)

    # models backup-sees-last-change
    def settle(self, vm_id: str) -> None:
        """Do what the schedule owed until now, before the VM changes under it."""
        self.item_of(vm_id)

    def refresh(self, vault: Vault) -> Operation:
        """Look for the VMs of the vault's subscription and region; they are known at the end."""
        started = self.just_now()
        ends = started + self.pace.draw(Step.REFRESH)

        def found() -> None:
            vault.refreshed_at = started

        self.world.clock.at(ends, found)
        return vault.book.open(Operation(self.world.new_id(), started, ends))

    # models discovers-on-its-own
    def discovered(self, vault: Vault) -> "list[Machine]":
        """
        Return the VMs that the vault knows of: those of its region that were there when it last
        looked, because somebody asked (refresh) or on its own, now and then.
        """
        rounds = (self.now - vault.created) // vault.discovers_every
        on_its_own = vault.created + rounds * vault.discovers_every if rounds else LONG_AGO
        looked_at = max(vault.refreshed_at, on_its_own)
        return [
            machine
            for machine in self.world.machines.in_subscription(vault.subscription)
            if machine.location.lower() == vault.location.lower() and machine.created <= looked_at
        ]

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """Yield Resource Graph's rows: vaults, policies, items, and the jobs of 14 days."""
        for vault in list(self._vaults.values()):
            yield from rows_of(vault, self.world.tenant)

    def _owner(self, vm_id: str) -> tuple[Vault, Item]:
        if (owner := self.item_of(vm_id)) is None:
            raise KeyError(f"{vm_id} is not protected")
        return owner
