// The app that protects, and where restore tests have an app of their own, that one: both from the
// same package. Which functions an app runs, and as whom, is all that they differ in.
param token string
param location string
param tags object
@description('The identities, each { id, clientId, principalId }.')
param host object
param reader object
param protector object
param restorer object
param keeper object
@description('Whether restore tests run anywhere.')
param restores bool
param separateDrills bool
param insightsConnection string
@description('Who reaches the apps and their storage (network.bicep).')
param network object
@description('Who signs people in (app.bicep).')
param people object
@description('The variables VMBACKUP_… that both apps have.')
param settings object

// Whether the app that protects runs restore tests as well.
var together = restores && separateDrills == false

// Protects; and runs restore tests, where they have no app of their own.
module app 'app.bicep' = {
  name: 'vmbackup-app'
  params: {
    name: 'func-vmbackup-${token}'
    service: 'app'
    storageName: 'stvmbackuph${token}'
    location: location
    tags: tags
    host: host
    identities: union({
      '${reader.id}': {}
      '${protector.id}': {}
    }, together ? {
      '${restorer.id}': {}
    } : {})
    insightsConnection: insightsConnection
    network: network
    people: people
    settings: union(settings, {
      VMBACKUP_READER_CLIENT_ID: reader.clientId
      VMBACKUP_PROTECTOR_CLIENT_ID: protector.clientId
      VMBACKUP_RESTORER_CLIENT_ID: together ? restorer.clientId : ''
    }, separateDrills ? {
      'AzureWebJobs.drill_night.Disabled': 'true'
      'AzureWebJobs.drill_run.Disabled': 'true'
      'AzureWebJobs.drill_status.Disabled': 'true'
      'AzureWebJobs.janitor.Disabled': 'true'
    } : {})
  }
}

// Runs restore tests alone. It keeps its state as somebody who may protect nothing.
module drillApp 'app.bicep' = if (separateDrills) {
  name: 'vmbackup-drill-app'
  params: {
    name: 'func-vmbackup-drills-${token}'
    service: 'drills'
    storageName: 'stvmbackupr${token}'
    location: location
    tags: tags
    host: host
    identities: {
      '${reader.id}': {}
      '${keeper.id}': {}
      '${restorer.id}': {}
    }
    insightsConnection: insightsConnection
    network: network
    people: people
    settings: union(settings, {
      VMBACKUP_READER_CLIENT_ID: reader.clientId
      VMBACKUP_PROTECTOR_CLIENT_ID: keeper.clientId
      VMBACKUP_RESTORER_CLIENT_ID: restorer.clientId
      'AzureWebJobs.delivery_reports.Disabled': 'true'
      'AzureWebJobs.digest.Disabled': 'true'
      'AzureWebJobs.sweep.Disabled': 'true'
      'AzureWebJobs.vm_events.Disabled': 'true'
      'AzureWebJobs.watch.Disabled': 'true'
    })
  }
}

output id string = app.outputs.id
output name string = app.outputs.name
output drillName string = separateDrills ? drillApp.outputs.name : app.outputs.name
output drillUrl string = separateDrills ? drillApp.outputs.url : app.outputs.url
