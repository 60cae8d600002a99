"""
Azurite, Microsoft's own emulator of Azure Storage, as a process of ours on free ports.

Over TLS with tokens, as the real service wants it. It keeps everything in memory.
"""

import base64
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.pipeline.transport import RequestsTransport

from tests.credentials import FAR

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".envs/azurite/node_modules/azurite/dist/src/azurite.js"
ACCOUNT = "devstoreaccount1"
_UP_WITHIN = 60.0
_LISTENING = {
    service: f"Azurite {service} service is successfully listening at "
    for service in ("Blob", "Table")
}


class UnsignedToken:
    """A credential whose token is for storage, and which nobody signed: Azurite looks no closer."""

    def __init__(self) -> None:
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/7f3c1a52-9a41-4f6e-8a57-2f5f0c1d9b10/",
            "nbf": now - 60,
            "iat": now - 60,
            "exp": now + 86_400,
        }
        self._token = f"{_packed({'alg': 'none', 'typ': 'JWT'})}.{_packed(claims)}.unsigned"

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken(self._token, FAR)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        return AccessTokenInfo(self._token, FAR)


@dataclass(frozen=True)
class Azurite:
    """One running Azurite: where its services are, and what its clients need to trust it."""

    blobs: str
    tables: str
    ca_file: Path

    def transport(self) -> RequestsTransport:
        return RequestsTransport(connection_verify=str(self.ca_file))


@contextmanager
def azurite(folder: Path) -> Iterator[Azurite]:
    """Run Azurite until the end of the `with`; raises AssertionError where it is not installed."""
    assert PROGRAM.exists(), "Azurite is not installed: run sh tools/long_env.sh"
    authority = trustme.CA(organization_name="azurite")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(c.bytes() for c in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / "ca.pem")
    command = [
        shutil.which("node") or "node",
        *(str(PROGRAM), "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"),
        *("--blobHost", "127.0.0.1", "--queueHost", "127.0.0.1", "--tableHost", "127.0.0.1"),
        *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0"),
        *("--oauth", "basic", "--cert", "cert.pem", "--key", "key.pem"),
    ]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        places = _places(process)
        yield Azurite(
            f"{places['Blob']}/{ACCOUNT}", f"{places['Table']}/{ACCOUNT}", folder / "ca.pem"
        )
    finally:
        process.kill()  # It keeps nothing that could be lost.
        process.communicate()


def _places(process: "subprocess.Popen[str]") -> dict[str, str]:
    """Read from what Azurite prints where it listens: it was told to take free ports."""
    said: list[str] = []
    late = threading.Timer(_UP_WITHIN, process.kill)
    late.start()
    places: dict[str, str] = {}
    assert process.stdout is not None
    while len(places) < len(_LISTENING) and (line := process.stdout.readline()):
        said.append(line)
        for service, words in _LISTENING.items():
            if words in line:
                places[service] = line.split(words)[1].strip().rstrip("/")
    late.cancel()
    assert len(places) == len(_LISTENING), "Azurite did not come up:\n" + "".join(said)
    return places


def _packed(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
