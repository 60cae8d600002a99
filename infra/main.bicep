// Deploys vmbackup: the app with all that it needs, its rights in every watched subscription, and
// the places in which restore tests run. Events are a second step (events.bicep), because the
// function that takes them must exist first.
targetScope = 'subscription'

@description('Names this deployment; one estate may have several.')
@minLength(1)
@maxLength(20)
param environmentName string

@description('The region of the app and of its state.')
param location string

@description('The subscriptions whose VMs are protected, by id. The same stand in vmbackup.toml.')
param watchedSubscriptions array = []

@description('More of them, with commas between: what infra/hooks/subscriptions.sh finds under management groups.')
param foundSubscriptions string = ''

@description('Where restore tests may run, each { subscription: id, location: region, slots: number }. None runs where the list is empty.')
param drillPlaces array = []

@description('Whether vmbackup may create vaults and the groups that they lie in ([vaults] create).')
param mayCreateVaults bool = false

@description('The configuration: a path in the package, or the address of a blob, such as the one in container config of the account of state.')
param configuration string = 'vmbackup.toml'

@description('For how many days nobody can change or remove a record of evidence.')
@minValue(1)
@maxValue(146000)
param evidenceDays int = 400

@description('For how many days more than evidence the serial logs and screens of restore tests are kept.')
@minValue(7)
@maxValue(3650)
param consoleExtraDays int = 7

@description('Whether the policy that keeps evidence has been locked, by hand: then it is left alone.')
param evidenceLocked bool = false

@description('How the account of state and evidence is copied; one that reaches another region lets vmbackup be rebuilt there.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param stateRedundancy string = 'Standard_GRS'

@description('Who is told when vmbackup itself is in trouble. Nobody is where the list is empty, though the alarms are raised.')
param alarmEmails array = []

@description('The region that asks whether alarms are due, where it is not to be the app\'s own.')
param alarmRegion string = ''

@description('What vmbackup itself may cost in a month, in the currency of the bill, before alarmEmails are told; 0 for no budget.')
param monthlyBudget int = 0

@description('What the restore tests of one place may cost in a month; 0 for no budget.')
param monthlyDrillBudget int = 0

@description('The month from which budgets count. Give the first one again where a later deployment is not to begin anew.')
param budgetFrom string = utcNow('yyyy-MM-01')

@description('When all VMs are compared with all backups: six fields, seconds first.')
param sweepSchedule string = '0 */30 * * * *'

@description('When a night of restore tests begins; it must agree with begins of [drills].')
param drillSchedule string = '0 0 1 * * *'

@description('How often what restore tests left is removed.')
param janitorSchedule string = '0 */15 * * * *'

@description('How often failed and missing backups are looked for.')
param watchSchedule string = '0 */10 * * * *'

@description('How often it is asked whether a digest is due.')
param digestSchedule string = '30 */15 * * * *'

@description('When workflows that should have ended are looked for, and old ones forgotten.')
param housekeepingSchedule string = '0 20 3 * * *'

@description('For how many days workflows that have ended are kept.')
param keepWorkflows string = '30'

@description('The domain of a mail service to make: AzureManaged for one of Azure\'s, or one of yours. Empty makes none.')
param mailDomain string = ''

@description('Whether a domain of yours was verified, with the records of output MAIL_RECORDS in its DNS. Before, nothing is sent.')
param mailDomainVerified bool = false

@description('The part of the sender before the @. Azure takes others than DoNotReply for domains with a raised quota.')
param mailUser string = 'DoNotReply'

@description('Where the mail service keeps what it sends: a geography, such as Europe or United States.')
param mailGeography string = 'Europe'

@description('Grants the built-in role for sending, which reads keys as well, where Azure does not honour the narrow one.')
param mailByBuiltInRole bool = false

@description('A Communication Service that is there (https://…), instead of mailDomain. Its rights and its event subscription are then made by hand.')
param mailEndpoint string = ''

@description('The address that mails of that service come from.')
param mailSender string = ''

@description('Other workspaces that vaults log into, each { subscription: id, group: name, name: name, id: GUID }. The one made here is known.')
param logWorkspaces array = []

@description('A topic of a watched subscription that is there already, { subscription id: { group: name, topic: name } }: Azure allows one for each.')
param existingTopics object = {}

@description('Whether restore tests run in an app of their own, so that the one which protects does not have the identity that deletes.')
param separateDrills bool = false

@description('Whether the app and its storage are reached through private endpoints, by Event Grid, and from allowedAddresses alone.')
param isPrivate bool = false

@description('IPv4 addresses, or ranges such as 192.0.2.0/24, from which people and pipelines reach a private app and its state.')
param allowedAddresses array = []

@description('The addresses of the network that is made for a private app, and of its two subnets.')
param networkSpaces object = {
  whole: '10.254.0.0/24'
  app: '10.254.0.0/26'
  endpoints: '10.254.0.64/26'
}

@description('A subnet that is there for a private app, in its region, delegated to Microsoft.App/environments. Empty makes a network.')
param appSubnetId string = ''

@description('A subnet beside it for private endpoints; whoever owns it lets the app resolve their names.')
param endpointSubnetId string = ''

@description('The registration of the app in Entra: then people sign in to ask for restore tests, and no key is asked for. Empty: by a function key.')
param signInClientId string = ''

@description('Who may ask, by object id; empty for everybody to whom Entra gives a token for the app.')
param signInPrincipals array = []

@description('Through which applications they may ask, by client id: az is the one that knows who is signed in at a command line.')
param signInApplications array = [
  '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
]

@description('The principal ids of vaults whose managed identity restores; rarely needed.')
param vaultPrincipalIds array = []

@description('Deny copies the platform\'s names, metadata and licences as well. Guests that need any of them may not boot as they do elsewhere.')
param denyPlatform bool = false

@description('Vaults to create, each { subscription: id, group: name, name: name, location: region }. Optional: vmbackup can create them itself.')
param newVaults array = []

@description('Vaults that are there, and are to log into the workspace, each { subscription: id, group: name, name: name }. One that does not log leaves nothing to read later.')
param loggedVaults array = []

@description('Whether new vaults refuse to keep less. Locked cannot be undone.')
@allowed([
  'Disabled'
  'Unlocked'
  'Locked'
])
param vaultImmutability string = 'Unlocked'

@description('How new vaults copy what they keep. Nobody can change it once something is protected.')
@allowed([
  'GeoRedundant'
  'ZoneRedundant'
  'LocallyRedundant'
])
param vaultRedundancy string = 'GeoRedundant'

@description('For how many days what was deleted from a new vault can be taken back.')
@minValue(14)
@maxValue(180)
param vaultSoftDeleteDays int = 14

// As Azure names its clouds, and as VMBACKUP_CLOUD does.
var clouds = {
  AzureCloud: 'public'
  AzureUSGovernment: 'usgov'
  AzureChinaCloud: 'china'
}
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var restores = length(drillPlaces) > 0
var sendsMails = mailDomain == 'AzureManaged' || (mailDomain != '' && mailDomainVerified)
var logWorkspaceGuids = [for one in logWorkspaces: toLower(one.id)]
// Vaults that these templates let log, do so into the workspace made here.
var vaultsLog = length(newVaults) + length(loggedVaults) > 0
// Ids are compared as texts: each once, however it was written.
var listed = [for id in watchedSubscriptions: toLower(id)]
var watchedIds = foundSubscriptions == '' ? listed : union(listed, split(toLower(foundSubscriptions), ','))
var drillSubscriptions = [for place in drillPlaces: toLower(place.subscription)]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-vmbackup-${environmentName}'
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  name: 'vmbackup-identities'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'vmbackup-monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    hostPrincipalId: identities.outputs.host.principalId
  }
}

