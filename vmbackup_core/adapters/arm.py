"""
One pipeline to Azure Resource Manager, for plain calls and for the SDKs' clients.

Reads are tried a few times within seconds; writes once. Nothing sleeps out a long Retry-After in a
worker: it is raised as Retryable(after), for whoever can wait on a timer (AZURE: limits; the SDKs'
own defaults would send a POST twice). Bodies are never logged.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from vmbackup_core.adapters.boundary import Answer, answer_of, azure_errors, refusal
from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.gate import Gate, same_place
from vmbackup_core.adapters.patience import Patience
from vmbackup_core.domain.errors import Malformed, Retryable

if TYPE_CHECKING:
    from azure.core.pipeline import Pipeline
    from azure.mgmt.recoveryservices import RecoveryServicesClient
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

    from vmbackup_core.ports import Clock

VERSION = "0.1.0"
USER_AGENT = f"vmbackup/{VERSION}"

Json = Any

READ_TRIES = 3
FIRST_WAIT = timedelta(seconds=0.5)  # Doubled before each further try.
LONGEST_WAIT = timedelta(seconds=5)  # A service that asks for more is asked by a timer.
PASSING = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no failure; header names are in lower case, `body` None where empty."""

    status: int
    headers: Mapping[str, str]
    body: Json


