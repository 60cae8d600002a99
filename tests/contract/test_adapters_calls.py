"""What one look at a large estate costs: counted in requests."""

from datetime import timedelta
from typing import Any

from tests.builders import NOW, SUB
from tests.clocks import HandClock
from vmbackup_core.adapters.arm import Reply
from vmbackup_core.adapters.backup_estate import AzureBackupEstate
from vmbackup_core.adapters.inventory import ITEM, POLICY, VAULT
from vmbackup_core.adapters.job_log import AzureJobLog
from vmbackup_core.domain.rules import Scope

ITEMS, VAULTS, PAGE = 10_000, 20, 1_000
RSV = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults"
MACHINES = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"


def item_row(number: int) -> dict[str, Any]:
    name = f"iaasvmcontainerv2;rg;vm-{number:05}"
    vault = f"{RSV}/rsv-{number % VAULTS}"
    return {
        "id": f"{vault}/backupFabrics/Azure/protectionContainers/c;{name}/protectedItems/VM;{name}",
        "name": f"VM;{name}",
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": f"{MACHINES}/vm-{number:05}",
            "currentProtectionState": "ProtectionConfigured",
            "policyName": "DefaultPolicy",
            "lastRecoveryPoint": "2030-01-14T22:30:00Z",
        },
        "vmName": f"vm-{number:05}",
        "machine": f"m-{number}",
        "vmTags": None,
    }


class LargeAzure:
    """Answers as Resource Graph and the log would, and counts what it was asked."""

    endpoint = "https://api.loganalytics.io"

    def __init__(self) -> None:
        vaults = [
            {"id": f"{RSV}/rsv-{number}", "location": "westeurope", "properties": {}}
            for number in range(VAULTS)
        ]
        self.tables = {ITEM: [item_row(n) for n in range(ITEMS)], VAULT: vaults, POLICY: []}
        self.calls = 0

    def post(self, path: str, api_version: str, doing: str, body: Any) -> Reply:
        self.calls += 1
        kind = body["query"].partition("=~ '")[2].partition("'")[0]
        rows = self.tables.get(kind, [])
        begin = int(body["options"].get("$skipToken", "0"))
        page = rows[begin : begin + PAGE]
        more = {"$skipToken": str(begin + PAGE)} if begin + PAGE < len(rows) else {}
        answer = {"totalRecords": len(rows), "count": len(page), "data": page, **more}
        return Reply(200, {}, answer)

    def send(self, method: str, url: str, doing: str, body: Any) -> Reply:
        self.calls += 1
        return Reply(200, {}, {"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]})


def test_one_look_at_ten_thousand_items_costs_at_most_fifteen_calls() -> None:
    azure: Any = LargeAzure()
    estate = AzureBackupEstate(azure, HandClock(NOW))
    scope = Scope(subscriptions=(SUB,))

    backups = estate.observe_backups(scope)
    estate.observe_unfinished(scope, NOW - timedelta(days=1))
    AzureJobLog(azure, ("a", "b", "c")).observe_ingested(NOW)

    assert len(backups.items) == ITEMS
    assert azure.calls == 14