module network 'modules/network.bicep' = {
  name: 'vmbackup-network'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    isPrivate: isPrivate
    appSubnetId: appSubnetId
    endpointSubnetId: endpointSubnetId
    spaces: networkSpaces
    allowedAddresses: allowedAddresses
  }
}

module state 'modules/state.bicep' = {
  name: 'vmbackup-state'
  scope: group
  params: {
    environmentName: environmentName
    token: token
    location: location
    tags: tags
    redundancy: stateRedundancy
    evidenceDays: evidenceDays
    consoleDays: evidenceDays + consoleExtraDays
    evidenceLocked: evidenceLocked
    readerPrincipalId: identities.outputs.reader.principalId
    keeperPrincipalIds: [
      identities.outputs.protector.principalId
      identities.outputs.keeper.principalId
    ]
    eventsPrincipalId: identities.outputs.events.principalId
    network: network.outputs.reach
  }
}

module mail 'modules/mail.bicep' = if (mailDomain != '') {
  name: 'vmbackup-mail'
  scope: group
  params: {
    environmentName: environmentName
    token: token
    tags: tags
    domainName: mailDomain
    verified: sendsMails
    user: mailUser
    geography: mailGeography
    senderPrincipalId: identities.outputs.protector.principalId
    byBuiltInRole: mailByBuiltInRole
  }
}

module readsOwnLog 'modules/log_right.bicep' = if (vaultsLog) {
  name: 'vmbackup-log-right'
  scope: group
  params: {
    environmentName: environmentName
    workspaceName: monitoring.outputs.workspaceName
    readerPrincipalId: identities.outputs.reader.principalId
  }
}

module readsLogs 'modules/log_right.bicep' = [for (one, i) in logWorkspaces: {
  name: 'vmbackup-log-right-${take(token, 5)}-${i}'
  scope: resourceGroup(one.subscription, one.group)
  params: {
    environmentName: environmentName
    workspaceName: one.name
    readerPrincipalId: identities.outputs.reader.principalId
  }
}]

