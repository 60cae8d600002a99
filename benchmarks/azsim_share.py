"""
How much of a call through a real SDK client is azsim's own work, and how large estates are born.

Prints microseconds and ratios of medians. The SDK's share is what remains of the whole call when
the world's own part is taken away.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

from azsim.http import Request
from azsim.throttle import Limits
from azsim.transport import SimTransport
from azsim.world import World
from vmbackup_cli.simulated import SimCredential

SUB = "5a0c0000-0000-4000-8000-00000000000a"
CALLS = 300
ESTATE = 10_000


def median_us(call: Callable[[], Any]) -> float:
    """Return the median of CALLS calls in microseconds, after a few to warm up."""
    for _ in range(10):
        call()
    times = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e6


def small_world() -> World:
    world = World()
    world.throttle.limits = Limits.none()
    world.groups.add_subscription(SUB)
    world.groups.create(SUB, "rg", "westeurope")
    vault = world.vaults.create(SUB, "rg", "vault", "westeurope")
    for n in range(200):
        made = world.machines.create(
            subscription=SUB, group="rg", name=f"vm-{n}", location="westeurope"
        )
        world.vaults.protect(made.id, vault)
    return world


def main() -> None:
    world = small_world()
    options: dict[str, Any] = {
        "credential": SimCredential(),
        "subscription_id": SUB,
        "transport": SimTransport(world),
    }
    compute = ComputeManagementClient(**options)
    backup = RecoveryServicesBackupClient(**options)
    path = f"https://management.azure.com/subscriptions/{SUB}/resourceGroups/rg/providers"
    item = "IaasVMContainer;iaasvmcontainerv2;rg;vm-1/protectedItems/VM;iaasvmcontainerv2;rg;vm-1"
    vault = f"{path}/Microsoft.RecoveryServices/vaults/vault"
    cases = {
        "GET one VM": (
            lambda: compute.virtual_machines.get("rg", "vm-1"),
            f"{path}/Microsoft.Compute/virtualMachines/vm-1?api-version=2024-07-01",
        ),
        "GET one protected item": (
            lambda: backup.protected_items.get("vault", "rg", "Azure", *item.split("/")[::2]),
            f"{vault}/backupFabrics/Azure/protectionContainers/{item}?api-version=2024-04-01",
        ),
        "list 200 protected items": (
            lambda: list(backup.backup_protected_items.list("vault", "rg")),
            f"{vault}/backupProtectedItems?api-version=2024-04-01",
        ),
    }
    for name, (through_sdk, url) in cases.items():
        request = Request("GET", url, {"authorization": "Bearer simulated"})
        whole = median_us(through_sdk)
        own = median_us(lambda request=request: world.handle(request).encoded())
        print(f"{name}: {whole:.0f} us, of which azsim {own:.0f} us ({own / whole:.0%})")

    begun = time.perf_counter()
    large = World()
    large.groups.add_subscription(SUB)
    large.groups.create(SUB, "rg", "westeurope")
    for n in range(ESTATE):
        large.machines.create(subscription=SUB, group="rg", name=f"vm-{n}", location="westeurope")
    print(f"an estate of {ESTATE} VMs is born in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
