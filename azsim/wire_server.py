"""
Sockets and TLS: turns what a client sends over HTTP/1.1 into a Request, and a Response into bytes.

Connections are served by threads; nothing polls, so a server without clients uses no CPU.
"""

import contextlib
import re
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from azsim.http import ConnectionLost, Request, Response

Answer = Callable[[Request], Response]
_HANDSHAKE_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER that sends RST instead of FIN.
_CLIENTS = (
    (re.compile(r"AZURECLI/", re.I), "az"),
    (re.compile(r"cloud-?custodian|c7n", re.I), "cloud-custodian"),
    (re.compile(r"Terraform", re.I), "terraform"),
    (re.compile(r"azsdk-python-([a-z0-9-]+)"), ""),
)
_PATH_STYLE = re.compile(r"^/_(table|blob)/([a-z0-9]{3,24})(/.*|\?.*)?$")


def client_name(user_agent: str) -> str:
    """Name a client by its User-Agent: `az`, `azure-mgmt-compute`, `curl`."""
    for pattern, name in _CLIENTS:
        if found := pattern.search(user_agent):
            return name or found[1]
    return user_agent.split("/")[0].split(" ")[0] or "unknown"


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive; each request goes to the server's `answer`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    scheme = "https"

    @property
    def listener(self) -> "Listener":
        return cast("Listener", self.server)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the world keeps every exchange."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        request = self._request()
        try:
            response = self.listener.answer(request)
        except ConnectionLost:
            self._reset()
            return
        headers, payload = response.encoded()
        cut = int(headers["Content-Length"]) > len(payload) and request.method != "HEAD"
        self.send_response_only(response.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if cut:
            self.close_connection = True
        self.end_headers()
        if request.method != "HEAD":
            self.wfile.write(payload)

    def _request(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers.get("host", "localhost")
        path = self.path
        if found := _PATH_STYLE.match(path):
            host, path = f"{found[2]}.{found[1]}.core.windows.net", found[3] or "/"
            headers["host"] = host
        if not path.startswith("/"):  # A proxy's absolute form.
            path = "/" + path.split("://", 1)[-1].partition("/")[2]
        return Request(
            method=self.command,
            url=f"{self.scheme}://{host}{path}",
            headers=headers,
            body=self._body(headers),
            client=client_name(headers.get("user-agent", "")),
        )

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length", "0")))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        return b"".join(chunks)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.listener.forget(self.connection)
        self.connection.close()


class PlainHandler(Handler):
    """The plain port: the identity endpoint, and CONNECT for those that go through a proxy."""

    scheme = "http"

    def do_CONNECT(self) -> None:
        host = self.path.rsplit(":", 1)[0]
        if not self.listener.leads_to(host):
            self.send_response_only(502, "azsim leads to no such host")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self.close_connection = True
        self.listener.behind.serve_tls(self.connection, self.client_address)


class Listener(ThreadingHTTPServer):
    """
    A listening socket on loopback with a thread of its own, which sleeps until somebody comes.

    One that has another `behind` it speaks plain HTTP, and leads those who CONNECT to that one.
    """

    daemon_threads = True

    def __init__(
        self,
        port: int,
        answer: Answer,
        tls: ssl.SSLContext,
        *,
        behind: "Listener | None" = None,
        leads_to: Callable[[str], bool] = lambda host: False,
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler if behind is None else PlainHandler)
        self.answer, self.leads_to = answer, leads_to
        self._tls, self._plain = tls, behind is not None
        self.behind = behind or self
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="azsim", daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close the listening socket and every connection."""
        self._stopping.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            self._thread.join()
        self.server_close()
        with self._guard:
            connections, self._open = list(self._open), set()
        for connection in connections:
            _close(connection)

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._stopping.is_set():
            return
        if self._plain:
            self._remember(request)
            PlainHandler(request, client_address, self)
            self.forget(request)
        else:
            self.serve_tls(request, client_address)

    def serve_tls(self, connection: socket.socket, client_address: Any) -> None:
        """Shake hands and serve the connection until the client is done with it."""
        connection.settimeout(_HANDSHAKE_SECONDS)
        try:
            secure = self._tls.wrap_socket(connection, server_side=True)
        except OSError:  # The client does not trust us, or went away.
            _close(connection)
            return
        secure.settimeout(None)
        self._remember(secure)
        try:
            Handler(secure, client_address, self)
        finally:
            self.forget(secure)
            _close(secure)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about clients that went away; a bug of ours is still printed."""
        if not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)

    def forget(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.discard(connection)

    def _remember(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.add(connection)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.handle_request()


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # It was closed by the other side.
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
