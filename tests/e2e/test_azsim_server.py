"""A served world seen through sockets and TLS, by clients that take it for Azure."""

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import urlencode

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableClient
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.storage.blob import BlobClient

from azsim.clock import ScaledClock
from azsim.server import Running, exports, serve
from azsim.world import World

pytestmark = pytest.mark.enable_socket
SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"


def a_world() -> World:
    world = World(clock=ScaledClock(datetime(2026, 3, 2, 8, tzinfo=UTC), scale=1000.0))
    world.groups.add_subscription(SUBSCRIPTION, name="Shop")
    world.machines.create(
        subscription=SUBSCRIPTION,
        group="rg",
        name="web",
        location="westeurope",
        tags={"backup": "gold"},
        created_by="past",
    )
    return world


@pytest.fixture
def served() -> Iterator[Running]:
    with serve(a_world(), rebirth=a_world) as running:
        yield running


@pytest.fixture
def credential(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ManagedIdentityCredential]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", served.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", served.identity_header)
    with ManagedIdentityCredential() as credential:
        yield credential


def compute(served: Running, credential: ManagedIdentityCredential) -> ComputeManagementClient:
    return ComputeManagementClient(
        credential,
        SUBSCRIPTION,
        base_url=served.arm_endpoint,
        credential_scopes=["https://management.azure.com/.default"],
        connection_verify=str(served.ca_file),
        retry_total=0,
    )


def connect(served: Running) -> HTTPSConnection:
    context = ssl.create_default_context(cafile=str(served.ca_file))
    host, _, port = served.arm_endpoint.removeprefix("https://").partition(":")
    return HTTPSConnection(host, int(port), context=context)


def ask(served: Running, method: str, path: str, body: Any = None, **headers: str) -> Any:
    connection = connect(served)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    payload = answer.read()
    connection.close()
    return answer.status, answer.headers, json.loads(payload) if payload else None


def test_the_real_managed_identity_credential_reads_a_machine(
    served: Running, credential: ManagedIdentityCredential
) -> None:
    with compute(served, credential) as client:
        machine = client.virtual_machines.get("rg", "web")

    assert machine.tags == {"backup": "gold"}


def test_operation_links_bear_the_server_s_own_port_and_can_be_followed(
    served: Running, credential: ManagedIdentityCredential
) -> None:
    links: list[str] = []
    with compute(served, credential) as client:
        client.virtual_machines.begin_deallocate(
            "rg",
            "web",
            polling=False,
            raw_response_hook=lambda r: links.append(
                r.http_response.headers["Azure-AsyncOperation"]
            ),
        )
    token = credential.get_token("https://management.azure.com/.default").token
    path = links[0].removeprefix(served.arm_endpoint)

    status, _, body = ask(served, "GET", path, Authorization=f"Bearer {token}")

    assert links[0].startswith(served.arm_endpoint)
    assert (status, body["status"]) == (200, "InProgress")


def test_a_call_without_a_token_is_refused_as_arm_refuses(served: Running) -> None:
    status, headers, body = ask(served, "GET", "/subscriptions?api-version=2022-12-01")

    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
    assert body["error"]["code"] == "AuthenticationFailed"


def test_the_proxy_leads_azure_s_own_names_to_this_world(served: Running) -> None:
    context = ssl.create_default_context(cafile=str(served.ca_file))
    proxy = served.proxy.removeprefix("http://")
    connection = HTTPSConnection(proxy, context=context)
    connection.set_tunnel("management.azure.com", 443)
    connection.request("GET", "/metadata/endpoints?api-version=2022-09-01")
    body = json.loads(connection.getresponse().read())
    connection.close()

    assert body["resourceManager"] == "https://management.azure.com/"


def test_the_proxy_leads_nowhere_else(served: Running) -> None:
    connection = HTTPSConnection(served.proxy.removeprefix("http://"))
    connection.set_tunnel("example.org", 443)

    with pytest.raises(OSError, match="502"):
        connection.connect()
    connection.close()


def test_a_service_principal_gets_its_token(served: Running) -> None:
    principal = served.world.identity.add("deployer", managed=False)
    form = {
        "grant_type": "client_credentials",
        "client_id": principal.client_id,
        "client_secret": principal.secret,
        "scope": "https://management.core.windows.net//.default",
    }
    connection = connect(served)
    connection.request("POST", f"/{served.world.tenant}/oauth2/v2.0/token", urlencode(form))
    token = json.loads(connection.getresponse().read())["access_token"]
    connection.close()
    url = "/subscriptions?api-version=2022-12-01"

    status, _, body = ask(served, "GET", url, Authorization=f"Bearer {token}")

    assert (status, body["value"][0]["displayName"]) == (200, "Shop")


