"""Vaults on the wire: their life and their settings (Microsoft.RecoveryServices/vaults)."""

import base64
import binascii
from datetime import timedelta
from typing import Any

from azsim.http import ArmError, Response
from azsim.recovery import errors
from azsim.recovery.configure import MOST_SOFT_DELETE_DAYS
from azsim.recovery.findings import planned
from azsim.recovery.guards import Critical, allow
from azsim.recovery.jobs import Operation, OperationStatus
from azsim.recovery.pace import Step
from azsim.recovery.vault_shapes import (
    config_body,
    encryption_body,
    merged,
    settings_from,
    storage_config_body,
    vault_body,
)
from azsim.router import Call, Route
from azsim.routes import guards
from azsim.routes.recovery_calls import (
    RSV,
    SOONER,
    SUBSCRIPTION,
    VAULT,
    VAULTS,
    accepted,
    body_of,
    link,
    listed,
    properties_of,
    vault_of,
)
from azsim.vaults import Vault

# A vault's operation ids are base64 of `{kind of call};{guid}` (recorded).
# models vault-put
_PUT, _PATCH, _DELETE = 2047, 4095, 1023


def _get(call: Call) -> Response:
    return Response(200, vault_body(vault_of(call), call.world.clock.now()))


def _list_in_group(call: Call) -> Response:
    return _list(call, call["group"])


def _list_in_subscription(call: Call) -> Response:
    return _list(call, None)


def _list(call: Call, group: str | None) -> Response:
    now = call.world.clock.now()
    vaults = call.world.vaults.in_subscription(call["sub"], group)
    return listed(call, [vault_body(vault, now, listed=True) for vault in vaults])


def _put(call: Call) -> Response:
    vaults, given = call.world.vaults, body_of(call)
    settings = settings_from(given.get("properties") or {})
    location = str(given.get("location", "")).replace(" ", "").lower()
    if not location:
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    vault = vaults.find(call["sub"], call["group"], call["vault"])
    if vault is None:
        _check_room(call, location)
        took = vaults.pace.draw(Step.VAULT_CREATE)
        vault = vaults.create(
            call["sub"],
            call["group"],
            call["vault"],
            location,
            tags=given.get("tags"),
            settings=settings,
            sku=given.get("sku"),
            takes=took,
            settles=took + vaults.pace.draw(Step.VAULT_SETTLE),
        )
        vault.identity = _identity(call, vault, given.get("identity"))
        status = 201
    else:
        if vault.location.lower() != location:
            raise errors.VAULT_LOCATION_FIXED.error(
                vault=vault.name, location=vault.location, group=vault.group, other=location
            )
        _write(call, vault, given, settings)
        took, status = vaults.pace.draw(Step.VAULT_CHANGE), 200
    operation = _open(call, vault, _PUT, took)
    vault.failed = status == 201 and operation.failure is not None
    url = link(call, _status_path(vault, operation))
    headers = {"Azure-AsyncOperation": url, "Retry-After": SOONER}
    return Response(status, vault_body(vault, call.world.clock.now()), headers)


# models vaults-at-most
def _check_room(call: Call, location: str) -> None:
    vaults = call.world.vaults
    here = [v for v in vaults.in_subscription(call["sub"]) if v.location.lower() == location]
    if len(here) >= vaults.rules.most_vaults:
        raise errors.TOO_MANY_VAULTS.error()


def _patch(call: Call) -> Response:
    vaults, vault, given = call.world.vaults, vault_of(call), body_of(call)
    _write(call, vault, given, settings_from(given.get("properties") or {}))
    operation = _open(call, vault, _PATCH, vaults.pace.draw(Step.VAULT_CHANGE))
    return _accepted(call, vault, operation)


def _write(call: Call, vault: Vault, given: dict[str, Any], settings: dict[str, Any]) -> None:
    vault.settings = merged(vault.settings, settings)
    if given.get("tags") is not None:
        vault.tags = dict(given["tags"])
    if given.get("identity") is not None:
        vault.identity = _identity(call, vault, given["identity"])
    if soft := settings.get("securitySettings", {}).get("softDeleteSettings"):
        _set_soft_delete(
            vault, soft.get("softDeleteState"), soft.get("softDeleteRetentionPeriodInDays")
        )
    vault.written_at = call.world.vaults.just_now()
    call.world.vaults.changed()


