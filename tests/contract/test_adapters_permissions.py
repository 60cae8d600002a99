"""What each operation needs is what it uses, and what the page says."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from azsim.network_parts import ROUTE_TABLE
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT, WEB, WEST, Desk
from tests.credentials import StaticCredential
from vmbackup_cli.simulated import found_place
from vmbackup_core.adapters import (
    backup_estate,
    blobs_azure,
    configuration,
    copies,
    history,
    inventory,
    job_log,
    mailer,
    networks,
    restores,
    restoring,
    rows_tables,
    sizes,
    staging,
    vaults,
)
from vmbackup_core.adapters.blobs_azure import AzureBlobs
from vmbackup_core.adapters.deed_forms import Identity
from vmbackup_core.adapters.history import AzureRestoreHistory, AzureSlotSurvey
from vmbackup_core.adapters.networks import AzureNetworks
from vmbackup_core.adapters.rows_tables import TableRows
from vmbackup_core.adapters.sizes import AzureSizes
from vmbackup_core.domain.drill.slots import Place, Slot
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.policies import PolicyKind, PolicySpec, Retention
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.schedules import Daily
from vmbackup_core.ports import Blob, Row

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
ADAPTERS: tuple[ModuleType, ...] = (
    inventory,
    history,
    vaults,
    restores,
    restoring,
    staging,
    copies,
    networks,
    sizes,
    backup_estate,
    job_log,
    mailer,
    rows_tables,
    blobs_azure,
    configuration,
)
HERE = Place(SUB, WEST)
SILVER = PolicySpec(
    "silver", PolicyKind.STANDARD, Daily(time(22)), Retention(daily_days=14, snapshot_days=2)
)
# Needed though no call of ours is charged for it: Azure Backup asks for the first two of whoever
# protects a VM, the third is what an instance view takes when it is asked for alone, and links are
# found by Resource Graph, which shows what its caller may read.
UNCHARGED = {
    "microsoft.compute/virtualmachines/write",
    "microsoft.compute/virtualmachines/read",
    "microsoft.compute/virtualmachines/instanceview/read",
    "microsoft.network/privatednszones/virtualnetworklinks/read",
    "microsoft.network/dnsforwardingrulesets/virtualnetworklinks/read",
}
# Not charged one by one: Resource Graph shows what its caller may read.
THROUGH_GRAPH: Mapping[str, set[str]] = {
    name: {action.lower() for action in adapter.ACTIONS[name]}
    for adapter, name in (
        (inventory, "observe_estate"),
        (history, "observe_all_restores"),
        (history, "observe_occupied"),
    )
}
# Asked of every identity or of none: Resource Graph shows what can be read anyway.
UNGUARDED = {"microsoft.resourcegraph/resources/read"}


def page_rows() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the page's actions by the adapter (its heading) and the operation."""
    rows: dict[tuple[str, str], tuple[str, ...]] = {}
    adapter = ""
    for line in PAGE.read_text().splitlines():
        if heading := re.fullmatch(r"## `adapters/(\w+)\.py`.*", line):
            adapter = heading[1]
        elif row := re.fullmatch(r"\| `(\w+)` \| .* \| (.*) \|", line):
            rows[adapter, row[1]] = tuple(re.findall(r"`([^`]+)`", row[2]))
    return rows


def code_rows() -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (adapter.__name__.rpartition(".")[2], operation): tuple(actions)
        for adapter in ADAPTERS
        for operation, actions in adapter.ACTIONS.items()
    }


def test_the_page_says_what_the_code_says() -> None:
    assert page_rows() == code_rows()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda module: module.__name__)
def test_every_operation_of_an_adapter_says_what_it_needs(adapter: ModuleType) -> None:
    classes = [
        cls
        for name, cls in inspect.getmembers(adapter, inspect.isclass)
        if cls.__module__ == adapter.__name__ and not name.startswith("_")
    ]
    methods = {
        name
        for cls in classes
        for name, _ in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_")
    }

    assert set(adapter.ACTIONS) == (methods or {"read_configuration"})


def test_nothing_but_what_restore_tests_make_can_be_deleted() -> None:
    deleting = {
        row: actions for row, actions in code_rows().items() if "delete" in str(actions).lower()
    }

    assert deleting == {
        ("copies", "remove"): copies.ACTIONS["remove"],
        ("staging", "remove_container"): staging.ACTIONS["remove_container"],
    }


def test_no_wildcard_is_needed() -> None:
    actions = [action for actions in code_rows().values() for action in actions]

    assert not [action for action in actions if "*" in action]


@pytest.fixture
def desk(world: World) -> Desk:
    desk = Desk(world)
    vault = world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
    copy = world.machines.create(subscription=SUB, group="RG-App", name="web", location=WEST)
    copy.os_disk.create_option = "Attach"
    world.storage.create_account("ledger")
    desk.wait()
    world.vaults.protect(copy.id, vault)
    return desk


