"""Events that make no sense, come in another schema, are refused, or meet an app in trouble."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from azsim.event_delivery import Reply
from azsim.fault_kinds import Fault, Kind
from azsim.http import Request, Response
from azsim.resource_events import PERSONAL, Schema
from azsim.world import World
from tests.scenario.people import MINUTES, SECONDS
from tests.scenario.stage import SUB, VAULT, Stage, opened
from vmbackup_cli.simulated import ACCOUNT, WATCHED

WRITE = "Microsoft.Resources.ResourceWriteSuccess"
VM_WRITE = "Microsoft.Compute/virtualMachines/write"
OF_A_VM = {"operationName": VM_WRITE, "resourceUri": "/subscriptions/x"}
NONSENSE: dict[str, Any] = {
    "no data": {},
    "data that is a list": [1, 2],
    "data that is a text": "a virtual machine was written",
    "no operation": {"resourceUri": f"/subscriptions/{SUB}"},
    "an operation that is a number": OF_A_VM | {"operationName": 7},
    "a resource that is no VM": OF_A_VM,
    "a resource that is an object": OF_A_VM | {"resourceUri": {"id": 1}},
}


def event(data: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "5f1b2c3d-0000-4000-8000-000000000001",
        "topic": f"/subscriptions/{SUB}",
        "subject": f"/subscriptions/{SUB}/resourceGroups/rg-web",
        "eventType": WRITE,
        "eventTime": "2026-03-02T08:00:00.0000000Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": data,
    } | more


def deliver(stage: Stage, *events: Any) -> int:
    """Post events to the app's webhook as Event Grid does; return the status of the answer."""
    answers: list[Response] = []
    headers = {"aeg-event-type": "Notification", "content-type": "application/json"}
    body = json.dumps(list(events)).encode()
    request = Request("POST", "https://app.invalid/runtime/webhooks/EventGrid", headers, body)
    assert stage.host is not None
    stage.host.event_grid("vm_events")(request, answers.append)
    stage.run(1 * SECONDS)
    return answers[0].status


# Events that make no sense.


@pytest.mark.parametrize("data", NONSENSE.values(), ids=NONSENSE)
def test_an_event_that_makes_no_sense_is_kept_with_what_it_brought(stage: Stage, data: Any):
    status = deliver(stage, event(data))

    kept = list(stage.app.intake.kept())
    assert 200 <= status < 300
    assert [json.loads(one.content)["data"] for one in kept] == [data]
    assert kept[0].why != ""
    assert stage.failures() == []
    assert stage.arm_writes() == []


def test_an_event_that_makes_no_sense_does_not_hold_back_its_neighbours(stage: Stage):
    stage.create_vault()
    stage.world.events.disturb(lost=1.0)
    machine = stage.create_vm("web")

    good = {"operationName": VM_WRITE, "resourceUri": machine.id}
    status = deliver(stage, event({}), event(good), event([]))
    stage.run(5 * MINUTES)

    assert status == 202
    assert len(list(stage.app.intake.kept())) == 2
    assert stage.policy_of() == "gold"


def test_the_same_nonsense_is_kept_once_a_day(stage: Stage):
    deliver(stage, event({}))
    deliver(stage, event({}))

    assert len(list(stage.app.intake.kept())) == 1


def test_an_event_about_something_else_is_not_kept(stage: Stage):
    data = {"operationName": "Microsoft.Network/virtualNetworks/write", "resourceUri": "/x"}

    assert deliver(stage, event(data)) == 202

    assert list(stage.app.intake.kept()) == []
    assert stage.arm_calls() == {}


def test_an_event_of_a_subscription_that_is_not_in_scope_starts_nothing(stage: Stage):
    other = stage.id().replace(SUB, "99990000-0000-4000-8000-00000000000c")

    assert deliver(stage, event({"operationName": VM_WRITE, "resourceUri": other})) == 202
    stage.run(5 * MINUTES)

    assert stage.arm_calls() == {}


def test_an_event_about_a_vm_that_never_was_ends_quietly(stage: Stage):
    data = {"operationName": VM_WRITE, "resourceUri": stage.id("ghost")}

    assert deliver(stage, event(data)) == 202
    stage.run(5 * MINUTES)

    assert stage.ended("ghost") == "VM_DELETED"
    assert (stage.failures(), stage.arm_writes()) == ([], [])


# CloudEvents.


@pytest.fixture
def unwatched(world: World) -> Iterator[Stage]:
    with opened(Stage(world, watched=False)) as stage:
        yield stage


def subscribe(stage: Stage, endpoint: Callable[[Request, Reply], None], **more: Any) -> None:
    stage.world.events.subscribe(
        "vmbackup",
        subscription=SUB,
        endpoint=endpoint,
        included_operations=WATCHED,
        dead_letter=stage.world.storage.ensure_account(ACCOUNT).containers.ensure(
            "deadletters", stage.world.clock.now()
        ),
        **more,
    )


@pytest.mark.parametrize("schema", Schema)
@pytest.mark.parametrize("batch", [1, 10])
def test_a_vm_is_protected_by_its_event_in_either_schema(
    unwatched: Stage, schema: Schema, batch: int
):
    stage = unwatched
    subscribe(stage, stage.host.event_grid("vm_events"), schema=schema, max_events_per_batch=batch)
    stage.create_vault()
    stage.create_vm("web")
    stage.create_vm("tagged", tag=None)
    stage.world.machines.tag(stage.id("tagged"), {"backup": "gold"}, by_tags_api=True)

    stage.run(10 * MINUTES)

    assert (stage.vault_of("web"), stage.policy_of("web")) == (VAULT, "gold")
    assert (stage.vault_of("tagged"), stage.policy_of("tagged")) == (VAULT, "gold")
    assert stage.failures() == []
    assert list(stage.app.intake.kept()) == []


