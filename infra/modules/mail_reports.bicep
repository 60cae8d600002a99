// What the mail service tells of mails that arrived or did not, to the function delivery_reports.
param serviceId string
param functionId string
param identityId string
param stateAccountId string
param actionGroupId string

var withLetters = identityId != ''

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'vmbackup-mail'
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
    source: serviceId
    topicType: 'Microsoft.Communication.CommunicationServices'
  }
}

resource reports 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'vmbackup-reports'
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
        'Microsoft.Communication.EmailDeliveryReportReceived'
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
}

module alarm 'events_alarm.bicep' = {
  name: 'vmbackup-reports-alarm'
  params: {
    name: 'vmbackup-reports-undelivered'
    words: 'Event Grid gave up on reports of the mail service: mails that did not arrive may be unknown. docs/operate.md says what it means.'
    topicName: topic.name
    withLetters: withLetters
    actionGroupId: actionGroupId
  }
}
