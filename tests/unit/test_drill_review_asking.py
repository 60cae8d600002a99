"""What people and services may say to restore tests without harm."""

import json
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from tests.builders import NOW, SUB, scope
from tests.clocks import HandClock
from tests.drills import drill_rules
from tests.small_drill import Silent
from vmbackup_core.adapters.boundary import classify
from vmbackup_core.app.drill.asking import LARGEST, Asking, Faults, parse_wish
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.rules import Rules


class Unread:
    """Whatever is read here is read too early."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for a VM that is out of scope")


@pytest.mark.parametrize(
    ("vm", "why"),
    [
        (VmId("elsewhere", "rg", "web"), "subscription elsewhere is not in scope"),
        (VmId(SUB, "vmbackup-drill-westeurope-1", "web"), "is for restore tests"),
        (VmId(SUB, "rg-sandbox", "web"), "resource group rg-sandbox is excluded (*-sandbox)"),
    ],
)
def test_a_vm_that_is_out_of_scope_is_refused_before_anything_is_read(vm: VmId, why: str):
    asking = Asking(
        inventory=Unread(),
        vaults=Unread(),
        restores=Unread(),
        journal=Silent(),
        clock=HandClock(NOW),
        rules=Rules(scope(exclude_resource_groups=("*-sandbox",)), "backup"),
        drills=drill_rules(),
    )

    faults, order = asking.take(json.dumps({"vm": str(vm)}).encode())

    assert order is None
    assert [fault for fault in faults if "outside the configured scope" in fault and why in fault]


VM = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web"


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b'{"vm": ' + b"[" * 100_000,
        b" " * (LARGEST + 1),
        b"\xff\xfe{",
        b'{"vm": ["/subscriptions"]}',
        f'{{"vm": "{VM}/extensions/x"}}'.encode(),
        f'{{"vm": "{VM}?api-version=1"}}'.encode(),
        f'{{"vm": "{VM}%2f..%2f"}}'.encode(),
        f'{{"vm": "{VM}", "rung": [4]}}'.encode(),
        f'{{"vm": "{VM}", "keep": "99999999h"}}'.encode(),
        f'{{"vm": "{VM}", "point": "../x"}}'.encode(),
    ],
)
def test_what_is_no_wish_is_a_fault_and_nothing_worse(raw: bytes):
    assert isinstance(parse_wish(raw), Faults)


@pytest.mark.parametrize("kind", [ServiceRequestError, ServiceResponseError])
def test_no_key_of_a_link_is_told_where_its_host_does_not_answer(kind: type[ServiceRequestError]):
    said = (
        "HTTPSConnectionPool(host='md-1.blob.storage.azure.net', port=443): Max retries exceeded "
        "with url: /bootdiagnostics/serial.log?sv=2024&sig=abc%2Bdef%3D (Caused by X)"
    )

    error = classify(kind(said), "reading the serial log")

    assert "sig=" not in str(error)
    assert "(Caused by X)" in str(error)