def test_a_cloud_event_that_makes_no_sense_is_kept(stage: Stage):
    cloud = {
        "specversion": "1.0",
        "id": "1",
        "source": f"/subscriptions/{SUB}",
        "type": WRITE,
        "time": "2026-03-02T08:00:00Z",
        "subject": "",
        "data": {},
    }

    assert deliver(stage, cloud) == 202

    assert len(list(stage.app.intake.kept())) == 1


# Events that the worker library refuses.


def with_broken_time(request: Request) -> Request:
    """Return a notification whose events bear a time that no library can read."""
    if request.header("aeg-event-type") != "Notification":
        return request
    events = [one | {"eventTime": "yesterday"} for one in json.loads(request.body)]
    return replace(request, body=json.dumps(events).encode())


def test_an_event_that_the_worker_refuses_ends_in_the_dead_letters(unwatched: Stage):
    stage = unwatched
    webhook = stage.host.event_grid("vm_events")
    subscribe(
        stage,
        lambda request, reply: webhook(with_broken_time(request), reply),
        max_attempts=3,
    )
    stage.create_vault()
    stage.create_vm("web")

    stage.run(15 * MINUTES)

    letters = stage.app.deadletters
    assert letters is not None
    (name,) = letters.names("")
    (letter,) = json.loads(letters.read(name).content)
    assert name.startswith("VMBACKUP/2026/3/2/8/")
    assert letter["data"]["resourceUri"].lower() == stage.id().lower()
    assert (letter["deadLetterReason"], letter["deliveryAttempts"]) == (
        "MaxDeliveryAttemptsExceeded",
        3,
    )
    assert stage.policy_of() == ""


def test_a_vm_whose_event_died_is_protected_by_the_next_sweep(unwatched: Stage):
    stage = unwatched
    webhook = stage.host.event_grid("vm_events")
    subscribe(
        stage,
        lambda request, reply: webhook(with_broken_time(request), reply),
        max_attempts=1,
    )
    stage.create_vault()
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert (stage.ended(), stage.policy_of()) == ("PROTECTED", "gold")


def test_an_event_that_meets_a_storage_that_is_down_comes_again(stage: Stage):
    stage.create_vault()
    stage.world.events.disturb(latency=1 * SECONDS)
    stage.world.faults.add(Fault(Kind.UNAVAILABLE, "tables.*", times=3))
    stage.create_vm("web")

    stage.run(10 * MINUTES)

    assert stage.policy_of() == "gold"
    assert stage.effective_enables() == 1
    assert "vm_events" in stage.failures()[0]


def test_a_vm_whose_event_met_no_app_is_protected_by_the_first_sweep_of_the_next(stage: Stage):
    stage.create_vault()
    stage.host.crash()
    stage.create_vm("web")
    stage.world.clock.advance(5 * MINUTES)

    stage.begin()
    stage.run(40 * MINUTES)

    assert stage.policy_of() == "gold"


# What nobody may read.


def test_who_wrote_a_vm_stands_in_no_log_no_journal_and_no_evidence(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    stage.create_vault()
    stage.world.events.disturb(doubled=1.0, noise=1.0)
    stage.create_vm("web")
    stage.run(5 * MINUTES)
    stage.world.machines.tag(stage.id(), {"backup": "off"}, by_tags_api=True)
    stage.world.machines.delete(stage.id())

    stage.run(70 * MINUTES)

    assert personal_in(caplog.text) == set()
    assert personal_in("\n".join(stage.journal.lines)) == set()
    assert stage.id().lower() in everything_stored(stage)
    assert personal_in(everything_stored(stage)) == set()
    assert personal_in(repr(stage.host.instances)) == set()


def test_an_event_that_fails_puts_nobody_into_a_log(stage: Stage, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    stage.world.events.disturb(latency=1 * SECONDS)
    stage.world.faults.add(Fault(Kind.INTERNAL, "tables.*", times=5))
    stage.create_vm("web")

    stage.run(10 * MINUTES)

    assert stage.failures() != []
    assert personal_in(caplog.text) == set()
    assert personal_in("\n".join(stage.failures())) == set()


def test_an_event_that_is_kept_shows_who_only_in_what_is_kept(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    person = sorted(PERSONAL)[0]

    deliver(stage, event({"claims": {"name": person}}))
    stage.sweep()

    (kept,) = stage.app.intake.kept()
    assert person.encode() in kept.content
    assert personal_in(caplog.text) == set()
    assert personal_in("\n".join(stage.journal.lines)) == set()
    assert personal_in(everything_stored(stage)) == set()


def personal_in(text: str) -> set[str]:
    return {word for word in PERSONAL if word.lower() in text.lower()}


def everything_stored(stage: Stage) -> str:
    """Return all that lies in the app's storage but for kept inputs and Event Grid's letters."""
    account = stage.world.storage.account(ACCOUNT)
    blobs = [
        blob.content.decode()
        for container in account.containers
        for blob in container
        if container.name != "deadletters" and not blob.name.startswith("kept/")
    ]
    rows = [repr(entity) for table in account.tables for entity in table]
    return "\n".join((*blobs, *rows))
