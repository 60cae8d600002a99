"""An operator with the real SDK client: what the contract tests of Recovery Services use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

from azsim.machines import Machine
from azsim.transport import SimTransport
from azsim.vaults import Vault
from azsim.world import World
from tests.credentials import StaticCredential

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
VM_GROUP, VAULT_GROUP, REGION = "rg-web", "rg-backup", "westeurope"


@dataclass
class Desk:
    """One vault, one SDK client, and machines as asked for; `answers` holds what came back."""

    world: World
    vault: Vault
    client: RecoveryServicesBackupClient
    answers: list[Any] = field(default_factory=list)

    @classmethod
    def open(cls, world: World, **vault: Any) -> "Desk":
        made = world.vaults.create(SUBSCRIPTION, VAULT_GROUP, "vault-1", REGION, **vault)
        client = RecoveryServicesBackupClient(
            StaticCredential(),
            SUBSCRIPTION,
            base_url="https://management.azure.com",
            transport=SimTransport(world),
            retry_total=0,
        )
        return cls(world, made, client)

    def vm(self, name: str = "web", **more: Any) -> Machine:
        place = {"subscription": SUBSCRIPTION, "group": VM_GROUP, "location": REGION}
        return self.world.machines.create(name=name, **(place | more))

    @property
    def at(self) -> tuple[str, str]:
        return self.vault.name, VAULT_GROUP

    def names(self, vm: Machine) -> tuple[str, str, str, str, str]:
        container = f"iaasvmcontainerv2;{vm.group};{vm.name}".lower()
        return (*self.at, "Azure", f"IaasVMContainer;{container}", f"vm;{container}")

    def policy_id(self, policy: str = "DefaultPolicy", vault: Vault | None = None) -> str:
        return f"{(vault or self.vault).id}/backupPolicies/{policy}"

    def put(self, vm: Machine, **properties: Any) -> Any:
        """PUT the VM's item and wait for the operation, as `begin_create_or_update` does."""
        body = {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": vm.id,
            **properties,
        }
        return self.client.protected_items.begin_create_or_update(
            *self.names(vm), {"properties": body}
        ).result()

    def enable(self, vm: Machine, policy: str = "DefaultPolicy", **more: Any) -> Any:
        return self.put(vm, policyId=self.policy_id(policy), **more)

    def stop(self, vm: Machine) -> Any:
        return self.put(vm, policyId="", protectionState="ProtectionStopped")

    def undelete(self, vm: Machine) -> Any:
        return self.put(vm, policyId="", isRehydrate=True, protectionState="ProtectionStopped")

    def delete(self, vm: Machine) -> None:
        self.client.protected_items.delete(*self.names(vm))
        self.world.clock.advance(timedelta(minutes=3))

    def item(self, vm: Machine) -> Mapping[str, Any]:
        found = self.client.protected_items.get(*self.names(vm))
        properties: Mapping[str, Any] = found.as_dict()["properties"]
        return properties

    def items(self, **options: Any) -> list[Mapping[str, Any]]:
        return [i.as_dict() for i in self.client.backup_protected_items.list(*self.at, **options)]

    def jobs(self, **options: Any) -> list[Mapping[str, Any]]:
        return [
            j.as_dict()["properties"] for j in self.client.backup_jobs.list(*self.at, **options)
        ]

    def points(self, vm: Machine, **options: Any) -> list[Mapping[str, Any]]:
        listed = self.client.recovery_points.list(*self.names(vm), **options)
        return [point.as_dict() for point in listed]

    def back_up(self, vm: Machine) -> None:
        body = {"properties": {"objectType": "IaasVMBackupRequest"}}
        self.client.backups.trigger(*self.names(vm), body)

    def restore(self, vm: Machine, point: str, **properties: Any) -> Any:
        body = {
            "objectType": "IaasVMRestoreRequest",
            "recoveryPointId": point,
            "recoveryType": "RestoreDisks",
            "sourceResourceId": vm.id,
            "storageAccountId": f"{group_of(vm)}/providers/Microsoft.Storage/storageAccounts/stage",
            "region": vm.location,
            **properties,
        }
        return self.client.restores.begin_trigger(
            *self.names(vm), point, {"properties": body}
        ).result()

    def later(self, **span: float) -> None:
        self.world.clock.advance(timedelta(**span))


def group_of(vm: Machine) -> str:
    return f"/subscriptions/{vm.subscription}/resourceGroups/{vm.group}"


def refused(call: Callable[[], Any]) -> tuple[int | None, str]:
    """Return status and code with which Azure said no; fails when it did not."""
    with pytest.raises(HttpResponseError) as caught:
        call()
    error = caught.value.error
    return caught.value.status_code, error.code if error is not None else ""
