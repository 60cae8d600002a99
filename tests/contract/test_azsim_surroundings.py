"""What stands around machines: networks, interfaces and storage accounts, as ARM shows them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from azsim.http import Request, Response
from azsim.world import World

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
NETWORKS = f"{GROUP}/providers/Microsoft.Network/virtualNetworks"
ACCOUNTS = f"{GROUP}/providers/Microsoft.Storage/storageAccounts"
A_NETWORK = {
    "location": "westeurope",
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
        "subnets": [{"name": "apart", "properties": {"addressPrefix": "10.1.0.0/24"}}],
    },
}


@pytest.fixture
def rg(world: World) -> World:
    world.groups.create(SUBSCRIPTION, "rg", "westeurope")
    return world


def ask(world: World, method: str, path: str, body: Any = None) -> Response:
    url = path if path.startswith("https:") else f"https://management.azure.com{path}"
    url = url if "api-version" in url else f"{url}?api-version=2024-05-01"
    payload = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": "Bearer t", "content-type": "application/json"}
    return world.handle(Request(method, url, headers, payload))


def test_a_network_is_made_and_asked_after_by_its_link(rg: World) -> None:
    made = ask(rg, "PUT", f"{NETWORKS}/apart", A_NETWORK)
    going = ask(rg, "GET", made.headers["Azure-AsyncOperation"])
    rg.clock.advance(timedelta(seconds=20))
    done = ask(rg, "GET", made.headers["Azure-AsyncOperation"])

    assert made.status == 201
    assert (going.body, done.body) == ({"status": "InProgress"}, {"status": "Succeeded"})


def test_a_network_shows_its_subnets_once_it_is_made(rg: World) -> None:
    ask(rg, "PUT", f"{NETWORKS}/apart", A_NETWORK)
    rg.clock.advance(timedelta(seconds=20))

    body = ask(rg, "GET", f"{NETWORKS}/APART").body

    assert body["properties"]["provisioningState"] == "Succeeded"
    assert [subnet["id"] for subnet in body["properties"]["subnets"]] == [
        f"{NETWORKS}/apart/subnets/apart"
    ]


def test_a_network_that_nobody_made_is_not_found(rg: World) -> None:
    answer = ask(rg, "GET", f"{NETWORKS}/apart")

    assert (answer.status, answer.body["error"]["code"]) == (404, "ResourceNotFound")


def test_a_network_is_gone_after_its_deletion(rg: World) -> None:
    ask(rg, "PUT", f"{NETWORKS}/apart", A_NETWORK)

    answer = ask(rg, "DELETE", f"{NETWORKS}/apart")
    rg.clock.advance(timedelta(seconds=20))

    assert answer.status == 202
    assert ask(rg, "GET", NETWORKS).body["value"] == []
    assert ask(rg, "DELETE", f"{NETWORKS}/apart").status == 204


@pytest.mark.asks_in_vain
def test_what_azsim_lacks_of_a_network_is_refused(rg: World) -> None:
    properties = A_NETWORK["properties"] | {"ddosProtectionPlan": {"id": "x"}}  # type: ignore[operator]

    answer = ask(rg, "PUT", f"{NETWORKS}/apart", A_NETWORK | {"properties": properties})

    assert answer.status == 501


def test_the_interface_of_a_machine_is_in_a_network_that_is_there(rg: World) -> None:
    rg.machines.create(subscription=SUBSCRIPTION, group="rg", name="web", location="westeurope")
    nic = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/webVMNic"

    (address,) = ask(rg, "GET", nic).body["properties"]["ipConfigurations"]
    network = ask(rg, "GET", address["properties"]["subnet"]["id"].rsplit("/subnets/")[0])

    assert network.status == 200
    assert address["properties"]["privateIPAddress"] == "10.0.0.4"
    assert address["properties"]["subnet"]["id"] == network.body["properties"]["subnets"][0]["id"]


def test_two_machines_have_two_addresses(rg: World) -> None:
    rg.machines.create(subscription=SUBSCRIPTION, group="rg", name="web", location="westeurope")
    rg.machines.create(subscription=SUBSCRIPTION, group="rg", name="db", location="westeurope")
    below = f"{GROUP}/providers/Microsoft.Network/networkInterfaces"

    first, second = (ask(rg, "GET", f"{below}/{name}VMNic").body for name in ("web", "db"))

    assert first["properties"]["ipConfigurations"] != second["properties"]["ipConfigurations"]


def test_a_storage_account_is_there_some_time_after_it_was_asked_for(rg: World) -> None:
    body = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}

    asked = ask(rg, "PUT", f"{ACCOUNTS}/staging", body)
    waiting = ask(rg, "GET", asked.headers["Location"])
    rg.clock.advance(timedelta(seconds=30))
    done = ask(rg, "GET", asked.headers["Location"])

    assert (asked.status, waiting.status, done.status) == (202, 202, 200)
    assert ask(rg, "GET", f"{ACCOUNTS}/staging").body == done.body


def test_the_name_of_a_storage_account_is_taken_once_in_the_world(rg: World) -> None:
    rg.storage.create_account("staging")

    answer = ask(rg, "PUT", f"{ACCOUNTS}/staging", {"location": "westeurope"})

    assert (answer.status, answer.body["error"]["code"]) == (409, "StorageAccountAlreadyTaken")


def test_a_deleted_group_takes_its_accounts_and_networks_along(rg: World) -> None:
    rg.storage_accounts.create(SUBSCRIPTION, "rg", "staging", "westeurope")
    rg.networks.create(SUBSCRIPTION, "rg", "apart", "westeurope")

    rg.groups.delete(SUBSCRIPTION, "rg")
    rg.groups.create(SUBSCRIPTION, "rg", "westeurope")

    assert ask(rg, "GET", ACCOUNTS).body["value"] == []
    assert ask(rg, "GET", NETWORKS).body["value"] == []
    assert not rg.storage.has_account("staging")


def test_resource_graph_and_the_list_of_resources_know_them(rg: World) -> None:
    rg.storage_accounts.create(SUBSCRIPTION, "rg", "staging", "westeurope")
    rg.networks.create(SUBSCRIPTION, "rg", "apart", "westeurope")
    rg.clock.advance(timedelta(hours=1))
    query = {"query": "resources | project name | order by name asc"}

    graph = ask(rg, "POST", "/providers/Microsoft.ResourceGraph/resources", query).body["data"]
    listed = ask(rg, "GET", f"/subscriptions/{SUBSCRIPTION}/resources").body["value"]

    assert [row["name"] for row in graph] == ["apart", "staging"]
    assert {row["name"] for row in listed} == {"apart", "staging"}


def test_whether_a_name_is_free_is_told_beforehand(rg: World) -> None:
    rg.storage.create_account("staging")
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability"
    asked = {"type": "Microsoft.Storage/storageAccounts"}

    taken, free, bad = (
        ask(rg, "POST", path, asked | {"name": name}).body for name in ("staging", "other", "A-b")
    )

    assert (taken["reason"], bad["reason"]) == ("AlreadyExists", "AccountNameInvalid")
    assert free == {"nameAvailable": True}


def test_what_an_account_was_told_it_shows_again(rg: World) -> None:
    body = {"location": "westeurope", "properties": {"minimumTlsVersion": "TLS1_2"}}

    ask(rg, "PUT", f"{ACCOUNTS}/staging", body)
    rg.clock.advance(timedelta(seconds=30))

    shown = ask(rg, "GET", f"{ACCOUNTS}/staging").body["properties"]
    assert shown["minimumTlsVersion"] == "TLS1_2"


def test_a_machine_that_is_put_as_it_was_keeps_its_interface(rg: World) -> None:
    rg.machines.create(subscription=SUBSCRIPTION, group="rg", name="web", location="westeurope")
    path = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web"

    put = ask(rg, "PUT", path, ask(rg, "GET", path).body)
    nic = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/webVMNic"

    assert put.status == 200
    assert ask(rg, "GET", nic).status == 200


def test_a_list_of_resources_shows_times_and_states_where_they_are_asked_for(rg: World) -> None:
    rg.storage_accounts.create(SUBSCRIPTION, "rg", "staging", "westeurope")
    path = f"/subscriptions/{SUBSCRIPTION}/resources?api-version=2024-11-01"
    wide = f"{path}&$expand=createdTime,changedTime,provisioningState"

    (plain,), (expanded,) = (ask(rg, "GET", url).body["value"] for url in (path, wide))

    assert expanded == plain | {
        "createdTime": "2026-03-02T08:00:00Z",
        "changedTime": "2026-03-02T08:00:00Z",
        "provisioningState": "Succeeded",
    }
