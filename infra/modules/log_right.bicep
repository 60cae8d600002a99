// Lets the reader ask one workspace what the jobs of vaults came to, and nothing else of it.
param environmentName string
param workspaceName string
param readerPrincipalId string

var here = resourceGroup().id
var roles = loadJsonContent('../roles.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: workspaceName
}

resource asks 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, 'vmbackup', environmentName, 'log', workspaceName)
  properties: {
    // A role's name is unique in the whole tenant.
    roleName: 'vmbackup log ${environmentName} ${uniqueString(here, workspaceName)}'
    description: roles.log.description
    type: 'CustomRole'
    assignableScopes: [
      here
    ]
    permissions: [
      {
        actions: roles.log.actions
        dataActions: roles.log.dataActions
      }
    ]
  }
}

resource mayAsk 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, readerPrincipalId, 'log')
  scope: workspace
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: asks.id
  }
}
