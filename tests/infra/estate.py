"""An estate that is deployed on paper: two watched subscriptions, restore tests in one of them."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import function_app
from tests.infra.bicep import HOME, Resource, Template, deploy

INFRA = Path(__file__).parents[2] / "infra"
OTHER = "22222222-2222-4222-8222-222222222222"
HUB = "55555555-5555-4555-8555-555555555555"
WEST = "westeurope"
GIVEN: Mapping[str, Any] = {
    "environmentName": "test",
    "location": WEST,
    "watchedSubscriptions": [HOME, OTHER],
    "drillPlaces": [{"subscription": OTHER, "location": WEST, "slots": 2}],
    "mayCreateVaults": True,
    "monthlyBudget": 50,
    "monthlyDrillBudget": 200,
    "alarmEmails": ["somebody@example.org"],
    "newVaults": [
        {"subscription": OTHER, "group": "rg-backup", "name": "rsv-new", "location": WEST}
    ],
    "loggedVaults": [{"subscription": OTHER, "group": "rg-old", "name": f"rsv-{'o' * 46}"}],
    "mailDomain": "AzureManaged",
    "logWorkspaces": [
        {"subscription": OTHER, "group": "rg-hub", "name": "log-hub", "id": HUB.upper()}
    ],
}
EVENTS: Mapping[str, Any] = {
    "subscriptions": f"{HOME},{OTHER}",
    "functionId": "/subscriptions/s/sites/app/functions/vm_events",
    "identityId": "/identities/events",
    "reportsFunctionId": "/subscriptions/s/sites/app/functions/delivery_reports",
    "mailServiceId": "/services/mail",
    "appGroup": "rg-vmbackup-test",
    "existingTopics": {},
    "stateAccountId": "/accounts/state",
    "actionGroupId": "/groups/people",
    "location": WEST,
}
# Asked for once: a second time the library takes each function for a double of itself.
FUNCTIONS = {one.get_function_name(): one for one in function_app.app.get_functions()}


@cache
def estate(*, separate: bool = False) -> list[Resource]:
    return deploy(INFRA / "main.bicep", **GIVEN, separateDrills=separate)


@cache
def events() -> list[Resource]:
    return deploy(INFRA / "events.bicep", **EVENTS)


def of_kind(resources: Iterable[Resource], kind: str) -> list[Resource]:
    return [one for one in resources if one.kind == kind]


def nested(template: str, given: Mapping[str, Any]) -> list[Template]:
    """Return the deployments that a template asks for, one in the other."""
    return list(Template(INFRA / template, f"/subscriptions/{HOME}", given).modules())
