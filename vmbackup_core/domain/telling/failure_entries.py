"""
The catalogue of Azure Backup's error codes: what each means and what to do, in our own words.

Names, numbers and messages are those of Azure's troubleshooting pages for VM backup (AZURE: jobs).
Numbers are documented for few codes only; the rest are known by what Azure says beside them.
"""

from dataclasses import dataclass

from vmbackup_core.domain.telling.root_causes import Remedy, RootCause

LEARN = "https://learn.microsoft.com/azure/backup"
_VM_PAGE = "backup-azure-vms-troubleshoot"
_AGENT_PAGE = "backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout"


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What is known of one failure: by its `names`, `numbers`, or `words` (a pattern for messages).

    `page` is below LEARN.
    """

    names: tuple[str, ...]
    cause: RootCause
    remedy: Remedy
    text: str
    fix: str
    page: str = _VM_PAGE
    numbers: tuple[int, ...] = ()
    words: str = ""


# Of the patterns the first that matches counts, so narrow ones stand before wide ones.
ENTRIES = (
    Entry(
        ("BCMV2VMNotFound", "ResourceNotFound"),
        RootCause.VM_GONE,
        Remedy.MEND_YOURSELF,
        "The VM does not exist any more, but its backup is still scheduled (and still billed).",
        "If the VM was deleted on purpose, stop its protection and keep or delete the backups. If"
        " not, restore it under the same name in the same resource group.",
        numbers=(320001, 400094),
        words=r"VM no longer exists|virtual machine (doesn't|does not) exist|machine wasn't found",
    ),
    Entry(
        ("UserErrorGuestAgentStatusUnavailable", "GuestAgentStatusUnavailable"),
        RootCause.AGENT,
        Remedy.MEND_YOURSELF,
        "The VM agent does not answer: it is stopped, outdated or not installed.",
        "Look whether the VM runs and its agent is ready (VM > Properties). Restart the agent"
        " (Windows: service Windows Azure Guest Agent; Linux: walinuxagent or waagent), or update"
        " it. The next backup needs nothing else.",
        page=f"{_AGENT_PAGE}#usererrorguestagentstatusunavailable---vm-agent-unable-to-communicate"
        "-with-azure-backup",
        words=r"VM agent (is )?unable to communicate",
    ),
    Entry(
        ("GuestAgentSnapshotTaskStatusError",),
        RootCause.AGENT,
        Remedy.MEND_YOURSELF,
        "The VM agent did not say how the snapshot went.",
        "Restart or update the VM agent, and see that neither an antivirus nor an application"
        " control keeps the backup extension (IaaSBcdrExtension.exe) from running.",
        page=f"{_AGENT_PAGE}#guestagentsnapshottaskstatuserror---could-not-communicate-with-the-vm"
        "-agent-for-snapshot-status",
        words=r"could not communicate with the VM agent|VM agent is not responsive",
    ),
    Entry(
        ("AzureVmOffline",),
        RootCause.AGENT,
        Remedy.MEND_YOURSELF,
        "The backup extension could not be installed: the VM does not run or has no agent.",
        "Start the VM once and see that the VM agent is installed and ready.",
        numbers=(380008,),
        words=r"Failed to install Microsoft Recovery Services extension",
    ),
    Entry(
        ("ExtensionSnapshotFailedNoNetwork", "ExtensionSnapshotFailedNoSecureNetwork"),
        RootCause.NETWORK,
        Remedy.MEND_YOURSELF,
        "The backup extension in the VM could not reach Azure's endpoints.",
        "Let the VM reach 168.63.129.16 and Azure Storage of its region (firewall, proxy, NSG,"
        " DHCP). An old Windows may have to be told to use strong cryptography.",
        page=f"{_AGENT_PAGE}#extensionsnapshotfailednonetwork---snapshot-operation-failed-due-to-no"
        "-network-connectivity-on-the-virtual-machine",
        words=r"no network connectivity|secure network communication",
    ),
    Entry(
        ("ExtensionFailedTimeoutVMNetworkUnresponsive",),
        RootCause.VM_LOAD,
        Remedy.MEND_YOURSELF,
        "The VM was too busy, or its network too slow, to take a snapshot in time.",
        "Move the backup to a quieter hour, take the snapshot through the host, or give the VM"
        " a larger size.",
        words=r"inadequate VM resources",
    ),
    Entry(
        ("CopyingVHDsFromBackUpVaultTakingLongTime",),
        RootCause.VM_LOAD,
        Remedy.WAIT,
        "Copying the backup's data took too long, often because the storage was busy.",
        "Mostly the next backup goes through. If not, spread the schedules of the VMs.",
        words=r"Copying backed up data from vault timed out",
    ),
    Entry(
        ("ExtensionFailedVssWriterInBadState",),
        RootCause.VSS,
        Remedy.MEND_YOURSELF,
        "One of Windows' VSS writers is in a bad state, so no consistent snapshot could be taken.",
        "Run `vssadmin list writers` in the VM and restart the service of each writer that is not"
        " stable; otherwise restart the VM when that suits.",
        words=r"VSS writers were in a bad state",
    ),
    Entry(
        ("ExtensionFailedVssServiceInBadState",),
        RootCause.VSS,
        Remedy.MEND_YOURSELF,
        "Windows' Volume Shadow Copy service is in a bad state.",
        "Restart the service VSS in the VM; otherwise restart the VM when that suits.",
        words=r"VSS \(Volume Shadow Copy\) service in bad state",
    ),
    Entry(
        (
            "ExtensionSnapshotFailedCOM",
            "ExtensionInstallationFailedCOM",
            "ExtensionInstallationFailedMDTC",
        ),
        RootCause.VSS,
        Remedy.MEND_YOURSELF,
        "Windows' COM+ system application, which snapshots need, does not work.",
        "Start the service COM+ System Application, and see that Distributed Transaction"
        " Coordinator runs as Network Service.",
        words=r"COM\+",
    ),
    Entry(
        ("ExtensionSnapshotBitlockerError",),
        RootCause.VSS,
        Remedy.MEND_YOURSELF,
        "A drive in the VM is locked by BitLocker, so no snapshot of it could be taken.",
        "Unlock the drive, or turn BitLocker off for it.",
        words=r"locked by BitLocker",
    ),
    Entry(
        ("UserErrorFsFreezeFailed",),
        RootCause.FILE_SYSTEM,
        Remedy.MEND_YOURSELF,
        "A file system in the VM could not be frozen for a consistent snapshot.",
        "Check the file systems (fsck), remove mounts that appear twice, or let the backup skip a"
        " mount point (MountsToSkip in vmbackup.conf of the extension).",
        words=r"Failed to freeze",
    ),
    Entry(
        (
            "ExtensionStuckInDeletionState",
            "ExtensionOperationFailed",
            "ExtensionOperationFailedForManagedDisks",
            "ExtensionConfigParsingFailure",
            "ExtensionVCRedistInstallationFailure",
        ),
        RootCause.EXTENSION,
        Remedy.MEND_YOURSELF,
        "The backup extension in the VM is in a bad state or could not run.",
        "Uninstall the extension VMSnapshot (VMSnapshotLinux) in the portal: the next backup"
        " installs it anew. See that the VM agent is current.",
        words=r"VMSnapshot extension operation failed|Extension state is not supportive"
        r"|parsing the config for the backup extension|Visual C\+\+ Redistributable",
    ),
    Entry(
        ("VMRestorePointInternalError",),
        RootCause.EXTENSION,
        Remedy.MEND_YOURSELF,
        "The backup extension broke down in the VM, often because an antivirus stopped it.",
        r"Exclude C:\Packages\Plugins\Microsoft.Azure.RecoveryServices.VMSnapshot and its log"
        r" directory below C:\WindowsAzure\Logs\Plugins from the antivirus.",
    ),
    Entry(
        ("ExtensionFailedSnapshotLimitReachedError",),
        RootCause.POINT_LIMIT,
        Remedy.MEND_YOURSELF,
        "A disk has as many snapshots as it can have.",
        "Delete snapshots that nobody needs, and see that Site Recovery and soft delete of the"
        " storage do not keep too many.",
        words=r"snapshot limit (is|has) exceeded",
    ),
    Entry(
        ("UserErrorRpCollectionLimitReached",),
        RootCause.POINT_LIMIT,
        Remedy.MEND_YOURSELF,
        "The VM has as many instant recovery points as it can have: old ones are not removed.",
        "Remove the lock from the group AzureBackupRG_… (Azure Backup cleans up there); otherwise"
        " keep snapshots for fewer days.",
        page=f"{_AGENT_PAGE}#usererrorrpcollectionlimitreached---the-restore-point-collection-max"
        "-limit-has-reached",
        words=r"Restore Point collection max limit",
    ),
    Entry(
        ("UserErrorKeyvaultPermissionsNotConfigured",),
        RootCause.ENCRYPTION,
        Remedy.MEND_YOURSELF,
        "Azure Backup may not read the keys of the VM's encrypted disks.",
        "Give Azure Backup the rights on the key vault (get, list and backup of keys and secrets,"
        " or the role Key Vault Administrator).",
        page="backup-azure-vms-encryption",
        words=r"sufficient permissions to (the )?Key ?Vault",
    ),
    Entry(
        ("UserErrorUnsupportedDiskSize",),
        RootCause.DISK,
        Remedy.MEND_YOURSELF,
        "A disk of the VM is larger than Azure Backup can take.",
        "Exclude that disk from the backup, or split it (up to 32 TB; 4 TB where encrypted in"
        " the VM).",
        page=f"{_AGENT_PAGE}#usererrorunsupporteddisksize---the-configured-disk-sizes-is-currently"
        "-not-supported-by-azure-backup",
        words=r"disk sizes?( is|\(s\) are)? .*not supported",
    ),
    Entry(
        ("UserErrorVmProvisioningStateFailed",),
        RootCause.VM_STATE,
        Remedy.MEND_YOURSELF,
        "The VM is in a failed provisioning state, mostly because one of its extensions failed.",
        "Look at VM > Extensions: repair or remove what failed there, then update the VM.",
        page=f"{_AGENT_PAGE}#usererrorvmprovisioningstatefailed---the-vm-is-in-failed-provisioning"
        "-state",
        words=r"failed provisioning state|provisioning state is failed",
    ),
    Entry(
        ("UserErrorVmNotInDesirableState", "VmNotInDesirableState"),
        RootCause.VM_STATE,
        Remedy.MEND_YOURSELF,
        "The VM is in a state that cannot be backed up: it must be running or properly stopped.",
        "Look at the VM's state in the portal. If it is between two states, the next backup will"
        " do; if it has failed, repair it.",
        words=r"not in a state that allows backups|isn't in a state that allows backups",
    ),
    Entry(
        ("UserErrorBcmDatasourceNotPresent",),
        RootCause.STOPPED,
        Remedy.MEND_YOURSELF,
        "Azure Backup does not protect this VM at present: its protection was stopped or paused.",
        "Resume the protection, if it was not stopped on purpose.",
        page=_AGENT_PAGE,
        words=r"not actively protected",
    ),
    Entry(
        (
            "UserErrorRequestDisallowedByPolicy",
            "RequestDisallowedByPolicy",
            "ScopeLocked",
        ),
        RootCause.POLICY_DENIES,
        Remedy.MEND_YOURSELF,
        "An Azure Policy or a lock in your subscription forbids what the backup must create.",
        "Exempt the resource groups AzureBackupRG_… from that policy or lock, or make the policy"
        " add the missing tag instead of refusing.",
        words=r"invalid policy is configured on the VM|disallowed by policy",
    ),
    Entry(
        (
            "UserErrorBackupOperationInProgress",
            "SystemBackupOperationInProgress",
            "BMSUserErrorObjectLocked",
            "BMSUserErrorConflictingProtectionOperation",
        ),
        RootCause.BUSY,
        Remedy.WAIT,
        "Another operation on this VM was under way, so this backup could not begin.",
        "Wait for it to end. If backups regularly run into each other, schedule fewer of them.",
        page=f"{_AGENT_PAGE}#usererrorbackupoperationinprogress---unable-to-initiate-backup-as"
        "-another-backup-operation-is-currently-in-progress",
        words=r"another .{0,30}operation is (currently )?in progress",
    ),
    Entry(
        ("UserErrorBCMPremiumStorageQuotaError",),
        RootCause.DISK,
        Remedy.MEND_YOURSELF,
        "The storage account of the VM's disks has no room for the snapshot's copy.",
        "Free at least half of the account, or move the VM to managed disks.",
        words=r"insufficient free space in the storage account",
    ),
    Entry(
        ("UserErrorCrpReportedUserError",),
        RootCause.VM_STATE,
        Remedy.MEND_YOURSELF,
        "Azure refused the snapshot for a reason that lies in the VM.",
        "Open the job in the vault: its details name the reason.",
        page=f"{_AGENT_PAGE}#usererrorcrpreportedusererror---backup-failed-due-to-an-error-for"
        "-details-see-job-error-message-details",
    ),
    Entry(
        ("BackUpOperationFailed", "BackUpOperationFailedV2"),
        RootCause.SERVICE,
        Remedy.WAIT,
        "The backup failed with an internal error of Azure Backup.",
        "Mostly the next backup goes through. If not, look at the VM agent, and at locks on the"
        " groups AzureBackupRG_…; then ask Azure's support.",
        page=f"{_AGENT_PAGE}#backupoperationfailed--backupoperationfailedv2---backup-fails-with-an"
        "-internal-error",
        words=r"failed with an internal error",
    ),
    Entry(
        ("CloudInternalError", "InternalServerError"),
        RootCause.SERVICE,
        Remedy.CALL_AZURE,
        "Azure Backup had an internal error.",
        "Try a backup by hand. If it fails again, ask Azure's support with the job's id.",
        words=r"encountered an internal error",
    ),
)
