// The second step: lets each watched subscription tell vmbackup of its VMs, and the mail service of
// its mails. The functions that take the events must have been deployed by then.
targetScope = 'subscription'

@description('The watched subscriptions, by id, with commas between.')
param subscriptions string

@description('The ARM id of the function vm_events.')
param functionId string

@description('The ARM id of the function delivery_reports.')
param reportsFunctionId string

@description('The mail service that tells of its mails; empty where the templates made none.')
param mailServiceId string

@description('The group of the app, in which the mail service lies.')
param appGroup string

@description('The identity that lays down what could not be delivered; empty keeps no dead letters.')
param identityId string

@description('The account of vmbackup\'s state, which has a container for dead letters.')
param stateAccountId string

@description('Who is told of dead letters.')
param actionGroupId string

@description('The region of the groups that the topics lie in.')
param location string

@description('A topic of a subscription that is there already, { subscription id: { group: name, topic: name } }: Azure allows one for each.')
param existingTopics object

module topics 'modules/events_group.bicep' = [for id in split(subscriptions, ','): {
  name: 'vmbackup-events'
  scope: subscription(id)
  params: {
    functionId: functionId
    identityId: identityId
    stateAccountId: stateAccountId
    actionGroupId: actionGroupId
    location: location
    groupName: contains(existingTopics, id) ? existingTopics[id].group : 'rg-vmbackup-events'
    topicName: contains(existingTopics, id) ? existingTopics[id].topic : 'vmbackup'
    isNew: contains(existingTopics, id) == false
  }
}]

module reports 'modules/mail_reports.bicep' = if (mailServiceId != '') {
  name: 'vmbackup-mail-reports'
  scope: resourceGroup(appGroup)
  params: {
    serviceId: mailServiceId
    functionId: reportsFunctionId
    identityId: identityId
    stateAccountId: stateAccountId
    actionGroupId: actionGroupId
  }
}
