// Who vmbackup is: a reader, a protector and a restorer for Azure; and three that have rights on its
// own storage alone. None of them can assign a role.
param environmentName string
param location string
param tags object

resource reader 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-vmbackup-reader-${environmentName}'
  location: location
  tags: tags
}

resource protector 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-vmbackup-protector-${environmentName}'
  location: location
  tags: tags
}

resource restorer 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-vmbackup-restorer-${environmentName}'
  location: location
  tags: tags
}

// Runs the Functions host: its storage, the package, telemetry. It can do nothing to a VM.
resource host 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-vmbackup-host-${environmentName}'
  location: location
  tags: tags
}

// Keeps the state of an app that only runs restore tests, in the protector's place.
resource keeper 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-vmbackup-keeper-${environmentName}'
  location: location
  tags: tags
}

// Lays down for Event Grid what it could not deliver.
resource events 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-vmbackup-events-${environmentName}'
  location: location
  tags: tags
}

output readerId string = reader.id
output readerClientId string = reader.properties.clientId
output readerPrincipalId string = reader.properties.principalId
output protectorId string = protector.id
output protectorClientId string = protector.properties.clientId
output protectorPrincipalId string = protector.properties.principalId
output restorerId string = restorer.id
output restorerClientId string = restorer.properties.clientId
output restorerPrincipalId string = restorer.properties.principalId
output hostId string = host.id
output hostClientId string = host.properties.clientId
output hostPrincipalId string = host.properties.principalId
output keeperId string = keeper.id
output keeperClientId string = keeper.properties.clientId
output keeperPrincipalId string = keeper.properties.principalId
output eventsId string = events.id
output eventsPrincipalId string = events.properties.principalId
