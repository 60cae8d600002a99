"""
Resource Guards in front of a vault: critical operations need a request that the guard's owner gave.

A vault is tied to a guard by a proxy; from then on the nine operations below are refused unless the
call names the guard's request. A DELETE has no body, so it is unlocked for an hour beforehand.
Sources: AZURE_FACTS 11 (recorded list of operations), spec *ResourceGuardProxy.json; the names of
requests are documented where the spec shows one, guessed by the same pattern otherwise.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from azsim.recovery import errors
from azsim.recovery.wire import stamp

if TYPE_CHECKING:
    from azsim.vaults import Vault

_VAULTS = "Microsoft.RecoveryServices/vaults"
_ITEMS = f"{_VAULTS}/backupFabrics/protectionContainers/protectedItems"
# models guard-unlocks-for
_UNLOCKED_FOR = timedelta(hours=1)


# models guarded-operations, guard-request-names
class Critical(Enum):
    """A critical operation, by the name that a proxy lists; the second part is its request."""

    DELETE_ITEM = (f"{_ITEMS}/delete", "deleteProtectedItemRequests")
    WEAKEN_ITEM = (f"{_ITEMS}/write", "updateProtectedItemRequests")
    WRITE_POLICY = (f"{_VAULTS}/backupPolicies/write", "updateProtectionPolicyRequests")
    DELETE_PROXY = (
        f"{_VAULTS}/backupResourceGuardProxies/delete",
        "deleteResourceGuardProxyRequests",
    )
    SECURITY_PIN = (f"{_VAULTS}/backupSecurityPIN/action", "getBackupSecurityPINRequests")
    SOFT_DELETE = (f"{_VAULTS}/backupconfig/write", "disableSoftDeleteRequests")
    STOP_ITEM = (
        f"{_ITEMS}/write#stopProtectionWithRetainData",
        "stopProtectionWithRetainDataRequests",
    )
    IMMUTABILITY = (f"{_VAULTS}/write#reduceImmutabilityState", "reduceImmutabilityStateRequests")
    RESTORE = (f"{_ITEMS}/recoveryPoints/restore/action", "triggerRestoreRequests")


@dataclass(slots=True)
class Guard:
    """A Resource Guard's proxy in a vault; `unlocked` says until when what may be deleted."""

    name: str
    guard_id: str
    updated: datetime
    unlocked: dict[str, datetime] = field(default_factory=dict)


def allow(vault: "Vault", operation: Critical, requests: object) -> None:
    """Raise ArmError 400 where a guard stands before `operation` and no request of it is named."""
    for guard in vault.guards.values():
        needed = f"{guard.guard_id}/{operation.value[1]}/".lower()
        named = requests if isinstance(requests, list) else []
        if not any(str(request).lower().startswith(needed) for request in named):
            raise errors.GUARDED.error()


def allow_deletion(vault: "Vault", what: str, now: datetime) -> None:
    """Raise ArmError 400 where a guard stands before the deletion of `what`, still locked."""
    for guard in vault.guards.values():
        if guard.unlocked.get(what.lower(), now) <= now:
            raise errors.GUARDED.error()


def unlock(guard: Guard, what: str, now: datetime) -> datetime:
    """Let `what` be deleted for an hour; returns until when."""
    guard.unlocked[what.lower()] = now + _UNLOCKED_FOR
    return now + _UNLOCKED_FOR


def guard_body(vault: "Vault", guard: Guard) -> dict[str, Any]:
    return {
        "id": f"{vault.id}/backupResourceGuardProxies/{guard.name}",
        "name": guard.name,
        "type": f"{_VAULTS}/backupResourceGuardProxies",
        "properties": {
            "resourceGuardResourceId": guard.guard_id,
            "resourceGuardOperationDetails": [
                {
                    "vaultCriticalOperation": operation.value[0],
                    "defaultResourceRequest": f"{guard.guard_id}/{operation.value[1]}/default",
                }
                for operation in Critical
            ],
            "lastUpdatedTime": stamp(guard.updated),
            "description": "Please take JIT access before performing any of the critical operation",
        },
    }
