// What a subscription tells of its VMs, filtered, to the function vm_events; and an alarm where
// Event Grid could not deliver.
param functionId string
param identityId string
param stateAccountId string
param actionGroupId string
param topicName string
param isNew bool

var withLetters = identityId != ''

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (isNew) {
  name: topicName
  location: 'global'
  identity: withLetters ? {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  } : {
    type: 'None'
  }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

resource anyTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource vms 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: anyTopic
  name: 'vmbackup-vms'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: functionId
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.Compute/virtualMachines/write'
            'Microsoft.Compute/virtualMachines/delete'
            'Microsoft.Resources/tags/write'
            'Microsoft.Resources/tags/delete'
          ]
        }
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: withLetters ? {
      identity: {
        type: 'UserAssigned'
        userAssignedIdentity: identityId
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: stateAccountId
          blobContainerName: 'deadletters'
        }
      }
    } : null
  }
  dependsOn: [
    topic
  ]
}

module alarm 'events_alarm.bicep' = {
  name: 'vmbackup-events-alarm'
  params: {
    name: 'vmbackup-events-undelivered'
    words: 'Event Grid gave up on events for vmbackup. The sweep has seen those VMs; docs/operate.md says what it means.'
    topicName: topicName
    withLetters: withLetters
    actionGroupId: actionGroupId
  }
  dependsOn: [
    topic
  ]
}
