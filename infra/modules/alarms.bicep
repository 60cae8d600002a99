// Alarms about vmbackup itself; docs/operate.md says of each what it means and what to do.
param tags object
param workspaceId string
param emails array
@description('The region that asks the questions; the log stays where it is.')
param region string
@description('Whether restore tests run anywhere.')
param restores bool
@description('Whether vmbackup sends mails.')
param tells bool

// One line of the app's journal: a JSON object in the message of a trace.
var journal = 'AppTraces | where Message startswith "{" | extend line = parse_json(Message) | extend Kind = tostring(line["kind"]), Key = tostring(line["key"]), Text = tostring(line["text"])'

var always = [
  {
    name: 'no-sweep'
    description: 'No sweep has ended well for three hours: VMs that lost their event are not found.'
    severity: 1
    every: 'PT30M'
    window: 'PT3H'
    query: 'AppRequests | where Name == "sweep" and Success == true'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'functions-fail'
    description: 'Functions of vmbackup fail again and again.'
    severity: 2
    every: 'PT15M'
    window: 'PT1H'
    query: 'AppRequests | where Success == false'
    operator: 'GreaterThan'
    threshold: 5
  }
  {
    name: 'configuration-refused'
    description: 'A new version of the configuration has faults; the last good one is in force.'
    severity: 2
    every: 'PT15M'
    window: 'PT1H'
    query: '${journal} | where Kind == "event" and Key == "configuration"'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'sweep-stopped'
    description: 'A sweep has stopped, because far less is in scope than before. It waits for a person.'
    severity: 1
    every: 'PT30M'
    window: 'PT1H'
    query: '${journal} | where Kind == "facts" and Key == "sweep" and Text has "STOPPED"'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'workflow-stuck'
    description: 'A workflow runs beyond its bound, or did not go on when it was to.'
    severity: 2
    every: 'PT1H'
    window: 'P1D'
    query: '${journal} | where Text startswith "workflow stuck:"'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'no-housekeeping'
    description: 'Nobody has looked for two days for workflows that stand still.'
    severity: 2
    every: 'PT6H'
    window: 'P2D'
    query: 'AppRequests | where Name == "housekeeping" and Success == true'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'workflow-failed'
    description: 'A workflow broke; what it did for a VM is begun anew by the next sweep.'
    severity: 2
    every: 'PT1H'
    window: 'P1D'
    query: '${journal} | where Text startswith "workflow failed:"'
    operator: 'GreaterThan'
    threshold: 0
  }
]

var whereMailsAreSent = [
  {
    name: 'no-alive-digest'
    description: 'The operators\' daily digest was not sent for two days: nobody is told by mail that anything is wrong.'
    severity: 1
    every: 'PT6H'
    window: 'P2D'
    query: '${journal} | where Kind == "outcome" and Text startswith "sent: vmbackup is alive"'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'no-watch'
    description: 'Nobody has looked for failed and missing backups for two hours.'
    severity: 1
    every: 'PT30M'
    window: 'PT2H'
    query: 'AppRequests | where Name == "watch" and Success == true'
    operator: 'LessThan'
    threshold: 1
  }
]

var whereTestsRun = [
  {
    name: 'no-janitor'
    description: 'Nobody has looked for two hours at what restore tests left.'
    severity: 1
    every: 'PT30M'
    window: 'PT2H'
    query: 'AppRequests | where Name == "janitor" and Success == true'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'leftovers'
    description: 'The janitor could not remove or put in order something, or a slot was quarantined.'
    severity: 1
    every: 'PT1H'
    window: 'PT2H'
    query: '${journal} | where Kind == "outcome" and tobool(line["done"]) == false | where Key == "janitor" or Text has "quarantined" or Text has "not cancelled"'
    operator: 'GreaterThan'
    threshold: 0
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-vmbackup'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'vmbackup'
    emailReceivers: [for (email, i) in emails: {
      name: 'person-${i}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [for rule in concat(always, tells ? whereMailsAreSent : [], restores ? whereTestsRun : []): {
  name: 'vmbackup-${rule.name}'
  location: region
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'vmbackup: ${rule.name}'
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [
      workspaceId
    ]
    evaluationFrequency: rule.every
    windowSize: rule.window
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    // A table that no line has reached yet is not known, and the rule would be refused.
    skipQueryValidation: true
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}]

output actionGroupId string = people.id
