"""
A month of two hundred VMs in four vaults of two regions, and what befalls them, drawn by a seed.

Each VM has a story of its own at most; outages and halts of whole vaults come on top of that.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from azsim.recovery.backups import back_up_now
from azsim.recovery.items import Item
from azsim.recovery.jobs import Failure
from azsim.recovery.known_failures import known_failure
from azsim.vaults import Vault
from tests.scenario.mail_stage import DAY, HOUR, TEAM, MailStage
from tests.scenario.stage import GROUP, SUB, WEST

NORTH = "northeurope"
VAULTS = (("rsv-w1", WEST), ("rsv-w2", WEST), ("rsv-n1", NORTH), ("rsv-n2", NORTH))
OWNERS = ("", "", "", TEAM, "me@evil.example", "no address, at all")
NEW = Failure("UserErrorNobodyKnows", "Something happened that has no entry.", 499_999)
FAILURES = (
    NEW,
    *map(
        known_failure,
        (
            "UserErrorGuestAgentStatusUnavailable",
            "ExtensionSnapshotFailedNoNetwork",
            "ExtensionFailedVssWriterInBadState",
            "CloudInternalError",
            "UserErrorFsFreezeFailed",
        ),
    ),
)
LOOKS = timedelta(hours=6)
ENDING = 8  # So many nights before the end the last thing begins, so that what ends has ended.


@dataclass
class Month(MailStage):
    """`deleted` tells when a VM was deleted, and `dropped` when its backups were."""

    vms: int = 200
    length: int = 30
    vaults: list[Vault] = field(default_factory=list)
    items: dict[str, tuple[Vault, Item]] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    dropped: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.environment = {**self.environment, "VMBACKUP_WATCH_SCHEDULE": "0 30 */6 * * *"}
        self.app = self.build()
        for name, place in VAULTS:
            vault = self.world.vaults.create(SUB, f"rg-backup-{place}", name, place)
            self.world.logs.connect(
                vault, self.workspace, first_push=HOUR, categories=["AddonAzureBackupJobs"]
            )
            self.vaults.append(vault)

    def play(self, seed: int) -> None:
        """Let the month pass."""
        rng = random.Random(f"month {seed}")
        for number in range(self.vms):
            vault = self.vaults[number % len(self.vaults)]
            owner = rng.choice(OWNERS)
            made = self.world.machines.create(
                subscription=SUB,
                group=GROUP,
                name=f"vm-{number:03}",
                location=vault.location,
                tags={"backup": "gold", **({"backup-owner": owner} if owner else {})},
            )
            self.items[made.id] = (vault, self.world.vaults.protect(made.id, vault))
        own = iter(rng.sample(list(self.items), self.vms))
        self._fail_some(rng, [next(own) for _ in range(24)])
        self._heal_some(rng, [next(own) for _ in range(4)])
        self._halt_some(rng, [next(own) for _ in range(8)])
        self._delete_some(rng, [next(own) for _ in range(4)])
        self._strike_vaults(rng)
        for part, late in ((0.1, 3 * HOUR), (0.3, 12 * HOUR), (0.6, 26 * HOUR)):
            begin = self.noon(int(self.length * part))
            self.world.logs.delay(late, since=begin, until=begin + 3 * DAY)
        self.nights(self.length)

    def noon(self, day: int) -> datetime:
        return self.world.clock.now().replace(hour=12, minute=0) + day * DAY

    def _at(self, when: datetime, action: Callable[[], object]) -> None:
        self.world.clock.at(when, lambda: (action(), None)[1])

    def _fail_some(self, rng: random.Random, vms: list[str]) -> None:
        for vm in vms:
            failure, nights = rng.choice(FAILURES), rng.randint(1, 4)
            begins = self.noon(rng.randint(1, self.length - ENDING))
            self._at(begins, lambda vm=vm, f=failure, n=nights: self.fail(vm, f, n))

    def fail(self, vm: str, failure: Failure, nights: int) -> None:
        self.world.vaults.fail_backups(vm, failure, nights)

    def _heal_some(self, rng: random.Random, vms: list[str]) -> None:
        """Let backups by hand end what failed for two nights."""
        for vm in vms:
            day = rng.randint(1, self.length - ENDING)
            failure = rng.choice(FAILURES)
            self._at(self.noon(day), lambda vm=vm, f=failure: self.fail(vm, f, 2))
            self._at(self.noon(day + 2), lambda vm=vm: self.back_up(vm))

    def back_up(self, vm: str) -> None:
        found = self.world.vaults.item_of(vm)
        assert found is not None
        back_up_now(self.world.vaults, *found, None)

    def _halt_some(self, rng: random.Random, vms: list[str]) -> None:
        for vm in vms:
            begins = self.noon(rng.randint(1, self.length - ENDING))
            until = begins + rng.randint(1, 3) * DAY
            self.world.vaults.halt_schedule(vm, since=begins, until=until)

    def _delete_some(self, rng: random.Random, vms: list[str]) -> None:
        for number, vm in enumerate(vms):
            when = self.noon(rng.randint(1, self.length - ENDING))
            self.deleted[vm] = when
            self._at(when, lambda vm=vm: self.world.machines.delete(vm))
            if number % 2:
                self.dropped[vm] = when + 4 * DAY
                self._at(self.dropped[vm], lambda vm=vm: self.world.vaults.soft_delete(vm))

    def _strike_vaults(self, rng: random.Random) -> None:
        """Let three vaults have an outage of some nights, and the schedule of one not run."""
        struck = rng.sample(self.vaults, 4)
        for vault, part in zip(struck, (0.1, 0.3, 0.67), strict=False):
            begins = self.noon(int(self.length * part) + rng.randint(0, 2))
            until = begins + rng.randint(1, 3) * DAY
            self.world.vaults.fail_vault(vault, rng.choice(FAILURES[1:]), since=begins, until=until)
        begins = self.noon(self.length // 2)
        until = begins + rng.randint(1, 2) * DAY
        self.world.vaults.halt_schedule(struck[-1].id, since=begins, until=until)
