// An alarm where Event Grid could not deliver what a topic told.
param name string
@description('What the alarm says.')
param words string
param topicName string
@description('Whether what cannot be delivered is laid down; else it is dropped.')
param withLetters bool
param actionGroupId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource undelivered 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: name
  location: 'global'
  properties: {
    description: words
    severity: 2
    enabled: true
    scopes: [
      topic.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          metricName: withLetters ? 'DeadLetteredCount' : 'DroppedEventCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}
