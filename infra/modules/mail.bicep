// A service that sends mails, from a domain of Azure's or of yours, and the right to send by it. No
// key opens it.
param environmentName string
param token string
param tags object
@description('AzureManaged, or the name of a domain.')
param domainName string
@description('Whether the domain may be used: a new one of yours may not before its records are found in DNS.')
param verified bool
param user string
param geography string
param senderPrincipalId string
param byBuiltInRole bool

var here = resourceGroup().id
var roles = loadJsonContent('../roles.json')
var isAzures = domainName == 'AzureManaged'
// Every domain has this sender from the beginning.
var isFirstUser = toLower(user) == 'donotreply'
// Communication and Email Service Owner.
var builtInRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '09976791-48a7-449e-bb21-39d1a415f350')

resource emails 'Microsoft.Communication/emailServices@2026-03-18' = {
  name: 'acs-vmbackup-mail-${token}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: geography
  }
}

resource domain 'Microsoft.Communication/emailServices/domains@2026-03-18' = {
  parent: emails
  name: isAzures ? 'AzureManagedDomain' : domainName
  location: 'global'
  tags: tags
  properties: {
    domainManagement: isAzures ? 'AzureManaged' : 'CustomerManaged'
    userEngagementTracking: 'Disabled'
  }
}

resource sender 'Microsoft.Communication/emailServices/domains/senderUsernames@2026-03-18' = if (verified && isFirstUser == false) {
  parent: domain
  name: toLower(user)
  properties: {
    username: user
    displayName: 'vmbackup'
  }
}

resource service 'Microsoft.Communication/communicationServices@2026-03-18' = {
  name: 'acs-vmbackup-${token}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: geography
    disableLocalAuth: true
    linkedDomains: verified ? [
      domain.id
    ] : []
  }
}

resource sends 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, 'vmbackup', environmentName, 'mails')
  properties: {
    // A role's name is unique in the whole tenant.
    roleName: 'vmbackup mails ${environmentName} ${take(token, 5)}'
    description: roles.mails.description
    type: 'CustomRole'
    assignableScopes: [
      here
    ]
    permissions: [
      {
        actions: roles.mails.actions
        dataActions: roles.mails.dataActions
      }
    ]
  }
}

resource maySend 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(service.id, senderPrincipalId, byBuiltInRole ? builtInRole : 'mails')
  scope: service
  properties: {
    principalId: senderPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: byBuiltInRole ? builtInRole : sends.id
  }
}

output serviceId string = service.id
output endpoint string = 'https://${service.properties.hostName}'
output sender string = '${user}@${domain.properties.fromSenderDomain}'
@description('What the DNS of a domain of yours must say before it is verified.')
output records object = isAzures ? {} : domain.properties.verificationRecords
