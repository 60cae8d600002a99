"""
The blobs of boot diagnostics, behind links that bear their own key.

Compute names the links; they lead to accounts of Azure's own, which get no token of ours. A link is
followed only to a storage host of our cloud, never on from there, and only so far: what lies there
was written by the guest.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from vmbackup_core.adapters.arm import USER_AGENT
from vmbackup_core.adapters.boundary import answer_of, azure_errors, refusal
from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.gate import Gate
from vmbackup_core.domain.errors import Malformed

LONGEST_LOG = 1024 * 1024  # Bytes, from its end.
LARGEST_PICTURE = 4 * 1024 * 1024
LINK_LIFE = timedelta(minutes=10)


class Consoles:
    """
    Reads what the links lead to, and no link that leads elsewhere.

    `suffixes` are where the cloud keeps blobs: in accounts (`core.windows.net`), and what managed
    boot diagnostics wrote.
    """

    def __init__(self, *suffixes: str, transport: Any = None) -> None:
        self._hosts = tuple(f".blob.{suffix}" for suffix in suffixes)
        self._transport = transport

    def read_log(self, link: str) -> str | None:
        """Return the serial log, or the end of a long one; None where there is none yet."""
        doing = "reading the serial log"
        size, content = self._read(link, doing, {}, LONGEST_LOG)
        if size > LONGEST_LOG:
            end = {"x-ms-range": f"bytes={size - LONGEST_LOG}-"}
            _, content = self._read(link, doing, end, LONGEST_LOG)
        return None if content is None else content.decode("utf-8", errors="replace")

    def read_picture(self, link: str) -> bytes | None:
        """Return the screenshot; None where there is none yet, or one too large to be one."""
        size, content = self._read(link, "reading the screenshot", {}, LARGEST_PICTURE)
        return None if size > LARGEST_PICTURE else content

    def _read(
        self, link: str, doing: str, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes | None]:
        """Return how large a blob is said to be, and no more than `most` bytes of it."""
        from azure.core.pipeline import Pipeline
        from azure.core.pipeline.policies import UserAgentPolicy
        from azure.core.rest import HttpRequest

        gate: Any = Gate(self._place(link), Host.READ_ONLY, self._transport, Identity.READER)
        agent = UserAgentPolicy(base_user_agent=USER_AGENT, user_agent_use_env=False)
        pipeline: Pipeline[Any, Any] = Pipeline(gate, [agent])
        asked = HttpRequest("GET", link, headers={"Accept-Encoding": "identity", **headers})
        with azure_errors(doing):
            response = pipeline.run(asked, stream=True).http_response
            try:
                if response.status_code == 404:  # Not yet, soon after the start (recorded).
                    return 0, None
                if response.status_code not in (200, 206):
                    raise refusal(doing, answer_of(response.status_code, response.headers, b""))
                length = response.headers.get("Content-Length", "")
                content = _first(response.iter_bytes(), most)
            finally:
                response.close()
        size = int(length) if length.isdigit() else len(content)
        return size, content[:most]

    def _place(self, link: str) -> str:
        """Return the host that a link leads to; raises Malformed for any but Azure's storage."""
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
        plain = parts.netloc.lower().removesuffix(":443") == host
        if parts.scheme != "https" or not plain or not host.endswith(self._hosts):
            raise Malformed(f"a link that leads elsewhere than to Azure's storage: {host}")
        return f"https://{host}"


def _first(chunks: Any, most: int) -> bytes:
    """Return what comes, until it is more than `most` bytes."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > most:
            break
    return bytes(content)
