"""
The same world over HTTPS on loopback, for any real client: ARM, identity, storage and a proxy.

Tokens travel over TLS only, so the server has a certificate authority of its own; clients are told
to trust it. One lock stands around the world: it is one thing that happens after another.
"""

import json
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import certifi
import trustme

from azsim import control
from azsim.clock import ScaledClock
from azsim.http import Request, Response
from azsim.wire_server import Listener
from azsim.world import World

_HOSTS = (
    "localhost",
    "127.0.0.1",
    "management.azure.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "*.table.core.windows.net",
    "*.blob.core.windows.net",
    "*.communication.azure.com",
    "*.europe.communication.azure.com",
    "api.loganalytics.io",
    "*.blob.storage.azure.net",
)
IDENTITY_PATH = "/msi/token"


class Running:
    """
    A served world, until `close` (or the end of the `with`).

    `arm_endpoint` is what a client takes for management.azure.com; `env()` are the variables that
    make programs built on azure-identity talk to this world without knowing it.
    """

    def __init__(self, world: World, port: int, rebirth: Callable[[], World] | None) -> None:
        self.world, self._rebirth = world, rebirth
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="azsim-")
        folder = Path(self._folder.name)
        authority = trustme.CA(organization_name="azsim")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*_HOSTS).configure_cert(context)
        self.ca_file, self.ca_bundle = folder / "ca.pem", folder / "ca-bundle.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.ca_bundle.write_bytes(
            Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes()
        )
        self._tls = Listener(port, self.answer, context)
        self._plain = Listener(0, self._plain_answer, context, behind=self._tls, leads_to=_leads_to)
        self._tls.start()
        self._plain.start()

    @property
    def arm_endpoint(self) -> str:
        return f"https://127.0.0.1:{self._tls.port}"

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self._plain.port}"

    @property
    def identity_endpoint(self) -> str:
        return self.proxy + IDENTITY_PATH

    @property
    def identity_header(self) -> str:
        return self.world.identity.header

    def env(self) -> dict[str, str]:
        """Return the variables for a client that is to take this world for Azure."""
        subscriptions = list(self.world.groups.subscriptions)
        return {
            "IDENTITY_ENDPOINT": self.identity_endpoint,
            "IDENTITY_HEADER": self.identity_header,
            "HTTPS_PROXY": self.proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(self.ca_bundle),
            "SSL_CERT_FILE": str(self.ca_bundle),
            "AZURE_TENANT_ID": self.world.tenant,
            **({"AZURE_SUBSCRIPTION_ID": subscriptions[0]} if subscriptions else {}),
        }

    def describe(self) -> dict[str, Any]:
        """Return all that a client needs, as `vmbackup simulate --ready-file` writes it."""
        return {
            "arm_endpoint": self.arm_endpoint,
            "ca_file": str(self.ca_file),
            "ca_bundle": str(self.ca_bundle),
            "identity_endpoint": self.identity_endpoint,
            "identity_header": self.identity_header,
            "proxy": self.proxy,
            "tenant": self.world.tenant,
            "subscriptions": list(self.world.groups.subscriptions),
            "env": self.env(),
        }

    def answer(self, request: Request) -> Response:
        """Answer one request; raises ConnectionLost where a fault breaks the connection."""
        with self._lock:
            if request.path.startswith(control.PREFIX):
                return control.answer(self.world, request, self._reset)
            response = self.world.handle(request)
            clock = self.world.clock
            behind = clock.ahead() if isinstance(clock, ScaledClock) else 0.0
        if behind:  # A slow answer is slow for the client as well, and for nobody else.
            threading.Event().wait(behind)
        return response

    def close(self) -> None:
        self._tls.stop()
        self._plain.stop()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _plain_answer(self, request: Request) -> Response:
        """Answer the identity endpoint only: a token never travels to ARM in the clear."""
        if request.path != IDENTITY_PATH:
            return Response(404, {"error": f"plain HTTP serves {IDENTITY_PATH} and CONNECT only"})
        return self.answer(request)

    def _reset(self) -> None:
        """Begin anew: another world where one can be born, else forget calls and faults."""
        if self._rebirth is not None:
            self.world = self._rebirth()
            return
        self.world.faults.clear()
        self.world.faults.struck.clear()
        self.world.exchanges.clear()
        self.world.unknown.clear()


def serve(world: World, port: int = 0, *, rebirth: Callable[[], World] | None = None) -> Running:
    """
    Serve `world` on loopback; port 0 takes a free one.

    `rebirth` makes the world that `POST /_azsim/reset` puts in the place of the present one.
    """
    return Running(world, port, rebirth)


def exports(env: Mapping[str, str]) -> str:
    """Write variables as lines to paste into a shell."""
    return "\n".join(f"export {name}={json.dumps(value)}" for name, value in env.items())


def _leads_to(host: str) -> bool:
    """Whether the certificate covers this host: no call ever leaves for the real one."""
    return any(
        host == known or (known.startswith("*.") and host.endswith(known[1:])) for known in _HOSTS
    )
