"""
Custom roles from the actions that stand beside the adapters' operations: infra/roles.json.

`--write` writes the file anew; without it, tell whether it still says what the code says. What is
decided here is only which identity needs which operation, and where it needs it.
"""

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "infra" / "roles.json"
ADAPTERS = (
    "inventory",
    "vaults",
    "restores",
    "restoring",
    "staging",
    "copies",
    "networks",
    "sizes",
    "history",
    "rows_tables",
    "blobs_azure",
    "configuration",
    "backup_estate",
    "job_log",
    "mailer",
)
# Needed only where nothing was deployed: infra makes the table and the containers.
MADE_BY_DEPLOYMENT = frozenset(
    {
        "Microsoft.Storage/storageAccounts/tableServices/tables/write",
        "Microsoft.Storage/storageAccounts/blobServices/containers/write",
    }
)

# By role: what it is for, and what it takes of which operations ("adapter.operation").
ROLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "reader": (
        "Looks at VMs, disks, networks, vaults, items and jobs. On each watched subscription.",
        (
            "inventory.observe_vm",
            "inventory.observe_estate",
            "vaults.observe_vaults",
            "vaults.observe_items",
            "vaults.find_vault",
            "vaults.list_items",
            "vaults.observe_jobs",
            "vaults.observe_operation",
            "restores.observe_points",
            "restoring.observe_restores",
            "restoring.observe_restore",
            "staging.find_account",
            "copies.list_things",
            "copies.list_disks",
            "copies.observe_copy",
            "copies.observe_check",
            "networks.observe_network",
            "sizes.observe_sizes",
            "sizes.observe_usages",
            "history.observe_all_restores",
            "history.observe_occupied",
            "backup_estate.observe_backups",
            "backup_estate.observe_unfinished",
            "backup_estate.observe_failure",
        ),
    ),
    "protector": (
        "Protects VMs and creates missing policies. On each watched subscription.",
        (
            "vaults.create_policy",
            "vaults.refresh_containers",
            "vaults.set_protection",
            "vaults.undelete",
        ),
    ),
    "vaultMaker": (
        "Creates vaults and their groups; granted only where that is wanted.",
        ("vaults.create_vault",),
    ),
    "restorer": (
        "Starts restores and cancels its own. On each watched subscription with drill slots.",
        (
            "restoring.validate_restore",
            "restoring.observe_validation",
            "restoring.start_restore",
            "restoring.cancel_restore",
        ),
    ),
    "slot": (
        "Makes copies and removes them. On drill slots alone.",
        (
            "restoring.start_restore",
            "copies.create_copy",
            "copies.observe_console",
            "copies.start_check",
            "copies.stop_copy",
            "copies.remove",
        ),
    ),
    "place": (
        "Puts a copy on its slot's subnet. On the network of drill slots.",
        ("copies.create_copy",),
    ),
    "staging": (
        "Reads what restores leave and removes it. On staging accounts alone.",
        (
            "restoring.start_restore",
            "staging.read_recipe",
            "staging.list_containers",
            "staging.remove_container",
        ),
    ),
    "ledger": (
        "Keeps rows. On the account of the app's state.",
        ("rows_tables.get", "rows_tables.put", "rows_tables.list"),
    ),
    "documents": (
        "Keeps documents that change. On the container of the app's state.",
        ("blobs_azure.read", "blobs_azure.create", "blobs_azure.replace", "blobs_azure.names"),
    ),
    "evidence": (
        "Adds records and reads them; changes none. On the container of evidence.",
        ("blobs_azure.read", "blobs_azure.create", "blobs_azure.names"),
    ),
    "log": (
        "Asks for backup jobs. On the workspaces that vaults log into.",
        ("job_log.observe_ingested",),
    ),
    "mails": (
        "Sends mails. On the Communication Service.",
        ("mailer.send", "mailer.knows"),
    ),
    "configuration": (
        "Reads the configuration. On the container that it lies in.",
        ("configuration.read_configuration",),
    ),
}

# Operations that span several places: what of them is granted to which role, where that one is. The
# rest goes to the role that is named with the operation and not here.
SPANNING: Mapping[str, Mapping[str, frozenset[str]]] = {
    "restoring.start_restore": {
        "slot": frozenset({"Microsoft.Resources/subscriptions/resourceGroups/write"}),
        "staging": frozenset({"Microsoft.Storage/storageAccounts/write"}),
    },
    "copies.create_copy": {
        "place": frozenset(
            {
                "Microsoft.Network/virtualNetworks/subnets/join/action",
                "Microsoft.Network/networkSecurityGroups/join/action",
            }
        ),
    },
}


def operations() -> dict[str, tuple[str, ...]]:
    """Return the actions of every operation, by "adapter.operation"."""
    return {
        f"{adapter}.{operation}": tuple(actions)
        for adapter in ADAPTERS
        for operation, actions in importlib.import_module(
            f"vmbackup_core.adapters.{adapter}"
        ).ACTIONS.items()
    }


def actions_of(role: str, needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return what a role is granted, of data and otherwise."""
    granted: set[str] = set()
    for operation in ROLES[role][1]:
        shares = SPANNING.get(operation, {})
        rest = set(needs[operation]).difference(*shares.values())
        granted |= shares.get(role, rest)
    return granted - MADE_BY_DEPLOYMENT


def is_data(action: str) -> bool:
    """Tell whether it is an action on what lies in an account: on blobs and on rows."""
    return "/containers/blobs/" in action or "/tables/entities/" in action


def render() -> str:
    """Return the roles as the file has them."""
    needs = operations()
    roles = {}
    for role, (words, _) in ROLES.items():
        granted = sorted(actions_of(role, needs), key=str.lower)
        roles[role] = {
            "description": words,
            "actions": [action for action in granted if not is_data(action)],
            "dataActions": [action for action in granted if is_data(action)],
        }
    return json.dumps(roles, indent=2) + "\n"


def main() -> int:
    """Return 0 where the roles hold, 1 where they drifted."""
    if "--write" in sys.argv:
        FILE.write_text(render())
        return 0
    if FILE.read_text() != render():
        print("infra/roles.json does not match the adapters: run `make roles`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
