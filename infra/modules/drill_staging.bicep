// The account through which Azure Backup restores, which serves restore tests alone. Of the kinds
// that Azure takes for it: standard, not zone-redundant, in the vaults' own region.
param location string
param restorerPrincipalId string
param stagingRoleId string
param vaultPrincipalIds array
param tags object

// What Azure documents for a vault whose own identity restores: Storage Account Backup Contributor
// and Storage Blob Data Contributor.
var accountBackup = 'e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: 'stvmbackupd${uniqueString(resourceGroup().id)}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

// vmbackup removes what a restore leaves; this is for the day on which it does not run. Disks of
// restores from the vault's tier are page blobs, which no such rule removes.
resource tidies 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'leftovers'
          type: 'Lifecycle'
          enabled: true
          definition: {
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 14
                }
              }
            }
            filters: {
              blobTypes: [
                'blockBlob'
                'appendBlob'
              ]
            }
          }
        }
      ]
    }
  }
}

resource restorerRight 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, restorerPrincipalId, stagingRoleId)
  scope: account
  properties: {
    principalId: restorerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: stagingRoleId
  }
}

resource vaultsBackUp 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in vaultPrincipalIds: {
  name: guid(account.id, id, accountBackup)
  scope: account
  properties: {
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', accountBackup)
  }
}]

resource vaultsWriteBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in vaultPrincipalIds: {
  name: guid(account.id, id, blobDataContributor)
  scope: account
  properties: {
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}]
