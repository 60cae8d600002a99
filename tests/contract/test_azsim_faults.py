"""What goes wrong on purpose: by script, by seed, before and after the service has acted."""

from collections import Counter
from datetime import timedelta

import pytest
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.mgmt.compute import ComputeManagementClient

from azsim.fault_answers import ANSWERS
from azsim.faults import Fault, Kind
from azsim.http import ConnectionLost, Response
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.arm_calls import GROUP, SUBSCRIPTION, VM, ask, code


@pytest.fixture
def azure(world: World) -> World:
    world.groups.add_subscription(SUBSCRIPTION)
    world.machines.create(subscription=SUBSCRIPTION, group="rg", name="web", location="westeurope")
    return world


def patch(world: World) -> Response:
    return ask(world, "PATCH", VM, {"tags": {"patched": "yes"}})


@pytest.mark.parametrize("kind", sorted(ANSWERS, key=lambda kind: kind.value))
def test_a_kind_answers_with_its_status_and_code(azure: World, kind: Kind) -> None:
    azure.faults.add(Fault(kind, "machines.patch"))

    answer = patch(azure)

    assert (answer.status, code(answer)) == ANSWERS[kind][:2]
    assert azure.machines.find(VM).tags == {}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.ARM_THROTTLED, "SubscriptionRequestsThrottled"),
        (Kind.PROVIDER_THROTTLED, "ResourceRequestsThrottled"),
        (Kind.COMPUTE_THROTTLED, "OperationNotAllowed"),
        (Kind.GRAPH_THROTTLED, "RateLimiting"),
    ],
)
def test_a_throttling_fault_speaks_as_its_service(azure: World, kind: Kind, expected: str) -> None:
    azure.faults.add(Fault(kind, "machines.get", retry_after=timedelta(hours=1)))

    answer = ask(azure, "GET", VM)

    assert (answer.status, code(answer)) == (429, expected)
    assert answer.headers["Retry-After"] == "3600"


