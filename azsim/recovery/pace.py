"""
How long things take in Azure Backup, in seconds: lowest, usual, highest.

Taken from the recorded exchanges unless marked; drawn from the world's own randomness.
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum


class Step(Enum):
    VAULT_CREATE = "create a vault"
    VAULT_SETTLE = "backup settings show up in a new vault's body"
    VAULT_CHANGE = "patch a vault"
    VAULT_DELETE = "delete a vault"
    VAULT_FORGET = "ARM forgets a deleted vault"
    REFRESH = "discover the VMs of a subscription"
    DISCOVERY = "a vault looks for new VMs on its own"
    CONFIGURE = "enable protection or change the policy"
    DISABLE = "stop protection, keep data"
    SOFT_DELETE = "delete backup data of a vault with soft delete"
    DELETE_DATA = "delete backup data for good"
    UNDELETE = "undelete"
    TRIGGER = "accept a backup or a restore"
    SNAPSHOT = "take a snapshot"
    QUEUE = "a transfer waits for its turn"
    TRANSFER = "transfer a snapshot to the vault"
    SCHEDULE_LAG = "a scheduled backup starts after its time"
    RESTORE_SNAPSHOT = "restore disks from a snapshot"
    RESTORE_VAULT = "restore disks from the vault"
    CREATE_VM = "create a VM of restored disks"
    REPLACE_DISKS = "replace the disks of the source VM"
    CANCEL = "cancel a job"
    VALIDATE = "validate a restore"


SECONDS: dict[Step, tuple[float, float, float]] = {
    Step.VAULT_CREATE: (0.5, 1.0, 45),
    # models vault-settles-in
    Step.VAULT_SETTLE: (2, 20, 90),
    Step.VAULT_CHANGE: (1, 20, 50),
    Step.VAULT_DELETE: (2, 15, 45),
    # models vault-forgotten-in
    Step.VAULT_FORGET: (2, 10, 30),
    Step.REFRESH: (2, 9, 35),
    # Recorded without any refresh: VMs of 59 to 395 s found, others of 74 to 213 s not yet.
    Step.DISCOVERY: (60, 240, 600),
    # models configure-takes
    Step.CONFIGURE: (2, 34, 85),
    Step.DISABLE: (1.3, 2, 6),
    Step.SOFT_DELETE: (5, 10, 16),
    Step.DELETE_DATA: (95, 110, 125),
    Step.UNDELETE: (8, 10, 14),
    Step.TRIGGER: (0.3, 1, 7),
    Step.SNAPSHOT: (240, 456, 900),
    Step.QUEUE: (60, 170, 300),
    Step.TRANSFER: (1500, 1900, 5400),
    # models schedule-lag
    Step.SCHEDULE_LAG: (30, 1200, 7200),  # "within two hours of the scheduled time" (documented).
    Step.RESTORE_SNAPSHOT: (25, 35, 60),
    Step.RESTORE_VAULT: (1900, 2140, 5400),
    Step.CREATE_VM: (60, 95, 300),
    Step.REPLACE_DISKS: (600, 1350, 1800),
    # models job-cancelling
    Step.CANCEL: (5, 20, 120),  # Guessed: nobody polled a cancelled job.
    Step.VALIDATE: (5, 20, 60),  # Guessed.
}


@dataclass(slots=True)
class Pace:
    """Draws durations; a world may change `seconds` to make a step slow, fast or exact."""

    rng: random.Random
    seconds: dict[Step, tuple[float, float, float]] = field(default_factory=lambda: dict(SECONDS))

    def draw(self, step: Step, rng: random.Random | None = None) -> timedelta:
        low, usual, high = self.seconds[step]
        return timedelta(seconds=(rng or self.rng).triangular(low, high, usual))
