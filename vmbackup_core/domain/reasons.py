"""
Why a VM stands where it stands: one reason code for each VM, always.

A reason belongs to one standing, and its entry says in an operator's words what it means and what
would change it. The codes are what reports, logs and `summary.json` count, so they never change
their meaning.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Standing(StrEnum):
    """Who has to act next."""

    DONE = "done"  # Nobody: the VM is protected as asked.
    WORK = "work"  # We: the plan has steps, or waits for something that passes by itself.
    HUMAN = "human"  # Somebody: only a person can change this.
    NOT_ASKED = "not asked"  # Nobody: nothing asks for backup of this VM.


@dataclass(frozen=True, slots=True)
class Meaning:
    standing: Standing
    text: str
    mend: str = ""


class Reason(Enum):
    """A reason code, with its standing, its meaning and what a person can do about it."""

    PROTECTED = Meaning(Standing.DONE, "protected as asked")

    TO_PROTECT = Meaning(Standing.WORK, "asked for and not protected: will be enabled")
    TO_CHANGE_POLICY = Meaning(
        Standing.WORK, "protected by us with another policy: will be changed"
    )
    TO_RESUME = Meaning(Standing.WORK, "protection was stopped: will be resumed, as configured")
    TO_UNDELETE = Meaning(
        Standing.WORK, "soft-deleted: will be undeleted and resumed, as configured"
    )
    TO_CONFIRM = Meaning(
        Standing.WORK, "the VM was re-created under the same name: its protection will be confirmed"
    )
    CREATING = Meaning(Standing.WORK, "the VM or its vault is still being created")
    AGENT_WAIT = Meaning(
        Standing.WORK, "the VM agent is not ready yet; asked again until the limit"
    )
    BUSY = Meaning(Standing.WORK, "another operation is in progress on this VM or vault")
    THROTTLED = Meaning(Standing.WORK, "Azure asked to be left alone for a while")
    UNREACHABLE = Meaning(Standing.WORK, "Azure did not answer; tried again")
    DAILY_LIMIT = Meaning(
        Standing.WORK, "the vault took its 1,000 configurations of today; goes on tomorrow (UTC)"
    )
    ENABLE_CAP = Meaning(Standing.WORK, "the configured number of first-time enablings is used up")

    OBSERVING = Meaning(
        Standing.HUMAN,
        "the subscription is in observe mode: nothing is changed there",
        'set mode = "protect" in [scope], or for this subscription',
    )
    PAUSED = Meaning(
        Standing.HUMAN, "all changes are paused", "end the pause with `vmbackup pause off`"
    )
    NO_VAULT = Meaning(
        Standing.HUMAN,
        "no configured vault in the VM's subscription and region",
        "create one that fits [vaults] name, or set create = true",
    )
    VAULT_FULL = Meaning(
        Standing.HUMAN,
        "every vault that fits has its 1,000 VMs",
        "create the next vault of the pattern, or set create = true in [vaults]",
    )
    NEEDS_ENHANCED = Meaning(
        Standing.HUMAN,
        "the VM can only be protected with an Enhanced policy",
        'give the rule a policy of kind = "enhanced"',
    )
    UNSUPPORTED = Meaning(
        Standing.HUMAN, "Azure Backup cannot protect this VM", "opt the VM out, or change it"
    )
    VM_FAILED = Meaning(
        Standing.HUMAN, "the VM is in a failed state and Azure refuses it", "repair the VM"
    )
    AGENT_NEVER_READY = Meaning(
        Standing.HUMAN,
        "the VM agent did not become ready within the limit",
        "install or restart the VM agent; the next sweep tries again",
    )
    PROTECTION_STOPPED = Meaning(
        Standing.HUMAN,
        "somebody stopped its protection; the data is kept",
        'resume it, or set on_stopped = "resume"',
    )
    SOFT_DELETED = Meaning(
        Standing.HUMAN,
        "its backup was deleted and lies in soft delete, in the way of a new one",
        'undelete it, or set on_soft_deleted = "undelete"',
    )
    ITEM_ERROR = Meaning(
        Standing.HUMAN, "Azure reports an error of its protection", "look at the item in the vault"
    )
    IN_ANOTHER_VAULT = Meaning(
        Standing.HUMAN,
        "protected in a vault that the configuration does not name",
        "name that vault in [vaults.use], or move the VM's backup",
    )
    OTHER_POLICY = Meaning(
        Standing.HUMAN,
        "protected with another policy, which we did not set",
        "change the policy by hand, or the tag",
    )
    WOULD_WEAKEN = Meaning(
        Standing.HUMAN,
        "the asked policy would keep less than the present one",
        "change it by hand if that is meant: shorter retention prunes existing points",
    )
    ENHANCED_TO_STANDARD = Meaning(
        Standing.HUMAN,
        "Azure refuses the way from an Enhanced to a Standard policy for good",
        'ask for a policy of kind = "enhanced"',
    )
    BUDGET_SPENT = Meaning(
        Standing.HUMAN,
        "this hour's budget of changes to protected items is spent",
        "wait for the next hour, or approve the plan (`vmbackup approve`)",
    )
    RECREATED_IN_THE_WAY = Meaning(
        Standing.HUMAN,
        "an earlier VM of the same name left an item that refuses the new one",
        "stop and delete the old item, or give the VM another name",
    )
    LOCKED = Meaning(Standing.HUMAN, "a resource lock forbids it", "remove the lock from the vault")
    GUARDED = Meaning(
        Standing.HUMAN, "a Resource Guard forbids it", "approve the operation on the guard"
    )
    POLICY_DENIES = Meaning(
        Standing.HUMAN, "an Azure Policy denies it", "exempt the vault's group from that policy"
    )
    NO_PERMISSION = Meaning(
        Standing.HUMAN, "our identity may not do it", "grant the actions of docs/permissions.md"
    )
    REFUSED = Meaning(
        Standing.HUMAN, "Azure refuses it with a code we have no rule for", "read Azure's own words"
    )

    NOT_ASKED = Meaning(Standing.NOT_ASKED, "no rule asks for backup of this VM")
    TAG_LOST = Meaning(
        Standing.NOT_ASKED,
        "protected although nothing asks for it; left as it is",
        "give the tag back, or stop the backup by hand",
    )
    OPTED_OUT = Meaning(Standing.NOT_ASKED, "opted out by its tag")
    EXCLUDED = Meaning(Standing.NOT_ASKED, "outside the configured scope")
    RESTORED_COPY = Meaning(
        Standing.NOT_ASKED,
        "a restored copy of another VM (its OS disk says so)",
        "set restored_copies = true in a rule to protect such copies",
    )
    VM_DELETED = Meaning(Standing.NOT_ASKED, "the VM is gone")
    ORPHANED = Meaning(
        Standing.NOT_ASKED,
        "the VM is gone (or moved) and its backup remains, and is billed",
        "keep it, or stop and delete it by hand",
    )

    @property
    def standing(self) -> Standing:
        return self.value.standing

    @property
    def text(self) -> str:
        return self.value.text

    @property
    def mend(self) -> str:
        return self.value.mend
