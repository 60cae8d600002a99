// A network that leads nowhere: one subnet for each slot, and for each subnet a group of rules that
// denies everything above Azure's default rules, which would let copies meet and reach the Internet.
param location string
param slots int
param denyPlatform bool
param tags object

// Nothing is connected with it, so it may overlap with anything.
var space = '10.255.0.0/16'

// The VM agent's reports to the host. Security groups are documented not to reach these ports; this
// says so even where they did.
var agentReports = {
  name: 'agent'
  properties: {
    description: 'The VM agent reports to the platform; nothing else leaves.'
    priority: 100
    direction: 'Outbound'
    access: 'Allow'
    protocol: 'Tcp'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: '168.63.129.16'
    destinationPortRanges: [
      '80'
      '32526'
    ]
  }
}

var everythingIn = {
  name: 'deny-inbound'
  properties: {
    priority: 4096
    direction: 'Inbound'
    access: 'Deny'
    protocol: '*'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}

var everythingOut = {
  name: 'deny-outbound'
  properties: {
    priority: 4096
    direction: 'Outbound'
    access: 'Deny'
    protocol: '*'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}

// A denial of everything does not reach these; by name it does.
var platform = [
  'AzurePlatformDNS'
  'AzurePlatformIMDS'
  'AzurePlatformLKM'
]
var platformRules = [for (service, i) in platform: {
  name: 'deny-${service}'
  properties: {
    priority: 4000 + i
    direction: 'Outbound'
    access: 'Deny'
    protocol: '*'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: service
    destinationPortRange: '*'
  }
}]

resource guards 'Microsoft.Network/networkSecurityGroups@2025-09-01' = [for n in range(1, slots): {
  name: 'slot-${n}'
  location: location
  tags: tags
  properties: {
    securityRules: concat([
      agentReports
      everythingIn
      everythingOut
    ], denyPlatform ? platformRules : [])
  }
}]

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: 'vmbackup-drill'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        space
      ]
    }
    subnets: [for n in range(1, slots): {
      name: 'slot-${n}'
      properties: {
        addressPrefix: '10.255.${n}.0/28'
        defaultOutboundAccess: false
        networkSecurityGroup: {
          id: guards[n - 1].id
        }
      }
    }]
  }
}
