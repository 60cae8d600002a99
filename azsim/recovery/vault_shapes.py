"""
The body of a vault, which grows: the backup side of a new vault shows up in it a little later.

Recorded: a PUT answers `Provisioning` without backup settings, a GET soon after may still lack
them, lists never have them. All members of `properties` that azsim does not know are refused.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azsim.http import ArmError
from azsim.recovery.wire import stamp

if TYPE_CHECKING:
    from azsim.vaults import Vault

Body = dict[str, Any]
_WRITABLE = frozenset(
    {
        "publicNetworkAccess",
        "monitoringSettings",
        "restoreSettings",
        "redundancySettings",
        "securitySettings",
        "encryption",
        "costManagementSettings",
    }
)
# What the service itself writes and gets back from clients that PUT what they GOT.
_READ_ONLY = frozenset(
    {
        "provisioningState",
        "privateEndpointStateForBackup",
        "privateEndpointStateForSiteRecovery",
        "backupStorageVersion",
        "secureScore",
        "bcdrSecurityLevel",
        "privateEndpointConnections",
        "moveDetails",
        "moveState",
        "upgradeDetails",
    }
)
_REDUNDANCY = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"}
_RESTORE = {"crossSubscriptionRestoreSettings": {"crossSubscriptionRestoreState": "Enabled"}}


def settings_from(given: Body) -> Body:
    """Return the settings that a PUT or PATCH wants; raises ArmError 501 for unknown ones."""
    if unknown := set(given) - _WRITABLE - _READ_ONLY:
        raise ArmError(501, "NotSimulated", f"azsim lacks the vault properties {sorted(unknown)}")
    return {name: value for name, value in given.items() if name in _WRITABLE and value is not None}


def merged(old: Body, new: Body) -> Body:
    """Return `old` with what `new` says, member by member."""
    both = dict(old)
    for name, value in new.items():
        both[name] = merged(old[name], value) if _both(old.get(name), value) else value
    return both


def _both(old: object, new: object) -> bool:
    return isinstance(old, dict) and isinstance(new, dict)


def vault_body(vault: "Vault", now: datetime, *, listed: bool = False) -> Body:
    """Write the vault as a GET of it (or a list, or the answer to its PUT) shows it."""
    ready = now >= vault.provisioned_at
    settled = ready and now >= vault.settled_at
    body: Body = {
        "location": vault.location,
        "name": vault.name,
        "etag": f"W/\"datetime'{quote(stamp(vault.written_at), safe='')}'\"",
    }
    if vault.tags:
        body["tags"] = vault.tags
    if vault.identity:
        body["identity"] = vault.identity
    body |= {
        "properties": _properties(vault, ready=ready, settled=settled, listed=listed),
        "id": vault.id,
        "type": "Microsoft.RecoveryServices/vaults",
        "sku": vault.sku,
    }
    return body


def _properties(vault: "Vault", *, ready: bool, settled: bool, listed: bool) -> Body:
    outcome = "Failed" if vault.failed else "Succeeded"
    body: Body = {
        "provisioningState": outcome if ready else "Provisioning",
        "privateEndpointStateForBackup": "None",
        "privateEndpointStateForSiteRecovery": "None",
    }
    settings = vault.settings
    if "monitoringSettings" in settings:
        body["monitoringSettings"] = settings["monitoringSettings"]
    immutability = settings.get("securitySettings", {}).get("immutabilitySettings")
    # models vault-settles-later
    if not listed:
        if settled or (ready and immutability):
            body["backupStorageVersion"] = vault.storage_version
            body["securitySettings"] = _security(vault, immutability)
        elif immutability:
            body["securitySettings"] = {
                "immutabilitySettings": immutability,
                "softDeleteSettings": None,
                "multiUserAuthorization": "Invalid",
            }
        body["redundancySettings"] = {**_REDUNDANCY, **settings.get("redundancySettings", {})}
    # models vault-scores
    guarded = ready and not listed and (immutability or {}).get("state") in ("Unlocked", "Locked")
    body |= {
        "secureScore": "Minimum" if guarded else "None",
        "bcdrSecurityLevel": "Fair" if guarded else "Poor",
        "publicNetworkAccess": settings.get("publicNetworkAccess", "Enabled"),
        "restoreSettings": merged(_RESTORE, settings.get("restoreSettings", {})),
    }
    # models vault-echoes-cost-settings
    for echoed in ("encryption", "costManagementSettings"):
        if echoed in settings:
            body[echoed] = settings[echoed]
    return body


# models soft-delete-days-of-off
def _security(vault: "Vault", immutability: Body | None) -> Body:
    """Once a VM was registered (V2 storage), switched-off soft delete shows 0 days (recorded)."""
    days = vault.soft_delete_days
    if not vault.soft_delete and vault.storage_version == "V2":
        days = 0
    return {
        "immutabilitySettings": immutability,
        "softDeleteSettings": {
            "softDeleteRetentionPeriodInDays": days,
            "softDeleteState": soft_delete_state(vault),
            "enhancedSecurityState": "Enabled",
        },
        "multiUserAuthorization": "Enabled" if vault.guards else "Disabled",
    }


# models soft-delete-word
def soft_delete_state(vault: "Vault") -> str:
    """Return Enabled or Disabled, or AlwaysON where it can no longer be switched off (inferred)."""
    if vault.vaults.rules.soft_delete_always_on:
        return "AlwaysON"
    return "Enabled" if vault.soft_delete else "Disabled"


def config_body(vault: "Vault") -> Body:
    return {
        "id": f"{vault.id}/backupconfig/vaultconfig",
        "name": "vaultconfig",
        "type": "Microsoft.RecoveryServices/vaults/backupconfig",
        "properties": {
            "enhancedSecurityState": vault.enhanced_security,
            "softDeleteFeatureState": soft_delete_state(vault),
            "softDeleteRetentionPeriodInDays": vault.soft_delete_days,
            "isSoftDeleteFeatureStateEditable": not vault.vaults.rules.soft_delete_always_on,
        },
    }


def storage_config_body(vault: "Vault") -> Body:
    redundancy = {**_REDUNDANCY, **vault.settings.get("redundancySettings", {})}
    kind = redundancy["standardTierStorageRedundancy"]
    return {
        "id": f"{vault.id}/backupstorageconfig/vaultstorageconfig",
        "name": "vaultstorageconfig",
        "type": "Microsoft.RecoveryServices/vaults/backupstorageconfig",
        "properties": {
            "storageModelType": kind,
            "storageType": kind,
            "storageTypeState": "Locked" if vault.storage_version == "V2" else "Unlocked",
            "crossRegionRestoreFlag": redundancy["crossRegionRestore"] == "Enabled",
        },
    }


def encryption_body(vault: "Vault") -> Body:
    return {
        "id": f"{vault.id}/backupEncryptionConfigs/backupResourceEncryptionConfig",
        "name": "backupResourceEncryptionConfig",
        "type": "Microsoft.RecoveryServices/vaults/backupEncryptionConfigs",
        "properties": {
            "useSystemAssignedIdentity": True,
            "encryptionAtRestType": "MicrosoftManaged",
            "lastUpdateStatus": "NotEnabled",
            "infrastructureEncryptionState": "Disabled",
        },
    }