def _identity(call: Call, vault: Vault, given: dict[str, Any] | None) -> dict[str, Any] | None:
    """A system-assigned identity gets its principal once and keeps it."""
    if not given or given.get("type") == "None":
        return None
    identity = {**given, "tenantId": call.world.tenant}
    if "SystemAssigned" in str(given.get("type")):
        known = (vault.identity or {}).get("principalId")
        identity["principalId"] = known or call.world.new_id()
    return identity


# models vault-forgotten
def _delete(call: Call) -> Response:
    vaults, vault = call.world.vaults, vault_of(call)
    # models vault-not-empty
    if vault.live_items() or vault.pending:
        raise errors.VAULT_NOT_EMPTY.error()
    took = vaults.pace.draw(Step.VAULT_DELETE)
    operation = _open(call, vault, _DELETE, took)
    gone = operation.ends + vaults.pace.draw(Step.VAULT_FORGET)
    if operation.failure is None:
        call.world.clock.at(gone, lambda: vaults.forget(vault))
    return _accepted(call, vault, operation)


def _open(call: Call, vault: Vault, kind: int, took: timedelta) -> Operation:
    guid = call.world.new_id()
    name = base64.b64encode(f"{kind};{guid}".encode()).decode()
    started = call.world.vaults.just_now()
    failure = planned(call.world.vaults, call.route.name, vault.id)
    return vault.book.open(Operation(name, started, started + took, failure=failure))


def _status_path(vault: Vault, operation: Operation) -> str:
    return f"{vault.id}/operationStatus/{operation.id}"


def _results_path(vault: Vault, operation: Operation) -> str:
    return f"{vault.id}/operationResults/{operation.id}"


def _accepted(call: Call, vault: Vault, operation: Operation) -> Response:
    status, results = _status_path(vault, operation), _results_path(vault, operation)
    return accepted(call, status, results, retry_after=SOONER)


def _operation(call: Call, vault: Vault) -> tuple[Operation, OperationStatus, int]:
    operation = vault.book.operations.get(call["operation"].lower())
    try:
        kind = int(base64.b64decode(call["operation"]).split(b";")[0])
    except (binascii.Error, ValueError):
        kind = 0
    if operation is None or not kind:
        raise errors.OPERATION_NOT_FOUND.error(operation=call["operation"])
    return operation, operation.status(call.world.clock.now()), kind


# models vault-change
def _operation_status(call: Call) -> Response:
    vault = vault_of(call)
    operation, status, _ = _operation(call, vault)
    body: dict[str, Any] = {
        "id": _status_path(vault, operation),
        "name": operation.id,
        "status": status.value,
    }
    if status is OperationStatus.FAILED and operation.failure is not None:
        body["error"] = {"code": operation.failure.code, "message": operation.failure.text}
    if status is not OperationStatus.IN_PROGRESS:
        return Response(200, body)
    headers = {
        "Azure-AsyncOperation": link(call, _status_path(vault, operation)),
        "Location": link(call, _results_path(vault, operation)),
        "Retry-After": SOONER,
    }
    return Response(200, body, headers)


def _operation_results(call: Call) -> Response:
    vault = vault_of(call)
    operation, status, kind = _operation(call, vault)
    if status is OperationStatus.IN_PROGRESS:
        return _accepted(call, vault, operation)
    if operation.failure is not None:
        raise ArmError(400, operation.failure.code, operation.failure.text)
    if kind == _DELETE:
        return Response(204)
    return Response(200, vault_body(vault, call.world.clock.now()))


def _get_config(call: Call) -> Response:
    return Response(200, config_body(vault_of(call)))


def _set_config(call: Call) -> Response:
    vault, given = vault_of(call), properties_of(call)
    if given.get("softDeleteFeatureState") == "Disabled":
        allow(vault, Critical.SOFT_DELETE, given.get("resourceGuardOperationRequests"))
    _set_soft_delete(
        vault, given.get("softDeleteFeatureState"), given.get("softDeleteRetentionPeriodInDays")
    )
    if state := given.get("enhancedSecurityState"):
        vault.enhanced_security = state
    call.world.vaults.changed()
    return Response(200, config_body(vault))


# models soft-delete-always-on
def _set_soft_delete(vault: Vault, state: str | None, days: int | None) -> None:
    if state == "Disabled" and vault.vaults.rules.soft_delete_always_on:
        raise errors.SOFT_DELETE_ALWAYS_ON.error()
    if days is not None and not 14 <= days <= MOST_SOFT_DELETE_DAYS:
        raise errors.SOFT_DELETE_DAYS.error()
    if state is not None:
        vault.soft_delete = state != "Disabled"
    if days is not None:
        vault.soft_delete_days = days


