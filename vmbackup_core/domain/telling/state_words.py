"""What troubles without an error code mean for whom a mail reaches, and what to do about them."""

from collections.abc import Mapping
from dataclasses import dataclass

from vmbackup_core.domain.telling.failure_entries import LEARN
from vmbackup_core.domain.telling.root_causes import Remedy, RootCause


@dataclass(frozen=True, slots=True)
class StateWords:
    """`link` is "" where no page says more."""

    text: str
    fix: str
    remedy: Remedy = Remedy.MEND_YOURSELF
    link: str = ""


STATE_WORDS: Mapping[RootCause, StateWords] = {
    RootCause.MISSED: StateWords(
        "The schedule asked for a backup, and Azure has no job and no recovery point of that time.",
        "Look at the item in the vault, try a backup by hand, and see that the policy still has the"
        " schedule that you expect. If a backup by hand works, ask Azure's support why none began.",
        link=f"{LEARN}/backup-azure-vms-troubleshoot",
    ),
    RootCause.LOST: StateWords(
        "Azure tells of a backup job, but there is no recovery point of it.",
        "Look at the job in the vault, and try a backup by hand. Ask Azure's support with the job's"
        " id.",
        Remedy.CALL_AZURE,
        f"{LEARN}/backup-azure-vms-troubleshoot",
    ),
    RootCause.CANCELLED: StateWords(
        "Somebody cancelled the backup, or Azure did as protection was changed.",
        "If that was not meant, start a backup by hand.",
        link=f"{LEARN}/backup-azure-manage-vms",
    ),
    RootCause.STOPPED: StateWords(
        "Somebody stopped the VM's protection: its backups are kept, and none are added.",
        "Resume the protection, or opt the VM out so that it is known to be meant.",
        link=f"{LEARN}/backup-azure-manage-vms#stop-protecting-a-vm",
    ),
    RootCause.SOFT_DELETED: StateWords(
        "Somebody deleted the VM's backups. Azure keeps them for some days and then for no longer.",
        "If that was not meant, undelete them in the vault at once and resume the protection.",
        link=f"{LEARN}/secure-by-default",
    ),
    RootCause.ITEM_ERROR: StateWords(
        "Azure reports an error of the VM's protection itself.",
        "Look at the item in the vault: its state says what is wrong.",
        link=f"{LEARN}/backup-azure-vms-troubleshoot",
    ),
    RootCause.VM_GONE: StateWords(
        "The VM was deleted or moved, and its backups are kept, and billed.",
        "Keep them if they are wanted; otherwise stop the protection and delete the backups.",
        link=f"{LEARN}/backup-azure-manage-vms#stop-protecting-a-vm",
    ),
    RootCause.POLICY_WEAKENED: StateWords(
        "A backup policy promises less than it did. Shorter retention removes points that exist.",
        "If that was not meant, set the policy back before Azure's next clean-up (within a day).",
        link=f"{LEARN}/backup-azure-vm-backup-faq",
    ),
    RootCause.SOFT_DELETE_OFF: StateWords(
        "Deleted backups are kept for less long than before, or not at all.",
        "If that was not meant, switch soft delete on again, and find out who switched it off: it"
        " is what an attacker does first.",
        link=f"{LEARN}/secure-by-default",
    ),
    RootCause.IMMUTABILITY_OFF: StateWords(
        "The vault's recovery points are protected less against being removed than before.",
        "If that was not meant, enable immutability again, and find out who loosened it.",
        link=f"{LEARN}/backup-azure-immutable-vault-concept",
    ),
    RootCause.RESTORE_FAILED: StateWords(
        "A restore test restored the VM into isolation, and it did not come to what it should: a"
        " restore in earnest may fail alike.",
        "Do not count on this backup before a test has passed.",
    ),
    RootCause.CONTROL_BROKEN: StateWords(
        "Now and then a restore test runs a check that has to fail. It passed: so what checks say"
        " is worth nothing, and every proof since the last such check is taken back.",
        "See what answers for the copies in place of their checks. Proofs count again once a check"
        " that has to fail has failed.",
    ),
    RootCause.ISOLATION_BROKEN: StateWords(
        "While a restored copy ran, something changed its network, so that it may have reached"
        " others, or others it. It was stopped at once.",
        "Find out who or what changed it, an Azure Policy most likely, and exempt the slots.",
    ),
    RootCause.SLOT_LEFT: StateWords(
        "Things are left in a slot of restore tests that are not those of a test, or that could not"
        " be removed for a day. They are billed, and the slot is not used.",
        "Look at what lies in it, empty it, and release it with `vmbackup drill release`.",
    ),
    RootCause.MAIL_UNDELIVERED: StateWords(
        "A mail of ours did not reach this address.",
        "Correct the address where it is configured, or have its mailbox accept our sender.",
    ),
}
