"""
The tables of a workspace that Azure Backup fills, with the types of their columns.

Columns are those of the pages "Azure Monitor Logs reference"; where the page on Azure Backup's
data model writes a name otherwise (`AdhocOrScheduledJob`), the reference is right. `TenantId` (the
workspace) and `_TimeReceived` are in every table ("Standard columns in Azure Monitor Logs").
"""

from collections.abc import Mapping

INGESTED = "_ingested_at_"  # What `ingestion_time()` reads; no result ever shows it.


def _columns(**by_type: str) -> dict[str, str]:
    return {name: kind for kind, names in by_type.items() for name in names.split()}


# models log-standard-columns
_STANDARD = _columns(
    string="TenantId SourceSystem Type _ResourceId _SubscriptionId _IsBillable",
    datetime=f"TimeGenerated _TimeReceived {INGESTED}",
    real="_BilledSize",
)
_VAULT = _columns(
    string="""
        ResourceId OperationName Category AzureDataCenter BackupManagementType DatasourceType
        ResourceGroupName SchemaVersion State StorageReplicationType SubscriptionId VaultName
        VaultTags VaultType VaultUniqueId BackupManagementServerUniqueId
        ArchiveTierStorageReplicationType
    """,
    dynamic="ExtendedProperties",
)
_SOURCE = _columns(
    string="""
        BackupItemFriendlyName BackupItemId BackupItemUniqueId DatasourceFriendlyName
        DatasourceResourceId DatasourceSetFriendlyName DatasourceSetResourceId DatasourceSetType
        ProtectedContainerUniqueId
    """,
)
# models log-tables
TABLES: Mapping[str, Mapping[str, str]] = {
    "AddonAzureBackupJobs": {
        **_STANDARD,
        **_VAULT,
        **_SOURCE,
        **_columns(
            string="""
                AdHocOrScheduledJob JobFailureCode JobOperation JobOperationSubType JobStatus
                JobUniqueId RecoveryJobDestination RecoveryJobRPLocation RecoveryLocationType
            """,
            real="DataTransferredInMB JobDurationInSecs",
            datetime="JobStartDateTime RecoveryJobRPDateTime",
        ),
    },
    "CoreAzureBackup": {
        **_STANDARD,
        **_VAULT,
        **_SOURCE,
        **_columns(
            string="""
                AgentVersion AzureBackupAgentVersion BackupItemAppVersion BackupItemName
                BackupItemProtectionState BackupItemType BackupManagementServerName
                BackupManagementServerOSVersion BackupManagementServerType
                BackupManagementServerVersion BillingGroupFriendlyName BillingGroupUniqueId
                DatasourceResourceGroupName DatasourceSubscriptionId
                ArchiveTierLatestRecoveryPointLocation ArchiveTierOldestRecoveryPointLocation
                LatestRecoveryPointLocation OldestRecoveryPointLocation PolicyId PolicyName
                PolicyUniqueId ProtectedContainerFriendlyName ProtectedContainerLocation
                ProtectedContainerName ProtectedContainerOSType ProtectedContainerOSVersion
                ProtectedContainerProtectionState ProtectedContainerType
                ProtectedContainerWorkloadType ProtectionGroupName SecondaryBackupProtectionState
            """,
            datetime="""
                ArchiveTierLatestRecoveryPointTime ArchiveTierOldestRecoveryPointTime
                LatestRecoveryPointTime OldestRecoveryPointTime
            """,
            real="""
                ArchiveTierStorageConsumedInMBs BackupItemFrontEndSize StorageConsumedInMBs
            """,
            bool="IsArchiveEnabled",
        ),
    },
    "AddonAzureBackupPolicy": {
        **_STANDARD,
        **_VAULT,
        **_columns(
            string="""
                BackupDaysOfTheWeek BackupFrequency BackupTimes DailyRetentionTimes
                MonthlyRetentionDaysOfTheMonth MonthlyRetentionDaysOfTheWeek
                MonthlyRetentionFormat MonthlyRetentionTimes MonthlyRetentionWeeksOfTheMonth
                PolicyId PolicyName PolicySubType PolicyTimeZone PolicyUniqueId RetentionType
            """,
            int="""
                BackupIntervalInHours DailyRetentionDuration LogBackupFrequency
                LogBackupRetentionDuration MonthlyRetentionDuration RetentionDuration
                ScheduleWindowDuration SnapshotTierDefaultRetentionDuration
            """,
            datetime="ScheduleWindowStartTime",
        ),
    },
    "AddonAzureBackupProtectedInstance": {
        **_STANDARD,
        **_VAULT,
        **_columns(
            string="""
                BackupItemUniqueId BillingGroupFriendlyName BillingGroupResourceGroupName
                BillingGroupType BillingGroupUniqueId ProtectedContainerUniqueId
            """,
            int="ProtectedInstanceCount",
            real="ArchiveTierStorageConsumedInMBs SourceSizeInMBs StorageConsumedInMBs",
        ),
    },
}
# Categories of a vault that name tables of their own; nothing here fills those outside TABLES.
CATEGORIES = (*TABLES, "AddonAzureBackupAlerts", "AddonAzureBackupStorage")
NOT_FILLED = frozenset(
    {
        *("AddonAzureBackupAlerts", "AddonAzureBackupStorage", "AzureDiagnostics"),
        *("AzureActivity", "AzureMetrics", "Heartbeat", "Operation", "Usage"),
    }
)
STORED_AS = {
    "string": "VARCHAR",
    "datetime": "TIMESTAMP",
    "real": "DOUBLE",
    "int": "INTEGER",
    "bool": "BOOLEAN",
    "dynamic": "JSON",
}
