"""
The management API of Durable Functions over HTTP, as the Python client calls it.

One table of routes under `/durabletask/` (the RPC endpoint, loopback only) and under
`/runtime/webhooks/durabletask/` (public, with a key). Source: the extension's HttpApiHandler.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from azsim.host.durable.client import Client, Refused, status_payload
from azsim.host.durable.history import public_history
from azsim.host.durable.storage import Instance, Status
from azsim.http import Request, Response

RPC_PATH = "/durabletask/"
WEBHOOK_PATH = "/runtime/webhooks/durabletask/"
# models durable-list-page
PAGE = 100  # OrchestrationStatusQueryCondition's default: get_status_all sees no more than this.

Handler = Callable[["DurableApi", Request, Mapping[str, str]], Response]


class DurableApi:
    """Answers the management API of one hub; `base_url` is where the host listens."""

    def __init__(self, client: Client, hub: str, key: str) -> None:
        self._client, self._hub, self._key = client, hub, key
        self.base_url = ""

    def answer(self, request: Request) -> Response:
        """Answer a request whose path starts with either prefix."""
        path = request.path.removeprefix(WEBHOOK_PATH.rstrip("/"))
        path = path.removeprefix(RPC_PATH.rstrip("/")).strip("/")
        for method, pattern, handler in ROUTES:
            found = pattern.fullmatch(path)
            if found and method == request.method:
                return self._handled(handler, request, found.groupdict(default=""))
        return Response(404)

    def _handled(self, handler: Handler, request: Request, params: Mapping[str, str]) -> Response:
        try:
            return handler(self, request, params)
        except Refused as refused:
            if refused.status in (404, 410):
                return Response(refused.status)
            text = str(refused)
            # The SDK reads ExceptionMessage of a 400 and shows the whole body of any other.
            return Response(refused.status, {"Message": text, "ExceptionMessage": text})

    def binding(self) -> str:
        """Return the JSON of a durableClient input binding."""
        common = f"taskHub={self._hub}&connection=Storage&code={self._key}"
        return json.dumps(
            {
                "taskHubName": self._hub,
                "creationUrls": {
                    "createNewInstancePostUri": self._webhook(
                        "orchestrators/{functionName}[/{instanceId}]", f"code={self._key}"
                    ),
                    "createAndWaitOnNewInstancePostUri": self._webhook(
                        "orchestrators/{functionName}[/{instanceId}]",
                        "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
                        f"&code={self._key}",
                    ),
                },
                "managementUrls": self._links("INSTANCEID"),
                "baseUrl": f"{self.base_url}{WEBHOOK_PATH.rstrip('/')}",
                "requiredQueryStringParameters": common,
                "rpcBaseUrl": f"{self.base_url}{RPC_PATH}",
                "httpBaseUrl": f"{self.base_url}{RPC_PATH}",
            }
        )

    def _webhook(self, path: str, query: str) -> str:
        return f"{self.base_url}{WEBHOOK_PATH}{path}?{query}"

    def _links(self, instance_id: str) -> dict[str, str]:
        common = f"taskHub={self._hub}&connection=Storage&code={self._key}"
        at = f"instances/{instance_id}"
        reason = f"reason={{text}}&{common}"
        return {
            "id": instance_id,
            "statusQueryGetUri": self._webhook(at, common),
            "sendEventPostUri": self._webhook(f"{at}/raiseEvent/{{eventName}}", common),
            "terminatePostUri": self._webhook(f"{at}/terminate", reason),
            "rewindPostUri": self._webhook(f"{at}/rewind", reason),
            "purgeHistoryDeleteUri": self._webhook(at, common),
            "restartPostUri": self._webhook(f"{at}/restart", common),
            "suspendPostUri": self._webhook(f"{at}/suspend", reason),
            "resumePostUri": self._webhook(f"{at}/resume", reason),
        }

    def _accepted(self, instance: Instance) -> Response:
        links = self._links(instance.id)
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return Response(202, links, headers)

    def _start(self, request: Request, params: Mapping[str, str]) -> Response:
        given = request.body.decode() or None
        return self._accepted(self._client.start(params["name"], params["id"] or None, given))

    def _status(self, request: Request, params: Mapping[str, str]) -> Response:
        instance = self._client.find(params["id"])
        history = None
        if _flag(request, "showHistory"):
            shown = public_history(
                instance.history, with_output=_flag(request, "showHistoryOutput")
            )
            history = shown
        with_input = _flag(request, "showInput", default=True)
        body = status_payload(instance, with_input=with_input, history=history)
        if instance.status.is_final:
            return Response(200, body)
        return Response(202, body, {"Location": request.url, "Retry-After": "5"})

    # models durable-full-pages
    def _list(self, request: Request, _params: Mapping[str, str]) -> Response:
        matching = self._client.query(
            created_from=_moment(request, "createdTimeFrom"),
            created_to=_moment(request, "createdTimeTo"),
            statuses=_statuses(request),
            prefix=request.query.get("instanceidprefix", ""),
        )
        skip = int(request.header("x-ms-continuation-token") or 0)
        end = skip + int(request.query.get("top", PAGE))
        with_input = _flag(request, "showInput")
        page = [status_payload(i, with_input=with_input, history=None) for i in matching[skip:end]]
        token = str(end) if end < len(matching) else ""
        return Response(200, page, {"x-ms-continuation-token": token})

    def _raise(self, request: Request, params: Mapping[str, str]) -> Response:
        self._client.find(params["id"])
        try:
            json.loads(request.body)
        except ValueError:
            raise Refused(400, "Invalid JSON content") from None
        self._client.raise_event(params["id"], params["event"], request.body.decode())
        return Response(202)

    def _terminate(self, request: Request, params: Mapping[str, str]) -> Response:
        self._client.terminate(params["id"], request.query.get("reason", ""))
        return Response(202)

    def _suspend(self, request: Request, params: Mapping[str, str]) -> Response:
        self._client.suspend(params["id"], request.query.get("reason", ""))
        return Response(202)

    def _resume(self, request: Request, params: Mapping[str, str]) -> Response:
        self._client.resume(params["id"], request.query.get("reason", ""))
        return Response(202)

    def _restart(self, request: Request, params: Mapping[str, str]) -> Response:
        new_id = _flag(request, "restartWithNewInstanceId", default=True)
        return self._accepted(self._client.restart(params["id"], new_id=new_id))

    def _rewind(self, _request: Request, params: Mapping[str, str]) -> Response:
        """Refuse as a storage provider without rewind does: it is not simulated."""
        self._client.find(params["id"])
        raise Refused(501, "Rewind is not supported by the underlying storage provider.")

    def _purge(self, _request: Request, params: Mapping[str, str]) -> Response:
        return Response(200, {"instancesDeleted": self._client.purge([params["id"]])})

    # models durable-purge-by
    def _purge_by(self, request: Request, _params: Mapping[str, str]) -> Response:
        created_from = _moment(request, "createdTimeFrom")
        if created_from is None:
            raise Refused(400, "Please provide value for 'createdTimeFrom' parameter.")
        matching = self._client.query(
            created_from=created_from,
            created_to=_moment(request, "createdTimeTo"),
            statuses=_statuses(request),
        )
        deleted = self._client.purge(i.id for i in matching if i.status.is_final)
        return Response(200, {"instancesDeleted": deleted}) if deleted else Response(404)


def _flag(request: Request, name: str, *, default: bool = False) -> bool:
    return request.query.get(name.lower(), str(default)).lower() == "true"


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query.get(name.lower())
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _statuses(request: Request) -> tuple[Status, ...]:
    wanted = request.query.get("runtimestatus", "").split(",")
    return tuple(status for status in Status if status.value in wanted)


def _route(method: str, path: str, handler: Handler) -> tuple[str, "re.Pattern[str]", Handler]:
    return method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), handler


ROUTES: tuple[tuple[str, "re.Pattern[str]", Handler], ...] = (
    _route("POST", r"orchestrators/{name}(?:/{id})?", DurableApi._start),
    _route("GET", "instances", DurableApi._list),
    _route("DELETE", "instances", DurableApi._purge_by),
    _route("GET", "instances/{id}", DurableApi._status),
    _route("DELETE", "instances/{id}", DurableApi._purge),
    _route("POST", "instances/{id}/raiseEvent/{event}", DurableApi._raise),
    _route("POST", "instances/{id}/terminate", DurableApi._terminate),
    _route("POST", "instances/{id}/suspend", DurableApi._suspend),
    _route("POST", "instances/{id}/resume", DurableApi._resume),
    _route("POST", "instances/{id}/restart", DurableApi._restart),
    _route("POST", "instances/{id}/rewind", DurableApi._rewind),
)