module apps 'modules/apps.bicep' = {
  name: 'vmbackup-apps'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    host: identities.outputs.host
    reader: identities.outputs.reader
    protector: identities.outputs.protector
    restorer: identities.outputs.restorer
    keeper: identities.outputs.keeper
    restores: restores
    separateDrills: separateDrills
    insightsConnection: monitoring.outputs.insightsConnection
    network: network.outputs.reach
    people: {
      clientId: signInClientId
      applications: signInApplications
      principals: signInPrincipals
    }
    settings: {
      VMBACKUP_CONFIG: configuration
      VMBACKUP_CLOUD: clouds[environment().name]
      VMBACKUP_STORAGE_ACCOUNT: state.outputs.accountName
      VMBACKUP_SWEEP_SCHEDULE: sweepSchedule
      VMBACKUP_DRILL_SCHEDULE: drillSchedule
      VMBACKUP_JANITOR_SCHEDULE: janitorSchedule
      VMBACKUP_WATCH_SCHEDULE: watchSchedule
      VMBACKUP_DIGEST_SCHEDULE: digestSchedule
      VMBACKUP_HOUSEKEEPING_SCHEDULE: housekeepingSchedule
      VMBACKUP_KEEP_WORKFLOWS: keepWorkflows
      VMBACKUP_SIGN_IN: signInClientId == '' ? 'key' : 'entra'
      VMBACKUP_MAIL_ENDPOINT: sendsMails ? mail.outputs.endpoint : mailEndpoint
      VMBACKUP_MAIL_SENDER: sendsMails ? mail.outputs.sender : mailSender
      VMBACKUP_LOG_WORKSPACES: join(concat(vaultsLog ? [
        monitoring.outputs.workspaceGuid
      ] : [], logWorkspaceGuids), ',')
    }
  }
}

module watched 'modules/watched.bicep' = [for id in watchedIds: {
  name: 'vmbackup-rights-${take(token, 5)}'
  scope: subscription(id)
  params: {
    environmentName: environmentName
    readerPrincipalId: identities.outputs.reader.principalId
    protectorPrincipalId: identities.outputs.protector.principalId
    restorerPrincipalId: identities.outputs.restorer.principalId
    mayCreateVaults: mayCreateVaults
    restores: contains(drillSubscriptions, id)
  }
}]

module places 'modules/drill_place.bicep' = [for place in drillPlaces: {
  name: 'vmbackup-place-${take(token, 5)}-${place.location}'
  scope: subscription(place.subscription)
  params: {
    environmentName: environmentName
    location: place.location
    slots: place.slots
    restorerPrincipalId: identities.outputs.restorer.principalId
    vaultPrincipalIds: vaultPrincipalIds
    denyPlatform: denyPlatform
    monthlyBudget: monthlyDrillBudget
    budgetFrom: budgetFrom
    actionGroupId: alarms.outputs.actionGroupId
    tags: tags
  }
  dependsOn: [
    watched
  ]
}]

module vaults 'modules/vault_group.bicep' = [for (vault, i) in newVaults: {
  name: 'vmbackup-vault-${take(token, 5)}-${i}'
  scope: subscription(vault.subscription)
  params: {
    group: vault.group
    name: vault.name
    location: vault.location
    immutability: vaultImmutability
    redundancy: vaultRedundancy
    softDeleteDays: vaultSoftDeleteDays
    workspaceId: monitoring.outputs.workspaceId
  }
}]

module logs 'modules/vault_log.bicep' = [for (vault, i) in loggedVaults: {
  name: 'vmbackup-log-${take(token, 5)}-${i}'
  scope: resourceGroup(vault.subscription, vault.group)
  params: {
    name: vault.name
    workspaceId: monitoring.outputs.workspaceId
  }
}]

module alarms 'modules/alarms.bicep' = {
  name: 'vmbackup-alarms'
  scope: group
  params: {
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    emails: alarmEmails
    region: alarmRegion == '' ? location : alarmRegion
    restores: restores
    tells: sendsMails || mailEndpoint != ''
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  name: 'vmbackup-budget'
  params: {
    name: 'vmbackup-${environmentName}'
    amount: monthlyBudget
    groups: [
      group.name
    ]
    actionGroupId: alarms.outputs.actionGroupId
    from: budgetFrom
  }
}

// What azd and the second step need to know.
output AZURE_FUNCTION_NAME string = apps.outputs.name
output AZURE_RESOURCE_GROUP string = group.name
output EVENTS_FUNCTION_ID string = '${apps.outputs.id}/functions/vm_events'
output EVENTS_REPORTS_FUNCTION_ID string = '${apps.outputs.id}/functions/delivery_reports'
output EVENTS_MAIL_SERVICE_ID string = mailDomain == '' ? '' : mail.outputs.serviceId
output EVENTS_IDENTITY_ID string = identities.outputs.events.id
output EVENTS_STATE_ACCOUNT_ID string = state.outputs.accountId
output EVENTS_ACTION_GROUP_ID string = alarms.outputs.actionGroupId
output EVENTS_SUBSCRIPTIONS string = join(watchedIds, ',')
output EVENTS_EXISTING_TOPICS string = string(existingTopics)
output AZURE_DRILL_FUNCTION_NAME string = apps.outputs.drillName
output VMBACKUP_APP_URL string = apps.outputs.drillUrl
output VMBACKUP_APP_AUDIENCE string = signInClientId == '' ? '' : 'api://${signInClientId}'
output VMBACKUP_STORAGE_ACCOUNT string = state.outputs.accountName
output MAIL_RECORDS object = mailDomain == '' ? {} : mail.outputs.records
