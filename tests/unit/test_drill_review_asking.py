"""What people and services may say to restore tests without harm."""

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from vmbackup_core.adapters.boundary import classify
from vmbackup_core.app.drill.asking import LARGEST, Faults, parse_wish

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
