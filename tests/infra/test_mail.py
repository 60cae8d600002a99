"""The mail service that the templates make, and the workspaces that they let the reader ask."""

from collections.abc import Mapping
from typing import Any

from tests.infra.bicep import HOME, Resource, deploy
from tests.infra.estate import GIVEN, HUB, INFRA, OTHER, estate, of_kind

SERVICE = "Microsoft.Communication/communicationServices"
DOMAIN = "Microsoft.Communication/emailServices/domains"
RIGHT = "Microsoft.Authorization/roleAssignments"
OWN = {"mailDomain": "mail.example.org"}


def first_step(**given: Any) -> list[Resource]:
    return deploy(INFRA / "main.bicep", **{**GIVEN, **given})


def settings(resources: list[Resource]) -> Mapping[str, Any]:
    return dict(of_kind(resources, "Microsoft.Web/sites/config")[0].body["properties"])


def test_no_key_opens_the_mail_service_and_nobody_is_counted() -> None:
    [service], [domain] = of_kind(estate(), SERVICE), of_kind(estate(), DOMAIN)

    assert service.body["properties"]["disableLocalAuth"] is True
    assert service.body["properties"]["linkedDomains"] == [domain.id]
    assert domain.body["properties"] == {
        "domainManagement": "AzureManaged",
        "userEngagementTracking": "Disabled",
    }


def test_the_app_sends_by_it() -> None:
    given = settings(estate())

    assert given["VMBACKUP_MAIL_ENDPOINT"].startswith("https://<acs-vmbackup-")
    assert given["VMBACKUP_MAIL_SENDER"].startswith("DoNotReply@<AzureManagedDomain.")


def test_a_domain_of_ones_own_sends_nothing_before_it_is_verified() -> None:
    resources = first_step(**OWN)
    [service] = of_kind(resources, SERVICE)

    assert service.body["properties"]["linkedDomains"] == []
    assert settings(resources)["VMBACKUP_MAIL_ENDPOINT"] == ""
    assert settings(resources)["VMBACKUP_MAIL_SENDER"] == ""


def test_a_domain_that_was_verified_sends_as_the_user_that_is_asked_for() -> None:
    resources = first_step(**OWN, mailDomainVerified=True, mailUser="Backups")
    [sender] = of_kind(resources, f"{DOMAIN}/senderUsernames")

    assert sender.body["properties"]["username"] == "Backups"
    assert settings(resources)["VMBACKUP_MAIL_SENDER"] == (
        "Backups@<mail.example.org.properties.fromSenderDomain>"
    )


def test_without_a_domain_no_service_is_made_and_one_that_is_there_can_be_named() -> None:
    there = {"mailEndpoint": "https://mail.example.org", "mailSender": "backup@example.org"}
    resources = first_step(mailDomain="", mailDomainVerified=True, **there)

    assert of_kind(resources, SERVICE) == []
    assert settings(resources)["VMBACKUP_MAIL_ENDPOINT"] == there["mailEndpoint"]
    assert settings(resources)["VMBACKUP_MAIL_SENDER"] == there["mailSender"]


def test_the_protector_alone_may_send_and_by_one_service() -> None:
    [service] = of_kind(estate(), SERVICE)
    [right] = [one for one in of_kind(estate(), RIGHT) if one.id.startswith(service.id)]

    assert "protector" in str(right.body["properties"]["principalId"])


def test_the_built_in_role_takes_the_place_of_the_narrow_one_where_it_is_asked_for() -> None:
    resources = first_step(mailByBuiltInRole=True)
    [service] = of_kind(resources, SERVICE)
    [right] = [one for one in of_kind(resources, RIGHT) if one.id.startswith(service.id)]

    assert right.body["properties"]["roleDefinitionId"].endswith(
        "/09976791-48a7-449e-bb21-39d1a415f350"
    )


def test_every_workspace_that_vaults_log_into_is_asked_and_may_be() -> None:
    asked = settings(estate())["VMBACKUP_LOG_WORKSPACES"].split(",")
    granted = {
        one.id.rpartition("/providers/Microsoft.Auth")[0].split("/")[2]
        for one in of_kind(estate(), RIGHT)
        if "Microsoft.OperationalInsights/workspaces" in one.id
    }

    assert asked[0].startswith("<log-vmbackup-")
    assert asked[1:] == [HUB]
    assert granted == {HOME, OTHER}


def test_a_workspace_that_no_vault_logs_into_is_not_asked() -> None:
    resources = first_step(newVaults=[], loggedVaults=[], logWorkspaces=[])

    assert settings(resources)["VMBACKUP_LOG_WORKSPACES"] == ""
    assert [one for one in of_kind(resources, RIGHT) if "OperationalInsights" in one.id] == []
