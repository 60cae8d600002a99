"""What ARM does before and beside the resource providers."""

import pytest

from azsim.groups import RESOURCES_WRITE
from azsim.world import World
from tests.contract.arm_calls import GROUP, SUBSCRIPTION, VM, ask, code


@pytest.fixture
def arm(world: World) -> World:
    world.groups.add_subscription(SUBSCRIPTION, name="Shop")
    world.groups.create(SUBSCRIPTION, "rg", "westeurope", {"team": "shop"})
    return world


def test_a_call_without_a_token_is_refused_with_a_challenge(arm: World) -> None:
    answer = ask(arm, "GET", GROUP, token="")

    assert (answer.status, code(answer)) == (401, "AuthenticationFailed")
    assert "authorization_uri" in answer.headers["WWW-Authenticate"]


def test_a_token_for_another_audience_is_refused(arm: World) -> None:
    token, _ = arm.identity.token(arm.identity.system, "https://storage.azure.com")

    answer = ask(arm, "GET", GROUP, token=token)

    assert (answer.status, code(answer)) == (401, "InvalidAuthenticationTokenAudience")


def test_a_call_without_an_api_version_is_refused(arm: World) -> None:
    answer = ask(arm, "GET", GROUP, version="")

    assert (answer.status, code(answer)) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/subscriptions/none", 400, "InvalidSubscriptionId"),
        ("/subscriptions/99999999-0000-4000-8000-000000000000", 404, "SubscriptionNotFound"),
        (GROUP.replace("/rg", "/none"), 404, "ResourceGroupNotFound"),
        (VM.replace("/rg/", "/none/"), 404, "ResourceGroupNotFound"),
        (VM, 404, "ResourceNotFound"),
    ],
)
def test_what_does_not_exist_is_said_in_arm_s_words(
    arm: World, path: str, status: int, expected: str
) -> None:
    answer = ask(arm, "GET", path)

    assert (answer.status, code(answer)) == (status, expected)


def test_the_text_of_a_missing_resource_is_the_recorded_one(arm: World) -> None:
    classic = f"{GROUP}/providers/Microsoft.ClassicStorage/storageAccounts/clitest000006"

    answer = ask(arm, "GET", classic)

    assert answer.body == {
        "error": {
            "code": "ResourceNotFound",
            "message": "The Resource 'Microsoft.ClassicStorage/storageAccounts/clitest000006' "
            "under resource group 'rg' was not found. For more details please go to "
            "https://aka.ms/ARMResourceNotFoundFix",
        }
    }


def test_every_answer_bears_arm_s_request_ids_also_an_error(arm: World) -> None:
    answer = ask(arm, "GET", VM)

    assert {
        "x-ms-request-id",
        "x-ms-correlation-request-id",
        "x-ms-routing-request-id",
        "Date",
    } <= {*answer.headers}


def test_a_correlation_id_of_the_client_is_kept(arm: World) -> None:
    answer = ask(arm, "GET", GROUP, x_ms_correlation_request_id="mine")

    assert answer.headers["x-ms-correlation-request-id"] == "mine"


def test_a_poll_more_or_less_does_not_change_what_happens_later(world: World) -> None:
    other = World(seed=1)
    world.groups.add_subscription(SUBSCRIPTION)
    other.groups.add_subscription(SUBSCRIPTION)
    ask(other, "GET", f"/subscriptions/{SUBSCRIPTION}")

    assert world.new_id() == other.new_id()


def test_subscriptions_are_listed_with_their_names(arm: World) -> None:
    answer = ask(arm, "GET", "/subscriptions")

    assert [row["displayName"] for row in answer.body["value"]] == ["Shop"]


def test_a_group_is_created_and_keeps_the_case_of_its_name(arm: World) -> None:
    created = ask(arm, "PUT", GROUP.replace("/rg", "/Web-RG"), {"location": "West Europe"})
    found = ask(arm, "GET", GROUP.replace("/rg", "/web-rg"))

    assert (created.status, found.body["name"]) == (201, "Web-RG")
    assert found.body["location"] == "westeurope"


def test_a_group_does_not_move_to_another_location(arm: World) -> None:
    answer = ask(arm, "PUT", GROUP, {"location": "northeurope"})

    assert (answer.status, code(answer)) == (409, "InvalidResourceGroupLocation")


def test_the_head_of_a_group_says_whether_it_is_there(arm: World) -> None:
    there = ask(arm, "HEAD", GROUP)
    gone = ask(arm, "HEAD", GROUP.replace("/rg", "/none"))

    assert (there.status, gone.status) == (204, 404)


