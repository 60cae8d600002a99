"""The deployed app has every setting that the code reads, and every function what it waits for."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.bicep import HOME, NotUnderstood, Resource, deploy
from tests.infra.estate import FUNCTIONS, GIVEN, INFRA, OTHER, estate, events, of_kind
from vmbackup_core.domain import events as event_forms
from vmbackup_core.domain.events import Unrelated, parse_event
from vmbackup_core.settings import read_deployment
from vmbackup_core.settings.deployment import VARIABLES

# Variables that no deployment sets, and why.
NOT_DEPLOYED = {
    "VMBACKUP_STATE_DIR": "state lies in storage",
    "VMBACKUP_TABLE_URL": "follows from the account",
    "VMBACKUP_BLOB_URL": "follows from the account",
    "VMBACKUP_ARM_ENDPOINT": "follows from the cloud",
    "VMBACKUP_APP_URL": "for the command line, which asks the app",
    "VMBACKUP_APP_AUDIENCE": "for the command line, which signs in",
    "VMBACKUP_APP_KEY": "for the command line, and a secret",
}
HOST_SETTINGS = {
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
MADE_UP = {
    "clientId": "44444444-4444-4444-8444-444444444444",
    "customerId": "66666666-6666-4666-8666-666666666666",
    "fromSenderDomain": "mail.example.org",
    "hostName": "mails.example.org",
}
STARTED_BY_OTHERS = {"orchestrationTrigger", "activityTrigger"}


def settings(*, separate: bool = False, app: int = 0) -> Mapping[str, Any]:
    found = [
        one.body["properties"]
        for one in of_kind(estate(separate=separate), "Microsoft.Web/sites/config")
        if one.name == "appsettings"
    ]
    return dict(found[app])


def site(*, separate: bool = False, app: int = 0) -> Resource:
    return of_kind(estate(separate=separate), "Microsoft.Web/sites")[app]


def read(given: Mapping[str, Any]) -> Any:
    """Read the settings as the app does, with what only Azure could tell made up."""
    ours = {name: str(value) for name, value in given.items() if name.startswith("VMBACKUP_")}
    return read_deployment(
        {name: re.sub(r"<[^<>]+\.(\w+)>", _made_up, value) for name, value in ours.items()}
    )


def _made_up(found: re.Match[str]) -> str:
    return MADE_UP[found[1]]


def test_every_variable_of_the_app_is_set_or_it_is_said_why_not() -> None:
    ours = {name for name in settings() if name.startswith("VMBACKUP_")}

    assert ours | set(NOT_DEPLOYED) == set(VARIABLES)
    assert ours & set(NOT_DEPLOYED) == set()


def test_nothing_else_is_set_but_what_the_host_needs() -> None:
    assert {name for name in settings() if not name.startswith("VMBACKUP_")} == HOST_SETTINGS


@pytest.mark.parametrize(("separate", "app"), [(False, 0), (True, 0), (True, 1)])
def test_the_app_can_read_its_settings(separate: bool, app: int) -> None:
    deployment = read(settings(separate=separate, app=app))

    assert deployment.table_url.startswith("https://stvmbackups")


def test_schedules_are_those_that_the_code_has_where_none_is_given() -> None:
    given = settings()

    assert {n: given[n] for n in VARIABLES if n.endswith("_SCHEDULE")} == {
        n: v.default for n, v in VARIABLES.items() if n.endswith("_SCHEDULE")
    }


def test_every_timer_has_its_schedule_among_the_settings() -> None:
    schedules = {
        str(one.get_trigger().get_dict_repr()["schedule"]).strip("%")
        for one in FUNCTIONS.values()
        if one.get_trigger().get_dict_repr()["type"] == "timerTrigger"
    }

    assert schedules == {name for name in settings() if name.endswith("_SCHEDULE")}


def test_every_function_for_events_is_subscribed_where_its_events_are() -> None:
    waiting = {
        name
        for name, one in FUNCTIONS.items()
        if one.get_trigger().get_dict_repr()["type"] == "eventGridTrigger"
    }
    targets = {
        (
            one.id.split("/")[2],
            one.body["properties"]["destination"]["properties"]["resourceId"].rsplit("/", 1)[-1],
        )
        for one in of_kind(events(), "Microsoft.EventGrid/systemTopics/eventSubscriptions")
    }

    assert {name for _, name in targets} == waiting
    assert targets == {(HOME, "vm_events"), (OTHER, "vm_events"), (HOME, "delivery_reports")}


def test_the_app_gives_the_second_step_the_functions_that_take_events() -> None:
    main = (INFRA / "main.bicep").read_text()

    assert re.findall(r"/functions/(\w+)", main) == ["vm_events", "delivery_reports"]


def test_the_filter_lets_through_what_the_code_understands_and_nothing_else() -> None:
    one = of_kind(events(), "Microsoft.EventGrid/systemTopics/eventSubscriptions")[0]
    [only] = one.body["properties"]["filter"]["advancedFilters"]
    source = event_forms.__loader__.get_source("vmbackup_core.domain.events")
    understood = set(re.findall(r'"(microsoft\.[\w/.]+/(?:write|delete))"', source))
    vm = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web"

    assert {value.lower() for value in only["values"]} == understood
    assert not [
        value
        for value in only["values"]
        if isinstance(parse_event("", vm, {"operationName": value}), Unrelated)
    ]


def test_a_subscription_has_no_more_filter_values_than_azure_allows() -> None:
    one = of_kind(events(), "Microsoft.EventGrid/systemTopics/eventSubscriptions")[0]

    assert sum(len(f["values"]) for f in one.body["properties"]["filter"]["advancedFilters"]) <= 25


@pytest.mark.parametrize("app", [0, 1])
def test_separate_apps_switch_off_functions_that_exist(app: int) -> None:
    off = re.findall(r"AzureWebJobs\.(\w+)\.Disabled", " ".join(settings(separate=True, app=app)))

    assert set(off) <= set(FUNCTIONS)


# Each app has workflows of its own to look after.
RUNS_IN_BOTH = {"housekeeping"}


def test_of_two_apps_each_function_with_a_trigger_of_its_own_runs_in_one() -> None:
    off = [
        set(re.findall(r"AzureWebJobs\.(\w+)\.Disabled", " ".join(settings(separate=True, app=n))))
        for n in (0, 1)
    ]
    triggered = {
        name
        for name, one in FUNCTIONS.items()
        if one.get_trigger().get_dict_repr()["type"] not in STARTED_BY_OTHERS
    }

    assert off[0] | off[1] == triggered - RUNS_IN_BOTH
    assert off[0] & off[1] == set()


def test_the_app_that_protects_does_not_have_the_identity_that_deletes() -> None:
    attached = " ".join(site(separate=True).body["identity"]["userAssignedIdentities"])

    assert "vmbackup-protector" in attached
    assert "vmbackup-restorer" not in attached
    assert read(settings(separate=True)).restorer_client_id == ""


def test_the_app_that_restores_does_not_have_the_identity_that_protects() -> None:
    attached = " ".join(site(separate=True, app=1).body["identity"]["userAssignedIdentities"])

    assert "vmbackup-restorer" in attached
    assert "vmbackup-protector" not in attached


def test_every_client_id_in_the_settings_is_of_an_identity_that_the_app_has() -> None:
    attached = " ".join(site().body["identity"]["userAssignedIdentities"])
    named = [str(v) for name, v in settings().items() if name.upper().endswith("CLIENT_ID")]
    used = [re.search(r"<(id-[\w-]+)\.", one) for one in named]

    assert all(found and found[1] in attached for found in used) if used else False


def test_the_app_runs_the_python_that_it_is_tested_with() -> None:
    runtime = site().body["properties"]["functionAppConfig"]["runtime"]

    assert runtime == {"name": "python", "version": "3.13"}


@pytest.mark.parametrize("kind", ["Microsoft.Storage/storageAccounts"])
def test_no_account_has_a_key_or_a_public_blob_or_a_name_too_long(kind: str) -> None:
    accounts = of_kind(estate(separate=True), kind)

    assert len({account.name for account in accounts}) == 4
    assert all(3 <= len(account.name) <= 24 for account in accounts)
    assert all(a.body["properties"]["allowSharedKeyAccess"] is False for a in accounts)
    assert all(a.body["properties"]["allowBlobPublicAccess"] is False for a in accounts)


def test_evidence_cannot_be_changed_for_more_than_a_year() -> None:
    kind = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"
    [policy] = of_kind(estate(), kind)

    assert "/containers/evidence/" in policy.id
    assert policy.body["properties"]["immutabilityPeriodSinceCreationInDays"] > 365
    assert policy.body["properties"]["allowProtectedAppendWrites"] is False


def test_a_policy_that_was_locked_is_left_alone() -> None:
    resources = deploy(INFRA / "main.bicep", **GIVEN, evidenceLocked=True)

    assert [one for one in resources if one.kind.endswith("/immutabilityPolicies")] == []


def test_the_parameters_of_azd_are_parameters_of_the_template() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    declared = set(re.findall(r"^param (\w+)", (INFRA / "main.bicep").read_text(), re.MULTILINE))

    assert set(given) <= declared


def test_subscriptions_that_were_found_are_watched_like_those_that_are_listed() -> None:
    third = "33333333-3333-4333-8333-333333333333"
    found = f"{OTHER.upper()},{third}"
    resources = deploy(INFRA / "main.bicep", **GIVEN, foundSubscriptions=found)
    roles = [
        one.id.split("/")[2]
        for one in of_kind(resources, "Microsoft.Authorization/roleDefinitions")
        if one.body["properties"]["roleName"].startswith("vmbackup protector")
    ]

    assert sorted(roles) == [HOME, OTHER, third]


def test_a_parameter_that_does_not_exist_is_not_taken() -> None:
    with pytest.raises(NotUnderstood, match="no parameters"):
        deploy(INFRA / "events.bicep", location="westeurope", wrong="x")
