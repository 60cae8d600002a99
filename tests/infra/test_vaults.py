"""Vaults that the templates make or let log."""

import pytest

from azsim.log_analytics_tables import CATEGORIES
from tests.infra.bicep import deploy
from tests.infra.estate import GIVEN, INFRA, OTHER, estate, of_kind

VAULT = "Microsoft.RecoveryServices/vaults"
LOG = "Microsoft.Insights/diagnosticSettings"


def test_a_new_vault_refuses_to_keep_less_and_tells_of_failed_jobs() -> None:
    [vault] = of_kind(estate(), VAULT)
    properties = vault.body["properties"]

    assert vault.id == f"/subscriptions/{OTHER}/resourceGroups/rg-backup/providers/{VAULT}/rsv-new"
    assert properties["securitySettings"]["immutabilitySettings"] == {"state": "Unlocked"}
    assert properties["securitySettings"]["softDeleteSettings"] == {
        "softDeleteState": "Enabled",
        "softDeleteRetentionPeriodInDays": 14,
        "enhancedSecurityState": "Enabled",
    }
    assert properties["redundancySettings"]["standardTierStorageRedundancy"] == "GeoRedundant"
    assert properties["monitoringSettings"]["azureMonitorAlertSettings"] == {
        "alertsForAllJobFailures": "Enabled"
    }


@pytest.mark.parametrize(
    "vault", ["rg-backup/providers/{}/rsv-new", f"rg-old/providers/{{}}/rsv-{'o' * 46}"]
)
def test_new_vaults_and_old_ones_log_all_that_there_is_into_tables_of_their_own(vault: str) -> None:
    place = f"/subscriptions/{OTHER}/resourceGroups/{vault.format(VAULT)}/"
    [log] = [one for one in of_kind(estate(), LOG) if one.id.startswith(place)]
    properties = log.body["properties"]

    assert {entry["category"] for entry in properties["logs"]} == set(CATEGORIES)
    assert properties["logAnalyticsDestinationType"] == "Dedicated"
    assert "/workspaces/log-vmbackup" in properties["workspaceId"]


def test_no_vault_is_made_unless_it_is_asked_for() -> None:
    resources = deploy(INFRA / "main.bicep", **{**GIVEN, "newVaults": [], "loggedVaults": []})

    assert of_kind(resources, VAULT) == []
    assert of_kind(resources, LOG) == []
