"""
What Azure Backup says no with: one table of status, code and text, each with its standing.

Codes that stand in recordings, documents or public issues are marked so; the rest is guessed, which
is why callers must not tell apart guessed codes, and why each guess can be changed in this table.
"""

from dataclasses import dataclass
from enum import Enum

from azsim.http import ArmError


class Standing(Enum):
    RECORDED = "recorded"
    DOCUMENTED = "documented"
    INFERRED = "inferred"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way of saying no; `{…}` in the text is filled in by the caller."""

    status: int
    code: str
    text: str
    standing: Standing

    def error(self, **values: object) -> ArmError:
        return ArmError(self.status, self.code, self.text.format(**values))


_R, _D, _I, _G = Standing.RECORDED, Standing.DOCUMENTED, Standing.INFERRED, Standing.GUESSED

# models refusal-vault-not-found
VAULT_NOT_FOUND = Refusal(
    404,
    "ResourceNotFound",
    "The Resource 'Microsoft.RecoveryServices/vaults/{vault}' under resource group '{group}' was "
    "not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    _R,
)
# models refusal-vault-not-empty
VAULT_NOT_EMPTY = Refusal(
    400,
    "BMSUserErrorVaultDeletionNotAllowed",
    "Recovery Services Vault cannot be deleted as there are existing resources within the vault.",
    _D,
)
# models refusal-too-many-vaults
TOO_MANY_VAULTS = Refusal(
    409, "UserErrorMaxVaultsReached", "The region holds the most vaults that it can (500).", _G
)
# models refusal-vault-location-fixed
VAULT_LOCATION_FIXED = Refusal(
    409,
    "InvalidResourceLocation",
    "The resource '{vault}' already exists in location '{location}' in resource group '{group}'. "
    "A resource with the same name cannot be created in location '{other}'. Please select a new "
    "resource name.",
    _D,
)
# models refusal-soft-delete-always-on
SOFT_DELETE_ALWAYS_ON = Refusal(
    400,
    "BMSUserErrorSoftDeleteStateAlwaysOn",
    "Soft delete of this vault is always on and cannot be disabled.",
    _D,
)
# models refusal-storage-locked
STORAGE_LOCKED = Refusal(
    400,
    "BMSUserErrorStorageTypeLocked",
    "The storage type cannot be changed once items have been protected in the vault.",
    _G,
)
# models refusal-guarded
GUARDED = Refusal(
    400,
    "UserErrorResourceGuardOperationRequestMissing",
    "ResourceGuard Operation requestid is either null or empty",
    _I,  # The text stands in a public issue, the code is guessed.
)
# models refusal-guard-not-found
GUARD_NOT_FOUND = Refusal(
    404, "BMSUserErrorResourceGuardProxyNotFound", "Proxy '{guard}' was not found.", _G
)
# models refusal-soft-delete-days
SOFT_DELETE_DAYS = Refusal(
    400, "BMSUserErrorInvalidInput", "Soft delete keeps data 14 to 180 days.", _I
)

# models refusal-item-not-found
ITEM_NOT_FOUND = Refusal(
    404,
    "BMSUserErrorDataSourceObjectNotFound",
    "Item not found.\r\nSelected item might have been deleted. Please check if item is registered "
    "to the vault.",
    _D,
)
# models refusal-policy-not-found
POLICY_NOT_FOUND = Refusal(
    404,
    "BMSUserErrorPolicyObjectNotFound",
    "Policy '{policy}' was not found in the vault.",
    _G,
)
# models refusal-policy-in-use
POLICY_IN_USE = Refusal(
    400,
    "BMSUserErrorPolicyObjectInUse",
    "The policy is in use by protected items and cannot be deleted.",
    _D,
)
# models refusal-policy-invalid
POLICY_INVALID = Refusal(
    400,
    "BMSUserErrorInvalidPolicyInput",
    "Input for create or update policy is not in proper format\r\n{why}",
    _G,
)
# models refusal-too-many-policies
TOO_MANY_POLICIES = Refusal(
    400, "BMSUserErrorMaxPoliciesReached", "A vault holds at most 200 policies.", _G
)
# models refusal-too-many-policy-edits
TOO_MANY_POLICY_EDITS = Refusal(
    400,
    "BMSUserErrorMaxPolicyEditsReached",
    "At most 50 policies can be created or edited in 24 hours.",
    _G,
)
# models refusal-job-not-found
JOB_NOT_FOUND = Refusal(404, "BMSUserErrorJobNotFound", "Job '{job}' was not found.", _G)
# models refusal-operation-not-found
OPERATION_NOT_FOUND = Refusal(
    404, "BMSUserErrorOperationNotFound", "Operation '{operation}' was not found.", _G
)
# models refusal-point-not-found
POINT_NOT_FOUND = Refusal(
    404, "BMSUserErrorRecoveryPointNotFound", "Recovery point '{point}' was not found.", _G
)
# models refusal-container-unknown
CONTAINER_UNKNOWN = Refusal(
    400,
    "BMSUserErrorInvalidConfigureProtectionRequest",
    "Input for configure protection is not in proper format\r\n"
    "Please ensure that container exists and other parameters are in valid format",
    _D,
)
# models refusal-soft-deleted-in-the-way
SOFT_DELETED_IN_THE_WAY = Refusal(
    400,
    "BMSUserErrorItemInSoftDeletedState",
    "The backup item is in soft deleted state. Undelete it before any other operation.",
    _G,
)
# models refusal-not-soft-deleted
NOT_SOFT_DELETED = Refusal(
    400, "BMSUserErrorItemNotInSoftDeletedState", "The backup item is not soft deleted.", _G
)
# models refusal-not-stopped-nor-protected
NOT_STOPPED_NOR_PROTECTED = Refusal(
    400, "BMSUserErrorProtectionNotConfigured", "The item is not protected.", _G
)
# models refusal-configure-in-progress
CONFIGURE_IN_PROGRESS = Refusal(
    409,
    "BMSUserErrorConflictingProtectionOperation",
    "Another configure protection operation is in progress for this item.",
    _D,
)
# models refusal-item-locked
ITEM_LOCKED = Refusal(
    409,
    "BMSUserErrorObjectLocked",
    "Another operation is in progress on the selected item.",
    _D,
)
# models refusal-backup-in-progress
BACKUP_IN_PROGRESS = Refusal(
    409,
    "UserErrorBackupOperationInProgress",
    "Unable to initiate backup as another backup operation is currently in progress",
    _D,
)
# models refusal-vault-full
VAULT_FULL = Refusal(
    400,
    "UserErrorMaxProtectedVMsReached",
    "The vault protects as many virtual machines as it can ({most}).",
    _G,
)
# models refusal-too-many-configures
TOO_MANY_CONFIGURES = Refusal(
    400,
    "CloudDosAbsoluteLimitReached",
    "Operation is blocked as you have reached the limit on number of operations permitted in 24 "
    "hours.",
    _I,  # Documented for databases in VMs: troubleshooting pages of SQL Server and SAP HANA.
)
# models refusal-needs-enhanced-policy
NEEDS_ENHANCED_POLICY = Refusal(
    400,
    "UserErrorStandardPolicyNotSupported",
    "This virtual machine can be protected only with an Enhanced policy.",
    _G,
)
# models refusal-no-way-back-to-standard
NO_WAY_BACK_TO_STANDARD = Refusal(
    400,
    "UserErrorMigrationFromEnhancedToStandardPolicyNotAllowed",
    "Changing from an Enhanced to a Standard policy is not supported.",
    _G,
)
# models refusal-trusted-launch-before
TRUSTED_LAUNCH_BEFORE = Refusal(
    400,
    "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed",
    "Unable to protect a Standard VM with the same name as a Trusted Launch VM previously deleted.",
    _D,
)
# models refusal-agent-unavailable
AGENT_UNAVAILABLE = Refusal(
    400,
    "UserErrorGuestAgentStatusUnavailable",
    "VM agent is unable to communicate with the Azure Backup Service.",
    _D,
)
# models refusal-other-vault
OTHER_VAULT = Refusal(
    400,
    "UserErrorVmAlreadyRegisteredWithAnotherVault",
    "Virtual machine is already registered\\registering with another recovery services vault. "
    "Please select a different virtual machine for registration.",
    _I,
)
# models refusal-vm-not-found
VM_NOT_FOUND = Refusal(400, "BCMV2VMNotFound", "The virtual machine doesn't exist.", _D)
# models refusal-too-many-backups
TOO_MANY_BACKUPS = Refusal(
    400,
    "UserErrorMaxOnDemandBackupsReached",
    "At most {most} backups of a virtual machine can be tried in a day.",
    _G,
)
# models refusal-too-many-restores
TOO_MANY_RESTORES = Refusal(
    400,
    "UserErrorMaxRestoresReached",
    "At most {most} restores of a virtual machine can be triggered in 24 hours.",
    _G,
)
# models refusal-restore-invalid
RESTORE_INVALID = Refusal(
    400, "BMSUserErrorInvalidRestoreRequest", "The restore request is not valid: {why}", _G
)
# models refusal-not-cancellable
NOT_CANCELLABLE = Refusal(
    400, "UserErrorJobNotCancellable", "The job cannot be cancelled in its present state.", _G
)
