"""
The failures of backups that Azure's troubleshooting pages name, by their symbolic codes.

The log of a vault tells a job's code, the job itself only a number (AZURE_FACTS 7). Of the numbers
two are documented (400094, 320001); the texts are the pages' where they give one.
"""

from collections.abc import Mapping

from azsim.recovery.jobs import Failure

_TRY_AGAIN = ("Retry the backup. If the problem persists, contact Microsoft support.",)
# models known-failure-texts
_TEXTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "UserErrorGuestAgentStatusUnavailable": (
        "VM agent is unable to communicate with the Azure Backup Service.",
        ("Ensure that the VM agent is installed, running and the latest version.",),
    ),
    "GuestAgentSnapshotTaskStatusError": (
        "Could not communicate with the VM agent for snapshot status.",
        ("Ensure that the VM agent is running and the network is reachable.",),
    ),
    "ExtensionSnapshotFailedNoNetwork": (
        "Snapshot operation failed due to no network connectivity on the virtual machine.",
        ("Allow the virtual machine to reach the network.",),
    ),
    "ExtensionOperationFailedForManagedDisks": (
        "VMSnapshot extension operation failed.",
        ("Ensure that the VM agent is running.",),
    ),
    "BackUpOperationFailed": ("Backup failed with an internal error.", _TRY_AGAIN),
    "BackUpOperationFailedV2": ("Backup failed with an internal error.", _TRY_AGAIN),
    "VMRestorePointInternalError": ("The restore point failed with an internal error.", _TRY_AGAIN),
    "ExtensionFailedTimeoutVMNetworkUnresponsive": (
        "Snapshot operation failed due to inadequate VM resources.",
        ("Retry the backup at a time when the load on the VM is less.",),
    ),
    "UserErrorBackupOperationInProgress": (
        "Unable to initiate backup as another backup operation is currently in progress.",
        ("Wait until the running backup has ended.",),
    ),
    "CloudInternalError": (
        "Microsoft Azure Backup encountered an internal error.",
        ("Wait for a few minutes and then try the operation again.",),
    ),
    "UserErrorVmProvisioningStateFailed": (
        "The VM is in failed provisioning state.",
        ("Bring the virtual machine to a good provisioning state.",),
    ),
    "UserErrorVmNotInDesirableState": (
        "VM is not in a state that allows backups.",
        ("Start the virtual machine, or shut it down.",),
    ),
    "UserErrorRpCollectionLimitReached": (
        "The Restore Point collection max limit has reached.",
        ("Remove the locks on the resource group of the restore points.",),
    ),
    "UserErrorKeyvaultPermissionsNotConfigured": (
        "Azure Backup does not have sufficient permissions to the key vault.",
        ("Grant Azure Backup access to the key vault.",),
    ),
    "UserErrorUnsupportedDiskSize": (
        "Currently Azure Backup does not support disk sizes greater than 32 TB.",
        ("Exclude the disk from the backup.",),
    ),
    "UserErrorFsFreezeFailed": (
        "Failed to freeze one or more mount-points of the VM to take a file-system consistent "
        "snapshot.",
        ("Check the file systems with tune2fs and fsck.",),
    ),
    "ExtensionFailedVssWriterInBadState": (
        "Snapshot operation failed because VSS writers were in a bad state.",
        ("Restart the VSS writers that are in a bad state.",),
    ),
    "ExtensionFailedVssServiceInBadState": (
        "Snapshot operation failed due to VSS service in bad state.",
        ("Restart the VSS service.",),
    ),
    "ExtensionSnapshotFailedCOM": (
        "Snapshot operation failed due to COM+ error.",
        ("Restart the COM+ System Application service.",),
    ),
    "ExtensionStuckInDeletionState": (
        "Extension state is not supportive to backup operation.",
        ("Remove the VMSnapshot extension.",),
    ),
    "ExtensionFailedSnapshotLimitReachedError": (
        "Snapshot operation failed as snapshot limit is exceeded for some of the disks.",
        ("Delete snapshots of the disks.",),
    ),
    "ExtensionSnapshotBitlockerError": (
        "The snapshot operation failed with the Volume Shadow Copy Service (VSS) operational "
        "error.",
        ("Turn off BitLocker for the drives.",),
    ),
    "UserErrorRequestDisallowedByPolicy": (
        "An invalid policy is configured on the VM which is preventing Snapshot operation.",
        ("Let the policy allow the creation of snapshots.",),
    ),
    "ResourceNotFound": (
        "Could not perform the operation as VM no longer exists.",
        ("Stop protecting the virtual machine, with or without deleting its backup data.",),
    ),
    "BCMV2VMNotFound": (
        "The virtual machine doesn't exist.",
        ("Stop protecting the virtual machine, with or without deleting its backup data.",),
    ),
}
# models failed-backup-numbers
_NUMBERS = {
    "BCMV2VMNotFound": 400094,
    "ResourceNotFound": 320001,
    "UserErrorGuestAgentStatusUnavailable": 400035,
    "UserErrorVmProvisioningStateFailed": 400085,
}
# models known-failure-numbers
_FIRST_OF_OURS = 400200


def known_failure(code: str) -> Failure:
    """Return the failure of this code; raises KeyError for one that no page names."""
    text, advice = _TEXTS[code]
    number = _NUMBERS.get(code, _FIRST_OF_OURS + list(_TEXTS).index(code))
    return Failure(code, text, number, advice)


def known_codes() -> tuple[str, ...]:
    return tuple(_TEXTS)
