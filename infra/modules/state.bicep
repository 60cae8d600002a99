// What vmbackup must not lose: its ledger, its documents and its evidence, which nobody can change.
param environmentName string
param token string
param location string
param tags object
param redundancy string
param evidenceDays int
@description('More than evidenceDays: evidence names consoles by their digests.')
param consoleDays int
param evidenceLocked bool
param readerPrincipalId string
param keeperPrincipalIds array
param eventsPrincipalId string
@description('Who reaches the account (network.bicep).')
param network object

var here = resourceGroup().id
var roles = loadJsonContent('../roles.json')
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: 'stvmbackups${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    // Event Grid lays down its dead letters as a service that Azure trusts.
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: network.isPrivate ? 'Deny' : 'Allow'
      ipRules: [for address in network.allowedAddresses: {
        action: 'Allow'
        value: address
      }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 30
    }
    deleteRetentionPolicy: {
      enabled: true
      days: 30
    }
  }
}

resource documents 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'state'
  properties: {
    publicAccess: 'None'
  }
}

resource evidence 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'evidence'
  properties: {
    publicAccess: 'None'
  }
}

// Deployed unlocked, so that a first deployment can be taken back; docs/deploy.md says how to lock it.
// A locked one can only be made longer, by another call than this.
resource unchangeable 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2026-04-01' = if (evidenceLocked == false) {
  parent: evidence
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: evidenceDays
    allowProtectedAppendWrites: false
  }
}

resource deadletters 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'deadletters'
  properties: {
    publicAccess: 'None'
  }
}

resource config 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: 'config'
  properties: {
    publicAccess: 'None'
  }
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2026-04-01' = {
  parent: account
  name: 'default'
}

resource ledger 'Microsoft.Storage/storageAccounts/tableServices/tables@2026-04-01' = {
  parent: tables
  name: 'vmbackup'
}

resource tidies 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-dead-letters'
          type: 'Lifecycle'
          enabled: true
          definition: {
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 90
                }
              }
            }
            filters: {
              blobTypes: [
                'blockBlob'
                'appendBlob'
              ]
              prefixMatch: [
                'deadletters/'
              ]
            }
          }
        }
        // Counted from when a console was last written, which is before its record of evidence.
        {
          name: 'old-consoles'
          type: 'Lifecycle'
          enabled: true
          definition: {
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: consoleDays
                }
              }
            }
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'state/drills/drill-'
              ]
            }
          }
        }
      ]
    }
  }
}

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for name in ['ledger', 'documents', 'evidence', 'configuration']: {
  name: guid(here, 'vmbackup', environmentName, name)
  properties: {
    roleName: 'vmbackup ${name} ${environmentName} ${take(token, 5)}'
    description: roles[name].description
    type: 'CustomRole'
    assignableScopes: [
      here
    ]
    permissions: [
      {
        actions: roles[name].actions
        dataActions: roles[name].dataActions
      }
    ]
  }
}]

resource keepsLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in keeperPrincipalIds: {
  name: guid(ledger.id, id, 'ledger')
  scope: ledger
  properties: {
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[0].id
  }
}]

resource keepsDocuments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in keeperPrincipalIds: {
  name: guid(documents.id, id, 'documents')
  scope: documents
  properties: {
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[1].id
  }
}]

resource keepsEvidence 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in keeperPrincipalIds: {
  name: guid(evidence.id, id, 'evidence')
  scope: evidence
  properties: {
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[2].id
  }
}]

resource readsConfiguration 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(config.id, readerPrincipalId, 'configuration')
  scope: config
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[3].id
  }
}

resource laysDownLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadletters.id, eventsPrincipalId, blobDataContributor)
  scope: deadletters
  properties: {
    principalId: eventsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

module endpoints 'endpoints.bicep' = if (network.isPrivate) {
  name: 'vmbackup-state-endpoints'
  params: {
    name: account.name
    targetId: account.id
    services: [
      'blob'
      'table'
    ]
    subnetId: network.endpointSubnetId
    zones: network.zones
    location: location
    tags: tags
  }
}

output accountId string = account.id
output accountName string = account.name
