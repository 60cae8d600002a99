// What vmbackup may do in one subscription: roles of exactly the actions that its operations need.
targetScope = 'subscription'

param environmentName string
param readerPrincipalId string
param protectorPrincipalId string
param restorerPrincipalId string
param mayCreateVaults bool
@description('Whether restore tests run in this subscription.')
param restores bool

var here = subscription().id
var roles = loadJsonContent('../roles.json')

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for name in ['reader', 'protector', 'vaultMaker', 'restorer', 'slot', 'place', 'staging']: {
  name: guid(here, 'vmbackup', environmentName, name)
  properties: {
    // A role's name is unique in the whole tenant.
    roleName: 'vmbackup ${name} ${environmentName} ${take(subscription().subscriptionId, 8)}'
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

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, readerPrincipalId, 'reader')
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[0].id
  }
}

resource protects 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, protectorPrincipalId, 'protector')
  properties: {
    principalId: protectorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[1].id
  }
}

resource makesVaults 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (mayCreateVaults) {
  name: guid(here, protectorPrincipalId, 'vaultMaker')
  properties: {
    principalId: protectorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[2].id
  }
}

resource restoresDisks 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (restores) {
  name: guid(here, restorerPrincipalId, 'restorer')
  properties: {
    principalId: restorerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[3].id
  }
}
