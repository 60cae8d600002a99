import re

import pytest

from vmbackup_core.domain.telling.failure_codes import explain
from vmbackup_core.domain.telling.failure_entries import ENTRIES
from vmbackup_core.domain.telling.root_causes import Remedy, RootCause

# Names that Azure's troubleshooting pages have, and the messages beside them.
DOCUMENTED = [
    (
        "UserErrorGuestAgentStatusUnavailable",
        "VM agent is unable to communicate with the Azure Backup Service.",
        RootCause.AGENT,
    ),
    (
        "GuestAgentSnapshotTaskStatusError",
        "Could not communicate with the VM agent for snapshot status",
        RootCause.AGENT,
    ),
    (
        "ExtensionSnapshotFailedNoNetwork",
        "Snapshot operation failed due to no network connectivity on the virtual machine",
        RootCause.NETWORK,
    ),
    (
        "ExtensionFailedVssWriterInBadState",
        "Snapshot operation failed because VSS writers were in a bad state.",
        RootCause.VSS,
    ),
    (
        "ExtensionFailedVssServiceInBadState",
        "Snapshot operation failed due to VSS (Volume Shadow Copy) service in bad state.",
        RootCause.VSS,
    ),
    ("ExtensionSnapshotFailedCOM", "Snapshot operation failed due to COM+ error", RootCause.VSS),
    (
        "UserErrorFsFreezeFailed",
        "Failed to freeze one or more mount-points of the VM to take a snapshot.",
        RootCause.FILE_SYSTEM,
    ),
    (
        "ExtensionStuckInDeletionState",
        "Extension state is not supportive to the backup operation",
        RootCause.EXTENSION,
    ),
    (
        "ExtensionFailedSnapshotLimitReachedError",
        "Snapshot operation failed as snapshot limit is exceeded for some of the disks attached",
        RootCause.POINT_LIMIT,
    ),
    (
        "UserErrorRpCollectionLimitReached",
        "The Restore Point collection max limit has reached.",
        RootCause.POINT_LIMIT,
    ),
    (
        "UserErrorKeyvaultPermissionsNotConfigured",
        "Azure Backup Service does not have sufficient permissions to Key Vault for Backup.",
        RootCause.ENCRYPTION,
    ),
    (
        "UserErrorUnsupportedDiskSize",
        "The configured disk size(s) are currently not supported by Azure Backup.",
        RootCause.DISK,
    ),
    (
        "UserErrorVmProvisioningStateFailed",
        "The VM is in failed provisioning state",
        RootCause.VM_STATE,
    ),
    (
        "UserErrorVmNotInDesirableState",
        "VM is not in a state that allows backups.",
        RootCause.VM_STATE,
    ),
    (
        "UserErrorRequestDisallowedByPolicy",
        "An invalid policy is configured on the VM which is preventing Snapshot operation.",
        RootCause.POLICY_DENIES,
    ),
    (
        "UserErrorBackupOperationInProgress",
        "Unable to initiate backup as another backup operation is currently in progress",
        RootCause.BUSY,
    ),
    (
        "BackUpOperationFailedV2",
        "Backup failed with an internal error - Please retry the operation in a few minutes",
        RootCause.SERVICE,
    ),
    (
        "CloudInternalError",
        "Microsoft Azure Backup encountered an internal error.",
        RootCause.SERVICE,
    ),
    ("BCMV2VMNotFound", "The virtual machine doesn't exist", RootCause.VM_GONE),
    (
        "ResourceNotFound",
        "Could not perform the operation as VM no longer exists.",
        RootCause.VM_GONE,
    ),
    (
        "ExtensionFailedTimeoutVMNetworkUnresponsive",
        "Snapshot operation failed due to inadequate VM resources.",
        RootCause.VM_LOAD,
    ),
]


@pytest.mark.parametrize(("name", "message", "cause"), DOCUMENTED)
def test_a_documented_failure_has_one_cause_by_its_name_and_by_azures_words(name, message, cause):
    assert explain(code=name).cause is cause
    assert explain(number=999_999, title=message).cause is cause
    assert explain(code=name.upper()).known


@pytest.mark.parametrize(
    ("number", "cause"), [(400094, RootCause.VM_GONE), (380008, RootCause.AGENT)]
)
def test_a_documented_number_is_known_without_a_name(number, cause):
    assert explain(number=number).cause is cause


def test_what_nobody_knows_passes_azures_own_words_through():
    told = explain("UserErrorOfTomorrow", 7, "Something new.", "It broke.", "Mend it.")

    assert told.cause is RootCause.UNKNOWN
    assert (told.code, told.azure_words) == (
        "UserErrorOfTomorrow",
        "Something new. It broke. Mend it.",
    )
    assert not told.known


def test_words_that_azure_says_twice_are_passed_through_once():
    assert explain(title="It broke.", message="It broke.").azure_words == "It broke."


def test_a_failure_without_any_words_still_says_what_to_do():
    told = explain()

    assert (told.code, told.azure_words) == ("", "")
    assert told.fix
    assert told.link.startswith("https://learn.microsoft.com/azure/backup/")


def test_no_name_and_no_number_leads_to_two_entries():
    names = [name.lower() for entry in ENTRIES for name in entry.names]
    numbers = [number for entry in ENTRIES for number in entry.numbers]

    assert len(set(names)) == len(names)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.names[0] for entry in ENTRIES])
def test_every_entry_says_in_sentences_what_it_is_and_what_to_do(entry):
    assert re.fullmatch(r"[A-Z].{20,}\.", entry.text)
    assert re.fullmatch(r"[A-Z].{20,}\.", entry.fix)
    assert re.fullmatch(r"[a-z0-9-]+(#[a-z0-9-]+)?", entry.page)
    assert isinstance(entry.remedy, Remedy)
