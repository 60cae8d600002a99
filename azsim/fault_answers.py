"""What a fault that answers with an error says, in the words of the service that it plays."""

from collections.abc import Mapping
from datetime import timedelta

from azsim import throttled
from azsim.fault_kinds import Fault, Kind
from azsim.http import ArmError
from azsim.router import ARM, Call

DEFAULT_WAIT = timedelta(seconds=17)
ANSWERS: dict[Kind, tuple[int, str, str]] = {
    # models fault-refusals
    Kind.BAD_REQUEST: (400, "BadRequest", "The request is invalid."),
    Kind.UNAUTHORIZED: (
        401,
        "ExpiredAuthenticationToken",
        "The access token expiry is in the past.",
    ),
    # models fault-forbidden
    Kind.FORBIDDEN: (
        403,
        "AuthorizationFailed",
        "The client '{principal}' with object id '{principal}' does not have authorization to "
        "perform action '{action}' over scope '{path}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials.",
    ),
    # models fault-governed
    Kind.POLICY_DENIED: (
        403,
        "RequestDisallowedByPolicy",
        "Resource '{name}' was disallowed by policy. Reasons: 'denied on purpose'.",
    ),
    # models fault-not-found
    Kind.NOT_FOUND: (404, "ResourceNotFound", "The Resource '{name}' was not found."),
    Kind.EXISTS: (409, "Conflict", "The resource '{name}' already exists."),
    # models fault-busy
    Kind.BUSY: (
        409,
        "BMSUserErrorObjectLocked",
        "Another operation is in progress on the selected item.",
    ),
    Kind.LOCKED: (
        409,
        "ScopeLocked",
        "The scope '{path}' cannot perform write operation because following scope(s) are locked: "
        "'{path}'. Please remove the lock and try again.",
    ),
    Kind.PRECONDITION: (
        412,
        "PreconditionFailed",
        "The condition specified using HTTP conditional header(s) is not met.",
    ),
    # models fault-server
    Kind.INTERNAL: (500, "InternalServerError", "The server encountered an internal error."),
    Kind.BAD_GATEWAY: (502, "BadGateway", "The gateway did not receive a valid answer."),
    Kind.UNAVAILABLE: (503, "ServiceUnavailable", "The service is temporarily unavailable."),
    Kind.GATEWAY_TIMEOUT: (
        504,
        "GatewayTimeout",
        "The gateway did not receive a response from '{provider}' within the specified time "
        "period.",
    ),
}
# models fault-storage-codes
_STORAGE_CODES = {
    400: "InvalidInput",
    401: "InvalidAuthenticationInfo",
    403: "AuthorizationPermissionMismatch",
    404: "ResourceNotFound",
    409: "ResourceAlreadyExists",
    412: "ConditionNotMet",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServerBusy",
}
# models fault-log-codes
_LOG_CODES = {
    400: "BadArgumentError",
    401: "InvalidTokenError",
    403: "InsufficientAccessError",
    404: "PathNotFoundError",
}
_CODES_OF_HOSTS: Mapping[str, Mapping[int, str]] = {
    ".loganalytics.io": _LOG_CODES,
    ".communication.azure.com": {},
}

_CHARGED_AS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


def error_of(fault: Fault, call: Call) -> ArmError:
    """Build the error that a fault answers; what the fault itself says goes before its kind's."""
    error = _throttling(fault, call) or _plain(fault, call)
    if fault.retry_after is not None:
        error.headers["Retry-After"] = str(int(fault.retry_after.total_seconds()))
    error.status = fault.status or error.status
    error.code = fault.code or error.code
    error.message = fault.message or error.message
    return error


# models fault-throttled
def _throttling(fault: Fault, call: Call) -> ArmError | None:
    world = call.world
    now, wait = world.clock.now(), fault.retry_after or DEFAULT_WAIT
    match fault.kind:
        case Kind.ARM_THROTTLED:
            charged = _CHARGED_AS.get(call.request.method, "writes")
            principal = world.identity.principal_of(call.request)
            return throttled.by_arm(charged, _subscription(call), principal, wait)
        case Kind.PROVIDER_THROTTLED:
            return throttled.by_provider(call.route.action, 150, wait)
        case Kind.COMPUTE_THROTTLED:
            span = timedelta(minutes=3)
            return throttled.by_compute("UpdateVM3Min", 240, now + wait - span, span, now)
        case Kind.GRAPH_THROTTLED:
            return throttled.by_graph(now, world.front_door.new_id(), wait)
    return None


def _plain(fault: Fault, call: Call) -> ArmError:
    if fault.kind not in ANSWERS:
        raise ValueError(f"{fault.kind.value} is no error answer")
    status, code, message = ANSWERS[fault.kind]
    words = message.format(
        principal=call.world.identity.principal_of(call.request),
        action=call.route.action,
        path=call.request.path,
        name=call.request.path.rsplit("/", 1)[-1],
        provider=call.route.action.split("/")[0],
    )
    codes = _CODES_OF_HOSTS.get(call.route.host, {} if call.route.host == ARM else _STORAGE_CODES)
    return ArmError(status, codes.get(status, code), words)


def _subscription(call: Call) -> str:
    parts = call.request.path.split("/")
    return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""
