"""The limits of ARM and of the providers, with the words and headers of the real refusals."""

from dataclasses import replace
from datetime import timedelta

import pytest

from azsim.http import Response
from azsim.throttle import Bucket, Limits
from azsim.world import World
from tests.contract.arm_calls import GROUP, SUBSCRIPTION, VM, ask, code

JOBS = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v/backupJobs"


@pytest.fixture
def azure(world: World) -> World:
    world.groups.add_subscription(SUBSCRIPTION)
    world.groups.create(SUBSCRIPTION, "rg", "westeurope")
    return world


def read(world: World, times: int = 1, token: str = "somebody") -> Response:
    answers = [ask(world, "GET", GROUP, token=token) for _ in range(times)]
    return answers[-1]


def test_reads_count_down_from_250(azure: World) -> None:
    answer = read(azure)

    assert answer.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert answer.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"


def test_a_write_bears_the_recorded_headers(azure: World) -> None:
    answer = ask(azure, "PUT", GROUP, {"location": "westeurope"})

    assert answer.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    assert answer.headers["x-ms-ratelimit-remaining-subscription-global-writes"] == "2999"


def test_the_251st_read_at_once_is_refused(azure: World) -> None:
    answer = read(azure, 251)

    assert (answer.status, code(answer)) == (429, "SubscriptionRequestsThrottled")
    assert answer.headers["Retry-After"] == "1"
    assert "x-ms-request-id" in answer.headers
    assert answer.body["error"]["message"].startswith(
        f"Number of 'read' requests for subscription '{SUBSCRIPTION}' actor"
    )


def test_a_second_refills_25_reads(azure: World) -> None:
    read(azure, 251)

    azure.clock.advance(timedelta(seconds=1))

    assert read(azure, 25).status == 200
    assert read(azure).status == 429


def test_each_principal_has_a_bucket_of_its_own(azure: World) -> None:
    read(azure, 251, token="one")

    assert read(azure, token="another").status == 200


def test_all_principals_together_have_a_bucket_as_well(azure: World) -> None:
    azure.throttle.limits = replace(Limits(), reads=Bucket(10, 1), over_all_principals=2)
    read(azure, 10, token="one")
    read(azure, 10, token="two")

    assert read(azure, token="three").status == 429


def test_deletes_are_counted_apart_from_writes(azure: World) -> None:
    answer = ask(azure, "DELETE", VM)

    assert answer.headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"


def test_tenant_calls_are_counted_for_the_tenant(azure: World) -> None:
    answer = ask(azure, "GET", "/subscriptions")

    assert answer.headers["x-ms-ratelimit-remaining-tenant-reads"] == "249"


def test_recovery_services_counts_each_action_by_the_hour(azure: World) -> None:
    azure.throttle.limits = replace(
        Limits(), recovery_per_hour={"microsoft.recoveryservices/vaults/backupjobs/read": 2}
    )
    azure.vaults.create(SUBSCRIPTION, "rg", "v", "westeurope")

    first, second, third = (ask(azure, "GET", JOBS) for _ in range(3))

    header = "x-ms-ratelimit-remaining-subscription-resource-requests"
    assert (first.headers[header], second.headers[header]) == ("1", "0")
    assert (third.status, code(third)) == (429, "ResourceRequestsThrottled")
    assert third.body["error"]["message"] == (
        "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' "
        "exceeded the limit of '2' for time interval '01:00:00'. Please try again after '3600' "
        "seconds."
    )


def test_the_hour_s_budget_comes_back_after_the_hour(azure: World) -> None:
    azure.throttle.limits = replace(
        Limits(), recovery_per_hour={"microsoft.recoveryservices/vaults/backupjobs/read": 1}
    )
    azure.vaults.create(SUBSCRIPTION, "rg", "v", "westeurope")
    ask(azure, "GET", JOBS)

    azure.clock.advance(timedelta(hours=1))

    assert ask(azure, "GET", JOBS).status == 200


def test_compute_counts_operation_groups(azure: World) -> None:
    answer = ask(azure, "GET", f"{GROUP}/providers/Microsoft.Compute/virtualMachines")

    assert answer.headers["x-ms-ratelimit-remaining-resource"] == (
        "Microsoft.Compute/HighCostGet3Min;159,Microsoft.Compute/HighCostGet30Min;799"
    )


def test_compute_refuses_with_the_group_that_is_spent(azure: World) -> None:
    azure.throttle.limits = replace(Limits(), compute={"LowCostGet": (1, 10)})
    ask(azure, "GET", VM)

    answer = ask(azure, "GET", VM)

    assert (answer.status, code(answer)) == (429, "OperationNotAllowed")
    assert answer.body["error"]["details"][0]["target"] == "LowCostGet3Min"
    assert answer.headers["Retry-After"] == "180"


def test_resource_graph_allows_15_queries_in_5_seconds(azure: World) -> None:
    query = {"subscriptions": [SUBSCRIPTION], "query": "Resources | project id"}
    path = "/providers/Microsoft.ResourceGraph/resources"

    answers = [ask(azure, "POST", path, query, version="2021-03-01") for _ in range(16)]

    assert answers[0].headers["x-ms-user-quota-remaining"] == "14"
    assert (answers[15].status, code(answers[15])) == (429, "RateLimiting")
    assert answers[15].headers["x-ms-user-quota-resets-after"] == "00:00:05"


def test_limits_can_be_lifted(azure: World) -> None:
    azure.throttle.limits = Limits.none()

    answer = read(azure, 1000)

    assert answer.status == 200
    assert [name for name in answer.headers if "ratelimit" in name] == []
