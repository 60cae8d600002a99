// A function app on Flex Consumption with the storage of its host. No key opens anything of it.
param name string
@description('The service of azure.yaml that is deployed here.')
param service string
param storageName string
param location string
param tags object
@description('The identity of the host: { id, clientId, principalId }.')
param host object
@description('The identities that the app itself uses, beside the host\'s: an empty object for each id.')
param identities object
param insightsConnection string
@description('Who reaches the app and its storage (network.bicep).')
param network object
@description('Who signs people in: { clientId, applications, principals }; by keys where clientId is empty.')
param people object
@description('The variables VMBACKUP_… of this app, and which functions of the package another app runs.')
param settings object

var packages = 'packages'
// What the Functions host needs of its own storage, as Azure documents it for Durable Functions.
var hostRoles = [
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
]

var addresses = [for (address, i) in network.allowedAddresses: {
  name: 'address-${i}'
  priority: 200 + i
  action: 'Allow'
  ipAddress: contains(address, '/') ? address : '${address}/32'
}]
// Event Grid delivers to public addresses only, so the app has one, and lets nobody else in by it.
var events = [
  {
    name: 'event-grid'
    priority: 100
    action: 'Allow'
    tag: 'ServiceTag'
    ipAddress: 'AzureEventGrid'
  }
]
var byDefault = network.isPrivate ? 'Deny' : 'Allow'

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: storageName
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
      defaultAction: byDefault
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: storage
  name: 'default'
}

resource packageContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: packages
  properties: {
    publicAccess: 'None'
  }
}

resource hostRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in hostRoles: {
  name: guid(storage.id, host.principalId, role)
  scope: storage
  properties: {
    principalId: host.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, {
    'azd-service-name': service
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: union({
      '${host.id}': {}
    }, identities)
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: host.id
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: network.isPrivate ? network.appSubnetId : null
    siteConfig: {
      ipSecurityRestrictions: network.isPrivate ? concat(events, addresses) : []
      ipSecurityRestrictionsDefaultAction: byDefault
      scmIpSecurityRestrictions: network.isPrivate ? addresses : []
      scmIpSecurityRestrictionsDefaultAction: byDefault
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packages}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: host.id
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
      }
    }
  }
  dependsOn: [
    hostRights
    packageContainer
  ]
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: union({
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: host.clientId
    AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
    AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
    AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${host.clientId};Authorization=AAD'
  }, settings)
}

module signIn 'sign_in.bicep' = if (people.clientId != '') {
  name: '${name}-sign-in'
  params: {
    siteName: site.name
    clientId: people.clientId
    applications: people.applications
    principals: people.principals
  }
}

// No user and password for publishing: Entra alone.
resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

module storageEndpoints 'endpoints.bicep' = if (network.isPrivate) {
  name: '${name}-storage'
  params: {
    name: storage.name
    targetId: storage.id
    services: [
      'blob'
      'queue'
      'table'
    ]
    subnetId: network.endpointSubnetId
    zones: network.zones
    location: location
    tags: tags
  }
}

module siteEndpoint 'endpoints.bicep' = if (network.isPrivate) {
  name: '${name}-site'
  params: {
    name: site.name
    targetId: site.id
    services: [
      'sites'
    ]
    subnetId: network.endpointSubnetId
    zones: network.zones
    location: location
    tags: tags
  }
}

output id string = site.id
output name string = site.name
output url string = 'https://${site.properties.defaultHostName}'
