// The group of a subscription's topic, in the subscription itself, as Event Grid wants it.
targetScope = 'subscription'

param functionId string
param identityId string
param stateAccountId string
param actionGroupId string
param location string
param groupName string
param topicName string
param isNew bool

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = if (isNew) {
  name: groupName
  location: location
}

module topic 'events_topic.bicep' = {
  name: 'vmbackup-events-topic'
  scope: resourceGroup(groupName)
  params: {
    functionId: functionId
    identityId: identityId
    stateAccountId: stateAccountId
    actionGroupId: actionGroupId
    topicName: topicName
    isNew: isNew
  }
  dependsOn: [
    group
  ]
}
