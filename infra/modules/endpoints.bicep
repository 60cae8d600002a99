// Private endpoints of one resource, one for each of its services.
param name string
param targetId string
@description('Of blob, queue, table and sites.')
param services array
param subnetId string
@description('The zones of private names, by service; empty where the owner of the network resolves them.')
param zones object
param location string
param tags object

var named = length(zones) > 0 ? services : []

resource endpoints 'Microsoft.Network/privateEndpoints@2025-09-01' = [for service in services: {
  name: 'pe-${name}-${service}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: service
        properties: {
          privateLinkServiceId: targetId
          groupIds: [
            service
          ]
        }
      }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = [for (service, i) in named: {
  parent: endpoints[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: service
        properties: {
          privateDnsZoneId: zones[service]
        }
      }
    ]
  }
}]
