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
param watchedSubscriptions array

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

@description('The Communication Service that sends mails (https://…), and the address that they come from. Empty: nobody is told by mail.')
param mailEndpoint string = ''

@description('The address that mails come from: one of the Communication Service.')
param mailSender string = ''

@description('The GUIDs of the Log Analytics workspaces that vaults write into, with commas between.')
param logWorkspaces string = ''

@description('Whether restore tests run in an app of their own, so that the one which protects does not have the identity that deletes.')
param separateDrills bool = false

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
// Whether the app that protects runs restore tests as well.
var together = restores && separateDrills == false
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
    hostPrincipalId: identities.outputs.hostPrincipalId
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
    readerPrincipalId: identities.outputs.readerPrincipalId
    keeperPrincipalIds: [
      identities.outputs.protectorPrincipalId
      identities.outputs.keeperPrincipalId
    ]
    eventsPrincipalId: identities.outputs.eventsPrincipalId
  }
}

var common = {
  VMBACKUP_CONFIG: configuration
  VMBACKUP_CLOUD: clouds[environment().name]
  VMBACKUP_SWEEP_SCHEDULE: sweepSchedule
  VMBACKUP_DRILL_SCHEDULE: drillSchedule
  VMBACKUP_JANITOR_SCHEDULE: janitorSchedule
  VMBACKUP_WATCH_SCHEDULE: watchSchedule
  VMBACKUP_DIGEST_SCHEDULE: digestSchedule
  VMBACKUP_HOUSEKEEPING_SCHEDULE: housekeepingSchedule
  VMBACKUP_KEEP_WORKFLOWS: keepWorkflows
  VMBACKUP_MAIL_ENDPOINT: mailEndpoint
  VMBACKUP_MAIL_SENDER: mailSender
  VMBACKUP_LOG_WORKSPACES: logWorkspaces
}

// Protects; and runs restore tests, where they have no app of their own.
module app 'modules/app.bicep' = {
  name: 'vmbackup-app'
  scope: group
  params: {
    name: 'func-vmbackup-${token}'
    service: 'app'
    storageName: 'stvmbackuph${token}'
    location: location
    tags: tags
    hostIdentityId: identities.outputs.hostId
    hostClientId: identities.outputs.hostClientId
    hostPrincipalId: identities.outputs.hostPrincipalId
    identities: union({
      '${identities.outputs.readerId}': {}
      '${identities.outputs.protectorId}': {}
    }, together ? {
      '${identities.outputs.restorerId}': {}
    } : {})
    insightsConnection: monitoring.outputs.insightsConnection
    settings: union(common, {
      VMBACKUP_STORAGE_ACCOUNT: state.outputs.accountName
      VMBACKUP_READER_CLIENT_ID: identities.outputs.readerClientId
      VMBACKUP_PROTECTOR_CLIENT_ID: identities.outputs.protectorClientId
      VMBACKUP_RESTORER_CLIENT_ID: together ? identities.outputs.restorerClientId : ''
    }, separateDrills ? {
      'AzureWebJobs.drill_night.Disabled': 'true'
      'AzureWebJobs.drill_run.Disabled': 'true'
      'AzureWebJobs.drill_status.Disabled': 'true'
      'AzureWebJobs.janitor.Disabled': 'true'
    } : {})
  }
}

// Runs restore tests alone. It keeps its state as somebody who may protect nothing.
module drillApp 'modules/app.bicep' = if (separateDrills) {
  name: 'vmbackup-drill-app'
  scope: group
  params: {
    name: 'func-vmbackup-drills-${token}'
    service: 'drills'
    storageName: 'stvmbackupr${token}'
    location: location
    tags: tags
    hostIdentityId: identities.outputs.hostId
    hostClientId: identities.outputs.hostClientId
    hostPrincipalId: identities.outputs.hostPrincipalId
    identities: {
      '${identities.outputs.readerId}': {}
      '${identities.outputs.keeperId}': {}
      '${identities.outputs.restorerId}': {}
    }
    insightsConnection: monitoring.outputs.insightsConnection
    settings: union(common, {
      VMBACKUP_STORAGE_ACCOUNT: state.outputs.accountName
      VMBACKUP_READER_CLIENT_ID: identities.outputs.readerClientId
      VMBACKUP_PROTECTOR_CLIENT_ID: identities.outputs.keeperClientId
      VMBACKUP_RESTORER_CLIENT_ID: identities.outputs.restorerClientId
      'AzureWebJobs.delivery_reports.Disabled': 'true'
      'AzureWebJobs.digest.Disabled': 'true'
      'AzureWebJobs.sweep.Disabled': 'true'
      'AzureWebJobs.vm_events.Disabled': 'true'
      'AzureWebJobs.watch.Disabled': 'true'
    })
  }
}

module watched 'modules/watched.bicep' = [for id in watchedSubscriptions: {
  name: 'vmbackup-rights-${take(token, 5)}'
  scope: subscription(id)
  params: {
    environmentName: environmentName
    readerPrincipalId: identities.outputs.readerPrincipalId
    protectorPrincipalId: identities.outputs.protectorPrincipalId
    restorerPrincipalId: identities.outputs.restorerPrincipalId
    mayCreateVaults: mayCreateVaults
    restores: contains(drillSubscriptions, toLower(id))
  }
}]

module places 'modules/drill_place.bicep' = [for place in drillPlaces: {
  name: 'vmbackup-place-${take(token, 5)}-${place.location}'
  scope: subscription(place.subscription)
  params: {
    environmentName: environmentName
    location: place.location
    slots: place.slots
    restorerPrincipalId: identities.outputs.restorerPrincipalId
    vaultPrincipalIds: vaultPrincipalIds
    denyPlatform: denyPlatform
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
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    emails: alarmEmails
    restores: restores
  }
}

// What azd and the second step need to know.
output AZURE_FUNCTION_NAME string = app.outputs.name
output AZURE_RESOURCE_GROUP string = group.name
output EVENTS_FUNCTION_ID string = '${app.outputs.id}/functions/vm_events'
output EVENTS_IDENTITY_ID string = identities.outputs.eventsId
output EVENTS_STATE_ACCOUNT_ID string = state.outputs.accountId
output EVENTS_ACTION_GROUP_ID string = alarms.outputs.actionGroupId
output EVENTS_SUBSCRIPTIONS string = join(watchedSubscriptions, ',')
output AZURE_DRILL_FUNCTION_NAME string = separateDrills ? drillApp.outputs.name : app.outputs.name
output VMBACKUP_APP_URL string = separateDrills ? drillApp.outputs.url : app.outputs.url
output VMBACKUP_STORAGE_ACCOUNT string = state.outputs.accountName
