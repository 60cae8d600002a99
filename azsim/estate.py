"""
An estate as a company has it after some years: several subscriptions and regions, some machines
protected as they should be, some otherwise, many not at all.

Drawn from a seed of its own, so that the same seed and size always give the same estate. The shares
are invented: they make every state of a machine and of an item turn up, not a statistic.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from azsim.machines import PAST
from azsim.recovery.policies import vm_policy

if TYPE_CHECKING:
    from azsim.vaults import Vault
    from azsim.world import World

TAG = "backup"
REGIONS = ("westeurope", "northeurope", "eastus2", "uksouth", "southeastasia")
MOST_PER_VAULT = 1_000
_VMS_PER_SUBSCRIPTION = 1_500
_AT_22 = "2026-01-01T22:00:00Z"
_AT_6 = "2026-01-01T06:00:00Z"


class Fate(Enum):
    """What has become of the backup of a machine that asks for one."""

    AS_ASKED = auto()
    NOT_YET = auto()
    OTHER_POLICY = auto()
    ELSEWHERE = auto()
    STOPPED = auto()
    SOFT_DELETED = auto()


@dataclass(frozen=True, slots=True)
class _Role:
    word: str
    size: str
    os_type: str = "Linux"
    data_disks: int = 0


_ROLES = (
    _Role("web", "Standard_D2s_v5"),
    _Role("app", "Standard_D4s_v5", data_disks=1),
    _Role("db", "Standard_E8s_v5", data_disks=4),
    _Role("file", "Standard_D2s_v5", "Windows", 2),
    _Role("dc", "Standard_B2ms", "Windows"),
    _Role("job", "Standard_F4s_v2"),
)
_SYSTEMS = ("shop", "erp", "crm", "hr", "build", "lake", "portal", "mail")
_STAGES = (("prod", 55), ("test", 25), ("dev", 20))

# What stands in the tag, by stage; None is a machine without one.
_ASKS: dict[str, tuple[tuple[str | None, int], ...]] = {
    "prod": (("gold", 30), ("standard", 50), (None, 15), ("off", 3), ("platinum", 2)),
    "test": (("standard", 35), (None, 60), ("off", 5)),
    "dev": (("standard", 10), (None, 80), ("off", 10)),
}
_FATES = (
    (Fate.AS_ASKED, 60),
    (Fate.NOT_YET, 28),
    (Fate.OTHER_POLICY, 5),
    (Fate.ELSEWHERE, 3),
    (Fate.STOPPED, 2),
    (Fate.SOFT_DELETED, 2),
)
_POWER = (("running", 80), ("deallocated", 17), ("stopped", 3))
_SPELLINGS = ((TAG, 90), ("Backup", 8), ("BACKUP", 2))
_SECURITY = (("TrustedLaunch", 55), ("", 42), ("ConfidentialVM", 3))
_KEPT_UNASKED = 0.04  # Machines that are protected though nothing asks for it any more.
_FAILED, _MUTE, _RESTORED = 0.01, 0.02, 0.01


class Founder:
    """Brings machines into a world one by one, and the vaults that they need."""

    def __init__(self, world: "World", vms: int, seed: int) -> None:
        self._world = world
        self._rng = random.Random(f"estate {seed}")
        count = max(2, -(-vms // _VMS_PER_SUBSCRIPTION))
        self.subscriptions = [
            world.groups.add_subscription(self._guid(), name=f"company-{n:02}")
            for n in range(1, count + 1)
        ]
        self._regions = {sub: self._rng.sample(REGIONS, 3) for sub in self.subscriptions}
        self._vaults: dict[tuple[str, str, str], Vault] = {}

    def add_machine(self, number: int) -> None:
        rng = self._rng
        subscription = rng.choice(self.subscriptions)
        region = rng.choice(self._regions[subscription])
        system, role, stage = rng.choice(_SYSTEMS), rng.choice(_ROLES), self._draw(_STAGES)
        asked = self._draw(_ASKS[stage])
        tags = {"env": stage, "system": system}
        if asked is not None:
            tags[self._draw(_SPELLINGS)] = asked
        restored = rng.random() < _RESTORED
        machine = self._world.machines.create(
            subscription=subscription,
            group=f"rg-{system}-{stage}-{region}",
            name=f"{system}-{role.word}-{number:04}",
            location=region,
            tags=tags,
            size=role.size,
            os_type=role.os_type,
            data_disks=role.data_disks,
            security_type=self._draw(_SECURITY),
            power=self._draw(_POWER),
            agent_after=None if rng.random() < _MUTE else timedelta(),
            os_disk_tags={"RSVaultBackup": self._guid()} if restored else None,
            created_by=PAST,
        )
        if rng.random() < _FAILED:
            self._world.machines.fail(machine.id)
        if asked in ("gold", "standard") and machine.security_type != "ConfidentialVM":
            self._give_backup(machine.id, subscription, region, asked, self._draw(_FATES))
        elif rng.random() < _KEPT_UNASKED:
            self._protect(machine.id, self._vault(subscription, region), "standard")

    def _give_backup(
        self, vm_id: str, subscription: str, region: str, asked: str, fate: Fate
    ) -> None:
        if fate is Fate.NOT_YET:
            return
        legacy = fate is Fate.ELSEWHERE
        vault = self._vault(subscription, region, "legacy" if legacy else "rsv")
        other = legacy or fate is Fate.OTHER_POLICY
        self._protect(vm_id, vault, "DefaultPolicy" if other else asked)
        if fate is Fate.STOPPED:
            self._world.vaults.stop(vm_id)
        if fate is Fate.SOFT_DELETED:
            self._world.vaults.soft_delete(vm_id)

    def _protect(self, vm_id: str, vault: "Vault", policy: str) -> None:
        self._world.vaults.protect(vm_id, vault, policy)

    def _vault(self, subscription: str, region: str, kind: str = "rsv") -> "Vault":
        """Return the place's vault with room, made when it is first needed or the last is full."""
        key = (subscription, region, kind)
        vault = self._vaults.get(key)
        if vault is None or len(vault.items) >= MOST_PER_VAULT:
            number = int(vault.name.rpartition("-")[2]) + 1 if vault else 1
            name = f"{kind}-{subscription[:8]}-{region}-{number}"
            vault = self._world.vaults.create(subscription, f"rg-backup-{region}", name, region)
            for policy, body in _policies().items():
                self._world.vaults.set_policy(vault, policy, body)
            self._vaults[key] = vault
        return vault

    def _draw[T](self, choices: tuple[tuple[T, int], ...]) -> T:
        values, weights = zip(*choices, strict=True)
        return self._rng.choices(values, weights)[0]  # type: ignore[no-any-return]

    def _guid(self) -> str:
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def found_estate(world: "World", vms: int, seed: int) -> list[str]:
    """
    Bring an estate of `vms` machines into `world`; return its subscriptions.

    Machines are from the past: none raises an event. Ten thousand take a few seconds.
    """
    founder = Founder(world, vms, seed)
    for number in range(1, vms + 1):
        founder.add_machine(number)
    return founder.subscriptions


def _policies() -> dict[str, dict[str, Any]]:
    """Return the company's own policies, which keep 30 days as the built-in ones do."""
    daily = {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Daily",
        "scheduleRunTimes": [_AT_22],
        "scheduleWeeklyFrequency": 0,
    }
    hourly = {
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": "Hourly",
        "hourlySchedule": {
            "interval": 4,
            "scheduleWindowStartTime": _AT_6,
            "scheduleWindowDuration": 12,
        },
    }
    return {
        "standard": vm_policy(daily, _AT_22),
        "gold": vm_policy(hourly, _AT_6, policyType="V2", instantRpRetentionRangeInDays=7),
    }
