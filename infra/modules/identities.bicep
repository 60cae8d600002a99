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

// Each as { id, clientId, principalId }.
output reader object = {
  id: reader.id
  clientId: reader.properties.clientId
  principalId: reader.properties.principalId
}
output protector object = {
  id: protector.id
  clientId: protector.properties.clientId
  principalId: protector.properties.principalId
}
output restorer object = {
  id: restorer.id
  clientId: restorer.properties.clientId
  principalId: restorer.properties.principalId
}
output host object = {
  id: host.id
  clientId: host.properties.clientId
  principalId: host.properties.principalId
}
output keeper object = {
  id: keeper.id
  clientId: keeper.properties.clientId
  principalId: keeper.properties.principalId
}
output events object = {
  id: events.id
  clientId: events.properties.clientId
  principalId: events.properties.principalId
}