def test_the_nth_call_is_struck_and_as_many_as_are_asked_for(azure: World) -> None:
    azure.faults.add(Fault(Kind.INTERNAL, "machines.get", nth=2, times=2))

    assert [ask(azure, "GET", VM).status for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_without_end_strikes_every_call(azure: World) -> None:
    azure.faults.add(Fault(Kind.UNAVAILABLE, "machines.*", times=None))

    assert [ask(azure, "GET", VM).status for _ in range(4)] == [503] * 4


def test_a_fault_can_be_narrowed_to_a_resource(azure: World) -> None:
    azure.faults.add(Fault(Kind.INTERNAL, "machines.get", times=None, resource="/DB"))

    assert ask(azure, "GET", VM).status == 200
    assert ask(azure, "GET", VM.replace("/web", "/db")).status == 500


def test_a_fault_that_struck_nothing_is_listed(azure: World) -> None:
    fault = Fault(Kind.INTERNAL, "machines.delete")
    azure.faults.add(fault, Fault(Kind.INTERNAL, "machines.get"))

    ask(azure, "GET", VM)

    assert azure.faults.unused() == [fault]


def test_an_error_after_the_effect_leaves_the_effect(azure: World) -> None:
    azure.faults.add(Fault(Kind.GATEWAY_TIMEOUT, "machines.patch", after_effect=True))

    answer = patch(azure)

    assert answer.status == 504
    assert azure.machines.find(VM).tags == {"patched": "yes"}  # type: ignore[union-attr]


def test_a_connection_reset_before_the_effect_has_none(azure: World) -> None:
    azure.faults.add(Fault(Kind.RESET_BEFORE, "machines.patch"))

    with pytest.raises(ConnectionLost):
        patch(azure)

    assert azure.machines.find(VM).tags == {}  # type: ignore[union-attr]


def test_a_connection_reset_after_the_effect_has_one_and_is_counted(azure: World) -> None:
    azure.faults.add(Fault(Kind.RESET_AFTER, "machines.patch"))

    with pytest.raises(ConnectionLost):
        patch(azure)

    assert azure.machines.find(VM).tags == {"patched": "yes"}  # type: ignore[union-attr]
    assert [exchange.route for exchange in azure.exchanges] == ["machines.patch"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [(Kind.RESET_BEFORE, ServiceRequestError), (Kind.RESET_AFTER, ServiceResponseError)],
)
def test_the_real_client_sees_a_broken_connection(
    azure: World, credential: TokenCredential, kind: Kind, error: type[Exception]
) -> None:
    client = ComputeManagementClient(
        credential,
        SUBSCRIPTION,
        base_url="https://management.azure.com",
        transport=SimTransport(azure),
        retry_total=0,
    )
    azure.faults.add(Fault(kind, "machines.get"))

    with pytest.raises(error):
        client.virtual_machines.get("rg", "web")


def test_a_truncated_answer_says_its_full_length(azure: World) -> None:
    azure.faults.add(Fault(Kind.TRUNCATED, "machines.get"))

    headers, payload = ask(azure, "GET", VM).encoded()

    assert int(headers["Content-Length"]) > len(payload) > 0


def test_a_slow_answer_takes_its_time(azure: World) -> None:
    azure.faults.add(Fault(Kind.SLOW, "machines.get", takes=timedelta(minutes=4)))
    before = azure.clock.now()

    ask(azure, "GET", VM)

    assert azure.clock.now() - before == timedelta(minutes=4)


def test_a_stale_read_shows_what_was_read_before(azure: World) -> None:
    ask(azure, "GET", VM)
    patch(azure)
    azure.faults.add(Fault(Kind.STALE, "machines.get"))

    stale, fresh = ask(azure, "GET", VM), ask(azure, "GET", VM)

    assert (stale.body["tags"], fresh.body["tags"]) == ({}, {"patched": "yes"})


def test_a_stale_read_waits_for_something_to_be_stale(azure: World) -> None:
    azure.faults.add(Fault(Kind.STALE, "machines.get"))

    ask(azure, "GET", VM)

    assert len(azure.faults.unused()) == 1


def test_an_operation_can_be_told_to_fail_later(azure: World) -> None:
    azure.faults.add(
        Fault(Kind.LATE_FAILURE, "items.put", nth=2, code="UserErrorX", message="it failed")
    )

    asked = [azure.faults.late_failure("items.put", VM) for _ in range(3)]

    assert asked == [None, ("UserErrorX", "it failed"), None]


def test_an_agent_can_be_kept_from_ever_being_ready(azure: World) -> None:
    azure.faults.add(Fault(Kind.AGENT_NEVER_READY, resource="virtualMachines/WEB"))

    azure.clock.advance(timedelta(days=1))

    assert azure.machines.find(VM).agent_ready is False  # type: ignore[union-attr]
    assert azure.faults.unused() == []


def test_a_fault_can_be_meant_for_one_principal(azure: World) -> None:
    restorer = azure.identity.add("restorer")
    token, _ = azure.identity.token(restorer, "https://management.azure.com")
    azure.faults.add(Fault(Kind.FORBIDDEN, times=None, principal=restorer.oid))

    assert ask(azure, "GET", VM).status == 200
    assert ask(azure, "GET", VM, token=token).status == 403


def test_faults_by_seed_strike_the_same_calls_again() -> None:
    def statuses() -> list[int]:
        world = World(seed=7)
        world.groups.add_subscription(SUBSCRIPTION)
        world.groups.create(SUBSCRIPTION, "rg", "westeurope")
        world.faults.random(0.3, [Kind.INTERNAL, Kind.UNAVAILABLE, Kind.NOT_FOUND])
        return [ask(world, "GET", GROUP).status for _ in range(200)]

    first = statuses()

    assert first == statuses()
    assert 120 <= Counter(first)[200] <= 160
    assert set(first) == {200, 404, 500, 503}


def test_a_fault_of_another_provider_is_not_drawn(azure: World) -> None:
    azure.faults.random(1.0, [Kind.PROVIDER_THROTTLED, Kind.GRAPH_THROTTLED])

    assert ask(azure, "GET", VM).status == 200


def test_cleared_faults_strike_no_more(azure: World) -> None:
    azure.faults.add(Fault(Kind.INTERNAL, times=None))
    ask(azure, "GET", VM)

    azure.faults.clear()

    assert ask(azure, "GET", VM).status == 200
    assert [strike.fault.kind for strike in azure.faults.struck] == [Kind.INTERNAL]


def test_an_exchange_knows_the_fault_that_struck_it(azure: World) -> None:
    azure.faults.add(Fault(Kind.INTERNAL, "machines.get"))

    ask(azure, "GET", VM)

    assert azure.exchanges[-1].fault is not None
    assert azure.exchanges[-1].fault.kind is Kind.INTERNAL


def test_a_storage_call_is_refused_in_storage_s_words(azure: World) -> None:
    azure.storage.create_account("ledger")
    azure.faults.add(Fault(Kind.UNAVAILABLE, "tables.*"))
    url = "https://ledger.table.core.windows.net/Tables"

    answer = ask(azure, "GET", url, version="")

    assert answer.status == 503
    assert b"ServerBusy" in answer.encoded()[1]


def test_counting_starts_at_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        Fault(Kind.INTERNAL, nth=0)
