// Entra in front of an app's HTTP functions: who has no token for it, does not reach it. Event Grid
// comes by its own way, with a key that Azure made for it.
param siteName string
@description('The registration of the app in Entra.')
param clientId string
@description('Through which applications people may ask, by client id.')
param applications array
@description('Who may ask, by object id; empty for everybody to whom Entra gives a token.')
param principals array

resource site 'Microsoft.Web/sites@2025-03-01' existing = {
  name: siteName
}

resource auth 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/runtime/webhooks/eventgrid'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            clientId
            'api://${clientId}'
          ]
          defaultAuthorizationPolicy: {
            allowedApplications: applications
            allowedPrincipals: length(principals) > 0 ? {
              identities: principals
            } : null
          }
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}
