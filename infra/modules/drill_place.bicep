// Where restore tests run in one subscription and region: a group with what slots share, and the
// slots, which are groups that stay empty between two tests. The names are fixed: vmbackup's last
// gate lets nothing be removed anywhere else.
targetScope = 'subscription'

param environmentName string
param location string
@description('How many restore tests may run here at once.')
@minValue(1)
@maxValue(99)
param slots int
param restorerPrincipalId string
param vaultPrincipalIds array
param denyPlatform bool
@description('What restore tests here may cost in a month before people are told; 0 for no budget.')
param monthlyBudget int = 0
param budgetFrom string = ''
param actionGroupId string = ''
param tags object

var slotNames = [for n in range(1, slots): 'vmbackup-drill-${location}-${n}']

resource shared 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'vmbackup-drill-${location}'
  location: location
  tags: tags
}

resource slotGroups 'Microsoft.Resources/resourceGroups@2025-04-01' = [for n in range(1, slots): {
  name: 'vmbackup-drill-${location}-${n}'
  location: location
  tags: tags
}]

module network 'drill_network.bicep' = {
  name: 'vmbackup-drill-network'
  scope: shared
  params: {
    location: location
    slots: slots
    denyPlatform: denyPlatform
    tags: tags
  }
}

module staging 'drill_staging.bicep' = {
  name: 'vmbackup-drill-staging'
  scope: shared
  params: {
    location: location
    restorerPrincipalId: restorerPrincipalId
    stagingRoleId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, 'vmbackup', environmentName, 'staging'))
    vaultPrincipalIds: vaultPrincipalIds
    tags: tags
  }
}

module usesNetwork 'group_right.bicep' = {
  name: 'vmbackup-drill-place-right'
  scope: shared
  params: {
    principalId: restorerPrincipalId
    roleId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, 'vmbackup', environmentName, 'place'))
  }
}

module usesSlot 'group_right.bicep' = [for n in range(1, slots): {
  name: 'vmbackup-drill-slot-right'
  scope: resourceGroup('vmbackup-drill-${location}-${n}')
  params: {
    principalId: restorerPrincipalId
    roleId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, 'vmbackup', environmentName, 'slot'))
  }
  dependsOn: [
    slotGroups
  ]
}]

module budget 'budget.bicep' = if (monthlyBudget > 0) {
  name: 'vmbackup-drill-budget-${location}'
  params: {
    name: 'vmbackup-${environmentName}-drills-${location}'
    amount: monthlyBudget
    groups: concat([
      shared.name
    ], slotNames)
    actionGroupId: actionGroupId
    from: budgetFrom
  }
}
