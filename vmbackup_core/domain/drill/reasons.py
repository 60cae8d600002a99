"""
Why a rung stands where it stands, and why a restore test ended: codes with their meaning.

Codes never change their meaning; docs/drills.md lists them, and a test keeps the two alike.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class ProofMeaning:
    text: str
    mend: str = ""


class ProofReason(Enum):
    """Why one rung has passed, failed or was not run."""

    # Passed.
    POINT_FRESH = ProofMeaning("a recovery point exists that is fresh enough")
    DISKS_MATCH = ProofMeaning("the restored disks match what the recovery point recorded")
    BOOTED = ProofMeaning("the system came up")
    CHECKS_PASSED = ProofMeaning("the agent is ready and every check succeeded")
    CANARY_FOUND = ProofMeaning("what was written before the backup is in it")

    # Rung 0.
    NO_POINT = ProofMeaning(
        "there is no recovery point that can be restored", "see the VM's backup jobs"
    )
    POINT_TOO_OLD = ProofMeaning(
        "the latest recovery point is older than the tier's rpo", "see the VM's backup jobs"
    )
    NOT_FROM_VAULT = ProofMeaning(
        "no recovery point would be read from the vault: Azure takes a snapshot where there is one",
        'leave "vault" out of strategies, or keep snapshots for a shorter time',
    )
    POINT_UNKNOWN = ProofMeaning(
        "the recovery point that was named is not there, or cannot be restored",
        "leave --point out, or name one of those that are offered",
    )

    # Rung 1.
    RESTORE_FAILED = ProofMeaning("Azure's restore failed", "see the job in the vault")
    RESTORE_REFUSED = ProofMeaning("Azure refused to restore", "see what Azure said")
    DISKS_DIFFER = ProofMeaning(
        "the restored disks are not those that the recovery point recorded", "see which differ"
    )
    NO_RECIPE = ProofMeaning(
        "what the recovery point recorded could not be read, so the disks cannot be compared",
        "see whether the restorer may read the staging account's blobs",
    )
    DISKS_UNTOLD = ProofMeaning(
        "which of the restored disks takes which place could not be told",
        "restore the VM by hand and see the restored disks' names",
    )

    # Rung 2.
    KERNEL_PANIC = ProofMeaning("the kernel panicked", "restore the VM and repair it by hand")
    EMERGENCY_SHELL = ProofMeaning(
        "the system stopped in an emergency shell", "restore the VM and repair it by hand"
    )
    STOP_ERROR = ProofMeaning(
        "Windows stopped with an error while it booted", "see the picture of its screen"
    )
    NOT_BOOTED = ProofMeaning(
        "the system did not come up in the time that it had",
        "see the last line of its console, and the picture of its screen",
    )
    CREATE_FAILED = ProofMeaning(
        "Azure could not make a machine of the disks", "see what Azure said"
    )
    CREATE_REFUSED = ProofMeaning(
        "Azure refused to make a machine of the disks", "see what Azure said"
    )
    NO_CONSOLE = ProofMeaning(
        "the console could not be read, so nothing tells whether it booted",
        "see whether the VM writes to its serial port, and whether the restorer may read it",
    )
    CONSOLE_MUTE = ProofMeaning(
        "the agent reported, but the serial log does not show that the system came up",
        "let kernel and getty of the VM write to the serial port (console=ttyS0)",
    )

    # Rung 3.
    CHECK_FAILED = ProofMeaning("a check inside the copy failed", "see its output")
    AGENT_SILENT = ProofMeaning(
        "the VM agent of the copy never reported that it is ready",
        "see whether the agent works in the VM itself",
    )
    CHECK_UNREACHABLE = ProofMeaning(
        "no result came from the check: whether it would pass is not known",
        "see whether run commands work in the VM itself",
    )
    NO_CHECKS = ProofMeaning(
        "no check is configured for this VM",
        "add one to [[drills.checks]], or let the tier ask for a lower rung",
    )

    # Rung 4.
    CANARY_MISSING = ProofMeaning(
        "the canary is not in the copy",
        "see whether the canary is written in the VM (docs/canary.md)",
    )
    CANARY_WRONG = ProofMeaning(
        "the canary in the copy is damaged: its digest is another",
        "restore the VM and compare its files: something in the backup is damaged",
    )
    CANARY_TOO_OLD = ProofMeaning(
        "the canary is older than its recovery point by more than the tier's rpo",
        "see whether the canary is still written in the VM, then its backups",
    )
    CANARY_NOT_READ = ProofMeaning(
        "neither the console nor a check told of the canary",
        "install the canary in the VM (docs/canary.md)",
    )

    # Not run, at any rung.
    NOT_ASKED = ProofMeaning("the tier does not ask for it")
    BELOW_FAILED = ProofMeaning("a rung below it did not pass")
    CAPPED_BY_TAG = ProofMeaning("the VM's tag says to go no further")
    CAPPED_ADE = ProofMeaning("Azure Disk Encryption: the copy could not read its keys")
    CAPPED_CONFIDENTIAL = ProofMeaning("a confidential VM: no copy of it is made")
    CAPPED_PLAN = ProofMeaning("its marketplace plan could not be bought for a copy")
    ABORTED = ProofMeaning("the restore test ended before; its ending says why")
    OUT_OF_TIME = ProofMeaning("the time that a copy may run was over")


class Ending(Enum):
    """Why a restore test ended."""

    COMPLETED = ProofMeaning("it went as far as it should")
    NO_SLOT = ProofMeaning("no slot was free", "raise at_once, and deploy as many slots")
    NO_PLACE = ProofMeaning(
        "the slot, its network or its staging account is missing or unfit",
        "name the place in drillPlaces and deploy again (docs/deploy.md)",
    )
    ISOLATION_UNPROVEN = ProofMeaning(
        "the slot's network is not proven to be isolated", "see which rule or route, and mend it"
    )
    ISOLATION_BROKEN = ProofMeaning(
        "something made the running copy less isolated: it was stopped",
        "exempt the slots from the Azure Policy that did it",
    )
    LEAK = ProofMeaning(
        "the slot was not empty: it is quarantined",
        "look at what lies in it, and empty it (`vmbackup drill slots` says how)",
    )
    QUOTA_SHORT = ProofMeaning(
        "the quota of vCPUs or the subnet's addresses would not leave the share that is to be free",
        "raise the quota, or lower free_quota; or deploy a larger subnet",
    )
    NO_SIZE = ProofMeaning(
        "none of the sizes that its copy may have can run it here",
        "add a size to sizes that has none of the faults named beside",
    )
    NOT_VALID = ProofMeaning(
        "Azure's own validation says that the restore would fail", "mend what Azure said"
    )
    REFUSED = ProofMeaning(
        "Azure refused; what it said stands beside",
        "see whether a right, a lock or an Azure Policy is in the way (docs/permissions.md)",
    )
    RESTORE_LIMIT = ProofMeaning(
        "it was restored 10 times in 24 hours, which is Azure's limit", "wait for a day"
    )
    RESTORING = ProofMeaning(
        "a person's restore of it is running", "wait until that restore has ended"
    )
    OBSERVING = ProofMeaning(
        "the subscription is in observe mode: nothing is restored there",
        'set mode = "protect" in [scope], or for this subscription',
    )
    PAUSED = ProofMeaning("all changes are paused", "end the pause with `vmbackup pause off`")
    NOT_PROTECTED = ProofMeaning(
        "Azure does not back it up now, so there is nothing to prove", "see `vmbackup explain VM`"
    )
    UNREACHABLE = ProofMeaning(
        "Azure did not answer for too long", "see Azure's own status page, then test it again"
    )
    NIGHT_OVER = ProofMeaning(
        "the night was over before its turn came", "raise lasts or at_once, or lower per_night"
    )
    OVERDUE = ProofMeaning(
        "it took longer than a restore test may: the janitor ended it",
        "see whether the app's functions run, then test it again",
    )
    OTHER_VERSION = ProofMeaning(
        "another version of vmbackup began it: the janitor ended it", "nothing: it comes again"
    )

    @property
    def text(self) -> str:
        return self.value.text