class Arm:
    """
    ARM as one identity sees it.

    `endpoint` and `scope` are the cloud's; everything passes the last gate, which lets through what
    is for this identity. Paths are given from the first slash on; every failure is one of ours
    (adapters/boundary.py). Other services that speak JSON are asked by the same pipeline: `host`
    says which one this is, and `sender` who may write mails there.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        scope: str,
        credential: Any,
        clock: "Clock",
        transport: Any = None,
        identity: Identity = Identity.READER,
        host: Host = Host.ARM,
        sender: str = "",
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._scope = scope
        self._credential = credential
        self._patience = Patience(clock)
        self._gate = Gate(self.endpoint, host, transport, identity, sender)
        self._backup_clients: dict[str, RecoveryServicesBackupClient] = {}
        self._vault_clients: dict[str, RecoveryServicesClient] = {}

    def get(
        self, path: str, api_version: str, doing: str, params: Mapping[str, str] | None = None
    ) -> Json:
        """Return the JSON at `path`; raises Stale where there is nothing."""
        return self.send("GET", self._url(path, api_version, params), doing).body

    def find(
        self, path: str, api_version: str, doing: str, params: Mapping[str, str] | None = None
    ) -> Json | None:
        """Return the JSON at `path`, None where the service says that there is nothing."""
        reply, failure = self._send("GET", self._url(path, api_version, params), doing, None)
        if failure is not None:
            if _says_nothing_there(failure):
                return None
            raise refusal(doing, failure)
        return reply.body

    def pages(
        self, path: str, api_version: str, doing: str, params: Mapping[str, str] | None = None
    ) -> Iterator[Json]:
        """Yield the entries of a list, page after page."""
        url, seen = self._url(path, api_version, params), set[str]()
        while url:
            seen.add(url)
            page = self.send("GET", url, doing).body
            if not isinstance(page, dict) or not isinstance(page.get("value"), list):
                raise Malformed(f"{doing}: a list without its entries")
            yield from page["value"]
            url = page.get("nextLink") or ""
            if url in seen:
                raise Retryable(f"{doing}: the pages of the list go in a circle")

    def post(
        self,
        path: str,
        api_version: str,
        doing: str,
        body: Json = None,
        params: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a POST that changes nothing; it is not repeated all the same."""
        return self.send("POST", self._url(path, api_version, params), doing, body)

    def act(self, path: str, api_version: str, doing: str, body: Json = None) -> Reply:
        """Send a POST that changes something."""
        return self.send("POST", self._url(path, api_version, None), doing, body, writes=True)

    def put(
        self,
        path: str,
        api_version: str,
        doing: str,
        body: Json,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        url = self._url(path, api_version, None)
        return self.send("PUT", url, doing, body, writes=True, headers=headers)

    def delete(self, path: str, api_version: str, doing: str) -> Reply:
        """Send a DELETE; that nothing was there is no failure."""
        reply, failure = self._send(
            "DELETE", self._url(path, api_version, None), doing, None, writes=True
        )
        if failure is not None and not _says_nothing_there(failure):
            raise refusal(doing, failure, writes=True)
        return reply

    def send(
        self,
        method: str,
        url: str,
        doing: str,
        body: Json = None,
        *,
        writes: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request to a whole URL; a failed answer is raised as one of our errors."""
        reply, failure = self._send(method, url, doing, body, writes=writes, more=headers)
        if failure is not None:
            raise refusal(doing, failure, writes=writes)
        return reply

    def ours(self, url: str) -> bool:
        """Whether `url` leads to this ARM and not to another place that must not get our token."""
        return same_place(url, self.endpoint)

    def _send(
        self,
        method: str,
        url: str,
        doing: str,
        body: Json,
        *,
        writes: bool = False,
        more: Mapping[str, str] | None = None,
    ) -> tuple[Reply, Answer | None]:
        from azure.core.rest import HttpRequest

        content = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", **(more or {})}
        if content is not None:
            headers["Content-Type"] = "application/json"
        with azure_errors(doing, writes=writes):
            request = HttpRequest(method, url, headers=headers, content=content)
            response = self.pipeline.run(request).http_response
        lowered = {name.lower(): value for name, value in response.headers.items()}
        raw = response.content
        if response.status_code >= 300:
            answer = answer_of(response.status_code, lowered, raw)
            return Reply(response.status_code, lowered, None), answer
        try:
            parsed = json.loads(raw) if raw else None
        except ValueError:
            broken = f"{doing}: the answer breaks off"
            raise Retryable(broken, status=response.status_code, maybe_done=writes) from None
        return Reply(response.status_code, lowered, parsed), None

    def _url(self, path: str, api_version: str, params: Mapping[str, str] | None) -> str:
        quoted = quote(path, safe="/%;:@()!$&'*+,=~")  # Group names may be of any script.
        query = urlencode({**(params or {}), "api-version": api_version})
        return f"{self.endpoint}{quoted}?{query}"

    @cached_property
    def pipeline(self) -> "Pipeline[Any, Any]":
        """The one pipeline of this identity; the SDKs' clients are given the same."""
        from azure.core.pipeline import Pipeline
        from azure.core.pipeline.policies import (
            BearerTokenCredentialPolicy,
            CustomHookPolicy,
            UserAgentPolicy,
        )

        policies: list[Any] = [
            UserAgentPolicy(base_user_agent=USER_AGENT, user_agent_use_env=False),
            self._patience,
            ReadAgain(),
            BearerTokenCredentialPolicy(self._credential, self._scope),
            CustomHookPolicy(),  # The SDKs' `raw_response_hook`.
        ]
        transport: Any = self._gate
        return Pipeline(transport, policies)

    def backup(self, subscription: str) -> "RecoveryServicesBackupClient":
        """Return the SDK's client for protected items and policies of one subscription."""
        if subscription not in self._backup_clients:
            from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

            from vmbackup_core.adapters.api_versions import BACKUP

            self._backup_clients[subscription] = RecoveryServicesBackupClient(
                **self._client_arguments(subscription, BACKUP)
            )
        return self._backup_clients[subscription]

    def vaults(self, subscription: str) -> "RecoveryServicesClient":
        """Return the SDK's client for the vaults of one subscription."""
        if subscription not in self._vault_clients:
            from azure.mgmt.recoveryservices import RecoveryServicesClient

            from vmbackup_core.adapters.api_versions import VAULTS

            self._vault_clients[subscription] = RecoveryServicesClient(
                **self._client_arguments(subscription, VAULTS)
            )
        return self._vault_clients[subscription]

    def _client_arguments(self, subscription: str, api_version: str) -> dict[str, Any]:
        return {
            "credential": self._credential,
            "subscription_id": subscription,
            "base_url": self.endpoint,
            "credential_scopes": [self._scope],
            "api_version": api_version,
            "pipeline": self.pipeline,
            "policies": [],  # Those of the pipeline count; none of the SDK's own.
        }


class ReadAgain:
    """
    A pipeline policy that tries reads again within seconds, and nothing else at all.

    Written by hand since azure-core's RetryPolicy also repeats a POST that was told to wait, and
    sleeps for as long as it is told.
    """

    next: Any

    def send(self, request: Any) -> Any:
        if request.http_request.method not in ("GET", "HEAD"):
            return self.next.send(request)
        from azure.core.exceptions import (
            DecodeError,
            ServiceRequestError,
            ServiceResponseError,
            ServiceResponseTimeoutError,
        )

        wait = FIRST_WAIT
        for _ in range(READ_TRIES - 1):
            try:
                response = self.next.send(request)
            except ServiceResponseTimeoutError:
                raise  # It has cost a minute already.
            except (DecodeError, ServiceRequestError, ServiceResponseError):
                pass
            else:
                if response.http_response.status_code not in PASSING:
                    return response
                asked = _asked(response.http_response.headers)
                if asked > LONGEST_WAIT:
                    return response
                wait = max(wait, asked)
            request.context.transport.sleep(wait.total_seconds())
            wait *= 2
        return self.next.send(request)


def _says_nothing_there(failure: Answer) -> bool:
    return failure.status == 404 and failure.code != "SubscriptionNotFound"


def _asked(headers: Mapping[str, str]) -> timedelta:
    """Return how long an answer asks to wait; a date counts as long, for a timer to obey."""
    asked = next((v for name, v in headers.items() if name.lower() == "retry-after"), "0")
    return timedelta(seconds=int(asked)) if asked.isdigit() else timedelta.max
