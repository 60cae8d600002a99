// Lets a vault write what its jobs came to into tables of their own. A vault that is not told so
// writes nothing, and nobody can read later what was never written.
param name string
param workspaceId string

var categories = [
  'CoreAzureBackup'
  'AddonAzureBackupJobs'
  'AddonAzureBackupAlerts'
  'AddonAzureBackupPolicy'
  'AddonAzureBackupStorage'
  'AddonAzureBackupProtectedInstance'
]

resource vault 'Microsoft.RecoveryServices/vaults@2026-07-01' existing = {
  name: name
}

resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'vmbackup'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [for category in categories: {
      category: category
      enabled: true
    }]
  }
}
