// A new vault in a group of its own choice, as safe as a vault can be made without asking twice.
targetScope = 'subscription'

param group string
param name string
param location string
param immutability string
param redundancy string
param softDeleteDays int
param workspaceId string

resource here 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: group
  location: location
}

module vault 'vault.bicep' = {
  name: 'vmbackup-vault-${uniqueString(name)}'
  scope: here
  params: {
    name: name
    location: location
    immutability: immutability
    redundancy: redundancy
    softDeleteDays: softDeleteDays
    workspaceId: workspaceId
  }
}
