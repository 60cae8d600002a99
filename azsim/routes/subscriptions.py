"""Tenants, subscriptions, locations and the registration of providers."""

from azsim.groups import Subscription
from azsim.http import ArmError, Json, Response
from azsim.router import Call, Handler, Route
from azsim.routes.paging import page

_PAGE = 1000
_LOCATIONS = {
    "westeurope": ("West Europe", "Europe", "4.9", "52.3667", "northeurope"),
    "northeurope": ("North Europe", "Europe", "-6.2597", "53.3478", "westeurope"),
    "germanywestcentral": (
        "Germany West Central",
        "Germany",
        "8.682127",
        "50.110924",
        "germanynorth",
    ),
    "swedencentral": ("Sweden Central", "Sweden", "17.14127", "60.67488", "swedensouth"),
    "uksouth": ("UK South", "UK", "-0.799", "50.941", "ukwest"),
    "eastus": ("East US", "US", "-79.8164", "37.3719", "westus"),
    "eastus2": ("East US 2", "US", "-78.3889", "36.6681", "centralus"),
    "westus": ("West US", "US", "-122.417", "37.783", "eastus"),
    "westus2": ("West US 2", "US", "-119.852", "47.233", "westcentralus"),
    "southeastasia": ("Southeast Asia", "Asia Pacific", "103.833", "1.283", "eastasia"),
}
# Types, each with api-versions of it that exist: of the real ones some, any is answered here.
# models providers-registered, provider-api-versions, provider-api-versions-shown
_PROVIDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Microsoft.Compute": {
        "virtualMachines": ("2024-07-01", "2024-03-01"),
        "disks": ("2024-03-02", "2023-10-02"),
    },
    "Microsoft.Network": {
        "virtualNetworks": ("2024-05-01", "2024-03-01"),
        "networkInterfaces": ("2024-05-01", "2024-03-01"),
    },
    "Microsoft.RecoveryServices": {"vaults": ("2024-04-01", "2023-04-01")},
    "Microsoft.Resources": {"resourceGroups": ("2024-11-01",), "tags": ("2024-11-01",)},
    "Microsoft.ResourceGraph": {"resources": ("2024-04-01", "2021-03-01")},
    "Microsoft.Storage": {"storageAccounts": ("2023-01-01", "2016-01-01")},
}


def _tenants(call: Call) -> Response:
    tenant = call.world.tenant
    shown = {
        "id": f"/tenants/{tenant}",
        "tenantId": tenant,
        "countryCode": "DE",
        "displayName": "azsim",
        "domains": ["azsim.onmicrosoft.com"],
        "tenantCategory": "Home",
        "defaultDomain": "azsim.onmicrosoft.com",
        "tenantType": "AAD",
    }
    return Response(200, {"value": [shown]})


def _subscriptions(call: Call) -> Response:
    rows = list(call.world.groups.subscriptions.values())
    return page(call, rows, _PAGE, lambda sub: _subscription(call, sub))


def _one_subscription(call: Call) -> Response:
    found = call.world.groups.subscriptions[call["subscription"].lower()]
    return Response(200, _subscription(call, found))


def _subscription(call: Call, sub: Subscription) -> Json:
    return {
        "id": f"/subscriptions/{sub.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": sub.id,
        "tenantId": call.world.tenant,
        "displayName": sub.name,
        "state": sub.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _locations(call: Call) -> Response:
    def shown(name: str) -> Json:
        display, geography, longitude, latitude, pair = _LOCATIONS[name]
        return {
            "id": f"/subscriptions/{call['subscription']}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": f"({geography}) {display}",
            "metadata": {
                "regionType": "Physical",
                "regionCategory": "Recommended",
                "geography": geography,
                "geographyGroup": geography,
                "longitude": longitude,
                "latitude": latitude,
                "physicalLocation": "",
                "pairedRegion": [
                    {"name": pair, "id": f"/subscriptions/{call['subscription']}/locations/{pair}"}
                ],
            },
        }

    return Response(200, {"value": [shown(name) for name in _LOCATIONS]})


def _provider(call: Call) -> Response:
    """Say that a provider is registered; those that azsim lacks are not simulated."""
    asked = call["namespace"].lower()
    known = next((name for name in _PROVIDERS if name.lower() == asked), None)
    if known is None:
        raise ArmError(501, "ProviderNotSimulated", f"azsim has no provider {call['namespace']}")
    regions = [display for display, *_ in _LOCATIONS.values()]
    body = {
        "id": f"/subscriptions/{call['subscription']}/providers/{known}",
        "namespace": known,
        "resourceTypes": [
            {
                "resourceType": kind,
                "locations": regions,
                "apiVersions": list(versions),
                "capabilities": "None",
            }
            for kind, versions in _PROVIDERS[known].items()
        ],
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
    }
    return Response(200, body)


def _route(name: str, method: str, path: str, handler: Handler, action: str) -> Route:
    return Route(name, method, path, handler, action=f"Microsoft.Resources/{action}")


_SUB = "/subscriptions/{subscription}"
_PROVIDER = _SUB + "/providers/{namespace}"

ROUTES: tuple[Route, ...] = (
    _route("tenants.list", "GET", "/tenants", _tenants, "tenants/read"),
    _route("subscriptions.list", "GET", "/subscriptions", _subscriptions, "subscriptions/read"),
    _route("subscriptions.get", "GET", _SUB, _one_subscription, "subscriptions/read"),
    _route(
        "locations.list", "GET", f"{_SUB}/locations", _locations, "subscriptions/locations/read"
    ),
    _route("providers.get", "GET", _PROVIDER, _provider, "providers/read"),
    _route("providers.register", "POST", f"{_PROVIDER}/register", _provider, "register/action"),
)