def tables(desk: Desk) -> TableRows:
    url = "https://ledger.table.core.windows.net"
    return TableRows(url, StaticCredential(), transport=SimTransport(desk.world))


def blobs(desk: Desk) -> AzureBlobs:
    url = "https://ledger.blob.core.windows.net"
    return AzureBlobs(url, "state", StaticCredential(), transport=SimTransport(desk.world))


def soft_delete_and_take_back(desk: Desk) -> None:
    desk.world.vaults.soft_delete(str(WEB))
    desk.vaults.undelete(WEB, VAULT)


def ask_after(desk: Desk) -> None:
    desk.jobs.observe_operation(desk.vaults.refresh_containers(VAULT))
    desk.jobs.observe_operation(desk.vaults.set_protection(WEB, VAULT, "EnhancedPolicy", None))


def look_at_a_slot(desk: Desk) -> None:
    place = Place(SUB, WEST)
    network = found_place(desk.world, place)
    table = desk.world.networks.parts.create(SUB, place.group, ROUTE_TABLE, "routes", WEST)
    subnet = network.subnets[0]
    routed = {**subnet.model, "routeTable": {"id": table.id}}
    desk.world.networks.set_subnet(network, replace(subnet, model=routed))
    AzureNetworks(desk.arm(Identity.READER), desk.clock).observe_network(Slot(place, 1))


ON_ARM: Mapping[str, Callable[[Desk], Any]] = {
    "observe_vm": lambda desk: desk.inventory.observe_vm(WEB),
    "observe_estate": lambda desk: desk.inventory.observe_estate(Scope(subscriptions=(SUB,))),
    "observe_all_restores": lambda desk: AzureRestoreHistory(
        desk.arm(Identity.READER), desk.clock
    ).observe_all_restores(Scope(subscriptions=(SUB,)), desk.clock.now()),
    "observe_occupied": lambda desk: AzureSlotSurvey(
        desk.arm(Identity.READER), desk.clock
    ).observe_occupied(Scope(subscriptions=(SUB,))),
    "observe_vaults": lambda desk: desk.vaults.observe_vaults(SUB, WEST),
    "observe_items": lambda desk: desk.vaults.observe_items(WEB, WEST, None),
    "find_vault": lambda desk: desk.vaults.find_vault(WEB, WEST),
    "list_items": lambda desk: desk.vaults.list_items(VAULT),
    "observe_jobs": lambda desk: desk.jobs.observe_jobs(VAULT, desk.clock.now()),
    "observe_operation": ask_after,
    "create_vault": lambda desk: desk.vaults.create_vault(
        VaultId(SUB, "rg-new", "rsv-2"), WEST, "GeoRedundant"
    ),
    "create_policy": lambda desk: desk.vaults.create_policy(VAULT, SILVER),
    "refresh_containers": lambda desk: desk.vaults.refresh_containers(VAULT),
    "set_protection": lambda desk: desk.vaults.set_protection(WEB, VAULT, "EnhancedPolicy", None),
    "undelete": soft_delete_and_take_back,
    "observe_points": lambda desk: desk.restores.observe_points(WEB, VAULT),
    "observe_network": look_at_a_slot,
    "observe_sizes": lambda desk: AzureSizes(desk.arm(Identity.READER)).observe_sizes(HERE),
    "observe_usages": lambda desk: AzureSizes(desk.arm(Identity.READER)).observe_usages(HERE),
}
BESIDES = {"observe_operation": ("refresh_containers", "set_protection")}


@pytest.mark.parametrize("operation", ON_ARM)
def test_what_an_operation_uses_on_arm_is_what_it_says(desk: Desk, operation: str) -> None:
    adapters = (inventory, history, vaults, restores, networks, sizes)
    said = {name: told for adapter in adapters for name, told in adapter.ACTIONS.items()}
    routes = {route.name: route.action.lower() for route in desk.world.router.routes}

    ON_ARM[operation](desk)

    used = {routes[name] for name in desk.calls()} - UNGUARDED
    allowed = {a.lower() for name in (operation, *BESIDES.get(operation, ())) for a in said[name]}
    assert used <= allowed
    assert allowed - used <= THROUGH_GRAPH.get(operation, UNCHARGED)


def test_all_storage_operations_are_listed(desk: Desk) -> None:
    rows, documents = tables(desk), blobs(desk)

    row = rows.put(Row("vm", "web", {"number": "1"}))
    rows.put(Row("vm", "web", {"number": "2"}, row.etag))
    document = documents.create("a.json", b"1")
    documents.replace(document, b"2")

    assert rows.get("vm", "web") is not None
    assert isinstance(documents.read("a.json"), Blob)
    assert {exchange.request.method for exchange in desk.world.exchanges} == {"GET", "POST", "PUT"}
