// A vault that keeps what it has: immutable, softly deleting, telling of failed jobs.
param name string
param location string
param immutability string
param redundancy string
@description('For how many days what was deleted can be taken back.')
param softDeleteDays int
param workspaceId string

resource vault 'Microsoft.RecoveryServices/vaults@2026-07-01' = {
  name: name
  location: location
  sku: {
    name: 'RS0'
    tier: 'Standard'
  }
  properties: {
    publicNetworkAccess: 'Enabled'
    redundancySettings: {
      standardTierStorageRedundancy: redundancy
      crossRegionRestore: 'Disabled'
    }
    securitySettings: {
      immutabilitySettings: {
        state: immutability
      }
      softDeleteSettings: {
        softDeleteState: 'Enabled'
        softDeleteRetentionPeriodInDays: softDeleteDays
        enhancedSecurityState: 'Enabled'
      }
    }
    monitoringSettings: {
      azureMonitorAlertSettings: {
        alertsForAllJobFailures: 'Enabled'
      }
    }
  }
}

module log 'vault_log.bicep' = {
  name: 'vmbackup-log-${uniqueString(name)}'
  params: {
    name: vault.name
    workspaceId: workspaceId
  }
}
