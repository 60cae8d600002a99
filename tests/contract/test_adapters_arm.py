"""The one pipeline to ARM, and the small adapters to the machine that we run on."""

import logging
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from azsim.fault_kinds import Fault, Kind
from azsim.http import Response
from azsim.world import World
from tests.contract.azure_desk import SUB, Desk
from vmbackup_core.adapters.api_versions import RESOURCE_GROUPS, VIRTUAL_MACHINES
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.clock import SystemClock
from vmbackup_core.adapters.credentials import credential_for
from vmbackup_core.adapters.deed_forms import Identity
from vmbackup_core.domain.errors import Denied, Malformed, Rejected, Retryable, Stale

GROUPS = f"/subscriptions/{SUB}/resourcegroups"
MACHINES = f"/subscriptions/{SUB}/providers/Microsoft.Compute/virtualMachines"
ADAPTERS = Path(__file__).parents[2] / "vmbackup_core" / "adapters"


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture
def arm(desk: Desk) -> Arm:
    return desk.arm(Identity.READER)


def answering(monkeypatch: pytest.MonkeyPatch, desk: Desk, *answers: Response) -> None:
    """Let the world give these answers, one after the other."""
    left = list(answers)
    monkeypatch.setattr(desk.world, "handle", lambda request: left.pop(0))


def test_a_call_says_who_we_are_and_bears_a_token(desk: Desk, arm: Arm) -> None:
    arm.get(GROUPS, RESOURCE_GROUPS, "listing groups")

    (exchange,) = desk.world.exchanges
    assert (
        exchange.request.header(
            "user-agent",
        )
        is not None
    )
    assert str(exchange.request.header("user-agent")).startswith("vmbackup/")
    assert exchange.request.header("authorization") == "Bearer reader"
    assert exchange.request.query == {"api-version": RESOURCE_GROUPS}


def test_a_list_is_read_page_after_page(desk: Desk, arm: Arm) -> None:
    names = [f"vm-{number:03}" for number in range(120)]
    for name in names:
        desk.world.machines.create(
            subscription=SUB, group="rg", name=name, location="westeurope", created_by="past"
        )

    listed = arm.pages(MACHINES, VIRTUAL_MACHINES, "listing machines")

    assert [machine["name"] for machine in listed] == names
    assert len(desk.calls()) > 1


def test_a_list_that_goes_in_a_circle_is_an_error(
    desk: Desk, arm: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = f"https://management.azure.com{GROUPS}?page=2"
    page = Response(200, {"value": [], "nextLink": again})
    answering(monkeypatch, desk, page, page)

    with pytest.raises(Retryable, match="circle"):
        list(arm.pages(GROUPS, RESOURCE_GROUPS, "listing groups"))


def test_a_list_that_leads_elsewhere_is_not_followed(
    desk: Desk, arm: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Response(200, {"value": [], "nextLink": "https://evil.example/page"})
    answering(monkeypatch, desk, elsewhere)

    with pytest.raises(Denied, match="last gate"):
        list(arm.pages(GROUPS, RESOURCE_GROUPS, "listing groups"))


@pytest.mark.parametrize("body", [[], {"values": []}, {"value": None}])
def test_a_list_without_entries_is_malformed(
    desk: Desk, arm: Arm, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    answering(monkeypatch, desk, Response(200, body))

    with pytest.raises(Malformed):
        list(arm.pages(GROUPS, RESOURCE_GROUPS, "listing groups"))


def test_an_answer_that_is_no_json_is_tried_later(
    desk: Desk, arm: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, desk, Response(200, b'{"value": ['))

    with pytest.raises(Retryable, match="breaks off"):
        arm.get(GROUPS, RESOURCE_GROUPS, "listing groups")


def test_a_redirect_is_not_followed(desk: Desk, arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, desk, Response(302, None, {"Location": "https://evil.example/"}))

    with pytest.raises(Rejected):
        arm.get(GROUPS, RESOURCE_GROUPS, "listing groups")


def test_what_is_not_there_is_stale_or_none(arm: Arm) -> None:
    assert arm.find(f"{GROUPS}/none", RESOURCE_GROUPS, "reading a group") is None
    with pytest.raises(Stale) as caught:
        arm.get(f"{GROUPS}/none", RESOURCE_GROUPS, "reading a group")
    assert caught.value.code == "ResourceGroupNotFound"


def test_an_answer_that_does_not_come_is_waited_for_once(desk: Desk, arm: Arm) -> None:
    slow = Fault(Kind.SLOW, "groups.list", times=None, takes=timedelta(minutes=10))
    desk.world.faults.add(slow)

    with pytest.raises(Retryable):
        arm.get(GROUPS, RESOURCE_GROUPS, "listing groups")

    assert desk.calls() == ["groups.list"]


def test_neither_tokens_nor_bodies_are_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    writer = desk.arm(Identity.PROTECTOR)
    group = f"{GROUPS}/rg-secret"

    writer.find(group, RESOURCE_GROUPS, "reading a group")
    writer.put(group, RESOURCE_GROUPS, "creating a group", {"location": "x", "tags": {"a": "s3"}})

    said = " ".join(record.getMessage() for record in caplog.records)
    assert "Bearer" not in said
    assert "s3" not in said


def test_a_reader_is_stopped_before_the_wire(desk: Desk, arm: Arm) -> None:
    with pytest.raises(Denied, match="not for the reader"):
        arm.put(f"{GROUPS}/rg", RESOURCE_GROUPS, "creating a group", {"location": "x"})

    assert desk.calls() == []


# The machine that we run on.


def test_importing_the_adapters_loads_no_sdk() -> None:
    modules = [f"vmbackup_core.adapters.{path.stem}" for path in ADAPTERS.glob("*.py")]
    script = (
        f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}];"
        "print([m for m in sys.modules if m.split('.')[0] in ('azure', 'requests', 'msal')])"
    )

    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ADAPTERS.parents[1],
    )

    assert ran.stdout.strip() == "[]"


def test_the_systems_clock_is_in_utc_and_goes_on() -> None:
    clock = SystemClock()
    before = clock.now()

    clock.pause(timedelta(milliseconds=1))

    assert before.tzinfo is UTC
    assert clock.now() > before


def test_the_systems_clock_refuses_to_keep_a_worker_waiting() -> None:
    with pytest.raises(ValueError, match="belongs to a timer"):
        SystemClock().pause(timedelta(seconds=11))


@pytest.mark.parametrize(
    ("client_id", "on_azure", "kind"),
    [
        ("11111111-2222-4333-8444-555555555555", False, ManagedIdentityCredential),
        ("11111111-2222-4333-8444-555555555555", True, ManagedIdentityCredential),
        ("", True, ManagedIdentityCredential),
        ("", False, DefaultAzureCredential),
    ],
)
def test_the_credential_is_the_one_that_the_deployment_names(
    client_id: str, on_azure: bool, kind: type[Any]
) -> None:
    authority = "https://login.microsoftonline.us"

    assert isinstance(credential_for(client_id, authority=authority, on_azure=on_azure), kind)
