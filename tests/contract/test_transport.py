"""The in-process transport under each client of the product: none may tell it from a wire."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import HttpRequest as LegacyRequest
from azure.core.rest import HttpRequest
from azure.data.tables import TableServiceClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.recoveryservices import RecoveryServicesClient
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest
from azure.storage.blob import BlobServiceClient

from azsim.http import ArmError, ConnectionLost, Response
from azsim.router import Call, Route, Router
from azsim.transport import SimTransport
from azsim.world import World
from tests.credentials import StaticCredential

ARM = "https://management.azure.com"
URL = f"{ARM}/thing?api-version=1"
TOKEN = {"Authorization": "Bearer token"}


@pytest.fixture
def bare(world: World) -> Callable[[Callable[[Call], Response]], SimTransport]:
    """Return a maker of transports to a world that has one route, answered as the test says."""

    def make(answer: Callable[[Call], Response]) -> SimTransport:
        paths = {method: Route(method, method, "/thing", answer) for method in ("GET", "PUT")}
        world.router = Router(paths.values())
        return SimTransport(world, client="test")

    return make


Bare = Callable[[Callable[[Call], Response]], SimTransport]


@pytest.mark.parametrize("kind", [HttpRequest, LegacyRequest])
def test_both_kinds_of_request_are_answered(bare: Bare, kind: type[Any]):
    transport = bare(lambda call: Response(200, {"ok": True}, {"X-Made-By": "azsim"}))

    answer = transport.send(kind("GET", URL, headers=TOKEN))

    assert answer.status_code == 200
    assert answer.reason == "OK"
    assert answer.text() == '{"ok": true}'
    assert answer.headers["x-made-BY"] == "azsim"
    assert answer.content_type == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"json": {"a": 1}}, b'{"a": 1}'),
        ({"content": b"\x00\xff"}, b"\x00\xff"),
        ({"content": iter([b"a", b"b"])}, b"ab"),
        ({"data": {"a": "1 2"}}, b"a=1+2"),
    ],
)
def test_every_kind_of_body_arrives(
    world: World, bare: Bare, body: dict[str, Any], expected: bytes
):
    transport = bare(lambda call: Response(200))

    transport.send(HttpRequest("PUT", URL, headers=TOKEN, **body))

    assert world.exchanges[-1].request.body == expected
    assert world.exchanges[-1].request.client == "test"


def test_an_error_is_raised_when_asked_for(bare: Bare):
    def refuse(call: Call) -> Response:
        raise ArmError(404, "ResourceNotFound", "It is not there.")

    answer = bare(refuse).send(HttpRequest("GET", URL, headers=TOKEN))

    with pytest.raises(HttpResponseError, match="It is not there"):
        answer.raise_for_status()


def test_a_body_streams(bare: Bare):
    transport = bare(lambda call: Response(200, b"x" * 10_000))

    answer = transport.send(HttpRequest("GET", URL, headers=TOKEN), stream=True)

    assert answer.is_stream_consumed is False
    assert sum(len(chunk) for chunk in answer.iter_raw()) == 10_000


@pytest.mark.parametrize("stream", [False, True])
def test_a_truncated_body_is_noticed(bare: Bare, stream: bool):
    transport = bare(lambda call: Response(200, b"short", {"Content-Length": "50"}))

    with pytest.raises(IncompleteReadError):
        transport.send(HttpRequest("GET", URL, headers=TOKEN), stream=stream).read()


@pytest.mark.parametrize(
    ("after_effect", "expected"), [(False, ServiceRequestError), (True, ServiceResponseError)]
)
def test_a_broken_connection_tells_whether_the_request_had_left(
    bare: Bare, after_effect: bool, expected: type[Exception]
):
    def drop(call: Call) -> Response:
        raise ConnectionLost(after_effect=after_effect)

    with pytest.raises(expected):
        bare(drop).send(HttpRequest("GET", URL, headers=TOKEN))


def test_an_answer_beyond_the_read_timeout_is_a_timeout(world: World, bare: Bare):
    def dawdle(call: Call) -> Response:
        world.clock.advance(timedelta(seconds=61))
        return Response(200)

    with pytest.raises(ServiceResponseTimeoutError):
        bare(dawdle).send(HttpRequest("GET", URL, headers=TOKEN), read_timeout=60)


def test_the_sdks_own_retries_move_the_virtual_clock(world: World, bare: Bare):
    answers = iter([429, 429, 200])

    def throttle(call: Call) -> Response:
        return Response(next(answers), None, {"Retry-After": "300"})

    client: ARMPipelineClient[Any, Any] = ARMPipelineClient(
        ARM, transport=bare(throttle), policies=[RetryPolicy()]
    )
    began = world.clock.now()

    answer = client.send_request(HttpRequest("GET", URL, headers=TOKEN))

    assert answer.status_code == 200
    assert world.clock.now() - began == timedelta(seconds=600)


def test_a_transport_is_shared_and_outlives_its_clients(bare: Bare):
    transport = bare(lambda call: Response(200))
    for _ in range(2):
        with ARMPipelineClient(ARM, transport=transport, policies=[RetryPolicy()]) as client:
            client.send_request(HttpRequest("GET", URL, headers=TOKEN))


def test_what_clients_set_on_the_way_is_seen(world: World, credential: StaticCredential):
    subscription = world.groups.add_subscription("one")
    client = RecoveryServicesClient(
        credential, subscription, base_url=ARM, transport=SimTransport(world)
    )
    list(client.vaults.list_by_subscription_id())

    request = world.exchanges[-1].request
    assert request.header("authorization") == "Bearer token-of-a-test"
    assert (request.header("user-agent") or "").startswith("azsdk-python-mgmt-recoveryservices/")
    assert request.origin == ARM


def test_each_client_of_the_product_gets_an_answer(world: World, credential: StaticCredential):
    subscription = world.groups.add_subscription("one")
    world.groups.create(subscription, "rg", "westeurope")
    world.machines.create(subscription=subscription, group="rg", name="web", location="westeurope")
    world.vaults.create(subscription, "rg", "rsv", "westeurope")
    account = world.storage.create_account("ledger")
    account.create_table("hints")
    account.create_container("evidence").write("1", b"{}", world.clock.now())
    world.clock.advance(timedelta(minutes=10))
    transport = SimTransport(world)
    arm = {"base_url": ARM, "transport": transport}

    compute = ComputeManagementClient(credential, subscription, **arm)
    vaults = RecoveryServicesClient(credential, subscription, **arm)
    backup = RecoveryServicesBackupClient(credential, subscription, **arm)
    graph = ResourceGraphClient(credential, **arm)
    tables = TableServiceClient(
        "https://ledger.table.core.windows.net", credential=credential, transport=transport
    )
    blobs = BlobServiceClient(
        "https://ledger.blob.core.windows.net", credential=credential, transport=transport
    )

    assert [vm.name for vm in compute.virtual_machines.list_all()] == ["web"]
    assert vaults.vaults.get("rg", "rsv").location == "westeurope"
    assert "DefaultPolicy" in [p.name for p in backup.backup_policies.list("rsv", "rg")]
    assert graph.resources(QueryRequest(query="Resources | where name == 'web'")).count == 1
    assert [table.name for table in tables.list_tables()] == ["hints"]
    assert blobs.get_blob_client("evidence", "1").download_blob().readall() == b"{}"
    with pytest.raises(ResourceNotFoundError):
        compute.virtual_machines.get("rg", "nothing")