def test_the_real_client_secret_credential_logs_in(served: Running) -> None:
    deployer = served.world.identity.add("deployer", managed=False)

    with ClientSecretCredential(
        served.world.tenant,
        deployer.client_id,
        deployer.secret,
        authority=served.arm_endpoint,
        disable_instance_discovery=True,
        connection_verify=str(served.ca_file),
    ) as credential:
        token = credential.get_token("https://management.azure.com/.default").token

    status, _, _ = ask(
        served, "GET", "/subscriptions?api-version=2022-12-01", Authorization=f"Bearer {token}"
    )
    assert status == 200


def test_tables_are_reached_under_a_path_of_the_server(
    served: Running, credential: ManagedIdentityCredential
) -> None:
    served.world.storage.create_account("ledger").create_table("vms")
    with TableClient(
        f"{served.arm_endpoint}/_table/ledger",
        "vms",
        credential=credential,
        connection_verify=str(served.ca_file),
    ) as table:
        table.create_entity({"PartitionKey": "a", "RowKey": "b", "seen": 7})
        found = table.get_entity("a", "b")

    assert found["seen"] == 7


def test_blobs_are_reached_under_their_own_name_through_the_proxy(
    served: Running, credential: ManagedIdentityCredential
) -> None:
    served.world.storage.create_account("evidence").create_container("chain")
    with BlobClient(
        "https://evidence.blob.core.windows.net",
        "chain",
        "0001.json",
        credential=credential,
        connection_verify=str(served.ca_file),
        proxies={"https": served.proxy},
    ) as blob:
        blob.upload_blob(b"first")
        found = blob.download_blob().readall()

    assert found == b"first"


def test_a_slow_answer_is_slow_for_the_client(served: Running) -> None:
    order = {"faults": [{"kind": "slow", "route": "identity.metadata", "takes": 300}]}
    ask(served, "POST", "/_azsim/faults", order)
    began = time.monotonic()

    ask(served, "GET", "/metadata/endpoints?api-version=2022-09-01")

    assert time.monotonic() - began >= 0.25  # 300 s of a world that runs a thousandfold.


def test_plain_http_gives_tokens_and_nothing_else(served: Running) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served.proxy}/subscriptions?api-version=2022-12-01")


def test_a_reset_before_effect_breaks_the_connection(served: Running) -> None:
    order = {"faults": [{"kind": "reset-before", "route": "identity.metadata"}]}
    ask(served, "POST", "/_azsim/faults", order)

    with pytest.raises((RemoteDisconnected, ConnectionError)):
        ask(served, "GET", "/metadata/endpoints?api-version=2022-09-01")


def test_a_truncated_answer_ends_before_its_length(served: Running) -> None:
    order = {"faults": [{"kind": "truncated", "route": "identity.metadata"}]}
    ask(served, "POST", "/_azsim/faults", order)
    connection = connect(served)
    connection.request("GET", "/metadata/endpoints?api-version=2022-09-01")
    answer = connection.getresponse()

    with pytest.raises(IncompleteRead):
        answer.read()
    connection.close()


def test_a_fault_of_the_control_surface_reaches_a_real_client(
    served: Running, credential: ManagedIdentityCredential
) -> None:
    order = {"faults": [{"kind": "arm-throttled", "route": "machines.get", "retry_after": 7}]}
    ask(served, "POST", "/_azsim/faults", order)

    with (
        compute(served, credential) as client,
        pytest.raises(HttpResponseError) as refused,
    ):
        client.virtual_machines.get("rg", "web")

    assert refused.value.response.headers["Retry-After"] == "7"


def test_the_control_surface_counts_calls_by_client(
    served: Running, credential: ManagedIdentityCredential
) -> None:
    with compute(served, credential) as client:
        client.virtual_machines.get("rg", "web")

    _, _, body = ask(served, "GET", "/_azsim/calls?last=1")

    assert body["by_client"]["mgmt-compute"] == {"machines.get": 1}
    assert body["last"][0]["status"] == 200


def test_the_control_surface_moves_the_clock(served: Running) -> None:
    before = served.world.clock.now()

    ask(served, "POST", "/_azsim/clock", {"seconds": 86400})

    assert served.world.clock.now() - before >= timedelta(days=1)


def test_the_control_surface_refuses_an_unknown_kind(served: Running) -> None:
    status, _, body = ask(served, "POST", "/_azsim/faults", {"faults": [{"kind": "gremlin"}]})

    assert status == 400
    assert "gremlin" in body["error"]


def test_a_reset_gives_a_new_world(served: Running) -> None:
    first = served.world

    ask(served, "POST", "/_azsim/reset")

    assert served.world is not first


def test_what_a_client_needs_is_described(served: Running) -> None:
    described = served.describe()

    assert described["subscriptions"] == [SUBSCRIPTION]
    assert described["env"]["IDENTITY_HEADER"] == described["identity_header"]
    assert f'export AZURE_TENANT_ID="{served.world.tenant}"' in exports(described["env"])