def test_deleting_a_group_takes_time_and_takes_its_machines(arm: World) -> None:
    arm.machines.create(subscription=SUBSCRIPTION, group="rg", name="web", location="westeurope")

    started = ask(arm, "DELETE", GROUP)
    waiting = ask(arm, "GET", started.headers["Location"])
    arm.clock.advance_to(arm.clock.next_due() or arm.clock.now())
    done = ask(arm, "GET", started.headers["Location"])

    assert (started.status, waiting.status, done.status) == (202, 202, 200)
    assert arm.machines.find(VM) is None


def test_resources_are_listed_by_type_and_by_tag(arm: World) -> None:
    for name, tags in (("web", {"backup": "gold"}), ("db", {})):
        arm.machines.create(
            subscription=SUBSCRIPTION, group="rg", name=name, location="westeurope", tags=tags
        )
    everything = f"/subscriptions/{SUBSCRIPTION}/resources"
    machines = "$filter=resourceType eq 'microsoft.compute/virtualMachines'"
    tagged = "$filter=tagName eq 'Backup' and tagValue eq 'gold'"

    by_type = ask(arm, "GET", f"{everything}?{machines}").body["value"]
    by_tag = ask(arm, "GET", f"{everything}?{tagged}").body["value"]

    assert [row["name"] for row in by_type] == ["web", "db"]
    assert [row["name"] for row in by_tag] == ["web"]


@pytest.mark.asks_in_vain
def test_a_filter_that_azsim_does_not_know_is_no_guess(arm: World) -> None:
    answer = ask(
        arm, "GET", f"/subscriptions/{SUBSCRIPTION}/resources?$filter=substringof('a', name)"
    )

    assert answer.status == 501


def test_the_tags_api_merges_without_regard_to_case(arm: World) -> None:
    path = f"{GROUP}/providers/Microsoft.Resources/tags/default"
    body = {"operation": "Merge", "properties": {"tags": {"Team": "web", "cost": "7"}}}

    answer = ask(arm, "PATCH", path, body)

    assert answer.body["properties"]["tags"] == {"Team": "web", "cost": "7"}


def test_tags_written_through_the_tags_api_raise_the_tags_event(arm: World) -> None:
    machine = arm.machines.create(
        subscription=SUBSCRIPTION, group="rg", name="web", location="westeurope"
    )
    ask(
        arm,
        "PUT",
        f"{VM}/providers/Microsoft.Resources/tags/default",
        {"properties": {"tags": {"backup": "gold"}}},
    )

    assert machine.tags == {"backup": "gold"}
    event = arm.events.published[-1]
    assert event.event_type == RESOURCES_WRITE
    assert event.operation == "Microsoft.Resources/tags/write"


@pytest.mark.asks_in_vain
def test_a_provider_that_azsim_lacks_is_no_guess(arm: World) -> None:
    answer = ask(arm, "GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Sql")

    assert answer.status == 501


def test_the_identity_endpoint_wants_its_header(arm: World) -> None:
    answer = ask(
        arm, "GET", "/msi/token?resource=https://management.azure.com/", version="2019-08-01"
    )

    assert answer.status == 401


def test_the_identity_endpoint_tells_user_assigned_identities_apart(arm: World) -> None:
    reader = arm.identity.add("reader")
    url = f"/msi/token?resource=https://management.azure.com/&client_id={reader.client_id}"

    answer = ask(arm, "GET", url, version="2019-08-01", x_identity_header=arm.identity.header)
    whose = ask(arm, "GET", GROUP, token=answer.body["access_token"])

    assert answer.body["client_id"] == reader.client_id
    assert whose.status == 200
    assert arm.identity.principal_of(arm.exchanges[-1].request) == reader.oid


def test_an_identity_that_was_not_assigned_gets_no_token(arm: World) -> None:
    url = "/msi/token?resource=https://management.azure.com/&client_id=somebody"

    answer = ask(arm, "GET", url, version="2019-08-01", x_identity_header=arm.identity.header)

    assert answer.status == 400


def test_the_graph_s_rows_of_containers_name_subscriptions_and_groups(arm: World) -> None:
    rows = list(arm.groups.graph_rows())

    assert [row["type"] for row in rows] == [
        "microsoft.resources/subscriptions",
        "microsoft.resources/subscriptions/resourcegroups",
    ]
    assert rows[1]["tags"] == {"team": "shop"}
