"""Resource Graph as its real client sees it: KQL executed over an estate, late, in pages."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from azsim.http import Request
from azsim.throttle import Limits
from azsim.transport import SimTransport
from azsim.world import World
from tests.credentials import StaticCredential

UNPROTECTED = """
Resources
| where type in~('microsoft.compute/virtualmachines')
| extend resourceId=tolower(id)
| join kind=leftouter (
    RecoveryServicesResources
    | where type==
      "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
    | where properties.backupManagementType=="AzureIaasVM"
    | project resourceId=tolower(tostring(properties.sourceResourceId)),backupItemid=id
  ) on resourceId
| where isempty(backupItemid)
"""  # The documented query (query-backups-using-azure-resource-graph).


@pytest.fixture
def estate(world: World) -> World:
    """Two subscriptions, four machines (one of them protected), and an index without lag."""
    world.graph.lag = timedelta(0)
    world.throttle.limits = Limits.none()
    one, two = world.groups.add_subscription("one"), world.groups.add_subscription("two")
    for subscription, name, tags in (
        (one, "web", {"Backup": "gold"}),
        (one, "db", {"backup": "silver"}),
        (one, "tmp", {}),
        (two, "far", {"backup": "gold"}),
    ):
        world.machines.create(
            subscription=subscription, group="rg", name=name, location="westeurope", tags=tags
        )
    vault = world.vaults.create(one, "rg-backup", "rsv", "westeurope")
    world.vaults.protect(world.machines.in_subscription(one)[0].id, vault)
    world.clock.advance(timedelta(minutes=1))
    return world


@pytest.fixture
def client(estate: World, credential: StaticCredential) -> ResourceGraphClient:
    return ResourceGraphClient(credential, transport=SimTransport(estate), retry_total=0)


def ask(client: ResourceGraphClient, query: str, **request: Any) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = client.resources(QueryRequest(query=query, **request)).data
    return answer


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (
            "Resources | where type =~ 'Microsoft.Compute/virtualMachines' | project name"
            " | order by name asc",
            [{"name": "db"}, {"name": "far"}, {"name": "tmp"}, {"name": "web"}],
        ),
        (
            "where type == 'microsoft.compute/virtualmachines' and tags.backup =~ 'GOLD'"
            " | project name",
            [{"name": "far"}],
        ),
        (
            "resources | where name == 'web' | project tags, "
            "power = properties.extended.instanceView.powerState.code",
            [{"tags": {"Backup": "gold"}, "power": "PowerState/running"}],
        ),
        (
            "ResourceContainers | where type =~ 'microsoft.resources/subscriptions'"
            " | summarize count() by type",
            [{"type": "microsoft.resources/subscriptions", "count_": 2}],
        ),
        (
            "RecoveryServicesResources | where type endswith '/protecteditems'"
            " | project vm = tostring(properties.friendlyName)",
            [{"vm": "web"}],
        ),
        (
            "Resources | where type endswith 'virtualmachines' | join kind=inner ("
            "ResourceContainers | where type endswith 'subscriptions'"
            " | project sub = name, subscriptionId) on subscriptionId"
            " | summarize vms = make_set(name) by sub | where sub == 'two' | project vms",
            [{"vms": ["far"]}],
        ),
        ("Resources | where type endswith '/virtualmachines' | count", [{"Count": 4}]),
        (
            "Resources | where name == 'web' | mv-expand bagexpansion=array tags"
            " | project key = tostring(tags[0])",
            [{"key": "Backup"}],
        ),
        ("Resources | take 1 | project when = todatetime('2026-01-02')", None),
    ],
)
def test_a_query_is_executed(
    client: ResourceGraphClient, query: str, rows: list[dict[str, Any]] | None
):
    assert ask(client, query) == (rows or [{"when": "2026-01-02T00:00:00.0000000Z"}])


def test_the_documented_query_finds_the_unprotected(client: ResourceGraphClient):
    names = sorted(row["name"] for row in ask(client, UNPROTECTED))

    assert names == ["db", "far", "tmp"]


def test_a_query_sees_only_the_subscriptions_that_it_names(
    estate: World, client: ResourceGraphClient
):
    one, two = estate.groups.subscriptions
    query = "Resources | where type endswith '/virtualmachines' | project name"
    estate.graph.add_management_group("platform", [two])

    assert len(ask(client, query)) == 4
    assert [row["name"] for row in ask(client, query, subscriptions=[two.upper()])] == ["far"]
    assert len(ask(client, query, subscriptions=[one])) == 3
    assert len(ask(client, query, management_groups=["Platform"])) == 1


def test_a_query_over_no_known_subscription_is_refused(client: ResourceGraphClient):
    with pytest.raises(HttpResponseError) as refused:
        ask(client, "Resources | count", subscriptions=["00000000-0000-0000-0000-000000000000"])

    assert refused.value.status_code == 400
    assert refused.value.error.details[0].code == "NoValidSubscriptionsInQueryRequest"


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("Resources | where name ==", ["InvalidQuery", "ParserFailure"]),
        ("Resources | project-rename a = name", ["InvalidQuery", "InvalidQueryLanguage"]),
        ("Resources | evaluate bag_unpack(tags)", ["InvalidQuery", "InvalidQueryLanguage"]),
        ("let a = 1; Resources | take a", ["InvalidQuery", "InvalidQueryLanguage"]),
        ("Resources | extend x = toscalar(Resources | count)", ["InvalidQuery"]),
        (
            "Resources | join kind=rightanti ResourceContainers on subscriptionId",
            ["InvalidQuery", "InvalidQueryLanguage"],
        ),
        ("Resources | extend x = series_fir(tags)", ["InvalidQuery", "InvalidQueryLanguage"]),
        ("Nothing | take 1", ["InvalidQuery", "DisallowedLogicalTableName"]),
        ("Resources | project nothing", ["InvalidQuery"]),
        (
            "Resources | mv-expand a=tags | mv-expand b=tags | mv-expand c=tags | mv-expand d=tags",
            ["InvalidQuery", "InvalidQueryLanguage"],
        ),
    ],
)
def test_what_resource_graph_does_not_take_is_refused_in_its_words(
    client: ResourceGraphClient, query: str, codes: list[str]
):
    with pytest.raises(HttpResponseError) as refused:
        ask(client, query)

    assert refused.value.status_code == 400
    assert refused.value.error.code == "BadRequest"
    assert refused.value.error.message.startswith("Please provide below info when asking")
    assert [detail.code for detail in refused.value.error.details][: len(codes)] == codes


def test_an_operator_within_a_string_is_no_operator(client: ResourceGraphClient):
    assert ask(client, "Resources | where name == 'a | evaluate b' // | evaluate c") == []


@pytest.mark.asks_in_vain
@pytest.mark.parametrize(
    "query", ["AdvisorResources | take 1", "Resources | extend k = bag_keys(tags)"]
)
def test_what_only_azsim_lacks_is_said_to_be_so(world: World, query: str):
    world.groups.add_subscription("one")
    request = Request(
        "POST",
        "https://management.azure.com/providers/Microsoft.ResourceGraph/resources"
        "?api-version=2024-04-01",
        {"authorization": "Bearer token"},
        b'{"query": "' + query.encode() + b'"}',
    )

    assert world.handle(request).status == 501
    assert world.unknown == [request]


def test_pages_continue_until_all_is_told(estate: World, client: ResourceGraphClient):
    subscription = next(iter(estate.groups.subscriptions))
    for number in range(2_500):
        estate.machines.create(
            subscription=subscription, group="many", name=f"vm{number}", location="westeurope"
        )
    query = "Resources | where resourceGroup == 'many' | project id, name"
    query += " | where id contains 'virtualMachines' | order by id asc"
    first = client.resources(QueryRequest(query=query))
    second = client.resources(
        QueryRequest(query=query, options=QueryRequestOptions(skip_token=first.skip_token))
    )
    third = client.resources(
        QueryRequest(query=query, options=QueryRequestOptions(skip_token=second.skip_token))
    )

    pages = [first, second, third]
    assert [page.count for page in pages] == [1000, 1000, 500]
    assert {page.total_records for page in pages} == {2500}
    assert {page.result_truncated for page in pages} == {"false"}
    assert third.skip_token is None
    assert len({row["id"] for page in pages for row in page.data}) == 2500


def test_a_page_shows_what_was_true_when_the_query_began(
    estate: World, client: ResourceGraphClient
):
    query = "Resources | where type endswith '/virtualmachines' | project name | order by name asc"
    first = client.resources(QueryRequest(query=query, options=QueryRequestOptions(top=2)))
    estate.machines.delete(
        estate.machines.in_subscription(next(iter(estate.groups.subscriptions)))[0].id
    )
    second = client.resources(
        QueryRequest(query=query, options=QueryRequestOptions(skip_token=first.skip_token))
    )

    assert [row["name"] for row in first.data + second.data] == ["db", "far", "tmp", "web"]


@pytest.mark.parametrize(
    "query",
    [
        "Resources | where type endswith '/virtualmachines' | project name | limit 3",
        "Resources | where type endswith '/virtualmachines' | project tags",
    ],
)
def test_a_limit_or_only_dynamic_columns_bar_continuation(client: ResourceGraphClient, query: str):
    page = client.resources(QueryRequest(query=query, options=QueryRequestOptions(top=2)))

    assert page.count == 2
    assert page.skip_token is None
    assert page.result_truncated == "true"


@pytest.mark.parametrize("token", ["bm9uc2Vuc2U=", "eyJhIjogMX0=", "%%%"])
def test_a_strange_token_is_refused(client: ResourceGraphClient, token: str):
    with pytest.raises(HttpResponseError) as refused:
        client.resources(
            QueryRequest(query="Resources | count", options=QueryRequestOptions(skip_token=token))
        )

    assert refused.value.status_code == 400


def test_a_table_names_and_types_its_columns(client: ResourceGraphClient):
    page = client.resources(
        QueryRequest(
            query="Resources | where name == 'db' | project name, tags, n = 1, on = true, d = 0.5",
            options=QueryRequestOptions(result_format="table"),
        )
    )

    assert page.data == {
        "columns": [
            {"name": "name", "type": "string"},
            {"name": "tags", "type": "object"},
            {"name": "n", "type": "integer"},
            {"name": "on", "type": "boolean"},
            {"name": "d", "type": "number"},
        ],
        "rows": [["db", {"backup": "silver"}, 1, True, 0.5]],
    }


def test_ago_means_virtual_time(estate: World, client: ResourceGraphClient):
    query = "Resources | where name == 'web' | project before = "
    query += "ago(1d) < datetime(2026-03-01 08:01:01)"

    now = ask(client, query)
    estate.clock.advance(timedelta(seconds=1))
    later = ask(client, query)

    assert (now, later) == ([{"before": True}], [{"before": False}])


NAMES = (
    "Resources | where type endswith '/virtualmachines' | project name, tags | order by name asc"
)


def test_a_new_a_changed_and_a_removed_machine_are_seen_late(
    estate: World, client: ResourceGraphClient
):
    one = next(iter(estate.groups.subscriptions))
    estate.graph.lag = timedelta(seconds=90)
    estate.clock.advance(timedelta(minutes=5))
    before = ask(client, NAMES, subscriptions=[one])
    web, db, _ = estate.machines.in_subscription(one)
    estate.machines.create(subscription=one, group="rg", name="new", location="westeurope")
    estate.machines.tag(db.id, {"backup": "gold"})
    estate.machines.delete(web.id)
    estate.clock.advance(timedelta(seconds=60))
    soon = ask(client, NAMES, subscriptions=[one])
    estate.clock.advance(timedelta(seconds=60))
    later = ask(client, NAMES, subscriptions=[one])

    assert soon == before
    assert [row["name"] for row in later] == ["db", "new", "tmp"]
    assert later[0]["tags"] == {"backup": "gold"}


def test_among_many_a_new_a_changed_and_a_removed_machine_are_seen(
    estate: World, client: ResourceGraphClient
):
    one = next(iter(estate.groups.subscriptions))
    for number in range(30):
        estate.machines.create(
            subscription=one, group="rg", name=f"vm-{number:02}", location="westeurope"
        )
    before = ask(client, NAMES, subscriptions=[one])
    web, db, *_ = estate.machines.in_subscription(one)
    estate.machines.create(subscription=one, group="rg", name="new", location="westeurope")
    estate.machines.tag(db.id, {"backup": "gold"})
    estate.machines.delete(web.id)
    estate.clock.advance(timedelta(minutes=5))
    after = ask(client, NAMES, subscriptions=[one])

    assert len(before) == len(after) == 33
    assert [row["name"] for row in after][:3] == ["db", "new", "tmp"]
    assert after[0]["tags"] == {"backup": "gold"}


def test_a_new_item_is_seen_late(estate: World, client: ResourceGraphClient):
    estate.graph.lag = timedelta(seconds=90)
    one = next(iter(estate.groups.subscriptions))
    vault = estate.vaults.in_subscription(one)[0]
    machine = estate.machines.in_subscription(one)[1]
    query = "RecoveryServicesResources | where type endswith '/protecteditems' | count"
    estate.clock.advance(timedelta(minutes=5))
    estate.vaults.protect(machine.id, vault)
    soon = ask(client, query)
    estate.clock.advance(timedelta(minutes=2))
    later = ask(client, query)

    assert (soon, later) == ([{"Count": 1}], [{"Count": 2}])


def test_a_world_lags_by_one_to_two_minutes_unless_told_otherwise():
    assert timedelta(seconds=60) <= World(seed=3).graph.lag <= timedelta(seconds=120)


def test_queries_are_counted_against_the_quota(estate: World, client: ResourceGraphClient):
    estate.throttle.limits = Limits(graph_queries=2)
    ask(client, "Resources | count")
    ask(client, "Resources | count")

    with pytest.raises(HttpResponseError) as refused:
        ask(client, "Resources | count")

    assert refused.value.status_code == 429
    assert "x-ms-user-quota-resets-after" in refused.value.response.headers
