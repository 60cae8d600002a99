// The account through which Azure Backup restores, which serves restore tests alone. Of the kinds
// that Azure takes for it: standard, not zone-redundant, in the vaults' own region.
param location string
param restorerPrincipalId string
param stagingRoleId string
param vaultPrincipalIds array
param tags object

// What Azure documents for a vault whose own identity restores.
var vaultRoles = [
  'e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1' // Storage Account Backup Contributor
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
]

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

var vaultRights = flatten(map(vaultPrincipalIds, id => map(vaultRoles, role => {
  principal: id
  role: role
})))

resource vaultsRight 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for right in vaultRights: {
  name: guid(account.id, right.principal, right.role)
  scope: account
  properties: {
    principalId: right.principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', right.role)
  }
}]
