"""What the data planes of storage share: who may call, and the headers of each answer."""

from collections.abc import Callable, Mapping

from azsim.http import ArmError, Request, Response
from azsim.router import Call, ErrorShape, Handler
from azsim.storage import Account
from azsim.ticks import http_date, iso, ticks_of

VERSION = "2021-12-02"

StorageHandler = Callable[[Call, Account], Response]


def guarded(handler: StorageHandler) -> Handler:
    """
    Return the handler behind the door of the account that the host names.

    Only Microsoft Entra tokens open it: the accounts refuse shared keys, as the deployed ones do.
    """

    def answer(call: Call) -> Response:
        account = call.world.storage.account(call.request.host.split(".")[0])
        _authorize(call.request, call.world.tenant)
        response = handler(call, account)
        headers = {**common_headers(call), **response.headers}
        return Response(response.status, response.body, headers)

    return answer


def common_headers(call: Call) -> dict[str, str]:
    headers = {
        "x-ms-request-id": call.world.front_door.new_id(),
        "x-ms-version": call.request.header("x-ms-version") or VERSION,
        "Date": http_date(call.world.clock.now()),
    }
    if sent := call.request.header("x-ms-client-request-id"):
        headers["x-ms-client-request-id"] = sent
    return headers


def error_shape(
    write: Callable[[Call, str, str], tuple[str, bytes]], *, code_header: bool
) -> ErrorShape:
    """Return how a service says an error: `write` makes (content type, body) of code and text."""

    def shape(call: Call, error: ArmError) -> Response:
        headers: dict[str, str] = {**common_headers(call), **error.headers}
        if code_header:
            headers["x-ms-error-code"] = error.code
        if call.request.method == "HEAD" or error.status == 304:
            return Response(error.status, None, headers)
        said = f"{error.message}\nRequestId:{headers['x-ms-request-id']}\nTime:{_time(call)}"
        content_type, body = write(call, error.code, said)
        return Response(error.status, body, {**headers, "Content-Type": content_type})

    return shape


def not_simulated(request: Request, what: str) -> ArmError:
    """Refuse what the model lacks: 501, which also fails the test that asked."""
    return ArmError(501, "RouteNotSimulated", f"azsim has no {what} for {request.method}")


def allow_only(request: Request, *, query: frozenset[str], refused_headers: frozenset[str]) -> None:
    """Refuse a request that asks for more than is modelled."""
    asked = set(request.query) - query - {"timeout", "api-version", "sv"}
    asked |= {name for name in request.headers if name in refused_headers}
    if asked:
        raise not_simulated(request, ", ".join(sorted(asked)))


# models storage-entra-only
def _authorize(request: Request, tenant: str) -> None:
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme in ("SharedKey", "SharedKeyLite") or "sig" in request.query:
        raise ArmError(
            403,
            "KeyBasedAuthenticationNotPermitted",
            "Key based authentication is not permitted on this storage account.",
        )
    if scheme.lower() != "bearer" or not token:
        challenge: Mapping[str, str] = {
            "WWW-Authenticate": "Bearer authorization_uri=https://login.microsoftonline.com/"
            f"{tenant}/oauth2/authorize resource_id=https://storage.azure.com"
        }
        raise ArmError(
            401,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the "
            "www-authenticate header.",
            challenge,
        )


def _time(call: Call) -> str:
    return iso(ticks_of(call.world.clock.now()))
