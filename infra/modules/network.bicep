// Who reaches the app and its storage. Open: everybody who signs in. Private: the app's own network
// through private endpoints, Event Grid, and the addresses that are named.
param token string
param location string
param tags object
param isPrivate bool
@description('A subnet that is there for the app, delegated to Microsoft.App/environments; empty makes a network.')
param appSubnetId string
@description('A subnet that is there for private endpoints, whose names its owner resolves.')
param endpointSubnetId string
@description('The addresses of the network that is made: { whole, app, endpoints }.')
param spaces object
param allowedAddresses array

var makes = isPrivate && appSubnetId == ''
var subnets = {
  app: 'app'
  endpoints: 'endpoints'
}

// What leaves the app goes to Azure's public addresses from this one.
resource address 'Microsoft.Network/publicIPAddresses@2025-09-01' = if (makes) {
  name: 'pip-vmbackup-${token}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource way 'Microsoft.Network/natGateways@2025-09-01' = if (makes) {
  name: 'nat-vmbackup-${token}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: address.id
      }
    ]
  }
}

// Azure's default rules: nothing comes in from outside.
resource guard 'Microsoft.Network/networkSecurityGroups@2025-09-01' = if (makes) {
  name: 'nsg-vmbackup-${token}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = if (makes) {
  name: 'vnet-vmbackup-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        spaces.whole
      ]
    }
    subnets: [
      {
        name: subnets.app
        properties: {
          addressPrefix: spaces.app
          defaultOutboundAccess: false
          natGateway: {
            id: way.id
          }
          networkSecurityGroup: {
            id: guard.id
          }
          delegations: [
            {
              name: 'app'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: subnets.endpoints
        properties: {
          addressPrefix: spaces.endpoints
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: guard.id
          }
        }
      }
    ]
  }
}

module names 'zones.bicep' = if (makes) {
  name: 'vmbackup-zones'
  params: {
    networkId: network.id
    tags: tags
  }
}

@description('What app and storage need to know of it.')
output reach object = {
  isPrivate: isPrivate
  appSubnetId: makes ? '${network.id}/subnets/${subnets.app}' : appSubnetId
  endpointSubnetId: makes ? '${network.id}/subnets/${subnets.endpoints}' : endpointSubnetId
  zones: makes ? names.outputs.ids : {}
  allowedAddresses: allowedAddresses
}
