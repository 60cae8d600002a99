// A vault that keeps what it has: immutable, softly deleting, telling of failed jobs.
param name string
param location string
param immutability string
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
      standardTierStorageRedundancy: 'GeoRedundant'
      crossRegionRestore: 'Disabled'
    }
    securitySettings: {
      immutabilitySettings: {
        state: immutability
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