def _get_storage_config(call: Call) -> Response:
    return Response(200, storage_config_body(vault_of(call)))


def _put_storage_config(call: Call) -> Response:
    return Response(200, storage_config_body(_change_storage(call)))


def _patch_storage_config(call: Call) -> Response:
    _change_storage(call)
    return Response(204)


# models redundancy-fixed
def _change_storage(call: Call) -> Vault:
    """Change the redundancy; possible only while nothing was ever protected in the vault."""
    vault, given = vault_of(call), properties_of(call)
    if vault.storage_version == "V2":
        raise errors.STORAGE_LOCKED.error()
    redundancy = dict(vault.settings.get("redundancySettings", {}))
    if kind := given.get("storageModelType") or given.get("storageType"):
        redundancy["standardTierStorageRedundancy"] = kind
    if (cross := given.get("crossRegionRestoreFlag")) is not None:
        redundancy["crossRegionRestore"] = "Enabled" if cross else "Disabled"
    vault.settings = {**vault.settings, "redundancySettings": redundancy}
    call.world.vaults.changed()
    return vault


def _get_encryption(call: Call) -> Response:
    return Response(200, encryption_body(vault_of(call)))


# models vault-usages
def _usages(call: Call) -> Response:
    vault = vault_of(call)
    used = {
        "ProtectedItemsCount": ("Protected items", len(vault.live_items())),
        "PolicyCount": ("Backup policies", len(vault.policies)),
    }
    value = [
        {
            "unit": "Count",
            "currentValue": count,
            "limit": -1,
            "name": {"value": name, "localizedValue": shown},
        }
        for name, (shown, count) in used.items()
    ]
    return Response(200, {"value": value})


_CONFIG = f"{VAULT}/backupconfig/vaultconfig"
_STORAGE = f"{VAULT}/backupstorageconfig/vaultstorageconfig"
_BELOW = f"{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/vaults"

ROUTES: tuple[Route, ...] = (
    Route("vaults.list_all", "GET", _BELOW, _list_in_subscription, action=f"{RSV}/read"),
    Route("vaults.list", "GET", VAULTS, _list_in_group, action=f"{RSV}/read"),
    Route("vaults.get", "GET", VAULT, _get, action=f"{RSV}/read"),
    Route("vaults.put", "PUT", VAULT, _put, action=f"{RSV}/write"),
    Route("vaults.patch", "PATCH", VAULT, _patch, action=f"{RSV}/write"),
    Route("vaults.delete", "DELETE", VAULT, _delete, action=f"{RSV}/delete"),
    Route(
        "vaults.operation_status",
        "GET",
        f"{VAULT}/operationStatus/{{operation}}",
        _operation_status,
        action=f"{RSV}/operationStatus/read",
    ),
    Route(
        "vaults.operation_results",
        "GET",
        f"{VAULT}/operationResults/{{operation}}",
        _operation_results,
        action=f"{RSV}/operationResults/read",
    ),
    Route("vaults.usages", "GET", f"{VAULT}/usages", _usages, action=f"{RSV}/usages/read"),
    Route("vault_config.get", "GET", _CONFIG, _get_config, action=f"{RSV}/backupconfig/read"),
    Route("vault_config.patch", "PATCH", _CONFIG, _set_config, action=f"{RSV}/backupconfig/write"),
    Route("vault_config.put", "PUT", _CONFIG, _set_config, action=f"{RSV}/backupconfig/write"),
    Route(
        "vault_storage.get",
        "GET",
        _STORAGE,
        _get_storage_config,
        action=f"{RSV}/backupstorageconfig/read",
    ),
    Route(
        "vault_storage.put",
        "PUT",
        _STORAGE,
        _put_storage_config,
        action=f"{RSV}/backupstorageconfig/write",
    ),
    Route(
        "vault_storage.patch",
        "PATCH",
        _STORAGE,
        _patch_storage_config,
        action=f"{RSV}/backupstorageconfig/write",
    ),
    Route(
        "vault_encryption.get",
        "GET",
        f"{VAULT}/backupEncryptionConfigs/backupResourceEncryptionConfig",
        _get_encryption,
        action=f"{RSV}/backupEncryptionConfigs/read",
    ),
    *guards.ROUTES,
)
