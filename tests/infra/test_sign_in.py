"""Entra in front of the app's HTTP functions, where that is asked for."""

from typing import Any

import pytest

from tests.infra.bicep import TENANT, Resource, deploy
from tests.infra.estate import GIVEN, INFRA, estate, of_kind
from vmbackup_core.settings import asks_for_keys

ID = "77777777-7777-4777-8777-777777777777"
SOMEBODY = "88888888-8888-4888-8888-888888888888"
CONFIG = "Microsoft.Web/sites/config"


def signed(**given: Any) -> list[Resource]:
    return deploy(INFRA / "main.bicep", **GIVEN, signInClientId=ID, **given)


def named(resources: list[Resource], name: str) -> list[Any]:
    return [one.body["properties"] for one in of_kind(resources, CONFIG) if one.name == name]


def test_who_has_no_token_does_not_reach_the_app() -> None:
    [auth] = named(signed(), "authsettingsV2")

    assert auth["platform"]["enabled"] is True
    assert auth["globalValidation"]["requireAuthentication"] is True
    assert auth["globalValidation"]["unauthenticatedClientAction"] == "Return401"


def test_tokens_are_of_our_tenant_and_for_the_app_alone() -> None:
    [auth] = named(signed(), "authsettingsV2")
    entra = auth["identityProviders"]["azureActiveDirectory"]

    assert entra["registration"]["openIdIssuer"] == (
        f"https://login.microsoftonline.com/{TENANT}/v2.0"
    )
    assert entra["validation"]["allowedAudiences"] == [ID, f"api://{ID}"]


def test_event_grid_and_nobody_else_comes_in_without_a_token() -> None:
    [auth] = named(signed(), "authsettingsV2")

    assert auth["globalValidation"]["excludedPaths"] == ["/runtime/webhooks/eventgrid"]


@pytest.mark.parametrize(
    ("principals", "policy"), [([], None), ([SOMEBODY], {"identities": [SOMEBODY]})]
)
def test_people_can_be_named(principals: list[str], policy: Any) -> None:
    [auth] = named(signed(signInPrincipals=principals), "authsettingsV2")
    validation = auth["identityProviders"]["azureActiveDirectory"]["validation"]

    assert validation["defaultAuthorizationPolicy"]["allowedPrincipals"] == policy
    assert len(validation["defaultAuthorizationPolicy"]["allowedApplications"]) == 1


def test_both_apps_are_behind_it() -> None:
    assert len(named(signed(separateDrills=True), "authsettingsV2")) == 2


def test_keys_are_off_where_the_platform_signs_people_in() -> None:
    [settings] = named(signed(), "appsettings")

    assert not asks_for_keys({**settings, "WEBSITE_AUTH_ENABLED": "True"})


def test_without_it_keys_are_asked_for() -> None:
    [settings] = named(estate(), "appsettings")

    assert named(estate(), "authsettingsV2") == []
    assert asks_for_keys({**settings, "WEBSITE_AUTH_ENABLED": "True"})
