"""
The two blobs of boot diagnostics with managed storage: a serial log and a screenshot, behind links
that bear their own key. Form of the links and the 404 soon after the start are recorded.
"""

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING

from azsim.blobs import Blob
from azsim.consoles import screenshot, serial_log
from azsim.http import ArmError, Response
from azsim.router import Call, Route
from azsim.routes.blob_xml import xml_error
from azsim.routes.blobs import read_blob
from azsim.routes.data_plane import common_headers, error_shape
from azsim.ticks import ticks_of

if TYPE_CHECKING:
    from azsim.machine import Machine

_HOST = ".blob.storage.azure.net"
_NAME = re.compile(r"\.([0-9a-f-]{36})\.(screenshot\.bmp|serialconsole\.log)$")


def boot_blob_urls(machine: "Machine", ends: datetime) -> tuple[str, str]:
    """Return the links to screenshot and log, good until `ends`."""
    stem = _stem(machine)
    sas = f"?sv=2018-03-28&sr=b&sig=azsim&se={ends:%Y-%m-%dT%H%%3A%M%%3A%SZ}&sp=r"
    return f"{stem}.screenshot.bmp{sas}", f"{stem}.serialconsole.log{sas}"


def _stem(machine: "Machine") -> str:
    noise = hashlib.sha256(machine.vm_id.encode()).hexdigest()
    folder = f"{noise[:8]}-{noise[8:12]}-4{noise[13:16]}-a{noise[17:20]}-{noise[20:32]}"
    account = f"https://md-{noise[32:48]}.z13{_HOST}:443"
    return f"{account}/{folder}/{machine.name}.{machine.vm_id}"


def _read(call: Call) -> Response:
    _check_key(call)
    content = _content(call)
    if content is None:
        # models boot-log-missing
        raise ArmError(404, "BlobNotFound", "The specified blob does not exist.")
    ticks = ticks_of(call.world.clock.now())
    response = read_blob(call.request, Blob(call["blob"], content, ticks, ticks))
    return Response(response.status, response.body, {**common_headers(call), **response.headers})


def _content(call: Call) -> bytes | None:
    found = _NAME.search(call["blob"])
    machine = next(
        (m for m in call.world.machines.everywhere() if found and m.vm_id == found[1]), None
    )
    if found is None or machine is None or call["folder"] not in _stem(machine):
        return None
    if found[2] == "screenshot.bmp":
        return screenshot(machine)
    log = serial_log(machine)
    return None if log is None else log.encode()


# models boot-link-ends
def _check_key(call: Call) -> None:
    """Refuse a link without its key, or one that has run out (learn: SAS error codes)."""
    query, now = call.request.query, call.world.clock.now()
    ends = query.get("se", "")
    if query.get("sig") != "azsim" or not ends or datetime.fromisoformat(ends) <= now:
        raise ArmError(
            403,
            "AuthenticationFailed",
            "Server failed to authenticate the request. Make sure the value of Authorization "
            "header is formed correctly including the signature.",
        )


ROUTES: tuple[Route, ...] = tuple(
    Route(
        f"boot_blobs.{name}",
        method,
        "/{folder}/{blob}",
        _read,
        host=_HOST,
        errors=error_shape(xml_error, code_header=True),
    )
    for name, method in (("get", "GET"), ("head", "HEAD"))
)
